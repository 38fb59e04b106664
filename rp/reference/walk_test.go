package reference_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fido-emu/rp/reference"
)

// route is one of the HTTP API, as the package comment lists it.
type route struct {
	method, path string
	members      []string // of its body; nil for none
}

var (
	routeLine  = regexp.MustCompile(`^//\t(GET|POST|PUT|PATCH|DELETE) +(/api/\S+) *(.*)$`)
	bodyOf     = regexp.MustCompile(`^\{([^}]*)\}`)
	memberName = regexp.MustCompile(`[a-zA-Z]+`)
	nowhere    = strings.NewReplacer("{name}", "nobody@example.com", "{id}", "AAAA", "{link}", "AAAA")
)

// alsoSet are the routes that say no more than that they take what another answers.
var alsoSet = []route{
	{"PUT", "/api/admin/passkey-profiles", []string{"disabled", "noSelfService", "profiles", "targets", "excluded", "default"}},
	{"PUT", "/api/admin/method-policy", []string{"disabled", "singleFactor", "questionsUntil", "resetMethods", "systemCredentialPreferences"}},
	{"PUT", "/api/admin/access", []string{"rules"}},
	{"PUT", "/api/admin/recovery", []string{"profiles"}},
	{"PUT", "/api/admin/people/{name}/identity", []string{"givenName", "familyName", "birthDate", "country", "unlicensed"}},
}

// routes reads them from the package comment, which therefore misses none that is
// tested, and tests all that it lists.
func routes(t testing.TB) []route {
	t.Helper()
	file, err := os.Open("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all := slices.Clone(alsoSet)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		m := routeLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		path, _, _ := strings.Cut(m[2], "?")
		r := route{method: m[1], path: path}
		if body := bodyOf.FindStringSubmatch(m[3]); body != nil && m[1] != http.MethodGet {
			r.members = memberName.FindAllString(body[1], -1)
		}
		if path != reference.CallbackPath && !slices.ContainsFunc(alsoSet, func(o route) bool { return o.method == r.method && o.path == r.path }) {
			all = append(all, r)
		}
	}
	if len(all) < 55 {
		t.Fatalf("only %d routes were found in doc.go", len(all))
	}
	return all
}

// shown is all that administrators can see, less the log of what was tried.
func shown(t testing.TB, h http.Handler) (all string) {
	t.Helper()
	for _, path := range []string{
		"people", "people/ada@example.com/methods", "people/ada@example.com/outbox", "people/ada@example.com/identity", "policies", "passkey-profiles",
		"groups", "metadata", "method-policy", "access", "recovery",
	} {
		answer, body := visit(t, h, "GET", "/api/admin/"+path, "", "Authorization", bearer)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", path, body)
		}
		all += path + " " + body
	}
	return all
}

// refusedHTTP wants a status of 4xx, a code and a reason.
func refusedHTTP(t *testing.T, what string, answer *http.Response, body string) {
	t.Helper()
	var e struct{ Code, Reason string }
	err := json.Unmarshal([]byte(body), &e)
	if err != nil || answer.StatusCode < 400 || answer.StatusCode >= 500 || e.Code == "" || e.Reason == "" {
		t.Errorf("%s: status %d, %s; want a refusal", what, answer.StatusCode, body)
	}
}

// TestEveryRouteRefuses sends to every route what nobody must send.
func TestEveryRouteRefuses(t *testing.T) {
	core, _, _ := recoverable(t)
	signedIn(t, core)
	h := reference.Handler(core)
	before := shown(t, h)
	for _, r := range routes(t) {
		path := nowhere.Replace(r.path)
		send := func(what, method, body string, header ...string) {
			t.Helper()
			answer, got := visit(t, h, method, path, body, append([]string{"Authorization", bearer}, header...)...)
			refusedHTTP(t, what+": "+method+" "+r.path+" "+body, answer, got)
		}
		send("another method", "TRACE", "")
		send("another method", "PROPFIND", "{}")
		if r.method != http.MethodGet {
			send("foreign page", r.method, "{}", "Origin", "https://evil.example")
			send("no page", r.method, "{}", "Origin", "")
		}
		if strings.HasPrefix(r.path, "/api/admin/") && r.path != "/api/admin/session" {
			send("nobody's", r.method, "{}", "Authorization", "")
			send("with a session's cookie", r.method, "{}", "Authorization", "Basic "+adminToken)
		}
		if r.members == nil {
			continue
		}
		send("a form", r.method, "{}", "Content-Type", "application/x-www-form-urlencoded")
		send("no type", r.method, "{}", "Content-Type", "")
		for what, body := range map[string]string{
			"nothing": "", "null": "null", "list": "[]", "text": `"x"`, "number": "1", "two": "{}{}", "cut short": `{"` + r.members[0] + `":`,
			"unknown": `{"no such member":1}`, "control character": "{\"" + r.members[0] + "\":\"\x00\"}", "deep": strings.Repeat("[", 20_000),
			"prototype": `{"__proto__":{}}`,
		} {
			send(what, r.method, body)
		}
		if r.path != "/api/admin/metadata" {
			send("too large", r.method, `{"`+r.members[0]+`":"`+strings.Repeat("a", 200<<10)+`"}`)
		}
		for _, m := range r.members {
			for _, value := range []string{"1e400", "{\"\":{}}", "[[[1]]]", "-99999999999999999999999"} {
				if value[0] == '{' && m == "publicKey" || m == "credential" {
					continue // any JSON, until the ceremony is looked up
				}
				send("wrong type", r.method, `{"`+m+`":`+value+`}`)
			}
		}
	}
	if after := shown(t, h); after != before {
		t.Errorf("state was\n%s\nand is\n%s", before, after)
	}
}

