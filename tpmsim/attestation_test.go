package tpmsim

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/google/uuid"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

const (
	rpID   = "example.com"
	origin = "https://login.example.com"
)

var laptop = ctap.AAGUID{0x08, 0x98, 0x70, 15: 1}

// register makes a credential and returns the attestation request for it.
func register(t testing.TB, tpm *TPM, alg cose.Algorithm, clientData []byte) authenticator.AttestationRequest {
	t.Helper()
	handle, public := generate(t, tpm.Keys(), alg)
	hash := sha256.Sum256(clientData)
	data := ctap.AuthenticatorData{
		RPIDHash: sha256.Sum256([]byte(rpID)),
		Flags:    ctap.FlagUP | ctap.FlagUV,
		Attested: &ctap.AttestedCredential{AAGUID: laptop, ID: []byte("credential id"), PublicKey: public},
	}
	return authenticator.AttestationRequest{
		RPID: rpID, Algorithm: alg, KeyHandle: handle, PublicKey: public, AAGUID: laptop,
		CredentialID: data.Attested.ID, AuthData: data.Append(nil), ClientDataHash: hash[:],
	}
}

func TestAttestation(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) { attests(t, open(t, o)) })
}

// attests has keys of a TPM attested to, and the statements verified.
func attests(t *testing.T, tpm *TPM) {
	ca := authority(t)
	for _, c := range []struct{ aik, key cose.Algorithm }{
		{cose.ES256, cose.ES256}, {cose.ES256, cose.RS256}, {cose.ES256, cose.ES384}, {cose.RS256, cose.ES256},
	} {
		t.Run(c.key.String()+" attested by "+c.aik.String(), func(t *testing.T) {
			a, err := tpm.Attestation(t.Context(), ca, "Test TPM", c.aik)
			if err != nil {
				t.Fatal(err)
			}
			challenge := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{5}, 32))
			clientData, err := json.Marshal(map[string]any{
				"type": "webauthn.create", "challenge": challenge, "origin": origin, "crossOrigin": false,
			})
			if err != nil {
				t.Fatal(err)
			}
			r := register(t, tpm, c.key, clientData)
			format, statement, err := a.Attest(r)
			if err != nil {
				t.Fatal(err)
			}
			verifyHere(t, ca, format, statement, r)
			verifyByGoWebauthn(t, ca, challenge, clientData, format, statement, r)
		})
	}
}

func verifyHere(t *testing.T, ca *attestation.Authority, format string, statement []byte, r authenticator.AttestationRequest) {
	t.Helper()
	if err := ctap.CheckCanonical(statement); err != nil {
		t.Errorf("statement is not canonical: %v", err)
	}
	result, err := attestation.Verify(format, statement, r.AuthData, r.ClientDataHash)
	if err != nil {
		t.Fatal(err)
	}
	if result.Type != attestation.AttCA {
		t.Errorf("type is %s, want AttCA", result.Type)
	}
	if err := result.Trusted(ca.Pool(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Error(err)
	}
}

// verifyByGoWebauthn builds the response that a browser would send and lets
// go-webauthn verify it against metadata with the authority's root.
func verifyByGoWebauthn(t *testing.T, ca *attestation.Authority, challenge string, clientData []byte, format string, statement cbor.RawMessage, r authenticator.AttestationRequest) {
	t.Helper()
	object, err := ctap.Encode(map[string]any{"fmt": format, "attStmt": statement, "authData": r.AuthData})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	response, err := json.Marshal(map[string]any{
		"id": encode(r.CredentialID), "rawId": encode(r.CredentialID), "type": "public-key",
		"response": map[string]any{"clientDataJSON": encode(clientData), "attestationObject": encode(object)},
	})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBody(bytes.NewReader(response))
	if err != nil {
		t.Fatal(err)
	}
	params := []protocol.CredentialParameter{{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.COSEAlgorithmIdentifier(r.Algorithm)}}
	verify := func(root *x509.Certificate) error {
		_, err := parsed.Verify(challenge, rpID, []string{origin}, nil, nil, protocol.TopOriginExplicitVerificationMode,
			false, true, true, trusting(t, root), params, protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
		return err
	}
	if err := verify(ca.Root()); err != nil {
		t.Errorf("go-webauthn: %v %s", err, err.(*protocol.Error).DevInfo)
	}
	other, err := ca.Intermediate("not the root")
	if err != nil {
		t.Fatal(err)
	}
	p, err := other.Packed(laptop, "unrelated")
	if err != nil {
		t.Fatal(err)
	}
	unrelated, err := x509.ParseCertificate(p.X5C()[0])
	if err != nil {
		t.Fatal(err)
	}
	if verify(unrelated) == nil {
		t.Error("go-webauthn trusts any root")
	}
}

func trusting(t *testing.T, root *x509.Certificate) metadata.Provider {
	t.Helper()
	id := uuid.UUID(laptop)
	provider, err := memory.New(memory.WithMetadata(map[uuid.UUID]*metadata.Entry{id: {
		AaGUID: id,
		MetadataStatement: metadata.Statement{
			AaGUID:                      id,
			AttestationTypes:            metadata.AuthenticatorAttestationTypes{metadata.AttCA},
			AttestationRootCertificates: []*x509.Certificate{root},
		},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

// A TPM that was cleared attests on with the same key, and not to lost ones.
func TestAttestationOutlastsClear(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		tpm, ca := open(t, o), authority(t)
		a, err := tpm.Attestation(t.Context(), ca, "Test TPM", cose.ES256)
		if err != nil {
			t.Fatal(err)
		}
		lost := register(t, tpm, cose.ES256, []byte("{}"))
		if err := tpm.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustBeLost(t, tpm.Keys(), lost.KeyHandle, lost.PublicKey)
		r := register(t, tpm, cose.ES256, []byte("{}"))
		format, statement, err := a.Attest(r)
		if err != nil {
			t.Fatal(err)
		}
		verifyHere(t, ca, format, statement, r)
	})
}
