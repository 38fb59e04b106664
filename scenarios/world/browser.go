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
	Script  Script // what the page does beyond what the relying party asks for

	world  *World
	person *Person

	response []byte // of the last ceremony

	mu      sync.Mutex
	offered []string
}

var _ webauthn.Client = (*Browser)(nil)

// Browser returns the browser of a person, without devices.
func (w *World) Browser(p *Person) *Browser { return &Browser{world: w, person: p} }

// Create is navigator.credentials.create of the page that the person has open.
func (b *Browser) Create(ctx context.Context, origin string, options []byte) (response []byte, err error) {
	if options, err = b.Script.edit(options); err != nil {
		return nil, err
	}
	if ctx, origin, err = b.at(ctx, origin, "create"); err != nil {
		return nil, err
	}
	b.response, err = b.agent().Create(ctx, origin, options)
	b.world.Clock.Advance(b.Script.Delay)
	return b.response, err
}

// Get is navigator.credentials.get, likewise.
func (b *Browser) Get(ctx context.Context, origin string, options []byte) (response []byte, err error) {
	if options, err = b.Script.edit(options); err != nil {
		return nil, err
	}
	if ctx, origin, err = b.at(ctx, origin, "get"); err != nil {
		return nil, err
	}
	b.response, err = b.agent().Get(ctx, origin, options)
	if err == nil {
		b.person.overheard = b.response
	}
	return b.response, err
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
		PIN:  b.typePIN, ChooseAccount: b.chooseAccount, OnCeremony: b.tell, RelatedOrigins: b.world.related(),
	}
	if b.Script.Enterprise {
		config.EnterpriseRPIDs = []string{b.world.Scenario.Site.ID}
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
