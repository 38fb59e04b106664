package request_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image/png"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/request"
	"fido-emu/identity/wallet"
)

func TestPresentationWithFaceCheck(t *testing.T) {
	w := newWorld(t)
	held := w.issue(t, photo(240, false))
	created := w.create(t, func(r *request.PresentationRequest) { r.IncludeQRCode = true })
	if want := w.clock.now.Add(5 * time.Minute).Unix(); created.Expiry != want {
		t.Errorf("expiry %d, want %d", created.Expiry, want)
	}
	picture, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(created.QRCode, "data:image/png;base64,"))
	if _, decoded := png.Decode(bytes.NewReader(picture)); err != nil || decoded != nil {
		t.Errorf("QR code: %v, %v", err, decoded)
	}
	if err := w.wallet.Present(t.Context(), created.URL); err != nil {
		t.Fatal(err)
	}
	if got := w.statuses(); got != "request_retrieved presentation_verified" {
		t.Fatal(got)
	}
	for i, e := range w.events {
		if e.RequestID != created.RequestID || e.State != "case 1" || w.headers[i].Get("api-key") != "secret" {
			t.Errorf("event %d: %+v, %v", i, e, w.headers[i])
		}
	}
	e := w.events[1]
	if e.Subject != w.wallet.DID() || e.Receipt != nil || len(e.VerifiedCredentialsData) != 1 {
		t.Fatalf("%+v", e)
	}
	c := e.VerifiedCredentialsData[0]
	if c.Issuer != "did:web:issuer.test" || c.Claims[credential.LastName] != "Lovelace" || c.CredentialState.RevocationStatus != "VALID" ||
		c.DomainValidation.URL != "https://issuer.test/" || c.ExpirationDate != held.Expires.Format(time.RFC3339) {
		t.Errorf("%+v", c)
	}
	if c.FaceCheck == nil || *c.FaceCheck != (request.FaceCheckResult{MatchConfidenceScore: 86.314159, SourcePhotoQuality: "HIGH"}) {
		t.Errorf("face check %+v", c.FaceCheck)
	}
	if err := w.wallet.Present(t.Context(), created.URL); !isStatus(err, http.StatusGone) {
		t.Errorf("a second time: %v", err)
	}
}

// TestRelyingPartyVerifiesForItself: what was presented verifies without this service.
func TestRelyingPartyVerifiesForItself(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	created := w.create(t, nil)
	fetch := func(bearer string) (*http.Response, []byte) {
		req, err := http.NewRequest("GET", service+"/v1.0/verifiableCredentials/presentations/"+created.RequestID, nil)
		req = must(t, req, err)
		req.Header.Set("Authorization", "Bearer "+bearer)
		return w.do(t, req)
	}
	if resp, _ := fetch(token); resp.StatusCode != http.StatusNotFound {
		t.Errorf("before the presentation: %s", resp.Status)
	}
	if err := w.wallet.Present(t.Context(), created.URL); err != nil {
		t.Fatal(err)
	}
	if resp, _ := fetch("another"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another tenant: %s", resp.Status)
	}
	resp, body := fetch(token)
	var p request.Presented
	if err := json.Unmarshal(body, &p); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	v := &credential.Verifier{
		Now: w.clock.Now, Resolver: credential.Resolver{Client: w.net.Client()}, Status: credential.NewStatusLists(), Nonces: new(credential.Nonces),
	}
	demand := credential.Demand{Audience: w.service.Authority("contoso"), Nonce: p.Nonce, Credentials: []credential.Expected{
		{Type: credential.TypeVerifiedIdentity, Issuers: []string{w.issuer.DID()}},
	}}
	if _, err := v.Presentation(t.Context(), p.VPToken, demand); err != nil {
		t.Error(err)
	}
	if _, err := v.Presentation(t.Context(), p.VPToken, demand); credential.ReasonOf(err) != credential.Replayed {
		t.Errorf("again: %v", err)
	}
}

func isStatus(err error, status int) bool {
	var refused *wallet.ServiceError
	return errors.As(err, &refused) && refused.Status == status
}

