package request_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/request"
)

// holder signs answers by hand, where a wallet would not.
type holder struct {
	*world
	key    *credential.Key
	jwt    string // a Verified ID about the holder
	id     string // its identifier
	object request.RequestObject
}

// newHolder opens a new request.
func newHolder(t *testing.T, change func(*request.PresentationRequest)) *holder {
	t.Helper()
	w := newWorld(t)
	key, err := credential.NewKey(rand.NewChaCha8([32]byte{3}))
	h := &holder{world: w, key: must(t, key, err)}
	issued, err := w.issuer.Issue(h.key.DID(), credential.Claims{credential.FirstName: "Ada", credential.Portrait: credential.EncodePhoto(photo(240, false))})
	h.jwt, h.id = must(t, issued, err).JWT, issued.ID
	link, _ := url.Parse(w.create(t, change).URL)
	_, object := w.fetch(t, strings.TrimPrefix(link.Query().Get("request_uri"), service))
	_, err = credential.Open(t.Context(), credential.Resolver{Client: w.net.Client()}, string(object), "", &h.object)
	must(t, h, err)
	return h
}

// form is a good answer.
func (h *holder) form(t *testing.T, change func(*request.IDToken), credentials ...string) url.Values {
	t.Helper()
	now, o := h.clock.now, h.object
	id := request.IDToken{Issuer: request.SelfIssued, Subject: h.key.DID(), Audience: o.ClientID, Nonce: o.Nonce, IssuedAt: now.Unix(), Expires: now.Add(5 * time.Minute).Unix()}
	if change != nil {
		change(&id)
	}
	idToken, err := h.key.Sign(h.key.DID()+"#0", id)
	idToken = must(t, idToken, err)
	vp, err := credential.Present(h.key, o.ClientID, o.Nonce, "urn:uuid:1", now, 5*time.Minute, credentials...)
	return url.Values{"id_token": {idToken}, "vp_token": {must(t, vp, err)}, "state": {o.State}, "face_capture": {"QWRh"}} // Ada
}

func (h *holder) send(t *testing.T, body, kind string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest("POST", h.object.RedirectURI, strings.NewReader(body))
	req = must(t, req, err)
	req.Header.Set("Content-Type", kind)
	return h.do(t, req)
}

const formType = "application/x-www-form-urlencoded"

// TestIDTokens: who answers says so, to this tenant, for this request, now.
func TestIDTokens(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*request.IDToken, int64)
		good   bool
	}{
		{"whole", func(*request.IDToken, int64) {}, true},
		{"issued by another", func(i *request.IDToken, _ int64) { i.Issuer = "https://self-issued.me/v2" }, false},
		{"about another", func(i *request.IDToken, _ int64) { i.Subject = "did:jwk:x" }, false},
		{"for another", func(i *request.IDToken, _ int64) { i.Audience += "x" }, false},
		{"with another nonce", func(i *request.IDToken, _ int64) { i.Nonce += "x" }, false},
		{"just expired", func(i *request.IDToken, now int64) { i.Expires = now - 60 }, false},
		{"about to expire", func(i *request.IDToken, now int64) { i.Expires = now - 59 }, true},
		{"of the future", func(i *request.IDToken, now int64) { i.IssuedAt = now + 61 }, false},
		{"of a clock that is fast", func(i *request.IDToken, now int64) { i.IssuedAt = now + 60 }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHolder(t, nil)
			form := h.form(t, func(i *request.IDToken) { c.change(i, h.clock.now.Unix()) }, h.jwt)
			resp, body := h.send(t, form.Encode(), formType)
			told := h.statuses()
			if c.good && (resp.StatusCode != http.StatusOK || told != "request_retrieved presentation_verified") ||
				!c.good && (resp.StatusCode != http.StatusBadRequest || told != "request_retrieved") {
				t.Errorf("%s %s; told %s", resp.Status, body, told)
			}
		})
	}
}

