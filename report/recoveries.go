package report

import (
	"cmp"
	"slices"
	"time"
)

// WayBack sums up the recoveries of a run by one way.
type WayBack struct {
	Way       string // SelfService or Helpdesk
	Started   int
	Recovered int
	Verified  int // in evaluation mode
	Refused   int
	Reasons   []Reason      // of the refusals, the most frequent first
	Median    time.Duration // of those that recovered or were verified, in the scenarios' time
}

// Reason is why recoveries were refused, and how often.
type Reason struct {
	Code  string
	Count int
}

// Open is how many had not ended when their scenario did.
func (w WayBack) Open() int { return w.Started - w.Recovered - w.Verified - w.Refused }

// Recoveries sums up the recoveries of the last attempts, self-service first, and how many
// people whom self-service had refused then got a pass from the helpdesk.
func (m *Model) Recoveries() (all []WayBack, handedOn int) {
	for _, way := range []string{SelfService, Helpdesk} {
		if list := m.recoveriesBy(way); len(list) > 0 {
			all = append(all, sumUpWay(way, list))
		}
	}
	for _, sc := range m.Scenarios {
		if len(sc.Attempts) > 0 {
			handedOn += handedOver(sc.Last().Recoveries)
		}
	}
	return all, handedOn
}

func (m *Model) recoveriesBy(way string) (list []*Recovery) {
	for _, sc := range m.Scenarios {
		if len(sc.Attempts) == 0 {
			continue
		}
		for _, r := range sc.Last().Recoveries {
			if r.Way == way {
				list = append(list, r)
			}
		}
	}
	return list
}

func sumUpWay(way string, list []*Recovery) WayBack {
	w := WayBack{Way: way}
	var took []time.Duration
	counts := map[string]int{}
	for _, r := range list {
		switch r.Outcome {
		case Started:
			w.Started++
		case Recovered:
			w.Recovered++
			took = append(took, r.Took)
		case Verified:
			w.Verified++
			took = append(took, r.Took)
		case Refused:
			w.Refused++
			counts[r.Refused]++
		}
	}
	for code, n := range counts {
		w.Reasons = append(w.Reasons, Reason{code, n})
	}
	slices.SortFunc(w.Reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	if slices.Sort(took); len(took) > 0 {
		w.Median = took[len(took)/2]
	}
	return w
}

// handedOver counts the people of a scenario whom self-service refused and the helpdesk
// served afterwards.
func handedOver(list []*Recovery) (n int) {
	refused := map[string]bool{}
	for _, r := range list {
		switch {
		case r.Way == SelfService && r.Outcome == Refused:
			refused[r.Person] = true
		case r.Way == Helpdesk && r.Outcome == Started && refused[r.Person]:
			refused[r.Person] = false
			n++
		}
	}
	return n
}
