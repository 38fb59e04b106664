package main

import (
	"fmt"
	"io"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fido-emu/scenarios"
	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
)

// selecting adds the flags by which scenarios are chosen.
func selecting(flags *pflag.FlagSet, s *scenarios.Selection) {
	flags.StringVar(&s.Filter, "filter", "", "labels, as in 'loss && !sync', or part of an id or title")
	flags.StringVar(&s.Focus, "focus", "", "part of an id or title")
	flags.StringSliceVar(&s.Covers, "covers", nil, "rows of the coverage table: only scenarios that show one of them")
}

// said repeats what was asked of a selection.
func said(s scenarios.Selection) string {
	var b strings.Builder
	if s.Filter != "" {
		fmt.Fprintf(&b, " --filter %q", s.Filter)
	}
	if s.Focus != "" {
		fmt.Fprintf(&b, " --focus %q", s.Focus)
	}
	if len(s.Covers) > 0 {
		fmt.Fprintf(&b, " --covers %s", strings.Join(s.Covers, ","))
	}
	return b.String()
}

// listFlags is what the command line says about a list.
type listFlags struct {
	selection                     scenarios.Selection
	json, covered, cases, verbose bool
}

func listCommand(u ui) *cobra.Command {
	var f listFlags
	c := &cobra.Command{
		Use:   "list [FILE|FOLDER|NAME]...",
		Short: "List scenarios; the built-in library when none are named",
		Long: "list shows scenarios by folder, each with the number of cases in which it runs: one for\n" +
			"each combination of its matrix.",
		Example: "  harness list\n  harness list recovery -v\n  harness list --covers escrow,device-loss\n  harness list --cases --filter 'attack && !sync'\n  harness list --coverage",
		Args:    cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, names []string) error {
			chosen, err := choose(names, f.selection)
			if err != nil {
				return err
			}
			return f.list(u, chosen)
		},
	}
	flags := c.Flags()
	selecting(flags, &f.selection)
	flags.BoolVar(&f.json, "json", false, "print JSON, every case by itself")
	flags.BoolVar(&f.covered, "coverage", false, "print what organisations rely on, and the scenarios that show it")
	flags.BoolVar(&f.cases, "cases", false, "print every case on a line of its own, with its labels")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "say of each scenario why it matters, its labels, what it shows and its cases")
	return c
}

func (f listFlags) list(u ui, chosen []*language.Scenario) error {
	switch {
	case f.covered:
		return u.coverage(coverage.Of(chosen), f.json)
	case f.json:
		return u.printJSON(listed(chosen))
	case f.cases:
		return table(u.out, chosen)
	}
	return u.page(shelves(chosen, f.verbose))
}

// entry is a scenario in the output of list --json.
type entry struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"`
	Purpose string   `json:"purpose,omitempty"`
	Labels  []string `json:"labels"`
	Covers  []string `json:"covers"`
	File    string   `json:"file"`
	Steps   int      `json:"steps"`
}

func listed(all []*language.Scenario) []entry {
	entries := make([]entry, len(all))
	for i, s := range all {
		entries[i] = entry{s.ID, s.Title, s.Purpose, append([]string{}, s.Labels...), append([]string{}, s.Covers...), s.At.File, len(s.Steps)}
	}
	return entries
}

// table writes a line for each case.
func table(w io.Writer, all []*language.Scenario) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tTITLE\tLABELS")
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.ID, s.Title, strings.Join(s.Labels, " "))
	}
	return t.Flush()
}

// told is a scenario with its cases.
type told struct {
	id    string // without what the cases add
	cases []*language.Scenario
}

// together gathers the cases of each scenario, in their order.
func together(all []*language.Scenario) []told {
	var list []told
	for _, s := range all {
		id := strings.TrimSuffix(s.ID, s.Suffix())
		if n := len(list); n > 0 && list[n-1].id == id {
			list[n-1].cases = append(list[n-1].cases, s)
		} else {
			list = append(list, told{id, []*language.Scenario{s}})
		}
	}
	return list
}

// shelves writes scenarios under the folders that they are in.
func shelves(all []*language.Scenario, verbose bool) string {
	list := together(all)
	wide := 0
	for _, s := range list {
		wide = max(wide, len(path.Base(s.id)))
	}
	var b strings.Builder
	folder := "."
	for _, s := range list {
		if in := path.Dir(s.id); in != folder {
			if folder != "." && !verbose {
				b.WriteByte('\n')
			}
			folder = in
			fmt.Fprintln(&b, strings.TrimSpace(folder+"  "+scenarios.AboutFolder(folder)))
		}
		fmt.Fprintf(&b, "  %-*s  %2d  %s\n", wide, path.Base(s.id), len(s.cases), s.cases[0].Title)
		if verbose {
			s.more(&b)
		}
	}
	if !verbose {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s in %s. harness run NAME runs one, harness list NAME -v tells more of it, harness list --cases names every case.\n",
		plural(len(list), "scenario"), plural(len(all), "case"))
	return b.String()
}

// more writes what else there is to know of a scenario.
func (s told) more(b *strings.Builder) {
	first := s.cases[0]
	for _, line := range []struct{ name, text string }{
		{"", strings.Join(strings.Fields(first.Purpose), " ")},
		{"labels", strings.Join(first.Labels, " ")},
		{"covers", strings.Join(first.Covers, " ")},
		{"cases", strings.Join(s.suffixes(), " ")},
		{"file", first.At.File},
	} {
		switch {
		case line.text == "":
		case line.name == "":
			fmt.Fprintf(b, "      %s\n", line.text)
		default:
			fmt.Fprintf(b, "      %-6s  %s\n", line.name, line.text)
		}
	}
	b.WriteByte('\n')
}

// suffixes lists what tells the cases apart.
func (s told) suffixes() []string {
	var all []string
	for _, c := range s.cases {
		if x := strings.Trim(c.Suffix(), "[]"); x != "" {
			all = append(all, x)
		}
	}
	return all
}
