// Command benchmarks measures what the project promises about its cost and prints
// a table: each operation beside a floor, which is the least that anybody could do
// for it, measured in the same run and in turn with it, so that the ratio holds
// while the machine's speed does not.
//
//	go run ./benchmarks [--json] [--quick]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	asJSON := flag.Bool("json", false, "print the rows as JSON")
	quick := flag.Bool("quick", false, "measure for a fraction of the time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *asJSON, *quick); err != nil {
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
	{"keychain sync", measureSync},
	{"a whole scenario", measureScenario},
	{"memory", measureMemory},
}

func run(ctx context.Context, asJSON, quick bool) error {
	var rows []row
	for _, g := range groups {
		fmt.Fprintf(os.Stderr, "measuring %s …\n", g.name)
		measured, err := g.measure(ctx, effort{quick})
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
