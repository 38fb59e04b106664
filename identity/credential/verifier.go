package credential

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"time"
)

// skew is by how much clocks may differ.
const skew = 60 * time.Second

// Verifier verifies credentials and presentations. It is safe for concurrent use.
type Verifier struct {
	Now      func() time.Time
	Resolver Resolver
	Status   *StatusLists // nil: no status can be looked up, and what has one is refused
	Nonces   *Nonces      // spent ones; nil: whoever made the nonce sees to it

	without string // a step that tests leave out
}

// Expected is what a credential must be.
type Expected struct {
	Type      string
	Issuers   []string // DIDs; without any every credential is refused, unless
	AnyIssuer bool     // this lets every issuer in
	// AllowRevoked takes a revoked credential, and says so in it.
	AllowRevoked bool
}

// Demand is what a presentation must be.
type Demand struct {
	Audience    string        // the DID the presentation was asked for in the name of
	Nonce       string        // the one that went out with the request
	MaxAge      time.Duration // since it was signed; 0: five minutes
	Credentials []Expected    // exactly these, in this order
}

const defaultMaxAge = 5 * time.Minute

// Step is one thing that verification looks at.
type Step struct {
	Number int
	Name   string // such as credential.signature
	Says   string // what it demands
	Where  string // the document and section
	Reason Reason // with which it refuses
}

// check is a step with what it does.
type check[T any] struct {
	Step
	run func(*Verifier, context.Context, *T) error
}

// run goes through checks in order and stops at the first that refuses.
func run[T any](ctx context.Context, v *Verifier, checks []check[T], subject *T) error {
	for i, c := range checks {
		c.Number = i + 1
		if c.Name == v.without {
			continue
		}
		if err := c.run(v, ctx, subject); err != nil {
			if ReasonOf(err) != "" { // of a credential in a presentation
				return err
			}
			return &Refusal{c.Step, c.Reason, err}
		}
	}
	return nil
}

// Credential verifies one credential. A refusal is a *Refusal.
func (v *Verifier) Credential(ctx context.Context, jwt string, want Expected) (*Credential, error) {
	s := &credentialState{text: jwt, want: want}
	if err := run(ctx, v, credentialChecks(), s); err != nil {
		return nil, err
	}
	return s.result()
}

// Presentation verifies a presentation and every credential in it, and spends the
// nonce. A refusal is a *Refusal; a refused presentation leaves the nonce as it was.
func (v *Verifier) Presentation(ctx context.Context, vp string, demand Demand) (*Presentation, error) {
	s := &presentationState{text: vp, demand: demand}
	if err := run(ctx, v, presentationChecks(), s); err != nil {
		return nil, err
	}
	c := s.claims
	return &Presentation{
		Holder: c.Issuer, ID: c.ID, Nonce: c.Nonce, IssuedAt: c.IssuedAt.time(), Credentials: s.verified,
	}, nil
}

// Steps returns all steps, those of a credential first, in their order.
func Steps() []Step {
	return append(stepsOf(credentialChecks()), stepsOf(presentationChecks())...)
}

func stepsOf[T any](checks []check[T]) []Step {
	steps := make([]Step, len(checks))
	for i, c := range checks {
		steps[i] = c.Step
		steps[i].Number = i + 1
	}
	return steps
}

// The steps on a signature are the same for all tokens.

func es256(t *token) error {
	if t.alg != "ES256" {
		return fmt.Errorf("it says algorithm %q where ES256 alone is taken", t.alg)
	}
	return nil
}

func keyOf(t *token, did string) error {
	if controller(t.kid) != did {
		return fmt.Errorf("its key %q is not one of %s, in whose name it speaks", short(t.kid), short(did))
	}
	return nil
}

func signedWith(t *token, key *ecdsa.PublicKey) error {
	if key == nil {
		return fmt.Errorf("there is no key to verify with")
	}
	return t.verify(key)
}
