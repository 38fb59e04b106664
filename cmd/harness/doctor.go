package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/reach"
	"fido-emu/tpmsim"
)

// finding is one thing that doctor looked at.
type finding struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`         // what is there, or why not
	For   string `json:"for"`           // what it is needed for
	Fix   string `json:"fix,omitempty"` // what to do where it is missing
}

func doctorCommand(u ui) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Show what this machine has for running scenarios, and how to get what is missing",
		RunE: func(c *cobra.Command, _ []string) error {
			all := examine(c.Context())
			if asJSON {
				return u.printJSON(all)
			}
			for _, f := range all {
				if err := f.print(u); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (f finding) print(u ui) error {
	mark := "ok     "
	if !f.OK {
		mark = "missing"
	}
	_, err := fmt.Fprintf(u.out, "%s  %-22s %s (%s)\n", mark, f.Name, f.Found, f.For)
	if err == nil && !f.OK {
		_, err = fmt.Fprintf(u.out, "         %-22s %s\n", "", f.Fix)
	}
	return err
}

func examine(ctx context.Context) []finding {
	all := []finding{
		tpm(ctx, tpmsim.Reference, "TPM simulator", "scenarios with a TPM", "sudo apt-get install gcc libssl-dev, and build again with CGO_ENABLED=1"),
		tpm(ctx, tpmsim.Swtpm, "swtpm", "scenarios with a TPM where the simulator is not built in", "sudo apt-get install swtpm"),
		tpm(ctx, tpmsim.Device, tpmsim.DefaultDevice, "run --tpm, with the TPM of this machine", "it is not needed: TPMs are simulated"),
		program("chromium", "looking at the pages of harness rp serve", "sudo apt-get install chromium"),
		reports(),
	}
	for _, name := range reach.Ways() {
		all = append(all, way(name))
	}
	return all
}

// way looks whether devices can be put behind a transport.
func way(name string) finding {
	f := finding{Name: "--via " + name, OK: true, Found: "works", For: "devices behind a transport"}
	w, err := reach.ParseWay(name)
	if err == nil {
		err = w.Check()
	}
	if err != nil {
		f.OK = false
		f.Found, f.Fix, _ = strings.Cut(err.Error(), "; ")
	}
	return f
}

// tpm tries to start a TPM.
func tpm(ctx context.Context, b tpmsim.Backend, name, purpose, fix string) finding {
	f := finding{Name: name, For: purpose, Fix: fix}
	t, err := tpmsim.Open(ctx, tpmsim.Options{Backend: b})
	if err == nil {
		err = t.Close()
	}
	f.OK, f.Found = err == nil, "starts"
	if err != nil {
		_, f.Found, _ = strings.Cut(err.Error(), ": ")
		if !errors.Is(err, tpmsim.ErrUnavailable) {
			f.Fix = "end what uses it"
		}
	}
	return f
}

func program(name, purpose, fix string) finding {
	path, err := exec.LookPath(name)
	if err != nil {
		path = "not on the PATH"
	}
	return finding{Name: name, OK: err == nil, Found: path, For: purpose, Fix: fix}
}

// reports looks whether reports can be written here.
func reports() finding {
	f := finding{Name: "reports", OK: true, Found: "can be written here", For: "harness run", Fix: "harness run --reports FOLDER"}
	dir, err := os.MkdirTemp(".", ".reports-*")
	if err == nil {
		err = os.Remove(dir)
	}
	if err != nil {
		f.OK, f.Found = false, err.Error()
	}
	return f
}
