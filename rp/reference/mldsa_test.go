package reference_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"

	"filippo.io/mldsa"
	"filippo.io/mldsa/x509"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/webauthn"
)

// TestPostQuantum takes ML-DSA passkeys of our own authenticators from registration to
// sign-in, attested in every way that they can.
func TestPostQuantum(t *testing.T) {
	ca := authority(t, 1)
	for _, alg := range []cose.Algorithm{cose.MLDSA44, cose.MLDSA65, cose.MLDSA87} {
		for _, kind := range []authenticator.AttestationKind{authenticator.NoAttestation, authenticator.SelfAttestation, authenticator.ExternalAttestation} {
			t.Run(alg.String()+" "+string(kind), func(t *testing.T) {
				key := &eavesdropper{Client: laptop(t, kind, alg, nil, chain(t, ca))}
				each(t, func(s site) {
					s.ok(s.SetPolicy(s.ctx, "", rp.Policy{Algorithms: []string{alg.String()}, RequireAttestation: kind == authenticator.ExternalAttestation}))
					if kind == authenticator.SelfAttestation {
						// direct attestation is asked for where somebody's policy needs it
						s.ok(s.SetPolicy(s.ctx, "strict", rp.Policy{RequireAttestation: true}))
						s.ok(s.SetPolicy(s.ctx, "lax", rp.Policy{Algorithms: []string{alg.String()}}))
					}
					who := rp.Person{Name: "ada", Groups: []string{"strict", "lax"}}
					format := "packed"
					if kind == authenticator.NoAttestation {
						format = "none"
					}
					if cr := s.register(who, key); cr.Algorithm != alg.String() || cr.Attestation != format || cr.Trusted != (kind == authenticator.ExternalAttestation) {
						t.Errorf("registered %+v", cr)
					}
					key.checkPublicKey(t, alg)
					s.signIn(who, key)
					s.signIn(rp.Person{}, key)
					key.spoil = "signature"
					_, err := s.SignIn(s.ctx, who, key)
					s.refused(err, reference.SignatureInvalid)
					key.spoil = "clientDataJSON"
					_, err = s.SignIn(s.ctx, who, key)
					s.refused(err, reference.ChallengeMismatch)
					key.spoil = ""
				}, func(c *reference.Config) { c.AttestationRoots = ca.Pool() })
			})
		}
	}
}

// TestEveryAlgorithm registers and uses a passkey of each algorithm that is not
// discoverable and attests to itself: its private key is in its id.
func TestEveryAlgorithm(t *testing.T) {
	for _, alg := range cose.Algorithms() {
		t.Run(alg.String(), func(t *testing.T) {
			key := laptop(t, authenticator.SelfAttestation, alg, nil, nil)
			each(t, func(s site) {
				s.ok(s.SetPolicy(s.ctx, "strict", rp.Policy{RequireAttestation: true}))
				s.ok(s.SetPolicy(s.ctx, "lax", rp.Policy{Algorithms: []string{alg.String()}}))
				who := rp.Person{Name: "ada", Groups: []string{"strict", "lax"}}
				cr := s.register(who, key)
				if cr.Algorithm != alg.String() || cr.Attestation != "packed" || len(cr.ID) <= 32 || len(cr.ID) > 512 {
					t.Errorf("registered %s, attested %s, with an id of %d bytes", cr.Algorithm, cr.Attestation, len(cr.ID))
				}
				s.signIn(who, key)
			}, func(c *reference.Config) { c.ResidentKey = "discouraged" })
		})
	}
}

// TestSpoiltSelfAttestation refuses a statement of which a byte has changed.
func TestSpoiltSelfAttestation(t *testing.T) {
	key := &eavesdropper{Client: laptop(t, authenticator.SelfAttestation, cose.MLDSA65, nil, nil), spoil: "attestationObject"}
	each(t, func(s site) {
		s.ok(s.SetPolicy(s.ctx, "", rp.Policy{Algorithms: []string{"ML-DSA-65"}, RequireAttestation: true}))
		_, err := s.Register(s.ctx, ada, key)
		s.refused(err, reference.AttestationInvalid)
	})
}

