package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fido-emu/rp/reference"
)

// described runs an audit of the reference relying party as its description has it, at
// an address, or at one that the harness starts when it is empty.
func described(t *testing.T, address string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	u := ui{in: strings.NewReader(""), out: &o, err: &e, getenv: func(name string) string {
		if name == "REFERENCE_ADDRESS" {
			return address
		}
		return ""
	}}
	args = append([]string{"audit", "--rp", "../../rp/web/descriptions/reference.yaml", "--rate", "1000"}, args...)
	code = execute(t.Context(), args, u)
	return code, o.String(), e.String()
}

// lax serves a reference relying party that takes a subdomain for itself, and returns its
// address.
func lax(t *testing.T) string {
	t.Helper()
	core, err := reference.New(reference.Config{RPID: "localhost", Origins: []string{"http://localhost:8080", "http://sub.localhost:8080"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(reference.Handler(core))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAuditDescribed(t *testing.T) {
	tests := []struct {
		name, address, only string
		code                int
		out, errOut         string
	}{
		{"nothing accepted", "", "authentication.origin", exitPassed, " 0 accepted, ", "attacks on authentication: client data"},
		{"something accepted", lax(t), "authentication.origin", exitFailed, "ACCEPTED medium", ""},
		{"attestation", "", "registration.attestation.packed-expired", exitPassed, " 1 refused", ""},
		{"nobody is at home", "http://127.0.0.1:1", "authentication.origin.other", exitBench, "", "connection refused"},
		{"not loopback", "http://site.example", "authentication.origin.other", exitUsage, "", "--i-own-this-site site.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, out, errOut := described(t, test.address, "--only", test.only)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errOut, test.errOut) {
				t.Errorf("exit code %d, want %d\n%s\n%s", code, test.code, out, errOut)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "site.localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"::ffff:127.0.0.1": true, "example.com": false, "localhost.example.com": false, "notlocalhost": false,
		"127.0.0.1.example.com": false, "0.0.0.0": false, "10.0.0.1": false, "": false,
	} {
		if loopback(host) != want {
			t.Errorf("loopback(%q) = %t", host, !want)
		}
	}
}

// noRequest answers every request and counts.
type noRequest struct{ n int }

func (c *noRequest) RoundTrip(*http.Request) (*http.Response, error) {
	c.n++
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
}

func TestGuard(t *testing.T) {
	next := &noRequest{}
	g := &guard{own: []string{"Mine.example"}, rate: 1e6, next: next}
	for url, allowed := range map[string]bool{
		"http://localhost:8080/": true, "https://mine.example/": true, "https://www.mine.example/": false, "https://yours.example/": false,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := g.RoundTrip(r)
		if (err == nil) != allowed {
			t.Errorf("%s: %v", url, err)
		}
		if err == nil {
			response.Body.Close()
		}
	}
	if next.n != 2 {
		t.Errorf("%d requests were sent", next.n)
	}
}

func TestRate(t *testing.T) {
	g := &guard{}
	now := time.Now()
	for i, want := range []time.Duration{0, 100 * time.Millisecond, 200 * time.Millisecond} {
		if got := g.turn("mine.example", now); got != want {
			t.Errorf("request %d waits %s, want %s", i, got, want)
		}
	}
	if got := g.turn("mine.example", now.Add(time.Hour)); got != 0 {
		t.Errorf("after an hour: %s", got)
	}
}
