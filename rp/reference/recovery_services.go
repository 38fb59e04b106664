package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	identity "fido-emu/identity/credential"
	"fido-emu/rp"
	"fido-emu/rp/reference/recovery"
)

// RecoveryServices says where the services are that prove who somebody is. All of
// it must be given but HTTP.
type RecoveryServices struct {
	Proofing    string // base URL of the verification providers' service
	ProofingKey string // of this relying party, for it
	Requests    string // base URL of the presentation request service
	RequestsKey string // of this relying party, for it
	Authority   string // DID in whose name presentations are asked for
	Callback    string // base URL under which the request service reaches this relying party

	Linkage []byte // did-configuration.json by which our first origin says that Authority is ours; none when empty

	Public string // base URL under which other devices open our pages; the first origin when empty
	Wallet string // page of a test wallet that opens links (?link=…), to which the page on the phone leads; none when empty

	HTTP *http.Client // one with a timeout of 30 seconds when nil
}

func (s RecoveryServices) validate() error {
	for _, a := range []struct{ what, url string }{{"Proofing", s.Proofing}, {"Requests", s.Requests}, {"Callback", s.Callback}} {
		if u, err := url.Parse(a.url); err != nil || u.Host == "" {
			return fmt.Errorf("recovery: %s is %q: want an address such as https://proofing.example", a.what, a.url)
		}
	}
	if s.Public != "" {
		if err := checkOrigin(s.Public); err != nil {
			return fmt.Errorf("recovery: where other devices open our pages: %w", err)
		}
	}
	if !strings.HasPrefix(s.Authority, "did:") {
		return fmt.Errorf("recovery: Authority is %q: want a DID", s.Authority)
	}
	return nil
}

