package request_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/identity/request"
	"fido-emu/identity/wallet"
)

// TestCallbacksAreTriedAgain: in their order, at growing distances, and then no more.
func TestCallbacksAreTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	w.refuse = 4
	if err := w.wallet.Present(t.Context(), w.create(t, nil).URL); err != nil {
		t.Fatal(err)
	}
	if got := w.statuses(); got != "" {
		t.Fatalf("told while refusing: %s", got)
	}
	var waits []time.Duration
	for range 10 {
		next, err := w.service.Deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if next.IsZero() {
			break
		}
		waits = append(waits, next.Sub(w.clock.now))
		w.clock.now = next
	}
	if got := w.statuses(); got != "request_retrieved presentation_verified" {
		t.Error(got)
	}
	// The first try came while the wallet was served; the second event waits for the first.
	if want := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
}

func TestCallbacksAreGivenUp(t *testing.T) {
	w := newWorld(t)
	w.net.Down("rp.test")
	open(t, w, w.create(t, nil).URL)
	start := w.clock.now
	for range 10 {
		next, err := w.service.Deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if next.IsZero() {
			break
		}
		w.clock.now = next
	}
	left := w.service.Undelivered()
	if len(left) != 1 || !left[0].GivenUp || left[0].Tries != 6 || !strings.Contains(left[0].LastError, "connection refused") {
		t.Errorf("%+v", left)
	}
	if got := w.clock.now.Sub(start); got != 12*time.Minute+36*time.Second {
		t.Errorf("given up after %s", got)
	}
}

// TestServiceDiesInTheMiddle: after each change in turn, the service that is restored
// goes on where it was.
func TestServiceDiesInTheMiddle(t *testing.T) {
	restart := func(w *world) {
		_, before := w.fetch(t, "/contoso/did.json")
		s, err := request.Restore(w.config, w.saved)
		w.service = must(t, s, err)
		w.net.Handle("verifiedid.test", w.service)
		if _, after := w.fetch(t, "/contoso/did.json"); string(after) != string(before) {
			t.Errorf("the tenant has another key: %s", after)
		}
	}
	w := newWorld(t)
	w.issue(t, photo(240, false))
	authority := w.service.Authority("contoso")
	created := w.create(t, nil)
	restart(w)
	asked := open(t, w, created.URL)
	restart(w)
	r := answer(t, w, asked)
	w.refuse = 1
	if err := w.wallet.Submit(t.Context(), asked, r); err != nil {
		t.Fatal(err)
	}
	restart(w) // with a callback that was not taken
	w.clock.pass(time.Second)
	if _, err := w.service.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.statuses(); got != "request_retrieved presentation_verified" || w.service.Authority("contoso") != authority {
		t.Error(got)
	}
	if err := w.wallet.Submit(t.Context(), asked, r); !isStatus(err, http.StatusGone) {
		t.Errorf("replayed after a restart: %v", err)
	}
}

// TestAnswerThatCannotBeSaved: nothing is told that would be forgotten.
func TestAnswerThatCannotBeSaved(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	full := false
	w.config.Save = func(b []byte) error {
		if full {
			return os.ErrClosed
		}
		w.saved = b
		return nil
	}
	s, err := request.New(w.config)
	w.service = must(t, s, err)
	w.net.Handle("verifiedid.test", w.service)
	link := w.create(t, nil).URL
	full = true
	if _, err := w.wallet.Open(t.Context(), link); !isStatus(err, http.StatusInternalServerError) {
		t.Fatal(err)
	}
	if resp, body := w.post(t, createPath, w.asked()); resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("a request that would be forgotten: %s", body)
	}
	full = false
	if got := w.statuses(); got != "" {
		t.Errorf("told %s", got)
	}
	asked := open(t, w, link)
	r := answer(t, w, asked)
	full = true
	if err := w.wallet.Submit(t.Context(), asked, r); !isStatus(err, http.StatusInternalServerError) {
		t.Fatal(err)
	}
	if got := w.statuses(); got != "request_retrieved" {
		t.Errorf("told %s", got)
	}
	full = false
	if err := w.wallet.Submit(t.Context(), asked, r); err != nil {
		t.Errorf("once there is room: %v", err)
	}
}

