package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
	"fido-emu/fixtures"
	"fido-emu/fixtures/reach"
	"fido-emu/scenarios/language"
)

// Bound is a key that stands for a device of a scenario: a real one, or one that
// another program emulates.
type Bound struct {
	Address reach.Address
	PIN     string // of the key; empty when it has none, or is not to be used

	Name       string // of the slot that it is in; empty for one outside a bench, which the address tells
	Slot       Slot   // that slot
	Expendable bool   // whatever is on it may be destroyed
	Platform   bool   // it is a phone or computer, of the model of the device
	Trusted    bool   // it is emulated and of the model of the device: its attestation is trusted
}

// Harm says which bound keys may be harmed, by a reset, another PIN, a lock-out.
type Harm struct {
	Allowed bool     // those that hold nothing but what the run made
	Serials []string // these, whatever they hold
}

// borrowed is what the world knows of a bound key.
type borrowed struct {
	outside
	bound   Bound
	written string   // the PIN that the scenario gives it; the key has another
	made    [][]byte // ids of what the scenario made on it
	before  uint     // how many passkeys it held then
	counted bool     // before is known
	unsure  bool     // what is on it is not known

	store authenticator.Credentials // of a slot with a shelf; nil where only the key tells what is on it
}

// bind takes a key for a device of the scenario, once it is sure that it will do.
func (w *World) bind(ctx context.Context, as language.Device, bound Bound) (*Device, error) {
	model, err := Model(as.Profile)
	if err != nil {
		return nil, err
	}
	d := &Device{Name: as.Name, Model: model, Passcode: as.Passcode, world: w}
	d.holder = &holder{world: w, touch: as.Touch, model: &model.Profile, meter: &d.meter}
	key, err := w.openBound(ctx, d, bound)
	if err != nil {
		return nil, err
	}
	d.key = &borrowed{outside: key, bound: bound, written: as.PIN}
	if shelved, ok := bound.Slot.(Shelved); ok && bound.Platform {
		d.key.store = shelved.Credentials()
	}
	d.Host = platform.New(d, w.Random.Stream(as.Name+" host"))
	if err := d.suits(ctx, as); err != nil {
		return nil, err
	}
	d.PIN = bound.PIN
	if err := d.count(ctx); err != nil {
		return nil, err
	}
	if slices.Contains(w.options.Harmed, as.Name) {
		if err := d.harmable(); err != nil {
			return nil, err
		}
	}
	w.whenClosed(d.restore)
	return d, nil
}

// openBound opens the key; one in a slot is open.
func (w *World) openBound(ctx context.Context, d *Device, bound Bound) (outside, error) {
	if bound.Slot != nil {
		if told, ok := bound.Slot.(Told); ok {
			told.OnTouch(d.meter.touched)
		}
		return inSlot{bound.Slot, bound.Name}, nil
	}
	key, err := reach.Opening{
		Name: d.Name, Address: bound.Address, Rand: w.Random.Stream(d.Name + " wire"), Hand: w.options.Hand, Heard: w.ear(d.Name),
	}.Open(ctx)
	if err != nil {
		return nil, errors.New(err.Error()) // the bench's, and no refusal, even where the key did not answer
	}
	w.whenClosed(key.Close)
	return key, nil
}

// suits tells whether the key can stand for the device; the error is a [Missing] that
// says why not.
func (d *Device) suits(ctx context.Context, as language.Device) error {
	info, err := d.Host.Info(ctx)
	if err != nil {
		return err
	}
	reasons := d.unfit(as, info)
	hasPIN := info.Options["clientPin"]
	switch {
	case hasPIN && d.key.bound.PIN == "":
		reasons = append(reasons, "it has a PIN: "+d.key.bound.givePIN(as.Name))
	case !hasPIN && as.PIN != "":
		reasons = append(reasons, "it has no PIN, and the scenario needs one: set one on the key first")
	case hasPIN && as.PIN == "" && !d.Model.ClientPIN:
		reasons = append(reasons, "it has a PIN, and "+d.Model.Name+" takes none")
	}
	if len(reasons) == 0 {
		return nil
	}
	return &Missing{fmt.Sprintf("the key bound to %s will not do: %s", as.Name, strings.Join(reasons, "; "))}
}

func (d *Device) unfit(as language.Device, info *ctap.Info) []string {
	if d.key.bound.Platform {
		return PlatformUnfit(d.world.Scenario, as)
	}
	return Unfit(d.world.Scenario, as, info, d.key.bound.Trusted)
}

