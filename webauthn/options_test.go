package webauthn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestMalformedCreationOptions(t *testing.T) {
	for _, c := range []struct{ name, options, error, member string }{
		{"rp missing", `{"rp":null}`, TypeError, "rp"},
		{"rp of another type", `{"rp":"example.com"}`, TypeError, "rp"},
		{"rp.name missing", `{"rp":{"id":"example.com"}}`, TypeError, "rp.name"},
		{"rp.name null", `{"rp":{"name":null}}`, TypeError, "rp.name"},
		{"rp.id of another type", `{"rp":{"name":"x","id":7}}`, TypeError, "rp.id"},
		{"rp.id empty", `{"rp":{"name":"x","id":""}}`, SecurityError, "rp.id"},
		{"user missing", `{"user":null}`, TypeError, "user"},
		{"user.id missing", `{"user":{"name":"a","displayName":"A"}}`, TypeError, "user.id"},
		{"user.id a number", `{"user":{"id":1,"name":"a","displayName":"A"}}`, TypeError, "user.id"},
		{"user.id bytes as a list", `{"user":{"id":[1],"name":"a","displayName":"A"}}`, TypeError, "user.id"},
		{"user.id padded", `{"user":{"id":"YQ==","name":"a","displayName":"A"}}`, EncodingError, "user.id"},
		{"user.id of the other alphabet", `{"user":{"id":"a+/_","name":"a","displayName":"A"}}`, EncodingError, "user.id"},
		{"user.id with a line break", `{"user":{"id":"YWRh\n","name":"a","displayName":"A"}}`, EncodingError, "user.id"},
		{"user.id empty", `{"user":{"id":"","name":"a","displayName":"A"}}`, TypeError, "user.id"},
		{"user.id too long", `{"user":{"id":"` + strings.Repeat("A", 88) + `","name":"a","displayName":"A"}}`, TypeError, "user.id"},
		{"user.name missing", `{"user":{"id":"YQ","displayName":"A"}}`, TypeError, "user.name"},
		{"user.displayName missing", `{"user":{"id":"YQ","name":"a"}}`, TypeError, "user.displayName"},
		{"challenge null", `{"challenge":null}`, TypeError, "challenge"},
		{"challenge not base64url", `{"challenge":"%%"}`, EncodingError, "challenge"},
		{"pubKeyCredParams null", `{"pubKeyCredParams":null}`, TypeError, "pubKeyCredParams"},
		{"pubKeyCredParams an object", `{"pubKeyCredParams":{}}`, TypeError, "pubKeyCredParams"},
		{"an element of another type", `{"pubKeyCredParams":[{"type":"public-key","alg":-7},5]}`, TypeError, "pubKeyCredParams[1]"},
		{"alg a string", `{"pubKeyCredParams":[{"type":"public-key","alg":"ES256"}]}`, TypeError, "pubKeyCredParams[0].alg"},
		{"alg missing", `{"pubKeyCredParams":[{"type":"public-key"}]}`, TypeError, "pubKeyCredParams[0].alg"},
		{"type missing", `{"pubKeyCredParams":[{"alg":-7}]}`, TypeError, "pubKeyCredParams[0].type"},
		{"no known type", `{"pubKeyCredParams":[{"type":"password","alg":-7}]}`, NotSupportedError, "pubKeyCredParams"},
		{"timeout a string", `{"timeout":"60000"}`, TypeError, "timeout"},
		{"excludeCredentials null", `{"excludeCredentials":null}`, TypeError, "excludeCredentials"},
		{"id of the second", `{"excludeCredentials":[{"type":"public-key","id":"YQ"},{"type":"public-key","id":"?"}]}`, EncodingError, "excludeCredentials[1].id"},
		{"id missing", `{"excludeCredentials":[{"type":"public-key"}]}`, TypeError, "excludeCredentials[0].id"},
		{"transports a string", `{"excludeCredentials":[{"type":"public-key","id":"YQ","transports":"usb"}]}`, TypeError, "excludeCredentials[0].transports"},
		{"transport a number", `{"excludeCredentials":[{"type":"public-key","id":"YQ","transports":["usb",3]}]}`, TypeError, "excludeCredentials[0].transports[1]"},
		{"selection a list", `{"authenticatorSelection":[]}`, TypeError, "authenticatorSelection"},
		{"userVerification a boolean", `{"authenticatorSelection":{"userVerification":true}}`, TypeError, "authenticatorSelection.userVerification"},
		{"requireResidentKey a string", `{"authenticatorSelection":{"requireResidentKey":"yes"}}`, TypeError, "authenticatorSelection.requireResidentKey"},
		{"hints a string", `{"hints":"security-key"}`, TypeError, "hints"},
		{"credProps a number", `{"extensions":{"credProps":1}}`, TypeError, "extensions.credProps"},
		{"prf without first", `{"extensions":{"prf":{"eval":{"second":"YQ"}}}}`, TypeError, "extensions.prf.eval.first"},
		{"prf not base64url", `{"extensions":{"prf":{"eval":{"first":"!"}}}}`, EncodingError, "extensions.prf.eval.first"},
		{"prf by credential", `{"extensions":{"prf":{"evalByCredential":{}}}}`, NotSupportedError, "extensions.prf.evalByCredential"},
		{"unknown protection", `{"extensions":{"credentialProtectionPolicy":"high"}}`, TypeError, "extensions.credentialProtectionPolicy"},
	} {
		b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
		t.Run(c.name, func(t *testing.T) {
			_, err := b.Create(t.Context(), origin, creationJSON(c.options))
			wantError(t, err, c.error, c.member)
			if sent := b.commands(); sent != "" {
				t.Errorf("sent %s", sent)
			}
		})
	}
}