func TestDamagedSnapshots(t *testing.T) {
	w := newWorld(t)
	w.create(t, nil)
	for name, snapshot := range map[string]string{
		"empty": "", "cut": string(w.saved[:len(w.saved)/2]), "of another version": `{"version":9}`,
		"without a version": `{"sessions":[]}`, "of a later version": strings.Replace(string(w.saved), `"version":1`, `"version":2`, 1),
		"with an empty callback": `{"version":1,"outbox":[null]}`,
		"of other tenants":       strings.ReplaceAll(string(w.saved), "contoso", "other"), "with nothing in it": `{"version":1,"sessions":[null]}`,
		"with a broken key": `{"version":1,"keys":{"contoso":"AAAA"}}`,
	} {
		if _, err := request.Restore(w.config, []byte(snapshot)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// once is a Face Check that knows each capture again.
type once struct {
	scores
	mu   sync.Mutex
	seen map[string]bool
}

func (o *once) Match(ctx context.Context, capture, photo []byte) (request.FaceMatch, error) {
	o.mu.Lock()
	again := o.seen[string(capture)]
	o.seen[string(capture)] = true
	o.mu.Unlock()
	m, err := o.scores.Match(ctx, capture, photo)
	m.Live = m.Live && !again
	return m, err
}

// meanwhile is a Face Check during which something happens.
type meanwhile struct {
	scores
	do func()
}

func (m *meanwhile) Match(ctx context.Context, capture, photo []byte) (request.FaceMatch, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.scores.Match(ctx, capture, photo)
}

// with has the world's service look at faces in another way.
func (w *world) with(t fataler, f request.Faces) {
	t.Helper()
	w.config.Faces = f
	s, err := request.New(w.config)
	w.service = must(t, s, err)
	w.net.Handle("verifiedid.test", w.service)
}

// TestAnswersWhileOneIsJudged: neither the same nor another one counts, and what went
// wrong inside leaves the request as it was.
func TestAnswersWhileOneIsJudged(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	m := &meanwhile{scores: scores{"Ada": 86}}
	w.with(t, m)
	asked := open(t, w, w.create(t, nil).URL)
	first, second := answer(t, w, asked), answer(t, w, asked)
	second.FaceCapture = []byte("sister")
	m.do = func() {
		for _, r := range []*wallet.Response{first, second} {
			if err := w.wallet.Submit(t.Context(), asked, r); !isStatus(err, http.StatusConflict) {
				t.Errorf("meanwhile: %v", err)
			}
		}
	}
	if err := w.wallet.Submit(t.Context(), asked, first); err != nil {
		t.Error(err)
	}
	if got := w.statuses(); got != "request_retrieved presentation_verified" {
		t.Error(got)
	}
}

// TestOneOfManyCounts: the same answer at once from several sides.
func TestOneOfManyCounts(t *testing.T) {
	w := newWorld(t)
	w.with(t, &once{scores: scores{"Ada": 86}, seen: map[string]bool{}})
	w.issue(t, photo(240, false))
	asked := open(t, w, w.create(t, nil).URL)
	r := answer(t, w, asked)
	var mu sync.Mutex
	w.net.Handle("rp.test", http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.rp(rw, req)
	}))
	var all sync.WaitGroup
	taken := make([]bool, 8)
	for i := range taken {
		all.Go(func() { taken[i] = w.wallet.Submit(t.Context(), asked, r) == nil })
	}
	all.Wait()
	if n := len(slices.DeleteFunc(taken, func(ok bool) bool { return !ok })); n != 1 {
		t.Errorf("%d were taken", n)
	}
	if got := w.statuses(); got != "request_retrieved presentation_verified" {
		t.Error(got)
	}
}

func TestLinkedDomains(t *testing.T) {
	w := newWorld(t)
	if asked := open(t, w, w.create(t, nil).URL); asked.Domain != "https://rp.test" || asked.ClientName != "Contoso" || !asked.FaceCheck {
		t.Errorf("%+v", asked)
	}
	careful, err := wallet.New(wallet.Config{Now: w.clock.Now, Rand: strings.NewReader(strings.Repeat("r", 64)), Client: w.net.Client(), Person: w.person, RequireLinkedDomain: true})
	careful = must(t, careful, err)
	link := w.create(t, nil).URL
	if _, err := careful.Open(t.Context(), link); err != nil {
		t.Errorf("a linked domain: %v", err)
	}
	w.net.Down("rp.test")
	if _, err := careful.Open(t.Context(), link); !errors.Is(err, wallet.ErrUnlinkedDomain) {
		t.Errorf("a domain that does not answer: %v", err)
	}
	if asked := open(t, w, link); asked.Domain != "" {
		t.Errorf("the person sees %q", asked.Domain)
	}
}

func TestIssuerWithoutLinkedDomain(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	w.net.Handle("issuer.test", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "did-configuration.json") {
			http.NotFound(rw, r)
			return
		}
		w.issuer.ServeHTTP(rw, r)
	}))
	demand := func(r *request.PresentationRequest) {
		r.RequestedCredentials[0].Configuration.Validation.ValidateLinkedDomain = true
	}
	if err := w.wallet.Present(t.Context(), w.create(t, demand).URL); !isStatus(err, http.StatusBadRequest) {
		t.Error(err)
	}
	if err := w.wallet.Present(t.Context(), w.create(t, nil).URL); err != nil || w.events[3].VerifiedCredentialsData[0].DomainValidation != nil {
		t.Errorf("where it is not demanded: %v, %s", err, w.bodies[3])
	}
}

