// Package fidoemu holds the test of the module's structure; it has no code.
package fidoemu

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "fido-emu/"

// arrows says, for each room, which other rooms it may import
// (docs/architecture.md). A room is a folder with all below it; the longest match
// counts. A room may always import itself.
var arrows = map[string][]string{
	"ctap":               {},
	"ctap/cose":          {"ctap"},
	"ctap/pinuv":         {"ctap", "ctap/cose"},
	"ctap/trace":         {"ctap", "ctap/cose"},
	"ctap/authenticator": {"ctap", "ctap/cose", "ctap/pinuv"},
	"ctap/platform":      {"ctap", "ctap/cose", "ctap/pinuv"},
	"ctap/conformance":   {"ctap", "ctap/cose", "ctap/pinuv", "hid", "attestation"},
	"attestation":        {"ctap", "ctap/cose", "ctap/authenticator"},
	"state":              {"ctap", "ctap/cose", "ctap/authenticator"},
	"tpmsim":             {"ctap", "ctap/cose", "ctap/authenticator", "attestation"},
	"keychain":           {"ctap", "ctap/cose", "ctap/authenticator", "state"},
	"fixtures":           {"ctap", "ctap/cose", "ctap/authenticator", "hid"},
	"fixtures/finger":    {"fixtures", "fixtures/emulator"},
	"fixtures/power":     {"hid", "fixtures", "fixtures/emulator"},
	"fixtures/lab":       {},
	"fixtures/mds":       {"ctap", "ctap/authenticator", "attestation", "fixtures"},
	"fixtures/reach":     {"ctap", "hid", "ctap/platform", "fixtures"},
	"fixtures/bench":     {"ctap", "hid", "ctap/cose", "ctap/authenticator", "ctap/conformance", "tpmsim", "fixtures", "fixtures/emulator", "fixtures/reach"},
	"fixtures/slots":     {"ctap", "hid", "ctap/cose", "ctap/authenticator", "ctap/platform", "state", "fixtures", "fixtures/emulator", "fixtures/finger", "fixtures/power", "fixtures/reach", "grammar"},
	"fixtures/emulator":  {"ctap", "hid", "ctap/cose", "ctap/authenticator", "ctap/platform", "ctap/trace", "attestation", "state", "tpmsim", "keychain", "fixtures", "fixtures/mds"},
	"docs/doctest":       {},
	"webauthn":           {"ctap", "ctap/cose", "ctap/platform"},
	"hid":                {"ctap", "ctap/cose"},
	"report":             {"ctap", "ctap/cose", "ctap/trace", "grammar"},
	"report/audit":       {"report", "rp/audit"},
	"report/conformance": {"ctap", "ctap/trace", "ctap/conformance", "report"},
	"rp":                 {"ctap", "ctap/cose", "attestation", "state", "webauthn", "identity", "grammar"},
	"grammar":            {},
	"rp/audit":           {"ctap", "ctap/cose", "ctap/authenticator", "attestation", "webauthn", "rp"},
	"scenarios":          {"ctap", "hid", "ctap/cose", "ctap/authenticator", "ctap/platform", "ctap/trace", "attestation", "state", "tpmsim", "keychain", "fixtures", "fixtures/mds", "fixtures/reach", "fixtures/slots", "identity", "webauthn", "report", "rp", "grammar"},
	"identity":           {"ctap", "ctap/cose", "ctap/authenticator", "state"},
	"interop":            {"report", "rp", "rp/audit", "scenarios"},
	"cmd":                {"ctap", "hid", "ctap/cose", "ctap/authenticator", "ctap/platform", "ctap/conformance", "ctap/trace", "attestation", "state", "tpmsim", "keychain", "fixtures", "fixtures/bench", "fixtures/emulator", "fixtures/finger", "fixtures/lab", "fixtures/power", "fixtures/reach", "fixtures/slots", "identity", "webauthn", "report", "report/audit", "report/conformance", "rp", "rp/audit", "grammar", "scenarios"},
	"benchmarks":         {"ctap", "hid", "ctap/cose", "ctap/authenticator", "ctap/platform", "attestation", "keychain", "fixtures", "fixtures/lab", "fixtures/reach", "fixtures/slots", "webauthn", "report", "rp", "scenarios"},
}

// mayUseCgo are the packages behind which C stays; everything else builds without.
var mayUseCgo = []string{"hid/usb", "hid/usb/hub", "tpmsim"}

// impure must not be imported by ctap and what is under it.
var impure = []string{"os", "os/exec", "net", "net/http", "syscall"}

type goPackage struct {
	ImportPath string
	Imports    []string
	CgoFiles   []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,CgoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
}

// room returns the longest room that a package is in.
func room(pkg string) string {
	for ; pkg != "."; pkg = path.Dir(pkg) {
		if _, ok := arrows[pkg]; ok {
			return pkg
		}
	}
	return ""
}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath == strings.TrimSuffix(module, "/") {
			continue
		}
		from := room(p.ImportPath)
		if from == "" {
			t.Errorf("%s is in no room: give it a place in docs/architecture.md and in arrows", p.ImportPath)
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			if to = room(to); to != from && !slices.Contains(arrows[from], to) {
				t.Errorf("%s imports %s: no arrow leads from %s to %s", p.ImportPath, imported, from, to)
			}
		}
	}
}

func TestArrowsHaveNoCycle(t *testing.T) {
	var walk func(r string, above []string)
	walk = func(r string, above []string) {
		if slices.Contains(above, r) {
			t.Fatalf("cycle: %s", strings.Join(append(above, r), " → "))
		}
		for _, to := range arrows[r] {
			walk(to, append(slices.Clone(above), r))
		}
	}
	for r := range arrows {
		walk(r, nil)
	}
}

func TestCoreIsPure(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath == "ctap/authenticator/storetest" { // a test in a package's form
			continue
		}
		if p.ImportPath != "ctap" && !strings.HasPrefix(p.ImportPath, "ctap/") {
			continue
		}
		for _, i := range p.Imports {
			if slices.Contains(impure, i) || strings.HasPrefix(i, module+"hid") && !judgesTransport(p.ImportPath, i) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
}

// judgesTransport tells whether an import is that of CTAPHID by the suite, which
// judges CTAPHID too; it opens no devices.
func judgesTransport(from, imported string) bool {
	return room(from) == "ctap/conformance" && imported == module+"hid"
}

func TestCgoStaysBehindTwoDoors(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.CgoFiles) > 0 && !slices.Contains(mayUseCgo, p.ImportPath) {
			t.Errorf("%s uses cgo in %v", p.ImportPath, p.CgoFiles)
		}
	}
}

func TestNamesSayWhatIsInside(t *testing.T) {
	for _, p := range packages(t) {
		switch base := path.Base(p.ImportPath); base {
		case "util", "utils", "common", "helper", "helpers", "misc":
			t.Errorf("%s: the name %s says nothing", p.ImportPath, base)
		}
	}
}
