package interop

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fido-emu/rp/audit"
)

var (
	update = flag.Bool("update", false, "write the records of audits anew")
	pages  = flag.Bool("pages", false, "audit the servers that are driven through their pages too, which takes minutes")
)

// TestAudits audits every server that was fetched, and holds what was found against the
// record.
func TestAudits(t *testing.T) {
	for _, target := range Targets() {
		t.Run(target.Name, func(t *testing.T) {
			if target.Pages && !*pages {
				t.Skip("it takes minutes; -pages audits it")
			}
			r, err := target.Audit(t.Context(), root, cache)
			if absent, ok := errors.AsType[*Absent](err); ok {
				t.Skip(absent.Why)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, file := target.Record(r).String(), target.RecordFile(root)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range differing(got, string(want)) {
				t.Error(line)
			}
		})
	}
}

// differing lists the lines of one text that the other has not.
func differing(got, want string) (lines []string) {
	ours, theirs := strings.Split(got, "\n"), strings.Split(want, "\n")
	for _, line := range ours {
		if !slices.Contains(theirs, line) {
			lines = append(lines, "found now:    "+line)
		}
	}
	for _, line := range theirs {
		if !slices.Contains(ours, line) {
			lines = append(lines, "found before: "+line)
		}
	}
	return lines
}

// record reads the record of a server.
func record(t *testing.T, target Target) Record {
	t.Helper()
	text, err := os.ReadFile(target.RecordFile(root))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecord(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if r.String() != string(text) {
		t.Errorf("%s is not as it is written", target.RecordFile(root))
	}
	return r
}

// reading is a row of the documentation: what somebody read in the sources of servers
// of why they accept attacks.
type reading struct {
	servers []string // as [Target.Name]; empty for all
	verdict audit.Verdict
	attacks []string // patterns
	row     string
	used    map[string]bool
}

// TestFindingsWereRead holds the records against docs/audit.md: each finding at each
// server has one row that says where it is in the source, and each row a finding.
func TestFindingsWereRead(t *testing.T) {
	doc, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := readings(t, string(doc))
	for _, target := range Targets() {
		r := record(t, target)
		if !strings.HasPrefix(r.Head, target.Library+" "+target.Version+", ") {
			t.Errorf("the record is of %q, and the server is %s %s", r.Head, target.Library, target.Version)
		}
		if _, counts, _ := strings.Cut(r.Head, " attacks: "); !strings.Contains(string(doc), "| "+counts+" |") {
			t.Errorf("docs/audit.md does not say of %s: %s", target.Name, counts)
		}
		for _, f := range r.Findings {
			if n := covering(rows, target.Name, f); n != 1 {
				t.Errorf("%s: %s %s has %d rows in docs/audit.md", target.Name, f.Verdict, f.Attack, n)
			}
		}
	}
	for _, row := range rows {
		for _, attack := range row.attacks {
			if !row.used[attack] {
				t.Errorf("nothing was %s by %s: %s", row.verdict, attack, row.row)
			}
		}
	}
}

// covering counts the rows about a finding at a server.
func covering(rows []reading, server string, f Finding) (n int) {
	for _, row := range rows {
		if row.verdict != f.Verdict || len(row.servers) > 0 && !slices.Contains(row.servers, server) {
			continue
		}
		for _, pattern := range row.attacks {
			if fits, _ := path.Match(pattern, f.Attack); fits {
				row.used[pattern] = true
				n++
			}
		}
	}
	return n
}

// named returns the server that the documentation calls so, empty for none.
func named(name string) string {
	return map[string]string{
		"go-webauthn": "gowebauthn", "SimpleWebAuthn": "simplewebauthn", "better-auth": "betterauth", "fido2-lib": "fido2lib",
		"py_webauthn": "pywebauthn", "Java": "yubico", "Keycloak": "keycloak",
	}[name]
}

var code = regexp.MustCompile("`([^`]+)`")

// readings reads the rows that have a verdict in the second column: servers, verdict,
// attacks, source and meaning.
func readings(t *testing.T, doc string) (rows []reading) {
	t.Helper()
	for line := range strings.Lines(doc) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 5 || !slices.Contains(audit.Verdicts(), audit.Verdict(strings.TrimSpace(cells[1]))) {
			continue
		}
		row := reading{verdict: audit.Verdict(strings.TrimSpace(cells[1])), row: fmt.Sprintf("%.80s", line), used: map[string]bool{}}
		said := strings.TrimSpace(cells[0])
		for _, name := range strings.Split(strings.TrimPrefix(said, "all but "), ", ") {
			if said != "all" && named(name) == "" {
				t.Errorf("no server is called %q: %s", name, row.row)
			}
			row.servers = append(row.servers, named(name))
		}
		row.servers = about(said, row.servers)
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			row.attacks = append(row.attacks, m[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// about returns the servers that a row is about, empty for all.
func about(said string, named []string) []string {
	if said == "all" {
		return nil
	}
	if !strings.HasPrefix(said, "all but ") {
		return named
	}
	var rest []string
	for _, target := range Targets() {
		if !slices.Contains(named, target.Name) {
			rest = append(rest, target.Name)
		}
	}
	return rest
}

func TestParseRecord(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "no findings": "head", "a line of one word": "head\n\naccepted\n"} {
		if _, err := ParseRecord(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