// TestSequences does things in any order, and looks at what must always hold: a
// request ends at most once, nothing is told without the holder's signature, and what
// is told of a request comes in order and once.
func TestSequences(t *testing.T) {
	portrait := photo(200, false)
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.issue(t, portrait)
		s := sequence{world: w, signed: map[string]bool{}}
		t.Repeat(map[string]func(*rapid.T){
			"ask":    func(t *rapid.T) { s.links = append(s.links, w.create(t, nil)) },
			"open":   s.open,
			"answer": s.answer,
			"replay": s.replay,
			"forge":  s.forge,
			"face": func(t *rapid.T) {
				w.person.face = rapid.SampledFrom([]string{"Ada", "sister", "still"}).Draw(t, "face")
			},
			"revoke":  func(t *rapid.T) { w.issuer.Revoke(w.wallet.List()[0].ID) }, //nolint:errcheck // it was issued
			"pass":    func(t *rapid.T) { w.clock.pass(time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second) },
			"refuse":  func(t *rapid.T) { w.refuse = rapid.IntRange(0, 3).Draw(t, "refusals") },
			"deliver": func(t *rapid.T) { w.service.Deliver(context.Background()) }, //nolint:errcheck // saving cannot fail here
			"restart": s.restart,
			"":        s.check,
		})
	})
}

type sequence struct {
	*world
	links  []request.Created
	asked  []*wallet.Asked
	sent   []*wallet.Response
	to     []*wallet.Asked
	signed map[string]bool // requests that the holder's signature was sent to
	ids    []string
	toID   []string
}

func (s *sequence) pick(t *rapid.T, n int) int {
	if n == 0 {
		t.Skip("there is none yet")
	}
	return rapid.IntRange(0, n-1).Draw(t, "which")
}

func (s *sequence) open(t *rapid.T) {
	link := s.links[s.pick(t, len(s.links))]
	if asked, err := s.wallet.Open(context.Background(), link.URL); err == nil {
		s.asked, s.ids = append(s.asked, asked), append(s.ids, link.RequestID)
	}
}

func (s *sequence) answer(t *rapid.T) {
	i := s.pick(t, len(s.asked))
	r, err := s.wallet.Answer(context.Background(), s.asked[i])
	if err != nil {
		t.Fatal(err)
	}
	s.sent, s.to, s.toID = append(s.sent, r), append(s.to, s.asked[i]), append(s.toID, s.ids[i])
	s.submit(len(s.sent) - 1)
}

func (s *sequence) replay(t *rapid.T) { s.submit(s.pick(t, len(s.sent))) }

func (s *sequence) submit(i int) {
	s.signed[s.toID[i]] = true
	s.wallet.Submit(context.Background(), s.to[i], s.sent[i]) //nolint:errcheck // check looks at what came of it
}

// forge sends what the holder signed for one request to another, or cuts it.
func (s *sequence) forge(t *rapid.T) {
	i, j := s.pick(t, len(s.sent)), s.pick(t, len(s.asked))
	if s.toID[i] == s.ids[j] {
		t.Skip("that is the same request")
	}
	r := *s.sent[i]
	if fresh, err := s.wallet.AnswerWith(context.Background(), s.asked[j]); err == nil {
		r.State, r.IDToken = fresh.State, fresh.IDToken
	}
	if err := s.wallet.Submit(context.Background(), s.asked[j], &r); err == nil {
		t.Fatal("a presentation for another request was taken")
	}
}

func (s *sequence) restart(t *rapid.T) {
	if s.saved == nil {
		t.Skip("nothing was saved yet")
	}
	again, err := request.Restore(s.config, s.saved)
	if err != nil {
		t.Fatal(err)
	}
	s.service = again
	s.net.Handle("verifiedid.test", again)
}

func (s *sequence) check(t *rapid.T) {
	told := map[string][]request.Status{}
	for _, e := range s.events {
		told[e.RequestID] = append(told[e.RequestID], e.RequestStatus)
	}
	for id, statuses := range told {
		if len(statuses) > 2 || statuses[0] != request.Retrieved || len(statuses) == 2 && statuses[1] == request.Retrieved {
			t.Fatalf("request %s was told %v", id, statuses)
		}
		if len(statuses) == 2 && !s.signed[id] {
			t.Fatalf("request %s ended without the holder's signature", id)
		}
	}
}

func FuzzParse(f *testing.F) {
	w := newWorld(f)
	f.Add(`{"includeQRCode":"yes"}`)
	f.Add(`{"requestedCredentials":[{"constraints":[{}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		if resp, answer := w.post(t, createPath, body); resp.StatusCode >= 500 {
			t.Errorf("%s: %s", resp.Status, answer)
		}
	})
}

func FuzzRestore(f *testing.F) {
	w := newWorld(f)
	w.create(f, nil)
	f.Add(w.saved)
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		if s, err := request.Restore(w.config, snapshot); err == nil {
			s.Undelivered()
		}
	})
}

func FuzzPhoto(f *testing.F) {
	f.Add(photo(200, false))
	f.Fuzz(func(t *testing.T, b []byte) {
		if q, err := request.MeasurePhoto(b); (err == nil) != (q != "") {
			t.Errorf("%q, %v", q, err)
		}
	})
}
