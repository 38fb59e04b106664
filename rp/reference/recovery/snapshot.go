package recovery

import (
	"maps"
	"slices"
	"time"
)

// Snapshot is what has to outlive a crash so that nobody gains from one: how often
// was tried, which presentations were shown, which cases there were, and whose pass is
// still to lead to a passkey. There are no secrets in it.
type Snapshot struct {
	Policy  Policy               `json:"policy"`
	Cases   []Interrupted        `json:"cases"`
	Starts  map[string]window    `json:"starts"`
	Shown   map[string]time.Time `json:"shown"`
	Granted []Granted            `json:"granted,omitempty"`
}

// Interrupted is a case that was open when the snapshot was made.
type Interrupted struct {
	Case    string `json:"case"`
	Account string `json:"account"`
}

// Granted is a case that ended in a pass, with which no passkey was registered yet.
type Granted struct {
	Case    string `json:"case"`
	Account string `json:"account"`
	Revoke  bool   `json:"revoke,omitempty"` // what was registered before has to go then
}

// Check tells what a snapshot cannot mean.
func (s Snapshot) Check() error {
	_, err := Normal(s.Policy)
	return err
}

// Snapshot returns the state of the desk as it is now.
func (d *Desk) Snapshot() (s Snapshot) {
	d.Frozen(func(snapshot func() Snapshot) { s = snapshot() })
	return s
}

// Frozen calls do while nothing changes at the desk, with a function that returns its
// state: for whoever keeps more than the desk, and wants both of one moment.
func (d *Desk) Frozen(do func(snapshot func() Snapshot)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	do(d.snapshot)
}

func (d *Desk) snapshot() Snapshot {
	s := Snapshot{Policy: d.policy, Shown: maps.Clone(d.shown), Starts: map[string]window{}}
	for key, w := range d.starts.counts {
		s.Starts[key] = *w
	}
	for _, r := range d.cases {
		if Open(r.state) {
			s.Cases = append(s.Cases, Interrupted{r.id, r.account})
		}
	}
	for _, account := range slices.Sorted(maps.Keys(d.granted)) {
		r := d.granted[account]
		s.Granted = append(s.Granted, Granted{r.id, r.account, r.revoke})
	}
	return s
}

// Restore takes up a snapshot on a new desk. A case that was open then is over: its
// secret, its link and the keys of its callbacks are gone with the process that
// knew them, so that nobody can go on with it, and its owner can start again. The
// start that it cost is given back. A pass that was issued is shown no more, and does
// what it was issued for all the same.
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
	for _, g := range s.Granted {
		d.granted[fold(g.Account)] = &record{id: g.Case, account: g.Account, state: Issued, revoke: g.Revoke}
	}
	for _, c := range s.Cases {
		d.starts.give("account " + fold(c.Account))
		d.note(Event{Case: c.Case, Account: c.Account, Step: StepEnd, Reason: CaseInterrupted, Detail: "start again"})
	}
}
