package person

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/identity/picture"
)

func shippedPeople(t *testing.T) []*Person {
	t.Helper()
	people, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return people
}

// The set must hold what account recovery stumbles over.
func TestShipped(t *testing.T) {
	people := shippedPeople(t)
	names, countries := map[string]int{}, map[string]bool{}
	oneWord, part, accents := false, false, false
	for _, p := range people {
		names[p.Name()]++
		countries[p.Country] = true
		oneWord = oneWord || p.Given == ""
		accents = accents || strings.ContainsAny(p.Name(), "éüØß")
		for _, q := range people {
			part = part || p != q && strings.HasPrefix(p.Name(), q.Name()+" ")
		}
	}
	if !oneWord || !part || !accents || names["John Smith"] != 2 || len(countries) < 10 {
		t.Errorf("one-word %v, part of another %v, accents %v, John Smiths %d, countries %d", oneWord, part, accents, names["John Smith"], len(countries))
	}
}

// FIDO_EMU_SHOW names a folder into which the faces are written, to be looked at.
func TestEveryFaceIsKnownInEveryPose(t *testing.T) {
	people := shippedPeople(t)
	g := NewGallery(people)
	show := os.Getenv("FIDO_EMU_SHOW")
	for _, p := range people {
		live := *p
		live.Liveness = Live
		for _, condition := range Conditions() {
			c, err := live.Capture(rand.NewChaCha8([32]byte{1}), condition, Poses()[1:])
			if err != nil {
				t.Fatal(err)
			}
			for i, pose := range Poses() {
				m, err := picture.Decode(c.Frames[i])
				if err != nil {
					t.Fatal(err)
				}
				seen, err := g.Look(m)
				if err != nil || seen.Person.Face != p.Face || seen.Pose != pose || seen.Condition != condition {
					t.Errorf("%s %s %s was seen as %v %s %s: %v", p.ID, pose, condition, seen.Person, seen.Pose, seen.Condition, err)
				}
				if f := Fake(m); f != "" {
					t.Errorf("%s %s %s was taken for %s (moiré %.1f)", p.ID, pose, condition, f, picture.Moire(m, m.Rect))
				}
				if show != "" {
					if err := os.WriteFile(filepath.Join(show, fmt.Sprintf("%s-%s-%s.png", p.ID, condition, pose)), c.Frames[i], 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if _, err := g.Look(Face("nobody-knows-me", Front)); !errors.Is(err, ErrNobody) {
			t.Fatalf("a stranger: %v", err)
		}
	}
}

func TestFakes(t *testing.T) {
	for _, p := range shippedPeople(t) {
		for liveness, want := range map[Liveness]Liveness{Printed: Printed, OnScreen: OnScreen, Deepfake: OnScreen, Live: ""} {
			q := *p
			q.Liveness = liveness
			c, err := q.Capture(rand.NewChaCha8([32]byte{2}), Daylight, []Pose{Blink})
			if err != nil {
				t.Fatal(err)
			}
			m, err := picture.Decode(c.Frames[1])
			if err != nil {
				t.Fatal(err)
			}
			if got := Fake(m); got != want {
				t.Errorf("%s, %s: taken for %q (moiré %.1f)", p.ID, liveness, got, picture.Moire(m, m.Rect))
			}
		}
	}
}

func TestScore(t *testing.T) {
	people := shippedPeople(t)
	younger, err := Find(people, "john-smith-younger")
	if err != nil {
		t.Fatal(err)
	}
	for face, want := range map[string]int{"john-smith-younger": 80, "john-smith": 74, "anna-eriksson": Stranger} {
		if got := younger.Score(face, Dim); got != want {
			t.Errorf("against %s: %d, want %d", face, got, want)
		}
	}
	if _, err := Find(people, "nemo"); err == nil || !strings.Contains(err.Error(), "anna-eriksson") {
		t.Errorf("nobody: %v", err)
	}
}

const good = `id: a
family: A
birth: 1990-01-01
sex: F
nationality: UTO
country: SE
documents:
  - {kind: passport, issuer: UTO, number: X1, issued: 2020-01-01, expires: 2030-01-01}
match: {daylight: 90}
`

func TestParseSaysWhere(t *testing.T) {
	if _, err := Parse("a.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, new, want string }{
		"unknown member": {"sex: F", "sexe: F", "a.yaml:4:"},
		"not a day":      {"1990-01-01", "1990-13-01", "a.yaml:3:8: birth: "},
		"no name":        {"family: A", "family: ''", "a.yaml:2:9: family: "},
		"kind":           {"passport", "pass", "a.yaml:8:12: documents.0.kind: "},
		"number":         {"X1", "X-1", "documents.0.number: "},
		"expires first":  {"2030-01-01", "2019-01-01", "documents.0.expires: 2019-01-01 is not after"},
		"score":          {"90}", "190}", "a.yaml:9:19: match.daylight: 190"},
		"condition":      {"daylight", "moonlight", "match.moonlight: the conditions are"},
		"defect":         {"2030-01-01}", "2030-01-01, defects: [ripped]}", "documents.0.defects.0: \"ripped\""},
		"not a mapping":  {good, "- a", "a.yaml:1:"},
		"nothing":        {good, "", "a.yaml:1:1: "},
		"number as text": {"90}", "ninety}", "a.yaml:9:"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("a.yaml", []byte(strings.Replace(good, test.old, test.new, 1)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Parse("f.yaml", b); err == nil && (p.ID == "" || p.Family == "") {
			t.Errorf("a person without a name: %+v", p)
		}
	})
}
