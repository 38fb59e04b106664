package audit

import (
	"context"
	"crypto/x509"
	"io"
	"sync"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// Local is the reference relying party in this process, on a clock of its own, with
// all that attacks can make use of.
type Local struct {
	*reference.Adapter
	core  *reference.Core
	clock *clock
}

var _ interface {
	rp.Stepwise
	Clock
} = (*Local)(nil)

// clock is a time that can be put forward.
type clock struct {
	mu    sync.Mutex
	base  func() time.Time
	ahead time.Duration
}

// now returns the time of this clock.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base().Add(c.ahead)
}

// NewLocal returns a reference relying party that trusts the attestation of roots;
// changes are to its configuration.
func NewLocal(rand io.Reader, now func() time.Time, roots *x509.CertPool, changes ...func(*reference.Config)) (*Local, error) {
	c := &clock{base: now}
	config := reference.Config{
		RPID: "example.com", Name: "Example", Origins: []string{"https://login.example.com"},
		Now: c.now, Rand: rand, AttestationRoots: roots, PassTries: 100,
	}
	for _, change := range changes {
		change(&config)
	}
	core, err := reference.New(config)
	if err != nil {
		return nil, err
	}
	return &Local{reference.InProcess(core, ""), core, c}, nil
}

// Core returns the relying party itself, for set-up beyond its configuration.
func (l *Local) Core() *reference.Core { return l.core }

// Pass lets time pass.
func (l *Local) Pass(d time.Duration) {
	l.clock.mu.Lock()
	defer l.clock.mu.Unlock()
	l.clock.ahead += d
}

// BeginRegistration begins a registration of somebody who has no account.
func (l *Local) BeginRegistration(_ context.Context, p rp.Person) (rp.Ceremony, error) {
	begun, err := l.core.BeginRegistration("", p)
	return &localCeremony{l, registering, begun}, err
}

// BeginSignIn begins a sign-in.
func (l *Local) BeginSignIn(_ context.Context, p rp.Person) (rp.Ceremony, error) {
	begun, err := l.core.BeginSignIn(p.Name)
	return &localCeremony{l, authenticating, begun}, err
}

type localCeremony struct {
	local *Local
	kind  kind
	begun reference.Begun
}

// Options returns what the page was given.
func (c *localCeremony) Options() (origin string, optionsJSON []byte) {
	return c.local.Origin(), c.begun.Options
}

// Finish hands in a response; a session that comes of it is looked up.
func (c *localCeremony) Finish(_ context.Context, responseJSON []byte) (done bool, err error) {
	var grant reference.Grant
	if c.kind == registering {
		registered, err := c.local.core.FinishRegistration("", c.begun.Ceremony, responseJSON)
		if err != nil || registered.Grant == nil {
			return false, err
		}
		grant = *registered.Grant
	} else if grant, err = c.local.core.FinishSignIn(c.begun.Ceremony, responseJSON); err != nil {
		return false, err
	}
	_, err = c.local.core.Session(grant.Token)
	return err == nil, err
}
