package attestation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/attestation/internal/gowebauthn"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

var (
	model = ctap.AAGUID{0xF1, 0xD0, 15: 0x01}
	at    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func authority(t testing.TB, seed byte) *Authority {
	t.Helper()
	a, err := NewAuthority("Test Root", rand.NewChaCha8([32]byte{seed}), at)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// request returns what an authenticator of the model would ask an attestation
// for.
func request(t testing.TB) authenticator.AttestationRequest {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	public, err := cose.Marshal(cose.ES256, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	data := ctap.AuthenticatorData{
		RPIDHash: sha256.Sum256([]byte("example.com")),
		Flags:    ctap.FlagUP,
		Attested: &ctap.AttestedCredential{AAGUID: model, ID: []byte("id"), PublicKey: public},
	}
	return authenticator.AttestationRequest{
		Algorithm: cose.ES256, PublicKey: public, AAGUID: model,
		AuthData: data.Append(nil), ClientDataHash: bytes.Repeat([]byte{9}, 32),
	}
}

func TestPacked(t *testing.T) {
	root := authority(t, 1)
	intermediate, err := root.Intermediate("Test Intermediate")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		from  *Authority
		chain int
	}{"below the root": {root, 1}, "below an intermediate": {intermediate, 2}} {
		t.Run(name, func(t *testing.T) {
			p, err := c.from.Packed(model, "Test Key")
			if err != nil {
				t.Fatal(err)
			}
			r := request(t)
			format, statement, err := p.Attest(r)
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
			if got.Type != Basic || len(got.Chain) != c.chain {
				t.Errorf("got %s with %d certificates, want Basic with %d", got.Type, len(got.Chain), c.chain)
			}
			if err := got.Trusted(root.Pool(), at); err != nil {
				t.Error(err)
			}
			if err := gowebauthn.Judge(format, statement, r.AuthData, r.ClientDataHash, root.Root()); err != nil {
				t.Errorf("go-webauthn: %v", err)
			}
		})
	}
}

func TestPackedNotTrusted(t *testing.T) {
	p, err := authority(t, 1).Packed(model, "Test Key")
	if err != nil {
		t.Fatal(err)
	}
	r := request(t)
	_, statement, err := p.Attest(r)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Verify(FormatPacked, statement, r.AuthData, r.ClientDataHash)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		roots *x509.CertPool
		at    time.Time
	}{
		"another root":  {authority(t, 2).Pool(), at},
		"before":        {authority(t, 1).Pool(), at.Add(-2 * time.Hour)},
		"21 years past": {authority(t, 1).Pool(), at.AddDate(21, 0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := result.Trusted(c.roots, c.at); !errors.Is(err, ErrUntrusted) {
				t.Errorf("got %v, want ErrUntrusted", err)
			}
		})
	}
}

func TestPackedOfAnotherModel(t *testing.T) {
	p, err := authority(t, 1).Packed(ctap.AAGUID{1}, "Other Key")
	if err != nil {
		t.Fatal(err)
	}
	r := request(t)
	_, statement, err := p.Attest(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(FormatPacked, statement, r.AuthData, r.ClientDataHash); !errors.Is(err, ErrStatement) {
		t.Errorf("got %v, want ErrStatement", err)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	make := func(seed byte, first string) []byte {
		a := authority(t, seed)
		if _, err := a.Packed(model, first); err != nil { // what came before does not matter
			t.Fatal(err)
		}
		p, err := a.Packed(model, "Test Key")
		if err != nil {
			t.Fatal(err)
		}
		_, statement, err := p.Attest(request(t))
		if err != nil {
			t.Fatal(err)
		}
		return append(a.RootPEM(), statement...)
	}
	if !bytes.Equal(make(1, "A"), make(1, "B")) {
		t.Error("the same seed makes other bytes")
	}
	if bytes.Equal(make(1, "A"), make(2, "A")) {
		t.Error("another seed makes the same bytes")
	}
}

func BenchmarkPackedAttest(b *testing.B) {
	p, err := authority(b, 1).Packed(model, "Test Key")
	if err != nil {
		b.Fatal(err)
	}
	r := request(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Attest(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign is the floor of BenchmarkPackedAttest: one signature.
func BenchmarkSign(b *testing.B) {
	key := authority(b, 1).key
	d := sha256.Sum256(nil)
	for b.Loop() {
		if _, err := ecdsa.SignASN1(nil, key, d[:]); err != nil {
			b.Fatal(err)
		}
	}
}