func TestMalformedRequestOptions(t *testing.T) {
	for _, c := range []struct{ name, options, error, member string }{
		{"challenge missing", `{"challenge":null}`, TypeError, "challenge"},
		{"rpId null", `{"rpId":null}`, TypeError, "rpId"},
		{"allowCredentials an object", `{"allowCredentials":{}}`, TypeError, "allowCredentials"},
		{"id a number", `{"allowCredentials":[{"type":"public-key","id":1}]}`, TypeError, "allowCredentials[0].id"},
		{"type missing", `{"allowCredentials":[{"id":"YQ"}]}`, TypeError, "allowCredentials[0].type"},
		{"no known type", `{"allowCredentials":[{"type":"password","id":"YQ"}]}`, NotAllowedError, ""},
		{"prf without a list", `{"extensions":{"prf":{"evalByCredential":{"YQ":{"first":"YQ"}}}}}`, NotSupportedError, "extensions.prf.evalByCredential"},
		{"prf for another", `{"allowCredentials":[{"type":"public-key","id":"YQ"}],
			"extensions":{"prf":{"evalByCredential":{"Yg":{"first":"YQ"}}}}}`, SyntaxError, "extensions.prf.evalByCredential"},
		{"prf for nobody", `{"allowCredentials":[{"type":"public-key","id":"YQ"}],
			"extensions":{"prf":{"evalByCredential":{"":{"first":"YQ"}}}}}`, SyntaxError, "extensions.prf.evalByCredential"},
		{"prf by credential without first", `{"allowCredentials":[{"type":"public-key","id":"YQ"}],
			"extensions":{"prf":{"evalByCredential":{"YQ":{}}}}}`, TypeError, "extensions.prf.evalByCredential.YQ.first"},
	} {
		b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
		t.Run(c.name, func(t *testing.T) {
			_, err := b.Get(t.Context(), origin, requestJSON(c.options))
			wantError(t, err, c.error, c.member)
		})
	}
}

