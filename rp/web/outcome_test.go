package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fido-emu/rp"
)

// site loads and opens a description that signs out by the given steps, at a server
// that answers with h.
func site(t *testing.T, steps string, h http.HandlerFunc) *Party {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	source := "name: x\nbases: {site: \"" + s.URL + "\"}\nlimits: {body: 1, redirects: 2, time: 1s, steps: 20}\ncodes: {gone: unknown-credential, too late: challenge-expired}\nregister: {steps: [{unsupported: x}], unproved: x}\nadd-person:\n  steps:\n" + steps
	d, err := LoadBytes("x.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, d, Options{}).(interface{ party() *Party }).party()
}

func (p *Party) party() *Party { return p }

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name, steps string
		status      int
		body        string
		want        string // accepted, refused or broken
		why         string
	}{
		{"a 200", "    - request: GET /\n", 200, "", Accepted, ""},
		{"a 404", "    - request: GET /\n", 404, "", RefusedBy, "status-404"},
		{"a 500", "    - request: GET /\n", 500, "", BrokenBy, "status 500"},
		{"a 500 that is a no", "    - request: GET /\n      refused: {status: 500}\n", 500, "", RefusedBy, "status-500"},
		{"a 400 that is none", "    - request: GET /\n      refused: {status: 500}\n", 400, "", BrokenBy, "status 400"},
		{"a 400 that is expected", "    - request: GET /\n      expect: {status: [200, 400]}\n", 400, "", Accepted, ""},
		{"a no with 200", "    - request: GET /\n      refused: {json: {/ok: false}, code: /why}\n", 200, `{"ok":false,"why":"late"}`, RefusedBy, "late"},
		{"a reason by another name", "    - request: GET /\n      refused: {code: /why}\n", 400, `{"why":"gone"}`, RefusedBy, "unknown-credential"},
		{"a reason by its text", "    - request: GET /\n      refused: {reason: /text}\n", 400, `{"text":"You are Too Late!"}`, RefusedBy, "challenge-expired"},
		{"a 200 that contradicts itself", "    - request: GET /\n      expect: {json: {/ok: true}}\n", 200, `{"ok":false}`, BrokenBy, "/ok is false, not true"},
		{"a member that must not be", "    - request: GET /\n      expect: {not: {/error: }}\n", 200, `{"error":1}`, BrokenBy, "/error is there"},
		{"no JSON", "    - request: GET /\n      expect: {json: {/ok: true}}\n", 200, `<html>`, BrokenBy, "not JSON"},
		{"text", "    - request: GET /\n      expect: {text: 'hel+o'}\n", 200, `hello`, Accepted, ""},
		{"too long", "    - request: GET /\n", 200, strings.Repeat("x", 1025), BrokenBy, "longer than 1 KiB"},
		{"what is to be taken is missing", "    - request: GET /\n      take: {a: /a}\n", 200, `{}`, BrokenBy, "take a: there is no /a"},
		{"optional", "    - request: GET /\n      take: {a: {json: /a, optional: yes}}\n      expect: {that: \"not ${a}\"}\n", 200, `{}`, Accepted, ""},
		{"all elements", "    - request: GET /\n      take: {a: {html: p, attribute: id, all: yes}}\n      expect: {that: [\"${a/0} == one\", \"${a/1} == two\", \"not ${a/2}\"]}\n", 200, `<p id=one><p><p id=two>`, Accepted, ""},
		{"all elements of none", "    - request: GET /\n      take: {a: {html: b, all: yes}}\n      expect: {that: \"not ${a/0}\"}\n", 200, `<p>`, Accepted, ""},
		{"round in circles", "    - label: a\n      request: GET /\n      goto: a\n", 200, ``, BrokenBy, "more than 20 steps"},
		{"refuse", "    - refuse: because\n", 200, ``, RefusedBy, "because"},
		{"unsupported", "    - unsupported: this\n", 200, ``, Unsupported, "this"},
		{"repeat", "    - request: GET /\n      repeat: {times: 3, while: '${status} == 200'}\n", 200, ``, Accepted, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := site(t, c.steps, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
			})
			err := p.AddPerson(t.Context(), personOf("ada"))
			if got := verdictOf(err); got != c.want || !strings.Contains(fmt.Sprint(err), c.why) {
				t.Errorf("%s: %v, want %s by %q", got, err, c.want, c.why)
			}
		})
	}
}

