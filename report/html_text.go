package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
)

var htmlMarks = map[Outcome]string{
	Passed: "✓", Failed: "✗", Error: "!", Timeout: "◷", Aborted: "·", Skipped: "–",
}

func outcomeMark(o Outcome) string { return htmlMarks[o] }

// size says how long a message is.
func size(h HexBytes) string {
	if len(h) < 10_000 {
		return plural(len(h), "byte")
	}
	return fmt.Sprintf("%d kB", len(h)/1000)
}

// visible shows control characters as pictures (U+2400 ff.) and other invisible
// characters, such as those that turn the direction of writing, as U+FFFD.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20:
			return 0x2400 + r
		case r == ' ' || unicode.IsPrint(r):
			return r
		}
		return '\uFFFD'
	}, s)
}

// lines is [visible] for text of several lines.
func lines(s string) string {
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		parts[i] = visible(p)
	}
	return strings.Join(parts, "\n")
}

// brief is [span], and nothing for what took no time.
func brief(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return span(d)
}

// maxIndent is the deepest indentation that the style sheet knows.
const maxIndent = 9

// tree draws decoded fields as lines of text, the names marked up: a message has
// many fields, and lines keep the page small.
func tree(fields []Field) template.HTML {
	var b strings.Builder
	drawTree(&b, fields, 0)
	return template.HTML(b.String()) // every string went through HTMLEscapeString
}

func drawTree(b *strings.Builder, fields []Field, depth int) {
	for _, f := range fields {
		tag := "b"
		if f.Name == "malformed" {
			tag = "em"
		}
		fmt.Fprintf(b, "<div class=d%d>%s<%s>%s</%s>", min(depth, maxIndent), strings.Repeat("  ", min(depth, maxIndent)),
			tag, template.HTMLEscapeString(visible(f.Name)), tag)
		if f.Value != "" {
			b.WriteString(" " + template.HTMLEscapeString(visible(f.Value)))
		}
		b.WriteString("</div>")
		drawTree(b, f.Fields, depth+1)
	}
}

// pretty indents JSON.
func pretty(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return visible(string(raw))
	}
	return lines(b.String())
}
