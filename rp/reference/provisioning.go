package reference

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/rp"
)

// The lifetimes that the challenge of a provisioning may have: those of
// creationOptions in Microsoft Graph, whose v1.0 has the shortest alone.
const (
	MinProvisioning = 5 * time.Minute
	MaxProvisioning = 43200 * time.Minute
)

// Provisioning is a registration that an administrator makes on behalf of somebody.
type Provisioning struct {
	Options json.RawMessage `json:"publicKey"` // PublicKeyCredentialCreationOptionsJSON
	Expires time.Time       `json:"expires"`
}

// BeginProvisioning begins to register a passkey on behalf of the person of a name.
// The challenge is good for a lifetime of whole minutes, for the shortest one when 0.
// It takes no place of one that was begun before.
func (c *Core) BeginProvisioning(name string, lifetime time.Duration) (Provisioning, error) {
	fallback(&lifetime, MinProvisioning)
	if lifetime < MinProvisioning || lifetime > MaxProvisioning || lifetime%time.Minute != 0 {
		return Provisioning{}, refuse(BadLifetime, "a challenge lasts 5 to 43200 whole minutes, not %s", lifetime)
	}
	challenge, err := c.random(32)
	if err != nil {
		return Provisioning{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	owner, err := c.find(name)
	if err != nil {
		return Provisioning{}, err
	}
	creation, data, err := c.lib.BeginRegistration(user{owner: owner, display: owner.displayName}, c.creation(challenge, owner), forSomebody(lifetime))
	if err != nil {
		return Provisioning{}, &rp.Broken{Doing: "beginning to provision a passkey", Err: err}
	}
	cer := &ceremony{owner: owner, data: *data, provisioned: true, lifetime: lifetime}
	cer.enter(c, c.provisionings, data.Challenge)
	options, err := json.Marshal(creation.Response)
	if err != nil {
		return Provisioning{}, &rp.Broken{Doing: "writing the options of a ceremony", Err: err}
	}
	return Provisioning{Options: options, Expires: cer.expires}, nil
}

// forSomebody asks for what a passkey needs that somebody else will use: it verifies
// its user, names them itself, and tells of which model it is.
func forSomebody(lifetime time.Duration) lib.RegistrationOption {
	required := true
	return func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.AuthenticatorSelection.ResidentKey = protocol.ResidentKeyRequirementRequired
		o.AuthenticatorSelection.RequireResidentKey = &required
		o.AuthenticatorSelection.UserVerification = protocol.VerificationRequired
		o.Attestation = protocol.PreferDirectAttestation
		o.Timeout = int(lifetime / time.Millisecond)
		return nil
	}
}

// FinishProvisioning verifies what a client made of [Core.BeginProvisioning], a
// RegistrationResponseJSON, and adds the passkey to the account under a title, or under
// the name of its provider when that is empty.
func (c *Core) FinishProvisioning(name, title string, response []byte) (rp.Credential, error) {
	if title != "" {
		if err := checkText("name", title, 64); err != nil {
			return rp.Credential{}, err
		}
	}
	c.mu.Lock()
	cer, err := c.provisioned(name, response)
	c.mu.Unlock()
	if err != nil {
		return rp.Credential{}, c.refusedRegistration(nil, err)
	}
	cer.title = title
	cr, f, err := c.verifyRegistration(cer, response)
	if err != nil {
		return rp.Credential{}, c.refusedRegistration(cer, err)
	}
	c.mu.Lock()
	done, err := c.keep(cer, cr, f, "", "")
	c.mu.Unlock()
	if err != nil {
		return rp.Credential{}, c.refusedRegistration(cer, err)
	}
	return done.Credential, nil
}

// provisioned takes out the ceremony that a response answers. It is known by its
// challenge, which is all that an answer in Graph's shape tells of it. The caller holds
// the lock.
func (c *Core) provisioned(name string, response []byte) (*ceremony, error) {
	owner, err := c.find(name)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Response struct {
			ClientData string `json:"clientDataJSON"`
		} `json:"response"`
	}
	var client struct {
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(response, &answer); err != nil {
		return nil, refuse(BadRequest, "the response cannot be read: %v", err)
	}
	text, err := base64.RawURLEncoding.DecodeString(answer.Response.ClientData)
	if err == nil {
		err = json.Unmarshal(text, &client)
	}
	if err != nil {
		return nil, refuse(BadRequest, "clientDataJSON cannot be read: %v", err)
	}
	cer, err := c.taken(c.provisionings, client.Challenge)
	if err == nil && cer.owner != owner {
		return nil, refuse(ChallengeUnknown, "this challenge was given out for somebody else")
	}
	return cer, err
}

// DeletePass takes away the Temporary Access Pass of a person, if there is one.
func (c *Core) DeletePass(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	p.pass = nil
	c.note(Event{Action: "delete-pass", Person: p.name, Method: MethodPass, Outcome: Done})
	return nil
}
