package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteJUnit writes m as JUnit XML that follows junit-10.xsd of the Jenkins xUnit
// plugin: a test suite for each file of scenarios, a test case for each scenario.
// Failed attempts before a last one are flakyFailure or rerunFailure, as Maven
// Surefire has them. Timeouts count as failures; aborted scenarios as skipped. What the
// bench did wrong is an error. The slots of a bench that a suite used are among its
// properties, as that schema has none for a test case; which device was in which slot
// stands in the output of the test case.
func WriteJUnit(w io.Writer, m *Model) error {
	doc := junitReport(m)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// The elements of junit-10.xsd.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		junitCounts
		Suites []*junitSuite `xml:"testsuite"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		File string `xml:"file,attr,omitempty"`
		junitCounts
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		spent      time.Duration
		slots      map[string]bool // that were used
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name      string `xml:"name,attr"`
		Classname string `xml:"classname,attr"`
		Time      string `xml:"time,attr"`
		Results   []junitResult
		Out       string `xml:"system-out,omitempty"`
	}
	junitResult struct {
		XMLName xml.Name
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
		Trace   string `xml:"stackTrace,omitempty"`
	}
)

func junitReport(m *Model) *junitSuites {
	doc := &junitSuites{Name: xmlText(m.Run.Title), Time: seconds(m.Duration)}
	byFile := map[string]*junitSuite{}
	for _, sc := range m.Scenarios {
		key := cmp.Or(sc.Location.File, sc.group())
		suite := byFile[key]
		if suite == nil {
			suite = m.newSuite(sc)
			byFile[key] = suite
			doc.Suites = append(doc.Suites, suite)
		}
		suite.add(sc)
	}
	for _, u := range m.Run.Slots {
		for _, s := range doc.Suites {
			s.tell(u)
		}
	}
	for _, s := range doc.Suites {
		doc.Tests += s.Tests
		doc.Failures += s.Failures
		doc.Errors += s.Errors
	}
	return doc
}

func (m *Model) newSuite(sc *ScenarioResult) *junitSuite {
	s := &junitSuite{
		Name: xmlText(cmp.Or(sc.Location.File, sc.group())), File: xmlText(sc.Location.File),
		Timestamp: m.Start.UTC().Format("2006-01-02T15:04:05"), slots: map[string]bool{},
	}
	if m.Run.Version != "" {
		s.Properties = append(s.Properties, junitProperty{"version", xmlText(m.Run.Version)})
	}
	if m.Run.Seed != nil {
		s.Properties = append(s.Properties, junitProperty{"seed", fmt.Sprint(*m.Run.Seed)})
	}
	return s
}

// tell adds what is known of a slot of a bench, where the suite used it.
func (s *junitSuite) tell(u SlotUse) {
	if !s.slots[u.Name] {
		return
	}
	for _, p := range []junitProperty{
		{"kind", u.Kind}, {"model", u.Model}, {"firmware", u.Firmware}, {"serial", u.Serial}, {"reached", u.Reached},
		{"health-before", u.Before}, {"health-after", u.After}, {"set-aside", u.SetAside},
	} {
		if p.Value != "" {
			s.Properties = append(s.Properties, junitProperty{"slot." + u.Name + "." + p.Name, xmlText(p.Value)})
		}
	}
}

func (s *junitSuite) add(sc *ScenarioResult) {
	for _, a := range sc.Attempts {
		for _, d := range a.seated() {
			s.slots[d.Slot.Name] = true
		}
	}
	s.Tests++
	switch sc.Outcome() {
	case Failed, Timeout:
		s.Failures++
	case Error:
		s.Errors++
	case Skipped, Aborted:
		s.Skipped++
	}
	s.spent += sc.Duration()
	s.Time = seconds(s.spent)
	s.Cases = append(s.Cases, junitCase{
		Name: xmlText(sc.FullTitle()), Classname: xmlText(sc.ID), Time: seconds(sc.Duration()),
		Results: sc.junitResults(), Out: xmlText(sc.protocol()),
	})
}

// junitResults puts the last attempt first, as Surefire does.
func (s *ScenarioResult) junitResults() []junitResult {
	var out []junitResult
	last := s.Last()
	switch last.Outcome {
	case Skipped, Aborted:
		out = append(out, junitElement("skipped", last.Outcome, cmp.Or(last.Reason, string(last.Outcome)), ""))
	case Error:
		out = append(out, junitElement("error", last.Outcome, last.headline(), last.account()))
	case Failed, Timeout:
		out = append(out, junitElement("failure", last.Outcome, last.headline(), last.account()))
	}
	kind := "rerun"
	if s.Flaky() {
		kind = "flaky"
	}
	for _, a := range s.Attempts[:len(s.Attempts)-1] {
		if !a.Outcome.Bad() {
			continue
		}
		element := kind + "Failure"
		if a.Outcome == Error {
			element = kind + "Error"
		}
		r := junitElement(element, a.Outcome, a.headline(), "")
		r.Trace = xmlText(a.account())
		out = append(out, r)
	}
	return out
}

func junitElement(name string, o Outcome, message, text string) junitResult {
	return junitResult{XMLName: xml.Name{Local: name}, Type: string(o), Message: xmlText(message), Text: xmlText(text)}
}

// headline is the failure in one line, its place first.
func (a *Attempt) headline() string {
	if a.Failure == nil {
		return cmp.Or(a.Reason, string(a.Outcome))
	}
	if at := a.Failure.Location.String(); at != "" {
		return at + ": " + a.Failure.Message
	}
	return a.Failure.Message
}

// account is all there is to say about a failure.
func (a *Attempt) account() string {
	lines := []string{a.headline()}
	if s := a.failedStep(); s != nil {
		lines = append(lines, fmt.Sprintf("step %d: %s", s.Index, s.Text))
	}
	if f := a.Failure; f != nil && f.Device != "" {
		lines = append(lines, "device: "+f.Device)
	}
	lines = append(lines, a.places()...)
	if f := a.Failure; f != nil && f.Hint != "" {
		lines = append(lines, "hint: "+f.Hint)
	}
	return strings.Join(lines, "\n")
}

// protocol lists the steps of every attempt.
func (s *ScenarioResult) protocol() string {
	var b strings.Builder
	for _, a := range s.Attempts {
		if s.Retried() {
			fmt.Fprintf(&b, "attempt %d\n", a.Number)
		}
		for _, place := range a.places() {
			fmt.Fprintf(&b, "    %s\n", clean(place))
		}
		for _, st := range a.Steps {
			if st.Index > 0 {
				fmt.Fprintf(&b, "%2d  %-7s  %s\n", st.Index, st.Outcome, clean(st.Text))
			}
		}
	}
	return b.String()
}

// seconds writes a time as the schema wants it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(d, 0).Seconds()) }

// xmlText replaces what XML 1.0 cannot hold (section 2.2), even escaped.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		ok := r == '\t' || r == '\n' || r >= 0x20 && r < 0xD800 || r >= 0xE000 && r < 0xFFFE || r >= 0x10000
		if !ok {
			return '\uFFFD'
		}
		return r
	}, s)
}
