package reference

import (
	"cmp"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/rp"
)

// Registered is a passkey that was added.
type Registered struct {
	Credential rp.Credential `json:"credential"`
	// Grant is a new session, of somebody who had none before or one from a pass,
	// which it replaces. It is nil where the session that was there goes on.
	Grant *Grant `json:"grant,omitempty"`
}

// BeginRegistration begins to add a passkey: to the account whose session the
// token stands for, which p, if named, must be; or, where no session stands, to a
// new account for p. The groups of p count for nothing here; see [Core.Expect].
func (c *Core) BeginRegistration(token string, p rp.Person) (Begun, error) {
	id, challenge, err := c.draw()
	if err != nil {
		return Begun{}, err
	}
	handle, err := c.random(32)
	if err != nil {
		return Begun{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cer, err := c.registrant(token, p, handle)
	if err != nil {
		return Begun{}, err
	}
	who := cer.owner
	if cer.newcomer != nil {
		who = cer.newcomer
	}
	creation, data, err := c.lib.BeginRegistration(user{owner: who, display: who.displayName}, c.creation(challenge, who))
	if err != nil {
		return Begun{}, &rp.Broken{Doing: "beginning a registration", Err: err}
	}
	cer.data = *data
	c.enter(cer, id)
	return begun(id, creation.Response)
}

// registrant says for whom a registration is; the caller holds the lock.
func (c *Core) registrant(token string, p rp.Person, handle []byte) (*ceremony, error) {
	s, err := c.standing(token)
	switch {
	case err == nil && p.Name != "" && fold(p.Name) != fold(s.owner.name):
		return nil, refuse(BadRequest, "signed in as %s: sign out to make an account for %s", s.owner.name, p.Name)
	case err == nil:
		return &ceremony{owner: s.owner, session: s.hash}, c.mayRegister(s)
	case p.Name == "":
		return nil, err
	}
	if err := checkPerson(rp.Person{Name: p.Name, DisplayName: p.DisplayName}); err != nil {
		return nil, err
	}
	if c.people[fold(p.Name)] != nil {
		return nil, refuse(SignInRequired, "there is an account named %s: sign in to add a passkey", p.Name)
	}
	if c.config.ClosedSignUp {
		return nil, refuse(SignUpClosed, "only an administrator makes accounts here")
	}
	if c.book.profiles.NoSelfService {
		return nil, refuse(SelfServiceOff, "only an administrator registers passkeys here")
	}
	newcomer := newPerson(rp.Person{Name: p.Name, DisplayName: p.DisplayName}, handle)
	newcomer.groups = c.directory[fold(p.Name)]
	return &ceremony{newcomer: newcomer}, nil
}

// mayRegister refuses a session that may not register a passkey by itself; the caller
// holds the lock.
func (c *Core) mayRegister(s *session) error {
	limit := c.config.RegisterWithin
	switch {
	case c.book.profiles.NoSelfService:
		return refuse(SelfServiceOff, "only an administrator registers passkeys here")
	case limit > 0 && c.now().Sub(s.began) > limit:
		return refuse(SignInTooOld, "the sign-in is more than %s ago: sign in again to register a passkey", limit)
	}
	return nil
}

// creation fills in the options (WebAuthn Level 3, section 5.4); the caller holds
// the lock.
func (c *Core) creation(challenge []byte, who *person) lib.RegistrationOption {
	rules := c.rules(who.groups)
	required := c.config.ResidentKey == "required"
	return func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		o.Parameters = offered(rules)
		o.Timeout = int(c.config.ChallengeLifetime / time.Millisecond)
		o.CredentialExcludeList = who.descriptors()
		o.AuthenticatorSelection = protocol.AuthenticatorSelection{
			ResidentKey:        protocol.ResidentKeyRequirement(c.config.ResidentKey),
			RequireResidentKey: &required,
			UserVerification:   verification(rules),
		}
		o.Attestation = conveyance(rules)
		return lib.WithExtensions(lib.WithExtensionCredProps())(o)
	}
}

// FinishRegistration verifies what a client made of a ceremony, a
// RegistrationResponseJSON, and keeps the passkey. The token must be the one that
// the ceremony was begun with.
func (c *Core) FinishRegistration(token, id string, response []byte) (Registered, error) {
	secret, hash, err := c.token()
	if err != nil {
		return Registered{}, err
	}
	c.mu.Lock()
	cer, err := c.finish(id, true)
	c.mu.Unlock()
	if err != nil {
		return Registered{}, c.refusedRegistration(nil, err)
	}
	cr, f, err := c.verifyRegistration(cer, response)
	if err != nil {
		return Registered{}, c.refusedRegistration(cer, err)
	}
	c.steps.RLock() // a new passkey, and what it makes an end of
	defer c.steps.RUnlock()
	c.mu.Lock()
	done, err := c.keep(cer, cr, f, token, hash)
	c.mu.Unlock()
	if err != nil {
		return Registered{}, c.refusedRegistration(cer, err)
	}
	if done.Grant != nil {
		done.Grant.Token = secret
	}
	if done.Grant != nil && cer.newcomer == nil { // in a session from a pass
		err = c.completeRecovery(cer.owner.name, done.Credential.ID)
	}
	return done, err
}

// verifyRegistration follows WebAuthn Level 3, section 7.1, as far as it needs no
// state of the relying party.
func (c *Core) verifyRegistration(cer *ceremony, response []byte) (*credential, facts, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, facts{}, unreadable(err)
	}
	alg, err := c.checkCreation(cer, parsed)
	if err != nil {
		return nil, facts{}, err
	}
	who := cer.owner
	if cer.newcomer != nil {
		who = cer.newcomer
	}
	verify := c.lib.CreateCredential
	if !libraryVerifies(alg) && selfAttested(&parsed.Response.AttestationObject) {
		verify = c.createSelfAttested
	}
	record, err := verify(user{owner: who}, cer.data, parsed)
	if err != nil {
		return nil, facts{}, translate(err)
	}
	if err := strictAttestation(&parsed.Raw.AttestationResponse); err != nil {
		return nil, facts{}, err
	}
	now := c.now()
	cr := &credential{record: *record, created: now, algorithm: alg}
	copy(cr.aaguid[:], record.Authenticator.AAGUID)
	word := c.vouch(&parsed.Response.AttestationObject, cr.aaguid, now)
	cr.trusted = word.trusted
	flags := parsed.Response.AttestationObject.AuthData.Flags
	return cr, facts{
		registering: true, trusted: cr.trusted, flawed: word.flawed, aaguid: cr.aaguid, algorithm: alg,
		backupEligible: flags.HasBackupEligible(), userVerified: flags.HasUserVerified(),
	}, nil
}

