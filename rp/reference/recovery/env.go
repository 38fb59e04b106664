package recovery

import (
	"context"
	"io"
	"time"
)

// Env is everything around a desk. All must be given but Notify.
type Env struct {
	Now       func() time.Time
	Rand      io.Reader // need not be safe for concurrent use
	Accounts  Accounts
	Providers Providers
	Requests  Requests
	Verify    Verifier

	// Issue issues a Temporary Access Pass that is good for one use.
	Issue func(account string, lifetime time.Duration) (pass string, err error)
	// Note takes the audit events, in order.
	Note func(Event)
	// Notify tells the owner of an account; nil for nobody to tell.
	Notify func(account string, n Notice)
}

// Accounts is the directory.
type Accounts interface {
	// Account returns an account by user name, however it is cased.
	Account(name string) (Account, bool)
	// All lists the accounts, in any order.
	All() []Account
}

// Providers is the verification providers' service, as the relying party sees it. A
// provider that cannot be reached or fails is an error that is no *rp.Refused.
type Providers interface {
	// Open opens a session at a provider and returns the address at which the person
	// goes on. A provider that does not work in the country, which may be empty, is
	// refused with [CountryNotCovered].
	Open(ctx context.Context, provider, reference, country string) (session, url string, err error)
	// Result asks how a session stands. A session that the provider does not know is
	// refused with [ProofingLost].
	Result(ctx context.Context, provider, session string) (Proofed, error)
}

// Proofed is how a proofing session stands.
type Proofed struct {
	Done     bool
	Verified bool
	Reasons  []string // codes of the provider, where it is done and not verified
}

// Requests is the presentation request service.
type Requests interface {
	// Create asks for a presentation with Face Check and returns its request.
	Create(ctx context.Context, r Wanted) (Asked, error)
}

// Wanted is a presentation that is asked for.
type Wanted struct {
	State     string   // comes back in callbacks
	Key       string   // callbacks bring it in the header api-key
	Threshold int      // of Face Check
	Providers []string // whose Verified IDs are accepted
}

// Asked is a presentation request that stands.
type Asked struct {
	Request string    // id
	URL     string    // opens the wallet
	Expires time.Time //
}

// Verifier fetches what was presented to a request and verifies it
// cryptographically: step 8. The Verified ID has to be of one of the providers. It
// refuses with codes of its own.
type Verifier interface {
	Verify(ctx context.Context, request string, providers []string) (Verified, error)
}

// Verified is what a valid presentation says.
type Verified struct {
	Names     Names
	BirthDate string // 2006-01-02; may be empty
	Issuer    string
	ID        string    // of the presentation; no two are the same
	Expires   time.Time // when the presentation, or failing that the credential, ends
}

// The kinds of notice.
const (
	NoticeStarted    = "recovery-started"
	NoticeRefused    = "recovery-refused" // identity was proved, and is not the owner's
	NoticeIssued     = "recovery-pass-issued"
	NoticeRegistered = "recovery-passkey-registered"
)

// Event is an entry for the audit log.
type Event struct {
	Case    string
	Account string
	Step    string // such as recovery-start
	Done    bool
	Reason  string // code of a refusal
	Detail  string // for people
}

// The steps that events tell of.
const (
	StepStart    = "recovery-start"      // 1 to 4
	StepStatus   = "recovery-status"     // 5, by somebody who did not begin the case
	StepProof    = "recovery-proofing"   // 5
	StepRequest  = "recovery-request"    // 6
	StepCallback = "recovery-callback"   // 7
	StepVerify   = "recovery-verify"     // 8 and 9
	StepMatch    = "recovery-match"      // 10 and 11
	StepIssue    = "recovery-issue"      // 12, in production
	StepEvaluate = "recovery-evaluate"   // 12, in evaluation
	StepEnd      = "recovery-end"        // expired, superseded or interrupted
	StepRevoke   = "recovery-revoke"     // 13
	StepRegister = "recovery-registered" // 13, whether or not anything is revoked
)
