package u2f

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
)

// parse takes the answer to a registration apart (section 4.3): 0x05 ‖ public key(65) ‖
// length ‖ key handle ‖ certificate ‖ signature.
func parse(r *conformance.Run, b []byte) *registered {
	r.Require(len(b) > 1+publicSize+1, "the answer is %d bytes long", len(b))
	conformance.Equal(r, "reserved byte", b[0], 0x05)
	c := &registered{public: b[1 : 1+publicSize]}
	size := int(b[1+publicSize])
	rest := b[1+publicSize+1:]
	r.Require(len(rest) > size, "the key handle, of %d bytes, is longer than the answer", size)
	c.handle = rest[:size]
	var certificate, signature asn1.RawValue
	rest, err := asn1.Unmarshal(rest[size:], &certificate)
	r.Require(err == nil, "no certificate follows the key handle: %v", err)
	rest, err = asn1.Unmarshal(rest, &signature)
	r.Require(err == nil, "no signature follows the certificate: %v", err)
	conformance.Equal(r, "bytes behind the signature", len(rest), 0)
	c.certificate, c.signature = certificate.FullBytes, signature.FullBytes
	return c
}

// attestationKey returns the key of the certificate.
func (c *registered) attestationKey(r *conformance.Run) *ecdsa.PublicKey {
	certificate, err := x509.ParseCertificate(c.certificate)
	r.Require(err == nil, "the certificate: %v", err)
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	r.Require(ok && key.Curve == elliptic.P256(), "the certificate's key is no point of P-256")
	return key
}

// registration is about the answer to a registration (section 4.3).
func registration() []conformance.Case {
	const touched = conformance.Touch
	return conformance.One(
		rule("register.without-touch", "4.3", "nothing is registered without a touch", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			r.Plan(conformance.Wait)
			for range 3 {
				r.SendU2F(registering(r.Bytes(32), r.Bytes(32)).Bytes()).Want(swTouch)
			}
		}),
		rule("register.touch-used-up", "4.2", "a touch serves one registration", conformance.Touch|conformance.Wait, func(r *conformance.Run) {
			enrol(r, r.Bytes(32))
			r.Plan(conformance.Wait)
			r.SendU2F(registering(r.Bytes(32), r.Bytes(32)).Bytes()).Want(swTouch)
		}),
		rule("register.layout", "4.3", "the answer is 0x05, public key, key handle, certificate and signature, and nothing more", touched, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			r.Require(len(c.handle) > 0, "the key handle is empty")
		}),
		rule("register.public-key", "4.3", "the public key is a point of P-256, uncompressed", touched, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			conformance.Equal(r, "first byte of the public key", c.public[0], 0x04)
			_, _, err := cose.Parse(cose.MarshalP256(cose.ES256, c.public))
			r.Require(err == nil, "the public key: %v", err)
		}),
		rule("register.certificate", "4.3", "the certificate is one of X.509, with a key of P-256", touched, func(r *conformance.Run) {
			enrol(r, r.Bytes(32)).attestationKey(r)
		}),
		rule("register.signature", "4.3", "the certificate's key signs 0x00, application, challenge, key handle and public key", touched, func(r *conformance.Run) {
			c := enrol(r, r.Bytes(32))
			message := slices.Concat([]byte{0}, c.application, c.challenge, c.handle, c.public)
			err := cose.VerifyWith(cose.ES256, c.attestationKey(r), message, c.signature)
			r.Require(err == nil, "signature: %v", err)
		}),
		rule("register.fresh", "4.3", "every registration has a key and a key handle of its own", touched, func(r *conformance.Run) {
			app := r.Bytes(32)
			one, two := enrol(r, app), enrol(r, app)
			r.Require(!bytes.Equal(one.public, two.public), "two registrations have one public key")
			r.Require(!bytes.Equal(one.handle, two.handle), "two registrations have one key handle")
		}),
		rule("register.same-certificate", "4.3", "the certificate is that of a batch: every registration has the same", touched, func(r *conformance.Run) {
			one, two := enrol(r, r.Bytes(32)), enrol(r, r.Bytes(32))
			if !bytes.Equal(one.certificate, two.certificate) {
				r.Tolerate("browsers and some software keys make a certificate for each registration, for privacy", "two registrations have different certificates")
			}
		}),
		rule("register.p1", "4.1", "what platforms put into P1 of a registration does not matter", touched, func(r *conformance.Run) {
			for _, p1 := range []byte{0x03, 0x80} {
				r.Doing("with a P1 of 0x%02X", p1)
				apdu := registering(r.Bytes(32), r.Bytes(32))
				apdu.P1 = p1
				parse(r, r.SendU2FTouched(apdu).Want(swOK).Data)
			}
		}),
	)
}

// registrationLengths is about data that are not of 64 bytes (section 4.1).
func registrationLengths() []conformance.Case {
	return conformance.Each([]int{0, 1, 32, 63, 65, 128}, func(n int) conformance.Case {
		return rule(fmt.Sprintf("register.length.%d", n), "4.1", "a registration has 64 bytes of data; otherwise it is SW_WRONG_LENGTH", 0, func(r *conformance.Run) {
			r.SendU2F(conformance.APDU{INS: register, Data: r.Bytes(n)}.Bytes()).Want(swLength)
		})
	})
}
