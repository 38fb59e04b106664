package webauthn

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/descope/virtualwebauthn"
)

const benchOrigin = "https://login.example.com"

// benchCreation and benchRequest are options as relying parties send them.
var benchCreation = []byte(`{"rp":{"name":"Example","id":"login.example.com"},"user":{"name":"ada@example.com","displayName":"Ada Lovelace",
"id":"YWRhYWRhYWRhYWRhYWRhYQ"},"challenge":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","pubKeyCredParams":[
{"type":"public-key","alg":-7},{"type":"public-key","alg":-35},{"type":"public-key","alg":-36},{"type":"public-key","alg":-257},
{"type":"public-key","alg":-8}],"timeout":300000,"authenticatorSelection":{"residentKey":"preferred","userVerification":"preferred"},
"attestation":"direct","extensions":{"credProps":true}}`)

func benchRequest(id []byte) []byte {
	return fmt.Appendf(nil, `{"challenge":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","timeout":300000,"rpId":"login.example.com",
"allowCredentials":[{"type":"public-key","id":%q,"transports":["usb"]}],"userVerification":"preferred"}`, base64.RawURLEncoding.EncodeToString(id))
}

func benchAgent(b *testing.B) *UserAgent {
	p := securityKey()
	p.MaxCredentials = 1 << 30
	return NewUserAgent(Config{Rand: rand.NewChaCha8([32]byte{1})}, device("key", newKey(b, p)))
}

func BenchmarkCreate(b *testing.B) {
	u := benchAgent(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Create(b.Context(), benchOrigin, benchCreation); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	u := benchAgent(b)
	response, err := u.Create(b.Context(), benchOrigin, benchCreation)
	if err != nil {
		b.Fatal(err)
	}
	var made struct{ ID string }
	if err := json.Unmarshal(response, &made); err != nil {
		b.Fatal(err)
	}
	options := benchRequest(unb64(b, made.ID))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Get(b.Context(), benchOrigin, options); err != nil {
			b.Fatal(err)
		}
	}
}

// The same with github.com/descope/virtualwebauthn, to compare.
var benchRP = virtualwebauthn.RelyingParty{ID: "login.example.com", Origin: benchOrigin}

func BenchmarkVirtualWebAuthnCreate(b *testing.B) {
	a := virtualwebauthn.NewAuthenticator()
	b.ReportAllocs()
	for b.Loop() {
		options, err := virtualwebauthn.ParseAttestationOptions(string(benchCreation))
		if err != nil {
			b.Fatal(err)
		}
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		virtualwebauthn.CreateAttestationResponse(benchRP, a, c, *options)
	}
}

func BenchmarkVirtualWebAuthnGet(b *testing.B) {
	a := virtualwebauthn.NewAuthenticator()
	c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	a.AddCredential(c)
	request := benchRequest(c.ID)
	b.ReportAllocs()
	for b.Loop() {
		options, err := virtualwebauthn.ParseAssertionOptions(string(request))
		if err != nil {
			b.Fatal(err)
		}
		virtualwebauthn.CreateAssertionResponse(benchRP, a, c, *options)
	}
}
