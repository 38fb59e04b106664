package webauthn

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// blobKeys are authenticators that keep large blobs: in an array, by a key; with the
// credential; and one that keeps none.
func blobKeys() (array, extension, none authenticator.Profile) {
	array, extension, none = securityKey(), phone(), securityKey()
	array.LargeBlobs, array.MaxLargeBlobs = true, 4096
	array.Extensions = append(array.Extensions, "largeBlobKey")
	extension.Extensions = append(extension.Extensions, "largeBlob")
	return array, extension, none
}

// results returns the client extension results of a response.
func (b *browser) results(response []byte, err error) map[string]any {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	var r struct {
		ClientExtensionResults map[string]any `json:"clientExtensionResults"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		b.t.Fatalf("%v in %s", err, response)
	}
	return r.ClientExtensionResults
}

// created registers with extensions, and returns the credential and their results.
func (b *browser) created(extensions, more string) (*credential, map[string]any) {
	b.t.Helper()
	response, err := b.Create(b.t.Context(), origin, merge(string(creationJSON(more)), `{"extensions":`+extensions+`}`))
	return read(b.t, must(b.t, response, err)), b.results(response, err)
}

func must(t testing.TB, response []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// got signs in with extensions and returns their results.
func (b *browser) got(extensions string, made ...*credential) map[string]any {
	b.t.Helper()
	return b.results(b.Get(b.t.Context(), origin, requestJSON("{"+listed("allowCredentials", made...)+`,"extensions":`+extensions+"}")))
}

func says(t testing.TB, what string, got map[string]any, wantJSON string) {
	t.Helper()
	var w map[string]any
	if err := json.Unmarshal([]byte(wantJSON), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, w) {
		t.Errorf("%s: %v, want %v", what, got, w)
	}
}

const residentKey = `{"authenticatorSelection":{"residentKey":"required"}}`

func TestLargeBlob(t *testing.T) {
	array, extension, _ := blobKeys()
	for name, c := range map[string]struct {
		profile authenticator.Profile
		pin     bool
	}{"in the array": {array, false}, "in the array, with a PIN": {array, true}, "with the credential": {extension, false}} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t, Config{}, device("key", newKey(t, c.profile)))
			if c.pin {
				if err := b.Host("key").SetPIN(t.Context(), "1234"); err != nil {
					t.Fatal(err)
				}
				b.pins = slices.Repeat([]string{"1234"}, 20)
			}
			made, out := b.created(`{"largeBlob":{"support":"required"}}`, residentKey)
			says(t, "created", out, `{"largeBlob":{"supported":true}}`)
			says(t, "nothing written", b.got(`{"largeBlob":{"read":true}}`, made), `{"largeBlob":{}}`)
			for _, blob := range []string{"Zmlyc3Q", "c2Vjb25k", ""} {
				says(t, "written", b.got(fmt.Sprintf(`{"largeBlob":{"write":%q}}`, blob), made), `{"largeBlob":{"written":true}}`)
				says(t, "read", b.got(`{"largeBlob":{"read":true}}`, made), fmt.Sprintf(`{"largeBlob":{"blob":%q}}`, blob))
			}
			says(t, "not asked for", b.got(`{"largeBlob":{"read":false}}`, made), `{}`)
			other, _ := b.created(`{"largeBlob":{}}`, `{"user":{"id":"Ym9i","name":"bob","displayName":"Bob"},"authenticatorSelection":{"residentKey":"required"}}`)
			says(t, "of another", b.got(`{"largeBlob":{"read":true}}`, other), `{"largeBlob":{}}`)
		})
	}
}

func TestLargeBlobUnverifiedWrite(t *testing.T) {
	array, _, _ := blobKeys()
	k := newKey(t, array)
	b := newBrowser(t, Config{}, device("key", k))
	made, _ := b.created(`{"largeBlob":{"support":"required"}}`, residentKey)
	if err := b.Host("key").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	nobody := NewUserAgent(Config{Rand: b.config.Rand}, device("key", k)) // who could type the PIN
	options := requestJSON("{" + listed("allowCredentials", made) + `,"userVerification":"discouraged","extensions":{"largeBlob":{"write":"YQ"}}}`)
	says(t, "without the PIN", b.results(nobody.Get(t.Context(), origin, options)), `{"largeBlob":{"written":false}}`)
	b.pins = []string{"1234"}
	says(t, "with it", b.results(b.Get(t.Context(), origin, options)), `{"largeBlob":{"written":true}}`)
}

func TestLargeBlobUnsupported(t *testing.T) {
	array, _, none := blobKeys()
	b := newBrowser(t, Config{}, device("key", newKey(t, none)))
	made, out := b.created(`{"largeBlob":{"support":"preferred"}}`, residentKey)
	says(t, "preferred", out, `{"largeBlob":{"supported":false}}`)
	says(t, "read", b.got(`{"largeBlob":{"read":true}}`, made), `{"largeBlob":{}}`)
	says(t, "write", b.got(`{"largeBlob":{"write":"YQ"}}`, made), `{"largeBlob":{"written":false}}`)
	_, err := b.Create(t.Context(), origin, creationJSON(`{"extensions":{"largeBlob":{"support":"required"}},"authenticatorSelection":{"residentKey":"required"}}`))
	wantError(t, err, NotAllowedError, "extensions.largeBlob.support")

	// The array is for discoverable credentials alone.
	b = newBrowser(t, Config{}, device("key", newKey(t, array)))
	_, err = b.Create(t.Context(), origin, creationJSON(`{"extensions":{"largeBlob":{"support":"required"}}}`))
	wantError(t, err, NotAllowedError, "extensions.largeBlob.support")
	_, out = b.created(`{"largeBlob":{"support":"unheard-of"}}`, `{}`)
	says(t, "an unknown value is preferred", out, `{"largeBlob":{"supported":false}}`)
}

func TestExtensionOptions(t *testing.T) {
	b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	const listed = `"allowCredentials":[{"type":"public-key","id":"YQ"}]`
	for _, c := range []struct{ get, options, error, member string }{
		{"", `{"extensions":{"largeBlob":{"read":true}}}`, NotSupportedError, "extensions.largeBlob.read"},
		{"", `{"extensions":{"largeBlob":{"read":false}}}`, NotSupportedError, "extensions.largeBlob.read"},
		{"", `{"extensions":{"largeBlob":{"write":"YQ"}}}`, NotSupportedError, "extensions.largeBlob.write"},
		{"", `{"extensions":{"largeBlob":{"write":"Y?"}}}`, EncodingError, "extensions.largeBlob.write"},
		{"", `{"extensions":{"largeBlob":true}}`, TypeError, "extensions.largeBlob"},
		{"", `{"extensions":{"credBlob":"Y?"}}`, EncodingError, "extensions.credBlob"},
		{"", `{"extensions":{"payment":{"isPayment":1}}}`, TypeError, "extensions.payment.isPayment"},
		{"", `{"extensions":{"appidExclude":"https://example.org/u2f"}}`, SecurityError, "extensions.appidExclude"},
		{"get", `{"extensions":{"largeBlob":{"support":"required"}}}`, NotSupportedError, "extensions.largeBlob.support"},
		{"get", `{` + listed + `,"extensions":{"largeBlob":{"read":true,"write":"YQ"}}}`, NotSupportedError, "extensions.largeBlob.write"},
		{"get", `{"extensions":{"largeBlob":{"write":"YQ"}}}`, NotSupportedError, "extensions.largeBlob.write"},
		{"get", `{"allowCredentials":[{"type":"public-key","id":"YQ"},{"type":"public-key","id":"Yg"}],"extensions":{"largeBlob":{"write":"YQ"}}}`, NotSupportedError, "extensions.largeBlob.write"},
		{"get", `{"extensions":{"appid":"http://login.example.com"}}`, SecurityError, "extensions.appid"},
		{"get", `{"extensions":{"appid":"https://example.org"}}`, SecurityError, "extensions.appid"},
		{"get", `{"extensions":{"appid":"https://com"}}`, SecurityError, "extensions.appid"},
		{"get", `{"extensions":{"appid":7}}`, TypeError, "extensions.appid"},
	} {
		var err error
		if c.get != "" {
			_, err = b.Get(t.Context(), origin, requestJSON(c.options))
		} else {
			_, err = b.Create(t.Context(), origin, creationJSON(c.options))
		}
		var e *Error
		if !errors.As(err, &e) || e.Name != c.error || e.Member != c.member {
			t.Errorf("%s: %v, want %s at %s", c.options, err, c.error, c.member)
		}
	}
	if sent := b.commands(); sent != "" {
		t.Errorf("sent %s", sent)
	}
}

func TestCredBlob(t *testing.T) {
	p := securityKey()
	p.Extensions = append(p.Extensions, "credBlob")
	b := newBrowser(t, Config{}, device("key", newKey(t, p)))
	made, out := b.created(`{"credBlob":"YmxvYg"}`, residentKey)
	says(t, "created", out, `{"credBlob":true}`)
	says(t, "got", b.got(`{"getCredBlob":true}`, made), `{"getCredBlob":"YmxvYg"}`)
	says(t, "not asked for", b.got(`{"getCredBlob":false}`, made), `{}`)
	made, out = b.created(`{"credBlob":"YmxvYg"}`, `{}`)
	says(t, "not discoverable", out, `{"credBlob":false}`)
	says(t, "none", b.got(`{"getCredBlob":true}`, made), `{"getCredBlob":""}`)
	_, out = b.created(fmt.Sprintf(`{"credBlob":"%044d"}`, 0), residentKey)
	says(t, "33 bytes", out, `{"credBlob":false}`)

	b = newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	made, out = b.created(`{"credBlob":"YmxvYg"}`, residentKey)
	says(t, "unsupported", out, `{"credBlob":false}`)
	says(t, "unsupported", b.got(`{"getCredBlob":true}`, made), `{}`)
}

func TestAuthenticatorExtensions(t *testing.T) {
	p := securityKey()
	p.Extensions = append(p.Extensions, "thirdPartyPayment", "uvm", "minPinLength")
	p.Config = true
	b := newBrowser(t, Config{}, device("key", newKey(t, p)))
	made, out := b.created(`{"payment":{"isPayment":true},"uvm":true,"minPinLength":true}`, `{}`)
	says(t, "created", out, `{"uvm":[[1,10,4]]}`)
	signed := func(d *ctap.AuthenticatorData) string {
		out, err := outputs(d)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", out)
	}
	if got, want := signed(made.data), fmt.Sprintf("%x", map[string][]byte{"thirdPartyPayment": {0xF5}, "uvm": {0x81, 0x83, 1, 10, 4}}); got != want {
		t.Errorf("authenticator data say %s, want %s", got, want)
	}
	response, err := b.Get(t.Context(), origin, requestJSON("{"+listed("allowCredentials", made)+`,"extensions":{"payment":{"isPayment":true}}}`))
	if got := signed(read(t, must(t, response, err)).data); got != fmt.Sprintf("%x", map[string][]byte{"thirdPartyPayment": {0xF5}}) {
		t.Errorf("authenticator data say %s", got)
	}
	says(t, "payment", b.results(response, err), `{}`)
	says(t, "no payment", b.got(`{"payment":{"isPayment":false}}`, made), `{}`)
}

const appID = "https://u2f.example.com/app-id.json"

// legacy makes a credential under the AppID, as a U2F page would have, and returns
// its id.
func legacy(t testing.TB, k *key) *credential {
	t.Helper()
	request, err := ctap.NewRequest(ctap.MakeCredential, &ctap.MakeCredentialRequest{
		ClientDataHash: make([]byte, 32), RP: &ctap.RelyingParty{ID: appID}, User: &ctap.User{ID: []byte("u")},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: -7, Type: ctap.PublicKeyCredential}},
	})
	response, err2 := k.Exchange(t.Context(), request)
	if err := errors.Join(err, err2); err != nil || response[0] != 0 {
		t.Fatalf("%x %v", response, err)
	}
	var made ctap.MakeCredentialResponse
	if err := ctap.DecodeLoose(response[1:], &made); err != nil {
		t.Fatal(err)
	}
	data, err := ctap.ParseAuthenticatorData(made.AuthData)
	if err != nil {
		t.Fatal(err)
	}
	return &credential{ID: b64(data.Attested.ID)}
}

func TestAppID(t *testing.T) {
	k, empty := newKey(t, securityKey()), newKey(t, securityKey())
	b := newBrowser(t, Config{}, device("empty", empty), device("key", k))
	old := legacy(t, k)
	now, _ := b.created(`{}`, `{}`)
	input := fmt.Sprintf(`{"appid":%q}`, appID)
	says(t, "a U2F credential", b.got(input, old), `{"appid":true}`)
	says(t, "a WebAuthn credential", b.got(input, now), `{"appid":false}`)
	says(t, "both", b.got(input, old, now), `{"appid":false}`)
	_, err := b.Get(t.Context(), origin, requestJSON("{"+listed("allowCredentials", old)+"}"))
	wantError(t, err, NotAllowedError, "")
	_, err = b.Get(t.Context(), origin, requestJSON("{"+listed("allowCredentials", old)+`,"extensions":{"appid":""}}`))
	wantError(t, err, NotAllowedError, "")
}

func TestAppIDExclude(t *testing.T) {
	k := newKey(t, securityKey())
	b := newBrowser(t, Config{}, device("key", k))
	old := legacy(t, k)
	k.asked = nil
	options := merge(string(creationJSON("{"+listed("excludeCredentials", old)+"}")), fmt.Sprintf(`{"extensions":{"appidExclude":%q}}`, appID))
	_, err := b.Create(t.Context(), origin, options)
	wantError(t, err, InvalidStateError, "extensions.appidExclude")
	if len(k.asked) != 1 {
		t.Errorf("%d touches before the page was told", len(k.asked))
	}
	_, out := b.created(fmt.Sprintf(`{"appidExclude":%q}`, appID), `{}`)
	says(t, "nothing to exclude", out, `{"appidExclude":true}`)
}

// TestEnterpriseAttestationRoundTrip has an authenticator that is capable of it, and
// enabled.
func TestEnterpriseAttestationRoundTrip(t *testing.T) {
	p := securityKey()
	p.Config, p.Enterprise.Capable = true, true
	k := newKey(t, p)
	request, err := ctap.NewRequest(ctap.Config, &ctap.ConfigRequest{SubCommand: ctap.EnableEnterpriseAttestation})
	response, err2 := k.Exchange(t.Context(), request)
	if err := errors.Join(err, err2); err != nil || response[0] != 0 {
		t.Fatalf("%x %v", response, err)
	}
	b := newBrowser(t, Config{EnterpriseRPIDs: []string{"login.example.com"}}, device("key", k))
	made := b.create(`{"attestation":"enterprise"}`)
	object, err := ParseAttestationObject(unb64(t, made.Response.AttestationObject))
	if err != nil || object.Format != "packed" {
		t.Errorf("%+v, %v", object, err)
	}
}
