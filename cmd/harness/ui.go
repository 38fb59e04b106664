package main

// The rules of the interface:
//
//   - Results go to standard output, everything else to standard error. With --json,
//     standard output holds JSON and nothing else.
//   - An error says what failed, where, and what to do about it; it is one line, with
//     a hint on a second where there is one.
//   - What takes longer than two seconds shows that it goes on.
//   - Nothing is asked: every command can run unattended, but for real keys, which
//     have to be touched; what a hand is to do stands behind >>> on standard error.
//   - Secrets come from files or the environment, never from the command line, and
//     are never printed, but for an administrator's token that was made up for one
//     run and that nobody could know otherwise.
//   - What listens, listens on loopback unless told otherwise.
//   - Exit codes: 0 all passed; 1 something failed; 2 wrong usage, or a scenario
//     file that is not in order; 3 a fault of the bench or of the harness; 4 no
//     device to run on.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"fido-emu/cmd/commandline"
	"fido-emu/report"
	"fido-emu/scenarios/language"
)

// The exit codes.
const (
	exitPassed   = 0
	exitFailed   = 1
	exitUsage    = 2
	exitBench    = 3
	exitNoDevice = 4
)

// ui is where a command reads and writes.
type ui struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// exit is an error with the exit code that it stands for.
type exit struct {
	code int
	err  error // nil where all has been said
	hint string
}

// Error returns what went wrong.
func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns what went wrong.
func (e *exit) Unwrap() error { return e.err }

func usage(hint, format string, args ...any) error {
	return &exit{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, u ui) int {
	root := rootCommand(u)
	root.SetArgs(args)
	root.SetIn(u.in)
	root.SetOut(u.out)
	root.SetErr(u.err)
	return u.explain(root.ExecuteContext(ctx))
}

// explain prints an error and returns its exit code.
func (u ui) explain(err error) int {
	if err == nil {
		return exitPassed
	}
	if problems, ok := errors.AsType[language.Problems](err); ok {
		fmt.Fprintln(u.err, problems)
		return exitUsage
	}
	e, ok := errors.AsType[*exit](err)
	if !ok {
		e = &exit{code: exitBench, err: err}
	}
	if e.err != nil {
		fmt.Fprintln(u.err, "harness:", e.err)
	}
	if e.hint != "" {
		fmt.Fprintln(u.err, "hint:", e.hint)
	}
	return e.code
}

// printJSON writes a value as indented JSON.
func (u ui) printJSON(v any) error {
	e := json.NewEncoder(u.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// console returns the sink that shows a run to people. Where a person is asked to do
// something, lines stay as they are, so that none is erased.
func (u ui) console(reports func() []string, verbose, asking bool) *report.Console {
	o := report.ConsoleOptions{}
	if f, ok := u.out.(*os.File); ok {
		o = report.DetectConsole(f, u.getenv)
	}
	o.Reports, o.Verbose = reports, verbose
	o.Terminal = o.Terminal && !asking
	return report.NewConsole(u.out, o)
}

func rootCommand(u ui) *cobra.Command {
	root := &cobra.Command{
		Use:   "harness",
		Short: "Drive passkeys through their whole life, and see what holds",
		Long: "harness runs scenarios: files that tell, step by step, the life of a passkey, from its\n" +
			"registration to loss and recovery, and what should come of each step. Authenticators are\n" +
			"emulated, or real keys (run --device); the relying party is built in, and every message\n" +
			"is in the report.\n\n" +
			"Begin with: harness run",
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(runCommand(u), listCommand(u), devicesCommand(u), benchCommand(u), explainCommand(u), validateCommand(u), schemaCommand(u),
		rpCommand(u), keychainCommand(u), identityCommand(u), conformCommand(u), auditCommand(u), reportCommand(u), doctorCommand(u), versionCommand(u))
	_ = complete(root) // fails only for a command or a flag that is not there, which TestCompletions looks for
	commandline.Strict(root, func(c *cobra.Command, err error) error {
		return usage(c.CommandPath()+" --help tells how it is used", "%w", err)
	})
	return root
}

// group makes a command that only has others beneath it.
func group(name, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(commands...)
	return c
}
