package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/keychain"
)

const (
	fewEntities  = 10
	manyEntities = 100_000
)

// measureSync adds one credential on one device and syncs it to another, in an
// account with few and in one with many.
func measureSync(ctx context.Context, e effort) ([]row, error) {
	stored := manyEntities
	if e.quick {
		stored = 5_000
	}
	few, err := newPair(ctx, fewEntities)
	if err != nil {
		return nil, err
	}
	many, err := newPair(ctx, stored)
	if err != nil {
		return nil, err
	}
	r, err := against(e, fmt.Sprintf("sync one change among %d", stored),
		fmt.Sprintf("floor is the same among %d entities: cost is that of what changed", fewEntities), 1.25,
		func() error { return many.change(ctx) }, func() error { return few.change(ctx) })
	return []row{r}, err
}

// pair is two devices of one sync account.
type pair struct {
	first, second *keychain.Device
	made          int
}

func newPair(ctx context.Context, stored int) (*pair, error) {
	provider, err := keychain.LookupProvider("reference")
	if err != nil {
		return nil, err
	}
	service, err := keychain.NewService(keychain.ServiceConfig{Provider: provider, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return nil, err
	}
	env := keychain.Env{Now: time.Now, Rand: rand.Reader}
	p := &pair{first: keychain.NewDevice("first", service, env), second: keychain.NewDevice("second", service, env)}
	if err := p.first.CreateAccount(ctx, "ada@example.com", "secret"); err != nil {
		return nil, err
	}
	request, err := p.second.RequestJoin(ctx, "ada@example.com", "secret")
	if err != nil {
		return nil, err
	}
	if err := p.first.Approve(ctx, request.ID, request.Code); err != nil {
		return nil, err
	}
	if err := p.second.CompleteJoin(ctx); err != nil {
		return nil, err
	}
	for range stored {
		if err := p.put(); err != nil {
			return nil, err
		}
	}
	return p, p.sync(ctx)
}

func (p *pair) put() error {
	p.made++
	return p.first.Credentials().Put(newCredential(p.made))
}

// change adds a credential on the first device and takes it to the second.
func (p *pair) change(ctx context.Context) error {
	if err := p.put(); err != nil {
		return err
	}
	return p.sync(ctx)
}

func (p *pair) sync(ctx context.Context) error {
	if _, err := p.first.Sync(ctx); err != nil {
		return err
	}
	_, err := p.second.Sync(ctx)
	return err
}

// newCredential returns the nth of any number of credentials of ordinary size.
func newCredential(n int) *authenticator.Credential {
	c := &authenticator.Credential{
		ID: make([]byte, 32), KeyHandle: make([]byte, 32), PublicKey: make([]byte, 77), HMACSecret: make([]byte, 64),
		RP:        ctap.RelyingParty{ID: fmt.Sprintf("site-%d.example.com", n%1000), Name: "Example"},
		User:      ctap.User{ID: fmt.Appendf(nil, "user handle %08d", n), Name: fmt.Sprintf("user-%d@example.com", n), DisplayName: "Ada Lovelace"},
		Algorithm: cose.ES256, CreatedAt: time.Unix(int64(n), 0), Discoverable: true,
	}
	for _, b := range [][]byte{c.ID, c.KeyHandle, c.PublicKey, c.HMACSecret} {
		rand.Read(b) // never fails
	}
	return c
}
