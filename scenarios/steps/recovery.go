package steps

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupRecovery = "Account recovery by proving who one is"

// ofCase is the member that names a case.
var ofCase = language.Member{Name: "case", Kind: language.SavedValue, Saved: language.SavedCase, Default: "the last one that was begun for the person", Text: "Of which recovery."}

// beforeCamera are the members about what is before a camera.
func beforeCamera() []language.Member {
	return []language.Member{
		{Name: "light", Kind: language.Word, Allowed: words(person.Conditions()), Default: string(person.Daylight), Text: "How the camera sees the face."},
		{Name: "face", Kind: language.Word, Allowed: words(person.Livenesses()), Default: "what the test person's file says", Text: "What is before the camera: a living face, or what somebody tries instead."},
		{Name: "face-of", Kind: language.Label, Default: "the person's own", Text: "The test person whose face it is."},
	}
}

func words[W ~string](all []W) []string {
	texts := make([]string, len(all))
	for i, w := range all {
		texts[i] = string(w)
	}
	return texts
}

func recovering() []Step {
	return []Step{
		{language.Usage{
			Verb: "ask-recovery", Group: groupRecovery, Summary: "Somebody who has lost every way to sign in asks to come back into an account.",
			Text:    "Anybody can ask for any account. The case belongs to whoever asked.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whose account."},
			Members: []language.Member{
				{Name: "country", Kind: language.Label, Default: "the one in the directory", Text: "Where the person is, by two letters."},
				{Name: "revoke-old", Kind: language.YesNo, Default: "no", Text: "Whether the passkeys and methods from before are to go."},
				{Name: "reuse", Kind: language.YesNo, Default: "no", Text: "Whether the person wants to present a Verified ID from before."},
			},
			Saves: language.SavedCase, Example: "- ask-recovery: ada\n  country: gb\n  revoke-old: yes\n  save: case",
		}, askRecovery},
		{language.Usage{
			Verb: "prove-identity", Group: groupRecovery, Summary: "A person shows a document and their face to the verification provider, and takes the Verified ID into their wallet.",
			Text:    "Once each: what the provider would let them try again is refused, and the step can be written again.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Who is before the camera, with their wallet."},
			Members: append([]language.Member{
				ofCase,
				{Name: "document", Kind: language.Word, Allowed: words(person.Kinds()), Default: "the first that the test person has", Text: "Which document."},
				{Name: "document-of", Kind: language.Label, Default: "the person's own", Text: "The test person whose document it is."},
				{Name: "defects", Kind: language.Word, List: true, Allowed: words(person.Defects()), Default: "none", Text: "What is wrong with the document or with its picture."},
				{Name: "hand-over", Kind: language.YesNo, Default: "no", Text: "Whether it begins on one device and goes on with another."},
			}, beforeCamera()...),
			Example: "- prove-identity: ada\n  document: passport\n  defects: blurred\n  expect: refused\n  reason: image_blurred",
		}, proveIdentity},
		{language.Usage{
			Verb: "present", Group: groupRecovery, Summary: "A person presents a Verified ID to the relying party, with Face Check.",
			Text:    "It is refused when the case ends without success, and by the reason for which it does.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Who presents, out of their wallet."},
			Members: append([]language.Member{
				ofCase,
				{Name: "credential", Kind: language.Word, Allowed: world.Credentials(), Default: "newest", Text: "What is presented."},
				{Name: "from", Kind: language.PersonName, Text: "Out of whose wallet, for of-somebody-else."},
			}, beforeCamera()...),
			Saves: language.SavedPass, Example: "- present: ada\n  light: dim\n  save: pass",
		}, present},
		{language.Usage{
			Verb: "revoke-verified-id", Group: groupRecovery, Summary: "The issuer revokes the newest Verified ID of a person.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whose."}, Example: "- revoke-verified-id: ada",
		}, revokeVerifiedID},
		{language.Usage{
			Verb: "recovery-profile", Group: groupRecovery, Summary: "An administrator changes an identity verification profile, or adds one.",
			Text:    "The new profile takes the place of the old one as a whole. Other groups are another scope: from then on their members have to sign in once before they can recover.",
			Subject: language.Member{Name: "profile", Kind: language.Label, Text: "Its name."},
			Members: language.RecoveryProfileMembers(), Example: "- recovery-profile: staff\n  groups: staff\n  mode: production",
		}, recoveryProfile},
		{language.Usage{
			Verb: "provider", Group: groupRecovery, Summary: "Something happens to a verification provider, or an administrator of the relying party blocks it.",
			Subject: language.Member{Name: "provider", Kind: language.Word, Allowed: language.VerificationProviders(), Text: "Which."},
			Members: []language.Member{{Name: "is", Kind: language.Word, Required: true, Allowed: []string{"down", "up", "about-to-die", "blocked", "unblocked"}, Text: "How it is from now on. About to die, it takes the selfie and never answers. Blocked, the relying party neither sends people there nor takes what it issued."}},
			Example: "- provider: idemia\n  is: down",
		}, provider},
		{language.Usage{
			Verb: "send-callback", Group: groupRecovery, Summary: "An attacker sends the relying party a callback of the presentation request service.",
			Subject: language.Member{Name: "callback", Kind: language.Word, Allowed: world.Callbacks(), Text: "The last one again, the last one without its key, one that is made up, or the last one as if it told of a success, from somebody who has broken into the request service."},
			Example: "- send-callback: made-up\n  expect: refused\n  reason: callback-unknown",
		}, sendCallback},
		{language.Usage{
			Verb: "expect-recovery", Group: groupRecovery, Summary: "What should be the case with a recovery.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Of whose account."},
			Members: []language.Member{
				ofCase,
				{Name: "state", Kind: language.Word, Allowed: []string{"proofing", "presenting", "retrieved", "pass-issued", "evaluated", "ended"}, Text: "Where it stands."},
				{Name: "because", Kind: language.Pattern, Text: "The reason for which it ended."},
				{Name: "provider", Kind: language.Word, Allowed: language.VerificationProviders(), Text: "Which provider it went to."},
				{Name: "notified", Kind: language.Pattern, List: true, Text: "What the owner was told of, such as recovery-started."},
				{Name: "logged", Kind: language.Pattern, List: true, Text: "What the audit log has, as step or step and reason: recovery-match name-mismatch."},
			},
			Claims: true, Example: "- expect-recovery: ada\n  state: ended\n  because: name-mismatch\n  notified: recovery-refused",
		}, expectRecovery},
	}
}

