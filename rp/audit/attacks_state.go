package audit

import (
	"bytes"
	"context"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/rp"
)

const (
	counterAllowed = "a counter that does not go up is a sign of a clone, which a relying party may take into account or not (step 22)"
	backupAllowed  = "step 19 is for relying parties whose policy uses the backup state"
)

// stateAttacks are those on what a relying party remembers of a passkey.
func stateAttacks() []Attack {
	at := func(name, title string, step int, s Severity, gains, tolerated string, run func(*bench) finding) Attack {
		return Attack{ID: "authentication." + name, Group: "authentication: what is remembered", Title: title, Section: "7.2", Step: step,
			Severity: s, Gains: gains, Tolerated: tolerated, run: run}
	}
	clone := "a clone of the authenticator goes unnoticed"
	return []Attack{
		at("counter.back", "the signature counter goes back", 22, Medium, clone, counterAllowed, counting(func(d *draft, was uint32) { d.auth.SignCount = was - 1 })),
		at("counter.equal", "the signature counter stands still", 22, Medium, clone, counterAllowed, counting(func(d *draft, was uint32) { d.auth.SignCount = was })),
		at("counter.zero", "the signature counter is 0 again", 22, Medium, clone, counterAllowed, counting(func(d *draft, _ uint32) { d.auth.SignCount = 0 })),
		at("counter.kept", "the counter of an earlier sign-in comes again, which is more than that of the registration", 24, Medium, clone, counterAllowed, countedSince),
		at("state.first", "a refused assertion has a high counter: does the relying party remember it?", 24, Medium, "an attacker without the key locks its owner out", "", poisoned),
		at("backup-eligible.gained", "a passkey that could not be backed up now can (BE 0, then 1)", 19, Medium, "policies about synced passkeys are got round", backupAllowed, eligible(0, ctap.FlagBE)),
		at("backup-eligible.lost", "a passkey that could be backed up now cannot (BE 1, then 0)", 19, Medium, "policies about synced passkeys are got round", backupAllowed, eligible(ctap.FlagBE, 0)),
	}
}

// strict returns an account whose counters must go up, where there is such a policy,
// and the victim where there is none.
func (b *bench) strict() (*account, error) {
	a, err := b.policed("counted", rp.Policy{RejectCounterRewind: true})
	if err != nil {
		return b.account("victim")
	}
	return a, nil
}

// counting signs in twice, to have a counter that the relying party knows, and then
// with another.
func counting(change func(d *draft, was uint32)) func(*bench) finding {
	return func(b *bench) finding {
		a, err := b.strict()
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		for range 2 {
			if err := b.honestSignIn(a); err != nil {
				return found(NotApplicable, "%v", err)
			}
		}
		was := a.client.last.auth.SignCount
		return b.trySignIn(a, a.client, bend{claims: func(d *draft) { change(d, was) }})
	}
}

// countedSince signs in three times with honest counters and then with the first of
// them again: only whoever keeps the counter of each sign-in can tell.
func countedSince(b *bench) finding {
	a, err := b.strict()
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	if err := b.honestSignIn(a); err != nil {
		return found(NotApplicable, "%v", err)
	}
	first := a.client.last.auth.SignCount
	for range 2 {
		if err := b.honestSignIn(a); err != nil {
			return found(NotApplicable, "%v", err)
		}
	}
	return b.trySignIn(a, a.client, bend{claims: func(d *draft) { d.auth.SignCount = first }})
}

// poisoned sends an assertion with a high counter and a wrong signature. A relying
// party that remembers the counter refuses its owner from then on.
func poisoned(b *bench) finding {
	a, err := b.strict()
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	if f, ok := b.leave(a); !ok {
		return f
	}
	_, err = b.signIn(a.person, a.client, bend{
		claims: func(d *draft) { d.auth.SignCount += 1 << 20 },
		sealed: func(d *draft) { d.signature[len(d.signature)-1] ^= 1 },
	})
	sent := a.client.last
	if f, over := early(a.client, err); over {
		return f
	}
	if f := b.judgeSignIn(a, err); f.verdict != Refused {
		return found(NotApplicable, "the assertion was not refused; see the attacks on the signature")
	}
	if err := b.honestSignIn(a); err != nil {
		a.spoilt = true
		return found(Accepted, "after it, the owner is refused: %v", err).with(sent)
	}
	if listed, ok := b.counter(a); ok && listed >= 1<<20 {
		a.spoilt = true
		return found(Accepted, "the list of passkeys has the counter of the refused assertion, %d", listed).with(sent)
	}
	return found(Refused, "%v; the owner signs in afterwards", err)
}

