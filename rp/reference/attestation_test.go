package reference_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/tpmsim"
	"fido-emu/webauthn"
)

// willing is a user who is there and says yes.
type willing struct{}

func (willing) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

func (willing) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// laptop returns a browser with one authenticator, built in and with a sensor.
func laptop(t *testing.T, kind authenticator.AttestationKind, alg cose.Algorithm, keys authenticator.Keys, a authenticator.Attestation) webauthn.Client {
	t.Helper()
	random := rand.NewChaCha8([32]byte{3})
	if keys == nil {
		keys = softkeys.New(random, true)
	}
	p := authenticator.Profile{
		Name: "laptop", AAGUID: model, Versions: []string{"FIDO_2_1"}, Platform: true, Discoverable: true,
		BuiltInUV: authenticator.Face, PINProtocols: []uint{2}, Algorithms: []cose.Algorithm{alg},
		Transports: []string{"internal"}, Attestation: kind, Counter: authenticator.GlobalCounter,
	}
	core, err := authenticator.New(p, authenticator.Env{
		Now: time.Now, Rand: random, User: willing{}, Keys: keys, Attestation: a,
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(10),
	})
	if err != nil {
		t.Fatal(err)
	}
	return webauthn.NewUserAgent(webauthn.Config{Rand: random}, webauthn.Device{Name: "laptop", Authenticator: core})
}

var model = ctap.AAGUID{0x73, 0xf4, 15: 1}

func authority(t *testing.T, seed byte) *attestation.Authority {
	t.Helper()
	ca, err := attestation.NewAuthority("Test root", rand.NewChaCha8([32]byte{seed}), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func chain(t *testing.T, ca *attestation.Authority) authenticator.Attestation {
	t.Helper()
	sub, err := ca.Intermediate("Test intermediate")
	if err != nil {
		t.Fatal(err)
	}
	a, err := sub.Packed(model, "Test model")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAttestation takes passkeys of our own authenticators, attested in every way
// that they can, through the library's verification as it is.
func TestAttestation(t *testing.T) {
	ca := authority(t, 1)
	tests := []struct {
		name, format string
		trusted      bool
		client       func(t *testing.T) webauthn.Client
	}{
		{"none", "none", false, func(t *testing.T) webauthn.Client {
			return laptop(t, authenticator.NoAttestation, cose.EdDSA, nil, nil)
		}},
		{"packed by itself", "packed", false, func(t *testing.T) webauthn.Client {
			return laptop(t, authenticator.SelfAttestation, cose.ES384, nil, nil)
		}},
		{"packed by an authority", "packed", true, func(t *testing.T) webauthn.Client {
			return laptop(t, authenticator.ExternalAttestation, cose.ES256, nil, chain(t, ca))
		}},
		{"packed by an authority nobody trusts", "packed", false, func(t *testing.T) webauthn.Client {
			return laptop(t, authenticator.ExternalAttestation, cose.ES256, nil, chain(t, authority(t, 2)))
		}},
		{"tpm", "tpm", true, func(t *testing.T) webauthn.Client { return tpmLaptop(t, ca, cose.ES256) }},
		{"tpm with RSA", "tpm", true, func(t *testing.T) webauthn.Client { return tpmLaptop(t, ca, cose.RS256) }},
		{"tpm by an authority nobody trusts", "tpm", false, func(t *testing.T) webauthn.Client {
			return tpmLaptop(t, authority(t, 2), cose.ES256)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := test.client(t)
			each(t, func(s site) {
				s.ok(s.SetPolicy(s.ctx, "strict", rp.Policy{RequireAttestation: true}))
				s.ok(s.SetPolicy(s.ctx, "lax", rp.Policy{}))
				lax := rp.Person{Name: "lax", Groups: []string{"strict", "lax"}}
				cr := s.register(lax, client)
				if cr.Attestation != test.format || cr.Trusted != test.trusted || cr.AAGUID != model.String() {
					t.Errorf("registered %+v, want format %s, trusted: %t", cr, test.format, test.trusted)
				}
				s.signIn(lax, client)
				_, err := s.Register(s.ctx, rp.Person{Name: "strict", Groups: []string{"strict"}}, client)
				if test.trusted {
					s.ok(err)
					s.signIn(rp.Person{}, client)
					return
				}
				s.refused(err, reference.AttestationRequired)
			}, func(c *reference.Config) { c.AttestationRoots = ca.Pool() })
		})
	}
}

func tpmLaptop(t *testing.T, ca *attestation.Authority, alg cose.Algorithm) webauthn.Client {
	t.Helper()
	tpm, err := tpmsim.Open(t.Context(), tpmsim.Options{Seed: []byte("laptop")})
	if errors.Is(err, tpmsim.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tpm.Close(); err != nil {
			t.Error(err)
		}
	})
	a, err := tpm.Attestation(t.Context(), ca, "Test TPM", cose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return laptop(t, authenticator.ExternalAttestation, alg, tpm.Keys(), a)
}

// TestTrustEnds checks chains at the relying party's own time.
func TestTrustEnds(t *testing.T) {
	ca := authority(t, 1)
	for year, trusted := range map[int]bool{2025: false, 2026: true, 2045: true, 2046: false} {
		core, clk := newCore(t, func(c *reference.Config) { c.AttestationRoots = ca.Pool() })
		clk.at = time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		s := site{Adapter: reference.InProcess(core, ""), t: t, ctx: t.Context(), core: core}
		s.ok(s.SetPolicy(s.ctx, "strict", rp.Policy{RequireAttestation: true}))
		_, err := s.Register(s.ctx, rp.Person{Name: "strict", Groups: []string{"strict"}}, laptop(t, authenticator.ExternalAttestation, cose.ES256, nil, chain(t, ca)))
		if trusted {
			s.ok(err)
			continue
		}
		s.refused(err, reference.AttestationRequired)
	}
}

// TestTamperedAttestation changes one byte of each kind of statement's signature.
func TestTamperedAttestation(t *testing.T) {
	ca := authority(t, 1)
	for name, client := range map[string]webauthn.Client{
		"packed by itself":       laptop(t, authenticator.SelfAttestation, cose.ES256, nil, nil),
		"packed by an authority": laptop(t, authenticator.ExternalAttestation, cose.ES256, nil, chain(t, ca)),
	} {
		t.Run(name, func(t *testing.T) {
			core, _ := newCore(t, func(c *reference.Config) {
				c.AttestationRoots, c.DefaultPolicy = x509.NewCertPool(), rp.Policy{RequireAttestation: true}
			})
			s := site{Adapter: reference.InProcess(core, ""), t: t, ctx: t.Context(), core: core}
			_, err := s.Register(s.ctx, ada, breaker{client})
			s.refused(err, reference.AttestationInvalid)
		})
	}
}

// breaker changes one bit in the signature of attestation statements.
type breaker struct{ webauthn.Client }

func (b breaker) Create(ctx context.Context, origin string, options []byte) ([]byte, error) {
	answer, err := b.Client.Create(ctx, origin, options)
	if err != nil {
		return nil, err
	}
	var r map[string]any
	if err := json.Unmarshal(answer, &r); err != nil {
		return nil, err
	}
	inner := r["response"].(map[string]any)
	object := fromB64(inner["attestationObject"].(string))
	at := bytes.Index(object, []byte("\x63sig")) + 30 // well inside of it
	object[at] ^= 1
	inner["attestationObject"] = b64(object)
	return json.Marshal(r)
}
