package reference_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// visit sends one request and returns the answer and what it holds.
func visit(t testing.TB, h http.Handler, method, path, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Origin", origin)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := w.Result()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

const bearer = "Bearer " + adminToken

func TestHTTPRefuses(t *testing.T) {
	core, _ := newCore(t)
	h := reference.Handler(core)
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code                     string
	}{
		{"page of another origin", "POST", "/api/signin/begin", "{}", []string{"Origin", "https://evil.example"}, 403, reference.OriginForbidden},
		{"no origin", "DELETE", "/api/session", "", []string{"Origin", ""}, 403, reference.OriginForbidden},
		{"no origin for administrators", "POST", "/api/admin/people", "{}", []string{"Origin", "null", "Authorization", bearer}, 403, reference.OriginForbidden},
		{"form", "POST", "/api/signin/begin", "name=ada", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400, reference.BadRequest},
		{"not JSON", "POST", "/api/signin/begin", "{", nil, 400, reference.BadRequest},
		{"two values", "POST", "/api/signin/begin", "{}{}", nil, 400, reference.BadRequest},
		{"unknown member", "POST", "/api/signin/begin", `{"user":"ada"}`, nil, 400, reference.BadRequest},
		{"too much", "POST", "/api/signin/begin", `{"name":"` + strings.Repeat("a", 200_000) + `"}`, nil, 413, reference.TooLarge},
		{"no such route", "GET", "/api/nothing", "", nil, 404, reference.NotFound},
		{"wrong method", "PUT", "/api/session", "", nil, 404, reference.NotFound},
		{"no session", "GET", "/api/session", "", nil, 401, reference.SignInRequired},
		{"unknown person", "POST", "/api/admin/people/ada/passes", `{"lifetimeMinutes":60}`, []string{"Authorization", bearer}, 404, reference.UnknownPerson},
		{"bad credential id", "DELETE", "/api/credentials/a+b", "", nil, 400, reference.BadRequest},
		{"made-up session", "GET", "/api/credentials", "", []string{"Cookie", "__Host-session=AAAA"}, 401, reference.SignInRequired},
		{"session in a cookie that any host may set", "GET", "/api/session", "", []string{"Cookie", "session=AAAA"}, 401, reference.SignInRequired},
		{"no administrator", "GET", "/api/admin/people", "", nil, 401, reference.AdminRequired},
		{"wrong administrator", "GET", "/api/admin/audit", "", []string{"Authorization", "Bearer x"}, 401, reference.AdminRequired},
		{"made-up administrator", "GET", "/api/admin/audit", "", []string{"Cookie", "__Host-admin=9999999999.AAAA"}, 401, reference.AdminRequired},
		{"wrong token", "POST", "/api/admin/session", `{"token":""}`, nil, 401, reference.AdminRequired},
		{"pass for ever", "POST", "/api/admin/people/ada/passes", `{"lifetimeMinutes":9223372036854775807}`, []string{"Authorization", bearer}, 400, reference.BadLifetime},
		{"unused for longer than there is time", "GET", "/api/admin/dormant?hours=5124095576030432", "", []string{"Authorization", bearer}, 400, reference.BadRequest},
		{"bad offset", "GET", "/api/admin/people?offset=-1", "", []string{"Authorization", bearer}, 400, reference.BadRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, body := visit(t, h, test.method, test.path, test.body, test.header...)
			var e struct{ Code, Reason string }
			if err := json.Unmarshal([]byte(body), &e); err != nil || answer.StatusCode != test.status || e.Code != test.code || e.Reason == "" {
				t.Errorf("status %d, %s; want %d, %s", answer.StatusCode, body, test.status, test.code)
			}
		})
	}
}

func TestAdministrationIsClosedWithoutToken(t *testing.T) {
	core, _ := newCore(t, func(c *reference.Config) { c.AdminToken = "" })
	h := reference.Handler(core)
	for _, header := range [][]string{nil, {"Authorization", "Bearer "}, {"Cookie", "__Host-admin=9999999999."}} {
		if answer, _ := visit(t, h, "GET", "/api/admin/people", "", header...); answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("with %v: status %d, want 401", header, answer.StatusCode)
		}
	}
	if answer, _ := visit(t, h, "POST", "/api/admin/session", `{"token":""}`); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("signing in: status %d, want 401", answer.StatusCode)
	}
}

func TestCookies(t *testing.T) {
	for scheme, prefix := range map[string]string{"https": "__Host-", "http": ""} {
		core, clk := newCore(t, func(c *reference.Config) { c.Origins = []string{scheme + "://localhost"}; c.RPID = "localhost" })
		answer, _ := visit(t, reference.Handler(core), "POST", "/api/admin/session", `{"token":"`+adminToken+`"}`, "Origin", scheme+"://localhost")
		c := answer.Cookies()[0]
		if c.Name != prefix+"admin" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure != (scheme == "https") || c.Path != "/" {
			t.Errorf("%s: cookie %+v", scheme, c)
		}
		get := func() int {
			answer, _ := visit(t, reference.Handler(core), "GET", "/api/admin/people", "", "Cookie", c.Name+"="+c.Value)
			return answer.StatusCode
		}
		if status := get(); status != http.StatusOK {
			t.Errorf("%s: status %d with the cookie", scheme, status)
		}
		clk.pass(2 * 60 * 60 * 1e9)
		if status := get(); status != http.StatusUnauthorized {
			t.Errorf("%s: status %d with an old cookie, want 401", scheme, status)
		}
	}
}

