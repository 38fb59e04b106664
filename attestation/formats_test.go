package attestation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"math/rand/v2"
	"strings"
	"testing"

	"fido-emu/attestation/internal/gowebauthn"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
)

// credential returns what an authenticator of a model would ask an attestation for,
// after it made a credential with keys.
func credential(t testing.TB, keys authenticator.Keys, alg cose.Algorithm, aaguid ctap.AAGUID) authenticator.AttestationRequest {
	t.Helper()
	handle, public, err := keys.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	data := ctap.AuthenticatorData{
		RPIDHash: sha256.Sum256([]byte("example.com")),
		Flags:    ctap.FlagUP,
		Attested: &ctap.AttestedCredential{AAGUID: aaguid, ID: []byte("id"), PublicKey: public},
	}
	return authenticator.AttestationRequest{
		RPID: "example.com", Algorithm: alg, KeyHandle: handle, PublicKey: public, AAGUID: aaguid,
		CredentialID: data.Attested.ID, AuthData: data.Append(nil), ClientDataHash: bytes.Repeat([]byte{9}, 32),
	}
}

func softKeys() authenticator.Keys { return softkeys.New(rand.NewChaCha8([32]byte{4}), true) }

// makers are all makers of statements of this package.
var makers = []struct {
	name, format string
	want         Type
	alg          cose.Algorithm
	aaguid       ctap.AAGUID
	make         func(a *Authority, keys authenticator.Keys) (authenticator.Attestation, error)
}{
	{"packed", FormatPacked, Basic, cose.EdDSA, model, func(a *Authority, _ authenticator.Keys) (authenticator.Attestation, error) {
		return a.Packed(model, "Test Key")
	}},
	{"packed by itself", FormatPacked, Self, cose.ES384, model, func(_ *Authority, keys authenticator.Keys) (authenticator.Attestation, error) {
		return SelfAttestation{keys}, nil
	}},
	{"fido-u2f", FormatU2F, Basic, cose.ES256, ctap.AAGUID{}, func(a *Authority, _ authenticator.Keys) (authenticator.Attestation, error) {
		return a.U2F("Test U2F Key")
	}},
	{"android-key", FormatAndroidKey, Basic, cose.ES256, model, func(a *Authority, keys authenticator.Keys) (authenticator.Attestation, error) {
		return a.AndroidKey(keys)
	}},
	{"android-key with RSA", FormatAndroidKey, Basic, cose.RS256, model, func(a *Authority, keys authenticator.Keys) (authenticator.Attestation, error) {
		return a.AndroidKey(keys)
	}},
	{"apple", FormatApple, AnonCA, cose.ES256, model, func(a *Authority, _ authenticator.Keys) (authenticator.Attestation, error) {
		return a.Apple()
	}},
	{"compound", FormatCompound, Basic, cose.ES256, model, func(a *Authority, keys authenticator.Keys) (authenticator.Attestation, error) {
		packed, err := a.Packed(model, "Test Key")
		if err != nil {
			return nil, err
		}
		android, err := a.AndroidKey(keys)
		if err != nil {
			return nil, err
		}
		return NewCompound(packed, android, SelfAttestation{keys})
	}},
}

func TestMakers(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			a, keys := authority(t, 1), softKeys()
			maker, err := m.make(a, keys)
			if err != nil {
				t.Fatal(err)
			}
			r := credential(t, keys, m.alg, m.aaguid)
			format, statement, err := maker.Attest(r)
			if err != nil {
				t.Fatal(err)
			}
			if err := ctap.CheckCanonical(statement); err != nil {
				t.Errorf("statement is not canonical: %v", err)
			}
			got, err := Verify(format, statement, r.AuthData, r.ClientDataHash)
			if err != nil {
				t.Fatal(err)
			}
			if format != m.format || got.Format != format || got.Type != m.want {
				t.Errorf("got %s of %s, want %s of %s", got.Type, format, m.want, m.format)
			}
			if err := got.Trusted(a.Pool(), at); (err == nil) != (m.want != Self) {
				t.Errorf("trusted: %v", err)
			}
			if err := gowebauthn.Judge(format, statement, r.AuthData, r.ClientDataHash, a.Root()); err != nil {
				t.Errorf("go-webauthn: %v", err)
			}
			if m.want != Self {
				if gowebauthn.Judge(format, statement, r.AuthData, r.ClientDataHash, authority(t, 2).Root()) == nil {
					t.Error("go-webauthn trusts any root")
				}
				if got.Trusted(authority(t, 2).Pool(), at) == nil {
					t.Error("any root is trusted")
				}
			}
		})
	}
}

