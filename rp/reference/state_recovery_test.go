package reference_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fido-emu/identity/document"
	"fido-emu/identity/loop"
	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/identity/services"
	"fido-emu/identity/wallet"
	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/recovery"
)

// wire is what somebody sees who reads along, and the file as it was after each answer.
type wire struct {
	next     http.Handler
	file     string
	requests []*http.Request
	bodies   []string
	files    [][]byte
}

func (w *wire) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.requests, w.bodies = append(w.requests, r.Clone(context.Background())), append(w.bodies, string(body))
	at := len(w.files)
	w.files = append(w.files, nil)
	w.next.ServeHTTP(answer, r)
	w.files[at], _ = os.ReadFile(w.file)
}

// liar is the identity services, of which the presentation request service hands out what
// was presented before, where it is told to.
type liar struct {
	next   http.Handler
	before []byte
	lies   bool
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, "/presentations/") {
		l.next.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	l.next.ServeHTTP(answer, r)
	if !l.lies {
		l.before = answer.Body.Bytes()
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(l.before)
}

// stage is a relying party with account recovery, an account, and its owner with a wallet.
type stage struct {
	t       *testing.T
	network *loop.Network
	clock   *clock
	config  reference.Config
	where   services.Description
	liar    *liar
	who     *person.Person
	holder  *wallet.Wallet
	rand    *rand.ChaCha8
}

// Consent agrees.
func (s *stage) Consent(context.Context, *wallet.Asked) (bool, error) { return true, nil }

// Selfie is taken by daylight.
func (s *stage) Selfie(context.Context) ([]byte, error) {
	return services.Selfie(s.who, s.rand, person.Daylight)
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, network: loop.New(), rand: rand.NewChaCha8([32]byte{5})}
	_, s.clock = newCore(t, func(c *reference.Config) { s.config = *c })
	all, err := person.Shipped()
	s.ok(err)
	s.who, err = person.Find(all, "anna-eriksson")
	s.ok(err)
	served, err := services.New(services.Config{
		Now: s.clock.now, Rand: s.rand, Client: s.network.Client(), BaseURL: "https://id.example", Key: "k", AdminKey: "k",
		Tenant: "shop", Origin: origin, People: []*person.Person{s.who},
	})
	s.ok(err)
	s.liar = &liar{next: served}
	s.network.Handle("id.example", s.liar)
	s.where, err = served.Describe()
	s.ok(err)
	s.holder, err = wallet.New(wallet.Config{Now: s.clock.now, Rand: s.rand, Client: s.network.Client(), Person: s})
	s.ok(err)
	return s
}

func (s *stage) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// open serves what is kept in a directory.
func (s *stage) open(dir string) *wire {
	s.t.Helper()
	config := s.config
	inFiles(s.t, dir)(&config)
	core, err := reference.New(config)
	s.ok(err)
	s.ok(core.EnableRecovery(reference.RecoveryServices{
		Proofing: s.where.Proofing, ProofingKey: "k", Requests: s.where.Requests, RequestsKey: "k",
		Authority: s.where.Authority, Callback: origin, HTTP: s.network.Client(),
	}))
	w := &wire{next: remembering(s.t, core), file: config.State.Path()}
	s.network.Handle("login.example.com", w)
	return w
}

// browser is one in which nobody is signed in.
func (s *stage) browser() *reference.Adapter {
	a, err := reference.Dial(origin, reference.DialOptions{AdminToken: adminToken, HTTP: s.network.Client()})
	s.ok(err)
	return a
}

// prepare makes the account, and lets it be recovered.
func (s *stage) prepare(b *reference.Adapter) {
	s.t.Helper()
	ctx := s.t.Context()
	s.ok(b.SetIdentity(ctx, ada, rp.Identity{GivenName: s.who.Given, FamilyName: s.who.Family, Country: s.who.Country}))
	s.ok(b.SetRecoveryPolicy(ctx, rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{{
		Name: "all", Mode: recovery.Production, Revoke: recovery.RevokeAlways, Reuse: true, Providers: []rp.RecoveryProvider{{Name: "idemia"}},
	}}}))
	_, err := b.Register(ctx, ada, newToy(s.t))
	s.ok(err)
}

