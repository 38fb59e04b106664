package request

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"fido-emu/identity/credential"
)

func sameSecret(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// answer is what a wallet sent.
type answer struct {
	idToken, vpToken, state string
	capture                 []byte
}

// rejected says why the holder's own presentation does not do; it ends the request.
type rejected struct {
	code    Code
	message string
}

func (r *rejected) Error() string { return r.message }

// servePresent takes a presentation.
func (s *Service) servePresent(w http.ResponseWriter, r *http.Request) error {
	// 1. The request is one that stands.
	body, err := readBody(r, "application/x-www-form-urlencoded")
	if err != nil {
		return err
	}
	a, err := parseAnswer(body)
	if err != nil {
		return err
	}
	t, x, err := s.open(r.PathValue("tenant"), a.state)
	if err != nil {
		return err
	}
	// 2. Who sent it is the holder, and answers this request: otherwise nobody else hears of it.
	presentation, err := s.authentic(r.Context(), t, x, a)
	if err != nil && asRejected(err) == nil {
		return fault(http.StatusBadRequest, TokenError, "vp_token", err.Error())
	}
	// 3. It is what was asked for. One is judged at a time, so that an answer that is sent
	// twice does not speak against itself.
	if err := s.claim(x.ID); err != nil {
		return err
	}
	defer s.release(x.ID)
	event := Event{RequestStatus: Verified}
	if err == nil {
		event.Subject = presentation.Holder
		event.VerifiedCredentialsData, err = s.judge(r.Context(), x.Request, presentation, a.capture)
	}
	if why := asRejected(err); why != nil {
		event = Event{RequestStatus: Failed, Error: &EventError{why.code, why.message}}
	} else if err != nil {
		return err
	}
	// 4. It counts once, and the relying party hears of it.
	if err := s.end(x.ID, a, event); err != nil {
		return err
	}
	s.deliverNow(r.Context())
	if event.Error != nil {
		return fault(http.StatusBadRequest, event.Error.Code, "vp_token", event.Error.Message)
	}
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}

func asRejected(err error) *rejected {
	var r *rejected
	errors.As(err, &r)
	return r
}

func parseAnswer(body []byte) (answer, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return answer{}, fault(http.StatusBadRequest, BadOrMissingField, "", "The body is not a form: "+err.Error())
	}
	for _, name := range []string{"id_token", "vp_token", "state"} {
		if form.Get(name) == "" {
			return answer{}, missing(name)
		}
	}
	capture, err := base64.RawURLEncoding.DecodeString(form.Get("face_capture"))
	if err != nil {
		return answer{}, bad("face_capture", "it is not base64url")
	}
	return answer{form.Get("id_token"), form.Get("vp_token"), form.Get("state"), capture}, nil
}

// open returns a copy of the session that a wallet answers.
func (s *Service) open(name, state string) (*tenant, session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *session) bool { return sameSecret(x.State, state) && x.Tenant == name })
	if err := s.standing(x); err != nil {
		return nil, session{}, err
	}
	return s.tenant(func(t *tenant) bool { return t.Name == name }), *x, nil
}

// claim lets one answer to a request be judged.
func (s *Service) claim(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *session) bool { return x.ID == id })
	if err := s.standing(x); err != nil {
		return err
	}
	if x.judging {
		return fault(http.StatusConflict, TransientError, id, "An answer to this presentation request is being looked at: wait for what comes of it.")
	}
	x.judging = true
	return nil
}

func (s *Service) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.find(func(x *session) bool { return x.ID == id }); x != nil {
		x.judging = false
	}
}

// authentic verifies both tokens. Its error is *rejected only where the holder's
// signature, the audience and the nonce were found right.
func (s *Service) authentic(ctx context.Context, t *tenant, x session, a answer) (*credential.Presentation, error) {
	holder, err := s.idToken(ctx, t, x, a.idToken)
	if err != nil {
		return nil, fmt.Errorf("the ID token: %w", err)
	}
	demand := credential.Demand{Audience: t.did, Nonce: x.Nonce, Credentials: expected(x.Request.RequestedCredentials)}
	p, err := s.verifier.Presentation(ctx, a.vpToken, demand)
	if refusal := asRefusal(err); refusal != nil {
		if slices.Contains(beforeAuthentic, refusal.Step.Name) {
			return nil, err
		}
		return nil, &rejected{codeOf(refusal.Reason), fmt.Sprintf("%s: %s", refusal.Reason, err)}
	}
	if err != nil {
		return nil, err
	}
	if p.Holder != holder {
		return nil, errors.New("the ID token and the presentation are of different holders")
	}
	return p, nil
}

