package reference_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/webauthn"
)

const (
	origin     = "https://login.example.com"
	adminToken = "correct horse battery staple"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// site is a relying party and an adapter to it.
type site struct {
	*reference.Adapter
	t     *testing.T
	ctx   context.Context
	core  *reference.Core
	clock *clock
}

var ada = rp.Person{Name: "ada@example.com", DisplayName: "Ada Lovelace"}

func newCore(t testing.TB, change ...func(*reference.Config)) (*reference.Core, *clock) {
	t.Helper()
	clk := &clock{at: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	config := reference.Config{
		RPID: "example.com", Name: "Example", Origins: []string{origin},
		Now: clk.now, Rand: rand.NewChaCha8([32]byte{7}), AdminToken: adminToken,
	}
	for _, f := range change {
		f(&config)
	}
	core, err := reference.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return core, clk
}

// inFiles keeps a relying party in a directory.
func inFiles(t testing.TB, dir string) func(*reference.Config) {
	t.Helper()
	kept, err := reference.OpenState(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() }) // a test may have closed it
	return func(c *reference.Config) { c.State = kept }
}

// remembers wants everything that is in memory to be in the file, and nothing else.
func remembers(t testing.TB, core *reference.Core, when string) {
	t.Helper()
	if differ, err := core.Forgotten(); err != nil || len(differ) > 0 {
		t.Errorf("%s: %v\n%s", when, err, strings.Join(differ, "\n"))
	}
}

// remembering is the handler of a core that remembers after every request.
func remembering(t testing.TB, core *reference.Core) http.Handler {
	h, busy := reference.Handler(core), new(sync.RWMutex)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		busy.RLock()
		h.ServeHTTP(w, r)
		busy.RUnlock()
		if busy.TryLock() { // with others under way there is nothing to compare
			defer busy.Unlock()
			remembers(t, core, "after "+r.Method+" "+r.URL.Path)
		}
	})
}

// restarted is a core that is made anew of what is in a directory.
func restarted(t testing.TB, dir string, config *reference.Config) *reference.Core {
	t.Helper()
	if err := config.State.Close(); err != nil {
		t.Fatal(err)
	}
	inFiles(t, dir)(config)
	core, err := reference.New(*config)
	if err != nil {
		t.Fatal(err)
	}
	remembers(t, core, "after a restart")
	return core
}

// each runs a test in process and over HTTP.
func each(t *testing.T, test func(s site), change ...func(*reference.Config)) {
	t.Run("in process", func(t *testing.T) {
		core, clk := newCore(t, change...)
		test(site{reference.InProcess(core, ""), t, t.Context(), core, clk})
	})
	t.Run("over HTTP, kept in files", func(t *testing.T) {
		dir, config := t.TempDir(), reference.Config{}
		core, clk := newCore(t, append(change, inFiles(t, dir), func(c *reference.Config) { config = *c })...)
		server := httptest.NewServer(remembering(t, core))
		t.Cleanup(func() {
			server.Close()
			restarted(t, dir, &config)
		})
		a, err := reference.Dial(server.URL, reference.DialOptions{Origin: origin, AdminToken: adminToken})
		if err != nil {
			t.Fatal(err)
		}
		test(site{a, t, t.Context(), core, clk})
	})
}

func (s site) register(p rp.Person, c webauthn.Client) rp.Credential {
	s.t.Helper()
	cr, err := s.Register(s.ctx, p, c)
	s.ok(err)
	return cr
}

func (s site) signIn(p rp.Person, c webauthn.Client) rp.Session {
	s.t.Helper()
	session, err := s.SignIn(s.ctx, p, c)
	s.ok(err)
	return session
}

func (s site) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s site) refused(err error, code string) {
	s.t.Helper()
	var no *rp.Refused
	if !errors.As(err, &no) || no.Code != code {
		s.t.Fatalf("got %v, want a refusal with code %s", err, code)
	}
	if no.Reason == "" {
		s.t.Errorf("refusal %s has no reason", code)
	}
}

// notAllowed wants the client to have found none of the passkeys that it was asked for.
func (s site) notAllowed(err error) {
	s.t.Helper()
	if !errors.Is(err, errNothing) {
		s.t.Fatalf("got %v, want %v", err, errNothing)
	}
}

func (s site) signedIn(p rp.Person, want bool) {
	s.t.Helper()
	got, err := s.SignedIn(s.ctx, p)
	s.ok(err)
	if got != want {
		s.t.Fatalf("SignedIn(%s) = %t, want %t", p.Name, got, want)
	}
}
