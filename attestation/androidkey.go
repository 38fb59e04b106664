package attestation

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// FormatAndroidKey is the Android key attestation statement format (section 8.4).
const FormatAndroidKey = "android-key"

// AndroidKey makes android-key attestation statements: for every credential a
// certificate that says how the key store made and guards its key. It is safe for
// concurrent use.
type AndroidKey struct {
	authority *Authority
	keys      authenticator.Keys
}

// AndroidKey returns the attestation of a phone whose key store is keys; its
// statements carry an intermediate certificate, as Android's do.
func (a *Authority) AndroidKey(keys authenticator.Keys) (*AndroidKey, error) {
	sub, err := a.Intermediate("Key Store Attestation CA")
	return &AndroidKey{sub, keys}, err
}

// Formats returns android-key.
func (k *AndroidKey) Formats() []string { return []string{FormatAndroidKey} }

// Attest certifies the credential's public key and signs authenticatorData ‖
// clientDataHash with the credential's private one.
func (k *AndroidKey) Attest(r authenticator.AttestationRequest) (string, cbor.RawMessage, error) {
	x5c, err := k.certify(r)
	if err != nil {
		return "", nil, fmt.Errorf("android-key attestation: %w", err)
	}
	sig, err := k.keys.Sign(r.Algorithm, r.KeyHandle, slices.Concat(r.AuthData, r.ClientDataHash))
	if err != nil {
		return "", nil, fmt.Errorf("android-key attestation: %w", err)
	}
	statement, err := ctap.Encode(map[string]any{"alg": int(r.Algorithm), "sig": sig, "x5c": x5c})
	return FormatAndroidKey, statement, err
}

func (k *AndroidKey) certify(r authenticator.AttestationRequest) ([][]byte, error) {
	_, public, err := cose.Parse(r.PublicKey)
	if err != nil {
		return nil, err
	}
	description, err := NewKeyDescription(public, r.ClientDataHash)
	if err != nil {
		return nil, err
	}
	template, err := AndroidKeyTemplate(description)
	if err != nil {
		return nil, err
	}
	return k.authority.Issue(template, public)
}

// AndroidKeyTemplate returns the certificate of a key of an Android key store
// (section 8.4.1).
func AndroidKeyTemplate(d *KeyDescription) (*x509.Certificate, error) {
	value, err := d.Marshal()
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		Subject:         pkix.Name{CommonName: "Android Keystore Key"},
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidKeyDescription, Value: value}},
	}, nil
}

// androidStatement is androidStmtFormat (section 8.4).
type androidStatement struct {
	Algorithm int          `cbor:"alg"`
	Signature ctap.Bytes   `cbor:"sig"`
	X5C       []ctap.Bytes `cbor:"x5c"`
}

// verifyAndroidKey follows the verification procedure of section 8.4.
func verifyAndroidKey(v verification) (Result, error) {
	var s androidStatement
	if err := v.decode(&s, []string{"alg", "sig", "x5c"}); err != nil {
		return Result{}, err
	}
	chain, err := parseChain(s.X5C)
	if err != nil {
		return Result{}, err
	}
	if err := cose.VerifyWith(cose.Algorithm(s.Algorithm), chain[0].PublicKey, v.signed(), s.Signature); err != nil {
		return Result{}, err
	}
	if err := v.checkSubjectKey(chain[0]); err != nil {
		return Result{}, err
	}
	if err := checkKeyDescription(chain[0], v.hash); err != nil {
		return Result{}, err
	}
	return Result{Type: Basic, Chain: chain}, nil
}

// checkKeyDescription checks what the key store says of the key. It may say it in
// either list (section 8.4 leaves that to the relying party), but nowhere
// otherwise.
func checkKeyDescription(leaf *x509.Certificate, clientDataHash []byte) error {
	value, ok := extension(leaf, oidKeyDescription)
	if !ok {
		return errors.New("the certificate has no key description extension")
	}
	d, err := ParseKeyDescription(value)
	if err != nil {
		return err
	}
	if !bytes.Equal(d.Challenge, clientDataHash) {
		return errors.New("attestationChallenge is not the client data hash")
	}
	if d.Software.AllApplications || d.Hardware.AllApplications {
		return errors.New("allApplications is there: the key is not for this relying party alone")
	}
	origins := slices.Concat(d.Hardware.Origin, d.Software.Origin)
	if len(origins) == 0 || slices.ContainsFunc(origins, func(o int) bool { return o != OriginGenerated }) {
		return fmt.Errorf("origin is %v, want KM_ORIGIN_GENERATED", origins)
	}
	purposes := slices.Concat(d.Hardware.Purpose, d.Software.Purpose)
	if len(purposes) == 0 || slices.ContainsFunc(purposes, func(p int) bool { return p != PurposeSign }) {
		return fmt.Errorf("purpose is %v, want KM_PURPOSE_SIGN", purposes)
	}
	return nil
}