func askRecovery(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	began, err := w.AskRecovery(ctx, p, rp.RecoveryAsk{Country: c.Text("country"), RevokeOld: c.Yes("revoke-old"), Reuse: c.Yes("reuse")})
	if err != nil {
		return err
	}
	w.Save(c, world.Saved{Text: began.ID})
	return nil
}

// actor finds who does something and of which case.
func actor(w *world.World, c language.Call) (*world.Person, *world.Case, error) {
	p, err := w.Person(c.Subject)
	if err != nil {
		return nil, nil, err
	}
	of, err := w.CaseAs(c.Text("case"), p)
	return p, of, err
}

func before(c language.Call) world.Before {
	return world.Before{Condition: person.Condition(c.Text("light")), Liveness: person.Liveness(c.Text("face")), Of: c.Text("face-of")}
}

func proveIdentity(ctx context.Context, w *world.World, c language.Call) error {
	p, of, err := actor(w, c)
	if err != nil {
		return err
	}
	s := world.Shown{Before: before(c), Document: person.Kind(c.Text("document")), DocumentOf: c.Text("document-of"), HandOver: c.Yes("hand-over")}
	for _, d := range c.Texts("defects") {
		s.Defects = append(s.Defects, person.Defect(d))
	}
	return w.ProveIdentity(ctx, p, of, s)
}

