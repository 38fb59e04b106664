package methods

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fido-emu/rp"
)

// Saved is a method as it is kept in a file: whoever has no key learns no secret from it.
type Saved struct {
	Kind    string            `json:"kind"`
	Address string            `json:"address,omitempty"`
	Secret  []byte            `json:"secret,omitempty"`  // hash, of a password
	Answers map[string][]byte `json:"answers,omitempty"` // hashes, by question
	Added   time.Time         `json:"added"`
	Used    time.Time         `json:"used,omitzero"`
	Wrong   int               `json:"wrong,omitempty"` // answers in a row
	Locked  time.Time         `json:"locked,omitzero"` // until when
}

// Save returns the methods as they are, in the order in which they were enrolled.
func (a *Account) Save() []Saved {
	var all []Saved
	for _, m := range a.enrolled {
		s := Saved{Kind: m.facts.Kind, Address: m.address, Added: m.added, Used: m.used, Wrong: m.wrong, Locked: m.locked}
		if s.Kind == rp.Password {
			s.Secret = slices.Clone(m.secret[:])
		}
		for question, hash := range m.answers {
			if s.Answers == nil {
				s.Answers = map[string][]byte{}
			}
			s.Answers[question] = slices.Clone(hash[:])
		}
		all = append(all, s)
	}
	return all
}

// Restore returns the methods of a person as they were saved under the same key, or what
// cannot be meant.
func Restore(person string, key []byte, saved []Saved) (*Account, error) {
	a := NewAccount(person, key)
	for _, s := range saved {
		m, err := s.method()
		if err == nil && a.find(s.Kind) != nil {
			err = errors.New("it is there twice")
		}
		if err != nil {
			return nil, fmt.Errorf("method %q: %w", s.Kind, err)
		}
		a.enrolled = append(a.enrolled, m)
	}
	return a, nil
}

func (s Saved) method() (*method, error) {
	f, ok := About(s.Kind)
	m := &method{facts: f, address: s.Address, added: s.Added, used: s.Used, wrong: s.Wrong, locked: s.Locked}
	switch {
	case !ok || f.Factor == Both:
		return nil, errors.New("there is no such method to enrol")
	case s.Wrong < 0 || len(s.Secret) != secretSize(s.Kind) || (s.Kind == rp.SecurityQuestions) != (len(s.Answers) > 0):
		return nil, errors.New("it lacks a secret, or has one too many")
	case f.Addressed:
		if err := checkAddress(rp.Enrolment{Kind: s.Kind, Address: s.Address}); err != nil {
			return nil, err
		}
	}
	copy(m.secret[:], s.Secret)
	for question, hash := range s.Answers {
		if m.answers == nil {
			m.answers = map[string][32]byte{}
		}
		if len(hash) != len(m.answers[question]) {
			return nil, fmt.Errorf("the answer to %q is no hash", question)
		}
		m.questions = append(m.questions, question)
		m.answers[question] = [32]byte(hash)
	}
	slices.Sort(m.questions)
	return m, nil
}

// secretSize is how long the hash of a secret is, of which only a password has one.
func secretSize(kind string) int {
	if kind == rp.Password {
		return 32
	}
	return 0
}
