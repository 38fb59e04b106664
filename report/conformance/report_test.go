package conformance

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/conformance/suite"
)

const evil = `<script>alert("x")</script>` + "\u202e"

// sample is a report with an outcome of every kind, whose texts try to be markup.
func sample() *conformance.Report {
	result := func(id, section string, o conformance.Outcome) conformance.Result {
		group, _, _ := strings.Cut(id, ".")
		return conformance.Result{
			ID: id, Group: group, Document: conformance.CTAP, Section: section, Editions: []conformance.Edition{conformance.CTAP23},
			Why: "the rule of " + id, Outcome: o, Took: time.Millisecond,
		}
	}
	failed := result("getinfo.failed", "6.4", conformance.Failed)
	failed.Failures = []conformance.Failure{{Text: evil, Want: "CTAP2_OK", Got: evil, Exchange: 1}}
	failed.Exchanges = []conformance.Exchange{
		{Medium: conformance.OverCBOR, Request: []byte{4}, Response: []byte{0, 0xA1, 1, 0x81, 0x68, 'F', 'I', 'D', 'O', '_', '2', '_', '3'}, Keepalives: []string{"processing"}},
		{Medium: conformance.OverU2F, Request: []byte{0, 3, 0, 0, 0, 0, 0}, Response: []byte{0x69, 0x85}},
		{Medium: conformance.OverReport, Request: []byte{1, 2, 3}, Error: evil},
		{Medium: conformance.OverBench, Note: "cut the power"},
	}
	tolerated := result("getinfo.tolerated", "6.4", conformance.Tolerated)
	tolerated.Deviations = []conformance.SeenDeviation{{What: "another status", Source: "CTAP 2.0 " + evil}}
	lacking := result("bio.lacking", "6.7.4", conformance.NotApplicable)
	lacking.Reason = "no option bioEnroll"
	notRun := result("reset.notrun", "6.6", conformance.NotRun)
	notRun.Reason = "destructive: --allow-destructive"
	broken := result("reset.broken", "6.6", conformance.Errored)
	broken.Reason = evil
	return &conformance.Report{
		Subject: conformance.Subject{Reached: "profile " + evil, AAGUID: "0000", Begun: time.Unix(1700000000, 0).UTC()},
		Results: []conformance.Result{result("getinfo.passed", "6.4", conformance.Passed), failed, tolerated, lacking, notRun, broken},
		Took:    time.Second,
	}
}

func html(t *testing.T, r *conformance.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, r, map[string]string{"getinfo": "authenticatorGetInfo"}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageSaysEverything(t *testing.T) {
	page := html(t, sample())
	for _, want := range []string{
		"authenticatorGetInfo", "CTAP 2.3 section 6.4", "CTAP2_OK", "FIDO_2_3", "U2F_VERSION", "6985", "keepalives: processing",
		"cut the power", "no option bioEnroll", "destructive: --allow-destructive", "another status", "source: CTAP 2.0", "010203",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if failed, passed := strings.Index(page, `id="getinfo.failed"`), strings.Index(page, `id="getinfo.passed"`); failed < 0 || passed < failed {
		t.Errorf("failed case at %d, passed one at %d", failed, passed)
	}
}

func TestPagesEscape(t *testing.T) {
	var coverage bytes.Buffer
	if err := WriteCoverage(&coverage, sample()); err != nil {
		t.Fatal(err)
	}
	for name, page := range map[string]string{"cases": html(t, sample()), "coverage": coverage.String()} {
		if strings.Contains(page, "<script>alert") || strings.Contains(page[strings.Index(page, "<body>"):], "\u202e") {
			t.Errorf("%s: text becomes markup, or turns the direction of writing", name)
		}
		if strings.Contains(page, "http://") || strings.Contains(page, "https://") {
			t.Errorf("%s refers to the network", name)
		}
	}
}

func TestCoverage(t *testing.T) {
	rows := Coverage(sample())
	at := slices.IndexFunc(rows, func(r *Row) bool { return r.Number == "6.4" })
	if at < 0 || len(rows[at].Results) != 3 || rows[at].Title != "authenticatorGetInfo" || rows[at].Counts[conformance.Failed] != 1 {
		t.Fatalf("section 6.4: %+v", rows[max(at, 0)])
	}
	if got, want := Uncovered(rows), len(Catalogue())-3; got != want {
		t.Errorf("%d sections without a case, want %d", got, want)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		key := string(r.Document) + r.Number
		if seen[key] {
			t.Errorf("%s %s stands twice", r.Document, r.Number)
		}
		seen[key] = true
	}
}

// Every section that the suite names has a title.
func TestSectionsHaveTitles(t *testing.T) {
	for _, group := range suite.Groups() {
		for i := range group.Cases {
			rule := group.Cases[i].Rule
			number, _, _ := strings.Cut(rule.Section, " ")
			if !slices.ContainsFunc(Catalogue(), func(s Section) bool { return s.Document == rule.Document && s.Number == number }) {
				t.Errorf("%s: %s has no title", group.Cases[i].ID, rule)
			}
		}
	}
}

func TestSectionsAreRead(t *testing.T) {
	for _, bad := range []string{"CTAP|6.4", "CTAP||x", "a|b|c|d"} {
		if _, err := parseSections(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJUnit(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Suites []struct {
			Name    string `xml:"name,attr"`
			Skipped int    `xml:"skipped,attr"`
			Cases   []struct {
				Out string `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	type counted struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	var c counted
	if err := xml.Unmarshal(b.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	if c != (counted{6, 1, 1}) {
		t.Errorf("%+v", c)
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil || len(got.Suites) != 3 || got.Suites[0].Name != "getinfo" || got.Suites[2].Skipped != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if !strings.Contains(got.Suites[0].Cases[2].Out, "tolerated: another status") {
		t.Errorf("a tolerated case does not say so: %q", got.Suites[0].Cases[2].Out)
	}
}

// A report of many cases stays small enough to open at once.
func TestLargeReport(t *testing.T) {
	r := &conformance.Report{}
	for i := range 500 {
		x := sample().Results[1]
		x.ID = fmt.Sprintf("getinfo.failed-%d", i)
		r.Results = append(r.Results, x)
	}
	if n := len(html(t, r)); n > 4_000_000 {
		t.Errorf("%d bytes for 500 failed cases", n)
	}
}