func present(ctx context.Context, w *world.World, c language.Call) error {
	p, of, err := actor(w, c)
	if err != nil {
		return err
	}
	what := world.Presented{Before: before(c), Which: c.Text("credential")}
	if from := c.Text("from"); from != "" {
		if what.From, err = w.Person(from); err != nil {
			return err
		}
	}
	status, err := w.Present(ctx, p, of, what)
	if err != nil {
		return err
	}
	if c.Save != "" && status.Pass == "" {
		return &Unmet{Claim: "there should be a Temporary Access Pass", Found: fmt.Sprintf("the case is %s: %s", status.State, status.Detail)}
	}
	w.Save(c, world.Saved{Text: status.Pass})
	return nil
}

func revokeVerifiedID(_ context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	return w.RevokeVerifiedID(p)
}

func recoveryProfile(ctx context.Context, w *world.World, c language.Call) error {
	return w.SetRecoveryProfile(ctx, language.RecoveryProfileOf(c.Subject, c.Args))
}

func provider(ctx context.Context, w *world.World, c language.Call) error {
	fault := proofing.Fault{}
	switch c.Text("is") {
	case "down":
		fault.Down = true
	case "about-to-die":
		fault.Dies = proofing.Selfie
	case "blocked", "unblocked":
		return w.BlockProvider(ctx, c.Subject, c.Text("is") == "blocked")
	}
	return w.SetProviderFault(c.Subject, fault)
}

func sendCallback(ctx context.Context, w *world.World, c language.Call) error {
	return w.SendCallback(ctx, c.Subject)
}

func expectRecovery(ctx context.Context, w *world.World, c language.Call) error {
	p, of, err := recoveryOf(w, c)
	if err != nil {
		return err
	}
	site, err := w.Site.IdentityRecovery()
	if err != nil {
		return err
	}
	if of != nil {
		status, err := w.Standing(ctx, of)
		if err != nil {
			return err
		}
		s := &subject{ctx: ctx, w: w, c: c, name: c.Subject}
		err = s.check([]claim{
			{"state", func() (string, error) { return status.State, nil }},
			{"because", func() (string, error) { return status.Reason, nil }},
			{"provider", func() (string, error) { return status.Provider, nil }},
		})
		if err != nil {
			return err
		}
	}
	return recorded(ctx, site, p, c)
}

// recoveryOf finds the case that claims are about; nil where none is needed.
func recoveryOf(w *world.World, c language.Call) (*world.Person, *world.Case, error) {
	p, err := w.Person(c.Subject)
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc([]string{"state", "because", "provider"}, c.Has) {
		return p, nil, nil
	}
	of, err := w.CaseAs(c.Text("case"), p)
	return p, of, err
}

// recorded checks what the owner was told and what was logged.
func recorded(ctx context.Context, site rp.IdentityRecovery, p *world.Person, c language.Call) error {
	notices, err := site.RecoveryNotices(ctx, p.RP)
	if err != nil {
		return err
	}
	events, err := site.RecoveryLog(ctx, p.RP)
	if err != nil {
		return err
	}
	var told, logged []string
	for _, n := range notices {
		told = append(told, n.Kind)
	}
	for _, e := range events {
		logged = append(logged, strings.TrimSpace(e.Step+" "+e.Reason))
	}
	for _, list := range []struct {
		member string
		found  []string
	}{{"notified", told}, {"logged", logged}} {
		for _, want := range c.Texts(list.member) {
			pattern, err := language.NewMatcher(want)
			if err != nil {
				return err
			}
			if !pattern.MatchAny(list.found...) {
				return &Unmet{Claim: fmt.Sprintf("%s of %s should have %s", list.member, c.Subject, want), Found: "it has " + listed(list.found)}
			}
		}
	}
	return nil
}