func TestMakersSameSeedSameBytes(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			run := func() []byte {
				keys := softKeys()
				maker, err := m.make(authority(t, 1), keys)
				if err != nil {
					t.Fatal(err)
				}
				_, statement, err := maker.Attest(credential(t, keys, m.alg, m.aaguid))
				if err != nil {
					t.Fatal(err)
				}
				return statement
			}
			if !bytes.Equal(run(), run()) {
				t.Error("the same seed makes other bytes")
			}
		})
	}
}

func TestCompoundPreference(t *testing.T) {
	a, keys := authority(t, 1), softKeys()
	packed, err := a.Packed(model, "Test Key")
	if err != nil {
		t.Fatal(err)
	}
	android, err := a.AndroidKey(keys)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCompound(packed, android)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Formats(), " "); got != "compound packed android-key" {
		t.Errorf("formats are %s", got)
	}
	for preference, want := range map[string]string{
		"": FormatCompound, "tpm": FormatCompound, "compound packed": FormatCompound,
		"packed compound": FormatPacked, "tpm android-key packed": FormatAndroidKey,
	} {
		r := credential(t, keys, cose.ES256, model)
		r.Formats = strings.Fields(preference)
		format, statement, err := c.Attest(r)
		if err != nil || format != want {
			t.Errorf("%q: format %s, %v, want %s", preference, format, err, want)
		}
		if _, err := Verify(format, statement, r.AuthData, r.ClientDataHash); err != nil {
			t.Errorf("%q: %v", preference, err)
		}
	}
}

func TestEnterprise(t *testing.T) {
	a, r := authority(t, 1), request(t)
	packed, err := a.Packed(model, "Test Key")
	if err != nil {
		t.Fatal(err)
	}
	attest := func(p *Packed) *x509.Certificate {
		_, statement, err := p.Attest(r)
		if err != nil {
			t.Fatal(err)
		}
		result, err := Verify(FormatPacked, statement, r.AuthData, r.ClientDataHash)
		if err != nil {
			t.Fatal(err)
		}
		if err := result.Trusted(a.Pool(), at); err != nil {
			t.Error(err)
		}
		if err := gowebauthn.Judge(FormatPacked, statement, r.AuthData, r.ClientDataHash, a.Root()); err != nil {
			t.Errorf("go-webauthn: %v", err)
		}
		return result.Chain[0]
	}
	var leaves []*x509.Certificate
	for _, serial := range []string{"1", "2"} {
		device, err := a.Device(model, "Test Key", serial)
		if err != nil {
			t.Fatal(err)
		}
		r.Enterprise = true
		leaf := attest(packed.Enterprise(device))
		got, ok, err := SerialNumber(leaf)
		if err != nil || !ok || string(got) != serial || leaf.Subject.SerialNumber != serial {
			t.Errorf("serial number is %q (%t, %v) and %q, want %q", got, ok, err, leaf.Subject.SerialNumber, serial)
		}
		r.Enterprise = false
		if _, ok, err := SerialNumber(attest(packed.Enterprise(device))); ok || err != nil {
			t.Errorf("an ordinary attestation tells the serial number: %t, %v", ok, err)
		}
		leaves = append(leaves, leaf)
	}
	if bytes.Equal(leaves[0].RawSubjectPublicKeyInfo, leaves[1].RawSubjectPublicKeyInfo) {
		t.Error("two devices have the same key")
	}
}

func TestConformanceDevice(t *testing.T) {
	device, err := ConformanceDevice()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := authority(t, 1).Packed(model, "Test Key")
	if err != nil {
		t.Fatal(err)
	}
	r := request(t)
	r.Enterprise = true
	_, statement, err := packed.Enterprise(device).Attest(r)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Verify(FormatPacked, statement, r.AuthData, r.ClientDataHash)
	if err != nil {
		t.Fatal(err)
	}
	if name := result.Chain[0].Subject.CommonName; !strings.HasPrefix(name, "FIDO2 Enterprise Attestation BATCH") {
		t.Errorf("the certificate is %q", name)
	}
}
