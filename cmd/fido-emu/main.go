// Command fido-emu is an authenticator in software.
//
// The rules of its interface: results go to standard output and everything else to
// standard error; --json prints the same as JSON; an error says what to do about it.
// Exit codes are 0 for success, 1 for what failed, 2 for wrong usage, 3 for what is
// missing or broken on this computer, and 4 for a key or emulator that is not there.
// There are no colours.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"fido-emu/cmd/commandline"
	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
	"fido-emu/fixtures/lab"
	"fido-emu/fixtures/lab/qemu"
	"fido-emu/state"
	"fido-emu/tpmsim"
)

func main() {
	lab.Init() // in the lab this program is process 1, and does not return from here
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitBench    = 3
	exitNoDevice = 4
)

// usageError is a command line that does not make sense.
type usageError struct{ error }

// codeError ends the program with an exit code of its own, without a message when
// there is no error.
type codeError struct {
	code int
	err  error
}

// Error returns the text of the error, or else the code.
func (c codeError) Error() string {
	if c.err == nil {
		return fmt.Sprintf("exit code %d", c.code)
	}
	return c.err.Error()
}

// Unwrap returns the error, nil where there is only a code.
func (c codeError) Unwrap() error { return c.err }

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := command()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if c, ok := err.(codeError); !ok || c.err != nil {
		fmt.Fprintln(errOut, "fido-emu:", err)
	}
	return exitCode(err)
}

// exitCode finds the exit code for an error.
func exitCode(err error) int {
	if c := (codeError{}); errors.As(err, &c) {
		return c.code
	}
	if errors.As(err, &usageError{}) {
		return exitUsage
	}
	for _, missing := range []error{control.ErrNotRunning, emulator.ErrNoKey, emulator.ErrNoState} {
		if errors.Is(err, missing) {
			return exitNoDevice
		}
	}
	for _, broken := range []error{emulator.ErrUnavailable, lab.ErrNoKernel, lab.ErrTimeout, qemu.ErrNone, tpmsim.ErrUnavailable, control.ErrRunning, state.InUse, state.Damaged, state.Truncated, state.DiskFull} {
		if errors.Is(err, broken) {
			return exitBench
		}
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok && file.Op != "open" { // it cannot be made or written
		return exitBench
	}
	if refusal, ok := errors.AsType[*control.Error](err); ok {
		switch refusal.Code {
		case control.CodeNoKey:
			return exitNoDevice
		case control.CodeUnavailable:
			return exitBench
		case control.CodeBadRequest:
			return exitUsage
		}
	}
	return exitFailed
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "fido-emu",
		Short: "An authenticator in software",
		Long: "fido-emu is a FIDO authenticator that exists only in software: operating systems, browsers and\n" +
			"tools take it for a security key, with keys in software, in a simulated TPM or on a mock sync keychain.",
		Example: "  fido-emu up --profile yubikey-5                  # a key, until Ctrl-C\n" +
			"  fido-emu exec --lab -- fido2-token -L             # a key while a command runs, without privileges",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run keys:"}, &cobra.Group{ID: "handle", Title: "Handle running keys:"}, &cobra.Group{ID: "look", Title: "Look:"})
	root.AddCommand(grouped("run", upCommand(), execCommand(), downCommand(), exchangeCommand())...)
	root.AddCommand(grouped("handle", touchCommand(), denyCommand(), fingerCommand(), unplugCommand(), plugCommand(), powerCycleCommand(),
		loseCommand(), credentialsCommand(), snapshotCommand(), restoreCommand(), cloneCommand())...)
	root.AddCommand(grouped("look", statusCommand(), traceCommand(), profilesCommand(), metadataCommand(), doctorCommand(), versionCommand())...)
	commandline.Strict(root, func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see '%s --help'", err, c.CommandPath())}
	})
	return root
}

func grouped(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.GroupID = id
	}
	return commands
}
