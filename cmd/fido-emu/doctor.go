package main

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
	"fido-emu/fixtures/lab"
	"fido-emu/tpmsim"
)

// finding is one thing that doctor looked at.
type finding struct {
	Name    string `json:"name"`
	Works   bool   `json:"works"`
	About   string `json:"about"`
	Missing string `json:"missing,omitempty"` // and what grants it
}

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say which ways to show a key work here, and what grants those that do not",
		Long:  "Exits with 3 when no way works by which other programs see a key: neither uhid, nor USB/IP, nor the lab.",
		RunE: func(c *cobra.Command, _ []string) error {
			all, visible := examine(c)
			if asJSON {
				if err := printJSON(c.OutOrStdout(), all); err != nil {
					return err
				}
			} else if err := printFindings(c.OutOrStdout(), all); err != nil {
				return err
			}
			if !visible {
				return codeError{exitBench, errors.New("no way works here by which other programs see a key; one of the hints above grants one")}
			}
			return nil
		},
	}
	addJSON(c, &asJSON)
	return c
}

// examine looks at everything; visible tells whether other programs can see a key.
func examine(c *cobra.Command) (all []finding, visible bool) {
	for _, w := range emulator.Survey() {
		all = append(all, report(string(w.Kind), w.About, w.Err))
		visible = visible || w.Automatic && w.Err == nil
	}
	kernel, err := lab.FindKernel()
	about := "a kernel of its own for 'fido-emu exec --lab', without privileges"
	if err == nil {
		about += ": " + kernel
		visible = true
	}
	all = append(all, report("lab", about, err))
	_, err = lab.FindMachine()
	all = append(all, report("qemu", "a machine in software with a stock kernel, a hub and a serial port for 'fido-emu exec --lab=qemu'", err))
	dir, err := control.Dir()
	all = append(all, report("control", "the directory of the control sockets: "+dir, err))
	return append(all, report("tpm", "a simulated TPM, for profiles that keep keys in one", tpmWorks(c))), visible
}

func report(name, about string, err error) finding {
	f := finding{Name: name, Works: err == nil, About: about}
	if err != nil {
		f.Missing = err.Error()
	}
	return f
}

// tpmWorks tells why no TPM can be simulated, nil when one can.
func tpmWorks(c *cobra.Command) error {
	tpm, err := tpmsim.Open(c.Context(), tpmsim.Options{})
	if err == nil {
		return tpm.Close()
	}
	if _, lookErr := exec.LookPath("swtpm"); lookErr == nil {
		return nil
	}
	return fmt.Errorf("%w; build with cgo, or install swtpm: sudo apt-get install swtpm", err)
}

func printFindings(w io.Writer, all []finding) error {
	fmt.Fprintf(w, "%s on %s\n", runtime.GOOS, runtime.GOARCH)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range all {
		state := "works"
		if !f.Works {
			state = "missing"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Name, state, f.About)
		if f.Missing != "" {
			fmt.Fprintf(t, "\t\t%s\n", f.Missing)
		}
	}
	return t.Flush()
}
