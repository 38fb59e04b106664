package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fido-emu/keychain"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// GroupSync is the group of the steps that are about sync accounts.
const GroupSync = "Sync accounts"

func syncing() []Step {
	devices := language.Member{Name: "devices", Kind: language.DeviceName, List: true, Text: "Which, one after the other."}
	return []Step{
		{language.Usage{
			Verb: "sync", Group: GroupSync, Summary: "Devices send what changed on them to their account, and fetch what changed elsewhere.",
			Subject: devices, Example: "- sync: [phone, laptop]",
		}, eachMember(func(ctx context.Context, d *world.Device) error { return d.Sync(ctx) })},
		{language.Usage{
			Verb: "partition", Group: GroupSync, Summary: "Devices are cut off from their account, as in a tunnel or on a plane.",
			Subject: devices, Example: "- partition: phone",
		}, eachMember(func(_ context.Context, d *world.Device) error { d.Link.Partition(); return nil })},
		{language.Usage{
			Verb: "impair", Group: GroupSync, Summary: "The way from a device to its account gets worse.",
			Subject: device("Whose."), Members: []language.Member{
				{Name: "lose", Kind: language.Number, Text: "How many of the next requests are lost on the way."},
				{Name: "lose-answers", Kind: language.Number, Text: "How many of the next requests arrive, but their answers do not."},
				{Name: "delay", Kind: language.Duration, Text: "How long requests take from now on."},
				{Name: "hold", Kind: language.YesNo, Text: "Whether requests are held until the link heals."},
				{Name: "reorder", Kind: language.YesNo, Text: "Whether what is held arrives in reverse."},
			},
			Example: "- impair: phone\n  lose-answers: 1",
		}, impair},
		{language.Usage{
			Verb: "heal", Group: GroupSync, Summary: "The way from devices to their account is good again; what was held arrives.",
			Subject: devices, Example: "- heal: phone",
		}, eachMember(func(ctx context.Context, d *world.Device) error { d.Link.Heal(); d.Link.Release(ctx); return nil })},
	}
}

func membership() []Step {
	account := language.Member{Name: "account", Kind: language.AccountRef, Required: true, Text: "Which account."}
	return append([]Step{
		{language.Usage{
			Verb: "join", Group: GroupSync, Summary: "A device asks to join a sync account, and shows a code for one of its devices to approve.",
			Subject: device("Which asks."), Members: append([]language.Member{account}, knows()...),
			Saves: language.SavedCode, Example: "- join: tablet\n  account: cloud\n  save: code",
		}, join},
		{language.Usage{
			Verb: "approve", Group: GroupSync, Summary: "A device of a sync account, the sponsor, lets one join that asked to.",
			Text:    "The person compares the code that the new device shows. The passkeys come with the next sync.",
			Subject: device("Which asked."), Members: []language.Member{
				{Name: "on", Kind: language.DeviceName, Required: true, Text: "The sponsor."},
				{Name: "code", Kind: language.Text, Default: "the one that the new device shows", Text: "The code as typed on the sponsor."}},
			Example: "- approve: tablet\n  on: phone\n  expect: refused\n  reason: unknown-request",
		}, approve},
		{language.Usage{
			Verb: "recover", Group: GroupSync, Summary: "A device joins a sync account without any of its devices, in one of the ways of its provider.",
			Text:    "harness keychain providers tells which provider has which. What is not the escrow passcode has to be set up before, with set-up-recovery.",
			Subject: device("Which."), Members: append([]language.Member{account,
				{Name: "by", Kind: language.Word, Allowed: recoveryWays(), Default: byPasscode, Text: "How."},
				{Name: "passcode", Kind: language.Secret, Text: "The escrow passcode or PIN, as typed; by passcode."},
				{Name: "code", Kind: language.Secret, Text: "The recovery code or the Secret Key, as typed; by recovery-code and secret-key."},
				{Name: "with", Kind: language.DeviceName, Text: "The device of the recovery contact, or of somebody of the recovery group."},
				{Name: "mail", Kind: language.YesNo, Default: "yes", Text: "Whether whoever recovers can read the owner's mail; by recovery-group."},
			}, knows()...),
			Example: "- recover: tablet\n  account: cloud\n  by: recovery-contact\n  with: laptop",
		}, recoverAccount},
		{language.Usage{
			Verb: "fail-passcode", Group: GroupSync, Summary: "Somebody guesses the escrow passcode of a sync account, and is wrong.",
			Text:    "The step passes when every guess was refused.",
			Subject: device("On which."), Members: []language.Member{account,
				{Name: "times", Kind: language.Number, Default: "1", Text: "How often."},
				{Name: "last-answer", Kind: language.Reason, Text: "How the last guess is answered, such as escrow-destroyed."}},
			Example: "- fail-passcode: tablet\n  account: cloud\n  times: 10\n  last-answer: escrow-destroyed",
		}, failPasscode},
		{language.Usage{
			Verb: "set-passcode", Group: GroupSync, Summary: "A sync account is put into escrow under a passcode, in place of an older one.",
			Subject: device("A device of the account."), Members: []language.Member{{Name: "to", Kind: language.Secret, Required: true, Text: "The passcode."}},
			Example: "- set-passcode: phone\n  to: \"445566\"",
		}, setPasscode},
		{language.Usage{
			Verb: "revoke", Group: GroupSync, Summary: "A device is removed from its sync account, on another one of it.",
			Text:    "It keeps what it has and gets nothing new. For passkeys at the relying party, see remove-passkeys.",
			Subject: device("Which goes."), Members: []language.Member{{Name: "on", Kind: language.DeviceName, Required: true, Text: "On which device it is done."}},
			Example: "- revoke: phone\n  on: laptop",
		}, revoke},
		{language.Usage{
			Verb: "restart-account", Group: GroupSync, Summary: "A sync account begins anew with one device; all that it held is destroyed.",
			Text:    "It is the way out when no device and no escrow is left.",
			Subject: device("The first device of the new beginning."), Members: []language.Member{account},
			Example: "- restart-account: tablet\n  account: cloud",
		}, restartAccount},
	}, providers()...)
}