func TestNotJSON(t *testing.T) {
	u := NewUserAgent(Config{})
	for _, options := range []string{
		"", "{", `{"challenge":"YQ"`, `{"challenge":"YQ"} {}`, "{\"challenge\":\"\xFF\"}", `{"challenge":"YQ","challenge":"YQ"}`,
	} {
		_, err := u.Get(t.Context(), origin, []byte(options))
		var e *Error
		if !errors.As(err, &e) || e.Name != SyntaxError {
			t.Errorf("%q: %v", options, err)
		}
	}
	_, err := u.Create(t.Context(), origin, []byte(`{"publicKey":{}}`))
	if e := wantError(t, err, TypeError, "rp"); !strings.Contains(e.Message, "publicKey") {
		t.Errorf("no hint for options that are wrapped: %v", e)
	}
}

// TestTolerated is about what a page may say that nobody knows.
func TestTolerated(t *testing.T) {
	b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	made := b.create(`{"RP":5,"later":[{}],"timeout":null,"attestation":null,"hints":["telepathy"],
		"authenticatorSelection":{"residentKey":"maybe","userVerification":"sometimes","authenticatorAttachment":"implanted","requireResidentKey":true},
		"pubKeyCredParams":[{"type":"password","alg":1},{"type":"public-key","alg":-999},{"type":"public-key","alg":-7}],
		"excludeCredentials":[{"type":"password","id":"YQ","transports":["smoke",null]}],
		"extensions":{"later":{"x":1},"prf":null}}`)
	b.create(`{"pubKeyCredParams":[],"authenticatorSelection":null,"extensions":null}`)
	got := b.get(`{"userVerification":"sometimes","allowCredentials":[],"extensions":{"later":1}}`)
	got.verify(t, made)
	if got.ClientExtensionResults.PRF != nil {
		t.Error("PRF results that nobody asked for")
	}
}

func TestRPID(t *testing.T) {
	related := func(_ context.Context, rpID string) ([]string, error) {
		if rpID == "down.example" {
			return nil, errors.New("no answer")
		}
		return []string{
			"nonsense", "https://a.example", "https://a.example", "https://www.a.co.uk", "https://b.example",
			"https://c.example", "https://d.example", "https://e.example", "https://f.example", "https://late.a.example",
		}, nil
	}
	u := NewUserAgent(Config{RelatedOrigins: related})
	for _, c := range []struct{ origin, rpID, want string }{
		{"https://example.com", "", "example.com"},
		{"https://login.example.com:8443", "", "login.example.com"},
		{"https://login.example.com", "login.example.com", "login.example.com"},
		{"https://login.example.com", "example.com", "example.com"},
		{"https://a.b.example.co.uk", "example.co.uk", "example.co.uk"},
		{"http://localhost", "localhost", "localhost"},
		{"http://localhost:8080", "", "localhost"},
		{"http://app.localhost:8080", "", "app.localhost"},
		{"https://host", "host", "host"},
		{"https://e.example", "hub.example", "hub.example"},
		{"https://late.a.example", "hub.example", "hub.example"},

		{"https://f.example", "hub.example", ""}, // the sixth label
		{"https://a.example", "down.example", ""},
		{"https://login.example.com", "com", ""},
		{"https://a.b.example.co.uk", "co.uk", ""},
		{"https://a.b.example.co.uk", "uk", ""},
		{"https://user.github.io", "github.io", ""},
		{"https://login.example.com", "ample.com", ""},
		{"https://example.com", "login.example.com", ""},
		{"https://example.com", "Example.com", ""},
		{"https://example.com", "example.com.", ""},
		{"https://example.com", "", "example.com"},
		{"http://example.com", "", ""},
		{"https://192.0.2.1", "", ""},
		{"https://192.0.2.1", "192.0.2.1", ""},
		{"https://[2001:db8::1]", "", ""},
		{"https://1.2.3", "", ""},
		{"https://example.com/", "", ""},
		{"https://Example.com", "", ""},
		{"https://bücher.example", "", ""},
		{"https://example.com:443", "", ""},
		{"https://user@example.com", "", ""},
		{"https://", "", ""},
		{"https://example.com:", "", ""},
		{"https://example.com:08443", "", ""},
		{"https://example.com:65536", "", ""},
		{"https://example.com:1:2", "", ""},
		{"https://example.com?q", "", ""},
		{"https://a..b", "", ""},
		{"ftp://example.com", "", ""},
		{"null", "", ""},
		{"", "", ""},
	} {
		got, err := u.determineRPID(t.Context(), c.origin, text{c.rpID, c.rpID != ""}, "rpId")
		var e *Error
		if got != c.want || (c.want == "") != (errors.As(err, &e) && e.Name == SecurityError) {
			t.Errorf("origin %q, RP ID %q: %q, %v", c.origin, c.rpID, got, err)
		}
	}
}

