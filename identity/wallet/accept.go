package wallet

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

	"fido-emu/identity/credential"
)

// answerLimit is how many bytes of an answer are read.
const answerLimit = 1 << 20

// link returns a parameter of a link with a scheme.
func link(text, scheme, parameter string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != scheme || u.Query().Get(parameter) == "" {
		return "", fmt.Errorf("wallet: %w: %.60q: it takes %s://?%s=…", ErrLink, text, scheme, parameter)
	}
	return u.Query().Get(parameter), nil
}

// Accept fetches the credential of an offer (OpenID4VCI 1.0, sections 3.5 and 4 to 8),
// verifies it and keeps it. txCode is the code that came another way, "" without one.
func (w *Wallet) Accept(ctx context.Context, offer, txCode string) (Held, error) {
	held, err := w.accept(ctx, offer, txCode)
	if err != nil {
		return Held{}, fmt.Errorf("wallet: accept a credential: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = append(w.held, held)
	return held, nil
}

func (w *Wallet) accept(ctx context.Context, text, txCode string) (Held, error) {
	o, err := w.look(ctx, text)
	if err != nil {
		return Held{}, err
	}
	// 6: the token.
	form := url.Values{
		"grant_type":          {"urn:ietf:params:oauth:grant-type:pre-authorized_code"},
		"pre-authorized_code": {o.grant.Code},
	}
	if txCode != "" {
		form.Set("tx_code", txCode)
	}
	var token credential.TokenResponse
	if err := w.post(ctx, o.metadata.TokenEndpoint, "", "application/x-www-form-urlencoded", []byte(form.Encode()), &token); err != nil {
		return Held{}, err
	}
	// 7 and 8: the credential, for the holder's key.
	jwt, err := w.fetch(ctx, o.metadata, token.AccessToken, o.Type)
	if err != nil {
		return Held{}, err
	}
	return w.check(ctx, o.metadata, o.Type, jwt)
}

// Offered is an offer of a credential, as the wallet shows it.
type Offered struct {
	Issuer string // base URL
	Name   string // the issuer's, for people: nobody vouches for it
	Type   string // of the credential
	TxCode bool   // the issuer shows a code that is asked for

	grant    *credential.PreGrant
	metadata credential.IssuerMetadata
}

// Look fetches an offer and does not take it up.
func (w *Wallet) Look(ctx context.Context, offer string) (Offered, error) {
	o, err := w.look(ctx, offer)
	if err != nil {
		return Offered{}, fmt.Errorf("wallet: look at an offer: %w", err)
	}
	return o, nil
}

func (w *Wallet) look(ctx context.Context, text string) (o Offered, err error) {
	// 4: the offer, and 12.2: who makes it.
	address, err := link(text, "openid-credential-offer", "credential_offer_uri")
	if err != nil {
		return o, err
	}
	var offer credential.CredentialOffer
	if err := w.get(ctx, address, &offer); err != nil {
		return o, err
	}
	grant := offer.PreAuthorized()
	if grant == nil || len(offer.CredentialConfigurationIDs) != 1 {
		return o, fmt.Errorf("%s offers no single credential with a pre-authorised code", offer.CredentialIssuer)
	}
	issuer, err := w.metadata(ctx, offer.CredentialIssuer)
	if err != nil {
		return o, err
	}
	if issuer.CredentialIssuer != offer.CredentialIssuer {
		return o, fmt.Errorf("%s says that it is %s", offer.CredentialIssuer, issuer.CredentialIssuer)
	}
	return Offered{issuer.CredentialIssuer, nameOf(issuer), offer.CredentialConfigurationIDs[0], grant.TxCode != nil, grant, issuer}, nil
}

// nameOf is what an issuer calls itself, "" where it does not say.
func nameOf(m credential.IssuerMetadata) string {
	if len(m.Display) == 0 {
		return ""
	}
	return m.Display[0].Name
}

// metadata fetches what an issuer says of itself: at the root of its host (12.2.2), or
// below its path, as drafts had it.
func (w *Wallet) metadata(ctx context.Context, issuer string) (credential.IssuerMetadata, error) {
	const wellKnown = "/.well-known/openid-credential-issuer"
	var m credential.IssuerMetadata
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return m, fmt.Errorf("%q is no address of an issuer", issuer)
	}
	err = w.get(ctx, u.Scheme+"://"+u.Host+wellKnown+strings.TrimRight(u.Path, "/"), &m)
	var refused *ServiceError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound && u.Path != "" {
		err = w.get(ctx, issuer+wellKnown, &m)
	}
	return m, err
}

// fetch proves possession of the key and gets the credential.
func (w *Wallet) fetch(ctx context.Context, issuer credential.IssuerMetadata, token, configuration string) (string, error) {
	key, err := w.signingKey()
	if err != nil {
		return "", err
	}
	var nonce credential.NonceResponse
	if err := w.post(ctx, issuer.NonceEndpoint, token, "application/json", nil, &nonce); err != nil {
		return "", err
	}
	proof, err := credential.Proof(key, issuer.CredentialIssuer, nonce.Nonce, w.config.Now())
	if err != nil {
		return "", err
	}
	request, err := json.Marshal(credential.CredentialRequest{
		ConfigurationID: configuration, Proofs: map[string][]string{"jwt": {proof}},
	})
	if err != nil {
		return "", err
	}
	var answer credential.CredentialResponse
	if err := w.post(ctx, issuer.CredentialEndpoint, token, "application/json", request, &answer); err != nil {
		return "", err
	}
	if len(answer.Credentials) != 1 {
		return "", fmt.Errorf("%s answers with %d credentials where it offered one", issuer.CredentialEndpoint, len(answer.Credentials))
	}
	return answer.Credentials[0].Credential, nil
}

// check verifies a credential before it is kept: by the issuer that offered it, of the
// type that was offered, about this holder.
func (w *Wallet) check(ctx context.Context, issuer credential.IssuerMetadata, kind, jwt string) (Held, error) {
	did, err := credential.WebDID(issuer.CredentialIssuer)
	if err != nil {
		return Held{}, err
	}
	c, err := w.verifier.Credential(ctx, jwt, credential.Expected{Type: kind, Issuers: []string{did}})
	if err != nil {
		return Held{}, err
	}
	if c.Subject != w.DID() {
		return Held{}, errors.New("the credential is about another holder")
	}
	return Held{ID: c.ID, Issuer: c.Issuer, Name: nameOf(issuer), Types: c.Types, Claims: c.Claims, Expires: c.Expires, JWT: jwt}, nil
}

// get fetches JSON.
func (w *Wallet) get(ctx context.Context, address string, v any) error {
	body, err := w.do(ctx, http.MethodGet, address, "", "", nil)
	if err != nil {
		return err
	}
	return decodeJSON(address, body, v)
}

// post posts a body and reads JSON.
func (w *Wallet) post(ctx context.Context, address, token, contentType string, body []byte, v any) error {
	answer, err := w.do(ctx, http.MethodPost, address, token, contentType, body)
	if err != nil {
		return err
	}
	return decodeJSON(address, answer, v)
}

func decodeJSON(address string, body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	return nil
}

// ServiceError is an answer other than 2xx of whomever the wallet speaks to.
type ServiceError struct {
	Address string
	Status  int
	Body    []byte // JSON of the service's own shape, mostly
}

func (e *ServiceError) Error() string {
	return fmt.Sprintf("%s answers %d %s: %s", e.Address, e.Status, http.StatusText(e.Status), strings.TrimSpace(string(e.Body[:min(len(e.Body), 600)])))
}

func (w *Wallet) do(ctx context.Context, method, address, token, contentType string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := w.config.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", address, err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, &ServiceError{address, resp.StatusCode, answer}
	case len(answer) > answerLimit:
		return nil, fmt.Errorf("%s answers with more than %d bytes", address, answerLimit)
	}
	return answer, nil
}