// keep stores a verified passkey if policy and state allow; the caller holds the
// lock.
func (c *Core) keep(cer *ceremony, cr *credential, f facts, token, hash string) (Registered, error) {
	owner, began, err := c.stillThere(cer, token)
	if err != nil {
		return Registered{}, err
	}
	if c.credentials[string(cr.record.ID)] != nil { // §7.1 step 26
		return Registered{}, refuse(CredentialExists, "this passkey is registered already")
	}
	if err := judge(c.rules(owner.groups), f); err != nil {
		return Registered{}, err
	}
	if cer.newcomer != nil {
		c.add(owner)
	}
	cr.owner, cr.name = owner, cmp.Or(cer.title, c.firstName(owner, cr.aaguid))
	owner.credentials = append(owner.credentials, cr)
	c.credentials[string(cr.record.ID)] = cr
	c.note(Event{Action: "register", Person: owner.name, Method: MethodPasskey, Credential: cr.record.ID, Outcome: Done, Detail: cr.name})
	done := Registered{Credential: cr.describe()}
	if cer.provisioned || began != nil && !began.limited {
		return done, nil
	}
	if began != nil {
		c.end(began)
	}
	s := c.begin(hash, owner, rp.Session{Method: MethodPasskey, Credential: cr.record.ID}, false)
	if began != nil { // from there on the rules of access hold
		s.signals, s.proven = began.signals, []string{cr.kind()}
	}
	g := s.grant("")
	done.Grant = &g
	return done, nil
}

// stillThere returns the account that a registration is for and the session that
// began it, nil for a new account; the caller holds the lock.
func (c *Core) stillThere(cer *ceremony, token string) (*person, *session, error) {
	if cer.provisioned {
		return cer.owner, nil, nil
	}
	if cer.newcomer != nil {
		if c.people[fold(cer.newcomer.name)] != nil {
			return nil, nil, refuse(PersonExists, "somebody else has taken the name %s", cer.newcomer.name)
		}
		cer.newcomer.groups = c.directory[fold(cer.newcomer.name)]
		return cer.newcomer, nil, nil
	}
	s, err := c.standing(token)
	if err != nil || s.hash != cer.session {
		return nil, nil, refuse(SignInRequired, "the session that began this registration has ended")
	}
	return s.owner, s, nil
}

// refusedRegistration enters a refusal into the audit log and returns it.
func (c *Core) refusedRegistration(cer *ceremony, err error) error {
	e := Event{Action: "register", Method: MethodPasskey}
	if cer != nil && cer.newcomer != nil {
		e.Person = cer.newcomer.name
	} else if cer != nil {
		e.Person = cer.owner.name
	}
	return c.refused(e, err)
}
