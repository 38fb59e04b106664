package browser

import (
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdpwebauthn "github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"fido-emu/rp"
)

// openPage opens a site of one page, with these sections of browser.
func openPage(t *testing.T, body, sections string) (rp.RelyingParty, string) {
	t.Helper()
	server := httptest.NewServer(testPage(body))
	t.Cleanup(server.Close)
	port := server.Listener.Addr().(*net.TCPAddr).Port
	source := fmt.Sprintf("name: Test\nbases: {site: \"http://localhost:%d\"}\nbrowser:\n  within: 1s\n%s", port, sections)
	d, err := LoadBytes("test.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	shots := t.TempDir()
	s, err := d.Open(inTime(t), Options{Browser: chromium(t), Screenshots: shots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, shots
}

func TestErrorsSayWhatThePageSaid(t *testing.T) {
	s, shots := openPage(t, `<h1>Under repair</h1><script>console.error("out of order")</script>`, "  sign-in:\n    steps:\n      - open: /\n      - click: {text: Sign in}\n")
	_, err := s.SignIn(inTime(t), rp.Person{Name: "ada"}, waiting{})
	var broken *rp.Broken
	if !errors.As(err, &broken) {
		t.Fatal(err)
	}
	pictures, _ := filepath.Glob(filepath.Join(shots, "*failed.png"))
	for _, want := range append([]string{"test.yaml:8:9", `click "Sign in"`, "not within 1s", `"Test"`, "Under repair", "out of order", "http://localhost:"}, pictures...) {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if len(pictures) != 1 {
		t.Errorf("%d pictures", len(pictures))
	} else if b, err := os.ReadFile(pictures[0]); err != nil || !strings.HasPrefix(string(b), "\x89PNG") {
		t.Error("the picture is none:", err)
	}
}

func TestPagesThatSayNo(t *testing.T) {
	s, _ := openPage(t, `<p class="error">Your passkey was revoked.</p>`, "  refused: {css: .error, codes: {expired: expired, revoked: revoked}}\n  sign-in:\n    steps:\n      - open: /\n      - wait: \"#welcome\"\n")
	_, err := s.SignIn(inTime(t), rp.Person{Name: "ada"}, waiting{})
	var no *rp.Refused
	if !errors.As(err, &no) || no.Code != "revoked" || no.Reason != "Your passkey was revoked." {
		t.Errorf("%v", err)
	}
}

// TestWithoutTheShim leaves ceremonies to Chromium, with an authenticator of its own.
func TestWithoutTheShim(t *testing.T) {
	server := httptest.NewServer(testPage(""))
	t.Cleanup(server.Close)
	tab := visit(t, fmt.Sprintf("http://localhost:%d", server.Listener.Addr().(*net.TCPAddr).Port), nil, TabOptions{NoShim: true})
	if _, err := chromedp.Call(tab.ctx, cdpwebauthn.Enable, cdpwebauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab.ctx, cdpwebauthn.AddVirtualAuthenticator, cdpwebauthn.AddVirtualAuthenticatorParams{Options: &cdpwebauthn.VirtualAuthenticatorOptions{
		Protocol: cdpwebauthn.AuthenticatorProtocolCtap2, Transport: cdpwebauthn.AuthenticatorTransportUsb,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}); err != nil {
		t.Fatal(err)
	}
	if o := outcomeOf(t, tab, "create()"); o.Name != "" || o.Data.Type != "webauthn.create" {
		t.Errorf("%+v", o)
	}
	if got := js(t, tab, "navigator.credentials.create.toString().includes('native code')"); got != "true" {
		t.Error("navigator.credentials.create is not Chromium's own")
	}
	if len(tab.Ended()) > 0 {
		t.Error("the harness took part")
	}
}
