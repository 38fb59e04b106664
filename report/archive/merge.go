package archive

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fido-emu/report"
)

// Merge sends the events of several runs to sinks as those of one, which it closes. A
// scenario that is in several has one attempt after the other, in the order of the
// runs, so that a second run of what failed in the first shows as a retry. A run that
// broke off is completed.
func Merge(runs []*Run, title string, sinks ...report.Sink) error {
	m := merger{attempts: map[string]int{}}
	m.stream = report.NewStream(func() time.Time { return m.clock }, sinks...)
	m.clock = earliest(runs)
	whole := describe(runs, title)
	m.stream.Emit(report.Event{Kind: report.RunStart, Run: whole})
	var spent time.Duration
	for _, r := range runs {
		m.add(r)
		spent += r.Model.Duration
	}
	end := *whole
	end.Plan, end.Rules, end.Slots = nil, nil, slots(runs)
	m.stream.Emit(report.Event{Kind: report.RunEnd, Run: &end, Duration: spent})
	return m.stream.Close()
}

// merger passes events on.
type merger struct {
	stream   *report.Stream
	clock    time.Time      // of the event under way
	attempts map[string]int // by scenario, in the runs before
}

// add sends the events of a run, but for its start and end.
func (m *merger) add(r *Run) {
	most := map[string]int{}
	for _, e := range report.Complete(r.Events) {
		if e.Kind == report.RunStart || e.Kind == report.RunEnd {
			continue
		}
		if e.ScenarioID != "" {
			most[e.ScenarioID] = max(most[e.ScenarioID], e.Attempt, 1)
			e.Attempt = max(e.Attempt, 1) + m.attempts[e.ScenarioID]
		}
		if !e.Time.IsZero() { // what completes a run that broke off has no time of its own
			m.clock = e.Time
		}
		m.stream.Emit(e)
	}
	for id, n := range most {
		m.attempts[id] += n
	}
}

func earliest(runs []*Run) time.Time {
	first := runs[0].Model.Start
	for _, r := range runs {
		if r.Model.Start.Before(first) {
			first = r.Model.Start
		}
	}
	return first
}

// describe makes one run of several. Versions and seeds that differ are not told.
func describe(runs []*Run, title string) *report.Run {
	first := runs[0].Model.Run
	whole := &report.Run{Title: title, Version: first.Version, Seed: first.Seed, Rules: first.Rules}
	var titles []string
	seen := map[string]bool{}
	for _, r := range runs {
		run := r.Model.Run
		if run.Version != whole.Version {
			whole.Version = ""
		}
		if whole.Seed != nil && (run.Seed == nil || *run.Seed != *whole.Seed) {
			whole.Seed = nil
		}
		if !slices.Contains(titles, run.Title) {
			titles = append(titles, run.Title)
		}
		for _, sc := range run.Plan {
			if !seen[sc.ID] {
				seen[sc.ID] = true
				whole.Plan = append(whole.Plan, sc)
			}
		}
	}
	whole.Title, whole.Scenarios = cmp.Or(title, strings.Join(titles, " + ")), len(whole.Plan)
	return whole
}

// slots tells how the slots of benches fared in several runs.
func slots(runs []*Run) (all []report.SlotUse) {
	for _, r := range runs {
		for _, s := range r.Model.Run.Slots {
			i := slices.IndexFunc(all, func(o report.SlotUse) bool { return same(o.Seat, s.Seat) })
			if i < 0 {
				all = append(all, s)
				continue
			}
			o := all[i]
			s.Used, s.Before = s.Used+o.Used, o.Before
			s.Firmware, s.Serial = cmp.Or(s.Firmware, o.Firmware), cmp.Or(s.Serial, o.Serial)
			s.Faults, s.Waited = slices.Concat(o.Faults, s.Faults), cmp.Or(o.Waited, s.Waited)
			all[i] = s
		}
	}
	return all
}

// same tells whether two runs had the same slot. What a key says of itself is not known of
// one that was not opened.
func same(a, b report.Seat) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.Model == b.Model && (a.Serial == b.Serial || a.Serial == "" || b.Serial == "")
}
