package audit

import (
	"errors"
	"fmt"
	"slices"

	"fido-emu/rp"
)

// enumerationAttacks ask for people whom the relying party does not know, and compare
// with what it says of those whom it does.
func enumerationAttacks() []Attack {
	at := func(name, title, section string, run func(*bench) finding) Attack {
		return Attack{ID: "enumeration." + name, Group: "enumeration", Title: title, Section: section, Severity: Low,
			Gains: "whoever asks learns which names have an account: whom to phish", run: run}
	}
	return []Attack{
		at("sign-in", "a sign-in is begun for a name that nobody has: is it told from one that somebody has?", "14.6.2", enumerateSignIn),
		at("allow-credentials.empty", "a sign-in is begun for a name that nobody has: is allowCredentials empty?", "14.6.2", enumerateEmpty),
		at("allow-credentials.changing", "the same is asked twice: are made-up passkeys others each time?", "14.6.2", enumerateTwice),
		at("allow-credentials.shape", "are the ids of made-up passkeys told from real ones by their length?", "14.6.3", enumerateShape),
		at("wrong-passkey", "a passkey that was never registered signs in, by a name that somebody has and by one that nobody has: do the answers differ?", "14.6.2", enumerateAnswers),
	}
}

// asks begins a sign-in by name and walks away. no is the relying party's refusal to
// begin.
func (b *bench) asks(name string) (ids []string, no error, err error) {
	c := b.newForger()
	c.leaves = true
	_, err = b.signIn(rp.Person{Name: name}, c, bend{})
	if c.last == nil {
		if isRefused(err) {
			return nil, err, nil
		}
		return nil, nil, fmt.Errorf("a sign-in cannot be begun: %w", err)
	}
	for _, d := range c.last.asked.Allow {
		ids = append(ids, d.ID)
	}
	return ids, nil, nil
}

// stranger is a name that nobody has.
func (b *bench) stranger() string { return b.options.Name("nobody", 0) }

// comparison is what a relying party says of somebody and of nobody.
type comparison struct{ somebody, nobody []string }

// compare begins a sign-in for the victim and for nobody; early is a verdict where
// there is nothing to compare.
func (b *bench) compare(told Verdict) (c comparison, early finding) {
	victim, err := b.account("victim")
	if err != nil {
		return c, found(NotApplicable, "%v", err)
	}
	var no error
	c.somebody, no, err = b.asks(victim.person.Name)
	if err = errors.Join(no, err); err != nil {
		return c, found(NotApplicable, "%v", err)
	}
	c.nobody, no, err = b.asks(b.stranger())
	switch {
	case err != nil:
		return c, found(Broken, "%v", err)
	case no != nil && told == NotApplicable:
		return c, found(NotApplicable, "the sign-in is refused at once: %v", no)
	case no != nil:
		return c, found(told, "a sign-in is begun for somebody, and refused for nobody: %v", no)
	}
	return c, finding{}
}

func enumerateSignIn(b *bench) finding {
	_, early := b.compare(Accepted)
	if early.verdict != "" {
		return early
	}
	return found(Refused, "both sign-ins are begun")
}

func enumerateEmpty(b *bench) finding {
	c, early := b.compare(NotApplicable)
	switch {
	case early.verdict != "":
		return early
	case len(c.somebody) > 0 && len(c.nobody) == 0:
		return found(Accepted, "allowCredentials has %d passkeys for somebody and none for nobody", len(c.somebody))
	}
	return found(Refused, "allowCredentials has %d passkeys for somebody and %d for nobody", len(c.somebody), len(c.nobody))
}

func enumerateTwice(b *bench) finding {
	c, early := b.compare(NotApplicable)
	if early.verdict != "" {
		return early
	}
	if len(c.nobody) == 0 {
		return found(NotApplicable, "there are no made-up passkeys")
	}
	again, _, err := b.asks(b.stranger())
	switch {
	case err != nil:
		return found(Broken, "%v", err)
	case !slices.Equal(again, c.nobody):
		return found(Accepted, "made-up passkeys change from one request to the next, real ones do not")
	}
	return found(Refused, "they are the same twice")
}

func enumerateShape(b *bench) finding {
	c, early := b.compare(NotApplicable)
	if early.verdict != "" {
		return early
	}
	if len(c.nobody) == 0 || len(c.somebody) == 0 {
		return found(NotApplicable, "there are no made-up passkeys to compare")
	}
	if len(c.nobody[0]) != len(c.somebody[0]) {
		f := found(Tolerated, "made-up ids have %d characters and the real one %d; real ones differ in length, too, by authenticator", len(c.nobody[0]), len(c.somebody[0]))
		return f
	}
	return found(Refused, "the ids are of the same length")
}

// enumerateAnswers compares the refusals of a wrong passkey; reasons that name the
// name, and codes, must be the same.
func enumerateAnswers(b *bench) finding {
	victim, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	known, no := b.wrong(victim.person.Name)
	unknown, none := b.wrong(b.stranger())
	switch {
	case no != nil || none != nil:
		return found(NotApplicable, "one of the sign-ins does not come so far: %v", errors.Join(no, none))
	case known.Code != unknown.Code || known.Status != unknown.Status:
		return found(Accepted, "the answers are %q (%s) and %q (%s)", known.Reason, known.Code, unknown.Reason, unknown.Code)
	}
	return found(Refused, "both answers have the code %s", known.Code)
}

// wrong signs in with a passkey that was never registered and returns the refusal.
func (b *bench) wrong(name string) (*rp.Refused, error) {
	c := b.newForger()
	k, err := c.generate(known()[0], nil)
	if err != nil {
		return nil, err
	}
	c.use = k
	_, err = b.signIn(rp.Person{Name: name}, c, bend{})
	var no *rp.Refused
	if !c.reached || !errors.As(err, &no) {
		return nil, fmt.Errorf("no refusal of a result: %w", err)
	}
	return no, nil
}