// prove gets the Verified ID into the wallet.
func (s *stage) prove(link string) {
	s.t.Helper()
	ctx := s.t.Context()
	passport, err := s.who.Document(person.Passport)
	s.ok(err)
	picture, err := document.Draw(s.who, passport)
	s.ok(err)
	a := &proofing.Applicant{Link: link, HTTP: s.network.Client()}
	s.ok(a.Start(ctx))
	_, err = a.Proceed(ctx, proofing.Person{Person: s.who, Pictures: [][]byte{picture}, Condition: person.Daylight, Rand: s.rand})
	s.ok(err)
	offer, err := a.Offer(ctx)
	s.ok(err)
	_, err = s.holder.Accept(ctx, offer.Link, offer.TxCode)
	s.ok(err)
}

// recover goes through a recovery from its start to a new passkey, and returns the client
// that has it.
func (s *stage) recover(b *reference.Adapter, ask rp.RecoveryAsk) *toy {
	s.t.Helper()
	ctx, key := s.t.Context(), newToy(s.t)
	c, err := b.StartRecovery(ctx, ada, ask)
	s.ok(err)
	if !ask.Reuse {
		s.prove(c.URL)
	}
	status, err := b.RecoveryStatus(ctx, c)
	s.ok(err)
	s.ok(s.holder.Present(ctx, status.URL))
	status, err = b.RecoveryStatus(ctx, c)
	s.ok(err)
	_, err = b.RedeemPass(ctx, ada, status.Pass)
	s.ok(err)
	_, err = b.Register(ctx, ada, key)
	s.ok(err)
	return key
}

// gains are the requests that let somebody in, or lead there.
var gains = []string{"/api/register/finish", "/api/signin/finish", "/api/recovery/redeem", "/api/recovery/status", reference.CallbackPath, "/api/prove/finish"}

// TestDiesInRecovery lets the relying party die after each of its answers. Whoever recorded
// everything until then gets nowhere with it; and after the last answer of each kind the
// owner begins again and gets in.
func TestDiesInRecovery(t *testing.T) {
	s := newStage(t)
	first := s.open(t.TempDir())
	b := s.browser()
	s.prepare(b)
	prepared := len(first.requests)
	s.recover(b, rp.RecoveryAsk{})
	if steps := len(first.requests) - prepared; steps < 8 {
		t.Fatalf("a recovery of %d requests", steps)
	}
	last := map[string]int{}
	for i, r := range first.requests {
		last[r.URL.Path] = i
	}
	for died := prepared; died < len(first.requests); died++ {
		dir := t.TempDir()
		s.ok(os.WriteFile(filepath.Join(dir, "relying-party.db"), first.files[died], 0o600))
		again := s.open(dir)
		for i, r := range first.requests[:died+1] {
			if !slices.Contains(gains, r.URL.Path) {
				continue
			}
			answer, body := visit(t, again, r.Method, r.URL.Path, first.bodies[i], "Api-Key", r.Header.Get("Api-Key"))
			if answer.StatusCode < 400 || answer.StatusCode >= 500 {
				t.Errorf("dead after %d answers: %s %s is answered with %d %s", died+1, r.Method, r.URL.Path, answer.StatusCode, body)
			}
		}
		if last[first.requests[died].URL.Path] != died {
			continue
		}
		b := s.browser()
		key := s.recover(b, rp.RecoveryAsk{Reuse: true})
		s.ok(b.SignOut(t.Context(), ada))
		_, err := b.SignIn(t.Context(), ada, key)
		s.ok(err)
		if left, err := b.PersonCredentials(t.Context(), ada); err != nil || len(left) != 1 {
			t.Errorf("dead after %d answers: %d passkeys are left (%v)", died+1, len(left), err)
		}
	}
}

// TestPresentationReplayedAfterRestart has the request service hand out, for a new case,
// what was presented to a process before.
func TestPresentationReplayedAfterRestart(t *testing.T) {
	s, dir := newStage(t), t.TempDir()
	w := s.open(dir)
	b := s.browser()
	s.prepare(b)
	s.recover(b, rp.RecoveryAsk{})
	elsewhere := t.TempDir()
	s.ok(os.WriteFile(filepath.Join(elsewhere, "relying-party.db"), w.files[len(w.files)-1], 0o600))
	s.open(elsewhere)
	s.liar.lies = true
	b = s.browser()
	c, err := b.StartRecovery(t.Context(), ada, rp.RecoveryAsk{Reuse: true})
	s.ok(err)
	s.ok(s.holder.Present(t.Context(), c.URL))
	status, err := b.RecoveryStatus(t.Context(), c)
	if err != nil || status.Reason != recovery.PresentationReplayed || status.Pass != "" {
		t.Errorf("the case is %+v, %v", status, err)
	}
}