// givePIN says how the PIN is given.
func (b Bound) givePIN(device string) string {
	if b.Name != "" {
		return "give slot " + b.Name + " of the bench a pin"
	}
	return fmt.Sprintf("give it with --pin-env %s=VARIABLE or --pin-file %[1]s=FILE", device)
}

// unlike lists what a model has and the key has not.
func unlike(model *fixtures.Profile, info *ctap.Info) (reasons []string) {
	_, takesPIN := info.Options["clientPin"]
	for _, o := range []struct {
		wanted, there bool
		what          string
	}{
		{model.Discoverable, info.Options["rk"], "discoverable credentials (rk)"},
		{model.ClientPIN, takesPIN, "a PIN (clientPin)"},
		{model.BuiltInUV != "", info.Options["uv"], "user verification of its own that is set up (uv)"},
	} {
		if o.wanted && !o.there {
			reasons = append(reasons, model.Name+" has "+o.what+", the key has not")
		}
	}
	if model.U2F && len(model.Versions) == 0 && !slices.Equal(info.Versions, []string{"U2F_V2"}) {
		reasons = append(reasons, model.Name+" speaks U2F alone, and the key CTAP2")
	}
	known := []int64{int64(cose.ES256)} // what an authenticator of CTAP 2.0, which lists none, must have
	if len(info.Algorithms) > 0 {
		known = nil
	}
	for _, p := range info.Algorithms {
		known = append(known, int64(p.Algorithm))
	}
	// A relying party takes any of several, so that one in common is enough.
	if !slices.ContainsFunc(model.Algorithms, func(a cose.Algorithm) bool { return slices.Contains(known, int64(a)) }) {
		reasons = append(reasons, fmt.Sprintf("%s signs with %v, and the key with none of them", model.Name, model.Algorithms))
	}
	return reasons
}

// beyond lists what the scenario wants of the device and no key outside can do.
func beyond(model *fixtures.Profile, as language.Device) (reasons []string) {
	if model.Keys == fixtures.TPMKeys {
		reasons = append(reasons, model.Name+" has its keys in a TPM")
	}
	if as.Account != "" {
		reasons = append(reasons, "it can be in no sync account of the scenario")
	}
	return append(reasons, untold(as)...)
}

// untold lists what nothing outside the scenario can be told to do.
func untold(as language.Device) (reasons []string) {
	for _, b := range []struct {
		is  bool
		why string
	}{
		{as.Touch != "yes", "nobody can be told not to touch it (touch: " + as.Touch + ")"},
		{len(as.Quirks) > 0, "no key can be told to break its specification, and quirks are for emulated devices"},
		{len(as.Faults) > 0, "its wire is in order, and faults are for emulated devices"},
	} {
		if b.is {
			reasons = append(reasons, b.why)
		}
	}
	return reasons
}

// judges tells whether the scenario is about attestation, and about models.
func judges(s *language.Scenario) (attested, models bool) {
	policies, profiles := slices.Clone(s.Site.Policies), slices.Clone(s.Site.Profiles)
	attested = len(s.Site.Metadata) > 0
	for _, c := range s.Steps {
		if c.Usage.Verb == "policy" {
			policies = append(policies, language.PolicyOf(c.Subject, c.Args))
		}
		if c.Usage.Verb == "passkey-profile" {
			profiles = append(profiles, language.ProfileOf(c.Subject, c.Args))
		}
		attested = attested || c.Usage.Claims && (c.Has("attestation") || c.Has("trusted"))
	}
	for _, p := range policies {
		attested = attested || p.RequireAttestation
		models = models || len(p.AllowedModels)+len(p.BlockedModels) > 0
	}
	for _, p := range profiles {
		attested = attested || p.Attestation
		models = models || len(p.AllowedModels)+len(p.BlockedModels) > 0
	}
	return attested, models
}

// count finds out how many passkeys the key holds, where it tells.
func (d *Device) count(ctx context.Context) error {
	n, err := d.held(ctx)
	if missing := (*Missing)(nil); errors.As(err, &missing) {
		return nil
	}
	d.key.before, d.key.counted = n, err == nil
	return err
}

// held returns how many passkeys are on the key.
func (d *Device) held(ctx context.Context) (uint, error) {
	if store := d.store(); store != nil {
		n, err := store.Count()
		return uint(n), err
	}
	token, err := d.managing(ctx)
	if err != nil {
		return 0, err
	}
	n, _, err := d.Host.CredentialCounts(ctx, token)
	return n, err
}

