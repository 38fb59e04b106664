package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// TestHalves takes each ceremony in two halves at servers of every shape, and hands a
// second response in.
func TestHalves(t *testing.T) {
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			d := newDouble(t, shape.build)
			site := open(t, shape.file, Options{Settings: d.settings})
			who, key, ctx := personOf(site.UserName("ada")), browser(t), t.Context()
			for _, half := range []struct {
				name  string
				begin func() (rp.Ceremony, error)
				ask   func(c rp.Ceremony, by webauthn.Client) ([]byte, error)
			}{
				{"registration", func() (rp.Ceremony, error) { return site.BeginRegistration(ctx, who) }, func(c rp.Ceremony, by webauthn.Client) ([]byte, error) {
					origin, options := c.Options()
					return by.Create(ctx, origin, options)
				}},
				{"sign-in", func() (rp.Ceremony, error) { return site.BeginSignIn(ctx, who) }, func(c rp.Ceremony, by webauthn.Client) ([]byte, error) {
					origin, options := c.Options()
					return by.Get(ctx, origin, options)
				}},
			} {
				c, err := half.begin()
				if err != nil {
					t.Fatalf("%s: %v", half.name, err)
				}
				for n, want := range []string{Accepted, RefusedBy} {
					by := key
					if half.name == "registration" && n > 0 {
						by = browser(t) // one without the passkey that the site excludes
					}
					response, err := half.ask(c, by)
					if err != nil {
						t.Fatalf("%s %d: %v", half.name, n+1, err)
					}
					done, err := c.Finish(ctx, response)
					if got := verdictOf(err); got != want || done != (want == Accepted) {
						t.Errorf("%s %d: done %v, %s: %v, want %s", half.name, n+1, done, got, err, want)
					}
				}
			}
			if is, err := site.SignedIn(ctx, who); !isUnsupported(err) && (!is || err != nil) {
				t.Errorf("the session after a sign-in in two halves: %v, %v", is, err)
			}
		})
	}
}

// lax is a server that verifies nothing, and says yes or no as it is told; the
// passkeys and sessions are there in either case.
const lax = `
name: lax
bases: {site: "${address}"}
settings: {address: {}}
capabilities: {usernameless: yes}
register:
  steps:
    - request: POST /options
      json: {user: "${person.name}"}
    - create: {}
    - request: POST /finish
      json: ${response}
  unproved: the list shows it
sign-in:
  steps:
    - request: GET /first
    - request: GET /before
    - when: ${person.name}
      request: POST /options
      json: {user: "${person.name}"}
    - when: not ${person.name}
      request: GET /options
    - get: {}
    - request: POST /finish
      json: ${response}
  unproved: a follow-up call shows it
signed-in:
  steps: [request: GET /me]
credentials:
  steps: [request: GET /list]
  each: ${body}
  record: {id: "${item}"}
`

// TestDoneWhateverTheAnswer finishes twice at a server that keeps each passkey and
// session of a no: the follow-up shows it.
func TestDoneWhateverTheAnswer(t *testing.T) {
	site, asked := newLax(t, http.StatusForbidden)
	ctx := t.Context()
	for i, begin := range []func(context.Context, rp.Person) (rp.Ceremony, error){site.BeginRegistration, site.BeginSignIn} {
		c, err := begin(ctx, personOf("ada"))
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2 {
			done, err := c.Finish(ctx, []byte(`{"rawId":"`+strings.Repeat("QUFB", 2*i+n+1)+`"}`))
			if !done || verdictOf(err) != RefusedBy {
				t.Errorf("%d, %d: done %v, %v", i, n+1, done, err)
			}
		}
	}
	if sent := asked(); !slices.Contains(sent, "POST /finish ceremony=1") || slices.Contains(sent, "POST /finish ceremony=1; session=1") {
		t.Errorf("%q: each result comes with the cookies of when the browser was asked", sent)
	}
}

// TestWishes looks where wishes go: with the request for options, and nowhere else.
func TestWishes(t *testing.T) {
	site, asked := newLax(t, http.StatusOK)
	for _, c := range [][2]string{
		{"ada", `POST /options {"user":"ada","userVerification":"discouraged"}`}, {"", `GET /options userVerification=discouraged`},
	} {
		want := c[1]
		if _, err := site.SignInWishing(t.Context(), personOf(c[0]), map[string]string{"userVerification": "discouraged"}, fixed{}); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(asked(), want) || !slices.Contains(asked(), "GET /first ") {
			t.Errorf("asked %q, want %q and the first request as it is", asked(), want)
		}
	}
}

// fixed is a browser that always gives the same response.
type fixed struct{ webauthn.Client }

// Get gives the response.
func (fixed) Get(context.Context, string, []byte) ([]byte, error) {
	return []byte(`{"rawId":"QUFB"}`), nil
}

func newLax(t *testing.T, status int) (Site, func() []string) {
	t.Helper()
	var asked, ids []string
	m := http.NewServeMux()
	m.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.URL.RawQuery)
	})
	m.HandleFunc("/options", func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " /options " + r.URL.RawQuery
		if r.Method == http.MethodPost {
			line += compact(in(r))
		}
		asked = append(asked, line)
		http.SetCookie(w, &http.Cookie{Name: "ceremony", Value: "1"})
		answerJSON(w, http.StatusOK, map[string]any{"challenge": "AAAA"})
	})
	m.HandleFunc("/finish", func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, "POST /finish "+r.Header.Get("Cookie"))
		id, _ := in(r)["rawId"].(string)
		ids = append(ids, id)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		w.WriteHeader(status)
	})
	m.HandleFunc("/list", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, ids) })
	m.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		if cookieOf(r, "session") == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	d, err := LoadBytes("lax.yaml", []byte(lax))
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, d, Options{Settings: map[string]string{"address": s.URL}}), func() []string { return asked }
}
