package recovery

import (
	"maps"
	"slices"
	"time"
)

// Snapshot is what has to outlive a crash so that nobody gains from one: how often
// was tried, which presentations were shown, and which cases there were. There are
// no secrets in it.
type Snapshot struct {
	Policy Policy               `json:"policy"`
	Cases  []Interrupted        `json:"cases"`
	Starts map[string]window    `json:"starts"`
	Shown  map[string]time.Time `json:"shown"`
}

// Interrupted is a case that was open when the snapshot was made.
type Interrupted struct {
	Case    string `json:"case"`
	Account string `json:"account"`
}

// Snapshot returns the state of the desk as it is now.
func (d *Desk) Snapshot() Snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Snapshot{Policy: d.policy, Shown: maps.Clone(d.shown), Starts: map[string]window{}}
	for key, w := range d.starts.counts {
		s.Starts[key] = *w
	}
	for _, r := range d.cases {
		if Open(r.state) {
			s.Cases = append(s.Cases, Interrupted{r.id, r.account})
		}
	}
	return s
}

// Restore takes up a snapshot on a new desk. A case that was open then is over: its
// secret, its link and the keys of its callbacks are gone with the process that
// knew them, so that nobody can go on with it, and its owner can start again. The
// start that it cost is given back.
func (d *Desk) Restore(s Snapshot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policy = s.Policy
	d.shown = maps.Clone(s.Shown)
	if d.shown == nil {
		d.shown = map[string]time.Time{}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Starts)) {
		w := s.Starts[key]
		d.starts.counts[key] = &w
	}
	for _, c := range s.Cases {
		d.starts.give("account " + fold(c.Account))
		d.note(Event{Case: c.Case, Account: c.Account, Step: StepEnd, Reason: CaseInterrupted, Detail: "start again"})
	}
}
