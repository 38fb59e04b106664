// Package doctest holds the documentation against the programs that it tells of: the
// command lines that it prints are those of commands and flags that exist. Its own test
// holds links, paths and targets of make against the tree.
package doctest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// line is a command line that the documentation shows.
type line struct {
	at    string // file and line, or the command whose help it is
	args  []string
	whole bool // it has all its arguments; a command that a sentence names may lack some
}

// Commands tries every command line of a program that README.md, docs and the program's own
// examples show. top is the path to the module, root makes the program anew.
func Commands(t *testing.T, top string, root func() *cobra.Command) {
	t.Helper()
	lines := examples(root())
	for _, file := range pages(t, top) {
		lines = append(lines, inPage(t, file, root().Name())...)
	}
	if len(lines) == 0 {
		t.Fatalf("no page shows a command of %s", root().Name())
	}
	for _, l := range lines {
		if err := l.try(root()); err != nil {
			t.Errorf("%s: %s %s: %v", l.at, root().Name(), strings.Join(l.args, " "), err)
		}
	}
}

// try goes as far as a program does before it runs a command.
func (l line) try(root *cobra.Command) error {
	c, rest, err := root.Find(l.args)
	if err != nil {
		return err
	}
	c.InitDefaultHelpFlag()
	if err := c.ParseFlags(rest); err != nil && (l.whole || !strings.HasPrefix(err.Error(), "flag needs an argument")) {
		return err
	}
	if l.whole || c.HasSubCommands() {
		return c.ValidateArgs(c.Flags().Args())
	}
	return nil
}

// pages are the files of the documentation.
func pages(t *testing.T, top string) (files []string) {
	t.Helper()
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/examples/*"} {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no page: %v", pattern, err)
		}
		files = append(files, found...)
	}
	return files
}

// code is what stands in backquotes in a sentence.
var code = regexp.MustCompile("`([^`]+)`")

// inPage finds the command lines of a program in a page: in blocks, where a line may go on
// behind a backslash, and in sentences.
func inPage(t *testing.T, file, program string) (lines []line) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block := filepath.Ext(file) != ".md"
	before := ""
	for i, l := range strings.Split(string(text), "\n") {
		at := file + ":" + strconv.Itoa(i+1)
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			block = !block
			continue
		}
		if goesOn := strings.HasSuffix(l, `\`); block && goesOn {
			before += strings.TrimSuffix(l, `\`)
			continue
		}
		if block {
			lines = append(lines, calls(at, before+l, program, true)...)
			before = ""
			continue
		}
		for _, m := range code.FindAllStringSubmatch(l, -1) {
			lines = append(lines, calls(at, m[1], program, false)...)
		}
	}
	return lines
}

// examples are the command lines in the help of all commands.
func examples(c *cobra.Command) (lines []line) {
	for _, l := range strings.Split(c.Example, "\n") {
		lines = append(lines, calls("help of "+c.CommandPath(), l, c.Root().Name(), true)...)
	}
	for _, sub := range c.Commands() {
		lines = append(lines, examples(sub)...)
	}
	return lines
}

// words are those of a shell, as far as the documentation uses them.
var words = regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)

// leading is what may stand before a program.
var leading = regexp.MustCompile(`^([$]|sudo|run:|[A-Z_]+=.*)$`)

// called tells whether a word is a program: its name, or a file in a folder bin.
func called(word, program string) bool {
	dir := path.Base(path.Dir(word))
	return path.Base(word) == program && (dir == "." || dir == "bin")
}

// calls finds what a line calls a program with.
func calls(at, text, program string, whole bool) (lines []line) {
	var args []string
	flush := func() {
		for len(args) > 0 && leading.MatchString(args[0]) {
			args = args[1:]
		}
		if len(args) > 0 && called(args[0], program) && (whole || len(args) > 1) {
			lines = append(lines, line{at: at, args: args[1:], whole: whole})
		}
		args = nil
	}
	for _, w := range words.FindAllString(text, -1) {
		if strings.HasPrefix(w, "#") {
			break
		}
		switch {
		case slices.Contains([]string{"|", "&&", ";", "||"}, w):
			flush()
		case strings.HasPrefix(w, ">"): // where output goes
		case w == "…" && (len(args) == 0 || !strings.HasPrefix(args[len(args)-1], "--")): // what is left out
		case strings.Contains(w, "/*"): // several files
			args = append(args, w, w)
		default:
			args = append(args, strings.Trim(w, `'"`))
		}
	}
	flush()
	return lines
}
