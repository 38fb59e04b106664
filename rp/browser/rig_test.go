package browser

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/fixtures"
	"fido-emu/rp/reference"
	"fido-emu/webauthn"
)

// shared is the one Chromium of these tests.
var shared struct {
	once    sync.Once
	browser *Browser
	keys    *certificates
	err     error
	said    strings.Builder
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.browser != nil {
		if err := shared.browser.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// chromium returns the browser of these tests. Its hosts are on loopback.
func chromium(t *testing.T) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Chromium")
	}
	shared.once.Do(func() {
		if shared.keys, shared.err = newCertificates(); shared.err != nil {
			return
		}
		hosts := map[string]string{}
		for _, h := range names {
			hosts[h] = "127.0.0.1"
		}
		shared.browser, shared.err = Start(context.Background(), Config{Hosts: hosts, Keys: []string{shared.keys.pin}, StartFor: 2 * time.Minute})
	})
	if errors.Is(shared.err, ErrNoBrowser) {
		t.Skip(shared.err)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.browser
}

// inTime returns the context of a test.
func inTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

type willing struct{}

func (willing) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

func (willing) Verify(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// newKey returns a key that verifies its user.
func newKey(t *testing.T, name string) webauthn.Device {
	t.Helper()
	random := rand.NewChaCha8([32]byte{byte(len(name)), name[0]})
	models, err := fixtures.Profiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if m.Name != "biometric-key" {
			continue
		}
		keys := softkeys.New(random, false)
		authority, err := attestation.NewAuthority("Test Root", random, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		attests, err := authority.Attestation(string(m.AttestedBy), attestation.Model{AAGUID: m.AAGUID, Title: m.Title}, keys)
		if err != nil {
			t.Fatal(err)
		}
		key, err := authenticator.New(m.Profile, authenticator.Env{
			Now: time.Now, Rand: random, User: willing{}, Keys: keys, Attestation: attests,
			Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(m.CredentialLimit()),
		})
		if err != nil {
			t.Fatal(err)
		}
		return webauthn.Device{Name: name, Authenticator: key}
	}
	t.Fatal("there is no such model")
	return webauthn.Device{}
}

func newAgent(t *testing.T, devices ...webauthn.Device) *webauthn.UserAgent {
	return webauthn.NewUserAgent(webauthn.Config{Rand: rand.NewChaCha8([32]byte{1})}, devices...)
}

// serveReference runs the reference relying party until the test ends and returns the
// settings of its description.
func serveReference(t *testing.T) map[string]string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	page := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	core, err := reference.New(reference.Config{RPID: "localhost", Origins: []string{page}, AdminToken: "administrator's token"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- reference.Serve(ctx, l, core) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return map[string]string{"address": "http://" + l.Addr().String(), "page": page, "domain": "localhost", "admin-token": "administrator's token"}
}