// beforeAuthentic are the steps after which it stands that a presentation is its
// holder's answer to this request.
var beforeAuthentic = []string{
	"presentation.form", "presentation.algorithm", "presentation.key.holder", "presentation.key.document",
	"presentation.key", "presentation.signature", "presentation.audience", "presentation.nonce",
}

// codeOf returns the code under which an event reports a refusal.
func codeOf(reason credential.Reason) Code {
	switch reason {
	case credential.Unresolved, credential.StatusUnavailable:
		return TransientError
	case credential.UnknownIssuer, credential.WrongType, credential.Expired, credential.NotYetValid, credential.Revoked:
		return ClaimValidationError
	}
	return TokenError
}

// idToken verifies the ID token and returns the holder (Self-Issued OpenID Provider
// v2, section 11.1).
func (s *Service) idToken(ctx context.Context, t *tenant, x session, text string) (string, error) {
	var c IDToken
	holder, err := credential.Open(ctx, s.verifier.Resolver, text, "", &c)
	if err != nil {
		return "", err
	}
	now := s.config.Now().Unix()
	switch {
	case c.Issuer != SelfIssued:
		return "", fmt.Errorf("its issuer is not %s", SelfIssued)
	case c.Subject != holder:
		return "", errors.New("its subject is not who signed it")
	case c.Audience != t.did:
		return "", errors.New("it is meant for somebody else")
	case c.Nonce != x.Nonce:
		return "", errors.New("its nonce is not that of the request")
	case c.Expires <= now-clockSkew || c.IssuedAt > now+clockSkew:
		return "", errors.New("it is not valid now")
	}
	return holder, nil
}

const clockSkew = 60 // seconds

func expected(requested []RequestedCredential) []credential.Expected {
	all := make([]credential.Expected, len(requested))
	for i, c := range requested {
		all[i] = credential.Expected{
			Type: c.Type, Issuers: c.AcceptedIssuers, AnyIssuer: len(c.AcceptedIssuers) == 0,
			AllowRevoked: c.validation().AllowRevoked,
		}
	}
	return all
}

// judge checks what was asked for beyond the credentials themselves, and returns what
// the relying party is told.
func (s *Service) judge(ctx context.Context, r PresentationRequest, p *credential.Presentation, capture []byte) ([]VerifiedCredential, error) {
	all := make([]VerifiedCredential, len(p.Credentials))
	for i, c := range p.Credentials {
		asked := r.RequestedCredentials[i]
		v := VerifiedCredential{
			Issuer: c.Issuer, Type: c.Types, Claims: c.Claims, CredentialState: CredentialState{"VALID"},
			IssuanceDate: c.IssuedAt.Format(time.RFC3339), ExpirationDate: c.Expires.Format(time.RFC3339),
		}
		if c.Revoked {
			v.CredentialState.RevocationStatus = "REVOKED"
		}
		var err error
		for _, constraint := range asked.Constraints {
			if value, ok := c.Claims[constraint.ClaimName]; !ok || !constraint.holds(value) {
				return nil, &rejected{ClaimValidationError, fmt.Sprintf("Claim %q does not meet its constraint.", constraint.ClaimName)}
			}
		}
		if v.DomainValidation, err = s.domain(ctx, c.Issuer, asked.validation().ValidateLinkedDomain); err != nil {
			return nil, err
		}
		if f := asked.faceCheck(); f != nil {
			if v.FaceCheck, err = s.checkFace(ctx, f, c.Claims, capture); err != nil {
				return nil, err
			}
		}
		all[i] = v
	}
	return all, nil
}

// domain returns the issuer's linked domain; without one that is an error only where
// it was demanded.
func (s *Service) domain(ctx context.Context, issuer string, demanded bool) (*DomainValidation, error) {
	origin, err := s.verifier.LinkedDomain(ctx, issuer)
	switch {
	case err == nil:
		return &DomainValidation{origin + "/"}, nil
	case demanded:
		return nil, &rejected{ClaimValidationError, "The issuer's linked domain is not verified: " + err.Error()}
	}
	return nil, nil
}

// end ends a request, unless it has ended in the meantime.
func (s *Service) end(id string, a answer, e Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *session) bool { return x.ID == id })
	if err := s.standing(x); err != nil {
		return err
	}
	before, queued := *x, len(s.outbox)
	x.Status = e.RequestStatus
	if e.RequestStatus == Verified {
		x.VPToken = a.vpToken
		if x.Request.IncludeReceipt {
			e.Receipt = &Receipt{a.idToken, a.vpToken, a.state}
		}
	}
	s.enqueue(x, e)
	if err := s.save(); err != nil {
		*x, s.outbox = before, s.outbox[:queued]
		return err
	}
	return nil
}
