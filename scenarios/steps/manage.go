package steps

import (
	"context"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupManage = "What people do with their passkeys"

func manage() []Step {
	passkey := language.Member{Name: "passkey", Kind: language.SavedValue, Saved: language.SavedPasskey, Text: "Which: ${name} of one that was saved."}
	on := language.Member{Name: "on", Kind: language.DeviceName, Default: "at the relying party, by its owner, who is signed in", Text: "On which device's list of passkeys."}
	return []Step{
		{language.Usage{
			Verb: "rename", Group: groupManage, Summary: "A passkey gets another name: at the relying party, or on a device.",
			Text:    "On a device it is the account's display name that changes, and with it, on a sync account, that on all others.",
			Subject: passkey, Members: []language.Member{{Name: "to", Kind: language.Text, Required: true, Text: "The new name."}, on},
			Example: "- rename: ${first}\n  to: Blue key",
		}, rename},
		{language.Usage{
			Verb: "delete", Group: groupManage, Summary: "A passkey is deleted: at the relying party, or on a device.",
			Text:    "Deleted on a device of a sync account, it goes from all of them with the next sync.",
			Subject: passkey, Members: []language.Member{on},
			Example: "- delete: ${first}\n  on: phone",
		}, remove},
	}
}

func rename(ctx context.Context, w *world.World, c language.Call) error {
	k, err := w.PasskeyAs(c.Subject)
	if err != nil {
		return err
	}
	if c.Has("on") {
		d, err := held(w, c.Text("on"))
		if err != nil {
			return err
		}
		return d.RenamePasskey(ctx, k.Credential.ID, c.Text("to"))
	}
	m, err := w.Site.Manager()
	if err != nil {
		return err
	}
	return m.RenameCredential(ctx, k.Person.RP, k.Credential.ID, c.Text("to"))
}

func remove(ctx context.Context, w *world.World, c language.Call) error {
	k, err := w.PasskeyAs(c.Subject)
	if err != nil {
		return err
	}
	if c.Has("on") {
		d, err := held(w, c.Text("on"))
		if err != nil {
			return err
		}
		return d.DeletePasskey(ctx, k.Credential.ID)
	}
	m, err := w.Site.Manager()
	if err != nil {
		return err
	}
	return m.DeleteCredential(ctx, k.Person.RP, k.Credential.ID)
}
