package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/fixtures/reach"
)

// TestEvidence: what went wrong leaves its messages and a capture of its wire, which
// the report names; what passed leaves nothing.
func TestEvidence(t *testing.T) {
	way, err := reach.ParseWay("pipe")
	if err != nil {
		t.Fatal(err)
	}
	const begin = "people: {ada: }\ndevices: {key: {profile: security-key}}\nsteps:\n  - register: ada\n    with: key\n"
	sources := []Source{
		{File: "good.yaml", ID: "good", Text: []byte("title: Good\n" + begin)},
		{File: "bad.yaml", ID: "bad", Text: []byte("title: Bad\n" + begin + "  - lose: key\n  - sign-in: ada\n    with: key\n")},
	}
	dir := t.TempDir()
	files := map[string]string{}
	for _, e := range runAll(t, sources, Options{Title: "evidence", Via: &way, Reports: dir}) {
		if e.File != "" {
			files[e.File] = e.ScenarioID
		}
	}
	for _, want := range []string{"evidence/bad-1/messages.txt", "evidence/bad-1/key.pcapng"} {
		if files[want] != "bad" {
			t.Errorf("no event of the bad scenario names %s: %v", want, files)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "evidence/bad-1/messages.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1  register ada with key", "authenticatorMakeCredential", "navigator.credentials.create", "failed: "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the messages lack %q", want)
		}
	}
	capture, err := os.ReadFile(filepath.Join(dir, "evidence/bad-1/key.pcapng"))
	if err != nil || !strings.Contains(string(capture), "CTAPHID_INIT") {
		t.Errorf("the capture names no CTAPHID_INIT: %d bytes, %v", len(capture), err)
	}
	if len(files) != 2 {
		t.Errorf("files %v", files)
	}
}
