package attestation

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"fido-emu/ctap"
)

// oidSerialNumber is id-fido-gen-ce-sernum, the serial number of one authenticator
// in its enterprise attestation certificate (WebAuthn, section 8.2.2).
var oidSerialNumber = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 2}

// Device is the enterprise attestation of one device: a key and a certificate that
// no other device has, and by which an organisation knows its own (CTAP 2.3,
// section 7.1).
type Device struct{ identity }

// Device returns the enterprise attestation of the device with a serial number. The
// number is the subject's serialNumber and the value of the extension
// id-fido-gen-ce-sernum, and outlasts a reset.
func (a *Authority) Device(aaguid ctap.AAGUID, model, serial string) (*Device, error) {
	template, err := deviceTemplate(aaguid, model, serial)
	if err != nil {
		return nil, fmt.Errorf("enterprise certificate of %q: %w", serial, err)
	}
	context, err := ctap.Encode([]any{aaguid[:], model, serial}) // which keeps the three apart
	if err != nil {
		return nil, fmt.Errorf("enterprise certificate of %q: %w", serial, err)
	}
	key := a.deriveKey("enterprise", context)
	x5c, err := a.Issue(template, &key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("enterprise certificate of %q: %w", serial, err)
	}
	own, err := newIdentity(key, x5c)
	return &Device{own}, err
}

func deviceTemplate(aaguid ctap.AAGUID, model, serial string) (*x509.Certificate, error) {
	value, err := asn1.Marshal([]byte(serial))
	if err != nil {
		return nil, err
	}
	template := PackedTemplate(aaguid, model)
	template.Subject.SerialNumber = serial
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: oidSerialNumber, Value: value})
	return template, nil
}

// SerialNumber returns the serial number of the device that an enterprise
// attestation certificate is for; ok is false where it names none. The error is for
// an extension that is not of its form.
func SerialNumber(leaf *x509.Certificate) (serial []byte, ok bool, err error) {
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidSerialNumber) {
			continue
		}
		rest, err := asn1.Unmarshal(e.Value, &serial)
		if err != nil || len(rest) != 0 || e.Critical {
			return nil, false, errors.New("serial number extension is critical or not an octet string")
		}
		return serial, true, nil
	}
	return nil, false, nil
}

// conformanceEP is the enterprise attestation key that the FIDO Alliance publishes
// for its conformance tool.
//
//go:embed conformance_ep.json
var conformanceEP []byte

// ConformanceDevice returns the enterprise attestation that the FIDO conformance
// tool asks authenticators to be loaded with. Its certificate expired on
// 2026-11-03 and names no serial number; the tool knows it as it is.
func ConformanceDevice() (*Device, error) {
	var published struct {
		Certificate string `json:"certificate_der"`
		Key         string `json:"private_key_d"`
	}
	if err := json.Unmarshal(conformanceEP, &published); err != nil {
		return nil, fmt.Errorf("conformance enterprise certificate: %w", err)
	}
	certificate, err := hex.DecodeString(published.Certificate)
	if err != nil {
		return nil, fmt.Errorf("conformance enterprise certificate: %w", err)
	}
	scalar, err := hex.DecodeString(published.Key)
	if err != nil {
		return nil, fmt.Errorf("conformance enterprise key: %w", err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		return nil, fmt.Errorf("conformance enterprise key: %w", err)
	}
	own, err := newIdentity(key, [][]byte{certificate})
	return &Device{own}, err
}
