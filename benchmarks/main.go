// Command benchmarks measures what the project promises about its cost and prints
// a table: each operation beside a floor, which is the least that anybody could do
// for it, measured in the same run and in turn with it, so that the ratio holds
// while the machine's speed does not.
//
//	go build -o bin/ ./benchmarks && bin/benchmarks [--json] [--quick] [--only GROUP]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"fido-emu/fixtures/lab"
)

func main() {
	lab.Init()
	flags := flag.NewFlagSet("benchmarks", flag.ExitOnError) // of its own: packages that are linked in add theirs to the common one
	asJSON := flags.Bool("json", false, "print the rows as JSON")
	only := flags.String("only", "", "measure this group alone")
	quick := flags.Bool("quick", false, "measure for a fraction of the time")
	_ = flags.Parse(os.Args[1:]) // which ends the program where the flags are wrong
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *asJSON, *only, effort{*quick}); err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

// groups are the measurements, in the order of the table.
var groups = []struct {
	name    string
	measure func(context.Context, effort) ([]row, error)
}{
	{"ceremonies, CBOR to CBOR", measureCBOR},
	{"ceremonies, JSON to JSON", measureJSON},
	{"ceremonies, post-quantum", measurePostQuantum},
	{"keychain sync", measureSync},
	{"a whole scenario", measureScenario},
	{"a bench of slots", measureSlots},
	{"CTAPHID over a pipe", measurePipe},
	{"many keys at once", measureRack},
	{uhidGroup, measureUHID},
	{"memory", measureMemory},
}

// names are the names of the groups.
func names() (all []string) {
	for _, g := range groups {
		all = append(all, g.name)
	}
	return all
}

// uhidGroup is the group that this program runs in the lab.
const uhidGroup = "the kernel's way, uhid and hidraw"

func run(ctx context.Context, asJSON bool, only string, e effort) error {
	var rows []row
	if only != "" && !slices.Contains(names(), only) {
		return fmt.Errorf("there is no group %q; the groups are %q", only, names())
	}
	for _, g := range groups {
		if only != "" && g.name != only {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", g.name)
		measured, err := g.measure(ctx, e)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		rows = append(rows, measured...)
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(rows)
	}
	return printTable(os.Stdout, rows)
}
