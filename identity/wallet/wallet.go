package wallet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"fido-emu/identity/credential"
)

// Person is who holds the phone.
type Person interface {
	// Consent tells whether the person agrees to this presentation, having read what the
	// wallet shows of it.
	Consent(ctx context.Context, asked *Asked) (bool, error)
	// Selfie returns what the camera takes, in the form that the request service's Faces
	// understands.
	Selfie(ctx context.Context) ([]byte, error)
}

// Config says what a wallet is like.
type Config struct {
	Now    func() time.Time
	Rand   io.Reader
	Client *http.Client
	Person Person
	// RequireLinkedDomain refuses requests of those whose domain does not acknowledge
	// them; without it the person merely sees that it does not.
	RequireLinkedDomain bool
	// Portable lets the wallet be moved to another phone, key and all. Without it the key
	// cannot leave the device.
	Portable bool
}

// Errors of wallets.
var (
	ErrDeviceBound   = errors.New("the holder's key is bound to this device")
	ErrNoBackup      = errors.New("this wallet has no backup")
	ErrNotHeld       = errors.New("the wallet holds no such credential")
	ErrRefused       = errors.New("the person does not agree")
	ErrLink          = errors.New("not a link that a wallet opens")
	ErrNothingToShow = errors.New("the wallet holds no credential that is asked for")
	ErrMoved         = errors.New("this wallet was moved to another device")
)

// Held is a credential in the wallet.
type Held struct {
	ID      string            `json:"id"`
	Issuer  string            `json:"issuer"` // DID
	Name    string            `json:"name"`   // the issuer's, for people
	Types   []string          `json:"types"`
	Claims  credential.Claims `json:"claims"`
	Expires time.Time         `json:"expires"`
	JWT     string            `json:"jwt"`
}

// Wallet is a wallet. It is safe for concurrent use.
type Wallet struct {
	config   Config
	verifier *credential.Verifier

	mu   sync.Mutex
	key  *credential.Key // nil after a move
	held []Held          // oldest first
}

// New returns an empty wallet with a new key.
func New(config Config) (*Wallet, error) {
	key, err := credential.NewKey(config.Rand)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	return with(config, key, nil), nil
}

func with(config Config, key *credential.Key, held []Held) *Wallet {
	v := &credential.Verifier{
		Now: config.Now, Resolver: credential.Resolver{Client: config.Client}, Status: credential.NewStatusLists(),
	}
	return &Wallet{config: config, verifier: v, key: key, held: held}
}

// DID returns the holder's identifier, "" after a move.
func (w *Wallet) DID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.key == nil {
		return ""
	}
	return w.key.DID()
}

// List returns what the wallet holds, oldest first.
func (w *Wallet) List() []Held {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.held)
}

// Standing verifies a held credential as it is now, against a status list that is
// fetched for it. The error is a *credential.Refusal; its reason is Expired, Revoked, or
// what keeps others from verifying it.
func (w *Wallet) Standing(ctx context.Context, h Held) error {
	v := *w.verifier
	v.Status = credential.NewStatusLists() // a list that is kept may be minutes old
	want := credential.Expected{Issuers: []string{h.Issuer}}
	if len(h.Types) > 0 {
		want.Type = h.Types[len(h.Types)-1]
	}
	_, err := v.Credential(ctx, h.JWT, want)
	return err
}

// Delete deletes a credential. There is no way back but another issue.
func (w *Wallet) Delete(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.held, func(h Held) bool { return h.ID == id })
	if i < 0 {
		return fmt.Errorf("wallet: delete %q: %w", id, ErrNotHeld)
	}
	w.held = slices.Delete(w.held, i, i+1)
	return nil
}

// MoveTo moves key and credentials to a wallet on another phone, in place of what that
// one holds; this one is empty then. Without Portable it is ErrDeviceBound.
func (w *Wallet) MoveTo(other *Wallet) error {
	if !w.config.Portable {
		return fmt.Errorf("wallet: move: %w: let the credentials be issued again", ErrDeviceBound)
	}
	w.mu.Lock()
	key, held := w.key, w.held
	w.key, w.held = nil, nil
	w.mu.Unlock()
	if key == nil {
		return fmt.Errorf("wallet: move: %w", ErrMoved)
	}
	other.mu.Lock()
	defer other.mu.Unlock()
	other.key, other.held = key, held
	return nil
}

// Backup is ErrNoBackup: what a phone loses, its owner has issued again.
func (w *Wallet) Backup() error { return fmt.Errorf("wallet: %w", ErrNoBackup) }

// signingKey returns the key, or ErrMoved.
func (w *Wallet) signingKey() (*credential.Key, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.key == nil {
		return nil, fmt.Errorf("wallet: %w", ErrMoved)
	}
	return w.key, nil
}
