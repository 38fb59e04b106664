package proofing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/document"
	"fido-emu/identity/person"
)

// RelyingParty is a customer of the providers.
type RelyingParty struct {
	Name   string
	Key    string // API key
	Secret []byte // signs callbacks
}

// Config says what a service is made of.
type Config struct {
	Now    func() time.Time
	Rand   io.Reader    // of tokens, codes, challenges and the issuers' keys
	Client *http.Client // for callbacks

	BaseURL   string           // such as https://proofing.test, without a slash at its end; issuers are named after it
	PublicURL string           // under which people's devices reach the pages; "": BaseURL
	Wallet    string           // path of a wallet's page here that opens links (?link=…), to which the pages lead; "": none
	Providers []Provider       // nil: those that come with the project
	People    []*person.Person // whose faces are known; nil: those that come with the project
	Relying   []RelyingParty   //
	AdminKey  string           // for faults and revocation; empty: nobody may

	Archive   *document.Archive                          // remembers drawings and readings; nil: one of its own
	Inspector *document.Inspector                        // nil: by Now, with the list of stolen documents
	Sleep     func(context.Context, time.Duration) error // nil: real time
	Save      func(snapshot []byte) error                // called with every change before it is answered; nil: nothing is kept
	Snapshot  []byte                                     // what Save got last; nil: a new service
}

// Service is the providers' service, an http.Handler. It is safe for concurrent use.
type Service struct {
	config  Config
	gallery *person.Gallery
	handler http.Handler

	mu       sync.Mutex // everything below
	houses   map[string]*house
	sessions map[string]*record
	seen     map[string]bool // hashes of frames
	fresh    []string        // of these, those of the change that is under way
	wrong    []time.Time     // wrong codes of late
}

// house is a provider at work.
type house struct {
	Provider
	issuer *credential.Issuer
	fault  Fault
}

// New makes a service, or brings one back from a snapshot.
func New(c Config) (*Service, error) {
	if err := complete(&c); err != nil {
		return nil, fmt.Errorf("identity verification: %w", err)
	}
	s := &Service{
		config: c, gallery: c.Archive.Gallery(c.People),
		houses: map[string]*house{}, sessions: map[string]*record{}, seen: map[string]bool{},
	}
	issuers, err := s.restore(c.Snapshot)
	if err != nil {
		return nil, fmt.Errorf("identity verification: %w", err)
	}
	for _, p := range c.Providers {
		if err := s.open(p, issuers[p.ID]); err != nil {
			return nil, fmt.Errorf("identity verification by %s: %w", p.ID, err)
		}
	}
	s.handler = s.routes()
	return s, nil
}

func complete(c *Config) (err error) {
	if c.Now == nil || c.Rand == nil || c.BaseURL == "" {
		return errors.New("the configuration needs Now, Rand and BaseURL")
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	c.PublicURL = strings.TrimSuffix(cmp.Or(c.PublicURL, c.BaseURL), "/")
	c.Rand = &lockedReader{reader: c.Rand}
	if c.Providers == nil {
		if c.Providers, err = Providers(); err != nil {
			return err
		}
	}
	if c.People == nil {
		if c.People, err = person.Shipped(); err != nil {
			return err
		}
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Archive == nil {
		c.Archive = document.NewArchive()
	}
	if c.Inspector == nil {
		c.Inspector = &document.Inspector{Now: c.Now, Archive: c.Archive}
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	return nil
}

// open puts a provider to work, with the issuer of a snapshot or a new one.
func (s *Service) open(p Provider, snapshot []byte) (err error) {
	config := credential.IssuerConfig{
		Now: s.config.Now, Rand: s.config.Rand, BaseURL: s.config.BaseURL + "/" + p.ID + "/issuer", Name: p.Title,
	}
	h := &house{Provider: p}
	if snapshot == nil {
		h.issuer, err = credential.NewIssuer(config)
	} else {
		h.issuer, err = credential.RestoreIssuer(config, snapshot)
	}
	s.houses[p.ID] = h
	return err
}

// Issuer returns the issuer of a provider's Verified IDs, nil of one that there is not.
// What is done with it directly is kept with the next change; Revoke keeps at once.
func (s *Service) Issuer(provider string) *credential.Issuer {
	if h := s.houses[provider]; h != nil {
		return h.issuer
	}
	return nil
}

// SetFault lets a provider fail from now on; the zero Fault ends that.
func (s *Service) SetFault(provider string, f Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.houses[provider]
	if h == nil {
		return errNotFound("provider")
	}
	h.fault = f
	return nil
}

// Revive starts a provider again that died, or that was down.
func (s *Service) Revive(provider string) error { return s.SetFault(provider, Fault{}) }

// ServeHTTP answers as the package comment says.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// fault returns how a provider fails now.
func (s *Service) fault(h *house) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return h.fault
}

// dies tells whether a provider dies before this step is answered, and lets it.
func (s *Service) dies(h *house, step Step) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.fault.Dies != step {
		return false
	}
	h.fault = Fault{Down: true}
	return true
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lockedReader lets several requests draw from one source.
type lockedReader struct {
	mu     sync.Mutex
	reader io.Reader
}

// Read reads whole, so that what a request draws is not torn apart.
func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.reader, b)
}

// secret draws a token of 128 bits: 26 characters that can be part of a URL.
func (s *Service) secret() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.config.Rand, b[:]); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), nil
}

// code draws what a person can type: eight of 32 letters and digits, 40 bits.
func (s *Service) code() (string, error) {
	var b [5]byte
	if _, err := io.ReadFull(s.config.Rand, b[:]); err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	return base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").EncodeToString(b[:]), nil
}

// hash is what is kept of a secret, and by which it is found: to compare hashes tells
// nothing of the secret by its time.
func hash(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// poses draws a challenge: poses other than Front, none twice running.
func (s *Service) poses(n int) ([]person.Pose, error) {
	left := slices.Clone(person.Poses()[1:])
	var b [1]byte
	var out []person.Pose
	for range n {
		if _, err := io.ReadFull(s.config.Rand, b[:]); err != nil {
			return nil, fmt.Errorf("draw a challenge: %w", err)
		}
		i := int(b[0]) % len(left)
		out = append(out, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return out, nil
}
