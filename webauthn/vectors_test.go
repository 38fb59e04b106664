package webauthn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// hexBytes is read from hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// vectors is testdata/webauthn_l3.json: the test vectors of the WebAuthn Level 3
// editor's draft, w3c/webauthn index.bs at commit 146d0db (2026-07-30).
type vectors struct {
	Origin    string
	TopOrigin string `json:"top_origin"`
	RPID      string `json:"rp_id"`
	Vectors   []vector
}

type vector struct {
	ID           string
	Registration struct {
		Challenge         hexBytes
		AAGUID            hexBytes
		CredentialID      hexBytes `json:"credential_id"`
		ClientDataJSON    hexBytes
		AttestationObject hexBytes
	}
	Authentication struct {
		Challenge         hexBytes
		ClientDataJSON    hexBytes
		AuthenticatorData hexBytes
		Signature         hexBytes
	}
	Parsed struct {
		Fmt     string
		Alg     int      `json:"cose_alg"`
		COSEKey hexBytes `json:"cose_key"`
		RegData hexBytes `json:"reg_authData"`
	}
}

func loadVectors(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/webauthn_l3.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Vectors) < 15 {
		t.Fatalf("%d vectors", len(v.Vectors))
	}
	return v
}

// each runs f for each vector.
func (v vectors) each(t *testing.T, f func(*testing.T, vector)) {
	for _, one := range v.Vectors {
		t.Run(one.ID, func(t *testing.T) { f(t, one) })
	}
}

func TestVectorsClientData(t *testing.T) {
	v := loadVectors(t)
	v.each(t, func(t *testing.T, one vector) {
		for _, c := range []struct {
			typ             string
			challenge, json hexBytes
		}{
			{TypeCreate, one.Registration.Challenge, one.Registration.ClientDataJSON},
			{TypeGet, one.Authentication.Challenge, one.Authentication.ClientDataJSON},
		} {
			data, err := ParseClientData(c.json)
			if err != nil {
				t.Fatal(err)
			}
			if data.Type != c.typ || !bytes.Equal(data.Challenge, c.challenge) || data.Origin != v.Origin {
				t.Errorf("read as %+v", data)
			}
			if got := data.JSON(); !bytes.Equal(got, c.json) {
				t.Errorf("written as %s\nwant       %s", got, c.json)
			}
		}
	})
}

func TestVectorsAttestationObject(t *testing.T) {
	v := loadVectors(t)
	v.each(t, func(t *testing.T, one vector) {
		object, err := ParseAttestationObject(one.Registration.AttestationObject)
		if err != nil {
			t.Fatal(err)
		}
		if object.Format != one.Parsed.Fmt || !bytes.Equal(object.AuthData, one.Parsed.RegData) {
			t.Errorf("format %s, authenticator data %x", object.Format, object.AuthData)
		}
		data, err := ctap.ParseAuthenticatorData(object.AuthData)
		if err != nil {
			t.Fatal(err)
		}
		if a := data.Attested; !bytes.Equal(a.AAGUID[:], one.Registration.AAGUID) && one.Parsed.Fmt != "fido-u2f" ||
			!bytes.Equal(a.ID, one.Registration.CredentialID) || !bytes.Equal(a.PublicKey, one.Parsed.COSEKey) {
			t.Errorf("attested credential data read as %+v", a)
		}
		if got := object.Encode(); !bytes.Equal(got, one.Registration.AttestationObject) {
			t.Errorf("written as %x\nwant       %x", got, one.Registration.AttestationObject)
		}
	})
}

func TestVectorsSignatures(t *testing.T) {
	v := loadVectors(t)
	verified := 0
	v.each(t, func(t *testing.T, one vector) {
		if one.Parsed.Alg == -53 {
			t.Skip("Ed448 is not among the algorithms of ctap/cose")
		}
		hash := sha256.Sum256(one.Authentication.ClientDataJSON)
		message := append(bytes.Clone(one.Authentication.AuthenticatorData), hash[:]...)
		if err := cose.Verify(one.Parsed.COSEKey, message, one.Authentication.Signature); err != nil {
			t.Error(err)
		}
		message[0] ^= 1
		if cose.Verify(one.Parsed.COSEKey, message, one.Authentication.Signature) == nil {
			t.Error("verifies for another message")
		}
		verified++
	})
	if verified != 14 {
		t.Errorf("%d signatures verified, want 14", verified)
	}
}

func TestVectorsPublicKey(t *testing.T) {
	v := loadVectors(t)
	v.each(t, func(t *testing.T, one vector) {
		spki, alg, err := easyKey(one.Parsed.COSEKey)
		if err != nil || int(alg) != one.Parsed.Alg {
			t.Fatalf("algorithm %v, %v", alg, err)
		}
		if one.Parsed.Alg == -53 {
			if spki != nil {
				t.Error("a key for an algorithm that is not supported")
			}
			return
		}
		got, err := x509.ParsePKIXPublicKey(spki)
		if err != nil {
			t.Fatal(err)
		}
		_, want, err := cose.Parse(one.Parsed.COSEKey)
		if err != nil {
			t.Fatal(err)
		}
		if k, ok := want.(interface{ Equal(x any) bool }); ok && !k.Equal(got) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("publicKey is %v, want %v", got, want)
		}
	})
}

