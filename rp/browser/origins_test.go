package browser

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fido-emu/webauthn"
)

// TestOriginsThatDiffer asks for passkeys from pages all over the place: what the client
// data says is where the page is.
func TestOriginsThatDiffer(t *testing.T) {
	chromium(t)
	related := `{"origins": ["https://example.org:%d", "https://login.example.com"]}`
	var port int
	document := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, related, port)
	})
	mux := http.NewServeMux()
	mux.Handle("/", testPage(""))
	mux.Handle("/.well-known/webauthn", document)
	port = https(t, mux)
	other := https(t, mux)
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	local := plain.Listener.Addr().(*net.TCPAddr).Port

	for _, c := range []struct{ name, origin, rpID, want string }{
		{"the domain itself", at("login.example.com", port), "login.example.com", ""},
		{"a registrable suffix", at("login.example.com", port), "example.com", ""},
		{"a port apart", at("login.example.com", other), "login.example.com", ""},
		{"a sibling", at("shop.example.com", port), "login.example.com", webauthn.SecurityError},
		{"a look-alike", at("examp1e.com", port), "example.com", webauthn.SecurityError},
		{"a related origin", at("example.org", port), "example.com", ""},
		{"a related origin, a port apart", at("example.org", other), "example.com", webauthn.SecurityError},
		{"http on loopback", fmt.Sprintf("http://localhost:%d", local), "localhost", ""},
		{"http below localhost", fmt.Sprintf("http://shop.localhost:%d", local), "shop.localhost", ""},
		{"http on an address", fmt.Sprintf("http://127.0.0.1:%d", local), "127.0.0.1", webauthn.SecurityError},
	} {
		t.Run(c.name, func(t *testing.T) {
			agent := webauthn.NewUserAgent(webauthn.Config{Rand: rand.NewChaCha8([32]byte{2}), RelatedOrigins: RelatedOrigins(toPort(port))}, newKey(t, "key"))
			tab := visit(t, c.origin, agent, TabOptions{})
			js(t, tab, `Object.defineProperty(window, "origin", {value: "https://login.example.com"}) && 0`) // what a page says of itself does not count
			for _, call := range []string{"create({rp: {name: 'Test', id: %q}})", "get({rpId: %q})"} {
				o := outcomeOf(t, tab, fmt.Sprintf(call, c.rpID))
				if o.Name != c.want || c.want == "" && (o.Data.Origin != c.origin || o.Data.CrossOrigin) {
					t.Errorf(call+": %+v, want %q from %s", c.rpID, o, c.want, c.origin)
				}
			}
		})
	}
}

// toPort returns a transport that finds all hosts at a port of loopback.
func toPort(port int) http.RoundTripper {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", port))
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // of the test's own server
	}
}

func TestPagesWithoutASecureContextHaveNoPasskeys(t *testing.T) {
	chromium(t)
	plain := httptest.NewServer(testPage(""))
	t.Cleanup(plain.Close)
	tab := visit(t, fmt.Sprintf("http://shop.example.com:%d", plain.Listener.Addr().(*net.TCPAddr).Port), waiting{}, TabOptions{})
	if got := js(t, tab, `typeof PublicKeyCredential + typeof navigator.credentials`); got != `"undefinedundefined"` {
		t.Errorf("got %s", got)
	}
}

