package web

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"fido-emu/grammar"
)

func TestLoadTellsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string // beginnings of the lines, behind the file's name
	}{
		{"members", []string{
			`3:1: a description has no member "orign"; did you mean "origin"?`,
			`6:7: steps has no member "reqest"; did you mean "request"?`,
			`8:7: steps has no member "jsn"; did you mean "json"?`,
			`9:7: steps: request and create cannot stand together`,
		}},
		{"meaning", []string{
			`4:3: register lacks proof`,
			`5:16: request "FETCH /begin": a method and a path are expected`,
			`6:16: there is no base "sit"; did you mean "site"? (allowed: site)`,
			`8:19: json and header cannot stand together`,
			`9:23: "p[" is no CSS selector`,
			`10:18: "ceremony" is no JSON pointer`,
			`11:25: nothing sets ${ceremny}; did you mean "ceremony"?`,
			`12:7: a request has one body`,
			`12:7: goto: there is no label "begining"; did you mean "beginning"?`,
			`13:17: there is no filter "tojsn"; did you mean "tojson"?`,
			`17:13: "status" cannot be set`,
			`18:13: condition "always"`,
			`20:7: json belongs to a request`,
			`22:3: sign-in lacks a step get`,
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			file := "testdata/wrong/" + c.file + ".yaml"
			_, err := Load(file)
			var problems grammar.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("%v", err)
			}
			lines := strings.Split(err.Error(), "\n")
			for i, want := range c.want {
				if i >= len(lines) || !strings.HasPrefix(strings.TrimPrefix(lines[i], file+":"), want) {
					t.Errorf("line %d: want %s", i+1, want)
				}
			}
			if t.Failed() || len(lines) != len(c.want) {
				t.Errorf("found:\n%v", err)
			}
		})
	}
}

// TestSchema checks that the schema takes what Load takes, and not what it refuses by
// its words.
func TestSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	asJSON, err := jsonschema.UnmarshalJSON(strings.NewReader(compact(Schema(pages))))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("rp.json", asJSON); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("rp.json")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("*/*.yaml")
	wrong, _ := filepath.Glob("testdata/wrong/members.yaml")
	for _, file := range append(files, wrong...) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		root, err := grammar.Parse(file, source)
		if err != nil {
			t.Fatal(err)
		}
		v, err := root.JSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) == strings.Contains(file, "wrong") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestForeignSection loads a description with a section of another package.
func TestForeignSection(t *testing.T) {
	source := []byte("name: x\nbases: {site: \"http://localhost:1\"}\nbrowser:\n  steps:\n    - open: /login\n")
	pages := Foreign{Member: grammar.Member{Name: "browser", Kind: grammar.Any}, Check: func(v grammar.Value) grammar.Problems {
		if v.Field("steps") == nil {
			return grammar.Problems{{At: v.At, Found: "no steps"}}
		}
		return nil
	}}
	d, err := LoadBytes("x.yaml", source, pages)
	if err != nil {
		t.Fatal(err)
	}
	if d.Section("browser").Field("steps").Items[0].Field("open").Text != "/login" {
		t.Error("the section is not there")
	}
	if _, err := LoadBytes("x.yaml", source); err == nil {
		t.Error("a section that nobody understands was loaded")
	}
}
