package reference

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/ctap/cose"
	"fido-emu/rp"
)

// vectors are responses of somebody else's authenticator; bytes are base64url.
type vectors struct {
	RPID, Origin  string
	Registrations []struct {
		Alg                                              cose.Algorithm
		ID, Challenge, AttestationObject, ClientDataJSON string
	}
	Assertion struct {
		ID, Challenge, AuthenticatorData, ClientDataJSON, Signature, UserHandle, PublicKey string
	}
}

func (v *vectors) core(t *testing.T) *Core {
	t.Helper()
	b, err := os.ReadFile("testdata/webauthn-io-mldsa.json")
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
	core, err := New(Config{RPID: v.RPID, Origins: []string{v.Origin}})
	if err != nil {
		t.Fatal(err)
	}
	return core
}

func responseJSON(t *testing.T, id string, response map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOthersRegistrations takes ML-DSA passkeys that another authenticator made.
func TestOthersRegistrations(t *testing.T) {
	var v vectors
	core := v.core(t)
	for _, r := range v.Registrations {
		cer := &ceremony{newcomer: newPerson(rp.Person{Name: "ada"}, []byte("handle")), data: lib.SessionData{
			Challenge: r.Challenge, UserID: []byte("handle"), CredParams: offered([]*rule{{algorithms: []cose.Algorithm{r.Alg}}}),
		}}
		cr, f, err := core.verifyRegistration(cer, responseJSON(t, r.ID, map[string]any{
			"attestationObject": r.AttestationObject, "clientDataJSON": r.ClientDataJSON,
		}))
		if err != nil || cr.algorithm != r.Alg || f.algorithm != r.Alg {
			t.Errorf("%s: %+v, %v", r.Alg, cr, err)
		}
	}
	if len(v.Registrations) != 3 {
		t.Errorf("%d registrations", len(v.Registrations))
	}
}

// TestOthersAssertion verifies a signature that another authenticator made, and
// refuses it once a byte of it has changed.
func TestOthersAssertion(t *testing.T) {
	var v vectors
	core := v.core(t)
	a := v.Assertion
	public, err := base64.RawURLEncoding.DecodeString(a.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := base64.RawURLEncoding.DecodeString(a.UserHandle)
	if err != nil {
		t.Fatal(err)
	}
	cr := &credential{owner: newPerson(rp.Person{Name: "ada"}, handle), algorithm: cose.MLDSA44}
	cr.record.PublicKey = public
	verify := func(signature string) error {
		parsed, err := protocol.ParseCredentialRequestResponseBytes(responseJSON(t, a.ID, map[string]any{
			"authenticatorData": a.AuthenticatorData, "clientDataJSON": a.ClientDataJSON, "signature": signature, "userHandle": a.UserHandle,
		}))
		if err != nil {
			t.Fatal(err)
		}
		return core.verifyAssertion(&ceremony{data: lib.SessionData{Challenge: a.Challenge, UserVerification: protocol.VerificationRequired}}, parsed, cr)
	}
	if err := verify(a.Signature); err != nil {
		t.Error(err)
	}
	var no *rp.Refused
	if err := verify("AA" + a.Signature[2:]); !errors.As(err, &no) || no.Code != SignatureInvalid {
		t.Errorf("another signature: %v", err)
	}
}
