package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fido-emu/attestation/forged"
	"fido-emu/ctap/authenticator"
	"fido-emu/rp"
)

// registration makes an attack on the registration of another passkey by the
// attacker, who is signed in.
func registration(how bend) func(*bench) finding {
	return func(b *bench) finding {
		a, err := b.account("attacker")
		if err != nil {
			return found(NotApplicable, "no account to attack from: %v", err)
		}
		return b.tryRegister(a, how)
	}
}

// tryRegister registers a bent passkey and judges what came of it.
func (b *bench) tryRegister(a *account, how bend) finding {
	before, _ := b.list(a)
	_, err := b.register(a, how)
	sent := a.client.last
	if f, over := early(a.client, err); over {
		return f
	}
	f := b.judgeRegistration(a, before, sent, err).with(sent)
	a.client.forget(sent.passkey)
	if f.verdict == Accepted {
		b.takeBack(a, before)
		return f
	}
	return b.afterwards(a, f, b.honestRegistration)
}

// early judges what ended before there was an attack.
func early(c *forger, err error) (finding, bool) {
	switch {
	case !c.reached && err == nil:
		return found(NotApplicable, "the adapter took no ceremony"), true
	case !c.reached:
		return found(NotApplicable, "the relying party did not begin the ceremony: %v", err), true
	case c.last == nil || c.last.response == nil:
		return found(NotApplicable, "the attack could not be made: %v", err), true
	}
	return finding{}, false
}

// judgeRegistration judges by the list of passkeys, or by a sign-in, what became of a
// registration whose answer is err. before is the list as it was.
func (b *bench) judgeRegistration(a *account, before [][]byte, sent *draft, err error) finding {
	after, known := b.list(a)
	b.added = beyond(after, before)
	kept := len(b.added)
	var broken *rp.Broken
	switch {
	case unsupported(err):
		return found(NotApplicable, "%v", err)
	case known && kept > 0 && err == nil:
		return found(Accepted, "the passkey is in the list of the account")
	case known && kept > 0:
		return found(Accepted, "it was refused (%v), and yet the passkey is in the list of the account", err)
	case err == nil && b.opens(a, sent.passkey):
		return found(Accepted, "the passkey signs in")
	case err == nil && known:
		return found(Broken, "the answer says that the passkey was registered, and it is not in the list of the account")
	case err == nil:
		return found(Accepted, "the answer says so; the adapter has no call that would prove it")
	case errors.As(err, &broken):
		return found(Broken, "%v", err)
	case isRefused(err):
		return found(Refused, "%v", err)
	}
	return found(Broken, "neither yes nor no: %v", err)
}

// opens tells whether a passkey signs its account in.
func (b *bench) opens(a *account, k *passkey) bool {
	if b.signOut(a.person) != nil {
		return false
	}
	a.client.use = k
	_, err := b.signIn(a.person, a.client, bend{})
	a.client.use = nil
	in, known, proof := b.signedIn(a.person)
	if err == nil && proof == nil && (in || !known) {
		return true
	}
	// Whoever comes next is to find the account signed in, as it was.
	_, err = b.signIn(a.person, a.client, bend{})
	a.spoilt = a.spoilt || err != nil
	return false
}

// takeBack deletes what an attack added.
func (b *bench) takeBack(a *account, before [][]byte) {
	if err := b.honestSignIn(a); err != nil {
		a.spoilt = true
	}
	after, _ := b.list(a)
	for _, id := range beyond(after, before) {
		b.takeOut(a, id)
	}
}

// beyond returns what a list has beyond another, ids that are there twice included.
func beyond(after, before [][]byte) (added [][]byte) {
	rest := slices.Clone(before)
	for _, id := range after {
		if i := slices.IndexFunc(rest, func(one []byte) bool { return bytes.Equal(one, id) }); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			continue
		}
		added = append(added, id)
	}
	return added
}

// afterwards takes the honest ceremony after an attack that was not accepted.
func (b *bench) afterwards(a *account, f finding, honest func(*account) error) finding {
	err := honest(a)
	if err == nil {
		return f
	}
	a.spoilt = true
	if f.verdict == Broken {
		f.why += "; after it, the honest ceremony fails: " + err.Error()
		return f
	}
	f.verdict, f.why = Broken, fmt.Sprintf("after it, the honest ceremony fails: %v", err)
	return f
}

// signingIn makes an attack on the victim's sign-in by name, with the victim's
// passkey.
func signingIn(how bend) func(*bench) finding {
	return func(b *bench) finding {
		a, err := b.account("victim")
		if err != nil {
			return found(NotApplicable, "no account to attack: %v", err)
		}
		return b.trySignIn(a, a.client, how)
	}
}

