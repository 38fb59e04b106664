package language

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// small is a grammar of a few steps, enough to try every kind of value.
func small() Grammar {
	return Grammar{
		Profiles:  []string{"security-key", "yubikey-5", "apple-passwords"},
		Providers: []string{"apple-passwords"},
		Rows:      []string{"device-loss"},
		Reasons:   []string{"NotAllowedError", "CTAP2_ERR_PIN_BLOCKED", "CTAP2_ERR_PIN_INVALID", "attestation-required"},
		Verbs: []Usage{
			{Verb: "register", Subject: Member{Name: "person", Kind: PersonName}, Saves: SavedPasskey, Members: []Member{
				{Name: "with", Kind: DeviceName, List: true, Required: true}, {Name: "name", Kind: Text}, {Name: "pin", Kind: Secret}}},
			{Verb: "sign-in", Subject: Member{Name: "person", Kind: PersonName}, Saves: SavedSession, Members: []Member{
				{Name: "with", Kind: DeviceName, Required: true}, {Name: "without-user-name", Kind: YesNo}}},
			{Verb: "clone", Subject: Member{Name: "device", Kind: DeviceName}, Makes: "as", Members: []Member{{Name: "as", Kind: NewName, Required: true}}},
			{Verb: "rename", Subject: Member{Name: "passkey", Kind: SavedValue, Saved: SavedPasskey}, Members: []Member{{Name: "to", Kind: Text}}},
			{Verb: "wait", Subject: Member{Name: "time", Kind: Duration}},
			{Verb: "expect", Subject: Member{Name: "of", Kind: Anything}, Claims: true, Members: []Member{
				{Name: "signed-in", Kind: YesNo, Of: []Kind{PersonName}},
				{Name: "counter", Kind: Count, OfSaved: []Saved{SavedPasskey}}}},
		},
	}
}

const head = `title: T
people: {ada: , bob: {groups: [staff]}}
devices:
  key: {profile: security-key, owner: ada, pin: "1234"}
`

