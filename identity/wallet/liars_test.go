package wallet_test

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"fido-emu/identity/credential"
	"fido-emu/identity/request"
	"fido-emu/identity/wallet"
)

// TestIssuersThatLie: the wallet keeps nothing that is not what was offered, by who
// offered it, about its holder.
func TestIssuersThatLie(t *testing.T) {
	type object = map[string]any
	for _, c := range []struct {
		name string
		path string // whose answer is changed
		lie  func(*testing.T, *world, object) any
	}{
		{"an offer of nothing", "/offers/", func(_ *testing.T, _ *world, o object) any { o["credential_configuration_ids"] = []string{}; return o }},
		{"an offer of two", "/offers/", func(_ *testing.T, _ *world, o object) any {
			o["credential_configuration_ids"] = []string{"a", "b"}
			return o
		}},
		{"an offer without a code", "/offers/", func(_ *testing.T, _ *world, o object) any { o["grants"] = object{}; return o }},
		{"an offer of another type", "/offers/", func(_ *testing.T, _ *world, o object) any {
			o["credential_configuration_ids"] = []string{"VerifiedEmployee"}
			return o
		}},
		{"an offer of nobody", "/offers/", func(_ *testing.T, _ *world, o object) any { o["credential_issuer"] = "issuer"; return o }},
		{"an offer of no JSON", "/offers/", func(*testing.T, *world, object) any { return nil }},
		{"metadata of another", "/.well-known/openid-credential-issuer", func(_ *testing.T, _ *world, o object) any {
			o["credential_issuer"] = "https://other.test"
			return o
		}},
		{"metadata of no JSON", "/.well-known/openid-credential-issuer", func(*testing.T, *world, object) any { return nil }},
		{"no nonce", "/nonce", func(*testing.T, *world, object) any { return nil }},
		{"another nonce", "/nonce", func(_ *testing.T, _ *world, o object) any { o["c_nonce"] = "x"; return o }},
		{"no credential", "/credential", func(_ *testing.T, _ *world, o object) any { o["credentials"] = []any{}; return o }},
		{"two credentials", "/credential", func(_ *testing.T, _ *world, o object) any {
			one := o["credentials"].([]any)[0]
			o["credentials"] = []any{one, one}
			return o
		}},
		{"a credential about another", "/credential", func(t *testing.T, w *world, o object) any {
			other, err := w.issuer.Issue("did:jwk:e30", nil)
			if err != nil {
				t.Fatal(err)
			}
			return object{"credentials": []any{object{"credential": other.JWT}}}
		}},
		{"a forged credential", "/credential", func(_ *testing.T, _ *world, o object) any {
			one := o["credentials"].([]any)[0].(object)
			one["credential"] = one["credential"].(string)[:100] + "A" + one["credential"].(string)[101:]
			return o
		}},
		{"more than a wallet reads", "/credential", func(_ *testing.T, _ *world, o object) any {
			o["x"] = strings.Repeat("x", 1<<20)
			return o
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "https://issuer.test")
			w.net.Handle("issuer.test", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, c.path) {
					w.issuer.ServeHTTP(rw, r)
					return
				}
				kept := httptest.NewRecorder()
				w.issuer.ServeHTTP(kept, r)
				var answer object
				if err := json.Unmarshal(kept.Body.Bytes(), &answer); err != nil {
					t.Error(err)
				}
				if lie := c.lie(t, w, answer); lie != nil {
					json.NewEncoder(rw).Encode(lie) //nolint:errcheck // it is a buffer
				}
			}))
			if h, err := w.wallet.Accept(t.Context(), w.offer(t, false).Link, ""); err == nil || len(w.wallet.List()) != 0 {
				t.Errorf("kept %+v, %v", h, err)
			}
		})
	}
	w := newWorld(t, "https://issuer.test")
	w.net.Handle("issuer.test", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			http.Redirect(rw, r, "https://issuer.test/nowhere", http.StatusMultipleChoices)
			return
		}
		w.issuer.ServeHTTP(rw, r)
	}))
	var refused *wallet.ServiceError
	if _, err := w.wallet.Accept(t.Context(), w.offer(t, false).Link, ""); !errors.As(err, &refused) || refused.Status != http.StatusMultipleChoices {
		t.Errorf("an answer that is none: %v", err)
	}
	for _, link := range []string{"", "openid-credential-offer://?x=y", "https://?credential_offer_uri=https://a.test", "openid-credential-offer://?credential_offer_uri=%zz", ":"} {
		if _, err := w.wallet.Accept(t.Context(), link, ""); !errors.Is(err, wallet.ErrLink) {
			t.Errorf("%q: %v", link, err)
		}
	}
}

