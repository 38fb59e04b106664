package reference

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/rp"
)

// Begun is a ceremony that a client is to carry out.
type Begun struct {
	Ceremony string          `json:"ceremony"`  // names it when it is finished
	Options  json.RawMessage `json:"publicKey"` // PublicKeyCredentialCreationOptionsJSON or PublicKeyCredentialRequestOptionsJSON
}

// ceremony is one that was begun. It is used once, whatever comes of it, and never
// changed.
type ceremony struct {
	data     lib.SessionData
	expires  time.Time
	newcomer *person // registration: the account to be made, nil when there is one
	owner    *person // registration and sign-in with a name: whose
	unknown  bool    // sign-in: the owner stands in for a person, because nobody has the name, or no passkey
	session  string  // registration: hash of the token that began it, empty for newcomers

	provisioned bool          // registration: by an administrator, on behalf of the owner
	lifetime    time.Duration // of the challenge; Config.ChallengeLifetime when 0
	title       string        // of the passkey that is provisioned; empty for its provider's name
}

// enter keeps a ceremony until it is finished; the caller holds the lock.
func (c *Core) enter(cer *ceremony, id string) { cer.enter(c, c.ceremonies, id) }

func (cer *ceremony) enter(c *Core, among *expiring[*ceremony], id string) {
	now := c.now()
	fallback(&cer.lifetime, c.config.ChallengeLifetime)
	cer.expires = now.Add(cer.lifetime)
	grace := cer.expires.Add(c.config.ChallengeLifetime) // to tell expired from unknown
	among.put(id, cer, now, grace)
}

// finish takes a ceremony out; the caller holds the lock.
func (c *Core) finish(id string, registration bool) (*ceremony, error) {
	cer, err := c.taken(c.ceremonies, id)
	if err == nil && registration != (cer.data.CredParams != nil) {
		return nil, refuse(ChallengeUnknown, "this ceremony was not begun here, or is over")
	}
	return cer, err
}

func (c *Core) taken(among *expiring[*ceremony], id string) (*ceremony, error) {
	cer, ok := among.take(id)
	switch {
	case !ok:
		return nil, refuse(ChallengeUnknown, "this ceremony was not begun here, or is over")
	case !c.now().Before(cer.expires):
		return nil, refuse(ChallengeExpired, "this ceremony took longer than %s", cer.lifetime)
	}
	return cer, nil
}

// draw returns the name of a new ceremony and its challenge.
func (c *Core) draw() (id string, challenge []byte, err error) {
	b, err := c.random(16 + 32)
	if err != nil {
		return "", nil, err
	}
	return base64.RawURLEncoding.EncodeToString(b[:16]), b[16:], nil
}

func begun(id string, options any) (Begun, error) {
	b, err := json.Marshal(options)
	if err != nil {
		return Begun{}, &rp.Broken{Doing: "writing the options of a ceremony", Err: err}
	}
	return Begun{Ceremony: id, Options: b}, nil
}

// user shows the library one person with those passkeys that a ceremony is about.
type user struct {
	owner       *person
	display     string
	credentials []lib.Credential
}

// WebAuthnID returns the user handle.
func (u user) WebAuthnID() []byte { return u.owner.handle }

// WebAuthnName returns the user name.
func (u user) WebAuthnName() string { return u.owner.name }

// WebAuthnDisplayName returns the name for people.
func (u user) WebAuthnDisplayName() string { return u.display }

// WebAuthnCredentials returns credential records.
func (u user) WebAuthnCredentials() []lib.Credential { return u.credentials }

// descriptors lists the passkeys of a person; the caller holds the lock.
func (p *person) descriptors() []protocol.CredentialDescriptor {
	var list []protocol.CredentialDescriptor
	for _, cr := range p.credentials {
		list = append(list, cr.record.Descriptor())
	}
	return list
}
