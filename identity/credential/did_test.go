package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-jose/go-jose/v4"
)

func TestWebDIDs(t *testing.T) {
	for _, c := range []struct{ base, did, document string }{
		{"https://issuer.test", "did:web:issuer.test", "https://issuer.test/.well-known/did.json"},
		{"https://issuer.test:8443/", "did:web:issuer.test%3A8443", "https://issuer.test:8443/.well-known/did.json"},
		{"https://idv.test/idemia/eu", "did:web:idv.test:idemia:eu", "https://idv.test/idemia/eu/did.json"},
		{"http://127.0.0.1:9000/a", "did:web:127.0.0.1%3A9000:a", "http://127.0.0.1:9000/a/did.json"},
	} {
		did, err := WebDID(c.base)
		if err != nil || did != c.did {
			t.Errorf("%s: %s, %v", c.base, did, err)
		}
		if document, err := webURL(did); err != nil || document != c.document {
			t.Errorf("%s: %s, %v", did, document, err)
		}
	}
	never := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was asked", r.URL)
		return nil, errors.New("nobody is there")
	})}
	for _, did := range []string{
		"did:web:", "did:web:%zz", "did:web:a%2Fb", "did:web:a%3Fb", "did:web:user@a.test", "did:web::b", "did:ion:x", "",
		"did:web:a.test:..:b", "did:web:a.test:.", "did:web:a.test::b", "did:web:a.test:b%2E%2E", "did:web:a.test:b?c", "did:web:a.test:b/../c",
		"did:jwk:!", "did:jwk:" + encode([]byte("{")), "did:jwk:" + encode([]byte(`{"kty":"oct","k":"AAAA"}`)),
		"did:jwk:" + encode([]byte(`{"kty":"EC","crv":"P-384","x":"pREwj3MM225pMqK0m-dVfKJyquQuOfIorGl24Q2Jndpo8cJHjVRn38_PxB6wgBht","y":"UB1z9LUIbrXHOxW0mCCvUfAAAZU70aOuswPFMINWz65jliCPbwNQevhXjNWsrlAW"}`)),
	} {
		if _, err := (Resolver{never}).Resolve(t.Context(), did); !errors.Is(err, ErrUnresolved) {
			t.Errorf("%q: %v", did, err)
		}
	}
	for _, base := range []string{"issuer.test", "https://", "ftp://issuer.test", "https://a b"} {
		if did, err := WebDID(base); err == nil {
			t.Errorf("%q is %s", base, did)
		}
	}
	for host, want := range map[string]bool{"localhost": true, "localhost:80": true, "127.0.0.2:1": true, "[::1]:1": true, "10.0.0.1": false, "localhost.test": false} {
		if isLoopback(host) != want {
			t.Errorf("%s is loopback: %v", host, !want)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestDocumentsThatCannotBeHad: what answers in the place of a DID document.
func TestDocumentsThatCannotBeHad(t *testing.T) {
	w := newWorld(t)
	whole, err := json.Marshal(w.issuer.doc)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		good   bool
	}{
		"whole":           {200, string(whole), true},
		"not found":       {404, string(whole), false},
		"no JSON":         {200, "<html>", false},
		"of another":      {200, strings.Replace(string(whole), `"id":"did:web:issuer.test"`, `"id":"did:web:other.test"`, 1), false},
		"as long as fits": {200, string(whole) + strings.Repeat(" ", documentLimit-len(whole)), true},
		"without end":     {200, string(whole) + strings.Repeat(" ", documentLimit-len(whole)+1), false},
	} {
		w.net.Handle("issuer.test", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(c.status)
			rw.Write([]byte(c.body)) //nolint:errcheck // it is a buffer
		}))
		if _, err := w.verifier.Resolver.Resolve(t.Context(), "did:web:issuer.test"); (err == nil) != c.good || err != nil && !errors.Is(err, ErrUnresolved) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cut := &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: io.NopCloser(io.MultiReader(strings.NewReader(string(whole)), iotest.ErrReader(io.ErrUnexpectedEOF)))}, nil
	})}
	for name, client := range map[string]*http.Client{"cut off": cut, "nobody to ask with": nil} {
		if _, err := (Resolver{client}).Resolve(t.Context(), "did:web:issuer.test"); !errors.Is(err, ErrUnresolved) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysOfADocument: a key is had under its name, for what the document says it is for.
func TestKeysOfADocument(t *testing.T) {
	w := newWorld(t)
	first, second := w.holder.Public(), w.thief.Public()
	alien, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	doc := Document{ID: "did:web:a.test", VerificationMethod: []VerificationMethod{
		{ID: "did:web:a.test#1", PublicKeyJWK: jose.JSONWebKey{Key: first}}, {ID: "#2", PublicKeyJWK: jose.JSONWebKey{Key: second}},
		{ID: "#3", PublicKeyJWK: jose.JSONWebKey{Key: []byte("secret")}}, {ID: "#4", PublicKeyJWK: jose.JSONWebKey{Key: &alien.PublicKey}},
	}}
	for _, c := range []struct {
		kid     string
		methods []string
		want    *ecdsa.PublicKey
	}{
		{"did:web:a.test#1", []string{"did:web:a.test#2", "did:web:a.test#1"}, first}, {"did:web:a.test#2", []string{"#1", "#2"}, second},
		{"did:web:a.test#1", []string{"#2"}, nil}, {"did:web:a.test#5", []string{"#5"}, nil}, {"#1", []string{"did:web:a.test#1"}, nil},
		{"did:web:a.test#3", []string{"#3"}, nil}, {"did:web:a.test#4", []string{"#4"}, nil}, {"", nil, nil},
	} {
		got, err := doc.key(c.kid, c.methods)
		if c.want == nil && err == nil || c.want != nil && !c.want.Equal(got) {
			t.Errorf("%q among %q: %v, %v", c.kid, c.methods, got, err)
		}
	}
}

// TestIssuerBelowAPath: several issuers on one host.
func TestIssuerBelowAPath(t *testing.T) {
	w := newWorld(t)
	i, err := NewIssuer(IssuerConfig{Now: w.clock.Now, Rand: seeded(1), BaseURL: "https://idv.test/idemia", Name: "Idemia"})
	if err != nil {
		t.Fatal(err)
	}
	w.net.Handle("idv.test", i)
	issued, err := i.Issue(w.holder.DID(), Claims{FirstName: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.verifier.Credential(t.Context(), issued.JWT, Expected{Type: TypeVerifiedIdentity, Issuers: []string{"did:web:idv.test:idemia"}}); err != nil {
		t.Error(err)
	}
}

func TestLinkedDomains(t *testing.T) {
	w := newWorld(t)
	if origin, err := w.verifier.LinkedDomain(t.Context(), w.issuer.DID()); err != nil || origin != "https://issuer.test" {
		t.Errorf("%q, %v", origin, err)
	}
	if _, err := w.verifier.LinkedDomain(t.Context(), w.holder.DID()); !errors.Is(err, ErrUnlinked) {
		t.Errorf("a DID without a domain: %v", err)
	}
	doc, _ := NewDocument("did:web:phish.test", w.thief.Public(), "https://issuer.test") // names a domain that is not its own
	w.net.Handle("phish.test", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, 200, doc) }))
	if _, err := w.verifier.LinkedDomain(t.Context(), "did:web:phish.test"); !errors.Is(err, ErrUnlinked) {
		t.Errorf("somebody else's domain: %v", err)
	}
	if _, err := w.verifier.LinkedDomain(t.Context(), "did:web:nobody.test"); !errors.Is(err, ErrUnresolved) {
		t.Errorf("a DID that cannot be had: %v", err)
	}
}

