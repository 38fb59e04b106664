package verifier

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// Config says for whom ceremonies must be.
type Config struct {
	RPID       string
	Origins    []string         // accepted by exact comparison
	TopOrigins []string         // in whose frames ceremonies may run; empty for none at all
	Roots      *x509.CertPool   // authorities whose attestation is trusted
	Now        func() time.Time // at which their certificates must be valid
	Without    []string         // names of steps that are left out; see Steps
}

// Verifier verifies ceremonies. It is safe for concurrent use.
type Verifier struct{ config Config }

// New returns a verifier. The error names a step to leave out that there is not.
func New(config Config) (*Verifier, error) {
	for _, name := range config.Without {
		if !slices.ContainsFunc(Steps(), func(s Step) bool { return s.Name == name }) {
			return nil, fmt.Errorf("verifier: there is no step %q to leave out", name)
		}
	}
	return &Verifier{config}, nil
}

// Request is what a ceremony asked for, and what the relying party knows.
type Request struct {
	Challenge        []byte
	UserVerification bool // required

	UserHandle []byte // of whom it is known to be for; nil where the passkey says
	// Find returns the record of a passkey, nil where there is none.
	Find func(id []byte) *Record

	Algorithms  []cose.Algorithm // registration: pubKeyCredParams
	Attestation bool             // registration: only from a trusted authority

	Allow               [][]byte // authentication: allowCredentials
	RejectCounterRewind bool     // authentication: a counter that does not go up refuses
}

// Record is a credential record (section 4).
type Record struct {
	ID             []byte
	UserHandle     []byte // of its owner
	PublicKey      []byte // COSE_Key
	Algorithm      cose.Algorithm
	AAGUID         ctap.AAGUID
	Format         string // of the attestation statement
	Trusted        bool   // attested by one of Config.Roots
	SignCount      uint32
	UserVerified   bool // uvInitialized
	BackupEligible bool
	BackedUp       bool
}

// Refusal is a response that a step refuses.
type Refusal struct {
	Step Step
	Err  error
}

// Error names the step and what is wrong.
func (r *Refusal) Error() string {
	return fmt.Sprintf("%s (%s): %v", r.Step.Name, r.Step.Rule(), r.Err)
}

// Unwrap returns what is wrong.
func (r *Refusal) Unwrap() error { return r.Err }

// lacks tells whether a step is left out.
func (v *Verifier) lacks(name string) bool { return slices.Contains(v.config.Without, name) }

// run takes the steps in their order and returns the refusal of the first that
// refuses.
func (v *Verifier) run(r *response, steps []check) error {
	for _, s := range steps {
		if s.run == nil || v.lacks(s.Name) {
			continue
		}
		if err := s.run(v, r); err != nil {
			return &Refusal{s.Step, err}
		}
	}
	return nil
}

// Register verifies a RegistrationResponseJSON and returns the record to store.
func (v *Verifier) Register(q Request, responseJSON []byte) (*Record, error) {
	r := &response{request: q, kind: "registration", want: "webauthn.create"}
	if err := r.read(responseJSON); err != nil {
		return nil, &Refusal{Step{Name: "registration.form", Section: "5.1", Says: "a RegistrationResponseJSON"}, err}
	}
	if err := v.run(r, registration()); err != nil {
		return nil, err
	}
	alg, _, err := cose.Parse(r.data.publicKey)
	if err != nil { // only where the step that says so is left out
		alg = r.data.algorithm()
	}
	return &Record{
		ID: r.data.credentialID, UserHandle: q.UserHandle, PublicKey: r.data.publicKey, Algorithm: alg,
		AAGUID: r.data.aaguid, Format: r.format, Trusted: r.trusted, SignCount: r.data.signCount,
		UserVerified: r.data.has(ctap.FlagUV), BackupEligible: r.data.has(ctap.FlagBE), BackedUp: r.data.has(ctap.FlagBS),
	}, nil
}

// Authenticate verifies an AuthenticationResponseJSON and returns the record as it is
// to be stored from then on. The one that Find returned is not changed.
func (v *Verifier) Authenticate(q Request, responseJSON []byte) (*Record, error) {
	r := &response{request: q, kind: "authentication", want: "webauthn.get"}
	if err := r.read(responseJSON); err != nil {
		return nil, &Refusal{Step{Name: "authentication.form", Section: "5.1", Says: "an AuthenticationResponseJSON"}, err}
	}
	if r.record = q.Find(r.rawID); r.record == nil {
		return nil, &Refusal{Step{Name: "authentication.record", Section: "7.2", Number: 6, Says: "the passkey is registered"}, errors.New("it is not")}
	}
	if err := v.run(r, authentication()); err != nil {
		return nil, err
	}
	next := *r.record
	next.SignCount = max(next.SignCount, r.data.signCount)
	next.BackedUp = r.data.has(ctap.FlagBS)
	return &next, nil
}
