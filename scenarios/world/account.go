package world

import (
	"context"
	"fmt"

	"fido-emu/keychain"
	"fido-emu/report"
)

// Account is a sync account.
type Account struct {
	Name string

	world    *World
	provider string
	user     string // as its provider knows it
	secret   string // what its owner signs in to the provider with
	former   string // that secret before it was last changed
	founder  *Device
	group    *keychain.Group // that its devices hold; nil for none
}

// openAccounts makes the accounts that the scenario speaks of. They come to life
// with their first device.
func (w *World) openAccounts(context.Context) error {
	for _, a := range w.Scenario.Accounts {
		provider, err := w.Scenario.ProviderOf(a.Name, providerOf)
		if err != nil {
			return err
		}
		w.accounts = append(w.accounts, &Account{
			Name: a.Name, world: w, provider: provider,
			user: a.Name + "@" + provider + ".example", secret: "account password of " + a.Name,
		})
	}
	return nil
}

// providerOf returns the sync provider of a device profile, empty for none.
func providerOf(profile string) string {
	m, err := Model(profile)
	if err != nil {
		return ""
	}
	return m.Provider
}

// cloud returns the service of a sync provider, the same for all its accounts.
func (w *World) cloud(provider string) (*keychain.Service, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.clouds[provider]; s != nil {
		return s, nil
	}
	p, err := w.behaviour(provider)
	if err != nil {
		return nil, err
	}
	s, err := keychain.NewService(keychain.ServiceConfig{
		Provider: p, Now: w.Clock.Now, Rand: w.Random.Stream("sync provider " + provider), OnEvent: w.cloudEvent,
		OnMessage: w.cloudMessage,
	})
	if err == nil {
		w.clouds[provider] = s
	}
	return s, err
}

// cloudEvent tells the report what the service of a sync provider saw.
func (w *World) cloudEvent(e keychain.Event) {
	text := "Sync account: " + string(e.Operation)
	if e.Operation == keychain.OpSync {
		text += fmt.Sprintf(", %d sent, %d fetched", e.Pushed, e.Pulled)
	}
	if e.Refused > 0 {
		text += fmt.Sprintf(", %d met a newer change", e.Refused)
	}
	if e.Code != "" {
		text += ": refused, " + string(e.Code)
	}
	w.emit(report.Event{Kind: report.Note, Device: e.Device, Text: text})
}

// welcome makes a device a part of the account before the scenario begins. The
// first founds it; others are approved by the first, or know its passcode.
func (a *Account) welcome(ctx context.Context, d *Device) error {
	if err := d.Syncs(); err != nil {
		return err
	}
	if a.founder == nil {
		return a.found(ctx, d)
	}
	if !d.Cloud().Allows(keychain.BySponsor) {
		return d.Recover(ctx, a, a.founder.Passcode)
	}
	if _, err := d.AskToJoin(ctx, a); err != nil {
		return err
	}
	return a.founder.Approve(ctx, d, "")
}

func (a *Account) found(ctx context.Context, d *Device) error {
	if err := d.Member.CreateAccount(ctx, a.user, a.secret); err != nil {
		return err
	}
	a.founder, d.joined = d, a
	if d.Passcode == "" || !d.Cloud().Allows(keychain.ByEscrow) {
		return nil
	}
	return d.Member.SetPasscode(ctx, d.Passcode)
}

// Devices returns how many devices belong to the account, as one of them sees it.
func (a *Account) Devices(ctx context.Context) (int, error) {
	var last error
	for _, d := range a.world.devices {
		if d.joined != a || !d.InAccount() {
			continue
		}
		members, err := d.Member.Members(ctx)
		if err != nil {
			last = err
			continue
		}
		n := 0
		for _, m := range members {
			if m.State == "member" {
				n++
			}
		}
		return n, nil
	}
	return 0, last
}