// managing returns a token for credential management, or a [Missing].
func (d *Device) managing(ctx context.Context) (*platform.Token, error) {
	info, err := d.Host.Info(ctx)
	switch {
	case err != nil:
		return nil, err
	case !platform.Manages(info):
		return nil, &Missing{"the key bound to " + d.Name + " does not let its passkeys be managed (credMgmt)"}
	case d.PIN == "" || !info.Options["clientPin"]:
		return nil, &Missing{"the key bound to " + d.Name + " lists its passkeys for its PIN only, and has none"}
	}
	return d.Host.ManagementToken(ctx, d.PIN)
}

// harmable refuses where the scenario would harm a key that may not be.
func (d *Device) harmable() error {
	harm, serial := d.world.options.Harm, d.key.Serial()
	switch {
	case d.key.bound.Expendable || slices.Contains(harm.Serials, serial):
		return nil
	case !harm.Allowed:
		return &Missing{fmt.Sprintf("the scenario would reset %s, change its PIN or lock it: --allow-destructive lets it", d.Name)}
	case !d.key.counted:
		return &Missing{fmt.Sprintf("the scenario would harm %s, and whether that holds passkeys cannot be told: --allow-destructive=%s lets it all the same", d.Name, serial)}
	case d.key.before > 0:
		return &Missing{fmt.Sprintf("the scenario would harm %s, which holds %d passkeys that this run did not make: --allow-destructive=%s lets it all the same", d.Name, d.key.before, serial)}
	}
	return nil
}

// restoreTimeout bounds what is done to a key when a scenario is over.
const restoreTimeout = 30 * time.Second

// restore deletes what the scenario made on the key, and gives it back its PIN. What
// it cannot do is told to the report.
func (d *Device) restore() error {
	ctx, cancel := context.WithTimeout(context.Background(), restoreTimeout) // the scenario's is over
	defer cancel()
	if err := d.restorePIN(ctx); err != nil {
		d.key.unsure = true
		d.world.Note("The PIN of %s is not what it was: %v.", d.Name, err)
	}
	if len(d.key.made) == 0 {
		return nil
	}
	if d.key.store != nil {
		if err := d.unshelve(); err != nil {
			d.key.unsure = true
			d.world.Note("Passkeys may be left on %s: %v.", d.Name, err)
		}
		return nil
	}
	token, err := d.managing(ctx)
	if errors.Is(err, ctap.ErrPINAuthBlocked) { // three wrong PINs: it takes the right one after a power cycle
		if err = d.PowerCycle(ctx); err == nil {
			token, err = d.managing(ctx)
		}
	}
	if err != nil && d.key.bound.Expendable { // who lent it empties it
		d.key.unsure, d.key.made = true, nil
		return nil
	}
	for _, id := range d.key.made {
		if err == nil {
			err = d.Host.DeleteCredential(ctx, token, id)
		}
		if errors.Is(err, ctap.ErrNoCredentials) { // deleted, or never stored
			err = nil
		}
		if err != nil {
			d.key.unsure = true
			d.world.Note("A passkey may be left on %s, credential id %x: %v.", d.Name, id, err)
		}
	}
	d.key.made = nil
	return nil
}

func (d *Device) restorePIN(ctx context.Context) error {
	own := d.key.bound.PIN
	switch d.PIN {
	case own:
		return nil
	case "":
		return d.SetPIN(ctx, own)
	}
	return d.ChangePIN(ctx, d.PIN, own)
}

// noted keeps the ids of the passkeys that the scenario makes on the key.
func (b *borrowed) noted(request, response []byte) {
	if len(request) == 0 || len(response) == 0 || response[0] != byte(ctap.OK) {
		return
	}
	switch ctap.Command(request[0]) {
	case ctap.Reset:
		b.made, b.before = nil, 0
	case ctap.MakeCredential:
		var made ctap.MakeCredentialResponse
		if ctap.DecodeLoose(response[1:], &made) != nil || made.Format == attestation.FormatU2F {
			return // the browser says so, or the key handle holds it all
		}
		if data, err := ctap.ParseAuthenticatorData(made.AuthData); err == nil && data.Attested != nil {
			b.made = append(b.made, data.Attested.ID)
		}
	}
}

// real returns the PIN of the key for the one that the scenario writes.
func (d *Device) real(pin string) string {
	if d.key != nil && pin != "" && pin == d.key.written {
		return d.key.bound.PIN
	}
	return pin
}