// counter returns the counter in the list of passkeys.
func (b *bench) counter(a *account) (n uint32, ok bool) {
	m, ok := b.manager()
	if !ok {
		return 0, false
	}
	var all []rp.Credential
	err := b.call(func(ctx context.Context) (err error) {
		all, err = m.Credentials(ctx, a.person)
		return err
	})
	for _, cr := range all {
		n = max(n, cr.SignCount)
	}
	return n, err == nil
}

// eligible registers a passkey with some backup flags and signs in with others.
func eligible(was, is ctap.Flags) func(*bench) finding {
	return func(b *bench) finding {
		victim, err := b.account(fmt.Sprintf("backup%d", was))
		if err != nil {
			return found(NotApplicable, "%v", err)
		}
		if _, err := b.register(victim, bend{claims: func(d *draft) { d.auth.Flags |= was }}); err != nil {
			return found(NotApplicable, "a passkey with these flags cannot be registered: %v", err)
		}
		k := victim.client.last.passkey
		k.flags |= was
		return b.trySignIn(victim, victim.client, bend{claims: func(d *draft) { d.auth.Flags = d.auth.Flags&^ctap.FlagBE | is }})
	}
}

// accountAttacks are those on what WebAuthn leaves to sites.
func accountAttacks() []Attack {
	at := func(id, title, section string, step int, s Severity, gains string, run func(*bench) finding) Attack {
		return Attack{ID: id, Group: "accounts", Title: title, Section: section, Step: step, Severity: s, Gains: gains, run: run}
	}
	return []Attack{
		at("registration.without-session", "a passkey is registered for the victim, who is not signed in", "7.1", 29, Critical, "anybody adds a passkey to any account, and signs in with it", withoutSession),
		at("management.delete-another", "the attacker deletes the victim's passkey", "accounts", 0, High, "anybody locks anybody out", deleteAnother),
		at("management.rename-another", "the attacker renames the victim's passkey", "accounts", 0, Low, "anybody confuses anybody about their passkeys", renameAnother),
		at("management.without-session", "the victim's passkeys are listed, and nobody is signed in", "accounts", 0, Medium, "anybody sees whose passkeys are of which kind", listWithout),
		at("session.after-delete", "the session goes on whose passkey was deleted", "accounts", 0, Low, "whoever signed in with a lost key stays", sessionAfterDelete),
		at("recovery.pass-reused", "a recovery pass that is good once is used a second time", "13.4.6", 0, High, "whoever sees a used pass recovers the account once more", passReused),
		at("recovery.pass-of-another", "the attacker's recovery pass recovers the victim's account", "13.4.6", 0, Critical, "whoever has an account recovers anybody's", passOfAnother),
		at("recovery.pass-wrong", "a recovery pass that nobody issued is used", "13.4.6", 0, Critical, "anybody recovers anybody's account", passWrong),
		at("recovery.pass-replaced", "a recovery pass is used in whose place another was issued", "13.4.6", 0, Medium, "a pass that was taken back is good", passReplaced),
		at("recovery.pass-expired", "a recovery pass is used after its time", "13.4.6", 0, Medium, "a pass that was forgotten in a mailbox is good for ever", passExpired),
	}
}

// withoutSession registers a passkey for the victim in a browser that is not signed
// in.
func withoutSession(b *bench) finding {
	if _, ok := b.sessions(); !ok {
		return found(NotApplicable, "the adapter cannot end the victim's session")
	}
	victim, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	if f, ok := b.leave(victim); !ok {
		return f
	}
	c := b.newForger()
	intruder := &account{person: rp.Person{Name: victim.person.Name, DisplayName: victim.person.DisplayName}, client: c}
	_, err = b.register(intruder, bend{})
	if !c.reached && isRefused(err) {
		return b.afterwards(victim, found(Refused, "%v", err), b.honestSignIn)
	}
	if f, over := early(c, err); over {
		return f
	}
	sent := c.last
	if b.opens(intruder, sent.passkey) {
		victim.spoilt = true
		return found(Accepted, "the passkey signs in as %s", victim.person.Name).with(sent)
	}
	if err == nil {
		return b.afterwards(victim, found(Broken, "the answer says that the passkey was registered, and it does not sign in"), b.honestSignIn)
	}
	return b.afterwards(victim, b.judgeSignIn(victim, err), b.honestSignIn)
}

