package proofing

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"fido-emu/identity/document"
	"fido-emu/identity/person"
)

// record is a session as it is kept. A record is never changed: change makes another.
type record struct {
	ID       string        `json:"id"`
	Provider string        `json:"provider"`
	Relying  string        `json:"relying"`
	Request  Request       `json:"request"`
	Repeat   string        `json:"repeat,omitempty"` // hash of the idempotency key
	Kinds    []person.Kind `json:"kinds"`
	Link     string        `json:"link"`             // hash
	Device   string        `json:"device,omitempty"` // hash
	Code     string        `json:"code,omitempty"`   // hash, of a hand-over
	CodeEnds time.Time     `json:"codeEnds,omitzero"`
	Expires  time.Time     `json:"expires"`
	Changed  time.Time     `json:"changed"`
	Version  int           `json:"version"`

	Status    Status        `json:"status"`
	Step      int           `json:"step"`  // index in the provider's steps
	Tries     int           `json:"tries"` // at this step
	Reasons   []Reason      `json:"reasons,omitempty"`
	Challenge []person.Pose `json:"challenge,omitempty"`
	Document  *kept         `json:"document,omitempty"`
	Match     int           `json:"match,omitempty"`
	Offers    int           `json:"offers,omitempty"`
	Delivered bool          `json:"delivered,omitempty"`

	offer *Offer // the last; not kept, because its codes are secrets
	url   string // the link in the clear, for requests that are repeated; not kept
}

// kept is what stays of a document.
type kept struct {
	Data     document.Data `json:"data"`
	Portrait []byte        `json:"portrait"`
}

// step returns where the session stands.
func (r *record) step(p *Provider) Step {
	if r.Status != Pending || r.Step >= len(p.Steps) {
		return Done
	}
	return p.Steps[r.Step]
}

// change replaces a record by what edit makes of a copy. Nothing happens if edit fails,
// if the record has changed since it was read, or if the change cannot be saved.
func (s *Service) change(old *record, edit func(*record) error) (*record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeLocked(old, edit)
}

func (s *Service) changeLocked(old *record, edit func(*record) error) (*record, error) {
	if now := s.sessions[old.ID]; now != old {
		return nil, refuse(http.StatusConflict, CodeWrongStep, "something else happened to the session at the same time; ask for its state and go on from there")
	}
	r := *old
	r.Version++
	r.Changed = s.config.Now().UTC()
	s.fresh = nil
	err := edit(&r)
	if err == nil {
		err = s.put(&r, old)
	}
	if err != nil {
		for _, f := range s.fresh {
			delete(s.seen, f)
		}
		return nil, err
	}
	return &r, nil
}

// put keeps a record, and brings the old one back if it cannot be saved.
func (s *Service) put(r, old *record) error {
	s.sessions[r.ID] = r
	err := s.save()
	if err == nil {
		return nil
	}
	if old == nil {
		delete(s.sessions, r.ID)
	} else {
		s.sessions[r.ID] = old
	}
	return refuse(http.StatusInternalServerError, CodeNotSaved, "nothing was changed: %v; try again", err)
}

// find returns the first session that fits, in the order of ids.
func (s *Service) find(fits func(*record) bool) *record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.findLocked(fits)
}

func (s *Service) findLocked(fits func(*record) bool) *record {
	for _, r := range s.sessions {
		if fits(r) { // ids, links and codes are each of one session
			return r
		}
	}
	return nil
}

// expire ends a session whose time is over.
func (s *Service) expire(r *record) (*record, error) {
	if r.Status != Pending && r.Status != Verified || s.config.Now().Before(r.Expires) {
		return r, nil
	}
	return s.change(r, func(r *record) error { r.end(Expired); return nil })
}

// end ends a session. The document is forgotten.
func (r *record) end(status Status, reasons ...Reason) {
	r.Status, r.Document, r.Challenge, r.Code, r.offer = status, nil, nil, "", nil
	if len(reasons) > 0 {
		r.Reasons = reasons
	}
}

// snapshot is a service as it is kept.
type snapshot struct {
	Kind     string                     `json:"kind"`
	Issuers  map[string]json.RawMessage `json:"issuers"` // their snapshots, by provider
	Sessions []*record                  `json:"sessions"`
	Seen     []string                   `json:"seen"`
}

const snapshotKind = "identity-proofing/2"

// Snapshot returns the service as Config.Snapshot takes it. It has the issuers' private
// keys, offers that stand and people's data: a secret.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot()
}

func (s *Service) snapshot() ([]byte, error) {
	out := snapshot{Kind: snapshotKind, Issuers: map[string]json.RawMessage{}, Seen: slices.Sorted(maps.Keys(s.seen))}
	for id, h := range s.houses {
		b, err := h.issuer.Snapshot()
		if err != nil {
			return nil, fmt.Errorf("issuer of %s: %w", id, err)
		}
		out.Issuers[id] = b
	}
	for _, id := range slices.Sorted(maps.Keys(s.sessions)) {
		out.Sessions = append(out.Sessions, s.sessions[id])
	}
	return json.Marshal(out)
}

// keep saves everything.
func (s *Service) keep() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save()
}

// save saves everything; s.mu is held.
func (s *Service) save() error {
	if s.config.Save == nil {
		return nil
	}
	b, err := s.snapshot()
	if err != nil {
		return err
	}
	return s.config.Save(b)
}

// restore takes up a snapshot and returns those of the issuers.
func (s *Service) restore(b []byte) (map[string]json.RawMessage, error) {
	if b == nil {
		return nil, nil
	}
	var in snapshot
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("the snapshot cannot be read: %w; begin without it", err)
	}
	if in.Kind != snapshotKind {
		return nil, fmt.Errorf("the snapshot is %q, not %q; begin without it", in.Kind, snapshotKind)
	}
	for _, r := range in.Sessions {
		if r == nil || r.ID == "" {
			return nil, errors.New("the snapshot has a session without an id; begin without it")
		}
		s.sessions[r.ID] = r
	}
	for _, h := range in.Seen {
		s.seen[h] = true
	}
	return in.Issuers, nil
}
