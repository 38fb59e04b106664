package rp

import (
	"context"
	"time"
)

// IdentityRecovery lets people back in who have lost every way to sign in, on the
// strength of who they are: a verification provider looks at a document and a face
// and issues a Verified ID, which the person presents to the relying party. At the
// end stands a Temporary Access Pass, for [Recovery].
type IdentityRecovery interface {
	// SetIdentity says, as an administrator, what the directory has on somebody.
	SetIdentity(ctx context.Context, p Person, id Identity) error
	// SetRecoveryPolicy sets, as an administrator, who may recover and how.
	SetRecoveryPolicy(ctx context.Context, policy RecoveryPolicy) error
	// StartRecovery begins a case. Nobody is signed in.
	StartRecovery(ctx context.Context, p Person, ask RecoveryAsk) (RecoveryCase, error)
	// RecoveryStatus tells how a case stands, as the page does that waits for it.
	RecoveryStatus(ctx context.Context, c RecoveryCase) (RecoveryStatus, error)
	// RecoveryNotices returns what the owner of an account was told, oldest first.
	RecoveryNotices(ctx context.Context, p Person) ([]RecoveryNotice, error)
	// RecoveryLog returns, to an administrator, what was logged of recoveries of an
	// account, oldest first.
	RecoveryLog(ctx context.Context, p Person) ([]RecoveryEvent, error)
}

// Identity is what a directory has on the person behind an account. Recovery
// compares it with a Verified ID.
type Identity struct {
	GivenName  string `json:"givenName,omitempty"`  // first name or names
	FamilyName string `json:"familyName,omitempty"` // last name or names
	BirthDate  string `json:"birthDate,omitempty"`  // 2006-01-02
	Country    string `json:"country,omitempty"`    // of residence, ISO 3166-1 alpha-2
	Unlicensed bool   `json:"unlicensed,omitempty"` // without the licence for recovery
}

// RecoveryAsk is what somebody says who asks for recovery.
type RecoveryAsk struct {
	Country   string `json:"country,omitempty"`   // where the person is; the directory's when empty
	RevokeOld bool   `json:"revokeOld,omitempty"` // passkeys and methods from before are to go
	Reuse     bool   `json:"reuse,omitempty"`     // the person has a Verified ID from before
}

// RecoveryCase is a case as whoever began it holds it. The secret shows the pass;
// the link only leads on, and may be opened on another device.
type RecoveryCase struct {
	ID       string    `json:"case"`
	Secret   string    `json:"secret"`
	Link     string    `json:"link"`
	Provider string    `json:"provider,omitempty"`
	URL      string    `json:"url"` // where the person goes on
	Expires  time.Time `json:"expires"`
}

// RecoveryStatus is how a case stands.
type RecoveryStatus struct {
	State    string    `json:"state"`            // such as proofing, presenting, pass-issued, ended
	Reason   string    `json:"reason,omitempty"` // code, of a case that ended without success
	Detail   string    `json:"detail,omitempty"` // for people
	Provider string    `json:"provider,omitempty"`
	URL      string    `json:"url,omitempty"`  // where the person goes on
	Pass     string    `json:"pass,omitempty"` // until a passkey is registered with it
	Expires  time.Time `json:"expires"`
}

// RecoveryNotice is something that the owner of an account is told.
type RecoveryNotice struct {
	Time time.Time `json:"time"`
	Kind string    `json:"kind"` // such as recovery-started
	Case string    `json:"case"`
	Text string    `json:"text"`
}

// RecoveryEvent is an entry of the audit log on a recovery.
type RecoveryEvent struct {
	Time   time.Time `json:"time"`
	Case   string    `json:"case,omitempty"`
	Person string    `json:"person,omitempty"` // user name
	Step   string    `json:"step"`             // such as recovery-match
	Done   bool      `json:"done"`             // false when it was refused
	Reason string    `json:"reason,omitempty"` // code of the refusal
	Detail string    `json:"detail,omitempty"` // for people
}

// RecoveryPolicy is the recovery policy of a relying party. Of a person's profiles
// the first counts: the order is that of priority.
type RecoveryPolicy struct {
	Profiles         []RecoveryProfile `json:"profiles"`
	BlockedProviders []string          `json:"blockedProviders,omitempty"`
	PassGroups       []string          `json:"passGroups,omitempty"` // for whom passes are enabled; empty for everybody
}

// RecoveryProfile is an identity verification profile: for some groups, who
// verifies, what has to match, and what comes of it.
type RecoveryProfile struct {
	Name      string             `json:"name"`
	Groups    []string           `json:"groups,omitempty"`    // in scope; empty for everybody
	Excluded  []string           `json:"excluded,omitempty"`  // out of scope all the same
	Mode      string             `json:"mode,omitempty"`      // evaluation or production; empty is evaluation
	Providers []RecoveryProvider `json:"providers"`           // the first that covers the country and is not blocked
	Match     string             `json:"match,omitempty"`     // of names: exact or relaxed; empty is exact
	BirthDate bool               `json:"birthDate,omitempty"` // has to match, too
	Revoke    string             `json:"revoke,omitempty"`    // on-request, always or never; empty is on-request
	Reuse     bool               `json:"reuse,omitempty"`     // a Verified ID from before will do

	FaceThreshold         int `json:"faceThreshold,omitempty"`         // 50 to 100; 70 when 0
	SignedInWithinMinutes int `json:"signedInWithinMinutes,omitempty"` // how old the last sign-in may be; any age when 0
	PassLifetimeMinutes   int `json:"passLifetimeMinutes,omitempty"`   // from 10 on; an hour when 0

	// Since is when the scope last changed, which the relying party fills in: owners
	// must have signed in at or after it.
	Since time.Time `json:"since,omitzero"`
}

// RecoveryProvider is a verification provider as a profile has it.
type RecoveryProvider struct {
	Name      string   `json:"name"`                // such as idemia
	Countries []string `json:"countries,omitempty"` // ISO 3166-1 alpha-2; empty for all
}
