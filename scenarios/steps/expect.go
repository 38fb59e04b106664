package steps

import (
	"context"
	"fmt"
	"strconv"

	"fido-emu/rp"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

func claims() []Step {
	person, dev, account := []language.Kind{language.PersonName}, []language.Kind{language.DeviceName}, []language.Kind{language.AccountRef}
	passkey, session := []language.Saved{language.SavedPasskey}, []language.Saved{language.SavedSession}
	return []Step{{language.Usage{
		Verb: "expect", Group: "Claims", Summary: "What should be the case: of a person, a passkey, a session, a device or an account.",
		Text:    "It looks and changes nothing. A number may be a comparison: at least 3, more than ${before.counter}, not 0.",
		Subject: language.Member{Name: "of", Kind: language.Anything, Text: "Of whom or what: a name, or ${name} of something that was saved."},
		Members: append([]language.Member{
			{Name: "signed-in", Kind: language.YesNo, Of: person, Text: "Whether the person's session stands."},
			{Name: "passkeys", Kind: language.Count, Of: append(person, dev...), Text: "How many passkeys the person has at the relying party, or how many are on the device."},
			{Name: "registered", Kind: language.YesNo, OfSaved: passkey, Text: "Whether the relying party has the passkey."},
			{Name: "type", Kind: language.Word, Allowed: []string{"device-bound", "synced"}, OfSaved: passkey, Text: "What the relying party takes it for."},
			{Name: "backup-eligible", Kind: language.YesNo, OfSaved: passkey, Text: "BE, as the relying party has it."},
			{Name: "backed-up", Kind: language.YesNo, OfSaved: passkey, Text: "BS, as the relying party last saw it."},
			{Name: "counter", Kind: language.Count, OfSaved: append(passkey, session...), Text: "The signature counter, as the relying party has it; of a session, as it was then."},
			{Name: "attestation", Kind: language.Pattern, OfSaved: passkey, Text: "The attestation format, such as packed."},
			{Name: "algorithm", Kind: language.Pattern, OfSaved: passkey, Text: "The algorithm that it signs with, such as ES256 or ML-DSA-65."},
			{Name: "trusted", Kind: language.YesNo, OfSaved: passkey, Text: "Whether an authority that the relying party trusts attested to it."},
			{Name: "name", Kind: language.Pattern, OfSaved: passkey, Text: "Its name at the relying party."},
			{Name: "on", Kind: language.DeviceName, List: true, OfSaved: passkey, Text: "The devices that have it."},
			{Name: "not-on", Kind: language.DeviceName, List: true, OfSaved: passkey, Text: "Devices that do not have it."},
			{Name: "shown-as", Kind: language.Pattern, OfSaved: passkey, Text: "The display name under which each device of on shows it."},
			{Name: "method", Kind: language.Pattern, OfSaved: session, Text: "How the person signed in: passkey or temporaryAccessPass."},
			{Name: "acts", Kind: language.Count, OfSaved: session, Text: "How many things the person had to do to sign in: read, type, tap, think."},
			{Name: "seconds", Kind: language.Count, OfSaved: session, Text: "How long that took, rounded up: what was waited for, and what people take for such things (the keystroke-level model)."},
			{Name: "passkey", Kind: language.SavedValue, Saved: language.SavedPasskey, OfSaved: session, Text: "The passkey that was used."},
			{Name: "pin-set", Kind: language.YesNo, Of: dev, Text: "Whether the device has a PIN."},
			{Name: "pin-tries", Kind: language.Count, Of: dev, Text: "How many wrong PINs it still takes before only a reset helps."},
			{Name: "in-account", Kind: language.YesNo, Of: dev, Text: "Whether it is, as far as it knows, a device of a sync account."},
			{Name: "unsynced", Kind: language.Count, Of: dev, Text: "How many changes on it wait for a sync."},
			{Name: "devices", Kind: language.Count, Of: account, Text: "How many devices belong to it."},
		}, accessClaims(person)...),
		Claims: true, Example: "- expect: ada\n  signed-in: yes\n  passkeys: at least 1",
	}, expect}}
}

// subject is what claims are made of. It looks each up when it is asked.
type subject struct {
	ctx  context.Context
	w    *world.World
	c    language.Call
	name string // as written
}

func expect(ctx context.Context, w *world.World, c language.Call) error {
	s := &subject{ctx: ctx, w: w, c: c, name: c.Subject}
	switch w.KindOf(c.Subject) {
	case language.PersonName:
		return s.person()
	case language.DeviceName:
		return s.device()
	case language.AccountRef:
		return s.account()
	}
	saved, err := w.SavedAs(c.Subject)
	switch {
	case err != nil:
		return err
	case saved.Passkey != nil:
		return s.passkey(saved.Passkey)
	case saved.Session != nil:
		return s.session(saved.Session)
	}
	return fmt.Errorf("nothing can be claimed of a %s", saved.Kind)
}

// claim is one claim with how to find out what is the case.
type claim struct {
	member string
	found  func() (string, error)
}

// check compares the claims that were written with what is the case, in the order
// of the table.
func (s *subject) check(table []claim) error {
	for _, cl := range table {
		if !s.c.Has(cl.member) {
			continue
		}
		if told(cl.member) != "" && !s.w.Site.Tells(told(cl.member)) {
			return &world.Missing{Reason: "this relying party does not tell the " + cl.member + " of passkeys"}
		}
		found, err := cl.found()
		if err != nil {
			return err
		}
		if err := s.compare(cl.member, found); err != nil {
			return err
		}
	}
	return nil
}

// told returns what a relying party must tell of passkeys for a claim to be checked, by
// the name that descriptions give it; empty for nothing.
func told(member string) string {
	switch member {
	case "counter":
		return "sign-count"
	case "type", "backup-eligible", "backed-up", "attestation", "algorithm", "trusted", "name":
		return member
	}
	return ""
}

// compare checks one claim by the kind of its member.
func (s *subject) compare(member, found string) error {
	want := s.c.Text(member)
	holds := want == found
	switch s.kind(member) {
	case language.Count:
		comparison, err := language.ParseComparison(want)
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(found, 10, 64)
		if err != nil {
			return err
		}
		holds = comparison.Holds(n)
	case language.YesNo:
		holds = yes(want) == yes(found)
	case language.Pattern:
		pattern, err := language.NewMatcher(want)
		if err != nil {
			return err
		}
		holds = pattern.MatchAny(found)
	}
	if holds {
		return nil
	}
	return s.unmet(member, want, found)
}

func (s *subject) unmet(member, want, found string) error {
	return &Unmet{Claim: fmt.Sprintf("%s of %s should be %s", member, s.name, want), Found: "it is " + quoted(found)}
}

func (s *subject) kind(member string) language.Kind {
	for _, m := range s.c.Usage.Members {
		if m.Name == member {
			return m.Kind
		}
	}
	return language.Text
}

func yes(text string) bool { return text == "yes" || text == "true" }

func yesNo(b bool, err error) (string, error) {
	if b {
		return "yes", err
	}
	return "no", err
}

func number[N int | uint | uint32](n N, err error) (string, error) {
	return fmt.Sprint(n), err
}

func quoted(found string) string {
	if found == "" {
		return "empty"
	}
	return found
}

func (s *subject) person() error {
	p, err := s.w.Person(s.name)
	if err != nil {
		return err
	}
	return s.check(append([]claim{
		{"signed-in", func() (string, error) {
			sessions, err := s.w.Site.Sessions()
			if err != nil {
				return "", err
			}
			return yesNo(sessions.SignedIn(s.ctx, p.RP))
		}},
		{"passkeys", func() (string, error) {
			all, err := s.w.Site.Passkeys(s.ctx, p)
			return number(len(all), err)
		}},
	}, s.access(p)...))
}

func (s *subject) device() error {
	d, err := s.w.Device(s.name)
	if err != nil {
		return err
	}
	return s.check([]claim{
		{"passkeys", func() (string, error) { return number(d.Passkeys(s.ctx)) }},
		{"pin-set", func() (string, error) { return yesNo(d.PINSet(s.ctx)) }},
		{"pin-tries", func() (string, error) { return number(d.PINTries(s.ctx)) }},
		{"in-account", func() (string, error) { return yesNo(d.InAccount(), nil) }},
		{"unsynced", func() (string, error) { return number(d.Unsynced(), nil) }},
	})
}

func (s *subject) account() error {
	a, err := s.w.Account(s.name)
	if err != nil {
		return err
	}
	return s.check([]claim{{"devices", func() (string, error) { return number(a.Devices(s.ctx)) }}})
}

func (s *subject) session(is *world.Session) error {
	return s.check([]claim{
		{"counter", func() (string, error) { return number(is.Counter, nil) }},
		{"method", func() (string, error) { return is.Method, nil }},
		{"acts", func() (string, error) { return number(is.Acts, nil) }},
		{"seconds", func() (string, error) { return number(is.Seconds(), nil) }},
		{"passkey", func() (string, error) {
			k, err := s.w.PasskeyAs(s.c.Text("passkey"))
			if err != nil || string(k.Credential.ID) == string(is.Credential) {
				return s.c.Text("passkey"), err
			}
			return short(is.Credential), nil
		}},
	})
}

// passkey checks claims on a passkey as the relying party has it now, and as
// devices have it.
func (s *subject) passkey(k *world.Passkey) error {
	now, err := s.w.Site.Passkey(s.ctx, k.Person, k.Credential.ID)
	if err != nil {
		return err
	}
	if err := s.check([]claim{{"registered", func() (string, error) { return yesNo(now != nil, nil) }}}); err != nil {
		return err
	}
	if now == nil {
		now = &k.Credential
	}
	kind := "device-bound"
	if now.Type == rp.Synced {
		kind = "synced"
	}
	err = s.check([]claim{
		{"type", func() (string, error) { return kind, nil }},
		{"backup-eligible", func() (string, error) { return yesNo(now.BackupEligible, nil) }},
		{"backed-up", func() (string, error) { return yesNo(now.BackedUp, nil) }},
		{"counter", func() (string, error) { return number(now.SignCount, nil) }},
		{"attestation", func() (string, error) { return now.Attestation, nil }},
		{"algorithm", func() (string, error) { return now.Algorithm, nil }},
		{"trusted", func() (string, error) { return yesNo(now.Trusted, nil) }},
		{"name", func() (string, error) { return now.Name, nil }},
	})
	if err != nil {
		return err
	}
	return s.places(k)
}

// places checks on which devices a passkey is, and how they show it.
func (s *subject) places(k *world.Passkey) error {
	for _, where := range []struct {
		member string
		there  bool
	}{{"on", true}, {"not-on", false}} {
		for _, name := range s.c.Texts(where.member) {
			d, err := s.w.Device(name)
			if err != nil {
				return err
			}
			stored, err := d.Passkey(s.ctx, k.Credential.ID)
			if err != nil {
				return err
			}
			if (stored != nil) != where.there {
				return &Unmet{Claim: fmt.Sprintf("%s should be %s %s", s.name, where.member, name), Found: "it is " + map[bool]string{true: "there", false: "not there"}[stored != nil], Device: name}
			}
			if where.there && s.c.Has("shown-as") {
				if err := s.compare("shown-as", stored.DisplayName); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
