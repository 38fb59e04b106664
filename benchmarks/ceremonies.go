package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/descope/virtualwebauthn"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/fixtures"
	"fido-emu/webauthn"
)

const (
	rpID   = "example.com"
	origin = "https://login.example.com"
)

// newAuthenticator returns a software authenticator with self attestation: a
// registration is one key and one signature.
func newAuthenticator() (*authenticator.Authenticator, error) {
	p, err := fixtures.Lookup("security-key")
	if err != nil {
		return nil, err
	}
	profile := p.Profile
	profile.Attestation = authenticator.SelfAttestation
	return authenticator.New(profile, authenticator.Env{
		Now: time.Now, Rand: rand.Reader, User: authenticator.Consenting{}, Keys: softkeys.New(rand.Reader, false),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(0),
	})
}

func exchange(a ctap.Authenticator, request []byte) ([]byte, error) {
	response, err := a.Exchange(context.Background(), request)
	if err != nil {
		return nil, err
	}
	if status := ctap.Status(response[0]); status != ctap.OK {
		return nil, status
	}
	return response[1:], nil
}

// signFloor is one signature with a key that is there; registerFloor makes the key,
// too.
func registerFloor() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	return signFloor(key)
}

func signFloor(key *ecdsa.PrivateKey) error {
	digest := sha256.Sum256([]byte("authenticator data and client data hash"))
	_, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	return err
}

func creation(user string) *ctap.MakeCredentialRequest {
	hash := sha256.Sum256([]byte("client data"))
	return &ctap.MakeCredentialRequest{
		ClientDataHash: hash[:], RP: &ctap.RelyingParty{ID: rpID, Name: "Example"},
		User:             &ctap.User{ID: []byte(user), Name: user, DisplayName: "Ada Lovelace"},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: int(cose.ES256), Type: ctap.PublicKeyCredential}},
		Options:          map[string]bool{"rk": true},
	}
}

func measureCBOR(_ context.Context, e effort) ([]row, error) {
	a, err := newAuthenticator()
	if err != nil {
		return nil, err
	}
	register, err := ctap.NewRequest(ctap.MakeCredential, creation("ada"))
	if err != nil {
		return nil, err
	}
	if _, err := exchange(a, register); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte("client data"))
	assert, err := ctap.NewRequest(ctap.GetAssertion, &ctap.GetAssertionRequest{RPID: rpID, ClientDataHash: hash[:]})
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	one, err := against(e, "registration, CBOR", "floor is a P-256 key and one signature by ecdsa.SignASN1; ours is RFC 6979, which needs less randomness", 1.25,
		func() error { _, err := exchange(a, register); return err }, registerFloor)
	if err != nil {
		return nil, err
	}
	two, err := against(e, "assertion, CBOR", "floor is one P-256 signature by ecdsa.SignASN1; ours is RFC 6979, which needs less randomness", 1.25,
		func() error { _, err := exchange(a, assert); return err }, func() error { return signFloor(key) })
	return []row{one, two}, err
}

// The options that both clients get, as a relying party sends them.
const (
	creationOptions = `{"rp":{"id":"example.com","name":"Example"},` +
		`"user":{"id":"YWRh","name":"ada@example.com","displayName":"Ada Lovelace"},` +
		`"challenge":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE",` +
		`"pubKeyCredParams":[{"type":"public-key","alg":-7}],"timeout":300000,"attestation":"direct",` +
		`"authenticatorSelection":{"residentKey":"required","userVerification":"discouraged"}}`
	requestOptions = `{"challenge":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE","timeout":300000,` +
		`"rpId":"example.com","allowCredentials":[{"type":"public-key","id":"%s"}],"userVerification":"discouraged"}`
)

// measureJSON compares the whole client with descope/virtualwebauthn on the same
// options, and with the cryptography alone.
func measureJSON(ctx context.Context, e effort) ([]row, error) {
	a, err := newAuthenticator()
	if err != nil {
		return nil, err
	}
	agent := webauthn.NewUserAgent(webauthn.Config{Rand: rand.Reader}, webauthn.Device{Name: "key", Authenticator: a})
	register := func() error { _, err := agent.Create(ctx, origin, []byte(creationOptions)); return err }
	made, err := agent.Create(ctx, origin, []byte(creationOptions))
	if err != nil {
		return nil, err
	}
	var credential struct{ ID string }
	if err := json.Unmarshal(made, &credential); err != nil {
		return nil, err
	}
	ourOptions := fmt.Sprintf(requestOptions, credential.ID)
	assert := func() error { _, err := agent.Get(ctx, origin, []byte(ourOptions)); return err }
	// Later registrations replace the credential, so assertions are measured first.
	theirs := newVirtual()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, m := range []struct {
		name, note  string
		target      float64
		ours, floor func() error
	}{
		{"assertion, JSON / virtualwebauthn", "floor is descope/virtualwebauthn on the same options", 0.67, assert, theirs.assert},
		{"assertion, JSON", "floor is one P-256 signature", 0, assert, func() error { return signFloor(key) }},
		{"registration, JSON / virtualwebauthn", "floor is descope/virtualwebauthn on the same options", 0.67, register, theirs.register},
		{"registration, JSON", "floor is a P-256 key and one signature", 0, register, registerFloor},
	} {
		r, err := against(e, m.name, m.note, m.target, m.ours, m.floor)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// virtual is descope/virtualwebauthn with one credential.
type virtual struct {
	rp            virtualwebauthn.RelyingParty
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
	options       string
}

func newVirtual() *virtual {
	v := &virtual{
		rp:            virtualwebauthn.RelyingParty{ID: rpID, Name: "Example", Origin: origin},
		authenticator: virtualwebauthn.NewAuthenticator(),
		credential:    virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
	v.authenticator.AddCredential(v.credential)
	v.options = fmt.Sprintf(requestOptions, base64.RawURLEncoding.EncodeToString(v.credential.ID))
	return v
}

func (v *virtual) register() error {
	options, err := virtualwebauthn.ParseAttestationOptions(creationOptions)
	if err != nil {
		return err
	}
	credential := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	virtualwebauthn.CreateAttestationResponse(v.rp, v.authenticator, credential, *options)
	return nil
}

func (v *virtual) assert() error {
	options, err := virtualwebauthn.ParseAssertionOptions(v.options)
	if err != nil {
		return err
	}
	if v.authenticator.FindAllowedCredential(*options) == nil {
		return fmt.Errorf("virtualwebauthn does not find its credential")
	}
	virtualwebauthn.CreateAssertionResponse(v.rp, v.authenticator, v.credential, *options)
	return nil
}
