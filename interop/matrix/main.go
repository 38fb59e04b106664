// Command matrix fetches the servers of package interop, runs every scenario with every
// authenticator profile at each, prints the matrix, and writes it as JSON and HTML. It
// exits 1 when a cell did not pass for no reason that is known, 2 when the bench is at
// fault.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"fido-emu/interop"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	bad, err := run(ctx)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case bad:
		os.Exit(1)
	}
}

func run(ctx context.Context) (bad bool, err error) {
	flags := flag.NewFlagSet("matrix", flag.ExitOnError) // of its own: packages that are linked in add theirs to the common one
	cache := flags.String("cache", "bin/interop", "folder for what is fetched")
	out := flags.String("reports", "reports/interop", "folder for matrix.json and matrix.html")
	only := flags.String("targets", "", "names of servers, with commas; all when empty")
	profiles := flags.String("profiles", "", "authenticator profiles, with commas; all when empty")
	_ = flags.Parse(os.Args[1:]) // which ends the program where the flags are wrong
	targets, err := choose(*only)
	if err != nil {
		return false, err
	}
	for _, t := range targets {
		if err := fetch(ctx, t, *cache); err != nil {
			return false, err
		}
	}
	o := interop.Options{Root: ".", Cache: *cache, Targets: targets, Now: time.Now(), Progress: func(s interop.Standing, attestation string) {
		fmt.Printf("Running %s %s, attestation %s.\n", s.Library, s.Version, attestation)
	}}
	if *profiles != "" {
		o.Profiles = strings.Split(*profiles, ",")
	}
	m, err := interop.Run(ctx, o)
	if err != nil {
		return false, err
	}
	fmt.Println()
	if err := errors.Join(m.WriteText(os.Stdout), m.Save(*out)); err != nil {
		return false, err
	}
	return len(m.Bad()) > 0, nil
}

// fetch brings a server. One that cannot be had is left out of the run, which says so.
func fetch(ctx context.Context, t interop.Target, cache string) error {
	fmt.Printf("Fetching %s %s (%s).\n", t.Library, t.Version, t.Registry)
	err := t.Bring(ctx, ".", cache)
	if absent, ok := errors.AsType[*interop.Absent](err); ok {
		fmt.Println(absent)
		return nil
	}
	return err
}

func choose(names string) ([]interop.Target, error) {
	if names == "" {
		return interop.Targets(), nil
	}
	var chosen []interop.Target
	for _, name := range strings.Split(names, ",") {
		found := false
		for _, t := range interop.Targets() {
			if t.Name == name {
				chosen, found = append(chosen, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no server is called %q", name)
		}
	}
	return chosen, nil
}