// TestAlgorithmPolicy looks at what is offered and what is let in.
func TestAlgorithmPolicy(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.SetPolicy(s.ctx, "new", rp.Policy{Algorithms: []string{"ML-DSA-65", "ES256"}}))
		key := newToy(t)
		offer := func(groups []string, want ...cose.Algorithm) rp.Person {
			t.Helper()
			who := rp.Person{Name: "of " + string(rune('a'+len(key.keys))), Groups: groups}
			s.register(who, key)
			var got []cose.Algorithm
			for _, p := range key.creation.PubKeyCredParams {
				got = append(got, cose.Algorithm(p.Alg))
			}
			if !slices.Equal(got, want) {
				t.Errorf("groups %v are offered %v, want %v", groups, got, want)
			}
			return who
		}
		offer(nil, cose.ES256, cose.EdDSA, cose.ES384, cose.RS256)
		offer([]string{"new", "nowhere"}, cose.MLDSA65, cose.ES256)
		s.ok(s.SetPolicy(s.ctx, "old", rp.Policy{}))
		both := offer([]string{"new", "old"}, cose.MLDSA65, cose.ES256, cose.EdDSA, cose.ES384, cose.RS256)
		for _, g := range []string{"new", "old"} { // nobody signs in with ES256 any more
			s.ok(s.SetPolicy(s.ctx, g, rp.Policy{Algorithms: []string{"ML-DSA-87"}}))
		}
		_, err := s.SignIn(s.ctx, both, key)
		s.refused(err, reference.AlgorithmNotAllowed)
		s.refused(s.SetPolicy(s.ctx, "", rp.Policy{Algorithms: []string{"ES257"}}), reference.BadPolicy)
	})
}

// eavesdropper changes one member of what a client answers, and keeps the last public
// key.
type eavesdropper struct {
	webauthn.Client
	spoil string
	spki  []byte
}

func (e *eavesdropper) Create(ctx context.Context, origin string, options []byte) ([]byte, error) {
	b, err := e.Client.Create(ctx, origin, options)
	if err != nil {
		return nil, err
	}
	return e.change(b)
}

func (e *eavesdropper) Get(ctx context.Context, origin string, options []byte) ([]byte, error) {
	b, err := e.Client.Get(ctx, origin, options)
	if err != nil {
		return nil, err
	}
	return e.change(b)
}

func (e *eavesdropper) change(b []byte) ([]byte, error) {
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	response := all["response"].(map[string]any)
	if key, ok := response["publicKey"].(string); ok {
		e.spki = fromB64(key)
	}
	switch e.spoil {
	case "":
		return b, nil
	case "clientDataJSON":
		var data map[string]any
		if err := json.Unmarshal(fromB64(response[e.spoil].(string)), &data); err != nil {
			return nil, err
		}
		data["challenge"] = base64.RawURLEncoding.EncodeToString(make([]byte, 32))
		response[e.spoil] = b64(mustJSON(data))
	case "attestationObject": // fmt, attStmt, authData: sig ends in front of authData
		object := fromB64(response[e.spoil].(string))
		object[len(object)-2200] ^= 1
		response[e.spoil] = b64(object)
	default:
		value := fromB64(response[e.spoil].(string))
		value[len(value)/2] ^= 1
		response[e.spoil] = b64(value)
	}
	return json.Marshal(all)
}

func (e *eavesdropper) checkPublicKey(t *testing.T, alg cose.Algorithm) {
	t.Helper()
	key, err := x509.ParsePKIXPublicKey(e.spki)
	if err != nil {
		t.Fatal(err)
	}
	params, _ := cose.MLDSA(alg)
	if k, ok := key.(*mldsa.PublicKey); !ok || k.Parameters() != params {
		t.Errorf("publicKey is %T, want one of %s", key, params)
	}
}
