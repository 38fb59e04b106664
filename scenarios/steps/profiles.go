package steps

import (
	"context"
	"time"

	"fido-emu/attestation/metadata"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// profiles are steps of an administrator about passkey profiles and the models of
// authenticators.
func profiles() []Step {
	return []Step{
		{language.Usage{
			Verb: "passkey-profile", Group: groupAdmin, Summary: "An administrator changes a passkey profile, or adds one.",
			Text: "Its rules take the place of the old ones as a whole; its groups, and whether it is the default, stay as they are where nothing is said of them. " +
				"It holds for passkeys that were registered before, too, but for attestation, which counts at registration.",
			Subject: language.Member{Name: "name", Kind: language.NewName, Text: "Its name."},
			Members: language.ProfileMembers(), Example: "- passkey-profile: everyone\n  types: device-bound",
		}, setProfile},
		{language.Usage{
			Verb: "remove-passkey-profile", Group: groupAdmin, Summary: "An administrator removes a passkey profile. Groups that had no other have the default.",
			Subject: language.Member{Name: "name", Kind: language.NewName, Text: "Its name."},
			Example: "- remove-passkey-profile: everyone",
		}, removeProfile},
		{language.Usage{
			Verb: "set-groups", Group: groupAdmin, Summary: "An administrator puts a person into groups, and out of all others.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whom."},
			Members: []language.Member{{Name: "groups", Kind: language.Label, List: true, Required: true, Text: "The groups."}},
			Example: "- set-groups: ada\n  groups: [staff, admins]",
		}, setGroups},
		{language.Usage{
			Verb: "provision", Group: groupAdmin, Summary: "An administrator registers a passkey on behalf of a person, who gets the device afterwards.",
			Text:    "Over HTTP it goes through Microsoft Graph's creationOptions. The person need not have signed in.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "For whom. They must have an account."},
			Members: []language.Member{
				with("The device that makes the passkey."),
				{Name: "name", Kind: language.Text, Text: "What the passkey is called."},
				{Name: "challenge-lifetime", Kind: language.Duration, Default: "5 minutes", Text: "How long the challenge is good: 5 minutes to 30 days."},
				{Name: "back-after", Kind: language.Duration, Default: "at once", Text: "How long it takes until what the device made is back at the relying party."}, typedPIN,
			},
			Saves: language.SavedPasskey, Example: "- provision: ada\n  with: key\n  name: Key 0815",
		}, provision},
		{language.Usage{
			Verb: "metadata-status", Group: groupAdmin, Summary: "The metadata service reports a status of a model, and the relying party takes the new BLOB.",
			Subject: language.Member{Name: "model", Kind: language.Profile, Text: "One of those under relying-party, metadata."},
			Members: []language.Member{{Name: "status", Kind: language.Word, Required: true, Allowed: statuses(), Text: "The status, from that day on."}},
			Example: "- metadata-status: security-key\n  status: REVOKED",
		}, metadataStatus},
	}
}

func statuses() (names []string) {
	for _, s := range metadata.Statuses() {
		names = append(names, string(s))
	}
	return names
}

func setProfile(ctx context.Context, w *world.World, c language.Call) error {
	return w.SetProfile(ctx, language.ProfileOf(c.Subject, c.Args))
}

func removeProfile(ctx context.Context, w *world.World, c language.Call) error {
	return w.RemoveProfile(ctx, c.Subject)
}

func setGroups(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	admin, err := w.Site.Profiles()
	if err != nil {
		return err
	}
	return admin.SetGroups(ctx, p.RP, c.Texts("groups"))
}

func provision(ctx context.Context, w *world.World, c language.Call) error {
	p, b, err := ceremony(w, c)
	if err != nil {
		return err
	}
	admin, err := w.Site.Provisioner()
	if err != nil {
		return err
	}
	b.Script.Delay = c.Duration("back-after", 0)
	made, err := admin.Provision(ctx, p.RP, c.Text("name"), c.Duration("challenge-lifetime", 5*time.Minute), b)
	if err != nil {
		return err
	}
	w.Save(c, world.Saved{Passkey: &world.Passkey{Person: p, Credential: made}})
	return nil
}

func metadataStatus(ctx context.Context, w *world.World, c language.Call) error {
	return w.Report(ctx, c.Subject, c.Text("status"))
}
