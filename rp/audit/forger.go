package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"fido-emu/attestation/forged"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/webauthn"
)

// forger is a client with an authenticator in it, which makes an honest response and
// bends it. It is a [webauthn.Client].
type forger struct {
	rand     io.Reader
	keys     authenticator.Keys
	attest   authenticator.Attestation // what attests to passkeys; nil for none
	aaguid   ctap.AAGUID
	passkeys []*passkey
	bend     bend
	use      *passkey // what signs in; nil for the newest that is asked for

	leaves bool // walks away once asked

	reached bool   // the relying party got as far as asking
	last    *draft // what was sent last
}

// passkey is one private key.
type passkey struct {
	id, user []byte
	alg      cose.Algorithm
	handle   []byte
	public   []byte
	count    uint32
	flags    ctap.Flags
}

// present are the flags of an honest ceremony of a key that is bound to a device.
const present = ctap.FlagUP | ctap.FlagUV

var errNoPasskey = &webauthn.Error{Name: webauthn.NotAllowedError, Message: "no passkey fits"}

// Create makes a passkey (WebAuthn Level 3, section 5.1.3).
func (f *forger) Create(_ context.Context, origin string, optionsJSON []byte) ([]byte, error) {
	d, err := f.begin(registering, origin, optionsJSON)
	if err != nil {
		return nil, err
	}
	alg, err := pickAlgorithm(&d.asked)
	if err != nil {
		return nil, err
	}
	if d.passkey, err = f.generate(alg, unb64(d.asked.User.ID)); err != nil {
		return nil, err
	}
	d.auth.Attested = &ctap.AttestedCredential{AAGUID: f.aaguid, ID: d.passkey.id, PublicKey: d.passkey.public}
	if err := f.write(d); err != nil {
		return nil, err
	}
	if err := f.attestTo(d); err != nil {
		return nil, err
	}
	f.bend.at(f.bend.sealed, d)
	if d.object == nil {
		d.object = (&webauthn.AttestationObject{Format: d.format, Statement: d.statement, AuthData: d.authBytes}).Encode()
	}
	d.response = envelope(d.passkey.id, map[string]any{
		"clientDataJSON": b64(d.clientJSON), "attestationObject": b64(d.object), "transports": []string{"internal"},
		"authenticatorData": b64(d.authBytes), "publicKeyAlgorithm": int(d.passkey.alg),
	})
	f.passkeys = append(f.passkeys, d.passkey)
	return f.send(d)
}

// Get signs in (WebAuthn Level 3, section 5.1.4).
func (f *forger) Get(_ context.Context, origin string, optionsJSON []byte) ([]byte, error) {
	d, err := f.begin(authenticating, origin, optionsJSON)
	if err != nil {
		return nil, err
	}
	if d.passkey = f.pick(&d.asked); d.passkey == nil {
		return nil, errNoPasskey
	}
	d.passkey.count++
	d.auth.Flags, d.auth.SignCount, d.userHandle = d.passkey.flags, d.passkey.count, d.passkey.user
	if err := f.write(d); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(d.clientJSON)
	if d.message == nil {
		d.message = slices.Concat(d.authBytes, hash[:])
	}
	if d.signature, err = f.keys.Sign(d.passkey.alg, d.passkey.handle, d.message); err != nil {
		return nil, err
	}
	f.bend.at(f.bend.sealed, d)
	inner := map[string]any{"clientDataJSON": b64(d.clientJSON), "authenticatorData": b64(d.authBytes), "signature": b64(d.signature)}
	if d.userHandle != nil {
		inner["userHandle"] = b64(d.userHandle)
	}
	d.response = envelope(d.passkey.id, inner)
	return f.send(d)
}

