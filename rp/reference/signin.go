package reference

import (
	"bytes"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/rp"
)

// BeginSignIn begins a sign-in of the person of that name, or, without a name, of
// whomever the authenticator names.
func (c *Core) BeginSignIn(name string) (Begun, error) {
	id, challenge, err := c.draw()
	if err != nil {
		return Begun{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	cer := &ceremony{}
	rules := c.allRules()
	var allow []protocol.CredentialDescriptor
	if name != "" {
		if cer.owner, cer.unknown, err = c.withPasskey(name); err != nil {
			return Begun{}, err
		}
		rules, allow = c.rules(cer.owner.groups), cer.owner.descriptors()
	}
	assertion, data, err := c.lib.BeginDiscoverableLogin(lib.WithChallenge(challenge), c.request(allow, rules))
	if err != nil {
		return Begun{}, &rp.Broken{Doing: "beginning a sign-in", Err: err}
	}
	cer.data = *data
	if cer.owner != nil {
		cer.data.UserID = cer.owner.handle
	}
	c.enter(cer, id)
	return begun(id, assertion.Response)
}

// request fills in the options (WebAuthn Level 3, section 5.5).
func (c *Core) request(allow []protocol.CredentialDescriptor, rules []*rule) lib.LoginOption {
	return func(o *protocol.PublicKeyCredentialRequestOptions) error {
		o.AllowedCredentials = allow
		o.UserVerification = verification(rules)
		o.Timeout = int(c.config.ChallengeLifetime / time.Millisecond)
		return nil
	}
}

// FinishSignIn verifies what a client made of a ceremony, an
// AuthenticationResponseJSON, and begins a session. Of its signals nothing is known.
func (c *Core) FinishSignIn(id string, response []byte) (Grant, error) {
	return c.FinishSignInFrom(rp.Signals{}, id, response)
}

// FinishSignInFrom is FinishSignIn with what is known of where the sign-in comes
// from.
func (c *Core) FinishSignInFrom(signals rp.Signals, id string, response []byte) (Grant, error) {
	e := Event{Action: "sign-in", Method: MethodPasskey}
	secret, hash, err := c.token()
	if err != nil {
		return Grant{}, err
	}
	c.mu.Lock()
	cer, err := c.finish(id, false)
	c.mu.Unlock()
	if err != nil {
		return Grant{}, c.refusedSignIn(signals, e, err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return Grant{}, c.refusedSignIn(signals, e, unreadable(err))
	}
	e.Credential = parsed.RawID
	cr, err := c.identify(cer, parsed)
	if cr.owner != nil {
		e.Person = cr.owner.name
	}
	if err == nil {
		err = c.verifyAssertion(cer, parsed, &cr)
	}
	if err != nil {
		return Grant{}, c.refusedSignIn(signals, e, err)
	}
	g, err := c.admit(signals, parsed, hash)
	if err != nil {
		return Grant{}, c.refusedSignIn(signals, e, err)
	}
	g.Token = secret
	return g, nil
}

// identify finds the passkey and its owner (WebAuthn Level 3, section 7.2, steps 5
// and 6). It returns a copy of the passkey; with an error, the owner alone, as far as
// known.
func (c *Core) identify(cer *ceremony, parsed *protocol.ParsedCredentialAssertionData) (credential, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	cr := c.credentials[string(parsed.RawID)]
	handle := parsed.Response.UserHandle
	switch {
	case cer.owner != nil && !listed(cer.data.AllowedCredentialIDs, parsed.RawID):
		return credential{owner: cer.owner}, refuse(CredentialNotAllowed, "this passkey was not asked for")
	case cer.unknown && (len(handle) == 0 || bytes.Equal(handle, cer.owner.handle)):
		return *cer.owner.credentials[0], nil // the signature is not its key's
	case cer.unknown:
		return credential{owner: cer.owner}, refuse(UserHandleMismatch, "the authenticator named somebody else than the owner of the passkey")
	case cr == nil:
		return credential{owner: cer.owner}, refuse(UnknownCredential, "this passkey is not registered here, or no longer")
	case cer.owner == nil && len(handle) == 0:
		return credential{}, refuse(UserHandleMissing, "the authenticator did not say who signs in")
	case len(handle) > 0 && !bytes.Equal(handle, cr.owner.handle):
		return credential{owner: cr.owner}, refuse(UserHandleMismatch, "the authenticator named somebody else than the owner of the passkey")
	}
	return *cr, nil
}

func listed(ids [][]byte, id []byte) bool {
	for _, other := range ids {
		if bytes.Equal(other, id) {
			return true
		}
	}
	return false
}

// verifyAssertion follows WebAuthn Level 3, section 7.2, from step 7 on, as far as
// it needs no state of the relying party. The library sees the one passkey
// concerned: what else its owner has is none of its business.
func (c *Core) verifyAssertion(cer *ceremony, parsed *protocol.ParsedCredentialAssertionData, cr *credential) error {
	if err := c.checkAssertion(cer, parsed, &cr.record); err != nil {
		return err
	}
	if !libraryVerifies(cr.algorithm) {
		return translate(c.verifyAssertionHere(cer, parsed, &cr.record))
	}
	who := user{owner: cr.owner, credentials: []lib.Credential{cr.record}}
	data, err := cer.data, error(nil)
	if cer.owner != nil {
		data.AllowedCredentialIDs = [][]byte{cr.record.ID}
		_, err = c.lib.ValidateLogin(who, data, parsed)
	} else {
		find := func(_, _ []byte) (lib.User, error) { return who, nil }
		_, _, err = c.lib.ValidatePasskeyLogin(find, data, parsed)
	}
	return translate(err)
}

// admit applies policy, counter and the rules of access to a verified assertion,
// updates the record (§7.2 steps 22 to 24) and begins the session.
func (c *Core) admit(signals rp.Signals, parsed *protocol.ParsedCredentialAssertionData, hash string) (Grant, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cr := c.credentials[string(parsed.RawID)]
	if cr == nil {
		return Grant{}, refuse(UnknownCredential, "this passkey has just been revoked")
	}
	data := parsed.Response.AuthenticatorData
	stored := cr.record.Authenticator.SignCount
	rewound := (data.Counter != 0 || stored != 0) && data.Counter <= stored
	err := judge(c.rules(cr.owner.groups), facts{
		backupEligible: data.Flags.HasBackupEligible(), userVerified: data.Flags.HasUserVerified(),
		rewound: rewound, aaguid: cr.aaguid, trusted: cr.trusted, algorithm: cr.algorithm,
	})
	if err != nil {
		return Grant{}, err
	}
	proven := []string{cr.kind()}
	d, err := c.allow(cr.owner, signals, proven)
	if err != nil {
		return Grant{}, err
	}
	what := rp.Session{Method: MethodPasskey, Credential: cr.record.ID}
	if rewound {
		what.Warnings = append(what.Warnings, fmt.Sprintf("%s: the signature counter was %d and is %d now: the authenticator may have been cloned", CounterRewind, stored, data.Counter))
	}
	cr.record.Authenticator.SignCount = max(stored, data.Counter)
	cr.record.Flags = cr.record.Flags.Update(data.Flags)
	cr.lastUsed = c.now()
	e := Event{Action: "sign-in", Method: MethodPasskey, Person: cr.owner.name, Credential: cr.record.ID, Outcome: Done}
	if rewound {
		e.Detail = what.Warnings[0]
	}
	c.note(e)
	c.logSignIn(cr.owner, signals, d, []rp.SignInDetail{c.detail(proven[0], cr.name, nil)}, nil)
	s := c.begin(hash, cr.owner, what, false)
	c.remember(s, signals, proven, d.Lifetime)
	return s.grant(""), nil
}
