package scenarios

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"fido-emu/scenarios/language"
)

// TestExamples loads every example of the help texts in a scenario that has all
// that they speak of, and sees that every step is explained.
func TestExamples(t *testing.T) {
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	const head = `title: Examples
people: {ada: {groups: [staff]}}
accounts: {cloud: {provider: apple}}
devices:
  key: {profile: security-key}
  new-key: {profile: security-key}
  phone: {profile: apple-passwords, account: cloud}
  tablet: {profile: apple-passwords}
  laptop: {profile: windows-hello}
  other-laptop: {profile: windows-hello}
steps:
  - register: ada
    with: key
    save: saved-first
`
	for _, u := range g.Verbs {
		t.Run(u.Verb, func(t *testing.T) {
			example := strings.ReplaceAll(u.Example, "${first}", "${saved-first}")
			source := head + "  " + strings.ReplaceAll(example, "\n", "\n  ") + "\n"
			if _, err := Load([]Source{{File: "example.yaml", ID: "example", Text: []byte(source)}}, g); err != nil {
				t.Errorf("%v\n%s", err, source)
			}
			var b bytes.Buffer
			if err := g.Explain(&b, u.Verb); err != nil {
				t.Fatal(err)
			}
			for _, m := range u.All() {
				if m.Text == "" || !strings.Contains(b.String(), m.Name+": ") {
					t.Errorf("member %s is not explained", m.Name)
				}
			}
			if u.Summary == "" || u.Subject.Text == "" || u.Group == "" {
				t.Error("summary, group or subject is missing")
			}
		})
	}
}

// TestLibraryFitsSchema checks the library against the schema that editors use.
func TestLibraryFitsSchema(t *testing.T) {
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	schema := compile(t, g)
	sources, err := Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		var v any
		if err := yaml.Load(s.Text, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", s.File, err)
		}
	}
}

func compile(t *testing.T, g language.Grammar) *jsonschema.Schema {
	t.Helper()
	raw, err := json.Marshal(g.Schema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestSemantics finds what cannot work although each word is in order.
func TestSemantics(t *testing.T) {
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ head, want string }{
		{"devices: {phone: {profile: apple-passwords, pin: \"1234\"}}", "apple-passwords takes no PIN"},
		{"accounts: {cloud: }\ndevices: {key: {profile: security-key, account: cloud}}", "account cloud has no provider"},
		{"accounts: {cloud: {provider: apple}}\ndevices: {key: {profile: security-key, account: cloud}}", "can be in no sync account"},
		{"accounts: {cloud: {provider: apple}}\ndevices: {phone: {profile: google-password-manager, account: cloud}}", "joins accounts of google only"},
	} {
		_, err := Load([]Source{{File: "x.yaml", ID: "x", Text: []byte("title: T\n" + tt.head + "\nsteps: [{wait: 1s}]\n")}}, g)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.head, err, tt.want)
		}
	}
}
