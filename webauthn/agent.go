package webauthn

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"fido-emu/ctap/platform"
)

// Config is what a [UserAgent] is and whom it asks. Rand alone is required.
type Config struct {
	Rand io.Reader // for key agreement and initialisation vectors

	// PIN asks the user for an authenticator's PIN. nil is a user who cannot be
	// asked; an error is one who gave up, and ends the ceremony with NotAllowedError.
	PIN func(ctx context.Context, p PINPrompt) (string, error)
	// ChooseDevice asks which of several devices to use and returns an index into
	// Candidates. nil tries them in their order.
	ChooseDevice func(ctx context.Context, c DeviceChoice) (int, error)
	// ChooseAccount asks which of several accounts to sign in with and returns an
	// index into Accounts. nil takes the newest without looking at the others.
	ChooseAccount func(ctx context.Context, c AccountChoice) (int, error)
	// RelatedOrigins fetches the origins of https://rpID/.well-known/webauthn
	// (section 5.11). nil is a client without related origin requests.
	RelatedOrigins func(ctx context.Context, rpID string) ([]string, error)

	// EnterpriseRPIDs are the relying parties for which this client's policy allows
	// platform-managed enterprise attestation.
	EnterpriseRPIDs []string
	// TopOrigin is the origin of the page that embeds the calling page across
	// origins; empty for none.
	TopOrigin string
	// ExtraClientData is added to client data. Clients may do so, and relying parties
	// must tolerate it.
	ExtraClientData []ClientDataMember

	// OnCeremony is told of each ceremony when it has ended, OnExchange of each
	// exchange with a device. Both are called from the goroutine of the ceremony.
	OnCeremony func(Ceremony)
	OnExchange func(Exchange)
}

// PINPrompt is what a user who is asked for a PIN is told.
type PINPrompt struct {
	Device    string
	RPID      string
	TriesLeft uint // wrong PINs until the device must be reset
	Wrong     bool // the PIN given just now was wrong
}

// DeviceChoice is what a user who is to pick a device is told.
type DeviceChoice struct {
	Type       string // TypeCreate or TypeGet
	RPID       string
	Candidates []Candidate
}

// Candidate is a device that may serve a ceremony.
type Candidate struct {
	Device     string
	Attachment string // platform or cross-platform
	Holds      bool   // get: it holds a credential that matches, as far as it tells without its user
}

// AccountChoice is what a user who is to pick an account is told.
type AccountChoice struct {
	Device   string
	RPID     string
	Accounts []Account // newest first
}

// Account is a discoverable credential of a relying party. Names are empty where
// the authenticator did not verify its user.
type Account struct {
	CredentialID []byte
	UserHandle   []byte
	Name         string
	DisplayName  string
}

// Ceremony is one call of navigator.credentials, from beginning to end.
type Ceremony struct {
	Type     string // TypeCreate or TypeGet
	Origin   string
	Options  []byte // JSON
	Response []byte // JSON; nil for a refusal
	Err      error  // an *Error; nil for success
}

// UserAgent is a browser without pages: it has devices and performs ceremonies
// with them. It is safe for concurrent use; ceremonies take turns.
type UserAgent struct {
	config Config
	turn   chan struct{} // holds one token while no ceremony is under way

	mu      sync.Mutex
	devices []*attached
}

var _ Client = (*UserAgent)(nil)

// NewUserAgent returns a browser with these devices, in the order in which they
// are tried.
func NewUserAgent(config Config, devices ...Device) *UserAgent {
	u := &UserAgent{config: config, turn: make(chan struct{}, 1)}
	u.turn <- struct{}{}
	for _, d := range devices {
		u.Plug(d)
	}
	return u
}

// Create performs navigator.credentials.create (section 5.1.3).
func (u *UserAgent) Create(ctx context.Context, origin string, optionsJSON []byte) ([]byte, error) {
	return u.observe(ctx, TypeCreate, origin, optionsJSON, nil)
}

// Get performs navigator.credentials.get (section 5.1.4).
func (u *UserAgent) Get(ctx context.Context, origin string, optionsJSON []byte) ([]byte, error) {
	return u.observe(ctx, TypeGet, origin, optionsJSON, nil)
}

// Only returns this browser with no devices but those named, as a user has it who
// uses a certain one.
func (u *UserAgent) Only(names ...string) Client { return only{u, names} }

type only struct {
	agent *UserAgent
	names []string
}

func (o only) Create(ctx context.Context, origin string, optionsJSON []byte) ([]byte, error) {
	return o.agent.observe(ctx, TypeCreate, origin, optionsJSON, o.has)
}

func (o only) Get(ctx context.Context, origin string, optionsJSON []byte) ([]byte, error) {
	return o.agent.observe(ctx, TypeGet, origin, optionsJSON, o.has)
}

func (o only) has(d *attached) bool { return slices.Contains(o.names, d.Name) }

// observe performs a ceremony with the devices that among lets through, nil for
// all, and tells of it.
func (u *UserAgent) observe(ctx context.Context, typ, origin string, options []byte, among func(*attached) bool) ([]byte, error) {
	perform := u.create
	if typ == TypeGet {
		perform = u.get
	}
	response, failed := perform(ctx, origin, options, u.attached(among))
	var err error
	if failed != nil {
		err = failed
	}
	if u.config.OnCeremony != nil {
		u.config.OnCeremony(Ceremony{Type: typ, Origin: origin, Options: options, Response: response, Err: err})
	}
	return response, err
}

// ceremony is what create and get have in common.
type ceremony struct {
	agent      *UserAgent
	rpID       string
	clientData []byte
	hash       [32]byte // of clientData
}

// The bounds of a ceremony's lifetime (section 15.1).
const (
	defaultTimeout = 5 * time.Minute
	longestTimeout = 10 * time.Minute
)

// lifetime returns the timeout of a ceremony whose options ask for ms
// milliseconds, 0 for none.
func lifetime(ms float64) time.Duration {
	switch most := float64(longestTimeout / time.Millisecond); {
	case ms <= 0:
		return defaultTimeout
	case ms >= most:
		return longestTimeout
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// serve waits for its turn, then performs a ceremony within its lifetime.
func (u *UserAgent) serve(page context.Context, timeout float64, perform func(context.Context) ([]byte, error)) ([]byte, *Error) {
	ctx, cancel := context.WithTimeout(page, lifetime(timeout))
	defer cancel()
	if ctx.Err() != nil {
		return nil, failure(page, ctx, ctx.Err())
	}
	select {
	case <-u.turn:
	case <-ctx.Done():
		return nil, failure(page, ctx, ctx.Err())
	}
	defer func() { u.turn <- struct{}{} }()
	response, err := perform(ctx)
	if err != nil {
		return nil, failure(page, ctx, err)
	}
	return response, nil
}

// askPIN returns the PIN hook for a device, nil when there is none.
func (u *UserAgent) askPIN(device string) platform.AskPIN {
	if u.config.PIN == nil {
		return nil
	}
	return func(ctx context.Context, p platform.PINPrompt) (string, error) {
		pin, err := u.config.PIN(ctx, PINPrompt{Device: device, RPID: p.RPID, TriesLeft: p.TriesLeft, Wrong: p.Wrong})
		if err != nil {
			return "", notAllowed(device+": no PIN was given", err)
		}
		return pin, nil
	}
}
