package credential

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func asRefusal(err error) (*Refusal, bool) {
	var r *Refusal
	return r, errors.As(err, &r)
}

func TestPresentationVerifies(t *testing.T) {
	w := newWorld(t)
	p, err := w.verifier.Presentation(t.Context(), w.presented(w.issued.JWT), w.demand())
	if err != nil {
		t.Fatal(err)
	}
	want := Credential{
		JWT: w.issued.JWT, ID: w.issued.ID, Issuer: "did:web:issuer.test", Subject: w.holder.DID(),
		Types:    []string{"VerifiableCredential", "VerifiedIdentity"},
		Claims:   Claims{FirstName: "Ada", LastName: "Lovelace"},
		IssuedAt: w.clock.now, Expires: w.issued.Expires,
	}
	if p.Holder != w.holder.DID() || p.Nonce != nonce || !reflect.DeepEqual(p.Credentials, []Credential{want}) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
}

// TestMutantsStillSee: without a step, what is whole is taken all the same, so that a
// forgery which passes does so for want of that step.
func TestMutantsStillSee(t *testing.T) {
	for _, s := range Steps() {
		if strings.HasSuffix(s.Name, ".form") || strings.HasSuffix(s.Name, ".key.document") || strings.HasSuffix(s.Name, ".key") ||
			s.Name == "presentation.credentials" {
			continue
		}
		w := newWorld(t)
		w.verifier.without = s.Name
		if _, err := w.verifier.Presentation(t.Context(), w.presented(w.issued.JWT), w.demand()); err != nil {
			t.Errorf("without %s: %v", s.Name, err)
		}
	}
}

func TestSameSeedSameTokens(t *testing.T) {
	a, b := newWorld(t), newWorld(t)
	if a.issued != b.issued || a.presented(a.issued.JWT) != b.presented(b.issued.JWT) || a.statusList() != b.statusList() {
		t.Error("two runs from one seed differ")
	}
}

func TestRevocationIsSeenWhenTheListExpires(t *testing.T) {
	w := newWorld(t)
	verify := func() Reason {
		_, err := w.verifier.Credential(t.Context(), w.issued.JWT, w.want())
		return ReasonOf(err)
	}
	if got := verify(); got != "" {
		t.Fatalf("at first: %s", got)
	}
	if err := w.issuer.Revoke(w.issued.ID); err != nil {
		t.Fatal(err)
	}
	if got := verify(); got != "" {
		t.Errorf("with the old list: %s", got)
	}
	w.clock.pass(5 * time.Minute)
	if got := verify(); got != Revoked {
		t.Errorf("with a new list: %q", got)
	}
	want := w.want()
	want.AllowRevoked = true
	if c, err := w.verifier.Credential(t.Context(), w.issued.JWT, want); err != nil || !c.Revoked {
		t.Errorf("where revoked ones are allowed: %+v, %v", c, err)
	}
	if err := w.issuer.Revoke("urn:uuid:no"); !errors.Is(err, ErrUnknownCredential) {
		t.Errorf("revoke what was never issued: %v", err)
	}
}

func TestStatusListIsFetchedOncePerLife(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		if _, err := w.verifier.Credential(t.Context(), w.issued.JWT, w.want()); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.net.Served("issuer.test"); got != 5 { // three times the document, the list with its document once
		t.Errorf("%d requests", got)
	}
}

func TestIssuersAreTrustedByName(t *testing.T) {
	w := newWorld(t)
	if _, err := w.verifier.Credential(t.Context(), w.issued.JWT, Expected{Type: TypeVerifiedIdentity}); ReasonOf(err) != UnknownIssuer {
		t.Errorf("nobody trusted: %v", err)
	}
	if _, err := w.verifier.Credential(t.Context(), w.issued.JWT, Expected{Type: TypeVerifiedIdentity, AnyIssuer: true}); err != nil {
		t.Errorf("anybody trusted: %v", err)
	}
}

// TestNonceSurvivesRefusal: what is refused does not use a request up.
func TestNonceSurvivesRefusal(t *testing.T) {
	w := newWorld(t)
	if _, err := w.verifier.Presentation(t.Context(), w.presentedBy(w.thief, audience, nonce, w.issued.JWT), w.demand()); ReasonOf(err) != HolderNotBound {
		t.Fatal(err)
	}
	if _, err := w.verifier.Presentation(t.Context(), w.presented(w.issued.JWT), w.demand()); err != nil {
		t.Errorf("the holder's own: %v", err)
	}
}

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
	for _, did := range []string{"did:web:", "did:web:a.test:..:b", "did:web:a.test::b", "did:web:a%2Fb", "did:web:user@a.test", "did:ion:x", ""} {
		if _, err := (Resolver{http.DefaultClient}).Resolve(t.Context(), did); !errors.Is(err, ErrUnresolved) {
			t.Errorf("%q: %v", did, err)
		}
	}
	if _, err := WebDID("issuer.test"); err == nil {
		t.Error("a base without a scheme")
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
}

// TestStatusListsRoundTrip: bits are set where they were set, and nowhere else.
func TestStatusListsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := make([]byte, statusEntries/8)
		set := rapid.SliceOfNDistinct(rapid.IntRange(0, statusEntries-1), 0, 20, rapid.ID[int]).Draw(t, "set")
		for _, index := range set {
			setEntry(bits, index)
		}
		text, err := EncodeStatusList(bits)
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeStatusList(text)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for index := range statusEntries {
			if entry(back, index) {
				count++
			}
		}
		for _, index := range set {
			if !entry(back, index) {
				t.Fatalf("%d is not set", index)
			}
		}
		if count != len(set) {
			t.Fatalf("%d set, want %d", count, len(set))
		}
	})
}

func TestStatusListsThatAreNone(t *testing.T) {
	short, _ := EncodeStatusList(make([]byte, 16))
	bomb, _ := EncodeStatusList(make([]byte, expandedLimit+1))
	for name, text := range map[string]string{"empty": "", "no gzip": "AAAA", "short": short, "without end": bomb, "cut": short[:20]} {
		if _, err := DecodeStatusList(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzCredential(f *testing.F) {
	v := &Verifier{Now: newClock().Now, Resolver: Resolver{http.DefaultClient}}
	f.Add("a.b.c")
	f.Add(`eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.AA`)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := v.Credential(t.Context(), text, Expected{Type: TypeVerifiedIdentity}); err == nil || ReasonOf(err) == "" {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func FuzzPresentation(f *testing.F) {
	v := &Verifier{Now: newClock().Now}
	f.Add("a.b.c", "n")
	f.Fuzz(func(t *testing.T, text, nonce string) {
		if p, err := v.Presentation(t.Context(), text, Demand{Audience: "a", Nonce: nonce}); err == nil || ReasonOf(err) == "" {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func FuzzStatusList(f *testing.F) {
	f.Add("H4sIAAAAAAAA_w")
	f.Fuzz(func(t *testing.T, text string) {
		if bits, err := DecodeStatusList(text); err == nil && len(bits) < statusEntries/8 {
			t.Errorf("%d bytes", len(bits))
		}
	})
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
