package wallet

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"fido-emu/identity/credential"
	"fido-emu/identity/request"
)

// presentationLifetime is how long a presentation is good for.
const presentationLifetime = 5 * time.Minute

// Asked is a request for a presentation, as the wallet shows it.
type Asked struct {
	Verifier   string // DID of who asks
	ClientName string // what they call themselves: nobody vouches for it
	Purpose    string
	Domain     string // the origin that acknowledges the verifier; "": none does
	Types      []string
	FaceCheck  bool
	Expires    time.Time

	object request.RequestObject
}

// Response is the wallet's answer to a request.
type Response struct {
	IDToken     string
	VPToken     string
	State       string
	FaceCapture []byte
}

// ErrUnlinkedDomain says that a request was refused because no domain vouches for who
// asks.
var ErrUnlinkedDomain = errors.New("no domain acknowledges who asks")

// Open fetches a request and verifies who makes it (JWT VC Presentation Profile,
// Self-Issued OP Request Object). The relying party is told that it was fetched.
func (w *Wallet) Open(ctx context.Context, text string) (*Asked, error) {
	address, err := link(text, "openid-vc", "request_uri")
	if err != nil {
		return nil, err
	}
	body, err := w.do(ctx, "GET", address, "", "", nil)
	if err != nil {
		return nil, fmt.Errorf("wallet: open a request: %w", err)
	}
	var o request.RequestObject
	did, err := credential.Open(ctx, w.verifier.Resolver, string(body), "", &o)
	switch {
	case err != nil:
		return nil, fmt.Errorf("wallet: the request at %s: %w", address, err)
	case did != o.ClientID:
		return nil, fmt.Errorf("wallet: the request at %s is signed by %s in the name of %s", address, did, o.ClientID)
	case o.ResponseMode != "post" || o.RedirectURI == "" || o.Nonce == "":
		return nil, fmt.Errorf("wallet: the request at %s says not where to answer, or has no nonce", address)
	case !w.config.Now().Before(time.Unix(o.Expires, 0)):
		return nil, fmt.Errorf("wallet: the request at %s has expired: ask for another", address)
	}
	return w.asked(ctx, o)
}

// asked makes what the person sees.
func (w *Wallet) asked(ctx context.Context, o request.RequestObject) (*Asked, error) {
	domain, err := w.verifier.LinkedDomain(ctx, o.ClientID)
	if err != nil && w.config.RequireLinkedDomain {
		return nil, fmt.Errorf("wallet: %w: %q: %w", ErrUnlinkedDomain, o.Registration.ClientName, err)
	}
	a := &Asked{
		Verifier: o.ClientID, ClientName: o.Registration.ClientName, Purpose: o.Registration.ClientPurpose,
		Domain: domain, Expires: time.Unix(o.Expires, 0).UTC(), object: o,
	}
	for _, d := range o.Claims.VPToken.Definition.InputDescriptors {
		a.Types = append(a.Types, d.ID)
		a.FaceCheck = a.FaceCheck || d.FaceCheck != nil
	}
	return a, nil
}

// Present answers a link: the person agrees, takes a selfie where one is due, and the
// credentials go out. A refusal by the service is a *ServiceError.
func (w *Wallet) Present(ctx context.Context, text string) error {
	asked, err := w.Open(ctx, text)
	if err != nil {
		return err
	}
	response, err := w.Answer(ctx, asked)
	if err != nil {
		return err
	}
	return w.Submit(ctx, asked, response)
}

// Answer makes the answer to a request, with the newest credentials that fit, and does
// not send it.
func (w *Wallet) Answer(ctx context.Context, asked *Asked) (*Response, error) {
	var chosen []string
	for i, fit := range w.Fitting(asked) {
		if len(fit) == 0 {
			return nil, fmt.Errorf("wallet: %w: a %q", ErrNothingToShow, asked.Types[i])
		}
		chosen = append(chosen, fit[0].JWT)
	}
	agreed, err := w.config.Person.Consent(ctx, asked)
	if err != nil {
		return nil, fmt.Errorf("wallet: ask for consent: %w", err)
	}
	if !agreed {
		return nil, fmt.Errorf("wallet: %w to present to %q", ErrRefused, asked.ClientName)
	}
	return w.AnswerWith(ctx, asked, chosen...)
}