func TestPages(t *testing.T) {
	core, _ := newCore(t)
	token := registerAt(t, core, `<script>alert("ada")</script>`)
	if err := core.AddPerson(rp.Person{Name: "grace", Groups: []string{"<b>staff</b>"}}); err != nil {
		t.Fatal(err)
	}
	h := reference.Handler(core)
	session := "__Host-session=" + token
	admin, _ := visit(t, h, "POST", "/api/admin/session", `{"token":"`+adminToken+`"}`)
	asAdmin := "__Host-admin=" + admin.Cookies()[0].Value
	tests := []struct {
		path, cookie string
		status       int
		want         string
	}{
		{"/", "", 200, "Sign in with a passkey"},
		{"/", session, 303, ""},
		{"/signup", "", 200, "Create a passkey"},
		{"/recover", "", 200, "Temporary Access Pass"},
		{"/passkeys", "", 303, ""},
		{"/passkeys", session, 200, "Device-bound"},
		{"/admin", "", 200, "Administrator's token"},
		{"/admin", asAdmin, 200, "&lt;b&gt;staff&lt;/b&gt;"},
		{"/admin/people", "", 200, "Administrator's token"},
		{"/admin/people", asAdmin, 200, `href="/admin/people/%3Cscript%3Ealert%28%22ada%22%29%3C%2Fscript%3E"`},
		{"/admin/people/%3Cscript%3Ealert%28%22ada%22%29%3C%2Fscript%3E", asAdmin, 200, "Device-bound"},
		{"/admin/people/nobody", asAdmin, 404, "No such page"},
		{"/admin/methods", asAdmin, 200, "Dormant methods"},
		{"/admin/access", asAdmin, 200, "There is no rule"},
		{"/admin/recovery", asAdmin, 200, "harness identity serve"},
		{"/admin/sign-ins", asAdmin, 200, "Nobody has signed in yet"},
		{"/admin/log", asAdmin, 200, "add-person"},
		{"/post?name=grace", asAdmin, 200, `value="grace"`},
		{"/nothing", "", 404, "No such page"},
		{"/app.js", "", 200, "parseCreationOptionsFromJSON"},
		{"/style.css", "", 200, "prefers-color-scheme: dark"},
		{"/.well-known/webauthn", "", 200, `{"origins":["` + origin + `"]}`},
		{"/.well-known/passkey-endpoints", "", 200, origin + "/passkeys"},
	}
	for _, test := range tests {
		answer, body := visit(t, h, "GET", test.path, "", "Cookie", test.cookie)
		if answer.StatusCode != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: status %d, want %d and %q in\n%s", test.path, answer.StatusCode, test.status, test.want, body)
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "://cdn") {
			t.Errorf("%s holds a script of somebody else", test.path)
		}
		if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", test.path, csp)
		}
	}
}

func TestServe(t *testing.T) {
	core, _ := newCore(t)
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- reference.Serve(ctx, l, core) }()
	a, err := reference.Dial("http://"+l.Addr().String(), reference.DialOptions{Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Register(ctx, ada, newToy(t)); err != nil {
		t.Error(err)
	}
	var no *rp.Refused
	if err := a.AddPerson(ctx, rp.Person{Name: "bob"}); !errors.As(err, &no) || no.Code != reference.AdminRequired || no.Status != 401 {
		t.Errorf("without the token: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
	var broken *rp.Broken
	if _, err := a.SignIn(t.Context(), ada, newToy(t)); !errors.As(err, &broken) || !strings.Contains(broken.Doing, "/api/signin/begin") {
		t.Errorf("after the end: %v, want a relying party that is broken", err)
	}
}

func TestDialRefuses(t *testing.T) {
	for _, address := range []string{"", "localhost:8080", "ftp://localhost", "http://"} {
		if _, err := reference.Dial(address, reference.DialOptions{}); err == nil {
			t.Errorf("dialled %q", address)
		}
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"not JSON":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"error page":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) },
		"server error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"code":"x","reason":"y"}`, 500) },
	} {
		server := httptest.NewServer(answer)
		a, err := reference.Dial(server.URL, reference.DialOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var broken *rp.Broken
		if _, err := a.SignIn(t.Context(), ada, newToy(t)); !errors.As(err, &broken) {
			t.Errorf("%s: %v, want a relying party that is broken", name, err)
		}
		server.Close()
	}
}