// replay is an authenticator that answers as one did in a vector.
type replay struct {
	t   *testing.T
	one vector
}

func (r replay) Exchange(_ context.Context, request []byte) ([]byte, error) {
	var answer any
	switch ctap.Command(request[0]) {
	case ctap.GetInfo:
		answer = ctap.Info{
			Versions: []string{"FIDO_2_1"}, AAGUID: ctap.Bytes(r.one.Registration.AAGUID), MaxMsgSize: 4096,
			MaxCredentialCountInList: 8, MaxCredentialIDLength: 1023,
		}
	case ctap.MakeCredential:
		object, err := ParseAttestationObject(r.one.Registration.AttestationObject)
		if err != nil {
			r.t.Fatal(err)
		}
		answer = ctap.MakeCredentialResponse{Format: object.Format, AuthData: object.AuthData, AttStmt: object.Statement}
	case ctap.GetAssertion:
		a := r.one.Authentication
		answer = ctap.GetAssertionResponse{AuthData: ctap.Bytes(a.AuthenticatorData), Signature: ctap.Bytes(a.Signature)}
	}
	b, err := ctap.Encode(answer)
	return append([]byte{byte(ctap.OK)}, b...), err
}

// TestVectorsCeremonies plays the vectors' authenticators to a client and wants
// the vectors' responses from it.
func TestVectorsCeremonies(t *testing.T) {
	v := loadVectors(t)
	v.each(t, func(t *testing.T, one vector) {
		create, err := ParseClientData(one.Registration.ClientDataJSON)
		if err != nil {
			t.Fatal(err)
		}
		if create.CrossOrigin && create.TopOrigin == "" {
			t.Skip("a client that has no topOrigin to give; this one has")
		}
		response := one.perform(t, v, create, "create", fmt.Sprintf(`{"rp":{"id":%q,"name":"Example"},
			"user":{"id":"YQ","name":"ada","displayName":"Ada"},"challenge":%q,"attestation":"direct",
			"pubKeyCredParams":[{"type":"public-key","alg":%d}]}`, v.RPID, b64(one.Registration.Challenge), one.Parsed.Alg))
		want(t, response, "clientDataJSON", one.Registration.ClientDataJSON)
		want(t, response, "attestationObject", one.Registration.AttestationObject)
		want(t, response, "authenticatorData", one.Parsed.RegData)

		get, err := ParseClientData(one.Authentication.ClientDataJSON)
		if err != nil {
			t.Fatal(err)
		}
		response = one.perform(t, v, get, "get", fmt.Sprintf(`{"rpId":%q,"challenge":%q,"allowCredentials":[{"type":"public-key","id":%q}]}`,
			v.RPID, b64(one.Authentication.Challenge), b64(one.Registration.CredentialID)))
		want(t, response, "clientDataJSON", one.Authentication.ClientDataJSON)
		want(t, response, "authenticatorData", one.Authentication.AuthenticatorData)
		want(t, response, "signature", one.Authentication.Signature)
	})
}

func (v vector) perform(t *testing.T, all vectors, data *ClientData, kind, options string) map[string]any {
	t.Helper()
	agent := NewUserAgent(Config{TopOrigin: data.TopOrigin, ExtraClientData: data.Extra},
		Device{Name: "replay", Authenticator: replay{t, v}})
	perform := agent.Create
	if kind == "get" {
		perform = agent.Get
	}
	b, err := perform(t.Context(), all.Origin, []byte(options))
	if err != nil {
		t.Fatal(err)
	}
	var response struct{ Response map[string]any }
	if err := json.Unmarshal(b, &response); err != nil {
		t.Fatal(err)
	}
	return response.Response
}

func want(t *testing.T, response map[string]any, member string, value []byte) {
	t.Helper()
	if response[member] != b64(value) {
		t.Errorf("%s is %v, want %v", member, response[member], b64(value))
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// TestVectorsPRFSalts checks salts against testdata/prf_hmac_secret.json, the PRF
// test vectors of the same draft.
func TestVectorsPRFSalts(t *testing.T) {
	b, err := os.ReadFile("testdata/prf_hmac_secret.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Cases []struct {
			Name                        string
			First, Second, Salt1, Salt2 hexBytes
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		values := prfValues{First: base64URL(c.First), Second: base64URL(c.Second)}
		salt1, salt2 := values.salts()
		if !bytes.Equal(salt1, c.Salt1) || !bytes.Equal(salt2, c.Salt2) {
			t.Errorf("%s: salts %x and %x", c.Name, salt1, salt2)
		}
	}
}
