package main

import (
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// How wide lines for people are, in characters: as the terminal, up to what eyes follow.
const (
	pageWidth   = 110 // where there is no terminal
	widestLines = 130
)

// page writes text for people.
func (u ui) page(text string) error {
	_, err := io.WriteString(u.out, folded(text, u.width()))
	return err
}

// width is that of the terminal, also where the output goes through a pager.
func (u ui) width() int {
	for _, w := range []io.Writer{u.out, u.err} {
		f, ok := w.(*os.File)
		if !ok {
			continue
		}
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return min(columns, widestLines)
		}
	}
	return pageWidth
}

// folded breaks lines that are longer than width between words. What is broken off goes on
// below where the last column of the line began.
func folded(text string, width int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for utf8.RuneCountInString(line) > width+1 { // with its end
			at, indent := breakAt(line, width)
			if at < 0 {
				break
			}
			b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
			line = strings.Repeat(" ", indent) + strings.TrimLeft(line[at:], " ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// breakAt returns the last space of a line before width, and where its last column begins;
// -1 where there is no such space in that column. Columns are apart by two spaces or more.
func breakAt(line string, width int) (at, indent int) {
	indent = len(line) - len(strings.TrimLeft(line, " "))
	if gap := strings.LastIndex(strings.TrimRight(line, " \n"), "  "); gap >= 0 && gap+2 < width*2/3 {
		indent = max(indent, gap+2)
	}
	at, runes := -1, 0
	for i, r := range line {
		if runes++; runes > width+1 {
			break
		}
		if r == ' ' && i > indent {
			at = i
		}
	}
	return at, indent
}