// member returns a device that somebody has in hand and that can have a part in a
// sync account.
func member(w *world.World, name string) (*world.Device, error) {
	d, err := held(w, name)
	if err != nil {
		return nil, err
	}
	return d, d.Syncs()
}

func eachMember(do func(context.Context, *world.Device) error) func(context.Context, *world.World, language.Call) error {
	return func(ctx context.Context, w *world.World, c language.Call) error {
		for _, name := range c.Subjects() {
			d, err := member(w, name)
			if err != nil {
				return err
			}
			if err := do(ctx, d); err != nil {
				return err
			}
		}
		return nil
	}
}

func impair(_ context.Context, w *world.World, c language.Call) error {
	d, err := member(w, c.Subject)
	if err != nil {
		return err
	}
	if c.Has("lose") {
		d.Link.Lose(c.Number("lose", 0))
	}
	if c.Has("lose-answers") {
		d.Link.LoseAnswers(c.Number("lose-answers", 0))
	}
	if c.Has("delay") {
		d.Link.DelayBy(c.Duration("delay", 0))
	}
	if c.Yes("hold") {
		d.Link.Delay()
	}
	if c.Yes("reorder") {
		d.Link.Reorder()
	}
	return nil
}

// joining returns the device and the account of a step.
func joining(w *world.World, c language.Call) (*world.Device, *world.Account, error) {
	d, err := member(w, c.Subject)
	if err != nil {
		return nil, nil, err
	}
	a, err := w.Account(c.Text("account"))
	return d, a, err
}

func join(ctx context.Context, w *world.World, c language.Call) error {
	d, a, err := joining(w, c)
	if err != nil {
		return err
	}
	var code string
	err = knowing(c, d, a, func() (err error) { code, err = d.AskToJoin(ctx, a); return err })
	if err != nil {
		return err
	}
	w.Save(c, world.Saved{Text: code})
	return nil
}

func approve(ctx context.Context, w *world.World, c language.Call) error {
	d, err := member(w, c.Subject)
	if err != nil {
		return err
	}
	sponsor, err := member(w, c.Text("on"))
	if err != nil {
		return err
	}
	return sponsor.Approve(ctx, d, c.Text("code"))
}

func recoverAccount(ctx context.Context, w *world.World, c language.Call) error {
	d, a, err := joining(w, c)
	if err != nil {
		return err
	}
	return knowing(c, d, a, func() error { return recoverBy(ctx, w, c, d, a) })
}

func recoverBy(ctx context.Context, w *world.World, c language.Call, d *world.Device, a *world.Account) error {
	by := cmp.Or(c.Text("by"), byPasscode)
	for _, need := range needs() {
		switch needed := slices.Contains(need.ways, by); {
		case needed && !c.Has(need.member):
			return fmt.Errorf("recover by %s needs the member %s", by, need.member)
		case !needed && c.Has(need.member):
			return fmt.Errorf("recover takes %s: only by %s", need.member, strings.Join(need.ways, " or "))
		}
	}
	if by == byPasscode {
		return d.Recover(ctx, a, c.Text("passcode"))
	}
	r := world.Recovery{Code: c.Text("code"), Mail: !c.Has("mail") || c.Yes("mail")}
	if c.Has("with") {
		var err error
		if r.Helper, err = member(w, c.Text("with")); err != nil {
			return err
		}
	}
	return d.RecoverBy(ctx, a, keychain.JoinWay(by), r)
}

func failPasscode(ctx context.Context, w *world.World, c language.Call) error {
	d, a, err := joining(w, c)
	if err != nil {
		return err
	}
	var last error
	for range c.Number("times", 1) {
		if last = d.Recover(ctx, a, "not the passcode"); last == nil {
			return &Unmet{Claim: "a wrong passcode should be refused", Found: "it was taken", Device: d.Name}
		}
		if !slices.ContainsFunc(passcodeAnswers(), func(code keychain.Code) bool { return errors.Is(last, code) }) {
			return last
		}
	}
	return lastAnswer(c, d, last)
}

func setPasscode(ctx context.Context, w *world.World, c language.Call) error {
	d, err := member(w, c.Subject)
	if err != nil {
		return err
	}
	return d.SetPasscode(ctx, c.Text("to"))
}

func revoke(ctx context.Context, w *world.World, c language.Call) error {
	gone, err := w.Device(c.Subject)
	if err != nil {
		return err
	}
	by, err := member(w, c.Text("on"))
	if err != nil {
		return err
	}
	return by.Member.Revoke(ctx, gone.Name)
}

func restartAccount(ctx context.Context, w *world.World, c language.Call) error {
	d, a, err := joining(w, c)
	if err != nil {
		return err
	}
	return d.RestartAccount(ctx, a)
}
