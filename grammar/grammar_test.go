package grammar

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// meal is a table with every kind of member.
func meal() []Member {
	return []Member{
		{Name: "name", Required: true, Text: "What it is called."},
		{Name: "course", Kind: Word, Allowed: []string{"starter", "main", "sweet"}},
		{Name: "warm", Kind: YesNo},
		{Name: "guests", Kind: Number},
		{Name: "takes", Kind: Duration},
		{Name: "like", Kind: Pattern},
		{Name: "also", Kind: Any},
		{Name: "cook", Kind: Object, Short: true, Members: cook},
		{Name: "table", Kind: Object, Bare: true, Members: cook},
		{Name: "bowls", Kind: Named, Each: &Member{Kind: Number, List: true}},
		{Name: "steps", Kind: Variants, List: true, Members: steps},
	}
}

func cook() []Member { return []Member{{Name: "name"}, {Name: "age", Kind: Number}} }

func steps() []Member {
	return []Member{
		{Name: "cut", Verb: true},
		{Name: "boil", Verb: true, Kind: Duration},
		{Name: "salt", Alone: true},
		{Name: "with"},
	}
}

// lunch agrees with the table.
const lunch = `name: Lunch
course: main
warm: yes
guests: 4
takes: 20m
like: "^soup"
also: [1, {a: b}]
cook: Ada
table:
bowls:
  small: 3
  large: [1, 2]
steps:
  - cut: leeks
    with: a knife
  - {boil: 10m}
  - salt: some
`

func TestCheckAgrees(t *testing.T) {
	v, err := Parse("m.yaml", []byte(lunch))
	if err != nil {
		t.Fatal(err)
	}
	if problems := Check("the meal", v, meal); len(problems) > 0 {
		t.Error(problems)
	}
	if got := v.Field("bowls").Field("large").Words(); len(got) != 2 || got[1] != "2" || !v.Field("warm").Yes() {
		t.Errorf("read %v", got)
	}
}

// What is wrong is told where it stands, all at once, in the order of the file.
func TestCheckTells(t *testing.T) {
	for name, c := range map[string]struct{ page, want string }{
		"no mapping":        {"- a\n", "m.yaml:1:1: the meal: a mapping is expected, a list found (allowed: name, course,"},
		"unknown":           {"name: a\ncoarse: main\n", `m.yaml:2:1: the meal has no member "coarse"; did you mean "course"? (allowed: name,`},
		"misspelt":          {"nam: a\n", `m.yaml:1:1: the meal has no member "nam"; did you mean "name"? (allowed: name, course, warm, guests, takes, like, also, cook, table, bowls, steps)`},
		"missing":           {"warm: no\n", "m.yaml:1:1: the meal lacks name (What it is called)"},
		"word":              {"name: a\ncourse: mian\n", `m.yaml:2:9: course: there is no "mian"; did you mean "main"? (allowed: starter, main, sweet)`},
		"yes or no":         {"name: a\nwarm: perhaps\n", `m.yaml:2:7: warm: yes or no is expected, "perhaps" found`},
		"number":            {"name: a\nguests: -1\n", `m.yaml:2:9: guests: a whole number from 0 to 1000000 is expected, "-1" found`},
		"duration":          {"name: a\ntakes: 2h\n", "m.yaml:2:8: takes: a time such as 500ms, 30s or 2m is expected, an hour at most"},
		"pattern":           {"name: a\nlike: '['\n", "m.yaml:2:7: like: error parsing regexp"},
		"list for one":      {"name: [a]\n", "m.yaml:1:7: name: a single value is expected, a list found"},
		"object":            {"name: a\ncook: {nam: b}\n", `m.yaml:2:8: cook has no member "nam"; did you mean "name"? (allowed: name, age)`},
		"not short":         {"name: a\ntable: b\n", "m.yaml:2:8: table: a mapping is expected, a single value found"},
		"not bare":          {"name: a\ncook:\n", "m.yaml:2:6: cook: a mapping is expected, nothing found"},
		"named":             {"name: a\nbowls: [1]\n", "m.yaml:2:8: bowls: names with their values are expected, a list found"},
		"deep in named":     {"name: a\nbowls: {x: [1, b]}\n", `m.yaml:2:16: bowls x: a whole number from 0 to 1000000 is expected, "b" found`},
		"no verb":           {"name: a\nsteps: [{with: b}]\n", "m.yaml:2:9: steps: one member must say what it does (allowed: cut, boil)"},
		"two verbs":         {"name: a\nsteps: [{cut: b, boil: 1m}]\n", "m.yaml:2:9: steps: cut and boil cannot stand together"},
		"verb misspelt":     {"name: a\nsteps: [{cute: b}]\n", `m.yaml:2:10: steps has no member "cute"; did you mean "cut"?`},
		"in order":          {"warm: x\nguests: y\n", "m.yaml:1:1: the meal lacks name (What it is called)\nm.yaml:1:7: warm: "},
		"long words, short": {"name: a\ncourse: " + strings.Repeat("m", 99) + "\n", `m.yaml:2:9: course: there is no "` + strings.Repeat("m", 57) + `…" (allowed:`},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Parse("m.yaml", []byte(c.page))
			if err != nil {
				t.Fatal(err)
			}
			got := Check("the meal", v, meal).Error()
			if !strings.HasPrefix(got, c.want) || strings.Contains(got, "lacks") != strings.Contains(c.want, "lacks") {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestParseTells(t *testing.T) {
	for name, c := range map[string]struct{ page, want string }{
		"nothing":  {"", "m.yaml:1:1: there is nothing in it"},
		"no YAML":  {"a: b\n c: [\n", "m.yaml:2:"},
		"twice":    {"a: 1\nb: 2\na: 3\n", "m.yaml:3:1: "},
		"anchor":   {"a: &x 1\nb: *x\n", "m.yaml:1:4: anchors and aliases (& and *) are not part of the language; write the value out"},
		"odd name": {"[a]: 1\n", "m.yaml:1:1: a name is expected before the colon"},
		"too deep": {strings.Repeat("[", 60) + strings.Repeat("]", 60), "m.yaml:1:42: nested too deep"},
		"too long": {"a: " + strings.Repeat("b", 1<<20), "m.yaml:1:1: more than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("m.yaml", []byte(c.page)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// The schema for editors accepts what Check accepts, and refuses an unknown member and
// a word that is not allowed.
func TestSchema(t *testing.T) {
	b, err := json.Marshal(Schema("A meal", meal))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("meal.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("meal.json")
	if err != nil {
		t.Fatal(err)
	}
	for page, good := range map[string]bool{lunch: true, "name: a\ncoarse: b\n": false, "name: a\ncourse: b\n": false, "warm: true\n": false} {
		v, err := Parse("m.yaml", []byte(page))
		if err != nil {
			t.Fatal(err)
		}
		instance, err := v.JSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); (err == nil) != good {
			t.Errorf("%q: %v", page, err)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"register", "sign-in", "reset"}
	for word, want := range map[string]string{
		"registr": "register", "rgeister": "register", "SIGN-IN": "sign-in", "signin": "sign-in", "rest": "reset",
		"banana": "", "": "", strings.Repeat("r", 81): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(lunch))
	f.Fuzz(func(t *testing.T, page []byte) {
		v, err := Parse("f.yaml", page)
		if err == nil && len(Check("the meal", v, meal)) > 0 {
			err = Check("the meal", v, meal)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "f.yaml:") {
			t.Errorf("%v", err)
		}
	})
}
