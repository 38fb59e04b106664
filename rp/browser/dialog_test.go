package browser

import (
	"errors"
	"strings"
	"testing"

	"fido-emu/rp"
)

// asking is a page that wants a label by a prompt, as Keycloak's does of a new passkey.
const asking = `<button onclick="out.textContent = 'label ' + prompt('Please give a label', 'none')">Name it</button><p id="out">-</p>`

func TestDialogs(t *testing.T) {
	const click = "  sign-in:\n    steps:\n      - open: /\n      - click: {text: Name it}\n"
	for _, c := range []struct{ name, steps, says string }{
		{"agreed to with a text", "      - dialog: label\n        with: of ${person.name}\n      - expect: {text: label of ada}\n", ""},
		{"it says something else", "      - dialog: colour\n", `the dialog says "Please give a label", want colour`},
		{"nobody expects it", "      - wait: {text: label of ada}\n", `a dialog that says "Please give a label"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := openPage(t, asking, click+c.steps)
			_, err := s.SignIn(inTime(t), rp.Person{Name: "ada"}, waiting{})
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if _, broken := errors.AsType[*rp.Broken](err); !broken || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want broken: %s", err, c.says)
			}
		})
	}
	t.Run("the page says no instead", func(t *testing.T) {
		s, _ := openPage(t, `<p class="no">not today</p>`, "  refused: .no\n  sign-in:\n    steps:\n      - open: /\n      - dialog: label\n")
		_, err := s.SignIn(inTime(t), rp.Person{Name: "ada"}, waiting{})
		if no, refused := errors.AsType[*rp.Refused](err); !refused || no.Reason != "not today" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("there is none", func(t *testing.T) {
		s, _ := openPage(t, asking, "  sign-in:\n    steps:\n      - open: /\n      - dialog: label\n")
		if _, err := s.SignIn(inTime(t), rp.Person{Name: "ada"}, waiting{}); err == nil || !strings.Contains(err.Error(), "the page showed no dialog") {
			t.Errorf("got %v", err)
		}
	})
}
