package commandline

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// program has a command with flags and one argument, and a group of commands.
func program() *cobra.Command {
	root := &cobra.Command{Use: "prog", SilenceErrors: true, SilenceUsage: true, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	run := &cobra.Command{Use: "run FILE", Args: cobra.ExactArgs(1), RunE: func(*cobra.Command, []string) error { return nil }}
	run.Flags().Uint64("seed", 0, "")
	run.Flags().Duration("wait", time.Second, "")
	group := &cobra.Command{Use: "rack"}
	group.AddCommand(&cobra.Command{Use: "list", RunE: func(*cobra.Command, []string) error { return nil }})
	root.AddCommand(run, group)
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	Strict(root, func(c *cobra.Command, err error) error { return fmt.Errorf("%s| %w", c.CommandPath(), err) })
	return root
}

func TestStrict(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string // empty where nothing is wrong
	}{
		{[]string{"run", "x", "--seed", "7"}, ""},
		{[]string{"rack"}, ""},
		{[]string{"help", "rack", "list"}, ""},
		{[]string{"completion", "bash"}, ""},
		{[]string{"rnu"}, `prog| prog has no command "rnu"; did you mean "run"?`},
		{[]string{"rack", "lsit"}, `prog rack| prog rack has no command "lsit"; did you mean "list"?`},
		{[]string{"rack", "list", "x"}, `prog rack list| prog rack list: unexpected argument "x"`},
		{[]string{"help", "rnu"}, `prog help| prog has no command "rnu"; did you mean "run"?`},
		{[]string{"completion", "csh"}, `prog completion| prog completion has no command "csh"; did you mean "zsh"?`},
		{[]string{"run"}, "prog run| prog run: an argument is missing; it is used as: prog run FILE"},
		{[]string{"run", "a", "b"}, "prog run| prog run: arguments given: 2; it is used as: prog run FILE"},
		{[]string{"run", "x", "--sed", "7"}, "prog run| unknown flag: --sed; did you mean --seed?"},
		{[]string{"run", "x", "--seed", "-7"}, `prog run| --seed "-7": a whole number, not below 0, is wanted`},
		{[]string{"run", "x", "--wait", "soon"}, `prog run| --wait "soon": a length of time is wanted, such as 500ms, 10s or 2m`},
	} {
		root := program()
		root.SetArgs(c.args)
		got := ""
		if err := root.Execute(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.args, got, c.want)
		}
	}
}
