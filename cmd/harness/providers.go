package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fido-emu/keychain"
)

func providersCommand(u ui) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "providers [NAME|FILE]...",
		Short: "List how sync providers behave, or explain some",
		Long: "providers lists the sync providers whose behaviour is built in. With names or .yaml files it\n" +
			"explains each: ways to join, tries, backup state, conflicts, deletion, what members are told,\n" +
			"the sources, and where the model is simpler than life. A file is checked on the way.",
		Args:    cobra.ArbitraryArgs,
		Example: "  harness keychain providers\n  harness keychain providers apple google\n  harness keychain providers mine.yaml --json",
		RunE: func(_ *cobra.Command, names []string) error {
			chosen, err := chooseProviders(names)
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				return u.printJSON(chosen)
			case len(names) == 0:
				return listProviders(u.out, chosen)
			}
			return explainProviders(u.out, chosen)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func chooseProviders(names []string) ([]keychain.Provider, error) {
	if len(names) == 0 {
		return keychain.Providers(), nil
	}
	var chosen []keychain.Provider
	for _, name := range names {
		p, err := keychain.FindProvider(name)
		if err != nil {
			return nil, &exit{code: exitUsage, err: err, hint: "docs/keychain.md explains each member of a provider"}
		}
		chosen = append(chosen, p)
	}
	return chosen, nil
}

func listProviders(w io.Writer, all []keychain.Provider) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tJOIN\tESCROW\tBACKED UP\tDELETED\tTITLE")
	for _, p := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.Name, joined(p.Join), escrowRule(p), p.BackedUp, deletionRule(p), p.Title)
	}
	return t.Flush()
}

func explainProviders(w io.Writer, all []keychain.Provider) error {
	for i, p := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n\n%s\n\n", p.Name, p.Title, strings.TrimSpace(p.About))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range [][2]string{
			{"devices join by", joined(p.Join)},
			{"signing in", map[bool]string{true: "password and a code sent to the owner", false: "password"}[p.SecondFactor]},
			{"escrow", escrowRule(p)},
			{"AAGUID", fmt.Sprintf("%s (shown: %s)", p.AAGUID, p.AAGUIDShown)},
			{"backed up (BS)", string(p.BackedUp)},
			{"signature counter", string(p.SignCount)},
			{"conflicts", string(p.Conflicts)},
			{"what is deleted", deletionRule(p)},
			{"signalled as unknown", string(p.Deletion.Signal)},
			{"a removed device", map[keychain.Removal]string{keychain.RemovedKeeps: "keeps what it had", keychain.RemovedWiped: "is wiped once it hears of it"}[p.Removed]},
			{"limits", limits(p.Limits)},
			{"members are told of", cmp.Or(joined(p.Notify), "nothing")},
		} {
			fmt.Fprintf(t, "  %s\t%s\n", row[0], row[1])
		}
		if err := t.Flush(); err != nil {
			return err
		}
		bullets(w, "Sources", p.Sources)
		bullets(w, "Simplified", p.Simplified)
	}
	return nil
}

func bullets(w io.Writer, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for _, line := range lines {
		fmt.Fprintf(w, "  - %s\n", line)
	}
}

func joined[T ~string](all []T) string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return strings.Join(texts, ", ")
}

func escrowRule(p keychain.Provider) string {
	e := p.Escrow
	if !p.Allows(keychain.ByEscrow) {
		return "none"
	}
	secret := string(e.Secret)
	if e.Digits > 0 {
		secret = fmt.Sprintf("%s of %d digits", secret, e.Digits)
	}
	switch e.AtEnd {
	case keychain.Never:
		return secret + ", guessed at will"
	case keychain.Locked:
		return fmt.Sprintf("%s, %d tries, then locked for %s minutes", secret, e.Tries, strings.Trim(strings.ReplaceAll(fmt.Sprint(e.LockMinutes), " ", ", "), "[]"))
	}
	return fmt.Sprintf("%s, %d tries, then %s", secret, e.Tries, e.AtEnd)
}

func deletionRule(p keychain.Provider) string {
	if p.Deletion.KeepDays == 0 {
		return "gone at once"
	}
	return fmt.Sprintf("restorable for %d days", p.Deletion.KeepDays)
}

func limits(l keychain.Limits) string {
	var all []string
	for _, one := range []struct {
		n    uint
		what string
	}{{l.Devices, "devices"}, {l.Contacts, "recovery contacts"}, {l.Passkeys, "passkeys"}} {
		if one.n > 0 {
			all = append(all, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}
