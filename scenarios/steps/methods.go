package steps

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

const groupMethods = "Ways to sign in without a passkey"

// methodKinds are the words of scenarios for methods.
func methodKinds() map[string]string {
	return map[string]string{
		"password": rp.Password, "sms": rp.SMS, "voice": rp.Voice, "email": rp.Email, "push": rp.Push, "security-questions": rp.SecurityQuestions,
	}
}

func methodMember(name, text string) language.Member {
	return language.Member{Name: name, Kind: language.Word, List: true, Allowed: slices.Sorted(maps.Keys(methodKinds())), Text: text}
}

func required(m language.Member) language.Member {
	m.Required = true
	return m
}

func kindsOf(c language.Call, member string) []string {
	var kinds []string
	for _, word := range c.Texts(member) {
		kinds = append(kinds, methodKinds()[word])
	}
	return kinds
}

// actors are the members that say who does it and what goes wrong.
func actors() []language.Member {
	return []language.Member{
		{Name: "by", Kind: language.Word, Allowed: []string{world.ByOwner, world.ByRelay, world.ByStranger}, Default: world.ByOwner,
			Text: "Who: the owner; a relay, which is a look-alike page that passes on all that the owner reads, types and taps there; or a stranger, who knows the password and reads what is diverted to a thief."},
		{Name: "owner-taps", Kind: language.Word, Allowed: []string{rp.Approve, rp.Deny, rp.Report}, Default: "nothing", Text: "What the owner does in the app with a request of the stranger's. Approving without the number that the page shows counts as approving."},
		{Name: "prompts", Kind: language.Number, Default: "1", Text: "How many requests reach the app before the owner does so."},
		{Name: "password", Kind: language.Secret, Default: "the right one", Text: "What is typed as the password."},
		{Name: "code", Kind: language.Secret, Default: "the right one", Text: "What is typed as the code, or as the answers."},
		{Name: "after", Kind: language.Duration, Default: "at once", Text: "How long it takes until a code that was sent is typed."},
		{Name: "tries", Kind: language.Number, Default: "1", Text: "How often what is wrong is tried. The last refusal counts."},
	}
}

