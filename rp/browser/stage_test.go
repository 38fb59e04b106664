package browser

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cdpwebauthn "github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// staged opens a browser whose hosts are all on a stage that relays a test page. These
// origins are related to example.com.
func staged(t *testing.T, body string, related ...string) (*Browser, *stage) {
	t.Helper()
	chromium(t) // skips where there is none
	mux := http.NewServeMux()
	mux.Handle("/", testPage(body))
	mux.HandleFunc("/.well-known/webauthn", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"origins": ["%s"]}`, strings.Join(related, `", "`))
	})
	mux.HandleFunc("/unframed", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		testPage(body).ServeHTTP(w, r)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Origin")) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s, err := openStage("https://login.example.com", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Start(context.Background(), s.set(Config{StartFor: 2 * time.Minute}, true))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range []error{b.Close(), s.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return b, s
}

// tabIn opens a tab that is answered by a client, or by Chromium itself with an
// authenticator of its own.
func tabIn(t *testing.T, b *Browser, client webauthn.Client) *Tab {
	t.Helper()
	tab, err := b.NewTab(inTime(t), TabOptions{NoShim: client == nil})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tab.Close(); err != nil {
			t.Error(err)
		}
	})
	tab.Use(client)
	if client != nil {
		return tab
	}
	if _, err := chromedp.Call(tab.ctx, cdpwebauthn.Enable, cdpwebauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab.ctx, cdpwebauthn.AddVirtualAuthenticator, cdpwebauthn.AddVirtualAuthenticatorParams{Options: &cdpwebauthn.VirtualAuthenticatorOptions{
		Protocol: cdpwebauthn.AuthenticatorProtocolCtap2, Transport: cdpwebauthn.AuthenticatorTransportUsb,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}); err != nil {
		t.Fatal(err)
	}
	return tab
}

// TestOriginsAsChromiumJudgesThem asks our client and Chromium's own the same: from pages
// of many origins, related ones up to the sixth name among them.
func TestOriginsAsChromiumJudgesThem(t *testing.T) {
	b, s := staged(t, "", "https://example.de", "https://alpha.net", "https://bravo.net", "https://charlie.net", "https://delta.net", "https://echo.net", "https://www.alpha.org", "http://golf.net", "https://delta.net:8443")
	s.show("https://example.com")
	toStage := RelatedOrigins(toPort(s.tls.Addr().(*net.TCPAddr).Port))
	ours := tabIn(t, b, webauthn.NewUserAgent(webauthn.Config{Rand: rand.NewChaCha8([32]byte{4}), RelatedOrigins: toStage}, newKey(t, "key")))
	theirs := tabIn(t, b, nil)
	for _, c := range []struct{ origin, rpID, want string }{
		{"https://login.example.com", "example.com", ""},
		{"https://login.example.com:8443", "example.com", ""},
		{"https://login.example.com", "shop.example.com", webauthn.SecurityError},
		{"https://login.example.com", "com", webauthn.SecurityError},
		{"https://a.b.example.co.uk", "co.uk", webauthn.SecurityError},
		{"https://a.b.example.co.uk", "example.co.uk", ""},
		{"https://examp1e.com", "example.com", webauthn.SecurityError},
		{"https://example.de", "example.com", ""},
		{"https://www.example.de", "example.com", webauthn.SecurityError},
		{"https://delta.net", "example.com", ""},
		{"https://delta.net:8443", "example.com", ""},
		{"https://delta.net:8444", "example.com", webauthn.SecurityError},
		{"https://echo.net", "example.com", webauthn.SecurityError}, // the sixth name
		{"https://www.alpha.org", "example.com", ""},
	} {
		s.show(c.origin)
		for who, tab := range map[string]*Tab{"our client": ours, "Chromium": theirs} {
			if err := tab.Open(inTime(t), c.origin+"/"); err != nil {
				t.Fatal(c.origin, err)
			}
			if o := outcomeOf(t, tab, fmt.Sprintf("create({rp: {name: 'Test', id: %q}})", c.rpID)); o.Name != c.want || c.want == "" && o.Data.Origin != c.origin {
				t.Errorf("%s, %s at %s: %+v, want %q", who, c.rpID, c.origin, o, c.want)
			}
		}
	}
}

// TestFramesAsChromiumJudgesThem does so from frames of another site.
func TestFramesAsChromiumJudgesThem(t *testing.T) {
	b, s := staged(t, "")
	const top = "https://shop.example.net"
	s.surround(top)
	at := rp.Page{Origin: s.origin, Top: top}
	ours := tabIn(t, b, newAgent(t, newKey(t, "key")))
	theirs := tabIn(t, b, nil)
	for _, tab := range []*Tab{ours, theirs} {
		if err := tab.Open(inTime(t), s.origin+"/"); err != nil {
			t.Fatal(err)
		}
		if o := outcomeOf(t, tab, "create()"); o.Name != "" || o.Data.CrossOrigin {
			t.Fatalf("%+v", o)
		}
	}
	for _, c := range []struct {
		allow []string
		want  string
	}{
		{nil, webauthn.NotAllowedError},
		{[]string{"create"}, webauthn.NotAllowedError},
		{[]string{"get"}, ""},
		{[]string{"create", "get"}, ""},
	} {
		at.Allow = c.allow
		for who, tab := range map[string]*Tab{"our client": ours, "Chromium": theirs} {
			tab.place(at)
			if err := tab.openFramed(inTime(t), s.origin+"/", at); err != nil {
				t.Fatal(err)
			}
			if o := outcomeOf(t, tab, "get()"); o.Name != c.want || c.want == "" && (!o.Data.CrossOrigin || o.Data.TopOrigin != top || o.Data.Origin != s.origin) {
				t.Errorf("%s, allowed %v: %+v, want %q", who, c.allow, o, c.want)
			}
		}
	}
	err := theirs.openFramed(inTime(t), s.origin+"/unframed", at)
	if no, ok := err.(*rp.Refused); !ok || no.Code != "cross-origin" {
		t.Errorf("a page that forbids frames: %v", err)
	}
}

// TestStage looks at what is there, and at who a relayed site believes is asking.
func TestStage(t *testing.T) {
	b, s := staged(t, "")
	s.show("https://login.examp1e.com")
	s.show("http://login.examp1e.com")
	tab := tabIn(t, b, failing{})
	for _, origin := range []string{"https://login.example.com", "https://login.examp1e.com", "http://login.examp1e.com"} {
		if err := tab.Open(inTime(t), origin+"/"); err != nil {
			t.Fatal(err)
		}
		if got := js(t, tab, `fetch("/echo", {method: "POST"}).then((r) => r.text())`); got != `"`+s.origin+`"` {
			t.Errorf("at %s the site believes that %s asks", origin, got)
		}
		if got, want := js(t, tab, `isSecureContext`), fmt.Sprint(strings.HasPrefix(origin, "https")); got != want {
			t.Errorf("%s is a secure context: %s", origin, got)
		}
	}
	for _, address := range []string{"https://elsewhere.example.net/", "https://login.examp1e.com:8443/", "https://login.example.com/around"} {
		if err := tab.Open(inTime(t), address); err != nil {
			t.Fatal(err)
		}
		if got := js(t, tab, `document.body.innerText + document.title`); !strings.Contains(got, "There is nothing at") && !strings.Contains(got, "Test") || strings.Contains(address, "elsewhere") && !strings.Contains(got, "nothing") {
			t.Errorf("%s: %s", address, got)
		}
	}
}