// TestRequestsThatLie: a request says where its answer goes and has a nonce and an end,
// and the person sees all of it.
func TestRequestsThatLie(t *testing.T) {
	w := newWorld(t, "https://issuer.test")
	key, err := credential.NewKey(w.rand)
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock.now.Unix()
	for _, c := range []struct {
		name   string
		change func(*request.RequestObject)
		good   bool
	}{
		{"whole", func(*request.RequestObject) {}, true},
		{"about to end", func(o *request.RequestObject) { o.Expires = now + 1 }, true},
		{"at its end", func(o *request.RequestObject) { o.Expires = now }, false},
		{"without an end", func(o *request.RequestObject) { o.Expires = 0 }, false},
		{"answered by redirection", func(o *request.RequestObject) { o.ResponseMode = "fragment" }, false},
		{"answered nowhere", func(o *request.RequestObject) { o.RedirectURI = "" }, false},
		{"without a nonce", func(o *request.RequestObject) { o.Nonce = "" }, false},
	} {
		o := request.RequestObject{ClientID: key.DID(), ResponseMode: "post", RedirectURI: "https://rp.test/x", Nonce: "n", Expires: now + 60}
		o.Registration.ClientName, o.Registration.ClientPurpose = "Contoso", "to see who you are"
		o.Claims.VPToken.Definition.InputDescriptors = []request.InputDescriptor{{ID: "A"}, {ID: "B", FaceCheck: &request.FaceCheckRequest{}}, {ID: "C"}}
		c.change(&o)
		text, err := key.Sign(key.DID()+"#0", o)
		if err != nil {
			t.Fatal(err)
		}
		w.net.Handle("rp.test", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, text) })) //nolint:errcheck // it is a buffer
		asked, err := w.wallet.Open(t.Context(), "openid-vc://?request_uri=https://rp.test/r")
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && (asked.Verifier != key.DID() || asked.ClientName != "Contoso" || asked.Purpose != "to see who you are" || asked.Domain != "" ||
			!slices.Equal(asked.Types, []string{"A", "B", "C"}) || !asked.FaceCheck || asked.Expires.Unix() != o.Expires) {
			t.Errorf("%s: the person sees %+v", c.name, asked)
		}
		if err == nil {
			if _, err := w.wallet.AnswerWith(t.Context(), asked); err == nil || !strings.Contains(err.Error(), "no camera") {
				t.Errorf("%s: answered without a selfie: %v", c.name, err)
			}
		}
	}
	if _, err := wallet.New(wallet.Config{Rand: strings.NewReader("short")}); err == nil {
		t.Error("a wallet has a key of nothing")
	}
}

// TestNewestFirst: of what fits, the newest goes out; what another issuer issued, and
// what is of another type, does not.
func TestNewestFirst(t *testing.T) {
	w := newWorld(t, "https://issuer.test")
	other, err := credential.NewIssuer(credential.IssuerConfig{Now: w.clock.Now, Rand: rand.NewChaCha8([32]byte{8}), BaseURL: "https://other.test", Name: "Other", Type: "VerifiedEmployee"})
	if err != nil {
		t.Fatal(err)
	}
	w.net.Handle("other.test", other)
	first, second := w.held(t), w.held(t)
	offer, err := other.Offer(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	third, err := w.wallet.Accept(t.Context(), offer.Link, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := credential.NewKey(w.rand)
	if err != nil {
		t.Fatal(err)
	}
	from := func(issuers ...string) *request.DescriptorConstraints {
		return &request.DescriptorConstraints{Fields: []request.Field{{Path: []string{"$.iss"}, Filter: request.Filter{Type: "string", Enum: issuers}}}}
	}
	o := request.RequestObject{ClientID: key.DID(), ResponseMode: "post", RedirectURI: "https://rp.test/x", Nonce: "n", Expires: w.clock.now.Unix() + 60}
	o.Claims.VPToken.Definition.InputDescriptors = []request.InputDescriptor{
		{ID: credential.TypeVerifiedIdentity}, {ID: credential.TypeVerifiedIdentity, Constraints: from(w.issuer.DID())},
		{ID: credential.TypeVerifiedIdentity, Constraints: from(other.DID())}, {ID: "VerifiedEmployee", Constraints: from("did:web:x", other.DID())}, {ID: "Other"},
	}
	text, err := key.Sign(key.DID()+"#0", o)
	if err != nil {
		t.Fatal(err)
	}
	w.net.Handle("rp.test", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, text) })) //nolint:errcheck // it is a buffer
	asked, err := w.wallet.Open(t.Context(), "openid-vc://?request_uri="+url.QueryEscape("https://rp.test/r"))
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, fit := range w.wallet.Fitting(asked) {
		ids := []string{}
		for _, h := range fit {
			ids = append(ids, h.ID)
		}
		got = append(got, ids)
	}
	want := [][]string{{second.ID, first.ID}, {second.ID, first.ID}, {}, {third.ID}, {}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("fitting %v, want %v", got, want)
	}
	if h := w.wallet.List(); len(h) != 3 || h[0].ID != first.ID {
		t.Errorf("the list is in another order: %v", h)
	}
}