// begin makes the draft of an honest response, or walks away once asked.
func (f *forger) begin(k kind, origin string, optionsJSON []byte) (*draft, error) {
	f.reached = true
	asked, err := readOptions(optionsJSON, origin)
	if err != nil {
		return nil, err
	}
	d := &draft{kind: k, asked: asked, origin: origin}
	d.client = members{{"type", k.clientType()}, {"challenge", asked.Challenge}, {"origin", origin}, {"crossOrigin", false}}
	d.auth = ctap.AuthenticatorData{RPIDHash: sha256.Sum256([]byte(asked.RPID)), Flags: present}
	f.last = d
	if f.leaves {
		return nil, &webauthn.Error{Name: webauthn.AbortError, Message: "the audit only asks"}
	}
	return d, nil
}

// write turns what client data and authenticator data say into bytes.
func (f *forger) write(d *draft) (err error) {
	f.bend.at(f.bend.claims, d)
	if d.clientJSON, err = d.client.json(); err != nil {
		return err
	}
	d.authBytes = d.auth.Append(nil)
	f.bend.at(f.bend.bytes, d)
	return nil
}

// send writes the response as JSON.
func (f *forger) send(d *draft) ([]byte, error) {
	f.bend.at(f.bend.sent, d)
	b, err := plainJSON(d.response)
	if err == nil && f.bend.raw != nil {
		b = f.bend.raw(b)
	}
	return b, err
}

// attestTo adds the attestation statement.
func (f *forger) attestTo(d *draft) (err error) {
	d.format, d.statement = "none", []byte{0xA0}
	if f.attest == nil || d.asked.Attestation == "" || d.asked.Attestation == "none" {
		return nil
	}
	hash := sha256.Sum256(d.clientJSON)
	made := ctap.AttestedCredential{AAGUID: f.aaguid, ID: d.passkey.id}
	if d.auth.Attested != nil { // an attack may leave it out
		made = *d.auth.Attested
	}
	d.format, d.statement, err = f.attest.Attest(authenticator.AttestationRequest{
		RPID: d.asked.RPID, Algorithm: d.passkey.alg, KeyHandle: d.passkey.handle, PublicKey: d.passkey.public,
		AAGUID: made.AAGUID, CredentialID: made.ID, AuthData: d.authBytes, ClientDataHash: hash[:],
	})
	return err
}

var _ authenticator.Attestation = (*forged.Attestation)(nil)

// known are the algorithms of the forger's keys, the one liked best first.
func known() []cose.Algorithm {
	return []cose.Algorithm{cose.ES256, cose.EdDSA, cose.ES384, cose.RS256, cose.ES512, cose.MLDSA65, cose.MLDSA44}
}

func pickAlgorithm(o *options) (cose.Algorithm, error) {
	for _, alg := range known() {
		if o.offers(alg) {
			return alg, nil
		}
	}
	return 0, errors.New("the relying party offers no algorithm that the audit has")
}

// generate makes a passkey of an algorithm for a user handle.
func (f *forger) generate(alg cose.Algorithm, user []byte) (*passkey, error) {
	k := &passkey{id: make([]byte, 32), user: user, alg: alg, flags: present}
	if _, err := io.ReadFull(f.rand, k.id); err != nil {
		return nil, err
	}
	var err error
	if k.handle, k.public, err = f.keys.Generate(alg); err != nil {
		return nil, fmt.Errorf("a key to attack with: %w", err)
	}
	return k, nil
}

// pick takes the passkey that signs in.
func (f *forger) pick(o *options) *passkey {
	if f.use != nil {
		return f.use
	}
	for _, k := range slices.Backward(f.passkeys) {
		fits := func(d descriptor) bool { return d.ID == b64(k.id) }
		if len(o.Allow) == 0 || slices.ContainsFunc(o.Allow, fits) {
			return k
		}
	}
	return nil
}

// forget drops a passkey that the relying party does not have.
func (f *forger) forget(k *passkey) {
	f.passkeys = slices.DeleteFunc(f.passkeys, func(o *passkey) bool { return o == k })
}

func envelope(id []byte, response map[string]any) map[string]any {
	return map[string]any{
		"id": b64(id), "rawId": b64(id), "type": ctap.PublicKeyCredential, "authenticatorAttachment": "platform",
		"clientExtensionResults": map[string]any{}, "response": response,
	}
}
