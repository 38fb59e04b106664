package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fido-emu/fixtures/lab"
	"fido-emu/fixtures/lab/qemu"
)

// labFlags say how a command runs in the lab.
type labFlags struct {
	wanted tier
	memory int64
}

// tier is the kernel that the lab runs; none when empty.
type tier string

const (
	noTier   tier = ""
	umlTier  tier = "uml"  // User Mode Linux
	qemuTier tier = "qemu" // a stock kernel under QEMU
)

// String returns the name of the kernel, as Set takes it.
func (t *tier) String() string { return string(*t) }

// Type is what help calls the value of the flag.
func (t *tier) Type() string { return "kernel" }

// Set reads a name: uml or qemu. The error lists them.
func (t *tier) Set(s string) error {
	switch s {
	case "true", string(umlTier): // --lab=true was the flag when it had no value
		*t = umlTier
	case string(qemuTier):
		*t = qemuTier
	case "false":
		*t = noTier
	default:
		return fmt.Errorf("it is %s or %s", umlTier, qemuTier)
	}
	return nil
}

const (
	labFlag    = "lab"
	memoryFlag = "lab-memory"
	mebibyte   = 1 << 20
)

func (f *labFlags) add(c *cobra.Command) {
	c.Flags().Var(&f.wanted, labFlag, "run the command under a kernel of its own, which needs no privileges: uml, or qemu, a slower one with hub power and serial")
	c.Flags().Lookup(labFlag).NoOptDefVal = string(umlTier)
	c.Flags().Int64Var(&f.memory, memoryFlag, lab.DefaultMemory/mebibyte, "memory of that kernel in MiB; browsers want 3072")
}

// inLab is the environment variable that is set in the lab.
const inLab = "LAB"

// missing tells what the lab lacks, nil when it can be used. There is no lab in the lab.
func (f *labFlags) missing() error {
	if os.Getenv(inLab) != "" {
		return lab.ErrNoKernel
	}
	_, err := lab.FindKernel()
	return err
}

// run runs the whole command line again in the lab, where uhid is.
func (f *labFlags) run(c *cobra.Command, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	again, err := f.again(c)
	if err != nil {
		return err
	}
	machine, err := f.machine()
	if err != nil {
		return err
	}
	code, err := lab.Run(c.Context(), lab.Options{
		Machine: machine,
		Command: slices.Concat([]string{self, "exec"}, again, []string{"--"}, args),
		Memory:  f.memory * mebibyte,
		Stdin:   c.InOrStdin(), Stdout: c.OutOrStdout(), Stderr: c.ErrOrStderr(),
	})
	if err != nil {
		return err
	}
	if code != 0 {
		return codeError{code, nil}
	}
	return nil
}

// machine returns the machine of the tier that has one.
func (f *labFlags) machine() (*qemu.Machine, error) {
	if f.wanted != qemuTier {
		return nil, nil
	}
	return lab.FindMachine()
}

// again returns the flags that were given, for the lab.
func (f *labFlags) again(c *cobra.Command) (flags []string, err error) {
	c.Flags().Visit(func(flag *pflag.Flag) {
		switch flag.Name {
		case labFlag, memoryFlag:
			return
		case "state":
			err = errors.Join(err, keptInLab(flag.Value.String()))
		}
		flags = append(flags, flagTexts(flag)...)
	})
	return flags, err
}

func flagTexts(flag *pflag.Flag) []string {
	values := []string{flag.Value.String()}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	for i, v := range values {
		values[i] = "--" + flag.Name + "=" + v
	}
	return values
}

// keptInLab refuses a state directory whose changes would end with the lab.
func keptInLab(dir string) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if below, err := filepath.Rel(here, path); err != nil || below == ".." || strings.HasPrefix(below, "../") {
		return usageError{fmt.Errorf("--state %s: of what is written in the lab only the working directory is kept; run it in a directory above", dir)}
	}
	return nil
}
