package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fido-emu/rp"
)

// challengeAttacks are those that hand in results at other times and places than
// they were made for. Those with results of other ceremonies need nothing but
// package rp; those that hand in a result twice or late need [rp.Stepwise].
func challengeAttacks() []Attack {
	at := func(k kind, name, title string, s Severity, gains string, run func(*bench) finding) Attack {
		return Attack{ID: string(k) + ".challenge." + name, Group: "challenges", Title: title, Section: k.section(), Step: k.step(8), Severity: s, Gains: gains, run: run}
	}
	all := []Attack{
		at(authenticating, "another-session", "the challenge was given out in another sign-in of the same person, which was not ended", Critical, gainsReplay, abandoned("victim")),
		at(authenticating, "another-person", "the challenge was given out in a sign-in of another person", Critical, gainsReplay, abandoned("attacker")),
		at(authenticating, "replayed", "the result of an earlier sign-in comes again", Critical, gainsReplay, replayed),
		at(authenticating, "of-registration", "the challenge is that of a registration", High, gainsConfusion, borrowed(authenticating)),
		at(registering, "another-session", "the challenge was given out in another registration of the same person, which was not ended", High, gainsReplay, abandonedRegistration),
		at(registering, "of-sign-in", "the challenge is that of a sign-in", High, gainsConfusion, borrowed(registering)),
		{ID: "authentication.signature.of-registration", Group: "challenges", Title: "a self attestation's signature, made at a registration, serves as an assertion", Section: "7.2", Step: 10,
			Severity: High, Gains: gainsConfusion, run: signingIn(bend{claims: func(d *draft) { d.client = d.client.set("type", "webauthn.create") }})},
	}
	for _, k := range []kind{registering, authenticating} {
		all = append(all,
			at(k, "used", "the result is handed in a second time, after the first was accepted", High, gainsReplay, twice(k)),
			at(k, "spent", "the result is handed in after another for the same challenge was refused", Low, "an attacker has more than one try at one challenge", spent(k)),
			at(k, "stale", "the result is handed in a day late", Medium, "a response that was taken from a log or a trace is good for long", stale(k)),
		)
		all[len(all)-2].Tolerated = "the standard has challenges differ and be given out by the relying party; that a refused try uses one up is no rule of it"
	}
	return all
}

// abandoned begins a sign-in of somebody, does not end it, and hands in a response to
// its challenge in another sign-in of the victim.
func abandoned(whose string) func(*bench) finding {
	return func(b *bench) finding {
		other, err := b.account(whose)
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		stale, err := b.abandon(func(c *forger) error {
			_, err := b.signIn(other.person, c, bend{})
			return err
		})
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		return b.withChallenge(authenticating, stale)
	}
}

func abandonedRegistration(b *bench) finding {
	a, err := b.account("attacker")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	stale, err := b.abandon(func(c *forger) error {
		_, err := b.register(&account{person: a.person, client: c}, bend{})
		return err
	})
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	return b.withChallenge(registering, stale)
}

// abandon begins a ceremony with a client that walks away, and returns its challenge.
func (b *bench) abandon(begin func(*forger) error) (string, error) {
	c := b.newForger()
	c.leaves = true
	err := begin(c)
	if c.last == nil {
		return "", fmt.Errorf("the relying party gave out no challenge: %w", err)
	}
	return c.last.asked.Challenge, nil
}

// borrowed takes the challenge of the other ceremony.
func borrowed(k kind) func(*bench) finding {
	return func(b *bench) finding {
		a, err := b.account(map[kind]string{registering: "attacker", authenticating: "victim"}[k])
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		stale, err := b.abandon(func(c *forger) error {
			if k == registering {
				_, err := b.signIn(a.person, c, bend{})
				return err
			}
			_, err := b.register(&account{person: a.person, client: c}, bend{})
			return err
		})
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		return b.withChallenge(k, stale)
	}
}

// withChallenge makes a ceremony in which client data holds this challenge.
func (b *bench) withChallenge(k kind, challenge string) finding {
	return through(k, bend{claims: func(d *draft) { d.client = d.client.set("challenge", challenge) }})(b)
}

// replayed signs in, records the response, and sends it again in the next sign-in.
func replayed(b *bench) finding {
	a, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	var seen []byte
	if f, ok := b.leave(a); !ok {
		return f
	}
	_, err = b.signIn(a.person, a.client, bend{raw: func(r []byte) []byte { seen = r; return r }})
	if err != nil || seen == nil {
		return found(NotApplicable, "no sign-in to replay: %v", err)
	}
	return b.trySignIn(a, a.client, bend{raw: func([]byte) []byte { return seen }})
}

