package verifier

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/attestation"
	"fido-emu/ctap/cose"
)

func (v *Verifier) checkObject(r *response) error {
	options := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden}
	if v.lacks("registration.object.duplicates") {
		options.DupMapKey = cbor.DupMapKeyQuiet
	}
	if v.lacks("registration.object.indefinite") {
		options.IndefLength = cbor.IndefLengthAllowed
	}
	mode, err := options.DecMode()
	if err != nil {
		return err
	}
	var object map[string]any
	rest, err := mode.UnmarshalFirst(r.object, &object)
	if err != nil {
		return err
	}
	var key map[int]any
	if r.data.attested {
		err = mode.Unmarshal(r.data.publicKey, &key)
	}
	if len(rest) != 0 && !v.lacks("registration.object.left-over") {
		err = fmt.Errorf("%d bytes follow the attestation object", len(rest))
	}
	return err
}

func (v *Verifier) checkAttested(r *response) error {
	if !r.data.attested {
		return errors.New("authenticator data holds no passkey")
	}
	return nil
}

func (v *Verifier) checkAlgorithm(r *response) error {
	if alg := r.data.algorithm(); !slices.Contains(r.request.Algorithms, alg) {
		return fmt.Errorf("%s was not offered", alg)
	}
	return nil
}

func (v *Verifier) checkKey(r *response) error {
	_, _, err := cose.Parse(r.data.publicKey)
	if err != nil && v.lacks("registration.key."+defect(r.data.publicKey)) {
		return nil
	}
	return err
}

// defect tells what is wrong with a public key.
func defect(key []byte) string {
	var k struct {
		Kty int `cbor:"1,keyasint"`
		Alg int `cbor:"3,keyasint"`
	}
	if cbor.Unmarshal(key, &k) != nil {
		return "form"
	}
	want := map[int]int{int(cose.ES256): 2, int(cose.ES384): 2, int(cose.EdDSA): 1, int(cose.RS256): 3}[k.Alg]
	if k.Kty != want {
		return "type"
	}
	if k.Kty == 3 {
		return defectRSA(key)
	}
	var c struct {
		Curve int `cbor:"-1,keyasint"`
	}
	curve := map[int]int{int(cose.ES256): 1, int(cose.ES384): 2, int(cose.EdDSA): 6}[k.Alg]
	if cbor.Unmarshal(key, &c) == nil && c.Curve == curve {
		return "point"
	}
	return "curve"
}

func defectRSA(key []byte) string {
	var k struct {
		N []byte `cbor:"-1,keyasint"`
	}
	if cbor.Unmarshal(key, &k) == nil && new(big.Int).SetBytes(k.N).BitLen() < 2048 {
		return "rsa-size"
	}
	return "rsa-exponent"
}

// formats are the attestation statement formats of section 8 that are verified.
func formats() []string {
	return []string{
		attestation.FormatNone, attestation.FormatPacked, attestation.FormatTPM, attestation.FormatAndroidKey,
		attestation.FormatU2F, attestation.FormatApple, attestation.FormatCompound,
	}
}

func (v *Verifier) checkFormat(r *response) error {
	if v.lacks("registration.format.case") {
		r.format = strings.ToLower(r.format)
	}
	if !slices.Contains(formats(), r.format) {
		return fmt.Errorf("attestation statement format %q is not known", r.format)
	}
	return nil
}

// attestedData returns authenticator data as the statement is verified with. Package
// attestation wants the AAGUID of a U2F key to be zeros, as the FIDO Alliance's
// conformance tool does; section 8.6 does not look at it, nor does the signature.
func (r *response) attestedData() []byte {
	if r.format != attestation.FormatU2F || !r.data.attested {
		return r.authData
	}
	b := bytes.Clone(r.authData)
	clear(b[37:53])
	return b
}

func (v *Verifier) checkStatement(r *response) error {
	if !slices.Contains(formats(), r.format) { // the step before is left out
		r.trusted = true
		return nil
	}
	result, err := attestation.Verify(r.format, r.statement, r.attestedData(), r.hash())
	if err != nil && v.lacks("registration.statement."+r.format) {
		r.trusted = true
		return nil
	}
	if err != nil {
		return err
	}
	if v.config.Roots != nil {
		r.trusted = v.trusted(result)
	}
	return nil
}

// trusted tells whether an authority stands behind a valid statement.
func (v *Verifier) trusted(result attestation.Result) bool {
	switch {
	case result.Type == attestation.Self:
		return v.lacks("registration.trust.self")
	case result.Type == attestation.None:
		return v.lacks("registration.trust.none")
	}
	err := result.Trusted(v.config.Roots, v.config.Now())
	var dates x509.CertificateInvalidError
	if errors.As(err, &dates) && dates.Reason == x509.Expired {
		return v.lacks("registration.trust.dates")
	}
	return err == nil || v.lacks("registration.trust.root")
}

func (v *Verifier) checkTrust(r *response) error {
	if r.request.Attestation && !r.trusted {
		return errors.New("no trusted authority stands behind the attestation")
	}
	return nil
}

func (v *Verifier) checkIDLength(r *response) error {
	switch n := len(r.data.credentialID); {
	case n > 1023:
		return fmt.Errorf("the credential id has %d bytes", n)
	case n == 0 && !v.lacks("registration.id-length.empty"):
		return errors.New("the credential id is empty")
	}
	return nil
}

func (v *Verifier) checkKnown(r *response) error {
	known := r.request.Find(r.data.credentialID)
	if known == nil {
		return nil
	}
	own := bytes.Equal(known.UserHandle, r.request.UserHandle)
	if own && v.lacks("registration.known.own") || !own && v.lacks("registration.known.others") {
		return nil
	}
	return errors.New("the passkey is registered already")
}
