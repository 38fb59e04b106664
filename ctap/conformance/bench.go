package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/hid"
)

// DefaultPIN is the PIN that the runner sets.
const DefaultPIN = "7391-4628"

// bench is a target in use: the connection to it, and what is known of its state.
type bench struct {
	target  Target
	rand    io.Reader
	pin     string       // that is set on the authenticator, where it is to be kept; secret
	channel *hid.Channel // nil while it is not open
	facts   Facts
	info    []byte // the CBOR that facts are from
	state   state
	kept    map[Start]kept // of a Keeper

	cycled bool // the connection is of a time after a power cycle that a Keeper undid
	silent bool // the authenticator did not answer
	lost   bool // the connection broke
}

// state is what is known of the authenticator.
type state struct {
	pin     string // empty while it is not known, or none is set
	hasPIN  bool
	passkey bool // discoverable credentials may be there
	set     bool // settings, blobs or fingers were changed
	spent   bool // wrong PINs were tried since the last right one
	full    bool // there is no room for a discoverable credential
	unsure  bool // a case failed; nothing is known
}

// kept is a state that a Keeper keeps, and what is known of it.
type kept struct {
	saved any
	state state
}

// open returns the channel, opened if need be.
func (b *bench) open(ctx context.Context) (*hid.Channel, error) {
	if b.channel != nil {
		return b.channel, nil
	}
	conn, err := b.target.Connect(ctx)
	if err != nil {
		return nil, err
	}
	b.channel, err = hid.Dial(ctx, conn, b.rand)
	return b.channel, err
}

// hangUp closes the channel.
func (b *bench) hangUp() error {
	if b.channel == nil {
		return nil
	}
	c := b.channel
	b.channel = nil
	return c.Close()
}

func (b *bench) powerCycle(ctx context.Context) error {
	b.cycled = true
	err := b.hangUp()
	if err == nil {
		err = b.target.PowerCycle(ctx)
	}
	return err
}

// send sends a request that is no case's.
func (b *bench) send(ctx context.Context, command ctap.Command, params any) (ctap.Status, []byte, error) {
	channel, err := b.open(ctx)
	if err != nil {
		return 0, nil, err
	}
	request, err := ctap.NewRequest(command, params)
	if err != nil {
		return 0, nil, err
	}
	w := &watch{run: &Run{bench: b}}
	response, err := channel.Exchange(ctap.WithProgress(ctx, w.progress), request)
	w.end()
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", command, err)
	}
	b.observe(request, ctap.Status(response[0]))
	return ctap.Status(response[0]), response[1:], nil
}

// learn asks the authenticator what it is.
func (b *bench) learn(ctx context.Context) error {
	channel, err := b.open(ctx)
	if err != nil {
		return err
	}
	b.facts = Facts{Capabilities: channel.Capabilities()}
	if !b.facts.Capabilities.Has(hid.CapCBOR) {
		return nil
	}
	status, body, err := b.send(ctx, ctap.GetInfo, nil)
	if err != nil {
		return err
	}
	b.facts.learn(status, body)
	b.info = body
	b.state.hasPIN = b.facts.Info.Options["clientPin"]
	return nil
}

func (b *bench) knownPIN() string {
	if b.state.pin == "" {
		return b.givenPIN()
	}
	return b.state.pin
}

func (b *bench) learnPIN(pin string) { b.state.pin, b.state.hasPIN, b.state.spent = pin, true, false }

// observe draws from an answered request what it did to the state, and tells whether
// that lasts.
func (b *bench) observe(request []byte, status ctap.Status) (changed bool) {
	if len(request) == 0 {
		return false
	}
	sub, _ := subcommand(request)
	command := ctap.Command(request[0])
	if status == ctap.ErrKeyStoreFull {
		b.state.full = true
	}
	if status != ctap.OK {
		b.state.set = b.state.set || status == ctap.ErrPINBlocked
		spent := command == ctap.ClientPIN && (status == ctap.ErrPINInvalid || status == ctap.ErrPINAuthBlocked || status == ctap.ErrPINBlocked)
		b.state.spent = b.state.spent || spent
		return spent
	}
	switch command {
	case ctap.Reset:
		b.state = state{}
	case ctap.ClientPIN:
		return b.observePIN(sub)
	case ctap.MakeCredential:
		if !discoverable(request) {
			return false
		}
		b.state.passkey = true
	case ctap.CredentialManagement, ctap.CredentialManagementPreview:
		return sub == ctap.DeleteCredential || sub == ctap.UpdateUserInformation
	case ctap.Config:
		b.state.set = true
	case ctap.LargeBlobs, ctap.BioEnrollment, ctap.BioEnrollmentPreview:
		if !writes(command, sub, request) {
			return false
		}
		b.state.set = true
	default:
		return false
	}
	return true
}

