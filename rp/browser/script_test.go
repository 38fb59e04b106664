package browser

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/grammar"
)

func TestShippedPagesLoad(t *testing.T) {
	files, err := filepath.Glob("../web/descriptions/*-browser.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d descriptions, %v", len(files), err)
	}
	for _, file := range files {
		if _, err := Load(file); err != nil {
			t.Errorf("%v", err)
		}
	}
}

const head = "name: Test\nbases: {site: \"http://localhost:8080\"}\nbrowser:\n"

func TestProblemsNameTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"no such step":          {"  sign-in: {steps: [{opne: /}]}\n", `test.yaml:4:22: steps has no member "opne"; did you mean "open"?`},
		"two in one step":       {"  sign-in: {steps: [{open: /, click: a}]}\n", "cannot stand together"},
		"nothing to fill in":    {"  sign-in: {steps: [{fill: a}]}\n", "test.yaml:4:21: fill lacks with"},
		"nowhere to read into":  {"  sign-in: {steps: [{read: a}]}\n", "read lacks as"},
		"with of another":       {"  sign-in: {steps: [{click: a, with: b}]}\n", "test.yaml:4:38: with belongs to fill, and this step is click"},
		"attribute of another":  {"  sign-in: {steps: [{click: a, attribute: b}]}\n", "attribute belongs to read"},
		"unknown variable":      {"  sign-in: {steps: [{open: \"/${persn}\"}]}\n", `nothing sets ${persn}; did you mean "person"?`},
		"no condition":          {"  sign-in: {steps: [{open: /, when: always}]}\n", "when: condition"},
		"neither css nor text":  {"  sign-in: {steps: [{click: {frame: a}}]}\n", "css or text must say"},
		"unknown record member": {"  sign-in: {steps: [{open: /}]}\n  credentials: {steps: [{open: /}], each: li, record: {nam: a}}\n", `a passkey has no "nam"; did you mean "name"?`},
		"nothing to do":         {"  sign-out: {steps: [{open: /}]}\n", "browser lacks register and sign-in"},
		"signed-in, no else":    {"  sign-in: {steps: [{open: /}]}\n  signed-in: {steps: [{open: /}], shows: a}\n", "signed-in lacks else"},
	} {
		_, err := LoadBytes("test.yaml", []byte(head+c.source))
		var found grammar.Problems
		if !errors.As(err, &found) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzLoadBytes(f *testing.F) {
	if source, err := os.ReadFile(referenceFile); err == nil {
		f.Add(source)
	}
	f.Add([]byte(head + "  sign-in: {steps: [{click: {text: \"${person}\"}}]}\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		d, err := LoadBytes("test.yaml", source)
		if (d == nil) == (err == nil) {
			t.Errorf("%v, %v", d, err)
		}
	})
}

func TestHostsThatAreNotNamedDoNotExist(t *testing.T) {
	got := Config{Hosts: map[string]string{"b.example": "127.0.0.1", "a.example": "127.0.0.1"}, Only: []string{"login.example.com"}}.resolver()
	want := "MAP a.example 127.0.0.1, MAP b.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE "
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "EXCLUDE login.example.com") {
		t.Errorf("rules %q", got)
	}
}

func TestVisibleBrowsersNeedADisplay(t *testing.T) {
	_, err := Start(t.Context(), Config{Headful: true, Getenv: func(string) string { return "" }})
	if err == nil || !strings.Contains(err.Error(), "DISPLAY") {
		t.Errorf("%v", err)
	}
}
