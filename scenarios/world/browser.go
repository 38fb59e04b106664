package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"fido-emu/report"
	"fido-emu/webauthn"
)

// Browser is a person's browser for one ceremony, with the devices at hand. It
// tells the report of the ceremony.
type Browser struct {
	Devices []*Device
	PIN     string // what is typed when a PIN is asked for; empty for what the holder knows

	world  *World
	person *Person

	mu      sync.Mutex
	offered []string
}

var _ webauthn.Client = (*Browser)(nil)

// Browser returns the browser of a person, without devices.
func (w *World) Browser(p *Person) *Browser { return &Browser{world: w, person: p} }

// Create is navigator.credentials.create of the page that the person has open,
// whatever page asks for it.
func (b *Browser) Create(ctx context.Context, _ string, options []byte) ([]byte, error) {
	return b.agent().Create(ctx, b.person.Page, options)
}

// Get is navigator.credentials.get, likewise.
func (b *Browser) Get(ctx context.Context, _ string, options []byte) ([]byte, error) {
	return b.agent().Get(ctx, b.person.Page, options)
}

// Offered returns the user names of the accounts that the person could choose
// from.
func (b *Browser) Offered() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.offered
}

func (b *Browser) agent() *webauthn.UserAgent {
	config := webauthn.Config{
		Rand: b.world.Random.Stream("browser of " + b.person.Name),
		PIN:  b.typePIN, ChooseAccount: b.chooseAccount, OnCeremony: b.tell,
	}
	var devices []webauthn.Device
	for _, d := range b.Devices {
		devices = append(devices, webauthn.Device{Name: d.Name, Authenticator: d})
	}
	return webauthn.NewUserAgent(config, devices...)
}

func (b *Browser) typePIN(_ context.Context, p webauthn.PINPrompt) (string, error) {
	for _, d := range b.Devices {
		if d.Name == p.Device {
			return d.typePIN(b.PIN, p.Wrong)
		}
	}
	return "", fmt.Errorf("asked for the PIN of %q, which is not there", p.Device)
}

// chooseAccount picks the person's account. An authenticator that did not verify
// its user names none: then it is the newest.
func (b *Browser) chooseAccount(_ context.Context, c webauthn.AccountChoice) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	choice, named := -1, false
	for i, a := range c.Accounts {
		b.offered = append(b.offered, a.Name)
		named = named || a.Name != ""
		if a.Name == b.person.RP.Name && choice < 0 {
			choice = i
		}
	}
	switch {
	case choice >= 0:
		return choice, nil
	case !named:
		return 0, nil
	}
	return 0, errors.New(b.person.RP.Name + " is not among the accounts offered")
}

// tell emits the ceremony.
func (b *Browser) tell(c webauthn.Ceremony) {
	b.world.emit(report.Event{
		Kind:     report.WebAuthn,
		Ceremony: report.NewCeremony(strings.TrimPrefix(c.Type, "webauthn."), b.person.Name, c.Origin, c.Options, c.Response, c.Err),
	})
}
