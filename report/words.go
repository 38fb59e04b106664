package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
)

// order is how outcomes are listed.
var order = [...]Outcome{Passed, Failed, Error, Timeout, Aborted, Skipped}

// verdict says how a scenario ended, in words: "passed on attempt 2 of 3".
func (s *ScenarioResult) verdict() string {
	last := s.Last()
	if last.Outcome.Bad() && slices.ContainsFunc(s.Attempts, func(a *Attempt) bool { return a.Outcome == Passed }) {
		return string(last.Outcome) + ", and passed before"
	}
	alike := !slices.ContainsFunc(s.Attempts, func(a *Attempt) bool { return a.Outcome != last.Outcome })
	return verdict(s.Scenario, last, alike)
}

// verdict is that of a scenario after an attempt; alike tells that all attempts ended so.
func verdict(s Scenario, a *Attempt, alike bool) string {
	word := string(a.Outcome)
	allowed := max(s.Attempts, a.Number)
	switch {
	case allowed < 2 || a.Outcome == Skipped || a.Outcome == Aborted:
		return word
	case a.Outcome == Passed && a.Number == 1:
		return word
	case a.Outcome == Passed || a.Number < allowed || !alike:
		return fmt.Sprintf("%s on attempt %d of %d", word, a.Number, allowed)
	}
	if allowed == 2 {
		return word + " on both attempts"
	}
	return fmt.Sprintf("%s on all %d attempts", word, allowed)
}

// tally says how a run went: "12 passed (1 after a retry), 1 failed".
func (m *Model) tally() string {
	flaky := 0
	for _, sc := range m.Scenarios {
		if sc.Flaky() {
			flaky++
		}
	}
	var parts []string
	for _, o := range order {
		n := m.Counts[o]
		if n == 0 {
			continue
		}
		part := fmt.Sprintf("%d %s", n, o)
		if o == Passed && flaky > 0 {
			part += fmt.Sprintf(" (%d after a retry)", flaky)
		}
		parts = append(parts, part)
	}
	if parts == nil {
		return "no scenarios"
	}
	return strings.Join(parts, ", ")
}

// plural says "1 step", "2 steps".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// span says how long something took, in three figures or so.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
}

// variant lists the values of a matrix: "device=yubikey-5 transport=nfc".
func (s Scenario) variant() string {
	var parts []string
	for k, v := range s.Matrix {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// group is the part of the ID before its name: "loss" of "loss/only-key-lost".
func (s Scenario) group() string {
	id, _, _ := strings.Cut(s.ID, "[")
	if dir := path.Dir(id); dir != "." {
		return dir
	}
	return "scenarios"
}

// clean makes text safe for a terminal and for one line: control and other
// invisible characters become spaces.
func clean(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}
