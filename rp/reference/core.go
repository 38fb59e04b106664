package reference

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/attestation/metadata"
	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
	"fido-emu/rp/reference/recovery"
)

// Core is a relying party without a transport. Its methods may be called from
// several goroutines at once. Refusals are *[rp.Refused]; a *[rp.Broken] means
// that the relying party itself failed.
type Core struct {
	config Config
	lib    *lib.WebAuthn

	randMu sync.Mutex // Config.Rand need not be safe for concurrent use
	key    [32]byte   // of the keyed hash of passes

	mu            sync.RWMutex
	people        map[string]*person // by folded name
	roster        []*person          // in the order in which they came
	handles       map[string]*person // by user handle
	directory     map[string][]string
	credentials   map[string]*credential // by credential id, of everybody
	sessions      *expiring[*session]    // by the hash of the token
	ceremonies    *expiring[*ceremony]
	provisionings *expiring[*ceremony]  // by challenge
	tries         *expiring[*passTries] // by folded name
	groups        []string              // that were made by themselves; others are those that people and policies name
	book          *book                 // what is said of passkeys
	metadata      *metadata.Trust       // of models of authenticators; nil for none
	uploaded      *metadataRecord       // what metadata was read from, where an administrator gave it
	audit         journal[Event]
	doors         doors              // ways in beside passkeys, and who watches them
	office        office             // account recovery
	changes       map[place]struct{} // records that are in Config.State no more as they are here

	// steps is held for reading, before any other lock, while a change is made in several
	// steps of which a crash must leave all or none.
	steps sync.RWMutex
}

// The most of each that is held at once; a flood of requests makes the oldest go.
const (
	maxCeremonies    = 100_000
	maxProvisionings = 10_000
	maxSessions      = 1_000_000
	maxTries         = 100_000
)

// New returns a relying party without people, or, with Config.State, the one that was
// kept there.
func New(config Config) (*Core, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, err
	}
	w, err := lib.New(&lib.Config{
		RPID:                              config.RPID,
		RPDisplayName:                     config.Name,
		RPOrigins:                         config.Origins,
		RPTopOrigins:                      config.TopOrigins,
		RPTopOriginVerificationMode:       protocol.TopOriginExplicitVerificationMode,
		RPAllowCrossOrigin:                len(config.TopOrigins) > 0,
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore, // §7.1 step 28
	})
	if err != nil {
		return nil, fmt.Errorf("relying party: %w", err)
	}
	policies, err := newBook(config.DefaultPolicy, nil, cloneProfiles(rp.PasskeyProfiles{}))
	if err != nil {
		return nil, fmt.Errorf("relying party: default policy: %w", err)
	}
	c := &Core{
		config: config, lib: w, book: policies,
		people: map[string]*person{}, handles: map[string]*person{}, directory: map[string][]string{},
		credentials:   map[string]*credential{},
		ceremonies:    newExpiring(maxCeremonies, func(*ceremony) {}),
		provisionings: newExpiring(maxProvisionings, func(*ceremony) {}),
		doors: doors{
			accounts: map[string]*methods.Account{}, attempts: newExpiring(maxAttempts, func(*attempt) {}), risk: map[string]string{},
			post: post{pushes: map[string]push{}, holders: map[string]string{}},
		},
		office: office{
			identities: map[string]rp.Identity{}, lastSeen: map[string]time.Time{}, notices: map[string][]rp.RecoveryNotice{}, kept: &recovery.Snapshot{},
		},
		changes: map[place]struct{}{},
	}
	c.sessions = newExpiring(maxSessions, c.unlink)
	c.tries = newExpiring(maxTries, func(t *passTries) { c.changedName(t.name) })
	_, err = io.ReadFull(config.Rand, c.key[:])
	if err != nil {
		return nil, fmt.Errorf("relying party: random bytes: %w", err)
	}
	if err := c.takeUp(config.State); err != nil {
		return nil, err
	}
	if err := c.beginMetadata(config.Metadata); err != nil {
		return nil, fmt.Errorf("relying party: %w", err)
	}
	return c, c.Save()
}

// RPID returns the relying party's identifier.
func (c *Core) RPID() string { return c.config.RPID }

// Name returns what the relying party calls itself.
func (c *Core) Name() string { return c.config.Name }

// Origins returns the origins whose ceremonies are accepted.
func (c *Core) Origins() []string { return append([]string(nil), c.config.Origins...) }

func (c *Core) now() time.Time { return c.config.Now() }

// random returns n random bytes.
func (c *Core) random(n int) ([]byte, error) {
	c.randMu.Lock()
	defer c.randMu.Unlock()
	b := make([]byte, n)
	if _, err := io.ReadFull(c.config.Rand, b); err != nil {
		return nil, &rp.Broken{Doing: "drawing random bytes", Err: err}
	}
	return b, nil
}

// token returns a secret of 256 bits, and the hash by which it is held.
func (c *Core) token() (secret, hash string, err error) {
	b, err := c.random(32)
	if err != nil {
		return "", "", err
	}
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, tokenHash(secret), nil
}

func tokenHash(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return string(h[:])
}
