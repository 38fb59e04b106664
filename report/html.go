package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed page/page.css
var pageCSS string

//go:embed page/page.js
var pageJS string

//go:embed page/page.html.tmpl
var pageTemplate string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"span": span, "plural": plural, "tree": tree, "pretty": pretty, "mark": outcomeMark, "size": size, "visible": visible, "lines": lines, "brief": brief, "picture": picture, "tenths": tenths, "attached": attached, "seat": slotAnchor,
}).Parse(pageTemplate))

// WriteHTML writes m as one self-contained page: it opens from a file, loads
// nothing and can be read without its script. Its content security policy allows
// its own style and script alone.
func WriteHTML(w io.Writer, m *Model) error {
	return page.Execute(w, newPageView(m))
}

// pageView is what the template draws.
type pageView struct {
	*Model
	CSS       template.CSS
	JS        template.JS
	Policy    string
	Tally     string
	Bar       []barPart
	Labels    []string
	Scenarios []*scenarioView
	Bad       []*scenarioView
	Retried   []*scenarioView // that passed, but not at first
	Skips     []skip
	Ran       bool // something passed
	Coverage  []ruleGroup
	Measured  []*measured
	Loose     []eventView // that belong to no scenario
	Methods   []MethodUse // of sign-ins
	Ways      []WayBack   // into accounts
	HandedOn  int         // recoveries that went on at the helpdesk
	Slots     []slotView  // of a bench, in its order
}

// maxOpen is how many bad scenarios stand open from the start.
const maxOpen = 8

// barPart is a part of the bar of outcomes; X and Width are in thousandths of it.
type barPart struct {
	Outcome         Outcome
	Count, X, Width int
}

type scenarioView struct {
	*ScenarioResult
	Anchor  string
	Variant string
	Verdict string
	Lanes   []laneView
	Tries   []*attemptView
	Search  string // what the filter box looks in, lower case
	Open    bool
}

// laneView is a device, or the pages of the relying party, with its colour.
type laneView struct {
	Device
	Colour int // 0 to 7
}

type attemptView struct {
	*Attempt
	Anchor string
	Chart  chart
	Steps  []*stepView
	Failed *StepResult
	Seats  []laneView // devices, with their slots
	Show   bool       // it is the last attempt
}

type stepView struct {
	*StepResult
	Anchor string
	Lane   *laneView // nil for a step of no device
	Why    *Failure  // nil when the attempt's failure says the same
	Events []eventView
}

type eventView struct {
	*Event
	Lane *laneView // nil when it is the step's
}

func newPageView(m *Model) *pageView {
	v := &pageView{
		Model: m, CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Tally: m.tally(), Bar: outcomeBar(m),
		Policy: Policy(pageCSS, pageJS),
	}
	v.Methods = m.Methods()
	v.Ways, v.HandedOn = m.Recoveries()
	anchors := map[string]int{}
	labels := map[string]bool{}
	for _, sc := range m.Scenarios {
		s := newScenarioView(sc, anchor(sc.ID, anchors))
		v.Scenarios = append(v.Scenarios, s)
		if sc.Outcome().Bad() {
			s.Open = len(v.Bad) < maxOpen
			v.Bad = append(v.Bad, s)
		}
		if sc.Flaky() {
			v.Retried = append(v.Retried, s)
		}
		for _, l := range sc.Labels {
			if !labels[l] {
				labels[l] = true
				v.Labels = append(v.Labels, l)
			}
		}
	}
	slices.Sort(v.Labels)
	v.Skips, v.Ran = skips(m), m.Counts[Passed] > 0
	v.Slots = slotViews(m, v.Scenarios)
	v.Coverage = coverage(m.Run.Rules, v.Scenarios)
	v.Measured = measurements(m.Scenarios)
	for _, e := range m.Events {
		v.Loose = append(v.Loose, eventView{Event: e})
	}
	return v
}

func policyHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// outcomeBar divides a bar of 1000 by the counts, every part wide enough to see.
func outcomeBar(m *Model) []barPart {
	var parts []barPart
	x := 0
	for _, o := range order {
		if n := m.Counts[o]; n > 0 {
			w := max(12, 1000*n/len(m.Scenarios))
			parts = append(parts, barPart{o, n, x, w})
			x += w
		}
	}
	return parts
}

// anchor turns an ID into a fragment that needs no escaping, unique in used.
func anchor(id string, used map[string]int) string {
	a := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/-_.=", r) {
			return r
		}
		return '-'
	}, id), "-")
	used[a]++
	if n := used[a]; n > 1 || a == "" {
		a = fmt.Sprintf("%s~%d", a, n)
	}
	return a
}

func newScenarioView(sc *ScenarioResult, anchor string) *scenarioView {
	v := &scenarioView{ScenarioResult: sc, Anchor: anchor, Variant: sc.variant(), Verdict: sc.verdict()}
	v.Lanes = lanes(sc)
	words := append([]string{sc.ID, sc.Title, v.Variant, v.Verdict}, sc.Labels...)
	for _, l := range v.Lanes {
		words = append(words, l.Name, l.Profile)
	}
	v.Search = strings.ToLower(strings.Join(words, " "))
	for i, a := range sc.Attempts {
		for _, d := range a.seated() {
			v.Search += " " + strings.ToLower(d.Slot.Name)
		}
		var seats []laneView
		for _, d := range a.Devices {
			if l := v.lane(d.Name); l != nil {
				seats = append(seats, laneView{d, l.Colour})
			}
		}
		t := &attemptView{Attempt: a, Anchor: fmt.Sprintf("%s:%d", anchor, a.Number), Failed: a.failedStep(), Seats: seats, Show: i == len(sc.Attempts)-1}
		for _, s := range a.Steps {
			t.Steps = append(t.Steps, v.newStepView(a, s, t.Anchor))
		}
		t.Chart = newChart(v, t)
		v.Tries = append(v.Tries, t)
	}
	return v
}

func (v *scenarioView) newStepView(a *Attempt, s *StepResult, attempt string) *stepView {
	view := &stepView{StepResult: s, Anchor: fmt.Sprintf("%s:%d", attempt, s.Index), Lane: v.lane(s.Device), Why: s.Failure}
	if s.Failure != nil && a.Failure != nil && *s.Failure == *a.Failure {
		view.Why = nil
	}
	for _, e := range s.Events {
		ev := eventView{Event: e}
		if e.Device != s.Device {
			ev.Lane = v.lane(e.Device)
		}
		view.Events = append(view.Events, ev)
	}
	return view
}

// lanes lists the devices of a scenario, those it names first.
func lanes(sc *ScenarioResult) []laneView {
	var out []laneView
	seen := map[string]bool{"": true}
	add := func(d Device) {
		if !seen[d.Name] {
			seen[d.Name] = true
			out = append(out, laneView{d, len(out) % 8})
		}
	}
	for _, d := range sc.Devices {
		add(d)
	}
	for _, a := range sc.Attempts {
		for _, s := range a.Steps {
			add(Device{Name: s.Device})
			for _, e := range s.Events {
				add(Device{Name: e.Device})
			}
		}
	}
	return out
}

func (v *scenarioView) lane(device string) *laneView {
	for i := range v.Lanes {
		if v.Lanes[i].Name == device {
			return &v.Lanes[i]
		}
	}
	return nil
}