func TestLookAlikeOrigin(t *testing.T) {
	b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	options := `{"rp":{"id":"example.com","name":"x"}}`
	b.create(options)
	b.commands()
	_, err := AtOrigin(b, "https://login.examp1e.com").Create(t.Context(), origin, creationJSON(options))
	if wantError(t, err, SecurityError, "rp.id"); b.commands() != "" {
		t.Error("a device was asked")
	}
}

func TestClientDataEscapes(t *testing.T) {
	data := ClientData{Type: TypeGet, Challenge: []byte{0xFB}, Origin: "a\"\\\n\x1f\x7f/é<&\u2028"}
	want := `{"type":"webauthn.get","challenge":"-w","origin":"a\"\\\u000a\u001f` + "\x7f/é<&\u2028" + `","crossOrigin":false}`
	if got := string(data.JSON()); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestErrorNames(t *testing.T) {
	err := error(&Error{Name: TypeError, Member: "user.id", Message: "has 65 bytes"})
	if got := err.Error(); got != "TypeError at user.id: has 65 bytes" {
		t.Error(got)
	}
}

func FuzzCreate(f *testing.F) {
	f.Add(creationJSON(`{"excludeCredentials":[{"type":"public-key","id":"YQ"}],"extensions":{"prf":{"eval":{"first":"YQ"}}}}`))
	f.Fuzz(func(t *testing.T, options []byte) {
		b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
		checkOutcome(t, options)(b.Create(t.Context(), origin, options))
	})
}

func FuzzGet(f *testing.F) {
	f.Add(requestJSON(`{"allowCredentials":[{"type":"public-key","id":"YQ"}],"extensions":{"prf":{"evalByCredential":{"YQ":{"first":"YQ"}}}}}`))
	f.Fuzz(func(t *testing.T, options []byte) {
		b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
		checkOutcome(t, options)(b.Get(t.Context(), origin, options))
	})
}

// checkOutcome wants a response that is JSON, or an *Error, and nothing that
// points at the client itself.
func checkOutcome(t *testing.T, options []byte) func([]byte, error) {
	return func(response []byte, err error) {
		var e *Error
		if err == nil && !json.Valid(response) || err != nil && (!errors.As(err, &e) || e.Name == UnknownError) {
			t.Errorf("%s: %s, %v", options, response, err)
		}
	}
}

func FuzzClientData(f *testing.F) {
	f.Add([]byte(`{"type":"webauthn.get","challenge":"YQ","origin":"https://example.com","crossOrigin":true,"x":[1]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseClientData(b)
		if err != nil {
			return
		}
		again, err := ParseClientData(c.JSON())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(c) {
			t.Errorf("%s reads as %+v, written and read again as %+v, %v", b, c, again, err)
		}
	})
}

func FuzzAttestationObject(f *testing.F) {
	f.Add((&AttestationObject{"none", []byte{0xA0}, make([]byte, 37)}).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		object, err := ParseAttestationObject(b)
		if err != nil {
			return
		}
		again, err := ParseAttestationObject(object.Encode())
		if err != nil || !bytes.Equal(again.AuthData, object.AuthData) || again.Format != object.Format {
			t.Errorf("%x does not survive: %v", b, err)
		}
	})
}
