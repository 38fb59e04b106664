package webauthn

import (
	"crypto/ecdh"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// AttestationObject is what registration gives to a relying party (section 6.5).
type AttestationObject struct {
	Format    string          // attestation statement format, such as packed
	Statement cbor.RawMessage // in CBOR, of the form that Format says
	AuthData  []byte          // authenticator data
}

var errAttestationObject = errors.New("attestation object")

// ParseAttestationObject reads an attestation object. The authenticator data and
// the statement are for the caller to read.
func ParseAttestationObject(b []byte) (*AttestationObject, error) {
	var raw struct {
		Format    string          `cbor:"fmt"`
		Statement cbor.RawMessage `cbor:"attStmt"`
		AuthData  ctap.Bytes      `cbor:"authData"`
	}
	if err := ctap.DecodeLoose(b, &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errAttestationObject, err)
	}
	if raw.Format == "" || raw.Statement == nil || raw.AuthData == nil {
		return nil, fmt.Errorf("%w: fmt, attStmt or authData is missing", errAttestationObject)
	}
	return &AttestationObject{raw.Format, raw.Statement, raw.AuthData}, nil
}

// Encode returns the object in CTAP2 canonical form: fmt, attStmt, authData. The
// statement goes in as it is.
func (a *AttestationObject) Encode() []byte {
	b := make([]byte, 0, 40+len(a.Format)+len(a.Statement)+len(a.AuthData))
	b = append(b, 0xA3, 0x63, 'f', 'm', 't')
	b = append(appendHead(b, 3, len(a.Format)), a.Format...)
	b = append(b, 0x67, 'a', 't', 't', 'S', 't', 'm', 't')
	b = append(b, a.Statement...)
	b = append(b, 0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a')
	return append(appendHead(b, 2, len(a.AuthData)), a.AuthData...)
}

// appendHead appends the head of a CBOR string of n bytes.
func appendHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n < 1<<8:
		return append(b, major<<5|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
}

// convey applies the attestation conveyance preference (section 5.1.3, in the
// construction of the credential). A statement that stays is put into canonical
// form if it was not.
func (a *AttestationObject) convey(preference choice, data *ctap.AuthenticatorData) error {
	switch preference {
	case conveyanceIndirect, conveyanceDirect, conveyanceEnterprise:
		return a.canonical()
	}
	if a.Format == "packed" && data.Attested.AAGUID == (ctap.AAGUID{}) && a.selfAttested() {
		return a.canonical()
	}
	a.Format, a.Statement = "none", cbor.RawMessage{0xA0}
	return nil
}

// selfAttested tells whether a packed statement comes without certificates.
func (a *AttestationObject) selfAttested() bool {
	var statement struct {
		X5C cbor.RawMessage `cbor:"x5c"`
	}
	return ctap.DecodeLoose(a.Statement, &statement) == nil && statement.X5C == nil
}

func (a *AttestationObject) canonical() error {
	if ctap.CheckCanonical(a.Statement) == nil {
		return nil
	}
	var statement any
	if err := ctap.DecodeLoose(a.Statement, &statement); err != nil {
		return fmt.Errorf("%w: statement: %w", errAttestationObject, err)
	}
	b, err := ctap.Encode(statement)
	a.Statement = b
	return err
}

// easyKey returns a credential's public key as DER SubjectPublicKeyInfo and its
// algorithm (section 5.2.1.1). spki is nil where the algorithm is not known.
func easyKey(key []byte) (spki []byte, alg cose.Algorithm, err error) {
	if spki, ok := easyES256(key); ok {
		return spki, cose.ES256, nil
	}
	var head struct {
		Alg *int `cbor:"3,keyasint"`
	}
	if err := ctap.DecodeLoose(key, &head); err != nil || head.Alg == nil {
		return nil, 0, fmt.Errorf("the credential public key has no algorithm")
	}
	alg = cose.Algorithm(*head.Alg)
	if !alg.Known() {
		return nil, alg, nil
	}
	_, public, err := cose.Parse(key)
	if err != nil {
		return nil, alg, err
	}
	spki, err = cose.SPKI(public)
	return spki, alg, err
}

// What stands in front of the point in the SubjectPublicKeyInfo of a P-256 key,
// and around the coordinates in its canonical COSE_Key.
var (
	spkiP256  = unhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
	coseES256 = unhex("a5010203262001215820")
	coseY     = unhex("225820")
)

func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err) // a mistake in this file
	}
	return string(b)
}

// easyES256 is easyKey for the key that nearly every credential has.
func easyES256(key []byte) (spki []byte, ok bool) {
	if len(key) != 77 || string(key[:10]) != coseES256 || string(key[42:45]) != coseY {
		return nil, false
	}
	spki = make([]byte, 0, len(spkiP256)+64)
	spki = append(append(append(spki, spkiP256...), key[10:42]...), key[45:]...)
	if _, err := ecdh.P256().NewPublicKey(spki[len(spkiP256)-1:]); err != nil {
		return nil, false // not on the curve: the long way says so
	}
	return spki, true
}
