// Package rp is how the harness speaks with relying parties. An adapter implements
// [RelyingParty], which is what every site can do; what only some can do
// (managing credentials, recovery, policy) are optional interfaces beside it, and
// a scenario that needs one that is missing is skipped with that reason.
//
// An adapter keeps the sessions of the people it drives: a person who signed in
// stays signed in until SignOut, as a browser profile would.
package rp

import (
	"context"
	"fmt"
	"time"

	"fido-emu/webauthn"
)

// Person is somebody with, or about to have, an account at a relying party. The
// zero Person signs in without saying who it is.
type Person struct {
	Name        string   `json:"name"`                  // user name, such as ada@example.com
	DisplayName string   `json:"displayName,omitempty"` // such as Ada Lovelace
	Groups      []string `json:"groups,omitempty"`      // groups that policies speak of
}

// Credential is one passkey as its relying party lists it.
type Credential struct {
	ID             []byte    `json:"id"`
	Name           string    `json:"name"` // what its owner calls it
	AAGUID         string    `json:"aaguid"`
	Algorithm      string    `json:"algorithm"`   // name of the COSE algorithm, such as ES256
	Attestation    string    `json:"attestation"` // format, such as packed
	Trusted        bool      `json:"trusted"`     // attested by an authority that the relying party trusts
	Type           string    `json:"type"`        // DeviceBound or Synced
	BackupEligible bool      `json:"backupEligible"`
	BackedUp       bool      `json:"backedUp"`
	SignCount      uint32    `json:"signCount"`
	CreatedAt      time.Time `json:"createdAt"`
	LastUsedAt     time.Time `json:"lastUsedAt,omitzero"`
}

// The two types of passkey.
const (
	DeviceBound = "deviceBound"
	Synced      = "synced"
)

// Session is a successful sign-in.
type Session struct {
	Person     string   `json:"person"`               // user name of whoever signed in
	Method     string   `json:"method"`               // passkey, temporaryAccessPass …
	Credential []byte   `json:"credential,omitempty"` // id of the passkey; nil for other methods
	Warnings   []string `json:"warnings,omitempty"`   // what the relying party noticed, such as a signature counter that went back
}

// RelyingParty is what every relying party can do.
type RelyingParty interface {
	// Register adds a passkey made by client to the person's account. A person
	// without an account gets one where sign-up is open; others must be signed in.
	Register(ctx context.Context, p Person, client webauthn.Client) (Credential, error)
	// SignIn signs a person in with a passkey. The zero Person leaves it to the
	// authenticator to say who it is.
	SignIn(ctx context.Context, p Person, client webauthn.Client) (Session, error)
}

// SessionManager ends sessions.
type SessionManager interface {
	// SignOut ends the person's session here, as leaving the browser would.
	SignOut(ctx context.Context, p Person) error
	// SignedIn tells whether the person's session still stands at the relying party.
	SignedIn(ctx context.Context, p Person) (bool, error)
}

// CredentialManager lets signed-in people manage their passkeys.
type CredentialManager interface {
	Credentials(ctx context.Context, p Person) ([]Credential, error)
	RenameCredential(ctx context.Context, p Person, id []byte, name string) error
	DeleteCredential(ctx context.Context, p Person, id []byte) error
}

// Administration is what an administrator of the relying party can do for
// people.
type Administration interface {
	// AddPerson makes an account with its groups, without any way to sign in.
	AddPerson(ctx context.Context, p Person) error
	// IssuePass issues a Temporary Access Pass. A person has at most one; a new one
	// takes the place of the old.
	IssuePass(ctx context.Context, p Person, lifetime time.Duration, once bool) (pass string, err error)
	// RevokeSessions ends all sessions of a person everywhere.
	RevokeSessions(ctx context.Context, p Person) error
	// RevokeCredentials removes passkeys of a person: those with these ids, or all
	// when there are none.
	RevokeCredentials(ctx context.Context, p Person, ids ...[]byte) error
	// SetPolicy sets the passkey policy of a group.
	SetPolicy(ctx context.Context, group string, policy Policy) error
}

// Directory is what an administrator of the relying party can look up.
type Directory interface {
	// PersonCredentials lists the passkeys of a person, who need not be signed in.
	PersonCredentials(ctx context.Context, p Person) ([]Credential, error)
}

// Recovery lets people back in who have lost every way to sign in.
type Recovery interface {
	// RedeemPass signs in with a Temporary Access Pass; the session may register a
	// passkey.
	RedeemPass(ctx context.Context, p Person, pass string) (Session, error)
}

// Policy says which passkeys a group may register and use.
type Policy struct {
	Types               []string `json:"types" yaml:"types"`                               // DeviceBound, Synced; empty allows both
	RequireAttestation  bool     `json:"requireAttestation" yaml:"require-attestation"`    // registration needs trusted attestation
	AllowedAAGUIDs      []string `json:"allowedAAGUIDs" yaml:"allowed-aaguids"`            // empty allows all
	BlockedAAGUIDs      []string `json:"blockedAAGUIDs" yaml:"blocked-aaguids"`            //
	Algorithms          []string `json:"algorithms" yaml:"algorithms"`                     // offered, preferred first, and allowed, such as ML-DSA-65; empty offers the relying party's own and allows all
	UserVerification    string   `json:"userVerification" yaml:"user-verification"`        // required, preferred or discouraged; empty is preferred
	RejectCounterRewind bool     `json:"rejectCounterRewind" yaml:"reject-counter-rewind"` // a counter that goes back refuses the sign-in
}

// Refused is a relying party's no: it worked and decided against the request.
type Refused struct {
	Code   string // stable and short, such as attestation-required
	Reason string // for people
	Status int    // HTTP status; 0 in process
}

// Error returns the reason and the code.
func (r *Refused) Error() string {
	return fmt.Sprintf("relying party refused: %s (%s)", r.Reason, r.Code)
}

// Broken is a relying party that did not work: no connection, a server error, an
// answer that makes no sense.
type Broken struct {
	Doing string // such as "POST /register/finish"
	Err   error
}

// Error says what was being done and what happened.
func (b *Broken) Error() string { return fmt.Sprintf("relying party broken: %s: %v", b.Doing, b.Err) }

// Unwrap returns what happened.
func (b *Broken) Unwrap() error { return b.Err }

// Unsupported is what a relying party has no way to do, or an adapter to it: what
// needs it is skipped.
type Unsupported struct {
	What string // such as "a sign-in without a user name"
}

// Error says what cannot be done.
func (u *Unsupported) Error() string { return "this relying party does not offer " + u.What }
