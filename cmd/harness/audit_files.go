package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fido-emu/fixtures/bench"
	"fido-emu/report"
	auditreport "fido-emu/report/audit"
	"fido-emu/rp/audit"
	"fido-emu/rp/audit/double"
)

// writeAudit writes all forms of a report into a folder.
func writeAudit(dir string, r *audit.Report, failed error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		"audit.html":  func(w io.Writer) error { return auditreport.WriteHTML(w, r, failed) },
		"audit.json":  func(w io.Writer) error { return auditreport.WriteJSON(w, r) },
		"audit.xml":   func(w io.Writer) error { return auditreport.WriteJUnit(w, r) },
		"audit.sarif": func(w io.Writer) error { return auditreport.WriteSARIF(w, r, version(), failed == nil) },
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file that only its owner reads.
func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// colours tells whether the output has colours.
func (u ui) colours() bool {
	file, ok := u.out.(*os.File)
	return ok && report.DetectConsole(file, u.getenv).Colour
}

// auditMutants attacks relying parties with one step left out each.
func (u ui) auditMutants(ctx context.Context, verbose bool) error {
	found, allowed, done, total := 0, 0, 0, len(double.Mutants())
	progress := func(f double.Found) {
		done++
		switch {
		case len(f.By) == 0:
			fmt.Fprintf(u.out, "SURVIVED  %s (%s: %s)\n", f.Name, f.Step.Rule(), f.Step.Says)
		case verbose:
			fmt.Fprintf(u.out, "found     %s (%s) by %s\n", f.Name, f.Step.Rule(), strings.Join(f.By, ", "))
		case done%20 == 0:
			fmt.Fprintf(u.out, "%d of %d\n", done, total)
		}
		if len(f.By) > 0 {
			found++
			if f.Tolerated {
				allowed++
			}
		}
	}
	start := time.Now()
	random := func() io.Reader { return bench.NewRand(auditSeed) }
	_, err := double.Score(ctx, random, func() time.Time { return start }, progress)
	if err != nil {
		return &exit{code: exitBench, err: err}
	}
	fmt.Fprintf(u.out, "%d of the steps are such as the standard lets sites leave out: the audit says tolerated\n", allowed)
	fmt.Fprintf(u.out, "%d of %d mutants found\n", found, total)
	if found < total {
		return &exit{code: exitFailed}
	}
	return nil
}
