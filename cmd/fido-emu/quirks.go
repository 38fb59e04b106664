package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fido-emu/ctap/authenticator"
	"fido-emu/fixtures"
)

// listQuirks prints the catalogue of quirks, or what of it can show on one model.
func listQuirks(w io.Writer, model []string, asJSON bool) error {
	all := fixtures.Quirks()
	if len(model) == 1 {
		p, err := fixtures.Lookup(model[0])
		if err != nil {
			return usageError{err}
		}
		all = slices.DeleteFunc(all, func(q authenticator.Quirk) bool { return !q.Suits(&p.Profile) })
	}
	if asJSON {
		return printJSON(w, all)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "QUIRK\tSECTION\tWHAT THE KEY DOES")
	for _, q := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", q.Name, q.Section, q.Breaks)
	}
	return t.Flush()
}

func completeQuirks(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, q := range fixtures.Quirks() {
		names = append(names, q.Name+"\t"+q.Breaks)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
