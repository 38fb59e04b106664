package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fido-emu/fixtures"
)

func profilesCommand() *cobra.Command {
	var asJSON, quirks bool
	c := &cobra.Command{
		Use:   "profiles [NAME]",
		Short: "List the models of authenticators that can be emulated, or show one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if quirks {
				return listQuirks(c.OutOrStdout(), args, asJSON)
			}
			if len(args) == 1 {
				p, err := fixtures.Lookup(args[0])
				if err != nil {
					return usageError{err}
				}
				return showProfile(c.OutOrStdout(), p, asJSON)
			}
			all, err := fixtures.Profiles()
			if err != nil {
				return err
			}
			return listProfiles(c.OutOrStdout(), all, asJSON)
		},
		ValidArgsFunction: completeProfiles,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&quirks, "quirks", false, "list the ways in which a key can break the specification; with NAME, those that can show on that model")
	return c
}

func completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := fixtures.Profiles()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.Name + "\t" + p.Title
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func listProfiles(w io.Writer, all []fixtures.Profile, asJSON bool) error {
	if asJSON {
		return printJSON(w, all)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROFILE\tKEYS\tPASSKEYS\tVERIFIES BY\tATTESTATION\tMODEL")
	for _, p := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, p.Keys, passkeys(&p), verifiesBy(&p), attests(&p), p.Title)
	}
	return t.Flush()
}

func passkeys(p *fixtures.Profile) string {
	if p.BackupEligible {
		return "synced"
	}
	return "device-bound"
}

func verifiesBy(p *fixtures.Profile) string {
	var ways []string
	if p.BuiltInUV != "" {
		ways = append(ways, string(p.BuiltInUV))
	}
	if p.ClientPIN {
		ways = append(ways, "PIN")
	}
	return strings.Join(ways, ", ")
}

func attests(p *fixtures.Profile) string {
	if p.AttestedBy != "" {
		return string(p.AttestedBy)
	}
	return string(p.Attestation)
}

func showProfile(w io.Writer, p *fixtures.Profile, asJSON bool) error {
	if asJSON {
		return printJSON(w, p)
	}
	algorithms := make([]string, len(p.Algorithms))
	for i, a := range p.Algorithms {
		algorithms[i] = a.String()
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"profile", p.Name}, {"model", p.Title}, {"purpose", p.Purpose}, {"AAGUID", p.AAGUID.String()},
		{"versions", strings.Join(p.Versions, ", ")}, {"keys", string(p.Keys)}, {"passkeys", passkeys(p)},
		{"algorithms", strings.Join(algorithms, ", ")}, {"extensions", strings.Join(p.Extensions, ", ")},
		{"verifies by", verifiesBy(p)}, {"attestation", attests(p)}, {"transports", strings.Join(p.Transports, ", ")},
		{"credentials", fmt.Sprintf("at most %d discoverable", p.CredentialLimit())},
	} {
		if line[1] != "" {
			fmt.Fprintf(t, "%s\t%s\n", line[0], line[1])
		}
	}
	return t.Flush()
}