func TestFramesOfOtherOrigins(t *testing.T) {
	chromium(t)
	inner := https(t, testPage(`<button id="make" onclick="create().then((o) => document.title = o.name || 'made')">Make</button>`))
	frame := at("login.example.com", inner)
	for _, c := range []struct {
		name, allow, call, want string
	}{
		{"not allowed to get", "", "get()", webauthn.NotAllowedError},
		{"allowed to get", "publickey-credentials-get", "get()", ""},
		{"allowed to get only", "publickey-credentials-get", "create()", webauthn.NotAllowedError},
		{"allowed to create, not used", "publickey-credentials-create", "create()", webauthn.NotAllowedError},
	} {
		t.Run(c.name, func(t *testing.T) {
			agent := newAgent(t, newKey(t, "key"))
			if _, err := agent.Create(t.Context(), frame, []byte(`{"challenge":"AAAA","rp":{"name":"x"},"user":{"id":"AAAA","name":"a","displayName":"a"},"pubKeyCredParams":[{"type":"public-key","alg":-7}],"authenticatorSelection":{"residentKey":"required"}}`)); err != nil {
				t.Fatal(err)
			}
			top := at("embedder.example.net", https(t, testPage(fmt.Sprintf(`<iframe src=%q allow=%q></iframe>`, frame, c.allow))))
			tab := visit(t, top, agent, TabOptions{})
			o := inFrame(t, tab, c.call)
			if o.Name != c.want || c.want == "" && (o.Data.Origin != frame || !o.Data.CrossOrigin || o.Data.TopOrigin != top) {
				t.Errorf("%+v, want %q, of %s within %s", o, c.want, frame, top)
			}
		})
	}
	t.Run("allowed to create, just used", func(t *testing.T) {
		top := at("embedder.example.net", https(t, testPage(fmt.Sprintf(`<iframe src=%q allow="publickey-credentials-create"></iframe>`, frame))))
		tab := visit(t, top, newAgent(t, newKey(t, "key")), TabOptions{})
		e := awaitIn(t, tab, &place{css: "#make", frames: []string{"iframe"}})
		if err := e.click(inTime(t)); err != nil {
			t.Fatal(err)
		}
		for inFrameText(t, tab, "document.title") == `"Test"` { // bounded by the test's time
		}
		ended := tab.Ended()
		if len(ended) != 1 || ended[0].Err != nil || ended[0].TopOrigin != top || ended[0].Origin != frame {
			t.Errorf("%+v", ended)
		}
	})
}

func TestFramesOfTheSameOrigin(t *testing.T) {
	chromium(t)
	mux := http.NewServeMux()
	mux.Handle("/inner", testPage(""))
	mux.Handle("/", testPage(`<iframe src="/inner"></iframe>`))
	origin := at("login.example.com", https(t, mux))
	tab := visit(t, origin, newAgent(t, newKey(t, "key")), TabOptions{})
	if o := inFrame(t, tab, "create()"); o.Data.Origin != origin || o.Data.CrossOrigin || o.Data.TopOrigin != "" {
		t.Errorf("%+v", o)
	}
}

func awaitIn(t *testing.T, tab *Tab, p *place) (e *element) {
	t.Helper()
	err := tab.until(inTime(t), func(ctx context.Context) (bool, error) {
		var err error
		e, err = tab.find(ctx, p, false)
		return e != nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// inFrameText evaluates an expression in the page's frame.
func inFrameText(t *testing.T, tab *Tab, expression string) string {
	t.Helper()
	ctx, cancel := tab.within(inTime(t))
	defer cancel()
	awaitIn(t, tab, &place{css: "body", frames: []string{"iframe"}})
	frame, err := tab.frame(ctx, []string{"iframe"})
	if err != nil || frame == "" {
		t.Fatal("the frame:", err)
	}
	got, err := tab.evaluateIn(ctx, frame, expression)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func inFrame(t *testing.T, tab *Tab, call string) outcome {
	t.Helper()
	return decode(t, inFrameText(t, tab, call))
}

func TestRelatedOriginsDocument(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		kind, body string
		want       string
	}{
		"in order":          {200, "application/json; charset=utf-8", `{"origins":["https://a.example"]}`, ""},
		"not found":         {404, "application/json", `{"origins":[]}`, "status 404"},
		"another type":      {200, "text/html", `{"origins":[]}`, "text/html"},
		"no origins":        {200, "application/json", `{}`, "no origins"},
		"no JSON":           {200, "application/json", `origins`, "the document"},
		"far too much":      {200, "application/json", strings.Repeat(" ", maxRelated+1), "more than"},
		"redirect to plain": {302, "application/json", ``, "not https"},
	} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.Header().Set("Location", "http://example.com/")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		got, err := RelatedOrigins(toPort(s.Listener.Addr().(*net.TCPAddr).Port))(t.Context(), "example.com")
		s.Close()
		if c.want == "" && (err != nil || len(got) != 1) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, %v; want %q", name, got, err, c.want)
		}
	}
}