// newcomer returns who registers: somebody who has no passkey yet, or the one account.
func (b *bench) newcomer() (*account, error) {
	if b.options.Single {
		a, err := b.account("victim")
		if err == nil {
			err = b.honestSignIn(a)
		}
		return a, err
	}
	a := b.person("new")
	return a, b.open(a)
}

// begin begins a ceremony step by step: a registration of somebody new, or a sign-in
// of the victim.
func (b *bench) begin(k kind) (a *account, c rp.Ceremony, f finding) {
	s, ok := b.site.(rp.Stepwise)
	if !ok {
		return nil, nil, found(NotApplicable, "the adapter does not hand in a result by itself")
	}
	var err error
	if k == registering {
		a, err = b.newcomer()
	} else {
		a, err = b.account("victim")
	}
	if err != nil {
		return nil, nil, found(NotApplicable, "%v", err)
	}
	err = b.call(func(ctx context.Context) (err error) {
		if k == registering {
			c, err = s.BeginRegistration(ctx, rp.Person{Name: a.person.Name, DisplayName: a.person.DisplayName})
		} else {
			c, err = s.BeginSignIn(ctx, a.person)
		}
		return err
	})
	if err != nil {
		return nil, nil, found(NotApplicable, "the ceremony cannot be begun: %v", err)
	}
	return a, c, finding{}
}

// answer makes a response to a ceremony.
func (b *bench) answer(k kind, a *account, c rp.Ceremony, how bend) ([]byte, error) {
	origin, options := c.Options()
	a.client.bend = how
	defer func() { a.client.bend = bend{} }()
	if k == registering {
		return a.client.Create(b.ctx, origin, options)
	}
	return a.client.Get(b.ctx, origin, options)
}

// finish hands a response in and tells whether somebody is signed in by it.
func (b *bench) finish(c rp.Ceremony, response []byte) (done bool, err error) {
	err = b.call(func(ctx context.Context) (err error) {
		done, err = c.Finish(ctx, response)
		return err
	})
	return done, err
}

// twice ends a ceremony with one response, and then with another to the same
// challenge, of another passkey at a registration and of a higher counter at a
// sign-in: what is refused is refused for the challenge.
func twice(k kind) func(*bench) finding {
	return func(b *bench) finding {
		a, c, f := b.begin(k)
		if f.verdict != "" {
			return f
		}
		first, err := b.answer(k, a, c, bend{})
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		if done, err := b.finish(c, first); err != nil || !done {
			return found(NotApplicable, "the honest result is not taken: %v", err)
		}
		b.made(k, a)
		return b.handIn(k, a, c)
	}
}

// made remembers an account that came of a registration.
func (b *bench) made(k kind, a *account) {
	if k == registering && !slices.Contains(b.order, a) {
		b.order = append(b.order, a)
	}
}

// handIn answers a ceremony once more and judges.
func (b *bench) handIn(k kind, a *account, c rp.Ceremony) finding {
	response, err := b.answer(k, a, c, bend{})
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	sent := a.client.last
	done, err := b.finish(c, response)
	switch {
	case done:
		b.made(k, a)
		return found(Accepted, "a follow-up shows what came of it (the answer: %v)", err).with(sent)
	case err == nil:
		return found(Broken, "the answer is yes, and nothing came of it").with(sent)
	case isRefused(err):
		return found(Refused, "%v", err)
	}
	return found(Broken, "%v", err).with(sent)
}

// spent has a wrong result refused and hands in a right one for the same challenge.
func spent(k kind) func(*bench) finding {
	return func(b *bench) finding {
		a, c, f := b.begin(k)
		if f.verdict != "" {
			return f
		}
		wrong, err := b.answer(k, a, c, bend{claims: func(d *draft) { d.client = d.client.set("origin", "https://evil.example") }})
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		if done, err := b.finish(c, wrong); done || err == nil {
			return found(NotApplicable, "the wrong result was not refused; see the attacks on the origin")
		}
		return b.handIn(k, a, c)
	}
}

// stale lets a day pass before the result is handed in.
func stale(k kind) func(*bench) finding {
	return func(b *bench) finding {
		clock, ok := b.site.(Clock)
		if !ok {
			return found(NotApplicable, "the relying party's clock is its own, and the audit does not wait for a day")
		}
		a, c, f := b.begin(k)
		if f.verdict != "" {
			return f
		}
		clock.Pass(24 * time.Hour)
		return b.handIn(k, a, c)
	}
}
