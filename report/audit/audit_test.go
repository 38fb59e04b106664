package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	reports "fido-emu/report/audit"
	"fido-emu/rp/audit"
	"fido-emu/rp/audit/double"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// leaky is the report on a relying party that checks neither origins nor signatures,
// and takes counters as they come.
var leaky = sync.OnceValues(func() (*audit.Report, error) {
	without := []string{"authentication.origin", "authentication.signature", "authentication.counter"}
	return double.Audit(context.Background(), without, rand.NewChaCha8([32]byte{9}), func() time.Time { return at })
})

func sample(t *testing.T) *audit.Report {
	t.Helper()
	r, err := leaky()
	if err != nil {
		t.Fatal(err)
	}
	if r.Count(audit.Accepted) < 20 || r.Count(audit.Tolerated) < 10 || r.Count(audit.Refused) < 200 {
		t.Fatalf("not the report that was meant: %s", reports.Summary(r))
	}
	return r
}

func page(t *testing.T, r *audit.Report, problem error) string {
	t.Helper()
	var b bytes.Buffer
	if err := reports.WriteHTML(&b, r, problem); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageSaysEverything(t *testing.T) {
	r := sample(t)
	html := page(t, r, nil)
	for _, one := range r.Results {
		if !strings.Contains(html, `id="`+one.ID+`"`) {
			t.Errorf("%s is missing", one.ID)
		}
	}
	for _, want := range []string{"evil.example", "the worst is critical", "anybody signs in as anybody", "sctn-verifying-assertion"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(html, "src=") || strings.Contains(html, "@import") {
		t.Error("the page loads something")
	}
	if !strings.Contains(page(t, r, errors.New("the bench is on fire")), "the bench is on fire") {
		t.Error("why the audit ended is not said")
	}
}

// What a relying party says is text, whatever it looks like.
func TestPageEscapes(t *testing.T) {
	r := *sample(t)
	r.RelyingParty, r.Left = "<script>alert(1)</script>", []string{"<b>"}
	r.Results = []audit.Result{{Attack: r.Results[0].Attack, Verdict: audit.Accepted, Why: "<img src=x>", Exchanges: []audit.Exchange{
		{Origin: "\"><svg>", ClientData: "</pre><script>", Options: json.RawMessage(`{"a":"</script>"}`)},
	}}}
	html := page(t, &r, nil)
	for _, bad := range []string{"<script>alert", "<img", "<b></", "\"><svg", "</pre><script>", `"</script>"`} {
		if strings.Contains(html, bad) {
			t.Errorf("%q got through", bad)
		}
	}
}

func TestJUnit(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := reports.WriteJUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Tests != len(r.Results) || doc.Failures != r.Count(audit.Accepted) || doc.Errors != r.Count(audit.Broken) {
		t.Errorf("%+v of %s", doc, reports.Summary(r))
	}
}

func TestSARIF(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := reports.WriteSARIF(&b, r, "1", true); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Kind      string
				Level     string
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run, failed := log.Runs[0], 0
	for _, one := range run.Results {
		if run.Tool.Driver.Rules[one.RuleIndex].ID != one.RuleID {
			t.Errorf("%s has the rule of another", one.RuleID)
		}
		if (one.Kind == "fail") == (one.Level == "none") { // SARIF 2.1.0, section 3.27.10
			t.Errorf("%s: kind %s, level %s", one.RuleID, one.Kind, one.Level)
		}
		if one.Kind == "fail" {
			failed++
		}
	}
	if log.Version != "2.1.0" || failed != len(r.Findings()) {
		t.Errorf("version %s, %d failed of %d", log.Version, failed, len(r.Findings()))
	}
}

func TestConsole(t *testing.T) {
	r := sample(t)
	var plain, colourful bytes.Buffer
	for b, colour := range map[*bytes.Buffer]bool{&plain: false, &colourful: true} {
		if err := (reports.Console{Colour: colour}).Write(b, r); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(colourful.String(), "\x1b[31;1mACCEPTED critical") {
		t.Error("colours where there are none, or none where there are")
	}
	first, _, _ := strings.Cut(plain.String(), "\n")
	if !strings.HasPrefix(first, "ACCEPTED critical") {
		t.Errorf("the worst does not come first: %s", first)
	}
	if !strings.Contains(plain.String(), "WebAuthn Level 3, 7.2 step 12: the origin is one that is expected") {
		t.Error("rules are not in words")
	}
}
