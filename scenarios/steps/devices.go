package steps

import (
	"context"
	"errors"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const (
	groupPIN  = "PINs and the device itself"
	groupFate = "What happens to devices"
)

func device(text string) language.Member {
	return language.Member{Name: "device", Kind: language.DeviceName, Text: text}
}

func pins() []Step {
	return []Step{
		{language.Usage{
			Verb: "set-pin", Group: groupPIN, Summary: "The first PIN is set on a device.",
			Subject: device("Which."), Members: []language.Member{{Name: "to", Kind: language.Secret, Required: true, Text: "The PIN."}},
			Example: "- set-pin: new-key\n  to: \"4711\"",
		}, setPIN},
		{language.Usage{
			Verb: "change-pin", Group: groupPIN, Summary: "The PIN of a device is changed.",
			Subject: device("Which."), Members: []language.Member{
				{Name: "from", Kind: language.Secret, Default: "its PIN", Text: "The old PIN, as typed."},
				{Name: "to", Kind: language.Secret, Required: true, Text: "The new PIN."}},
			Example: "- change-pin: key\n  to: \"271828\"",
		}, changePIN},
		{language.Usage{
			Verb: "fail-pin", Group: groupPIN, Summary: "Somebody types a wrong PIN, once or several times.",
			Text:    "The step passes when every try was refused. CTAP lets three tries pass before the power has to be cut, and eight before only a reset helps.",
			Subject: device("Which."), Members: []language.Member{
				{Name: "times", Kind: language.Number, Default: "1", Text: "How often."},
				{Name: "pin", Kind: language.Secret, Default: "one that is never right", Text: "What is typed."},
				{Name: "last-answer", Kind: language.Reason, Text: "How the device answers the last try, such as CTAP2_ERR_PIN_AUTH_BLOCKED."}},
			Example: "- fail-pin: key\n  times: 3\n  last-answer: CTAP2_ERR_PIN_AUTH_BLOCKED",
		}, failPIN},
		{language.Usage{
			Verb: "power-cycle", Group: groupPIN, Summary: "A device is unplugged and plugged in again, or restarted.",
			Subject: device("Which."), Example: "- power-cycle: key",
		}, onDevice(func(ctx context.Context, d *world.Device) error { return d.PowerCycle(ctx) })},
		{language.Usage{
			Verb: "reset", Group: groupPIN, Summary: "A device is put back to how it left the factory, as CTAP has it.",
			Text:    "A device without a display takes a reset only in the first ten seconds after it was plugged in: power-cycle it first.",
			Subject: device("Which."), Example: "- reset: key",
		}, onDevice(func(ctx context.Context, d *world.Device) error { return d.Reset(ctx) })},
		{language.Usage{
			Verb: "enable-enterprise-attestation", Group: groupPIN, Summary: "A device is set up to attest to enterprises that it is itself, until it is reset.",
			Text:    "It takes a model that can, and the PIN where the device has one.",
			Subject: device("Which."), Example: "- enable-enterprise-attestation: key",
		}, enableEnterprise},
		{language.Usage{
			Verb: "touch", Group: groupPIN, Summary: "From now on, the holder of a device answers in another way when it asks for a touch.",
			Subject: device("Which."), Members: []language.Member{{Name: "answer", Kind: language.Word, Allowed: language.Touches(), Required: true, Text: "yes touches, no declines, never is nobody there, wrong-finger touches but is not recognised."}},
			Example: "- touch: key\n  answer: never",
		}, touch},
		{language.Usage{
			Verb: world.DisturbVerb, Group: groupPIN, Summary: "From now on, something goes wrong on the wire of a device, until it is unplugged.",
			Text:    "It needs a wire: harness run --via pipe, or another way; in process the scenario is skipped. Reports are counted from this step on.",
			Subject: device("Which."), Members: language.FaultMembers(),
			Example: "- disturb: key\n  kind: unplug\n  command: CTAPHID_CBOR",
		}, disturb},
	}
}

func fates() []Step {
	return []Step{
		{language.Usage{
			Verb: "lose", Group: groupFate, Summary: "A device is lost: nobody uses it any more.",
			Subject: device("Which."), Example: "- lose: key",
		}, onDevice(func(_ context.Context, d *world.Device) error { d.Lose(); return nil })},
		{language.Usage{
			Verb: "find", Group: groupFate, Summary: "A device comes back to its owner.",
			Subject: device("Which."), Example: "- find: key",
		}, onDevice(func(_ context.Context, d *world.Device) error { d.Find(); return nil })},
		{language.Usage{
			Verb: world.StealVerb, Group: groupFate, Summary: "A device falls into the hands of a thief, who can touch it.",
			Text:    "From now on the thief does what is done with it. The thief's finger is not recognised, and the thief knows no PIN but what the scenario says.",
			Subject: device("Which."), Members: []language.Member{{Name: "with-pin", Kind: language.YesNo, Default: "no", Text: "Whether the thief saw the PIN or passcode being typed. Phones and computers take their passcode in place of a face or finger."}},
			Example: "- steal: key",
		}, steal},
		{language.Usage{
			Verb: "wipe", Group: groupFate, Summary: "A computer or phone is set up anew: its TPM is cleared, its disk erased, its sync account left.",
			Text:    "What its sync account holds stays there. For a security key, which has no such thing, use reset.",
			Subject: device("Which."), Example: "- wipe: laptop",
		}, onDevice(func(ctx context.Context, d *world.Device) error { return d.Wipe(ctx) })},
		{language.Usage{
			Verb: "clone", Group: groupFate, Summary: "Somebody makes a perfect copy of a device, secrets and counters included.",
			Subject: device("Which."), Members: []language.Member{{Name: "as", Kind: language.NewName, Required: true, Text: "What the copy is called from now on."}},
			Makes: "as", Example: "- clone: key\n  as: twin",
		}, clone},
		{language.Usage{
			Verb: "move-disk", Group: groupFate, Summary: "The disk of one computer is put into another.",
			Text:    "The files of its passkeys go along; keys in the first computer's TPM do not.",
			Subject: device("Out of which."), Members: []language.Member{{Name: "into", Kind: language.DeviceName, Required: true, Text: "Into which."}},
			Example: "- move-disk: laptop\n  into: other-laptop",
		}, moveDisk},
	}
}

// onDevice makes a step of something that a device does.
func onDevice(do func(context.Context, *world.Device) error) func(context.Context, *world.World, language.Call) error {
	return func(ctx context.Context, w *world.World, c language.Call) error {
		d, err := w.Device(c.Subject)
		if err != nil {
			return err
		}
		return do(ctx, d)
	}
}

// held returns a device that somebody has in hand.
func held(w *world.World, name string) (*world.Device, error) {
	d, err := w.Device(name)
	if err != nil {
		return nil, err
	}
	return d, d.AtHand()
}

func setPIN(ctx context.Context, w *world.World, c language.Call) error {
	d, err := held(w, c.Subject)
	if err != nil {
		return err
	}
	return d.SetPIN(ctx, c.Text("to"))
}

func changePIN(ctx context.Context, w *world.World, c language.Call) error {
	d, err := held(w, c.Subject)
	if err != nil {
		return err
	}
	from := c.Text("from")
	if from == "" {
		from = d.PIN
	}
	return d.ChangePIN(ctx, from, c.Text("to"))
}

func failPIN(ctx context.Context, w *world.World, c language.Call) error {
	d, err := held(w, c.Subject)
	if err != nil {
		return err
	}
	var last error
	for range c.Number("times", 1) {
		if last = d.TryPIN(ctx, wrongPIN(c, d)); last == nil {
			return &Unmet{Claim: "a wrong PIN should be refused", Found: "the device took it", Device: d.Name}
		}
		if !pinAnswer(last) {
			return last
		}
	}
	return lastAnswer(c, d, last)
}

// lastAnswer checks how the last of several tries was answered.
func lastAnswer(c language.Call, d *world.Device, last error) error {
	if !c.Has("last-answer") || last == nil {
		return nil
	}
	pattern, err := language.NewMatcher(c.Text("last-answer"))
	if err != nil {
		return err
	}
	if r := world.AsRefusal(last); r == nil || !pattern.MatchAny(r.Reasons...) {
		return &Unmet{Claim: "the last answer should be " + c.Text("last-answer"), Found: fmt.Sprintf("it was %v", last), Device: d.Name}
	}
	return nil
}

// pinAnswer tells whether a refusal is about the PIN that was typed.
func pinAnswer(err error) bool {
	for _, s := range []ctap.Status{ctap.ErrPINInvalid, ctap.ErrPINAuthBlocked, ctap.ErrPINBlocked} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// wrongPIN is the PIN that the step gives, or one that is not the device's.
func wrongPIN(c language.Call, d *world.Device) string {
	switch {
	case c.Has("pin"):
		return c.Text("pin")
	case d.PIN == "0000":
		return "1111"
	}
	return "0000"
}

func touch(_ context.Context, w *world.World, c language.Call) error {
	d, err := w.Device(c.Subject)
	if err != nil {
		return err
	}
	d.SetTouch(c.Text("answer"))
	return nil
}

func disturb(_ context.Context, w *world.World, c language.Call) error {
	d, err := w.Device(c.Subject)
	if err != nil {
		return err
	}
	f, err := language.FaultOf("", c.Args)
	if err != nil {
		return err
	}
	return d.Disturb(f)
}

func steal(_ context.Context, w *world.World, c language.Call) error {
	d, err := w.Device(c.Subject)
	if err != nil {
		return err
	}
	d.Steal(c.Yes("with-pin"))
	return nil
}

func clone(ctx context.Context, w *world.World, c language.Call) error {
	d, err := w.Device(c.Subject)
	if err != nil {
		return err
	}
	return w.Clone(ctx, d, c.Text("as"))
}

func moveDisk(ctx context.Context, w *world.World, c language.Call) error {
	from, err := w.Device(c.Subject)
	if err != nil {
		return err
	}
	into, err := w.Device(c.Text("into"))
	if err != nil {
		return err
	}
	return w.MoveDisk(ctx, from, into)
}