// TestGraphRefuses does the same to Microsoft Graph's double, which has its own errors.
func TestGraphRefuses(t *testing.T) {
	core, _, _ := recoverable(t)
	signedIn(t, core)
	h := reference.Handler(core)
	before := shown(t, h)
	const user = "/users/ada@example.com"
	for _, r := range []struct{ method, path string }{
		{"POST", "/users"}, {"POST", "/groups"}, {"POST", "/groups/nobodys/members/$ref"}, {"DELETE", "/groups/nobodys/members/x/$ref"},
		{"POST", user + "/authentication/fido2Methods"}, {"DELETE", user + "/authentication/fido2Methods/%00"},
		{"POST", user + "/authentication/temporaryAccessPassMethods"}, {"DELETE", user + "/authentication/temporaryAccessPassMethods/x"},
		{"PATCH", "/policies/authenticationMethodsPolicy"}, {"PATCH", fido2Path}, {"POST", "/identityProtection/riskyUsers/confirmCompromised"},
		{"GET", "/users/%FF"}, {"GET", "/groups/%00"}, {"PUT", user}, {"GET", "/nothing"}, {"GET", user + "/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes=99999999999999999999)"},
	} {
		for _, body := range []string{"", "null", "[]", "1", `"x"`, `{"`, `{"no such":1}`, `{"displayName":"\u0000"}`, `{"displayName":[1]}`, strings.Repeat("[", 20_000), `{"x":"` + strings.Repeat("a", 300<<10) + `"}`} {
			for _, token := range []string{bearer, "Bearer x", ""} {
				answer, got := visit(t, h, r.method, "/graph/v1.0"+r.path, body, "Authorization", token)
				var e struct {
					Error struct{ Code, Message string }
				}
				err := json.Unmarshal([]byte(got), &e)
				if err != nil || answer.StatusCode < 400 || answer.StatusCode >= 500 || e.Error.Code == "" || e.Error.Message == "" {
					t.Errorf("%s %s %.60s: status %d, %s; want a refusal", r.method, r.path, body, answer.StatusCode, got)
				}
			}
		}
	}
	if after := shown(t, h); after != before {
		t.Errorf("state was\n%s\nand is\n%s", before, after)
	}
}

// TestOddValues sends what is of the right form and makes no sense: whatever the answer,
// nothing breaks.
func TestOddValues(t *testing.T) {
	core, _, _ := recoverable(t)
	signedIn(t, core)
	h := reference.Handler(core)
	odd := []string{`""`, `"\u0000"`, `"\ud800"`, `"../../.."`, `"` + strings.Repeat("é", 5000) + `"`, `"9999-12-31T23:59:59Z"`, `"0001-01-01T00:00:00Z"`, "null", "0", "-1", "9223372036854775807", "true", "[]", "[null]", "{}", `[""]`, `["\n"]`}
	for _, r := range routes(t) {
		for _, m := range r.members {
			for _, value := range odd {
				before := shown(t, h)
				answer, body := visit(t, h, r.method, nowhere.Replace(r.path), `{"`+m+`":`+value+`}`, "Authorization", bearer)
				what := r.method + " " + r.path + " " + m + ": " + value[:min(len(value), 40)]
				switch {
				case answer.StatusCode < 300:
				case shown(t, h) != before:
					t.Errorf("%s is refused, and changed something", what)
				default:
					refusedHTTP(t, what, answer, body)
				}
			}
		}
		for _, name := range []string{"%00", "%0a", "%ff", "..%2f..", "%E2%80%AE", strings.Repeat("a", 4000)} {
			path := strings.NewReplacer("{name}", name, "{id}", name).Replace(r.path)
			if path != r.path {
				answer, body := visit(t, h, r.method, path, "{}", "Authorization", bearer)
				if answer.StatusCode >= 300 {
					refusedHTTP(t, r.method+" "+path, answer, body)
				}
			}
		}
		for _, query := range []string{"offset", "limit", "after", "hours", "id", "kind", "person", "group"} {
			for _, value := range []string{"-1", "99999999999999999999", "9223372036854775807", "\x00", "x", "%"} {
				path := nowhere.Replace(r.path) + "?" + query + "=" + url.QueryEscape(value)
				answer, body := visit(t, h, r.method, path, "{}", "Authorization", bearer)
				if answer.StatusCode >= 300 {
					refusedHTTP(t, r.method+" "+path, answer, body)
				}
			}
		}
	}
}

// FuzzHTTP sends anything anywhere.
func FuzzHTTP(f *testing.F) {
	for i := range routes(f) {
		f.Add(i, "nobody", `{}`)
	}
	all := routes(f)
	core, _ := newCore(f)
	h := reference.Handler(core)
	f.Fuzz(func(t *testing.T, i int, name, body string) {
		r := all[uint(i)%uint(len(all))]
		path := strings.NewReplacer("{name}", url.PathEscape(name), "{id}", url.PathEscape(name)).Replace(r.path)
		if answer, got := visit(t, h, r.method, path, body, "Authorization", bearer); answer.StatusCode >= 500 {
			t.Errorf("%s %s %q: %d %s", r.method, path, body, answer.StatusCode, got)
		}
	})
}