// manage has the attacker, signed in, do something to the victim's passkey; done
// tells, seen by the victim, whether it came about.
func (b *bench) manage(do func(context.Context, rp.CredentialManager, *account, []byte) error, done func(victim *account, id []byte) bool) finding {
	m, ok := b.manager()
	if !ok {
		return found(NotApplicable, "the adapter does not manage passkeys")
	}
	victim, attacker, err := b.two()
	if err == nil {
		err = b.honestSignIn(attacker)
	}
	if err == nil {
		err = b.honestSignIn(victim)
	}
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	id := victim.client.passkeys[0].id
	err = b.call(func(ctx context.Context) error { return do(ctx, m, attacker, id) })
	switch {
	case done(victim, id):
		victim.spoilt = true
		return found(Accepted, "the victim's list shows it (the answer: %v)", err)
	case unsupported(err):
		return found(NotApplicable, "%v", err)
	case err == nil:
		return found(Broken, "the answer says that it was done, and the victim's list does not show it")
	case isRefused(err):
		return b.afterwards(victim, found(Refused, "%v", err), b.honestSignIn)
	}
	return b.afterwards(victim, found(Broken, "%v", err), b.honestSignIn)
}

func deleteAnother(b *bench) finding {
	return b.manage(func(ctx context.Context, m rp.CredentialManager, attacker *account, id []byte) error {
		return m.DeleteCredential(ctx, attacker.person, id)
	}, func(victim *account, id []byte) bool {
		ids, known := b.list(victim)
		return known && !contains(ids, id)
	})
}

func renameAnother(b *bench) finding {
	const name = "renamed by the attacker"
	return b.manage(func(ctx context.Context, m rp.CredentialManager, attacker *account, id []byte) error {
		return m.RenameCredential(ctx, attacker.person, id, name)
	}, func(victim *account, id []byte) bool {
		var all []rp.Credential
		m, _ := b.manager()
		err := b.call(func(ctx context.Context) (err error) {
			all, err = m.Credentials(ctx, victim.person)
			return err
		})
		for _, cr := range all {
			if err == nil && bytes.Equal(cr.ID, id) && cr.Name == name {
				return true
			}
		}
		return false
	})
}

func listWithout(b *bench) finding {
	m, ok := b.manager()
	if !ok {
		return found(NotApplicable, "the adapter does not manage passkeys")
	}
	victim, err := b.account("victim")
	if err != nil {
		return found(NotApplicable, "%v", err)
	}
	if f, ok := b.leave(victim); !ok {
		return f
	}
	var all []rp.Credential
	err = b.call(func(ctx context.Context) (err error) {
		all, err = m.Credentials(ctx, victim.person)
		return err
	})
	f := found(Refused, "%v", err)
	switch {
	case err == nil && len(all) > 0:
		return found(Accepted, "%d passkeys are listed", len(all))
	case err != nil && !isRefused(err):
		f = found(Broken, "%v", err)
	}
	return b.afterwards(victim, f, b.honestSignIn)
}

// sessionAfterDelete signs in with a second passkey and deletes it.
func sessionAfterDelete(b *bench) finding {
	if _, ok := b.deleter(); !ok {
		return found(NotApplicable, "the adapter cannot delete passkeys")
	}
	if _, ok := b.sessions(); !ok {
		return found(NotApplicable, "the adapter cannot tell whether a session stands")
	}
	a, err := b.account("leaving")
	if err == nil {
		_, err = b.register(a, bend{})
	}
	if err != nil {
		return found(NotApplicable, "the account takes no second passkey: %v", err)
	}
	second := a.client.last.passkey
	if !b.opens(a, second) || !b.remove(a, second.id) {
		return found(NotApplicable, "the second passkey does not sign in, or cannot be deleted")
	}
	a.client.forget(second)
	in, known, err := b.signedIn(a.person)
	switch {
	case err != nil || !known:
		return found(NotApplicable, "whether the session stands cannot be had: %v", err)
	case in:
		return found(Tolerated, "the session stands; WebAuthn says nothing about sessions, and a site may ask their owner")
	}
	return b.afterwards(a, found(Refused, "the session has ended"), b.honestSignIn)
}