// TestPresentationErrors: what ends a request, and what the relying party is told.
func TestPresentationErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		portait []byte
		before  func(*world) // before the presentation
		ask     func(*request.PresentationRequest)
		want    request.EventError
	}{
		{"another face", nil, func(w *world) { w.person.face = "sister" }, nil,
			request.EventError{Code: request.ClaimValidationError, Message: "Match confidence score failing to meet the threshold."}},
		{"threshold above the score", nil, nil, func(r *request.PresentationRequest) { threshold(r, 87) },
			request.EventError{Code: request.ClaimValidationError, Message: "Match confidence score failing to meet the threshold."}},
		{"a picture before the camera", nil, func(w *world) { w.person.face = "still" }, nil,
			request.EventError{Code: request.ClaimValidationError, Message: "The liveness check failed."}},
		{"no selfie", nil, func(w *world) { w.person.face = "" }, nil,
			request.EventError{Code: request.ClaimValidationError, Message: "The wallet did not perform the Face Check."}},
		{"no face in the selfie", nil, func(w *world) { w.person.face = "a wall" }, nil,
			request.EventError{Code: request.TransientError, Message: "The Face Check could not be performed: no face in the picture"}},
		{"blurred photo", photo(240, true), nil, nil,
			request.EventError{Code: request.ClaimValidationError, Message: "The quality of the source photo is too low."}},
		{"small photo", photo(120, false), nil, nil,
			request.EventError{Code: request.ClaimValidationError, Message: "The source photo cannot be used: it has 120 by 120 pixels, and 200 by 200 is the least."}},
		{"no photo", nil, nil, func(r *request.PresentationRequest) { faceCheck(r).SourcePhotoClaimName = "photo" },
			request.EventError{Code: request.ClaimValidationError, Message: `The source photo cannot be used: the credential has no claim "photo", in which a photo was to be.`}},
		{"constraint not met", nil, nil, func(r *request.PresentationRequest) {
			r.RequestedCredentials[0].Constraints = []request.Constraint{{ClaimName: credential.LastName, StartsWith: "BYR"}}
		}, request.EventError{Code: request.ClaimValidationError, Message: `Claim "lastName" does not meet its constraint.`}},
		{"revoked", nil, func(w *world) {
			if err := w.issuer.Revoke(w.wallet.List()[0].ID); err != nil {
				panic(err)
			}
			w.clock.pass(4 * time.Minute) // with the wallet's copy of the status list, which plays no part
		}, nil, request.EventError{Code: request.ClaimValidationError, Message: "revoked: "}},
		{"expired", nil, func(w *world) { w.clock.pass(366 * 24 * time.Hour) }, nil,
			request.EventError{Code: request.ClaimValidationError, Message: "expired: "}},
		{"issuer down", nil, func(w *world) { w.net.Down("issuer.test") }, nil,
			request.EventError{Code: request.TransientError, Message: "unresolved: "}},
		{"status list down", nil, func(w *world) { w.net.DieAfter("issuer.test", 1) }, nil,
			request.EventError{Code: request.TransientError, Message: "status-unavailable: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.portait == nil {
				c.portait = photo(240, false)
			}
			w.issue(t, c.portait)
			if c.before != nil {
				c.before(w)
			}
			created := w.create(t, c.ask)
			if err := w.wallet.Present(t.Context(), created.URL); !isStatus(err, http.StatusBadRequest) {
				t.Fatal(err)
			}
			e := w.events[len(w.events)-1]
			if e.RequestStatus != request.Failed || e.Error.Code != c.want.Code || !strings.HasPrefix(e.Error.Message, c.want.Message) ||
				e.VerifiedCredentialsData != nil || strings.Contains(w.bodies[1], "matchConfidenceScore") {
				t.Errorf("%s", w.bodies[1])
			}
		})
	}
}

func faceCheck(r *request.PresentationRequest) *request.FaceCheck {
	return r.RequestedCredentials[0].Configuration.Validation.FaceCheck
}

func threshold(r *request.PresentationRequest, t int) { faceCheck(r).MatchConfidenceThreshold = &t }

