package steps

import (
	"context"
	"time"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupAdmin = "What an administrator of the relying party does, and recovery"

func administration() []Step {
	person := language.Member{Name: "person", Kind: language.PersonName, Text: "Whose."}
	return []Step{
		{language.Usage{
			Verb: "issue-pass", Group: groupAdmin, Summary: "An administrator issues a Temporary Access Pass to a person.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "For whom. An older pass ends."},
			Members: []language.Member{
				{Name: "lifetime", Kind: language.Duration, Default: "1 hour", Text: "How long it is good."},
				{Name: "starts-in", Kind: language.Duration, Default: "it is good at once", Text: "How long it takes until it is good; its lifetime begins then."},
				{Name: "once", Kind: language.YesNo, Default: "no", Text: "Whether it is good for one use only."},
			},
			Saves: language.SavedPass, Example: "- issue-pass: ada\n  lifetime: 1 hour\n  once: yes\n  save: pass",
		}, issuePass},
		{language.Usage{
			Verb: "redeem-pass", Group: groupAdmin, Summary: "A person signs in with a Temporary Access Pass, to register a new passkey.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Who."},
			Members: []language.Member{{Name: "pass", Kind: language.Secret, Required: true, Text: "The pass: ${name} of one that was issued, or any text."}},
			Saves:   language.SavedSession, Example: "- redeem-pass: ada\n  pass: wrong-pass-word\n  expect: refused\n  reason: pass-wrong",
		}, redeemPass},
		{language.Usage{
			Verb: "remove-passkeys", Group: groupAdmin, Summary: "An administrator removes passkeys from a person's account.",
			Subject: person,
			Members: []language.Member{{Name: "only", Kind: language.SavedValue, Saved: language.SavedPasskey, List: true, Default: "all of them", Text: "Which."}},
			Example: "- remove-passkeys: ada",
		}, removePasskeys},
		{language.Usage{
			Verb: "end-sessions", Group: groupAdmin, Summary: "An administrator ends all sessions of a person, everywhere.",
			Subject: person, Example: "- end-sessions: ada",
		}, endSessions},
		{language.Usage{
			Verb: "policy", Group: groupAdmin, Summary: "An administrator sets which passkeys a group may register and use.",
			Text:    "The new policy takes the place of the old one as a whole. It holds for sign-ins with passkeys that were registered before, too.",
			Subject: language.Member{Name: "group", Kind: language.GroupName, Text: "A group that somebody belongs to."},
			Members: language.PolicyMembers(), Example: "- policy: staff\n  types: device-bound\n  require-attestation: yes",
		}, policy},
	}
}

func issuePass(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	admin, err := w.Site.Administration()
	if err != nil {
		return err
	}
	lifetime, once := c.Duration("lifetime", time.Hour), c.Yes("once")
	issue := func() (string, error) { return admin.IssuePass(ctx, p.RP, lifetime, once) }
	if c.Has("starts-in") {
		later, err := w.Site.PassScheduler()
		if err != nil {
			return err
		}
		start := w.Clock.Now().Add(c.Duration("starts-in", 0))
		issue = func() (string, error) { return later.IssuePassFrom(ctx, p.RP, start, lifetime, once) }
	}
	pass, err := issue()
	if err != nil {
		return err
	}
	w.CountPass(p, pass)
	w.Save(c, world.Saved{Text: pass})
	return nil
}

func redeemPass(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	recovery, err := w.Site.Recovery()
	if err != nil {
		return err
	}
	s, err := recovery.RedeemPass(p.In(ctx), p.RP, c.Text("pass"))
	w.CountPassUse(p, c.Text("pass"), err)
	if err != nil {
		return err
	}
	w.Save(c, world.Saved{Session: &world.Session{Session: s}})
	return nil
}

func removePasskeys(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	admin, err := w.Site.Administration()
	if err != nil {
		return err
	}
	var ids [][]byte
	for _, ref := range c.Texts("only") {
		k, err := w.PasskeyAs(ref)
		if err != nil {
			return err
		}
		ids = append(ids, k.Credential.ID)
	}
	return admin.RevokeCredentials(ctx, p.RP, ids...)
}

func endSessions(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	admin, err := w.Site.Administration()
	if err != nil {
		return err
	}
	return admin.RevokeSessions(ctx, p.RP)
}

func policy(ctx context.Context, w *world.World, c language.Call) error {
	return w.SetPolicy(ctx, language.PolicyOf(c.Subject, c.Args))
}
