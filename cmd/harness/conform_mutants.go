package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/conformance/mutation"
	"fido-emu/ctap/conformance/suite"
	"fido-emu/fixtures/bench/mutants"
)

// mutantFlags is what the command line says about mutants.
type mutantFlags struct {
	run    bool
	quirks []string
	all    bool
}

func (f *mutantFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.run, "mutants", false, "judge the suite itself: emulated models with one quirk each must be noticed")
	flags.StringArrayVar(&f.quirks, "quirk", nil, "quirk that the emulated model is to have, again for several; with --mutants, the only mutants")
	flags.BoolVar(&f.all, "all", false, "with --mutants: find every case that notices; --json does so, too")
}

// check refuses what does not go together.
func (f *mutantFlags) check(of conformFlags) error {
	switch {
	case !f.run && f.all:
		return usage("", "--all is for --mutants")
	case of.device != "" && len(f.quirks) > 0:
		return usage("", "--quirk is for emulated models, not for --device")
	case f.run && (of.device != "" || of.resume != "" || of.reports != ""):
		return usage("", "--mutants runs on emulated models, without --device, --resume and --reports")
	}
	return nil
}

// mutantsPerCore is how many mutants are judged beside each other: most of the time
// they wait for the time-outs of CTAPHID.
const mutantsPerCore = 6

// conformMutants runs the suite on every mutant and prints the score.
func conformMutants(ctx context.Context, u ui, f conformFlags, groups []conformance.Group) error {
	began := time.Now()
	all, err := mutants.All(f.profile)
	if err != nil {
		return usage("", "--profile: %w", err)
	}
	if all, err = mutants.Named(all, f.mutants.quirks); err != nil {
		return usage("", "--quirk: %w", err)
	}
	progress := u.mutantProgress(len(all), f.json)
	survey := &mutation.Survey{
		Lab: mutants.Lab{}, Cases: suite.Cases(groups), Timeout: f.timeout, All: f.mutants.all || f.json,
		Workers: mutantsPerCore * runtime.GOMAXPROCS(0), Done: progress.done,
	}
	verdicts, err := survey.Run(ctx, all)
	if err = errors.Join(progress.close(), err); err != nil {
		return &exit{code: exitBench, err: err}
	}
	return u.mutantReport(verdicts, time.Since(began), f)
}

// mutantReport prints who was not noticed and, in the last line, the score.
func (u ui) mutantReport(verdicts []mutation.Verdict, took time.Duration, f conformFlags) error {
	out := u.out
	if f.json {
		out = u.err // standard output is the verdicts alone
	}
	killed, of := mutation.Score(verdicts)
	showTolerated(out, verdicts)
	showSurvivors(out, verdicts)
	if f.mutants.all && !f.json {
		showKills(out, verdicts)
	}
	fmt.Fprintf(out, "The suite saw mutants for %s.\n%d of %d mutants killed\n", took.Round(100*time.Millisecond), killed, of)
	if killed < of {
		return &exit{code: exitFailed}
	}
	return nil
}

// showSurvivors prints a table of the mutants that no case of their section noticed.
func showSurvivors(w io.Writer, verdicts []mutation.Verdict) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	n := 0
	for i := range verdicts {
		v := &verdicts[i]
		if v.Killed {
			continue
		}
		if n++; n == 1 {
			fmt.Fprintln(t, "SURVIVOR\tSECTION\tIT\tCAUGHT ELSEWHERE BY")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", v.Name, v.Section, v.Breaks, elsewhere(v))
	}
	_ = t.Flush() // what cannot be written has no reader
	if n > 0 {
		fmt.Fprintln(w)
	}
}

func elsewhere(v *mutation.Verdict) string {
	var parts []string
	for _, k := range v.Elsewhere {
		parts = append(parts, k.Case)
	}
	if len(v.Troubles) > 0 {
		parts = append(parts, "("+strings.Join(v.Troubles, "; ")+")")
	}
	if len(parts) == 0 {
		return "nobody"
	}
	return strings.Join(parts, " ")
}

// showTolerated names the mutants that count as killed because a case says that it
// tolerates them.
func showTolerated(w io.Writer, verdicts []mutation.Verdict) {
	for i := range verdicts {
		if v := &verdicts[i]; v.Tolerated() {
			fmt.Fprintf(w, "%s is tolerated, by %s: %s\n", v.Name, v.By[0].Case, v.By[0].Text)
		}
	}
}

// showKills lists who killed whom.
func showKills(w io.Writer, verdicts []mutation.Verdict) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range verdicts {
		v := &verdicts[i]
		if !v.Killed {
			continue
		}
		for n, k := range v.By {
			name := ""
			if n == 0 {
				name = v.Name
			}
			fmt.Fprintf(t, "%s\t%s\t%s\n", name, k.Case, k.Text)
		}
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

// mutantProgress shows how far a survey is.
type mutantProgress struct {
	of, count, killed int
	line              *progressLine // nil where there is no terminal
	verdicts          *json.Encoder // nil without --json
	err               error
}

func (u ui) mutantProgress(of int, asJSON bool) *mutantProgress {
	p := &mutantProgress{of: of}
	if isTerminal(u.err) {
		p.line = &progressLine{w: u.err, began: time.Now()}
	}
	if asJSON {
		p.verdicts = json.NewEncoder(u.out)
		p.verdicts.SetEscapeHTML(false)
	}
	return p
}

// done is told of each verdict.
func (p *mutantProgress) done(v *mutation.Verdict) {
	p.count++
	if v.Killed {
		p.killed++
	}
	if p.line != nil {
		p.line.show(fmt.Sprintf("%d of %d mutants, %d killed: %s", p.count, p.of, p.killed, v.Name))
	}
	if p.verdicts != nil {
		p.err = errors.Join(p.err, p.verdicts.Encode(v))
	}
}

func (p *mutantProgress) close() error {
	if p.line != nil {
		p.line.clear()
	}
	return p.err
}
