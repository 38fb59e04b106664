package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGitHub: what failed is an error at its line, what passed after a retry a
// warning, and text cannot begin a command of its own.
func TestGitHub(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.md")
	var out strings.Builder
	g := NewGitHub(&out, file)
	at := Location{File: "a,b.yaml", Line: 7}
	for _, e := range []Event{
		{Kind: RunStart, Run: &Run{Title: "nightly"}},
		{Kind: ScenarioStart, ScenarioID: "x", Scenario: &Scenario{ID: "x", Title: "One | two", Location: at}},
		{Kind: ScenarioEnd, ScenarioID: "x", Outcome: Failed, Failure: &Failure{Message: "no\n::error::forged 100%", Location: at}},
		{Kind: ScenarioStart, ScenarioID: "y", Attempt: 1, Scenario: &Scenario{ID: "y", Title: "Retried", Attempts: 2}},
		{Kind: ScenarioEnd, ScenarioID: "y", Attempt: 1, Outcome: Timeout, Failure: &Failure{Message: "late"}},
		{Kind: ScenarioStart, ScenarioID: "y", Attempt: 2, Scenario: &Scenario{ID: "y", Title: "Retried", Attempts: 2}},
		{Kind: ScenarioEnd, ScenarioID: "y", Attempt: 2, Outcome: Passed},
		{Kind: ScenarioStart, ScenarioID: "z", Scenario: &Scenario{ID: "z", Title: "Fine"}},
		{Kind: ScenarioEnd, ScenarioID: "z", Outcome: Passed},
		{Kind: RunEnd, Run: &Run{Title: "nightly"}},
	} {
		if err := g.Event(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	want := "::error file=a%2Cb.yaml,line=7,title=One | two%3A failed::a,b.yaml:7: no%0A::error::forged 100%25\n" +
		"::warning file=,line=1,title=Retried%3A passed on attempt 2 of 2::late\n"
	if out.String() != want {
		t.Errorf("annotations\n%swant\n%s", out.String(), want)
	}
	summary, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"## ✗ nightly", `| ✗ | One \| two | a,b.yaml:7: no<br>::error::forged 100% |`, "| ✓ | Retried | late |", "| ✓ | Fine | 0.0 ms |"} {
		if !strings.Contains(string(summary), line) {
			t.Errorf("the summary lacks %q:\n%s", line, summary)
		}
	}
}