func (b *bench) observePIN(sub uint) (changed bool) {
	switch sub {
	case ctap.SetPIN, ctap.ChangePIN:
		b.state.hasPIN, b.state.pin = true, ""
		return true
	case ctap.GetPinToken, ctap.GetTokenUsingPin:
		b.state.spent = false
	}
	return false
}

// discoverable tells whether a request to make a credential asks for rk.
func discoverable(request []byte) bool {
	var m struct {
		Options map[string]cbor.RawMessage `cbor:"7,keyasint"`
	}
	return cbor.Unmarshal(request[1:], &m) == nil && string(m.Options["rk"]) == "\xf5"
}

// writes tells whether a request changes blobs or fingers.
func writes(command ctap.Command, sub uint, request []byte) bool {
	if command == ctap.LargeBlobs {
		var m raws
		return cbor.Unmarshal(request[1:], &m) == nil && m[2] != nil
	}
	return sub == 1 || sub == 2 || sub == 5 || sub == 6 // enroll, next sample, rename, remove
}

// errNeedsReset says that only a reset leads to the state that a case begins in.
var errNeedsReset = errors.New("needs a reset first, which destroys what is on the authenticator: --allow-destructive")

// bring leads the authenticator to the state that a case begins in.
func (b *bench) bring(ctx context.Context, start Start, destroy bool) error {
	start = b.meant(start)
	if k, ok := b.target.(Keeper); ok {
		return b.restore(ctx, k, start)
	}
	if b.state.full && destroy { // no case could make a credential
		if err := b.reset(ctx, destroy); err != nil {
			return err
		}
	}
	switch start {
	case Blank:
		if b.state == (state{}) {
			return nil
		}
		return b.reset(ctx, destroy)
	case WithPIN:
		return b.bringPIN(ctx, destroy)
	}
	return nil
}

// meant returns the state that Usable is on this authenticator, and any other as it is.
func (b *bench) meant(start Start) Start {
	switch {
	case start != Usable:
		return start
	case b.facts.Info == nil:
		return Any
	}
	o := b.facts.Info.Options
	if _, hasPIN := o["clientPin"]; hasPIN && o["alwaysUv"] && !o["uv"] {
		return WithPIN
	}
	return Any
}

// restore is bring for a Keeper, whose states are made once.
func (b *bench) restore(ctx context.Context, k Keeper, start Start) error {
	if start == Any {
		start = Blank
	}
	if b.cycled {
		b.cycled = false
		if err := b.hangUp(); err != nil {
			return err
		}
	}
	if have, ok := b.kept[start]; ok {
		b.state = have.state
		return k.Restore(ctx, have.saved)
	}
	if start == WithPIN {
		if err := b.restore(ctx, k, Blank); err != nil {
			return err
		}
		if err := b.setPIN(ctx, DefaultPIN); err != nil {
			return err
		}
	}
	saved, err := k.Save(ctx)
	if err != nil {
		return err
	}
	b.kept[start] = kept{saved, b.state}
	return k.Restore(ctx, saved)
}

// bringPIN has a PIN set that is known, with all tries left.
func (b *bench) bringPIN(ctx context.Context, destroy bool) error {
	if b.state.set || b.state.full || b.state.unsure || b.state.hasPIN && b.state.pin == "" {
		if err := b.reset(ctx, destroy); err != nil {
			return err
		}
	}
	if !b.state.hasPIN {
		if !destroy {
			return errNeedsReset
		}
		return b.setPIN(ctx, b.givenPIN())
	}
	if b.state.spent {
		if err := errors.Join(b.powerCycle(ctx), b.enterPIN(ctx)); err != nil {
			return err
		}
	}
	if destroy && b.state.pin != b.givenPIN() {
		return b.changePIN(ctx, b.state.pin, b.givenPIN())
	}
	return nil
}

// givenPIN is the PIN that a case begins with.
func (b *bench) givenPIN() string {
	if b.pin == "" {
		return DefaultPIN
	}
	return b.pin
}

// longTouch tells whether a reset needs a long touch.
func (b *bench) longTouch() bool {
	return b.facts.Info != nil && b.facts.Info.LongTouchForReset != nil && *b.facts.Info.LongTouchForReset
}

// reset returns the authenticator to factory state, after a power cycle.
func (b *bench) reset(ctx context.Context, allowed bool) error {
	if !allowed {
		return errNeedsReset
	}
	if err := b.powerCycle(ctx); err != nil {
		return err
	}
	gesture := Touch
	if b.longTouch() && b.target.Can(LongTouch) {
		gesture = LongTouch
	}
	if err := b.target.Plan(ctx, gesture); err != nil {
		return err
	}
	status, _, err := b.send(ctx, ctap.Reset, nil)
	if err == nil && status != ctap.OK {
		err = fmt.Errorf("authenticatorReset, to begin with: %w", status)
	}
	return errors.Join(err, b.target.Plan(ctx, Touch))
}
