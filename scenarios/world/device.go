package world

import (
	"context"
	"fmt"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/platform"
	"fido-emu/fixtures"
	"fido-emu/fixtures/reach"
	"fido-emu/keychain"
	"fido-emu/report"
	"fido-emu/scenarios/language"
)

// Device is what is behind a device's name. As a ctap.Authenticator it tells the
// report of every exchange.
type Device struct {
	Name     string
	Model    *fixtures.Profile
	PIN      string           // as its owner knows it; empty while there is none
	Passcode string           // that unlocks it
	Host     *platform.Host   // the computer that it is plugged into
	Member   *keychain.Device // its part in a sync account; nil where it can have none
	Link     *keychain.Link   // its way to the sync account; nil likewise

	world    *World
	core     *authenticator.Authenticator
	env      authenticator.Env
	cable    *reach.Cable // the way to it; nil where it is used in this process
	key      *borrowed    // a key that stands for it; nil where it is emulated here
	holder   *holder
	meter    meter  // of its wire
	chip     *chip  // its TPM; nil where it has none
	asked    string // id of its request to join an account
	shows    string // the code of that request
	joined   *Account
	provider string // whose sync accounts it joins; empty for none
	noCode   bool   // whoever holds it cannot read the code that a sync provider sends
}

// openDevices makes the devices that the scenario begins with.
func (w *World) openDevices(ctx context.Context) error {
	for _, d := range w.Scenario.Devices {
		made, err := w.openDevice(ctx, d)
		if err != nil {
			return fmt.Errorf("device %s: %w", d.Name, err)
		}
		w.devices = append(w.devices, made)
	}
	return nil
}

func (w *World) openDevice(ctx context.Context, as language.Device) (*Device, error) {
	if bound, ok := w.options.Bound[as.Name]; ok {
		return w.bind(ctx, as, bound)
	}
	d, err := w.newDevice(ctx, as)
	if err != nil {
		return nil, err
	}
	return d, d.begin(ctx, as)
}

// begin brings a device into the state in which the scenario finds it.
func (d *Device) begin(ctx context.Context, as language.Device) error {
	if d.chip != nil {
		if _, err := d.chip.on(ctx); err != nil { // better now than in the middle
			return err
		}
	}
	if as.PIN != "" {
		if err := d.SetPIN(ctx, as.PIN); err != nil {
			return err
		}
	}
	if as.Account != "" {
		a, err := d.world.Account(as.Account)
		if err == nil {
			err = a.welcome(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	for _, f := range as.Faults {
		if err := d.Disturb(f); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) newDevice(ctx context.Context, as language.Device) (*Device, error) {
	model, err := Model(as.Profile)
	if err != nil {
		return nil, err
	}
	if model, err = model.With(as.Quirks...); err != nil {
		return nil, err
	}
	d := &Device{Name: as.Name, Model: model, Passcode: as.Passcode, world: w, provider: w.providerFor(as, model)}
	d.holder = &holder{world: w, touch: as.Touch, model: &model.Profile, meter: &d.meter}
	d.env = authenticator.Env{
		Now: w.Clock.Now, Rand: w.Random.Stream(as.Name), User: d.holder,
		Keys:        softkeys.New(w.Random.Stream(as.Name+" keys"), w.Random.Seeded()),
		Device:      authenticator.NewMemoryDevice(),
		Credentials: authenticator.NewMemoryCredentials(model.CredentialLimit()),
	}
	if err := d.furnish(); err != nil {
		return nil, err
	}
	d.Host = platform.New(d, w.Random.Stream(as.Name+" host"))
	if err := d.switchOn(); err != nil {
		return nil, err
	}
	return d, d.connect(ctx)
}

// furnish gives the device what its model has beyond a plain authenticator.
func (d *Device) furnish() error {
	w := d.world
	switch d.Model.Keys {
	case fixtures.KeychainKeys:
		cloud, err := w.cloud(d.provider)
		if err != nil {
			return err
		}
		d.behave(cloud.Provider())
		d.Link = keychain.NewLink(cloud, w.Clock.Now)
		d.Member = keychain.NewDevice(d.Name, d.Link, d.keychainEnv())
		d.env.Credentials = d.Member.Credentials()
	case fixtures.TPMKeys:
		d.chip = newChip(d)
		d.env.Keys = d.chip
	}
	return d.attest()
}

// attest gives the device what attests to its credentials.
func (d *Device) attest() (err error) {
	if d.Model.AttestedBy == fixtures.AttestedByTPM {
		d.env.Attestation = d.chip
		return nil
	}
	model := attestation.Model{AAGUID: d.Model.AAGUID, Title: d.Model.Title}
	if d.Model.Enterprise.Capable {
		model.Serial = d.Name
	}
	d.env.Attestation, err = d.world.authority.Attestation(string(d.Model.AttestedBy), model, d.env.Keys)
	return err
}

// fewIterations are the fewest that sync services take: scenarios show who counts guesses,
// and not how long one takes.
const fewIterations = 1000

func (d *Device) keychainEnv() keychain.Env {
	w := d.world
	return keychain.Env{Now: w.Clock.Now, Rand: w.Random.Stream(d.Name + " keychain"), MaxCredentials: d.Model.CredentialLimit(), Iterations: fewIterations, SecondFactor: d.readCode}
}

// switchOn powers the device on with what its stores hold.
func (d *Device) switchOn() (err error) {
	d.core, err = authenticator.New(d.Model.Profile, d.env)
	d.Host.Forget()
	return err
}

// Exchange takes a request to the authenticator and tells the report of it.
func (d *Device) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	response, err := d.ask(ctx, request)
	d.world.emit(report.Event{Kind: report.CTAP, Device: d.Name, Exchange: report.NewExchange(request, response)})
	if err != nil {
		d.world.emit(report.Event{Kind: report.Note, Device: d.Name, Text: fmt.Sprintf("No answer from %s: %v.", d.Name, err)})
	}
	return response, err
}

var _ ctap.Authenticator = (*Device)(nil)

// AtHand refuses where nobody can use the device.
func (d *Device) AtHand() error {
	if d.holder.in == nobodys {
		return Refuse(d.Name, DeviceLost, "%s is lost", d.Name)
	}
	return nil
}

// Syncs refuses where the device can have no part in a sync account.
func (d *Device) Syncs() error {
	if d.Member == nil {
		return Refuse(d.Name, NoKeychain, "%s (%s) keeps its passkeys to itself and can be in no sync account", d.Name, d.Model.Name)
	}
	return nil
}
