package main

import "testing"

// TestFolded: what is broken off goes on in its column, and words that are too long stay
// whole.
func TestFolded(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"short":      {"as it is\n", "as it is\n"},
		"plain":      {"one two three four five six\n", "one two three four\nfive six\n"},
		"indented":   {"    one two three four five\n", "    one two three\n    four five\n"},
		"columns":    {"  id  3  one two three four\n", "  id  3  one two\n         three four\n"},
		"exactly":    {"one two three four 20\nx\n", "one two three four\n20\nx\n"},
		"fits":       {"one two three four 2\n", "one two three four 2\n"},
		"long word":  {"  x  abcdefghijklmnopqrstuvwxyz\n", "  x  abcdefghijklmnopqrstuvwxyz\n"},
		"characters": {"ä ö ü ä ö ü ä ö ü ß\n", "ä ö ü ä ö ü ä ö ü ß\n"},
		"no end":     {"one two three four five", "one two three four\nfive"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := folded(c.text, 20); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}
