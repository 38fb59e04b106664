package interop

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/report"
	"fido-emu/rp/browser"
	"fido-emu/rp/web"
	"fido-emu/scenarios/language"
)

const (
	root  = ".."
	cache = "../bin/interop"
)

// TestServers runs every scenario at every server that was fetched, with a profile of
// each kind; make interop takes them all. What is a dependency of this module anyway
// needs no fetching.
func TestServers(t *testing.T) {
	for _, target := range Targets() {
		t.Run(target.Name, func(t *testing.T) {
			if target.Pages {
				t.Skip("its pages take minutes; make interop runs them")
			}
			if len(target.Lock) == 0 {
				if err := target.Bring(t.Context(), root, cache); err != nil {
					t.Fatal(err)
				}
			}
			m, err := Run(t.Context(), Options{Root: root, Cache: cache, Targets: []Target{target}, Profiles: []string{"security-key", "windows-hello", "apple-passwords"}, Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			if why := m.Targets[0].Absent; why != "" {
				t.Skip(why)
			}
			for _, c := range m.Bad() {
				t.Errorf("attestation %s, %s, %s: %s, line %d: %s", c.Attestation, c.Profile, c.Scenario, c.Outcome, c.Line, c.Reason)
			}
			if n := m.marks()["passed"]; n < 15 {
				t.Errorf("only %d cells passed: %s", n, m.Sum())
			}
		})
	}
}

func TestTargetsArePinned(t *testing.T) {
	for _, target := range Targets() {
		t.Run(target.Name, func(t *testing.T) {
			if err := loads(target); err != nil {
				t.Error(err)
			}
			lock := "../go.mod"
			if len(target.Lock) > 0 {
				lock = filepath.Join(target.source(root), target.Lock[len(target.Lock)-1])
			}
			b, err := os.ReadFile(lock)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(b), target.Version) {
				t.Errorf("%s does not name version %s", lock, target.Version)
			}
			if target.Registry == "npm" && (bytes.Count(b, []byte(`"integrity"`)) == 0 || bytes.Contains(b, []byte(`"resolved"`))) {
				t.Errorf("%s: hashes are expected, and no addresses of a registry", lock)
			}
		})
	}
}

// loads loads the descriptions of a server: that of its requests, and that of its pages.
func loads(t Target) error {
	if _, err := web.Load(filepath.Join(t.source(root), "site.yaml")); err != nil || !t.Pages {
		return err
	}
	_, err := browser.Load(t.Site(root))
	return err
}

// TestChosen leaves out the profiles that a server is not run with, and keeps the reason
// of what is left out anyway.
func TestChosen(t *testing.T) {
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	if got := (Target{}).chosen(all, Direct); len(got) != len(all) || skipped(got) != skipped(all) {
		t.Errorf("without a choice, %d of %d scenarios are left out, before %d", skipped(got), len(got), skipped(all))
	}
	before := skipped(all)
	for _, s := range (Target{Profiles: []string{"security-key"}, Others: "no time"}).chosen(all, Direct) {
		want := "no time"
		switch profileOf(s) {
		case "security-key":
			want = ""
		case "u2f-key":
			want = "this key knows U2F only, and the client of package webauthn speaks CTAP2"
		}
		if s.Skip != want {
			t.Errorf("%s: left out for %q, want %q", s.ID, s.Skip, want)
		}
	}
	pages := Target{Pages: true, Asks: []string{None, Direct}}
	if first := skipped(pages.chosen(all, None)); first != before {
		t.Errorf("on pages, %d scenarios are left out, want %d", first, before)
	}
	for _, s := range pages.chosen(all, Direct) {
		if left := s.Skip != ""; left != (scenarioOf(s) != "sign-in" || profileOf(s) == "u2f-key") {
			t.Errorf("on pages with another conveyance, %s is left out: %v", s.ID, left)
		}
	}
	if skipped(all) != before {
		t.Error("scenarios of other servers were changed")
	}
}

func skipped(all []*language.Scenario) (n int) {
	for _, s := range all {
		if s.Skip != "" {
			n++
		}
	}
	return n
}

// little makes a target with one file, in a module folder of its own.
func little(t *testing.T, of Target) (Target, string, string) {
	t.Helper()
	of.Name, of.Library, of.Registry = "little", "little-server", "a registry"
	dir := t.TempDir()
	for _, name := range append(of.Lock, of.Sources...) {
		path := filepath.Join(of.source(dir), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("0000  lib/a.jar\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return of, dir, filepath.Join(dir, "cache")
}

func TestBring(t *testing.T) {
	for _, c := range []struct {
		name   string
		target Target
		absent bool
		says   string
	}{
		{"a program is missing", Target{Needs: []string{"no-such-program"}}, true, "no-such-program is not installed"},
		{"the registry cannot be reached", Target{Recipe: [][]string{{"sh", "-c", "echo unreachable; exit 1"}}}, true, "is a registry to be reached from here?\nunreachable"},
		{"the host cannot be built", Target{Build: [][]string{{"sh", "-c", "echo syntax; exit 1"}}}, false, "building the host"},
		{"another content", Target{Lock: []string{"sums"}, Hashes: "sums", Recipe: [][]string{{"sh", "-c", "mkdir lib; echo x > lib/a.jar"}}}, false, "has SHA-256 73cb"},
		{"a file that is not there", Target{Lock: []string{"sums"}, Hashes: "sums"}, false, "which was not fetched"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, root, cache := little(t, c.target)
			err := target.Bring(t.Context(), root, cache)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if _, absent := errors.AsType[*Absent](err); absent != c.absent {
				t.Errorf("absent is %v", absent)
			}
			if _, err := target.Start(t.Context(), root, cache); err == nil {
				t.Error("it starts all the same")
			}
		})
	}
}

func TestPagesTakeChromium(t *testing.T) {
	target, root, cache := little(t, Target{Pages: true})
	t.Setenv("PATH", t.TempDir())
	if err := target.Bring(t.Context(), root, cache); err == nil || err.Error() != "little-server is left out: Chromium is not installed" {
		t.Errorf("got %v", err)
	}
}

func TestBringIsDoneOnce(t *testing.T) {
	target, root, cache := little(t, Target{Lock: []string{"lock"}, Recipe: [][]string{{"sh", "-c", "date > made"}}})
	for range 2 {
		if err := target.Bring(t.Context(), root, cache); err != nil {
			t.Fatal(err)
		}
		target.Recipe = [][]string{target.Recipe[0]}
	}
	if done, err := target.fetched(root, cache); !done || err != nil {
		t.Errorf("fetched: %v %v", done, err)
	}
	if err := os.WriteFile(filepath.Join(target.source(root), "lock"), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if done, err := target.fetched(root, cache); done || err != nil {
		t.Errorf("after a change of the lock file: fetched: %v %v", done, err)
	}
}

func TestHost(t *testing.T) {
	for _, c := range []struct {
		name, script string
		patience     time.Duration
		says         string
	}{
		{"it listens", "echo starting; echo listening on http://localhost:1; cat >/dev/null", 0, ""},
		{"it ends at once", "echo no luck >&2; exit 3", 0, "exit status 3\nno luck"},
		{"it takes its time", "cat >/dev/null", time.Millisecond, "did not say where it listens within 1ms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, root, cache := little(t, Target{Command: []string{"sh", "-c", c.script}, Patience: c.patience})
			if err := target.Bring(t.Context(), root, cache); err != nil {
				t.Fatal(err)
			}
			h, err := target.Start(t.Context(), root, cache)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Address != "http://localhost:1" {
				t.Errorf("address %q", h.Address)
			}
			h.Stop()
		})
	}
}

func sample() *Matrix {
	m := &Matrix{
		Targets:   []Standing{{Name: "a", Library: "A", Version: "1", Asks: []string{None}}, {Name: "b", Library: "B", Absent: "no <network>"}},
		Scenarios: []Title{{"sign-in", "Sign in"}, {"loss", "Loss"}}, Profiles: []string{"one", "two"},
	}
	for _, c := range []Cell{
		{Profile: "one", Scenario: "sign-in", Outcome: report.Passed},
		{Profile: "one", Scenario: "loss", Outcome: report.Failed, Reason: "<b>no</b>", Known: "as it must be"},
		{Profile: "two", Scenario: "sign-in", Outcome: report.Failed, Reason: "surprise"},
		{Profile: "two", Scenario: "loss", Outcome: report.Skipped, Reason: "cannot be"},
	} {
		c.Target, c.Attestation = "a", None
		m.Cells = append(m.Cells, c)
	}
	return m
}

func TestReports(t *testing.T) {
	m := sample()
	if bad := m.Bad(); len(bad) != 1 || bad[0].Reason != "surprise" {
		t.Errorf("bad: %+v", bad)
	}
	var text, page bytes.Buffer
	if err := errors.Join(m.WriteText(&text), m.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"refused: one (loss): as it must be", "it says: <b>no</b>", "FAILED: two (sign-in): surprise", "n/a: two (loss): cannot be",
		"B : left out, no <network>", "1 servers, 1 left out; 4 cells: 1 passed, 1 refused for a known reason, 1 not applicable, 1 bad",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("text lacks %q:\n%s", want, &text)
		}
	}
	for _, want := range []string{`<td class="refused">refused <a href="#a-none-1">1</a></td>`, "&lt;b&gt;no&lt;/b&gt;", "no &lt;network&gt;", `badge failed`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if strings.Contains(page.String(), "<b>no") {
		t.Error("the page holds what a server said as markup")
	}
}

func TestKnown(t *testing.T) {
	c := Cell{Target: "fido2lib", Attestation: Direct, Profile: "windows-hello", Outcome: report.Failed, Reason: "relying party refused: tpm attestation: only TPM_ALG_RSA supported"}
	if known(c) == "" {
		t.Error("a finding is not recognised")
	}
	for name, change := range map[string]func(*Cell){
		"another server":     func(c *Cell) { c.Target = "gowebauthn" },
		"another conveyance": func(c *Cell) { c.Attestation = None },
		"another profile":    func(c *Cell) { c.Profile = "security-key" },
		"another reason":     func(c *Cell) { c.Reason = "no" },
		"it passed":          func(c *Cell) { c.Outcome = report.Passed },
	} {
		other := c
		change(&other)
		if known(other) != "" {
			t.Errorf("%s: taken for the finding", name)
		}
	}
}