// Fitting returns for each credential that is asked for those that the wallet holds and
// that would do, newest first: of its type, by an issuer that is accepted.
func (w *Wallet) Fitting(asked *Asked) [][]Held {
	held := w.List()
	slices.Reverse(held)
	var all [][]Held
	for _, d := range asked.object.Claims.VPToken.Definition.InputDescriptors {
		issuers := d.Issuers()
		fits := func(h Held) bool {
			return slices.Contains(h.Types, d.ID) && (len(issuers) == 0 || slices.Contains(issuers, h.Issuer))
		}
		var fit []Held
		for _, h := range held {
			if fits(h) {
				fit = append(fit, h)
			}
		}
		all = append(all, fit)
	}
	return all
}

// AnswerWith makes an answer of given credentials, whether they are asked for or not
// and whether the wallet holds them or not, without asking the person: what a thief's
// wallet does.
func (w *Wallet) AnswerWith(ctx context.Context, asked *Asked, credentials ...string) (*Response, error) {
	var selfie []byte
	if asked.FaceCheck {
		var err error
		if selfie, err = w.config.Person.Selfie(ctx); err != nil {
			return nil, fmt.Errorf("wallet: take a selfie: %w", err)
		}
	}
	return w.AnswerAs(asked, selfie, credentials...)
}

// AnswerAs is AnswerWith for a selfie that was taken before; nil where none is due.
func (w *Wallet) AnswerAs(asked *Asked, selfie []byte, credentials ...string) (*Response, error) {
	key, err := w.signingKey()
	if err != nil {
		return nil, err
	}
	r := &Response{State: asked.object.State, FaceCapture: selfie}
	id, err := w.newID()
	if err != nil {
		return nil, err
	}
	now, o := w.config.Now(), asked.object
	if r.VPToken, err = credential.Present(key, o.ClientID, o.Nonce, id, now, presentationLifetime, credentials...); err != nil {
		return nil, fmt.Errorf("wallet: present: %w", err)
	}
	if r.IDToken, err = key.Sign(key.DID()+"#0", idToken(key.DID(), id, o, now)); err != nil {
		return nil, fmt.Errorf("wallet: present: %w", err)
	}
	return r, nil
}

// newID draws an identifier.
func (w *Wallet) newID() (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, err := uuid.NewRandomFromReader(w.config.Rand)
	if err != nil {
		return "", fmt.Errorf("wallet: draw an identifier: %w", err)
	}
	return "urn:uuid:" + id.String(), nil
}

func idToken(did, id string, o request.RequestObject, now time.Time) request.IDToken {
	definition := o.Claims.VPToken.Definition
	submission := request.PresentationSubmission{ID: id, DefinitionID: definition.ID}
	for i, d := range definition.InputDescriptors {
		submission.DescriptorMap = append(submission.DescriptorMap, request.Descriptor{
			ID: d.ID, Format: "jwt_vp", Path: "$",
			PathNested: &request.Descriptor{ID: d.ID, Format: "jwt_vc", Path: fmt.Sprintf("$.verifiableCredential[%d]", i)},
		})
	}
	return request.IDToken{
		Issuer: request.SelfIssued, Subject: did, Audience: o.ClientID, Nonce: o.Nonce,
		IssuedAt: now.Unix(), Expires: now.Add(presentationLifetime).Unix(),
		VPToken: request.Submission{Presentation: submission},
	}
}

// Submit sends an answer. A refusal by the service is a *ServiceError.
func (w *Wallet) Submit(ctx context.Context, asked *Asked, r *Response) error {
	form := url.Values{"id_token": {r.IDToken}, "vp_token": {r.VPToken}, "state": {r.State}}
	if len(r.FaceCapture) > 0 {
		form.Set("face_capture", base64.RawURLEncoding.EncodeToString(r.FaceCapture))
	}
	_, err := w.do(ctx, "POST", asked.object.RedirectURI, "", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return fmt.Errorf("wallet: present to %q: %w", asked.ClientName, err)
	}
	return nil
}
