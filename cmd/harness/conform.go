package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/conformance/suite"
	"fido-emu/fixtures"
	"fido-emu/fixtures/bench"
	"fido-emu/fixtures/reach"
)

// conformFlags is what the command line says about a run of the conformance suite.
type conformFlags struct {
	profile, device string
	groups, cases   []string
	list            bool
	destructive     bool
	resume, reports string
	json, coverage  bool
	pinEnv, pinFile string
	metadata        string
	timeout         time.Duration
	maxWait         time.Duration
	robot           robotFlags
	mutants         mutantFlags
}

func conformCommand(u ui) *cobra.Command {
	var f conformFlags
	c := &cobra.Command{
		Use:   "conform",
		Short: "Judge an authenticator by the rules of CTAP, U2F and CTAPHID",
		Long: "conform runs the conformance suite on an authenticator: an emulated model (--profile), which\n" +
			"takes no time, or a key that is plugged in or emulated elsewhere (--device), which somebody\n" +
			"touches, pulls out and puts in again when asked to, or a robot (--touch, --power).\n\n" +
			"Every case is a rule of a specification. It passes, fails, is tolerated (the authenticator\n" +
			"deviates where editions or shipping keys differ; the report says which), is not applicable\n" +
			"(the authenticator has not what it needs), or is not run. Cases that destroy what is on a key\n" +
			"need --allow-destructive.\n\n" +
			"With --resume FILE results are kept in FILE line by line, and what stands in it is not run\n" +
			"again: after an interruption the same command goes on where it stopped.\n\n" +
			"The exit code is 0 when nothing failed, 1 when something did, 3 when the bench is at fault or\n" +
			"the authenticator answers no more, 4 when there is no such key.",
		Example: "  harness conform\n  harness conform --profile biometric-key --group getinfo,cbor\n" +
			"  harness conform --device hidraw: --allow-destructive --resume key.jsonl\n" +
			"  harness conform --device hidraw: --touch http://bench/usb6 --power http://bench/usb6",
		RunE: func(c *cobra.Command, _ []string) error { return conform(c.Context(), u, f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.profile, "profile", "", "model to emulate in this process (default security-key; fido-emu profiles lists them)")
	flags.StringVar(&f.device, "device", "", "key to judge: hidraw:SELECTOR, usb:SELECTOR or udp:HOST:PORT")
	flags.StringSliceVar(&f.groups, "group", nil, "only these groups")
	flags.StringSliceVar(&f.cases, "case", nil, "only the cases whose ids begin so")
	flags.BoolVar(&f.list, "list", false, "list the cases and run none")
	flags.BoolVar(&f.destructive, "allow-destructive", false, "run what destroys what is on the key; always so with --profile")
	flags.StringVar(&f.resume, "resume", "", "file of results that need not be had again, and that new ones are added to")
	flags.StringVar(&f.reports, "reports", "", "folder for conformance.html, coverage.html, junit.xml and results.jsonl")
	flags.BoolVar(&f.coverage, "coverage", false, "print which sections of the specifications have which cases, and how they ended")
	flags.BoolVar(&f.json, "json", false, "print the results as JSON lines")
	flags.StringVar(&f.pinEnv, "pin-env", "", "environment variable with the PIN of the key")
	flags.StringVar(&f.pinFile, "pin-file", "", "file with the PIN of the key in its first line")
	flags.StringVar(&f.metadata, "metadata", "", "file with the metadata statement of the key's model, or a BLOB's entry for it, in JSON; a --profile knows its own")
	flags.DurationVar(&f.timeout, "timeout", 0, "real time that a case may take beyond what it has to wait (default 10s, 2m0s with --device)")
	flags.DurationVar(&f.maxWait, "max-wait", 0, "leave out cases that have to wait longer than this; time is real with --device")
	f.robot.add(c)
	f.mutants.add(flags)
	return c
}

func conform(ctx context.Context, u ui, f conformFlags) error {
	if f.profile != "" && f.device != "" || f.pinEnv != "" && f.pinFile != "" {
		return usage("", "--profile and --device, --pin-env and --pin-file: one or the other")
	}
	if err := f.robot.check(f.device); err != nil {
		return err
	}
	if err := f.mutants.check(f); err != nil {
		return err
	}
	groups, err := f.choose()
	if err != nil {
		return err
	}
	if f.mutants.run && !f.list {
		return conformMutants(ctx, u, f, groups)
	}
	if f.list {
		return u.listCases(groups, f.json)
	}
	options, err := f.options(u)
	if err != nil {
		return err
	}
	sinks, err := f.openSinks(u, groups)
	if err != nil {
		return err
	}
	options.Done, options.Observer = sinks.done, sinks
	target, closeTarget, err := f.target(ctx, u)
	if err != nil {
		return errors.Join(err, sinks.close())
	}
	report, err := conformance.Execute(ctx, target, suite.Cases(groups), options)
	if err = errors.Join(err, closeTarget(), sinks.close()); err != nil {
		return &exit{code: exitBench, err: err}
	}
	if err := f.conformReports(report, groups); err != nil {
		return &exit{code: exitBench, err: err, hint: "choose another folder with --reports"}
	}
	switch {
	case f.coverage && !f.json:
		showCoverage(u.out, report)
	case !f.json:
		u.conformReport(report, groups)
	}
	return conformVerdict(report)
}

// conformVerdict turns outcomes into an exit code.
func conformVerdict(r *conformance.Report) error {
	counts := r.Counts()
	switch {
	case counts[conformance.Failed] > 0 && r.Stopped == "":
		return &exit{code: exitFailed}
	case r.Stopped != "":
		return &exit{code: exitBench, err: errors.New("the run ended early: " + r.Stopped), hint: "with --resume FILE the next run goes on where this one stopped"}
	case counts[conformance.Errored] > 0:
		return &exit{code: exitBench}
	}
	return nil
}

// choose returns the groups with the cases that are to be run.
func (f conformFlags) choose() ([]conformance.Group, error) {
	all := suite.Groups()
	var names []string
	for _, g := range all {
		names = append(names, g.Name)
	}
	for _, name := range f.groups {
		if !slices.Contains(names, name) {
			return nil, usage("", "--group %q is not known; there are %s", name, strings.Join(names, ", "))
		}
	}
	all = slices.DeleteFunc(all, func(g conformance.Group) bool { return len(f.groups) > 0 && !slices.Contains(f.groups, g.Name) })
	for i := range all {
		all[i].Cases = slices.DeleteFunc(slices.Clone(all[i].Cases), func(c conformance.Case) bool { return !f.wants(c.ID) })
	}
	all = slices.DeleteFunc(all, func(g conformance.Group) bool { return len(g.Cases) == 0 })
	if len(all) == 0 {
		return nil, usage("harness conform --list shows ids", "no case fits --group %q --case %q", f.groups, f.cases)
	}
	return all, nil
}

func (f conformFlags) wants(id string) bool {
	return len(f.cases) == 0 || slices.ContainsFunc(f.cases, func(prefix string) bool {
		return id == prefix || strings.HasPrefix(id, strings.TrimSuffix(prefix, ".")+".")
	})
}

// What a case may take, with an authenticator in this process and with a hand.
const conformTimeout = 10 * time.Second

func (f conformFlags) options(u ui) (conformance.Options, error) {
	o := conformance.Options{Rand: bench.NewRand(conformSeed + 1), AllowDestructive: f.destructive || f.device == "", MaxWait: f.maxWait, Timeout: conformTimeout}
	if f.device != "" {
		o.Timeout, o.Rand = handTimeout, realRand
	}
	if f.timeout != 0 {
		o.Timeout = f.timeout
	}
	var err error
	if o.Statement, err = f.statement(); err != nil {
		return o, err
	}
	o.PIN, err = f.pin(u)
	return o, err
}

// statement reads the metadata statement of the key's model.
func (f conformFlags) statement() (*conformance.Statement, error) {
	if f.metadata == "" {
		return nil, nil
	}
	b, err := os.ReadFile(f.metadata)
	if err != nil {
		return nil, usage("", "--metadata: %w", err)
	}
	s, err := conformance.ParseStatement(b)
	if err != nil {
		return nil, usage("", "--metadata %s: %w", f.metadata, err)
	}
	return s, nil
}

// pin reads the PIN of the key.
func (f conformFlags) pin(u ui) (string, error) {
	switch {
	case f.pinEnv != "":
		pin := u.getenv(f.pinEnv)
		if pin == "" {
			return "", usage("", "--pin-env %s: the variable is empty", f.pinEnv)
		}
		return pin, nil
	case f.pinFile != "":
		b, err := os.ReadFile(f.pinFile)
		if err != nil {
			return "", usage("", "--pin-file: %w", err)
		}
		pin, _, _ := strings.Cut(string(b), "\n")
		return strings.TrimSuffix(pin, "\r"), nil
	}
	return "", nil
}

// conformSeed is what an emulated authenticator and its platform draw from, so that
// every run is the same.
const conformSeed = 1

// target opens the authenticator.
func (f conformFlags) target(ctx context.Context, u ui) (conformance.Target, func() error, error) {
	if f.device != "" {
		return f.openDevice(ctx, u)
	}
	name := f.profile
	if name == "" {
		name = "security-key"
	}
	p, err := fixtures.Lookup(name)
	if err != nil {
		return nil, nil, usage("", "--profile: %w", err)
	}
	if p, err = p.With(f.mutants.quirks...); err != nil {
		return nil, nil, usage("", "--quirk: %w", err)
	}
	e, err := bench.Emulate(ctx, p, conformSeed)
	if err != nil {
		return nil, nil, &exit{code: exitBench, err: err}
	}
	return e, e.Close, nil
}

func (f conformFlags) openDevice(ctx context.Context, u ui) (conformance.Target, func() error, error) {
	address, err := reach.ParseAddress(f.device)
	if err != nil {
		return nil, nil, &exit{code: exitUsage, err: fmt.Errorf("--device %w", err)}
	}
	handle, err := f.robot.find(ctx)
	if err != nil {
		return nil, nil, err
	}
	d, err := bench.Open(ctx, address, &hand{u: u, again: sayAgain}, u.getenv)
	if errors.Is(err, reach.ErrNoKey) {
		return nil, nil, &exit{code: exitNoDevice, err: err, hint: "harness devices lists keys; fido-emu up emulates one"}
	}
	if err != nil {
		return nil, nil, &exit{code: exitBench, err: err}
	}
	handle(d)
	return d, d.Close, nil
}

// resumed reads the results of an earlier run; a file that is not there has none.
func (f conformFlags) resumed() (map[string]conformance.Result, error) {
	if f.resume == "" {
		return nil, nil
	}
	file, err := os.Open(f.resume)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usage("", "--resume: %w", err)
	}
	defer file.Close()
	results, err := conformance.ReadResults(file)
	if err != nil {
		return nil, usage("choose another file with --resume", "--resume %s: %w", f.resume, err)
	}
	return results, nil
}

// resultsName is the file within --reports.
const resultsName = "results.jsonl"

// files opens the files that results go to.
func (f conformFlags) files() (files []*os.File, err error) {
	open := func(name string, flag int) error {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|flag, 0o600)
		if err == nil {
			files = append(files, file)
		}
		return err
	}
	if f.resume != "" {
		err = open(f.resume, os.O_APPEND)
	}
	if f.reports != "" && err == nil {
		if err = os.MkdirAll(f.reports, 0o700); err == nil {
			err = open(filepath.Join(f.reports, resultsName), os.O_TRUNC)
		}
	}
	if err != nil {
		return nil, &exit{code: exitBench, err: err, hint: "choose another file with --resume, or another folder with --reports"}
	}
	return files, nil
}