func TestProblems(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"step", head + "steps:\n  - regster: ada\n    with: key\n", `x.yaml:6:5: no step is called "regster"; did you mean "register"? (allowed: register, sign-in, clone, rename, wait, expect); harness explain tells what each does`},
		{"member", head + "steps:\n  - register: ada\n    wiht: key\n", `x.yaml:7:5: step register has no member "wiht"; did you mean "with"?`},
		{"lacking", head + "steps:\n  - register: ada\n", "x.yaml:6:5: step register lacks with"},
		{"device", head + "steps:\n  - register: ada\n    with: kez\n", `x.yaml:7:11: no device is called "kez"; did you mean "key"? (allowed: key)`},
		{"person", head + "steps:\n  - register: adda\n    with: key\n", `x.yaml:6:15: nobody is called "adda"; did you mean "ada"? (allowed: ada, bob)`},
		{"profile", "title: T\ndevices:\n  key: {profile: yubikey5}\nsteps: [{wait: 1s}]\n", `x.yaml:3:18: no device profile is called "yubikey5"; did you mean "yubikey-5"?`},
		{"label", head + "labels: [Loss]\nsteps: [{wait: 1s}]\n", `x.yaml:5:10: labels: "Loss": lower-case letters`},
		{"verb not first", head + "steps:\n  - with: key\n    register: ada\n", `x.yaml:6:5: a step begins with its verb, "with" found; put "register" first`},
		{"top level", head + "stepps:\n  - wait: 1s\n", `x.yaml:5:1: a scenario file has no member "stepps"; did you mean "steps"?`},
		{"not saved", head + "steps:\n  - rename: ${first}\n    to: x\n", `x.yaml:6:13: nothing was saved as "first" before this`},
		{"saved later", head + "steps:\n  - rename: ${first}\n  - register: ada\n    with: key\n    save: first\n", `x.yaml:6:13: nothing was saved as "first"`},
		{"wrong saved", head + "steps:\n  - sign-in: ada\n    with: key\n    save: s\n  - rename: ${s}\n", `x.yaml:9:13: passkey: a saved passkey is expected, ${s} is a session`},
		{"saved member", head + "steps:\n  - register: ada\n    with: key\n    save: p\n  - register: ada\n    with: key\n    name: ${p.nam}\n", `x.yaml:11:11: a passkey has no "nam"; did you mean "name"?`},
		{"claim", head + "steps:\n  - expect: ada\n    counter: 3\n", `x.yaml:7:5: counter cannot be said of a person (allowed: signed-in)`},
		{"comparison", head + "steps:\n  - register: ada\n    with: key\n    save: p\n  - expect: ${p}\n    counter: lots\n", `x.yaml:10:14: counter: "lots" is neither a number`},
		{"reason family", head + "steps:\n  - register: ada\n    with: key\n    expect: refused\n    reason: NotAlowedError\n", `x.yaml:9:13: reason: no CTAP status or DOMException is called "NotAlowedError"; did you mean "NotAllowedError"?`},
		{"reason alone", head + "steps:\n  - register: ada\n    with: key\n    reason: NotAllowedError\n", `x.yaml:8:13: a reason without expect: refused`},
		{"regexp", head + "steps:\n  - register: ada\n    with: key\n    expect: refused\n    reason: /(/\n", `x.yaml:9:13: reason: "/(/" is no regular expression`},
		{"duration", head + "steps:\n  - wait: 3 fortnights\n", `x.yaml:6:11: time: "3 fortnights": no unit of time is called "fortnights"`},
		{"twice", head + "title: again\nsteps: [{wait: 1s}]\n", `x.yaml:5:1: "title" is here twice`},
		{"name taken", "title: T\npeople: {key: }\ndevices: {key: {profile: security-key}}\nsteps: [{wait: 1s}]\n", `x.yaml:3:11: the name "key" is taken already, in line 2`},
		{"group", head + "relying-party: {policies: {stuff: {types: synced}}}\nsteps: [{wait: 1s}]\n", `x.yaml:5:28: nobody is in group "stuff"; did you mean "staff"?`},
		{"policy type", head + "relying-party: {policies: {staff: {types: sync}}}\nsteps: [{wait: 1s}]\n", `x.yaml:5:43: types: "sync"; did you mean "synced"? (allowed: device-bound, synced)`},
		{"policy algorithm", head + "relying-party: {policies: {staff: {algorithms: [ES256, MLDSA-65]}}}\nsteps: [{wait: 1s}]\n", `x.yaml:5:56: algorithms: "MLDSA-65"; did you mean "ML-DSA-65"?`},
		{"origin", head + "relying-party: {origin: example.com}\nsteps: [{wait: 1s}]\n", `x.yaml:5:25: origin: "example.com" is no origin`},
		{"matrix value", "title: T\nmatrix: {m: [security-key, ubikey-5]}\ndevices: {key: {profile: \"${m}\"}}\nsteps: [{wait: 1s}]\n", `x.yaml:2:28: no device profile is called "ubikey-5"; did you mean "yubikey-5"?`},
		{"alias", "title: &a T\npurpose: *a\nsteps: [{wait: 1s}]\n", "x.yaml:1:8: anchors and aliases (& and *) are not part of the language"},
		{"syntax", "title: [\n", "x.yaml:2:1: not YAML: "},
		{"empty", "", "x.yaml:1:1: there is nothing in it"},
		{"list", "- wait: 1s\n", "x.yaml:1:1: a scenario file: a mapping is expected, a list found"},
		{"no steps", "title: T\nsteps: []\n", "x.yaml:2:8: steps: a list of steps is expected"},
		{"step text", "title: T\nsteps: [wait]\n", "x.yaml:2:9: a step is expected, a single value found"},
		{"refused save", head + "steps:\n  - register: ada\n    with: key\n    expect: refused\n    save: x\n", "x.yaml:9:11: save: a refused step has nothing to save"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load("x.yaml", []byte(tt.source), small())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	source := "purpose: P\nlabel: l\ndevices: {key: {profile: yubikey}}\nsteps:\n  - register: eve\n    with: kee\n"
	_, err := Load("x.yaml", []byte(source), small())
	problems, ok := errors.AsType[Problems](err)
	if !ok || len(problems) != 5 {
		t.Fatalf("%d problems, want 5:\n%v", len(problems), err)
	}
	for i, line := range []int{1, 2, 3, 5, 6} {
		if problems[i].At.Line != line {
			t.Errorf("problem %d in line %d, want %d", i, problems[i].At.Line, line)
		}
	}
}