// TestAnswersThatCannotBeRead leave the request as it was.
func TestAnswersThatCannotBeRead(t *testing.T) {
	h := newHolder(t, nil)
	form := h.form(t, nil, h.jwt)
	without := func(name string) string {
		rest := url.Values{}
		for k, v := range form {
			if k != name {
				rest[k] = v
			}
		}
		return rest.Encode()
	}
	for name, c := range map[string]struct {
		body, kind string
		status     int
	}{
		"as JSON":             {form.Encode(), "application/json", 415},
		"no form":             {"%", formType, 400},
		"no ID token":         {without("id_token"), formType, 400},
		"no VP token":         {without("vp_token"), formType, 400},
		"no state":            {without("state"), formType, 400},
		"capture no base64":   {strings.Replace(form.Encode(), "face_capture=", "face_capture=!", 1), formType, 400},
		"longer than allowed": {form.Encode() + "&x=" + strings.Repeat("x", 5<<20), formType, 413},
	} {
		if resp, body := h.send(t, c.body, c.kind); resp.StatusCode != c.status {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
	}
	if got := h.statuses(); got != "request_retrieved" {
		t.Fatalf("told %s", got)
	}
	if resp, body := h.send(t, form.Encode(), formType+"; charset=utf-8"); resp.StatusCode != http.StatusOK {
		t.Errorf("the whole one, afterwards: %s", body)
	}
}

// TestCodes: which error.code stands for what a credential is refused for.
func TestCodes(t *testing.T) {
	accept := func(change func(*request.RequestedCredential)) func(*request.PresentationRequest) {
		return func(r *request.PresentationRequest) { change(&r.RequestedCredentials[0]) }
	}
	for _, c := range []struct {
		name   string
		ask    func(*request.PresentationRequest)
		before func(*holder)
		want   string
	}{
		{"another issuer", accept(func(c *request.RequestedCredential) { c.AcceptedIssuers = []string{"did:web:other.test"} }), nil, "presentation_error:claimValidationError"},
		{"any issuer", accept(func(c *request.RequestedCredential) { c.AcceptedIssuers = nil }), nil, "presentation_verified"},
		{"another type", accept(func(c *request.RequestedCredential) { c.Type = "VerifiedEmployee" }), nil, "presentation_error:claimValidationError"},
		{"not yet valid", nil, func(h *holder) { h.clock.pass(-2 * time.Minute) }, "presentation_error:claimValidationError"},
		{"no credential", nil, func(h *holder) { h.jwt = "" }, "presentation_error:tokenError"},
		{"revoked", nil, revoke, "presentation_error:claimValidationError"},
		{"revoked, and that is taken", accept(func(c *request.RequestedCredential) { c.Configuration.Validation.AllowRevoked = true }), revoke, "presentation_verified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHolder(t, c.ask)
			if c.before != nil {
				c.before(h)
			}
			h.send(t, h.form(t, nil, h.jwt).Encode(), formType)
			if got := h.statuses(); got != "request_retrieved "+c.want {
				t.Errorf("told %s: %s", got, h.bodies[len(h.bodies)-1])
			}
			if e := h.events[len(h.events)-1]; c.name == "revoked, and that is taken" && e.VerifiedCredentialsData[0].CredentialState.RevocationStatus != "REVOKED" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func revoke(h *holder) {
	if err := h.issuer.Revoke(h.id); err != nil {
		panic(err) // it was issued
	}
}

// TestPresentedIsTheTenants: what was presented is had by whom it was presented to.
func TestPresentedIsTheTenants(t *testing.T) {
	h := newHolder(t, nil)
	h.send(t, h.form(t, nil, h.jwt).Encode(), formType)
	req, err := http.NewRequest("GET", service+"/v1.0/verifiableCredentials/presentations/"+h.object.ID, nil)
	req = must(t, req, err)
	if resp, _ := h.do(t, req); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", resp.Status)
	}
	if resp, body := h.fetch(t, "/v1.0/verifiableCredentials/presentations/"+h.object.ID); resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"audience":"`+h.object.ClientID+`"`) {
		t.Errorf("%s %s", resp.Status, body)
	}
	h.clock.pass(24*time.Hour + 5*time.Minute)
	h.create(t, nil)
	if strings.Contains(string(h.saved), h.object.ID) {
		t.Error("it is kept for more than a day")
	}
}

// TestObject holds the request object, and how it is served, against
// testdata/request_object.json.
func TestObject(t *testing.T) {
	h := newHolder(t, func(r *request.PresentationRequest) {
		r.Registration.LogoURL, r.Registration.TermsOfServiceURL = "https://rp.test/logo.png", "https://rp.test/terms"
		r.RequestedCredentials[0].Purpose = "to see who you are"
		r.RequestedCredentials = append(r.RequestedCredentials, request.RequestedCredential{Type: "Another"})
	})
	resp, token := h.fetch(t, "/v1.0/contoso/verifiableCredentials/presentationRequests/"+h.object.ID)
	if kind, cache := resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control"); kind != "application/jwt" || cache != "no-store" {
		t.Errorf("served as %q, %q", kind, cache)
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(string(token), ".")[1])
	body = must(t, body, err)
	var got bytes.Buffer
	if err := json.Indent(&got, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("testdata", "request_object.json"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(want)) != got.String() {
		t.Errorf("got\n%s", &got)
	}
}