func fallbacks() []Step {
	person := language.Member{Name: "person", Kind: language.PersonName, Text: "Whose."}
	return []Step{
		{language.Usage{
			Verb: "enrol", Group: groupMethods, Summary: "A person's account gets other ways to sign in than passkeys.",
			Text:    "Everybody has a password of their own, a phone for texts, calls and the app, a mailbox, and answers to three questions. Enrolling again puts the password that is given in the place of the old one.",
			Subject: person,
			Members: []language.Member{
				required(methodMember("methods", "Which.")),
				{Name: "by", Kind: language.Word, Allowed: []string{"administrator", "person"}, Default: "administrator", Text: "Who does it. A person has to be signed in, and freshly."},
				{Name: "password", Kind: language.Secret, Text: "The password, where it matters."},
			},
			Example: "- enrol: ada\n  methods: [password, sms, push]",
		}, enrol},
		{language.Usage{
			Verb: "fall-back", Group: groupMethods, Summary: "Somebody signs in, in a person's name, without a passkey.",
			Text:    "The methods follow one another, as a password and a code do. What the relying party sends is read by whoever holds the phone or the mailbox.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "In whose name."},
			Members: append([]language.Member{required(methodMember("to", "With what, in this order."))}, actors()...),
			Saves:   language.SavedSession, Example: "- fall-back: ada\n  to: [password, sms]\n  by: relay",
		}, fallBack},
		{language.Usage{
			Verb: "reset-password", Group: groupMethods, Summary: "Somebody forgot a person's password, or says so, and sets a new one.",
			Subject: language.Member{Name: "person", Kind: language.PersonName, Text: "Whose password."},
			Members: append([]language.Member{
				required(methodMember("with", "Methods that prove who it is, in this order.")),
				{Name: "to", Kind: language.Secret, Required: true, Text: "The new password."},
			}, actors()...),
			Example: "- reset-password: ada\n  with: email\n  to: a new battery staple",
		}, resetPassword},
		{language.Usage{
			Verb: "divert", Group: groupMethods, Summary: "What is sent to a person is read by somebody else: the phone was stolen, the number ported, the mailbox taken over.",
			Subject: person,
			Members: []language.Member{
				required(methodMember("methods", "Whose messages: sms and voice share a number.")),
				{Name: "to", Kind: language.Word, Allowed: []string{rp.Thief, rp.Owner}, Default: rp.Thief, Text: "Who reads them from now on."},
			},
			Example: "- divert: ada\n  methods: sms",
		}, divert},
		{language.Usage{
			Verb: "remove-methods", Group: groupMethods, Summary: "An administrator removes ways to sign in from an account.",
			Subject: person,
			Members: []language.Member{
				methodMember("methods", "Which."),
				{Name: "unused-for", Kind: language.Duration, Text: "Instead: all that the audit of dormant methods finds."},
			},
			Example: "- remove-methods: ada\n  unused-for: 90 days",
		}, removeMethods},
		{language.Usage{
			Verb: "method-policy", Group: groupMethods, Summary: "An administrator says which methods the relying party takes, and how.",
			Text:    "It takes the place of the one before as a whole.",
			Subject: language.Member{Name: "for", Kind: language.Word, Allowed: []string{"everybody"}, Text: "It holds for everybody."},
			Members: []language.Member{
				methodMember("off", "Methods that are switched off."),
				{Name: "single-factor", Kind: language.YesNo, Default: "no", Text: "Whether a password alone signs in."},
				{Name: "number-matching", Kind: language.YesNo, Default: "yes", Text: "Whether a request in the app asks for the number that the page shows."},
				{Name: "questions-end-in", Kind: language.Duration, Default: "never", Text: "From when on security questions are refused."},
				{Name: "reset-methods", Kind: language.Number, Default: "1", Text: "How many methods a reset of the password takes: 1 or 2."},
				{Name: "strongest-first", Kind: language.Word, Allowed: []string{"default", "enabled", "disabled"}, Default: "default, which is enabled", Text: "Whether people are asked for the strongest method that they have, or for the one they used last."},
				{Name: "strongest-for", Kind: language.GroupName, List: true, Default: "everybody", Text: "The groups for which that holds."},
				{Name: "strongest-not-for", Kind: language.GroupName, List: true, Text: "Groups for which it does not."},
			},
			Example: "- method-policy: everybody\n  off: [sms, voice]",
		}, methodPolicy},
	}
}

// addressOf is where what is sent to a person goes.
func addressOf(p *world.Person, kind string) string {
	switch kind {
	case rp.SMS, rp.Voice:
		var n uint64 = 1
		for _, r := range p.Name {
			n = (n*31 + uint64(r)) % 1_000_000
		}
		return fmt.Sprintf("+49 30 901820%06d", n) // of the numbers that the regulator keeps for films
	case rp.Email:
		return p.Name + "@mailbox.example"
	case rp.Push:
		return p.Name + "'s phone"
	}
	return ""
}

func enrol(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	add, err := enroller(w, c.Text("by"))
	if err != nil {
		return err
	}
	for _, kind := range kindsOf(c, "methods") {
		e := rp.Enrolment{Kind: kind, Address: addressOf(p, kind)}
		switch kind {
		case rp.Password:
			if c.Has("password") {
				p.NewPassword = c.Text("password")
			}
			e.Secret = p.Password()
		case rp.SecurityQuestions:
			e.Answers = p.Answers()
		}
		if err := add(p.In(ctx), p.RP, e); err != nil {
			return err
		}
	}
	return nil
}

func enroller(w *world.World, by string) (func(context.Context, rp.Person, rp.Enrolment) error, error) {
	if by == "person" {
		site, err := w.Site.Fallbacks()
		if err != nil {
			return nil, err
		}
		return site.AddMethod, nil
	}
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return nil, err
	}
	return admin.EnrolMethod, nil
}

