package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fido-emu/keychain"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// byPasscode is how recover names joining by escrow.
const byPasscode = "passcode"

func recoveryWays() []string {
	return []string{
		byPasscode, string(keychain.ByCode), string(keychain.ByContact), string(keychain.ByGroup),
		string(keychain.BySecretKey), string(keychain.ByLogin),
	}
}

// need is a member of recover that some ways need and the others do not know.
type need struct {
	member string
	ways   []string
}

func needs() []need {
	return []need{
		{"passcode", []string{byPasscode}},
		{"code", []string{string(keychain.ByCode), string(keychain.BySecretKey)}},
		{"with", []string{string(keychain.ByContact), string(keychain.ByGroup)}},
	}
}

// passcodeAnswers are what a wrong passcode may be answered with.
func passcodeAnswers() []keychain.Code {
	return []keychain.Code{keychain.WrongPasscode, keychain.EscrowDestroyed, keychain.EscrowLocked}
}

// knows are the members about what somebody knows who signs in to a sync account.
func knows() []language.Member {
	return []language.Member{
		{Name: "second-factor", Kind: language.YesNo, Default: "yes", Text: "Whether whoever does it can read the code that the provider sends to the owner's telephone: as the owner, or by a SIM swap."},
		{Name: "password", Kind: language.Word, Allowed: []string{"current", "former"}, Default: "current", Text: "Which password of the account they know: that of now, or the one before it was last changed."},
	}
}

// knowing does something as somebody who knows what the step says.
func knowing(c language.Call, d *world.Device, a *world.Account, do func() error) error {
	if c.Text("password") == "former" {
		return a.WithFormerSecret(func() error { return coded(c, d, do) })
	}
	return coded(c, d, do)
}

func coded(c language.Call, d *world.Device, do func() error) error {
	if c.Has("second-factor") && !c.Yes("second-factor") {
		return d.WithoutCode(do)
	}
	return do()
}

func providers() []Step {
	passkey := language.Member{Name: "passkey", Kind: language.SavedValue, Saved: language.SavedPasskey, Text: "Which."}
	on := language.Member{Name: "on", Kind: language.DeviceName, Required: true, Text: "On which device."}
	return []Step{
		{language.Usage{
			Verb: "set-up-recovery", Group: GroupSync, Summary: "A way to recover a sync account is prepared, in place of an earlier one of its kind.",
			Text:    "A recovery code and a Secret Key are shown once, to be written down. A recovery group is that of the account of the device named by with.",
			Subject: device("A device of the account."), Members: []language.Member{
				{Name: "by", Kind: language.Word, Required: true, Allowed: []string{string(keychain.ByCode), string(keychain.ByContact), string(keychain.ByGroup), string(keychain.BySecretKey)}, Text: "Which way."},
				{Name: "with", Kind: language.DeviceName, Text: "The device of the recovery contact, or of somebody of the recovery group."},
			},
			Saves: language.SavedCode, Example: "- set-up-recovery: phone\n  by: recovery-code\n  save: code",
		}, setUpRecovery},
		{language.Usage{
			Verb: "change-password", Group: GroupSync, Summary: "The password of a sync account is changed, on one of its devices.",
			Text:    "Who knows the former one can sign in no more. Devices that joined stay: see revoke.",
			Subject: device("On which."), Example: "- change-password: laptop",
		}, changePassword},
		{language.Usage{
			Verb: "restore", Group: GroupSync, Summary: "A passkey that was deleted or hidden a while ago is taken back, where the provider keeps such.",
			Subject: passkey, Members: []language.Member{on}, Example: "- restore: ${first}\n  on: phone",
		}, restorePasskey},
		{language.Usage{
			Verb: "signal-unknown", Group: GroupSync, Summary: "The relying party tells a device's provider that it does not know a passkey any more, as its page does after a failed sign-in.",
			Text:    "Providers hide it, delete it or do nothing; claim with expect what came of it.",
			Subject: passkey, Members: []language.Member{on}, Example: "- signal-unknown: ${first}\n  on: phone",
		}, signalUnknown},
		{language.Usage{
			Verb: "expect-account", Group: GroupSync, Summary: "What one device of a sync account sees of it: who belongs to it, and what its provider told since it last looked.",
			Subject: language.Member{Name: "account", Kind: language.AccountRef, Text: "Which account."},
			Members: []language.Member{
				{Name: "on", Kind: language.DeviceName, Required: true, Text: "The device that looks."},
				{Name: "members", Kind: language.DeviceName, List: true, Text: "Exactly the devices that belong to it."},
				{Name: "told", Kind: language.Word, List: true, Allowed: words(keychain.Kinds()), Text: "What it is told of, among other things."},
				{Name: "not-told", Kind: language.Word, List: true, Allowed: words(keychain.Kinds()), Text: "What it is not told of."},
			},
			Claims: true, Example: "- expect-account: cloud\n  on: phone\n  members: [phone, tablet]\n  told: joined",
		}, expectAccount},
	}
}