func TestVariants(t *testing.T) {
	source := "title: with ${m}\nmatrix: {m: [security-key, yubikey-5], n: [1, 2]}\npeople: {ada: }\ndevices: {key: {profile: \"${m}\"}}\n" +
		"steps:\n  - register: ada\n    with: key\n    name: key ${n}\n    pin: 0123\n    save: p\n  - clone: key\n    as: twin\n  - register: ada\n    with: [key, twin]\n    name: not ${p.name}\n"
	all, err := Load("x.yaml", []byte(source), small())
	if err != nil {
		t.Fatal(err)
	}
	var suffixes []string
	for _, s := range all {
		suffixes = append(suffixes, s.Suffix())
	}
	want := "[m=security-key,n=1] [m=security-key,n=2] [m=yubikey-5,n=1] [m=yubikey-5,n=2]"
	if got := strings.Join(suffixes, " "); got != want {
		t.Errorf("variants %s, want %s", got, want)
	}
	last := all[3]
	if last.Title != "with yubikey-5" || last.Devices[0].Profile != "yubikey-5" || last.Steps[0].Text("pin") != "0123" {
		t.Errorf("not put in: %+v", last)
	}
	if got := last.Steps[0].Sentence(); got != "register ada with key, name key 2, pin ••••" {
		t.Errorf("sentence %q", got)
	}
	call, err := last.Steps[2].Resolve(func(ref string) (string, error) { return "<" + ref + ">", nil })
	if err != nil || call.Text("name") != "not <p.name>" || len(call.Texts("with")) != 2 {
		t.Errorf("resolved %+v, %v", call, err)
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"10 minutes": 10 * time.Minute, "30s": 30 * time.Second, "1 hour 30 minutes": 90 * time.Minute,
		"2 days": 48 * time.Hour, "1 week": 168 * time.Hour, "5 ms": 5 * time.Millisecond,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "ten minutes", "10", "5 s ago", "999999 weeks"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

func TestComparison(t *testing.T) {
	for text, want := range map[string]string{"3": "3", "at least 3": "345", "more than 3": "45", "at most 2": "012", "< 2": "01", "not 3": "01245", ">=5": "5"} {
		c, err := ParseComparison(text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for n := range uint64(6) {
			if c.Holds(n) {
				got += fmt.Sprint(n)
			}
		}
		if got != want {
			t.Errorf("%q holds for %s, want %s", text, got, want)
		}
	}
}

func TestMatcher(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"attestation-*", "attestation-required", true}, {"attestation", "attestation-required", false},
		{"/blocked|invalid/", "CTAP2_ERR_PIN_BLOCKED", true}, {"CTAP?_ERR_*", "CTAP2_ERR_OTHER", true}, {"a.c", "abc", false},
	} {
		m, err := NewMatcher(tt.pattern)
		if err != nil || m.MatchAny("nothing", tt.text) != tt.want {
			t.Errorf("%q on %q: not %v (%v)", tt.pattern, tt.text, tt.want, err)
		}
	}
}

func TestSchemaAcceptsWhatLoadAccepts(t *testing.T) {
	raw, err := json.Marshal(small().Schema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	good := head + "steps:\n  - register: ada\n    with: [key]\n    save: p\n  - expect: ${p}\n    counter: at least 1\n"
	bad := head + "steps:\n  - register: ada\n    wiht: key\n"
	for source, want := range map[string]bool{good: true, bad: false} {
		var v any
		if err := yaml.Load([]byte(source), &v); err != nil {
			t.Fatal(err)
		}
		_, loadErr := Load("x.yaml", []byte(source), small())
		if err := schema.Validate(v); (err == nil) != want || (loadErr == nil) != want {
			t.Errorf("schema: %v, load: %v, want accepted %v\n%s", err, loadErr, want, source)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(head + "matrix: {m: [1, 2]}\nsteps:\n  - register: ada\n    with: key\n    name: ${m}\n    save: p\n  - rename: ${p}\n    to: x${p.id}\n"))
	files, _ := filepath.Glob("../library/*/*.yaml")
	for _, name := range files {
		if source, err := os.ReadFile(name); err == nil {
			f.Add(source)
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		all, err := Load("x.yaml", source, small())
		if err == nil && len(all) == 0 {
			t.Error("neither scenarios nor an error")
		}
		for _, s := range all {
			for _, c := range s.Steps {
				_ = c.Sentence()
			}
		}
	})
}
