// Package mutation measures what a conformance suite can see: every mutant is an
// authenticator that breaks one rule, and a case of that rule's section has to notice.
//
// Each run on a mutant is paired with a control: the same cases, in the same order and
// with the same randomness, on the same model without the fault. What went otherwise on
// the mutant is what the fault did.
package mutation

import (
	"context"
	"io"
	"slices"

	"fido-emu/ctap/conformance"
)

// Mutant is a fault that an authenticator can have.
type Mutant struct {
	Name    string
	Section string   // of the rule that it breaks: "6.1.2 step 14" of CTAP 2.3, or "U2F Raw Message Formats 5.1"
	Breaks  string   // what it does
	Models  []string // on which it shows, the best one first
}

// Lab makes authenticators. Its methods are called from several goroutines.
type Lab interface {
	// Emulate switches on a model with a fault, with none where fault is empty.
	// Every one of a model begins alike.
	Emulate(ctx context.Context, model, fault string) (Target, error)
	// Rand returns the randomness of the platform, the same every time.
	Rand() io.Reader
}

// Target is an authenticator that can be switched off.
type Target interface {
	conformance.Target
	io.Closer
}

// Verdict says whether a mutant was noticed.
type Verdict struct {
	Name    string `json:"name"`
	Section string `json:"section"`
	Breaks  string `json:"breaks"`
	Model   string `json:"model,omitempty"` // that it was noticed on; otherwise the first that was tried
	Killed  bool   `json:"killed"`          // a case of its section noticed
	By      []Kill `json:"by,omitempty"`
	// Elsewhere are the cases of other sections that noticed.
	Elsewhere []Kill `json:"elsewhere,omitempty"`
	// Troubles are what kept cases from judging: faults of the bench, an
	// authenticator that answers no more.
	Troubles []string `json:"troubles,omitempty"`
}

// Tolerated tells whether the mutant was noticed, but only as a deviation that the
// suite tolerates.
func (v *Verdict) Tolerated() bool {
	return v.Killed && !slices.ContainsFunc(v.By, Kill.failed)
}

// Kill is a case that fails on the mutant, or finds a deviation there, and on the faithful
// model passes or is not applicable.
type Kill struct {
	Case    string              `json:"case"`
	Outcome conformance.Outcome `json:"outcome"` // failed or tolerated
	Text    string              `json:"text,omitempty"`
}

func (k Kill) failed() bool { return k.Outcome == conformance.Failed }

// Score counts the mutants that were killed.
func Score(verdicts []Verdict) (killed, of int) {
	for i := range verdicts {
		if verdicts[i].Killed {
			killed++
		}
	}
	return killed, len(verdicts)
}