// TestNobodyElseIsAsked follows redirects and links away from the site: none is
// followed.
func TestNobodyElseIsAsked(t *testing.T) {
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	answer := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/link":
			_, _ = fmt.Fprintf(w, `{"next":%q}`, other.URL)
		}
	}
	for steps, why := range map[string]string{
		"    - request: GET /away\n":  "none of the site's addresses",
		"    - request: GET /round\n": "more than 2 redirects",
		"    - request: GET /link\n      take: {next: /next}\n    - request: GET ${next}\n": "none of the site's addresses",
	} {
		err := site(t, steps, answer).AddPerson(t.Context(), personOf("ada"))
		if fault := (*rp.Broken)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want broken by %q", steps, err, why)
		}
	}
	if asked {
		t.Error("a host was asked that the description does not name")
	}
}

// TestEscaping puts in what would otherwise change the path, the query or the JSON.
func TestEscaping(t *testing.T) {
	var got string
	p := site(t, "    - request: POST /people/${person.name}/x\n      query: {q: \"${person.name}\"}\n      json: {name: \"<${person.name}>\", n: 7, both: [\"${person.groups}\", \"${...person.groups}\"]}\n", func(_ http.ResponseWriter, r *http.Request) {
		v := in(r)
		got = r.URL.EscapedPath() + " " + r.URL.Query().Get("q") + " " + compact(v)
	})
	who := rp.Person{Name: `a/b?c"d`, Groups: []string{"g", "h"}}
	if err := p.AddPerson(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	if want := `/people/a%2Fb%3Fc%22d/x a/b?c"d {"both":[["g","h"],"g","h"],"n":7,"name":"<a/b?c\"d>"}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCookiesEnd lets cookies end by the time of the options.
func TestCookiesEnd(t *testing.T) {
	now := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	j := newJar(func() time.Time { return now }, true)
	u := httptest.NewRequest("GET", "http://localhost:1/", nil).URL
	j.SetCookies(u, []*http.Cookie{{Name: "a", Value: "1", Expires: now.Add(time.Hour), Secure: true}, {Name: "b", Value: "2", MaxAge: 7200}, {Name: "c", Value: "3"}})
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 3}, {61 * time.Minute, 2}, {2 * time.Hour, 1}} {
		now = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(step.after)
		if got := len(j.Cookies(u)); got != step.want {
			t.Errorf("after %v: %d cookies, want %d", step.after, got, step.want)
		}
	}
	j.SetCookies(u, []*http.Cookie{{Name: "c", MaxAge: -1}})
	if left := j.Cookies(u); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

// TestCapabilities holds a site to what it says of itself.
func TestCapabilities(t *testing.T) {
	d := newDouble(t, bare)
	one := open(t, "descriptions/simplewebauthn.yaml", Options{Settings: d.settings})
	if _, err := one.Register(t.Context(), personOf("user@localhost"), browser(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Register(t.Context(), personOf("bo@localhost"), browser(t)); !isUnsupported(err) {
		t.Errorf("a second account: %v", err)
	}
	if _, err := one.SignIn(t.Context(), rp.Person{}, browser(t)); !isUnsupported(err) {
		t.Errorf("without a user name: %v", err)
	}
}

// TestSerial has several people at once at a site that bears one at a time.
func TestSerial(t *testing.T) {
	var inside, most atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n := inside.Add(1); n > most.Load() {
			most.Store(n)
		}
		runtime.Gosched()
		inside.Add(-1)
	}))
	defer s.Close()
	source := "name: x\nbases: {site: \"" + s.URL + "\"}\ncapabilities: {serial: yes}\nregister: {steps: [{unsupported: x}], unproved: x}\nadd-person:\n  steps:\n    - request: GET /\n    - request: GET /\n"
	d, err := LoadBytes("x.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	admin := opened(t, d, Options{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := admin.AddPerson(t.Context(), personOf(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d requests at a time", most.Load())
	}
}
