package webauthn

import "context"

// Client is what a relying party's page talks to: the browser's side of a
// ceremony. Options and responses are the JSON forms of WebAuthn Level 3
// (sections 5.1.8 to 5.1.10 and 5.8), origin is the page's, such as
// "https://login.example.com". A refusal is a *[Error].
type Client interface {
	Create(ctx context.Context, origin string, optionsJSON []byte) (responseJSON []byte, err error)
	Get(ctx context.Context, origin string, optionsJSON []byte) (responseJSON []byte, err error)
}

// Error is a refused ceremony: the DOMException that a page would see.
type Error struct {
	Name    string // such as NotAllowedError
	Message string // why, for people
	Member  string // path of the options member at fault, such as user.id; empty when it is none
	Err     error  // what lies beneath, such as a ctap.Status; may be nil
}

// The DOMException names that ceremonies end with (WebAuthn sections 5.1.3 and
// 5.1.4).
const (
	NotAllowedError   = "NotAllowedError"
	InvalidStateError = "InvalidStateError"
	ConstraintError   = "ConstraintError"
	NotSupportedError = "NotSupportedError"
	SecurityError     = "SecurityError"
	TypeError         = "TypeError"
	AbortError        = "AbortError"
	EncodingError     = "EncodingError"
	SyntaxError       = "SyntaxError"
	UnknownError      = "UnknownError"
)

// Error returns the name, the member and the reason.
func (e *Error) Error() string {
	s := e.Name
	if e.Member != "" {
		s += " at " + e.Member
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// Unwrap returns what lies beneath.
func (e *Error) Unwrap() error { return e.Err }

// AtOrigin returns a client whose page was loaded from another origin than the
// relying party believes: a look-alike site that relays a ceremony.
func AtOrigin(c Client, origin string) Client { return relocated{c, origin} }

type relocated struct {
	Client
	origin string
}

func (r relocated) Create(ctx context.Context, _ string, options []byte) ([]byte, error) {
	return r.Client.Create(ctx, r.origin, options)
}

func (r relocated) Get(ctx context.Context, _ string, options []byte) ([]byte, error) {
	return r.Client.Get(ctx, r.origin, options)
}
