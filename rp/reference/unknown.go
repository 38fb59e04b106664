package reference

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/ctap/cose"
	"fido-emu/rp"
)

// stranger returns somebody in the place of a person whom nobody knows, or who has no
// passkey, so that neither names nor who has passkeys can be guessed by beginning sign-ins
// (WebAuthn Level 3, section 14.6.2): with a
// passkey whose id is the same each time, and to whose key nobody has the private one.
// A sign-in is refused as that of a wrong key.
func (c *Core) stranger(name string) *person {
	name = fold(name)
	what := "key"
	key, err := ecdh.P256().NewPrivateKey(c.derived(what, name))
	for err != nil { // one in 2³² is no scalar
		what += " again"
		key, err = ecdh.P256().NewPrivateKey(c.derived(what, name))
	}
	public := cose.MarshalP256(cose.ES256, key.PublicKey().Bytes())
	p := &person{name: name, handle: c.derived("handle", name)}
	p.credentials = []*credential{{owner: p, algorithm: cose.ES256, record: lib.Credential{
		ID: c.derived("credential", name), PublicKey: public, Flags: lib.CredentialFlags{UserPresent: true, UserVerified: true},
		Transport: transports(c.derived("transports", name)[0]),
	}}}
	return p
}

// derived returns 32 bytes that only this relying party can tell from random ones.
func (c *Core) derived(what, name string) []byte {
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write([]byte("stranger\x00" + what + "\x00" + name))
	return mac.Sum(nil)
}

// transports are those of a security key or of a phone.
func transports(drawn byte) []protocol.AuthenticatorTransport {
	if drawn&1 == 0 {
		return []protocol.AuthenticatorTransport{protocol.USB}
	}
	return []protocol.AuthenticatorTransport{protocol.Hybrid, protocol.Internal}
}

// addressed returns who is meant by a name, and whether that is a stranger; the caller
// holds the lock.
func (c *Core) addressed(name string) (p *person, unknown bool, err error) {
	p, err = c.find(name)
	if no, refused := errors.AsType[*rp.Refused](err); refused && no.Code == UnknownPerson {
		return c.stranger(name), true, nil
	}
	return p, false, err
}

// withPasskey returns who is to sign in with a passkey under a name, and whether that is
// a stranger: also in the place of somebody who has no passkey. The caller holds the lock.
func (c *Core) withPasskey(name string) (p *person, unknown bool, err error) {
	p, unknown, err = c.addressed(name)
	if err == nil && len(p.credentials) == 0 {
		return c.stranger(name), true, nil
	}
	return p, unknown, err
}