// TestAcknowledgements: an origin names several DIDs, some of them wrongly.
func TestAcknowledgements(t *testing.T) {
	w := newWorld(t)
	whole, err := w.issuer.Linkage()
	if err != nil {
		t.Fatal(err)
	}
	jwt := whole.LinkedDIDs[0]
	resigned := func(change func(map[string]any)) string {
		return w.resigned(jwt, w.issuer.key, w.issuer.kid, change)
	}
	for name, c := range map[string]struct {
		linked []string
		good   bool
	}{
		"after nonsense":      {[]string{"x", jwt}, true},
		"none":                {nil, false},
		"of another origin":   {[]string{resigned(subject("origin", "https://other.test"))}, false},
		"about another":       {[]string{resigned(func(c map[string]any) { set("sub", "")(c); subject("id", w.other.did)(c) })}, false},
		"about nobody":        {[]string{resigned(subject("id", ""))}, false},
		"of another, by it":   {[]string{w.resigned(jwt, w.other.key, w.other.kid, set("iss", w.other.did))}, false},
		"expired":             {[]string{resigned(set("exp", w.clock.now.Add(-day).Unix()))}, false},
		"a Verified ID":       {[]string{w.issued.JWT}, false},
		"signed by a thief":   {[]string{w.resigned(jwt, w.thief, w.issuer.kid, nil)}, false},
		"last one is another": {[]string{jwt, w.issued.JWT}, true},
	} {
		body, err := json.Marshal(Configuration{contextLinkage, c.linked})
		if err != nil {
			t.Fatal(err)
		}
		w.net.Handle("issuer.test", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "did-configuration.json") {
				rw.Write(body) //nolint:errcheck // it is a buffer
				return
			}
			w.issuer.ServeHTTP(rw, r)
		}))
		if _, err := w.verifier.LinkedDomain(t.Context(), w.issuer.DID()); (err == nil) != c.good || err != nil && !errors.Is(err, ErrUnlinked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDocument(f *testing.F) {
	f.Add("did:jwk:eyJrdHkiOiJFQyJ9")
	f.Add("did:web:a.test:b")
	f.Fuzz(func(t *testing.T, did string) {
		if doc, err := resolveJWK(did); err == nil && doc.ID != did {
			t.Errorf("%s is the document of %s", doc.ID, did)
		}
		webURL(did) //nolint:errcheck // it must not panic
	})
}
