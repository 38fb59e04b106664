// Package commandline says what is wrong with a command line: what was written, what was
// probably meant, and how the command is used. Both programs take it from here.
package commandline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fido-emu/grammar"
)

// Strict makes wrong flags and arguments errors, in a program's every command. wrong turns
// what is said of one into the error of the program.
func Strict(root *cobra.Command, wrong func(c *cobra.Command, err error) error) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(root.Name())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return wrong(c, flag(c, err)) })
	arguments(root, wrong)
}

// arguments has a command, and those below it, check what it is given.
func arguments(c *cobra.Command, wrong func(c *cobra.Command, err error) error) {
	check := counted(c.Args)
	switch {
	case c.Name() == "help" && c.Parent() == c.Root():
		check = known
	case c.HasSubCommands() && !c.Runnable():
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		check = none
	case c.Args == nil || c.HasSubCommands():
		check = none
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return wrong(c, err)
		}
		return nil
	}
	for _, sub := range c.Commands() {
		arguments(sub, wrong)
	}
}

// counted says of a wrong number of arguments how the command is used.
func counted(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check == nil || check(c, args) == nil {
			return nil
		}
		use := strings.TrimSuffix(c.UseLine(), " [flags]")
		if len(args) == 0 {
			return fmt.Errorf("%s: an argument is missing; it is used as: %s", c.CommandPath(), use)
		}
		return fmt.Errorf("%s: arguments given: %d; it is used as: %s", c.CommandPath(), len(args), use)
	}
}

// none refuses arguments, with the command that was probably meant.
func none(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(append(names, sub.Name()), sub.Aliases...)
	}
	if names == nil {
		return fmt.Errorf("%s: unexpected argument %q", c.CommandPath(), args[0])
	}
	return fmt.Errorf("%s has no command %q%s", c.CommandPath(), args[0], meant(args[0], names))
}

// known is for the command help: its arguments are a command.
func known(c *cobra.Command, args []string) error {
	of, rest, err := c.Root().Find(args)
	if err == nil {
		err = none(of, rest)
	}
	return err
}

// flag says what is wrong with a flag.
func flag(c *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("--%s %q: %s", e.GetFlag().Name, e.GetValue(), cause(e))
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok && len(e.GetSpecifiedName()) > 1 {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := grammar.Nearest(e.GetSpecifiedName(), names); near != "" {
			return fmt.Errorf("%w; did you mean --%s?", err, near)
		}
	}
	return err
}

// kinds says in words what values flags of a type take.
var kinds = map[string]string{
	"int": "a whole number is wanted", "uint64": "a whole number, not below 0, is wanted", "float64": "a number is wanted",
	"duration": "a length of time is wanted, such as 500ms, 10s or 2m", "bool": "true or false is wanted",
}

// cause says why a value does not do.
func cause(e *pflag.InvalidValueError) string {
	if kind, ok := kinds[e.GetFlag().Value.Type()]; ok {
		return kind
	}
	return e.Unwrap().Error()
}

// meant asks whether one of names was meant.
func meant(word string, names []string) string {
	if near := grammar.Nearest(word, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
