package report

import (
	"html/template"
	"time"
)

// Style returns the style sheet of the page that [WriteHTML] writes, for pages that
// are to look like it.
func Style() string { return pageCSS }

// Tree draws decoded fields as that page does, for a pre element.
func Tree(fields []Field) template.HTML { return tree(fields) }

// Policy returns the content security policy of a page that has one style element and
// one script element, and nothing else that loads or runs.
func Policy(style, script string) string {
	return "default-src 'none'; img-src 'self'; style-src " + policyHash(style) + "; script-src " + policyHash(script) +
		"; base-uri 'none'; form-action 'none'"
}

// Visible returns text with what cannot be seen made visible, line ends apart.
func Visible(s string) string { return lines(s) }

// Span says how long something took, in three figures or so.
func Span(d time.Duration) string { return span(d) }
