package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"fido-emu/webauthn"
)

//go:embed testdata/page.js
var pageScript string

// testPage serves a page with the script of the tests, and what body says.
func testPage(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>Test</title><script>%s</script>%s", pageScript, body)
	})
}

// visit opens a page in a tab of its own.
func visit(t *testing.T, address string, client webauthn.Client, o TabOptions) *Tab {
	t.Helper()
	ctx := inTime(t)
	tab, err := chromium(t).NewTab(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	tab.Use(client)
	if err := tab.Open(ctx, address); err != nil {
		t.Fatal(err)
	}
	return tab
}

// js returns the value of an expression on the page, as JSON.
func js(t *testing.T, tab *Tab, expression string) string {
	t.Helper()
	ctx, cancel := tab.within(inTime(t))
	defer cancel()
	got, err := tab.evaluate(ctx, expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// outcome is what create and get of page.js return.
type outcome struct {
	Name string
	DOM  bool
	Type bool
	Data struct {
		Type, Origin, TopOrigin string
		CrossOrigin             bool
	}
}

func outcomeOf(t *testing.T, tab *Tab, expression string) outcome {
	t.Helper()
	return decode(t, js(t, tab, expression))
}

func decode(t *testing.T, text string) (o outcome) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestShimLooksLikeTheBrowser(t *testing.T) {
	chromium(t)
	tab := visit(t, at("login.example.com", https(t, testPage(""))), newAgent(t, newKey(t, "key")), TabOptions{})
	if o := outcomeOf(t, tab, `create({extensions: {credProps: true, prf: {eval: {first: bytes("salt")}}}})`); o.Name != "" || o.Data.Type != webauthn.TypeCreate {
		t.Fatalf("create: %+v", o)
	}
	if o := outcomeOf(t, tab, `get({allowCredentials: [{type: "public-key", id: made.rawId}], extensions: {prf: {eval: {first: bytes("salt")}}}})`); o.Name != "" || o.Data.Type != webauthn.TypeGet {
		t.Fatalf("get: %+v", o)
	}
	for _, c := range []struct{ expression, want string }{
		{`made instanceof PublicKeyCredential && made instanceof Credential`, `true`},
		{`made.response instanceof AuthenticatorAttestationResponse`, `true`},
		{`used.response instanceof AuthenticatorAssertionResponse`, `true`},
		{`made.rawId instanceof ArrayBuffer && used.response.signature instanceof ArrayBuffer`, `true`},
		{`made.id === used.id && made.type`, `"public-key"`},
		{`made.authenticatorAttachment`, `"cross-platform"`},
		{`made.response.getTransports().length > 0`, `true`},
		{`made.response.getPublicKeyAlgorithm()`, `-7`},
		{`crypto.subtle.importKey("spki", made.response.getPublicKey(), {name: "ECDSA", namedCurve: "P-256"}, true, ["verify"]).then((k) => k.type)`, `"public"`},
		{`made.response.getAuthenticatorData().byteLength > 37`, `true`},
		{`JSON.parse(JSON.stringify(made)).response.attestationObject.length > 100`, `true`},
		{`JSON.parse(JSON.stringify(used)).rawId === made.id`, `true`},
		{`made.getClientExtensionResults().credProps.rk`, `true`},
		{`used.getClientExtensionResults().prf.results.first.byteLength`, `32`},
		{`new TextDecoder().decode(used.response.userHandle)`, `"ada"`},
		{`PublicKeyCredential.isConditionalMediationAvailable()`, `true`},
		{`PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()`, `true`},
		{`PublicKeyCredential.getClientCapabilities().then((c) => c.conditionalGet && c.signalUnknownCredential)`, `true`},
		{`PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse('{"challenge":"AAAA","rp":{"name":"x"},"user":{"id":"AAAA","name":"a","displayName":"a"},"pubKeyCredParams":[]}')).challenge.byteLength`, `3`},
		{`PublicKeyCredential.parseRequestOptionsFromJSON({challenge: "AAAA"}).challenge.byteLength`, `3`},
		{`navigator.credentials.get({password: true, mediation: "silent"})`, `null`},
		{`get({challenge: "text"}).then((o) => o.type)`, `true`},
		{`Object.keys(window).filter((n) => n.startsWith("fido_")).length`, `0`},
		{`create({excludeCredentials: [{type: "public-key", id: made.rawId}]}).then((o) => o.name)`, `"InvalidStateError"`},
	} {
		if got := js(t, tab, c.expression); got != c.want {
			t.Errorf("%s = %s, want %s", c.expression, got, c.want)
		}
	}
}

// failing is a client whose ceremonies end as its field says.
type failing struct{ err error }

func (f failing) Create(context.Context, string, []byte) ([]byte, error) { return nil, f.err }
func (f failing) Get(context.Context, string, []byte) ([]byte, error)    { return nil, f.err }

// waiting is a client whose user never answers.
type waiting struct{}

func (waiting) Create(ctx context.Context, _ string, _ []byte) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
func (w waiting) Get(ctx context.Context, o string, b []byte) ([]byte, error) {
	return w.Create(ctx, o, b)
}

func TestShimTellsErrorsByTheirNames(t *testing.T) {
	chromium(t)
	tab := visit(t, at("login.example.com", https(t, testPage(""))), nil, TabOptions{})
	for _, name := range []string{webauthn.NotAllowedError, webauthn.InvalidStateError, webauthn.ConstraintError, webauthn.NotSupportedError, webauthn.SecurityError, webauthn.TypeError, webauthn.EncodingError, webauthn.UnknownError} {
		tab.Use(failing{&webauthn.Error{Name: name, Message: "because"}})
		o := outcomeOf(t, tab, "get()")
		if o.Name != name || o.Type != (name == webauthn.TypeError) || o.DOM == o.Type {
			t.Errorf("%s: %+v", name, o)
		}
	}
	tab.Use(nil)
	if o := outcomeOf(t, tab, "create()"); o.Name != webauthn.NotAllowedError {
		t.Errorf("nobody at the page: %+v", o)
	}
}

func TestShimHeedsAbortSignals(t *testing.T) {
	chromium(t)
	tab := visit(t, at("login.example.com", https(t, testPage(""))), waiting{}, TabOptions{})
	for expression, want := range map[string]string{
		`get({}, {signal: AbortSignal.abort()})`:     "AbortError",
		`get({}, {signal: AbortSignal.timeout(50)})`: "TimeoutError",
		`(() => { const c = new AbortController(); const g = get({}, {signal: c.signal}); c.abort(); return g; })()`:                              "AbortError",
		`(async () => { const c = new AbortController(); get({}, {signal: c.signal}); const second = await get(); c.abort(); return second; })()`: "OperationError",
	} {
		if o := outcomeOf(t, tab, expression); o.Name != want {
			t.Errorf("%s: %+v, want %s", expression, o, want)
		}
	}
}

func TestConditionalMediationWaitsForSomebodyWhoWantsIt(t *testing.T) {
	chromium(t)
	agent := newAgent(t, newKey(t, "key"))
	tab := visit(t, at("login.example.com", https(t, testPage(""))), agent, TabOptions{})
	if o := outcomeOf(t, tab, "create()"); o.Name != "" {
		t.Fatalf("%+v", o)
	}
	js(t, tab, `void (window.later = get({}, {mediation: "conditional"}))`)
	if got := js(t, tab, `Promise.race([later, new Promise((r) => setTimeout(r, 200, "waits"))])`); got != `"waits"` {
		t.Errorf("without anybody wanting it: %s", got)
	}
	if err := tab.Autofill(inTime(t)); err != nil {
		t.Fatal(err)
	}
	if o := outcomeOf(t, tab, "later"); o.Data.Type != webauthn.TypeGet {
		t.Errorf("%+v", o)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tab.Autofill(ctx); err == nil {
		t.Error("there was a request where the page made none")
	}
	if o := outcomeOf(t, tab, `create({}, {mediation: "conditional"})`); o.Name != webauthn.NotAllowedError {
		t.Errorf("a passkey made without being asked for: %+v", o)
	}
}

// heeding is a client that keeps signals.
type heeding struct {
	failing
	got []Signal
}

func (h *heeding) Signal(_ context.Context, s Signal) error {
	h.got = append(h.got, s)
	return nil
}

func TestSignals(t *testing.T) {
	chromium(t)
	var told []Signal
	client := &heeding{}
	origin := at("login.example.com", https(t, testPage("")))
	tab := visit(t, origin, client, TabOptions{OnSignal: func(s Signal) { told = append(told, s) }})
	for _, c := range []struct{ call, want string }{
		{`signalUnknownCredential({rpId: "example.com", credentialId: "AAAA"})`, ""},
		{`signalAllAcceptedCredentials({rpId: "login.example.com", userId: "AAAA", allAcceptedCredentialIds: ["BBBB"]})`, ""},
		{`signalCurrentUserDetails({rpId: "example.com", userId: "AAAA", name: "ada", displayName: "Ada"})`, ""},
		{`signalUnknownCredential({rpId: "example.org", credentialId: "AAAA"})`, webauthn.SecurityError},
		{`signalUnknownCredential({rpId: "example.com", credentialId: "not base64!"})`, webauthn.TypeError},
		{`signalUnknownCredential({rpId: "example.com"})`, webauthn.TypeError},
		{`signalAllAcceptedCredentials({rpId: "example.com", userId: "AAAA"})`, webauthn.TypeError},
	} {
		if got := js(t, tab, `PublicKeyCredential.`+c.call+`.then(() => "", (e) => e.name)`); strings.Trim(got, `"`) != c.want {
			t.Errorf("%s: %s, want %q", c.call, got, c.want)
		}
	}
	if len(told) != 3 || len(client.got) != 3 || told[0].Origin != origin || client.got[2].Method != "signalCurrentUserDetails" {
		t.Errorf("told %d signals, the client %d; want 3 each", len(told), len(client.got))
	}
}
