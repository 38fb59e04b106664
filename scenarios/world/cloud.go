package world

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/fixtures"
	"fido-emu/keychain"
	"fido-emu/report"
	"fido-emu/scenarios/language"
)

// anyProvider is the provider of models that join the accounts of all of them.
const anyProvider = "reference"

// providerFor returns the sync provider whose accounts a device joins: its model's, or,
// where that joins any, that of its account or of the first in the scenario.
func (w *World) providerFor(as language.Device, model *fixtures.Profile) string {
	if model.Provider != anyProvider {
		return model.Provider
	}
	account := as.Account
	if account == "" && len(w.Scenario.Accounts) > 0 {
		account = w.Scenario.Accounts[0].Name
	}
	if provider, err := w.Scenario.ProviderOf(account, providerOf); err == nil {
		return provider
	}
	return model.Provider
}

// behaviour returns how a sync provider behaves in this scenario.
func (w *World) behaviour(provider string) (keychain.Provider, error) {
	for _, a := range w.Scenario.Accounts {
		if of, err := w.Scenario.ProviderOf(a.Name, providerOf); err == nil && of == provider && a.Behaviour != "" {
			return behaviourOf(w.Scenario, a)
		}
	}
	return keychain.LookupProvider(provider)
}

// behaviourOf reads the file in which a scenario says how an account's provider behaves.
func behaviourOf(s *language.Scenario, a language.Account) (keychain.Provider, error) {
	return keychain.FindProvider(filepath.Join(filepath.Dir(s.At.File), a.Behaviour))
}

// behave has the device's authenticator say what its provider's say.
func (d *Device) behave(p keychain.Provider) {
	if p.AAGUIDShown == keychain.ShowsProvider && p.SignCount == keychain.CountsZero {
		return
	}
	model := *d.Model
	if p.AAGUIDShown == keychain.ShowsZero {
		model.AAGUID = ctap.AAGUID{}
	}
	if p.SignCount == keychain.CountsPerDevice {
		model.Counter = authenticator.GlobalCounter
	}
	d.Model = &model
}

// Cloud returns how the sync provider that the device is at behaves.
func (d *Device) Cloud() keychain.Provider {
	if s, err := d.world.cloud(d.provider); err == nil {
		return s.Provider()
	}
	return keychain.Provider{}
}

// cloudMessage keeps what a sync provider sends to the owner of an account.
func (w *World) cloudMessage(m keychain.Message) {
	w.mu.Lock()
	w.sent = m
	w.mu.Unlock()
	w.emit(report.Event{Kind: report.Note, Text: "The sync provider writes to the owner's " + m.To + "."})
}

// readCode reads what the provider sent last, where whoever holds the device can.
func (d *Device) readCode(context.Context) (string, error) {
	if d.noCode {
		return "", nil
	}
	return d.lastSent(), nil
}

func (d *Device) lastSent() string {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	return d.world.sent.Code
}

// WithoutCode does something while whoever holds the device cannot read what the provider
// sends to the owner.
func (d *Device) WithoutCode(do func() error) error {
	d.noCode = true
	defer func() { d.noCode = false }()
	return do()
}

// Recovery is what there is to recover a sync account with, besides its passcode.
type Recovery struct {
	Code   string  // a recovery code, or a Secret Key
	Helper *Device // the device of a recovery contact, or of a recovery group
	Mail   bool    // whether the owner's mail can be read
}

// RecoverBy joins an account in a way of its provider.
func (d *Device) RecoverBy(ctx context.Context, a *Account, way keychain.JoinWay, r Recovery) (err error) {
	switch way {
	case keychain.ByCode:
		err = d.Member.RecoverWithCode(ctx, a.user, a.secret, r.Code)
	case keychain.BySecretKey:
		err = d.Member.RecoverWithSecretKey(ctx, a.user, a.secret, r.Code)
	case keychain.ByLogin:
		err = d.Member.SignInAlone(ctx, a.user, a.secret)
	case keychain.ByContact:
		var p keychain.Packet
		if p, err = r.Helper.Member.Assist(a.user); err == nil {
			err = d.Member.RecoverWithContact(ctx, a.user, a.secret, p)
		}
	case keychain.ByGroup:
		err = d.recoverByGroup(ctx, a, r)
	default:
		err = fmt.Errorf("%s is no way to recover", way)
	}
	if err == nil {
		d.joined = a
	}
	return err
}