// trySignIn signs in as an account with a bent response of a client, which may be
// somebody else's, and judges what came of it.
func (b *bench) trySignIn(a *account, c *forger, how bend) finding {
	return b.judged(a, c, func() (rp.Session, error) { return b.signIn(a.person, c, how) })
}

// judged judges an attempt to get a session as an account.
func (b *bench) judged(a *account, c *forger, attempt func() (rp.Session, error)) finding {
	if f, ok := b.leave(a); !ok {
		return f
	}
	c.last, c.reached = nil, false
	s, err := attempt()
	sent := c.last
	if f, over := early(c, err); over {
		return f
	}
	f := b.judgeSignIn(a, err)
	if f.verdict == Broken && err == nil && s.Person != "" && !strings.EqualFold(s.Person, a.person.Name) {
		f = othersSession(s, sent)
	}
	f = f.with(sent)
	if f.verdict == Accepted {
		if b.signOut(a.person) != nil {
			a.spoilt = true
		}
		return f
	}
	return b.afterwards(a, f, b.honestSignIn)
}

// othersSession judges a response to which somebody else was signed in, whose passkey it is.
func othersSession(s rp.Session, sent *draft) finding {
	f := found(Accepted, "there is a session of %s, whose passkey it is", s.Person)
	f.severity, f.gains = Low, "nothing by itself: whoever has the passkey could have signed in with it"
	switch {
	case len(sent.asked.Allow) > 0:
		f.why += ", although it is not among the passkeys that were asked for"
	case sent.userHandle != nil && !bytes.Equal(sent.userHandle, sent.passkey.user):
		f.why += ", although the user handle is somebody else's"
	default:
		return found(NotApplicable, "%s; the relying party named nobody and no passkey when it asked, so that nobody was deceived", f.why)
	}
	return f
}

// leave ends the account's session, so that one afterwards comes of the attack.
func (b *bench) leave(a *account) (finding, bool) {
	if err := b.signOut(a.person); err != nil {
		return found(Broken, "signing out before the attack: %v", err), false
	}
	in, known, err := b.signedIn(a.person)
	if err != nil {
		return found(Broken, "looking for a session before the attack: %v", err), false
	}
	if known && in {
		return found(NotApplicable, "the adapter cannot end the session, so that one would prove nothing"), false
	}
	return finding{}, true
}

// judgeSignIn judges by the session what became of a sign-in whose answer is err.
func (b *bench) judgeSignIn(a *account, err error) finding {
	in, known, proof := b.signedIn(a.person)
	var broken *rp.Broken
	switch {
	case unsupported(err):
		return found(NotApplicable, "%v", err)
	case proof != nil:
		return found(Broken, "whether there is a session cannot be had: %v", proof)
	case in && err == nil:
		return found(Accepted, "there is a session of %s", a.person.Name)
	case in:
		return found(Accepted, "it was refused (%v), and yet there is a session of %s", err, a.person.Name)
	case err == nil && known:
		return found(Broken, "the answer says that somebody signed in, and there is no session")
	case err == nil:
		return found(Accepted, "the answer says so; the adapter has no call that would prove it")
	case errors.As(err, &broken):
		return found(Broken, "%v", err)
	case isRefused(err):
		return found(Refused, "%v", err)
	}
	return found(Broken, "neither yes nor no: %v", err)
}

// without returns why there is no sign-in without a name here; nil where there is.
func (b *bench) withoutName() error {
	if b.nameless != nil {
		return *b.nameless
	}
	a, err := b.account("victim")
	if err == nil {
		err = b.signOut(a.person)
	}
	if err == nil {
		a.client.use = a.client.passkeys[len(a.client.passkeys)-1]
		_, err = b.signIn(rp.Person{}, a.client, bend{})
		a.client.use = nil
	}
	if err == nil && a.client.last != nil && len(a.client.last.asked.Allow) > 0 {
		err = errors.New("the options name passkeys")
	}
	b.nameless = &err
	return err
}

// attestation returns what attests genuinely in a format.
func (b *bench) attestation(format string) authenticator.Attestation {
	return forged.Genuine(format, b.options.Authority, b.keys)
}

// policed returns an account under a policy of its own, where an administrator's
// adapter can make one.
func (b *bench) policed(purpose string, policy rp.Policy) (*account, error) {
	if a := b.accounts[purpose]; a != nil && !a.spoilt {
		return a, nil
	}
	admin, ok := b.site.(rp.Administration)
	if !ok {
		return nil, errors.New("the adapter has no administration to set one")
	}
	group := b.options.Prefix + "-" + purpose
	err := b.call(func(ctx context.Context) error { return admin.SetPolicy(ctx, group, policy) })
	if err != nil {
		return nil, fmt.Errorf("setting one: %w", err)
	}
	if len(b.policies) == 0 || b.policies[len(b.policies)-1] != group {
		b.policies = append(b.policies, group)
	}
	return b.account(purpose, group)
}