func attemptBy(w *world.World, c language.Call, purpose, kinds string) (*world.FallBack, error) {
	p, err := w.Person(c.Subject)
	if err != nil {
		return nil, err
	}
	by := c.Text("by")
	if by == "" {
		by = world.ByOwner
	}
	return &world.FallBack{
		Person: p, Purpose: purpose, Kinds: kindsOf(c, kinds), By: by, Taps: c.Text("owner-taps"),
		Prompts: c.Number("prompts", 1), Code: c.Text("code"), Password: c.Text("password"), Guesses: c.Number("tries", 1), Late: c.Duration("after", 0),
	}, nil
}

func fallBack(ctx context.Context, w *world.World, c language.Call) error {
	f, err := attemptBy(w, c, rp.ToSignIn, "to")
	if err != nil {
		return err
	}
	progress, err := w.FallBack(ctx, f)
	if err != nil {
		return err
	}
	if f.By != world.ByOwner {
		w.Note("Somebody else is signed in as %s now.", f.Person.Name)
	}
	w.Save(c, world.Saved{Session: world.SessionOf(f.Person, *progress.Session)})
	return nil
}

func resetPassword(ctx context.Context, w *world.World, c language.Call) error {
	f, err := attemptBy(w, c, rp.ToReset, "with")
	if err != nil {
		return err
	}
	progress, err := w.FallBack(ctx, f)
	if err != nil {
		return err
	}
	site, err := w.Site.Fallbacks()
	if err != nil {
		return err
	}
	if err := site.ResetPassword(f.In(ctx), f.Person.RP, progress.Attempt, c.Text("to")); err != nil {
		return err
	}
	f.Person.NewPassword = c.Text("to") // whoever set it; a stranger who did knows it too
	return nil
}

func divert(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return err
	}
	to := c.Text("to")
	if to == "" {
		to = rp.Thief
	}
	for _, kind := range kindsOf(c, "methods") {
		if address := addressOf(p, kind); address != "" {
			if err := admin.HandOver(ctx, address, to); err != nil {
				return err
			}
		}
	}
	return nil
}

func removeMethods(ctx context.Context, w *world.World, c language.Call) error {
	p, err := w.Person(c.Subject)
	if err != nil {
		return err
	}
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return err
	}
	kinds := kindsOf(c, "methods")
	if c.Has("unused-for") {
		dormant, err := dormantOf(ctx, w, p, c.Duration("unused-for", 0))
		if err != nil {
			return err
		}
		for _, d := range dormant {
			kinds = append(kinds, d.Kind)
		}
	}
	w.Note("Removed: %s", listed(kinds))
	return admin.RemoveMethods(ctx, p.RP, kinds...)
}

// dormantOf asks the audit of dormant methods about one person.
func dormantOf(ctx context.Context, w *world.World, p *world.Person, since time.Duration) ([]rp.Dormant, error) {
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return nil, err
	}
	all, err := admin.DormantMethods(ctx, since, "")
	return slices.DeleteFunc(all, func(d rp.Dormant) bool { return !strings.EqualFold(d.Person, p.RP.Name) }), err
}

func methodPolicy(ctx context.Context, w *world.World, c language.Call) error {
	admin, err := w.Site.MethodAdministration()
	if err != nil {
		return err
	}
	policy := rp.MethodPolicy{
		Disabled: kindsOf(c, "off"), SingleFactor: c.Yes("single-factor"),
		NoNumberMatching: c.Has("number-matching") && !c.Yes("number-matching"), ResetMethods: c.Number("reset-methods", 1),
		SystemPreferences: rp.SystemPreference{State: c.Text("strongest-first"), Include: c.Texts("strongest-for"), Exclude: c.Texts("strongest-not-for")},
	}
	if c.Has("questions-end-in") {
		policy.QuestionsUntil = w.Clock.Now().Add(c.Duration("questions-end-in", 0))
	}
	return admin.SetMethodPolicy(ctx, policy)
}
