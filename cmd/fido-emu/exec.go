package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
)

// addressVariable is the environment variable that tells a command where its first
// key is.
const addressVariable = "FIDO_EMU_ADDRESS"

// The exit codes of a command that cannot be started, as shells have them.
const (
	exitCannotRun = 126
	exitNotFound  = 127
	exitSignal    = 128 // plus the signal
)

type execFlags struct {
	keyFlags
	quiet bool
	lab   labFlags
	robot automationFlags
}

func execCommand() *cobra.Command {
	var f execFlags
	c := &cobra.Command{
		Use:   "exec [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a command with a key plugged in",
		Long: "The key is there while the command runs, and gone afterwards. The exit code is the command's: 127 when it\n" +
			"is not found, 126 when it cannot be run, 128 and the signal when one ended it. Signals are passed on.\n" +
			"In the command's environment " + control.Variable + " is the socket by which it can handle the key, with\n" +
			"'fido-emu touch' for instance, " + addressVariable + " is where the key is, and " + automationVariable + " the\n" +
			"address of --automation.\n\n" +
			"Without --transport and --lab, the first of uhid, USB/IP and the lab is taken that works here. The lab\n" +
			"is a kernel of its own that needs no privileges; of files, only what is in the working directory is\n" +
			"changed for good there, and there is no network.",
		Example: "  fido-emu exec --profile yubikey-5 -- fido2-token -L\n" +
			"  fido-emu exec --lab -- ssh-keygen -t ed25519-sk -N '' -f key\n" +
			"  fido-emu exec --lab --automation localhost:3000 -- pytest tests/device --controller http://localhost:3000",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	c.Flags().SetInterspersed(false)
	f.add(c)
	f.lab.add(c)
	f.robot.add(c)
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "do not say where the key is")
	return c
}

func (f *execFlags) run(c *cobra.Command, args []string) error {
	if err := f.robot.adapt(c, &f.keyFlags); err != nil {
		return err
	}
	name, configs, err := f.configs(c)
	if err != nil {
		return err
	}
	if f.lab.wanted != noTier {
		return f.lab.run(c, args)
	}
	if why := f.whyLab(configs); why != "" {
		if !f.quiet {
			fmt.Fprintf(c.ErrOrStderr(), "fido-emu: running in the lab: %s\n", why)
		}
		return f.lab.run(c, args)
	}
	if !c.Flags().Changed("name") {
		name = fmt.Sprintf("%s-%d", name, os.Getpid()) // several may run at once
	}
	ctx := context.WithoutCancel(c.Context()) // the command ends it, and signals go to the command
	signals := catchSignals()
	defer signal.Stop(signals)
	r, err := bringUp(ctx, name, configs, c.ErrOrStderr())
	if err != nil {
		return err
	}
	err = r.automate(f.robot, c.ErrOrStderr())
	if err == nil && !f.quiet {
		err = r.announce(prefixed{c.ErrOrStderr()}, false)
	}
	if err == nil {
		err = r.command(c, args, signals)
	}
	if downErr := r.down(); downErr != nil {
		return errors.Join(err, downErr)
	}
	return err
}

// whyLab says why the lab is taken, empty when it is not: no transport was chosen,
// none works by itself, and there is a lab.
func (f *execFlags) whyLab(configs []emulator.Config) string {
	for _, c := range configs {
		if c.Transport.Kind != emulator.Auto {
			return ""
		}
	}
	var missing []string
	for _, way := range emulator.Survey() {
		if way.Automatic && way.Err == nil {
			return ""
		}
		if way.Automatic {
			missing = append(missing, way.Err.Error())
		}
	}
	if f.lab.missing() != nil {
		return ""
	}
	return strings.Join(missing, "; ")
}

// catchSignals takes the signals that are passed on. One that a terminal sends goes
// to the command by itself.
func catchSignals() chan os.Signal {
	all := []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}
	signals := make(chan os.Signal, 8)
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		all = append(all, syscall.SIGINT, syscall.SIGQUIT)
	}
	signal.Notify(signals, all...)
	return signals
}

// command runs a command beside the keys and returns its exit code as an error.
func (r *running) command(c *cobra.Command, args []string, signals <-chan os.Signal) error {
	keys, err := r.statuses()
	if err != nil {
		return err
	}
	child := exec.Command(args[0], args[1:]...)
	child.Stdin, child.Stdout, child.Stderr = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
	child.Env = append(os.Environ(), control.Variable+"="+r.socket.Path, addressVariable+"="+keys[0].Address)
	if r.automation != "" {
		child.Env = append(child.Env, automationVariable+"="+r.automation)
	}
	if err := child.Start(); err != nil {
		code := exitCannotRun
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = exitNotFound
		}
		return codeError{code, fmt.Errorf("cannot run %s: %w", args[0], err)}
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case s := <-signals:
				_ = child.Process.Signal(s) // to one that may have ended
			case <-ended:
				return
			}
		}
	}()
	return exitOf(child.Wait())
}

// exitOf makes the end of a command one of this program.
func exitOf(err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return codeError{exitSignal + int(status.Signal()), nil}
	}
	return codeError{exit.ExitCode(), nil}
}
