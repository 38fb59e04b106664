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
	if p.Holder != w.holder.DID() || p.Nonce != nonce || p.ID != "urn:uuid:1" || !p.IssuedAt.Equal(w.clock.now) || !reflect.DeepEqual(p.Credentials, []Credential{want}) {
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

// TestListsAreTheirIssuers: what was fetched for one issuer says nothing of another's.
func TestListsAreTheirIssuers(t *testing.T) {
	w := newWorld(t)
	if _, err := w.verifier.Credential(t.Context(), w.issued.JWT, w.want()); err != nil {
		t.Fatal(err)
	}
	alien := w.resigned(w.issuedBy(w.other), w.other.key, w.other.kid, status("statusListCredential", "https://issuer.test/status/1"))
	if _, err := w.verifier.Credential(t.Context(), alien, Expected{Type: TypeVerifiedIdentity, AnyIssuer: true}); ReasonOf(err) != StatusUnavailable {
		t.Errorf("a status in another issuer's list: %v", err)
	}
}

// TestStatusAtItsEdges: the first and the last entry are entries, and none at all is
// enough where revoked ones are taken.
func TestStatusAtItsEdges(t *testing.T) {
	for _, index := range []string{"0", "131071"} {
		w := newWorld(t)
		if _, err := w.verifier.Credential(t.Context(), w.byIssuer(status("statusListIndex", index)), w.want()); err != nil {
			t.Errorf("entry %s: %v", index, err)
		}
	}
	w, want := newWorld(t), Expected{Type: TypeVerifiedIdentity, AnyIssuer: true, AllowRevoked: true}
	bare := w.byIssuer(vc(func(vc map[string]any) { delete(vc, "credentialStatus") }))
	if _, err := w.verifier.Credential(t.Context(), bare, want); err != nil {
		t.Errorf("without status: %v", err)
	}
	if _, err := w.verifier.Credential(t.Context(), w.byIssuer(status("type", "Other")), want); ReasonOf(err) != StatusUnavailable {
		t.Errorf("with an unknown one: %v", err)
	}
}

// TestClocksMayDiffer by a minute, and no more.
func TestClocksMayDiffer(t *testing.T) {
	for _, c := range []struct {
		claim string
		good  time.Duration // from now
		bad   time.Duration
		want  Reason
	}{
		{"nbf", time.Minute, time.Minute + time.Second, NotYetValid},
		{"iat", time.Minute, time.Minute + time.Second, NotYetValid},
		{"exp", -time.Minute + time.Second, -time.Minute, Expired},
		{"iat", -6 * time.Minute, -6*time.Minute - time.Second, Stale},
	} {
		for at, want := range map[time.Duration]Reason{c.good: "", c.bad: c.want} {
			w := newWorld(t)
			change := set(c.claim, w.clock.now.Add(at).Unix())
			_, err := w.verifier.Presentation(t.Context(), w.resigned(w.presented(w.issued.JWT), w.holder, w.holder.DID()+"#0", change), w.demand())
			if ReasonOf(err) != want {
				t.Errorf("presentation with %s at %s: %v", c.claim, at, err)
			}
			_, err = w.verifier.Credential(t.Context(), w.byIssuer(change), w.want())
			if c.want != Stale && ReasonOf(err) != want {
				t.Errorf("credential with %s at %s: %v", c.claim, at, err)
			}
		}
	}
}

// TestTokensThatAreNone are refused before anything in them counts.
func TestTokensThatAreNone(t *testing.T) {
	good := encode([]byte(`{"alg":"ES256"}`))
	for name, text := range map[string]string{
		"header no base64url":   "!." + good + ".AA",
		"header no JSON":        "AAAA." + good + ".AA",
		"header with more":      encode([]byte(`{"alg":"ES256"}{}`)) + "." + good + ".AA",
		"claims no base64url":   good + ".!.AA",
		"signature no base64":   good + "." + good + ".!",
		"longer than a token":   good + "." + strings.Repeat("A", tokenLimit) + ".AA",
		"one byte too long":     good + "." + strings.Repeat("A", tokenLimit-len(good)-3) + ".AA",
		"signature with spaces": good + "." + good + ". AA",
	} {
		if _, err := parseToken(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := parseToken(good + "." + strings.Repeat("A", tokenLimit-len(good)-4) + ".AA"); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
}

func TestStepsAreNumbered(t *testing.T) {
	var numbers []int
	for _, s := range Steps() {
		numbers = append(numbers, s.Number)
	}
	credentials := len(credentialChecks())
	for i, n := range numbers {
		if n != i%credentials+1 && n != i-credentials+1 {
			t.Errorf("step %d has number %d", i, n)
		}
	}
	w := newWorld(t)
	_, err := w.verifier.Credential(t.Context(), w.issuedBy(w.other), w.want())
	if refusal, ok := asRefusal(err); !ok || refusal.Step.Number != 3 {
		t.Errorf("%v is not of step 3", err)
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
	for name, text := range map[string]string{"empty": "", "no base64url": "!", "no gzip": "AAAA", "short": short, "without end": bomb, "cut": short[:20]} {
		if _, err := DecodeStatusList(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	long, _ := EncodeStatusList(make([]byte, expandedLimit))
	if bits, err := DecodeStatusList(long); err != nil || len(bits) != expandedLimit {
		t.Errorf("as long as may be: %d bytes, %v", len(bits), err)
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
