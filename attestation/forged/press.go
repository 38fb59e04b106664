package forged

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// alteration is where a statement is changed on its way. The zero value changes
// nothing.
type alteration struct {
	leaf        func(*x509.Certificate)                    // the template of the certificate
	der         func(*press, issuer, []byte) []byte        // the certificate, after it was issued
	issue       func(*press, issuer) (issuer, error)       // who issues it
	chain       func(p *press, x5c [][]byte) [][]byte      // what goes with it
	subject     func(*press) *ecdsa.PrivateKey             // whose certificate it is
	signer      func(*press) *ecdsa.PrivateKey             // who signs
	signed      func([]byte) []byte                        // what is signed
	signature   func([]byte) []byte                        // the signature
	description func(*press, *attestation.KeyDescription)  // of android-key
	nonce       func(*authenticator.AttestationRequest)    // what apple's nonce is made from
	pubArea     func(*press, []byte) []byte                // of tpm, before it is certified
	shownArea   func([]byte) []byte                        // of tpm, after it was certified
	certInfo    func([]byte) []byte                        // of tpm, before it is signed
	extraData   func([]byte) []byte                        // of tpm, what is hashed
	identity    func(*attestation.TPMIdentity)             // of tpm
	members     func(*press, map[string]any)               // of the statement
	raw         func(p *press, statement any) (any, error) // the statement itself
	bytes       func([]byte) []byte                        // its encoding
	format      string                                     // what the attestation object says instead
	self        bool                                       // packed by the credential's own key
}

// press makes one statement.
type press struct {
	alteration
	request authenticator.AttestationRequest
	root    *attestation.Authority
	keys    authenticator.Keys
}

// model is what the certificates are called after.
const model = "Forged"

func (p *press) statement(format string) (any, error) {
	switch format {
	case attestation.FormatNone:
		return p.change(map[string]any{}), nil
	case attestation.FormatPacked:
		if p.self {
			return p.packedSelf()
		}
		return p.packed("forged batch key")
	case attestation.FormatU2F:
		return p.u2f()
	case attestation.FormatTPM:
		return p.tpm()
	case attestation.FormatAndroidKey:
		return p.androidKey()
	case attestation.FormatApple:
		return p.apple()
	case attestation.FormatCompound:
		return p.compound()
	}
	return nil, fmt.Errorf("format %q cannot be forged", format)
}

func (p *press) change(statement map[string]any) map[string]any {
	if p.members != nil {
		p.members(p, statement)
	}
	return statement
}

// toBeSigned returns authenticatorData ‖ clientDataHash.
func (p *press) toBeSigned() []byte {
	return slices.Concat(p.request.AuthData, p.request.ClientDataHash)
}

// sign signs a message with ES256.
func (p *press) sign(key *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	if p.signer != nil {
		key = p.signer(p)
	}
	if p.signed != nil {
		message = p.signed(message)
	}
	digest := sha256.Sum256(message)
	sig, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err == nil && p.signature != nil {
		sig = p.signature(sig)
	}
	return sig, err
}

// signAsCredential signs a message with the credential's own key.
func (p *press) signAsCredential(message []byte) ([]byte, error) {
	if p.signed != nil {
		message = p.signed(message)
	}
	if p.signer != nil {
		digest := sha256.Sum256(message)
		return p.signer(p).Sign(nil, digest[:], crypto.SHA256)
	}
	return p.keys.Sign(p.request.Algorithm, p.request.KeyHandle, message)
}

func (p *press) packed(label string) (any, error) {
	key := p.root.Key(label)
	x5c, err := p.certify(attestation.PackedTemplate(p.request.AAGUID, model), &key.PublicKey)
	if err != nil {
		return nil, err
	}
	sig, err := p.sign(key, p.toBeSigned())
	return p.change(map[string]any{"alg": int(cose.ES256), "sig": sig, "x5c": x5c}), err
}

func (p *press) packedSelf() (any, error) {
	sig, err := p.signAsCredential(p.toBeSigned())
	return p.change(map[string]any{"alg": int(p.request.Algorithm), "sig": sig}), err
}

func (p *press) u2f() (any, error) {
	data, err := ctap.ParseAuthenticatorData(p.request.AuthData)
	if err != nil {
		return nil, err
	}
	message, err := attestation.U2FMessage(data, p.request.ClientDataHash)
	if err != nil {
		return nil, err
	}
	x5c, sig, err := p.signU2F(message)
	return p.change(map[string]any{"sig": sig, "x5c": x5c}), err
}

// signU2F has its certificate from the root itself: the statement has room for one.
func (p *press) signU2F(message []byte) (x5c [][]byte, sig []byte, err error) {
	key := p.root.Key("forged U2F key")
	if p.subject != nil {
		key = p.subject(p)
	}
	x5c, err = p.certifyBy(issuerOf(p.root), attestation.U2FTemplate(model), &key.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	sig, err = p.sign(key, message)
	return x5c, sig, err
}

// credentialKey returns the credential's public key, which the leaf certifies.
func (p *press) credentialKey() (crypto.PublicKey, error) {
	if p.subject != nil {
		return &p.subject(p).PublicKey, nil
	}
	_, public, err := cose.Parse(p.request.PublicKey)
	return public, err
}

func (p *press) androidKey() (any, error) {
	public, err := p.credentialKey()
	if err != nil {
		return nil, err
	}
	description, err := attestation.NewKeyDescription(public, p.request.ClientDataHash)
	if err != nil {
		return nil, err
	}
	if p.description != nil {
		p.description(p, description)
	}
	template, err := attestation.AndroidKeyTemplate(description)
	if err != nil {
		return nil, err
	}
	x5c, err := p.certify(template, public)
	if err != nil {
		return nil, err
	}
	sig, err := p.signAsCredential(p.toBeSigned())
	return p.change(map[string]any{"alg": int(p.request.Algorithm), "sig": sig, "x5c": x5c}), err
}

func (p *press) apple() (any, error) {
	public, err := p.credentialKey()
	if err != nil {
		return nil, err
	}
	request := p.request
	if p.nonce != nil {
		p.nonce(&request)
	}
	template, err := attestation.AppleTemplate(request)
	if err != nil {
		return nil, err
	}
	x5c, err := p.certify(template, public)
	return p.change(map[string]any{"x5c": x5c}), err
}

// compound joins two packed statements, of two keys.
func (p *press) compound() (any, error) {
	genuine := &press{request: p.request, root: p.root, keys: p.keys}
	var members []any
	for _, label := range []string{"forged batch key", "forged second key"} {
		statement, err := genuine.packed(label)
		if err != nil {
			return nil, err
		}
		members = append(members, member(attestation.FormatPacked, statement))
	}
	return members, nil
}

func member(format string, statement any) map[string]any {
	return map[string]any{"fmt": format, "attStmt": statement}
}