// TestForeignAnswersAreToldToNobody: what its holder did not sign, or did not sign for
// this request, is refused and leaves the request as it was.
func TestForeignAnswersAreToldToNobody(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	created, other := w.create(t, nil), w.create(t, nil)
	asked := open(t, w, created.URL)
	good := answer(t, w, asked)
	elsewhere := answer(t, w, open(t, w, other.URL))
	thief := w.newWallet(t, rand.NewChaCha8([32]byte{9}))
	stolen, err := thief.AnswerWith(t.Context(), asked, w.wallet.List()[0].JWT)
	stolen = must(t, stolen, err)
	told := len(w.events)
	for name, r := range map[string]wallet.Response{
		"of another request":      {IDToken: elsewhere.IDToken, VPToken: elsewhere.VPToken, State: good.State},
		"VP of another request":   {IDToken: good.IDToken, VPToken: elsewhere.VPToken, State: good.State},
		"ID of another request":   {IDToken: elsewhere.IDToken, VPToken: good.VPToken, State: good.State},
		"ID of another holder":    {IDToken: stolen.IDToken, VPToken: good.VPToken, State: good.State},
		"truncated":               {IDToken: good.IDToken, VPToken: good.VPToken[:len(good.VPToken)/2], State: good.State},
		"with a broken signature": {IDToken: good.IDToken, VPToken: good.VPToken[:len(good.VPToken)-4] + "AAAA", State: good.State},
		"with a guessed state":    {IDToken: good.IDToken, VPToken: good.VPToken, State: "guess"},
		"without anything":        {},
	} {
		r.FaceCapture = good.FaceCapture
		if err := w.wallet.Submit(t.Context(), asked, &r); err == nil {
			t.Errorf("%s: taken", name)
		}
		if len(w.events) != told {
			t.Fatalf("%s: told %s", name, w.statuses())
		}
	}
	if err := w.wallet.Submit(t.Context(), asked, good); err != nil {
		t.Errorf("the holder's own, afterwards: %v", err)
	}
}

func open(t fataler, w *world, link string) *wallet.Asked {
	t.Helper()
	asked, err := w.wallet.Open(context.Background(), link)
	return must(t, asked, err)
}

func answer(t fataler, w *world, asked *wallet.Asked) *wallet.Response {
	t.Helper()
	r, err := w.wallet.Answer(context.Background(), asked)
	return must(t, r, err)
}

// TestStolenCredential: with the holder's credential and somebody else's key.
func TestStolenCredential(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	created := w.create(t, nil)
	thief := w.newWallet(t, rand.NewChaCha8([32]byte{9}))
	asked, err := thief.Open(t.Context(), created.URL)
	asked = must(t, asked, err)
	r, err := thief.AnswerWith(t.Context(), asked, w.wallet.List()[0].JWT)
	r = must(t, r, err)
	if err := thief.Submit(t.Context(), asked, r); !isStatus(err, http.StatusBadRequest) {
		t.Fatal(err)
	}
	if e := w.events[1]; e.Error == nil || e.Error.Code != request.TokenError || !strings.HasPrefix(e.Error.Message, "holder-not-bound: ") {
		t.Errorf("%s", w.bodies[1])
	}
}

func TestRequestsExpire(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	created := w.create(t, nil)
	asked := open(t, w, created.URL)
	r := answer(t, w, asked)
	w.clock.pass(5 * time.Minute)
	if err := w.wallet.Submit(t.Context(), asked, r); !isStatus(err, http.StatusGone) {
		t.Errorf("answered late: %v", err)
	}
	if err := w.wallet.Present(t.Context(), created.URL); !isStatus(err, http.StatusGone) {
		t.Errorf("opened late: %v", err)
	}
	if got := w.statuses(); got != "request_retrieved" {
		t.Error(got)
	}
}

func TestReceipt(t *testing.T) {
	w := newWorld(t)
	w.issue(t, photo(240, false))
	created := w.create(t, func(r *request.PresentationRequest) {
		r.IncludeReceipt, r.RequestedCredentials[0].Configuration = true, nil
	})
	if err := w.wallet.Present(t.Context(), created.URL); err != nil {
		t.Fatal(err)
	}
	if r := w.events[1].Receipt; r == nil || r.VPToken == "" || r.IDToken == "" || w.events[1].VerifiedCredentialsData[0].FaceCheck != nil {
		t.Errorf("%s", w.bodies[1])
	}
}

func TestSameSeedSameEvents(t *testing.T) {
	run := func() string {
		w := newWorld(t)
		w.issue(t, photo(240, false))
		if err := w.wallet.Present(t.Context(), w.create(t, nil).URL); err != nil {
			t.Fatal(err)
		}
		return strings.Join(w.bodies, "\n") + string(w.saved)
	}
	if first, second := run(), run(); first != second {
		t.Error("two runs from one seed differ")
	}
}