// recoverByGroup has a recovery group begin, the owner answer the mail, and the group
// finish. The account has a new secret then.
func (d *Device) recoverByGroup(ctx context.Context, a *Account, r Recovery) error {
	if err := r.Helper.Member.BeginGroupRecovery(ctx, a.user); err != nil {
		return err
	}
	if !r.Mail {
		return r.Helper.Member.FinishGroupRecovery(ctx, a.user, "")
	}
	secret := a.secret + " anew"
	request, err := d.Member.ConfirmGroupRecovery(ctx, a.user, d.lastSent(), secret)
	if err != nil {
		return err
	}
	if err := r.Helper.Member.FinishGroupRecovery(ctx, a.user, request.Code); err != nil {
		return err
	}
	a.former, a.secret = a.secret, secret
	if err := d.Member.CompleteJoin(ctx); err != nil {
		return err
	}
	if !d.Cloud().Allows(keychain.BySecretKey) {
		return nil
	}
	_, err = d.Member.RenewSecretKey(ctx, a.secret)
	return err
}

// SetUpRecovery prepares a way to recover the device's account. It returns what the owner
// writes down; empty for nothing.
func (d *Device) SetUpRecovery(ctx context.Context, way keychain.JoinWay, helper *Device) (string, error) {
	switch way {
	case keychain.ByCode:
		return d.Member.NewRecoveryCode(ctx)
	case keychain.BySecretKey:
		return d.Member.RenewSecretKey(ctx, d.joined.secret)
	case keychain.ByContact:
		p, err := d.Member.NameContact(ctx, helper.Name)
		if err != nil {
			return "", err
		}
		return "", helper.Member.KeepPacket(p)
	case keychain.ByGroup:
		g, err := d.world.groupOf(ctx, helper)
		if err != nil {
			return "", err
		}
		return "", d.Member.TrustGroup(ctx, g)
	}
	return "", fmt.Errorf("nothing is set up for %s", way)
}

// groupOf returns the recovery group of a device's account, and makes it when it is first
// asked for.
func (w *World) groupOf(ctx context.Context, d *Device) (keychain.Group, error) {
	if d.joined == nil {
		return keychain.Group{}, Refuse(d.Name, string(keychain.NotAMember), "%s is in no sync account that could hold a recovery group", d.Name)
	}
	if g := d.joined.group; g != nil {
		return *g, nil
	}
	g, err := d.Member.MakeGroup(ctx)
	if err == nil {
		d.joined.group = &g
	}
	return g, err
}

// ChangeSecret gives the device's account a new password.
func (d *Device) ChangeSecret(ctx context.Context) error {
	if d.joined == nil {
		return Refuse(d.Name, string(keychain.NotAMember), "%s is in no sync account", d.Name)
	}
	secret := d.joined.secret + " changed"
	if err := d.Member.ChangeSecret(ctx, secret); err != nil {
		return err
	}
	d.joined.former, d.joined.secret = d.joined.secret, secret
	return nil
}

// WithFormerSecret does something as somebody who knows the account's password before it
// was last changed.
func (a *Account) WithFormerSecret(do func() error) error {
	if a.former == "" {
		return errors.New("the password of the account was never changed, so that it has no former one")
	}
	now := a.secret
	a.secret = a.former
	err := do()
	a.secret = now
	return err
}

// Heard returns what the device was told of its account since it last looked, as kinds.
func (d *Device) Heard(ctx context.Context) ([]string, error) {
	notices, err := d.Member.Notices(ctx)
	var kinds []string
	for _, n := range notices {
		kinds = append(kinds, string(n.Kind))
	}
	return kinds, err
}

// MemberNames returns the devices of the account as one of them lists them.
func (d *Device) MemberNames(ctx context.Context) ([]string, error) {
	members, err := d.Member.Members(ctx)
	var names []string
	for _, m := range members {
		if m.State == "member" {
			names = append(names, m.Name)
		}
	}
	return names, err
}

// RestoreDeleted brings back a passkey that was deleted or hidden.
func (d *Device) RestoreDeleted(id []byte) error { return d.Member.RestoreDeleted(id) }

// Signal tells the device's provider that the relying party does not know a passkey any
// more, and returns whether anything came of it.
func (d *Device) Signal(rpID string, id []byte) (bool, error) {
	return d.Member.SignalUnknown(rpID, id)
}