// EnableRecovery sets up account recovery, without a policy yet or, with Config.State,
// with what was kept of it: cases that were open are over. It is called before the relying
// party is used, once.
func (c *Core) EnableRecovery(s RecoveryServices) error {
	if err := s.validate(); err != nil {
		return err
	}
	if s.HTTP == nil {
		s.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	clients := &services{RecoveryServices: s, name: c.config.Name}
	clients.verifier = &identity.Verifier{
		Now: c.config.Now, Resolver: identity.Resolver{Client: s.HTTP},
		Status: identity.NewStatusLists(), Nonces: new(identity.Nonces),
	}
	c.office.public, c.office.wallet, c.office.linkage = s.Public, s.Wallet, s.Linkage
	desk := recovery.New(recovery.Env{
		Now: c.config.Now, Rand: randomOf{c}, Accounts: recoverable{c},
		Providers: clients, Requests: clients, Verify: clients,
		Issue: c.issueRecoveryPass, Note: c.noteRecovery, Notify: c.tellOwner,
	})
	desk.Restore(*c.office.kept)
	c.office.desk = desk
	return c.Save()
}

// randomOf reads a core's randomness.
type randomOf struct{ core *Core }

func (r randomOf) Read(b []byte) (int, error) {
	drawn, err := r.core.random(len(b))
	return copy(b, drawn), err
}

// services speaks to the services over HTTP.
type services struct {
	RecoveryServices
	name     string
	verifier *identity.Verifier
}

// Open opens a session at a provider. The reference makes it safe to ask again.
func (s *services) Open(ctx context.Context, provider, reference, country string) (session, url string, err error) {
	var ticket struct {
		Session string `json:"session"`
		URL     string `json:"url"`
	}
	ask := map[string]string{"reference": reference}
	if country != "" {
		ask["country"] = strings.ToUpper(country)
	}
	err = s.call(ctx, http.MethodPost, s.sessions(provider), s.ProofingKey, http.Header{"Idempotency-Key": {reference}}, ask, &ticket)
	if e, ok := errors.AsType[*serviceError](err); ok && e.code == "country_not_served" {
		return "", "", refuse(recovery.CountryNotCovered, "%s does not work in %s", provider, country)
	}
	return ticket.Session, ticket.URL, err
}

// Result asks how a session stands.
func (s *services) Result(ctx context.Context, provider, session string) (recovery.Proofed, error) {
	var result struct {
		Status  string                  `json:"status"`
		Reasons []struct{ Code string } `json:"reasons"`
	}
	err := s.call(ctx, http.MethodGet, s.sessions(provider)+"/"+url.PathEscape(session), s.ProofingKey, nil, nil, &result)
	if e, ok := errors.AsType[*serviceError](err); ok && e.status == http.StatusNotFound {
		return recovery.Proofed{}, refuse(recovery.ProofingLost, "%s does not know of this verification any more: start again", provider)
	}
	if err != nil {
		return recovery.Proofed{}, err
	}
	p := recovery.Proofed{Done: result.Status != "pending", Verified: result.Status == "verified" || result.Status == "issued"}
	for _, r := range result.Reasons {
		p.Reasons = append(p.Reasons, r.Code)
	}
	if p.Done && len(p.Reasons) == 0 {
		p.Reasons = []string{"proofing-" + result.Status} // expired or cancelled
	}
	return p, nil
}

func (s *services) sessions(provider string) string {
	return strings.TrimSuffix(s.Proofing, "/") + "/" + url.PathEscape(provider) + "/sessions"
}

// Create asks for a presentation, in the documented shape ("Request Service REST API
// presentation specification").
func (s *services) Create(ctx context.Context, w recovery.Wanted) (recovery.Asked, error) {
	type object = map[string]any
	issuers, err := s.issuers(w.Providers)
	if err != nil {
		return recovery.Asked{}, err
	}
	ask := object{
		"authority": s.Authority, "includeQRCode": false, "includeReceipt": false,
		"registration": object{"clientName": s.name, "purpose": "Account recovery"},
		"callback":     object{"url": strings.TrimSuffix(s.Callback, "/") + CallbackPath, "state": w.State, "headers": object{"api-key": w.Key}},
		"requestedCredentials": []object{{
			"type": identity.TypeVerifiedIdentity, "purpose": "To prove that the account is yours", "acceptedIssuers": issuers,
			"configuration": object{"validation": object{
				"allowRevoked": false, "validateLinkedDomain": false,
				"faceCheck": object{"sourcePhotoClaimName": identity.Portrait, "matchConfidenceThreshold": w.Threshold},
			}},
		}},
	}
	var created struct {
		RequestID string `json:"requestId"`
		URL       string `json:"url"`
		Expiry    int64  `json:"expiry"`
	}
	err = s.call(ctx, http.MethodPost, s.requests()+"/createPresentationRequest", s.RequestsKey, nil, ask, &created)
	if err != nil {
		return recovery.Asked{}, err
	}
	return recovery.Asked{Request: created.RequestID, URL: created.URL, Expires: time.Unix(created.Expiry, 0)}, nil
}

func (s *services) requests() string {
	return strings.TrimSuffix(s.Requests, "/") + "/v1.0/verifiableCredentials"
}

// issuers are the DIDs of providers.
func (s *services) issuers(providers []string) ([]string, error) {
	var dids []string
	for _, provider := range providers {
		did, err := identity.WebDID(strings.TrimSuffix(s.Proofing, "/") + "/" + provider + "/issuer")
		if err != nil {
			return nil, err
		}
		dids = append(dids, did)
	}
	return dids, nil
}

// Verify fetches what was presented and goes through every step of verification
// again, as if the request service had said nothing.
func (s *services) Verify(ctx context.Context, request string, providers []string) (recovery.Verified, error) {
	var presented struct {
		Nonce   string `json:"nonce"`
		VPToken string `json:"vp_token"`
	}
	err := s.call(ctx, http.MethodGet, s.requests()+"/presentations/"+url.PathEscape(request), s.RequestsKey, nil, nil, &presented)
	if err != nil {
		return recovery.Verified{}, refuse(recovery.RequestFailed, "what was presented cannot be had: %v", err)
	}
	issuers, err := s.issuers(providers)
	if err != nil {
		return recovery.Verified{}, err
	}
	p, err := s.verifier.Presentation(ctx, presented.VPToken, identity.Demand{
		Audience: s.Authority, Nonce: presented.Nonce,
		Credentials: []identity.Expected{{Type: identity.TypeVerifiedIdentity, Issuers: issuers}},
	})
	if err != nil {
		return recovery.Verified{}, refuseToken(err)
	}
	id := p.Credentials[0]
	return recovery.Verified{
		Names:     recovery.Names{Given: id.Claims[identity.FirstName], Family: id.Claims[identity.LastName]},
		BirthDate: id.Claims[identity.DateOfBirth], Issuer: id.Issuer, ID: p.Holder + " " + p.Nonce, Expires: id.Expires,
	}, nil
}

// refuseToken is the refusal of a step of verification: credential- or
// presentation- and its reason.
func refuseToken(err error) error {
	no, ok := errors.AsType[*identity.Refusal](err)
	if !ok {
		return &rp.Broken{Doing: "verifying a presentation", Err: err}
	}
	return refuse(tokenCode(no.Step.Name, no.Reason), "%v", no)
}

// tokenCode is the code of a refusal for a step of verification.
func tokenCode(step string, reason identity.Reason) string {
	kind, _, _ := strings.Cut(step, ".")
	return kind + "-" + string(reason)
}

// serviceError is what a service answers that is no success.
type serviceError struct {
	status  int
	code    string
	message string
}

// Error returns status, code and message.
func (e *serviceError) Error() string {
	return fmt.Sprintf("status %d %s %s", e.status, e.code, e.message)
}

// maxAnswer is the most that is read of an answer: a presentation with its photo
// fits.
const maxAnswer = 4 << 20

func (s *services) call(ctx context.Context, method, to, key string, header http.Header, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, to, body)
	if err != nil {
		return err
	}
	if header != nil {
		r.Header = header
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := s.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // all of it has been read
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return readServiceError(answer.StatusCode, b)
	}
	return json.Unmarshal(b, out)
}

func readServiceError(status int, b []byte) error {
	var e struct {
		Error struct{ Code, Message string } `json:"error"`
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return &serviceError{status: status, message: "and no reason"}
	}
	return &serviceError{status, e.Error.Code, e.Error.Message}
}