func setUpRecovery(ctx context.Context, w *world.World, c language.Call) error {
	d, err := member(w, c.Subject)
	if err != nil {
		return err
	}
	way := keychain.JoinWay(c.Text("by"))
	var helper *world.Device
	if needs := way == keychain.ByContact || way == keychain.ByGroup; needs != c.Has("with") {
		return fmt.Errorf("set-up-recovery with: goes with by: %s or %s, and only there", keychain.ByContact, keychain.ByGroup)
	} else if needs {
		if helper, err = member(w, c.Text("with")); err != nil {
			return err
		}
	}
	code, err := d.SetUpRecovery(ctx, way, helper)
	if err == nil {
		w.Save(c, world.Saved{Text: code})
	}
	return err
}

func changePassword(ctx context.Context, w *world.World, c language.Call) error {
	d, err := member(w, c.Subject)
	if err != nil {
		return err
	}
	return d.ChangeSecret(ctx)
}

// there returns the passkey of a step and the device that it names.
func there(w *world.World, c language.Call) (*world.Passkey, *world.Device, error) {
	k, err := w.PasskeyAs(c.Subject)
	if err != nil {
		return nil, nil, err
	}
	d, err := member(w, c.Text("on"))
	return k, d, err
}

func restorePasskey(_ context.Context, w *world.World, c language.Call) error {
	k, d, err := there(w, c)
	if err != nil {
		return err
	}
	return d.RestoreDeleted(k.Credential.ID)
}

func signalUnknown(_ context.Context, w *world.World, c language.Call) error {
	k, d, err := there(w, c)
	if err != nil {
		return err
	}
	done, err := d.Signal(w.Scenario.Site.ID, k.Credential.ID)
	if err == nil && !done {
		w.Note("The provider of %s does nothing with the signal.", d.Name)
	}
	return err
}

func expectAccount(ctx context.Context, w *world.World, c language.Call) error {
	d, err := member(w, c.Text("on"))
	if err != nil {
		return err
	}
	if c.Has("members") {
		names, err := d.MemberNames(ctx)
		if err != nil {
			return err
		}
		want := slices.Sorted(slices.Values(c.Texts("members")))
		if got := slices.Sorted(slices.Values(names)); !slices.Equal(got, want) {
			return &Unmet{Claim: "members of " + c.Subject + " should be " + strings.Join(want, ", "), Found: "they are " + quoted(strings.Join(got, ", ")), Device: d.Name}
		}
	}
	if !c.Has("told") && !c.Has("not-told") {
		return nil
	}
	return expectTold(ctx, c, d)
}

func expectTold(ctx context.Context, c language.Call, d *world.Device) error {
	heard, err := d.Heard(ctx)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		member string
		told   bool
	}{{"told", true}, {"not-told", false}} {
		for _, kind := range c.Texts(side.member) {
			if slices.Contains(heard, kind) != side.told {
				return &Unmet{Claim: fmt.Sprintf("%s of %s should have %s", side.member, c.Subject, kind), Found: "it was told of " + quoted(strings.Join(heard, ", ")), Device: d.Name}
			}
		}
	}
	return nil
}
