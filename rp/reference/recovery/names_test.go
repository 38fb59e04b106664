package recovery

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if len(f) != 7 {
			t.Fatalf("%q has %d columns, want 7", line, len(f))
		}
		account, verified := Names{f[0], f[1]}, Names{f[2], f[3]}
		t.Run(strings.TrimSpace(f[6]), func(t *testing.T) {
			for c, want := range map[string]string{Exact: f[4], Relaxed: f[5]} {
				if got := Match(c, account, verified); got != (strings.TrimSpace(want) == "yes") {
					t.Errorf("%s: %q against %q: got %v", c, account, verified, got)
				}
				apart := Names{norm.NFD.String(verified.Given), norm.NFD.String(verified.Family)}
				if Match(c, account, apart) != Match(c, account, verified) {
					t.Errorf("%s: how letters are composed counts in %q", c, verified)
				}
			}
		})
	}
}

// TestExactImpliesRelaxed holds for everybody who has a first and a last name in a
// dozen words.
func TestExactImpliesRelaxed(t *testing.T) {
	name := rapid.StringMatching(`[A-ZÄÖÜa-zäöüßøé]{1,6}( [a-zé'-]{1,5}[a-z]){0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		n := Names{name.Draw(t, "given"), name.Draw(t, "family")}
		if Match(Exact, n, n) && !Match(Relaxed, n, n) {
			t.Fatalf("%q matches itself exactly and not relaxed", n)
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("Zoë", "Müller", "ZOE", "MUELLER")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		x, y := Names{a, b}, Names{c, d}
		if Match(Exact, x, y) != Match(Exact, y, x) {
			t.Errorf("exact: %q and %q match one way only", x, y)
		}
		Match(Relaxed, x, y) // ends, whatever it is given
	})
}
