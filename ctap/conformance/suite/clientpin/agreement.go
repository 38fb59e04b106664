package clientpin

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// publicKey asks for the authenticator's key agreement key, as CBOR.
func publicKey(r *conformance.Run, p pinuv.Protocol) []byte {
	return r.Send(ctap.ClientPIN, conformance.M{1: p.Number(), 2: ctap.GetKeyAgreement}).OK().Only(1).Member(1)
}

// agreement is about the form of the authenticator's key agreement key (section
// 6.5.6).
func agreement() []conformance.Case {
	return conformance.Join(
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.agreement.form", Rule: conformance.Since20("6.5.6"),
			Why: "the key is a COSE_Key of EC2, ECDH-ES+HKDF-256 and P-256, with coordinates of 32 bytes, and nothing more",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			key := publicKey(r, p)
			r.Require(ctap.CheckCanonical(key) == nil, "the key is not canonical: %x", key)
			var members map[int64]any
			r.Require(ctap.DecodeLoose(key, &members) == nil, "the key is no map of numbers: %x", key)
			conformance.Equal(r, "members", len(members), 5)
			for _, m := range []struct {
				label int64
				want  string
			}{{1, "2"}, {3, "-25"}, {-1, "1"}} {
				conformance.Equal(r, fmt.Sprintf("member %d", m.label), fmt.Sprint(members[m.label]), m.want)
			}
			for _, label := range []int64{-2, -3} {
				b, ok := members[label].([]byte)
				r.Require(ok && len(b) == 32, "member %d is %v", label, members[label])
			}
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.agreement.point", Rule: conformance.Since20("6.5.6"), Why: "the key is a point of P-256",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			_, _, err := pinuv.Encapsulate(p, publicKey(r, p), r.Rand())
			r.Require(err == nil, "the key: %v", err)
		}),
	)
}

// agreementLife is about how long that key lasts.
func agreementLife() []conformance.Case {
	return conformance.Join(
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.agreement.power-cycle", Rule: conformance.Since20("6.5.5.4"), Hands: conformance.Replug,
			Why: "a power cycle makes a new key",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			before := publicKey(r, p)
			r.PowerCycle()
			r.Require(!bytes.Equal(publicKey(r, p), before), "the key is the one of before the power cycle")
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.agreement.reused", Rule: conformance.Since20("6.5.5.4"), Start: conformance.WithPIN, Needs: ceremoniesByPIN,
			Why: "a secret that was agreed on serves for more than one request",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			s := r.Agree(p)
			for range 3 {
				r.Send(ctap.ClientPIN, asks(r, s, r.PIN())).OK()
			}
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.agreement.wrong-pin", Rule: conformance.Since20("6.5.5.6"), Start: conformance.WithPIN, Destructive: true, Needs: ceremoniesByPIN,
			Why: "a wrong PIN makes a new key, and what was encrypted under the old one is worth nothing",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			s, before := r.Agree(p), publicKey(r, p)
			r.Send(ctap.ClientPIN, asks(r, s, conformance.WrongPIN)).Want(ctap.ErrPINInvalid)
			r.Require(!bytes.Equal(publicKey(r, p), before), "the key is the one of before the wrong PIN")
			r.Send(ctap.ClientPIN, asks(r, s, r.PIN())).Want(ctap.ErrPINInvalid)
			enter(r, p, r.PIN()).OK()
		}),
	)
}

// coseKey is a key agreement key of a platform, by its labels.
type coseKey map[int64]any

// bendKey takes a good key apart and bends it.
func bendKey(r *conformance.Run, s *conformance.Secret, bend func(k coseKey)) []byte {
	var k coseKey
	r.Broken(ctap.DecodeLoose(s.KeyAgreement, &k))
	bend(k)
	b, err := ctap.Encode(k)
	r.Broken(err)
	return b
}

// strangeKeys is about key agreement keys of the platform that are none (section
// 6.5.6).
func strangeKeys() (cases []conformance.Case) {
	for _, k := range []struct {
		name, why string
		bend      func(k coseKey)
	}{
		{"not-on-curve", "a key that is no point of P-256 is CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[-3] = make([]byte, 32) }},
		{"zero", "a key of zeros is CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[-2], k[-3] = make([]byte, 32), make([]byte, 32) }},
		{"beyond-prime", "coordinates beyond the prime of P-256 are CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[-2] = bytes.Repeat([]byte{0xFF}, 32) }},
		{"short", "a coordinate of 31 bytes is CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[-2] = k[-2].([]byte)[:31] }},
		{"long", "a coordinate of 33 bytes is CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[-2] = append([]byte{0}, k[-2].([]byte)...) }},
		{"curve", "a key of another curve is CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[-1] = 2 }},
		{"key-type", "a key of another type is CTAP1_ERR_INVALID_PARAMETER", func(k coseKey) { k[1] = 1 }},
		{"no-y", "a key without a coordinate is no key", func(k coseKey) { delete(k, -3) }},
	} {
		cases = append(cases, conformance.BothProtocols(conformance.Case{
			ID: "clientpin.key." + k.name, Rule: conformance.Since20("6.5.6"), Start: conformance.WithPIN, Needs: ceremoniesByPIN, Why: k.why,
		}, func(r *conformance.Run, p pinuv.Protocol) {
			before, _ := r.PINRetries()
			s := r.Agree(p)
			r.Send(ctap.ClientPIN, asks(r, s, r.PIN()).With(3, cbor.RawMessage(bendKey(r, s, k.bend)))).
				Tolerate(conformance.ParameterAs14).Want(wantOfKey(k.name)...)
			after, _ := r.PINRetries()
			conformance.Equal(r, "pinRetries", after, before)
		})...)
	}
	return cases
}

// wantOfKey is what a key is answered with: one without a coordinate lacks something.
func wantOfKey(name string) []ctap.Status {
	if name == "no-y" {
		return []ctap.Status{ctap.ErrMissingParameter, ctap.ErrInvalidParameter}
	}
	return []ctap.Status{ctap.ErrInvalidParameter}
}

// bad is a key that is no point of the curve.
func bad(r *conformance.Run, s *conformance.Secret) cbor.RawMessage {
	return bendKey(r, s, func(k coseKey) { k[-3] = make([]byte, 32) })
}
