package phone

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"fido-emu/identity/credential"
	"fido-emu/identity/pages"
	"fido-emu/identity/request"
	"fido-emu/identity/wallet"
)

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// open shows what a link is about.
func (p *Phones) open(who *phone, w http.ResponseWriter, r *http.Request) error {
	link := strings.TrimSpace(r.URL.Query().Get("link"))
	switch scheme, _, _ := strings.Cut(link, ":"); scheme {
	case "openid-credential-offer":
		return p.showOffer(who, link, w, r)
	case "openid-vc":
		return p.showRequest(who, link, w, r)
	}
	return errLink
}

// offerPage is an offer as it is shown.
type offerPage struct {
	Phone *phone
	wallet.Offered
	Link  string
	Wrong string // what was wrong with the code
}

func (p *Phones) showOffer(who *phone, link string, w http.ResponseWriter, r *http.Request) error {
	o, err := who.wallet.Look(r.Context(), link)
	if err == nil {
		show(w, http.StatusOK, made().offer, "A Verified ID for you", offerPage{Phone: who, Offered: o, Link: link})
	}
	return err
}

// take takes up an offer. With a wrong code the person may try again, as long as the
// issuer lets them.
func (p *Phones) take(who *phone, w http.ResponseWriter, r *http.Request) error {
	link := r.PostFormValue("link")
	h, err := p.accept(r.Context(), who.ID, who.wallet, link, strings.TrimSpace(r.PostFormValue("code")))
	if err == nil {
		http.Redirect(w, r, who.Path()+"?"+url.Values{"new": {h.ID}}.Encode(), http.StatusSeeOther)
		return nil
	}
	if o, gone := who.wallet.Look(r.Context(), link); gone == nil && o.TxCode {
		show(w, http.StatusOK, made().offer, "A Verified ID for you", offerPage{who, o, link, explain(err)})
		return nil
	}
	return err
}

// requestPage is a request for a presentation as it is shown.
type requestPage struct {
	Phone *phone
	*wallet.Asked
	Link   string
	Wants  []want
	Camera *pages.Camera
	Lacks  bool // there is nothing to show
}

// want is a credential that is asked for.
type want struct {
	Field string // of the form
	Type  string
	Cards []card // that would do, newest first
}

func (p *Phones) showRequest(who *phone, link string, w http.ResponseWriter, r *http.Request) error {
	asked, err := who.wallet.Open(r.Context(), link)
	if err != nil {
		return err
	}
	body := requestPage{Phone: who, Asked: asked, Link: link, Camera: p.camera(who)}
	for i, fit := range who.wallet.Fitting(asked) {
		one := want{Field: field(i), Type: asked.Types[i]}
		for _, h := range fit {
			one.Cards = append(one.Cards, who.draw(r.Context(), h))
		}
		body.Wants, body.Lacks = append(body.Wants, one), body.Lacks || len(fit) == 0
	}
	if err := body.Camera.Choose(r.URL.Query(), who.ID); err != nil {
		return err
	}
	show(w, http.StatusOK, made().request, "Somebody asks for your Verified ID", body)
	return nil
}

// field is the name by which a form says which credential it is.
func field(i int) string { return fmt.Sprintf("credential-%d", i) }

func (p *Phones) camera(who *phone) *pages.Camera {
	return &pages.Camera{People: p.config.People, Path: "/wallet", Again: who.Path() + "open", Challenge: p.config.Challenge}
}

// donePage is how a presentation ended.
type donePage struct {
	Phone      *phone
	ClientName string
	Declined   bool
	Refused    string // why; "": it was taken
	Code       string // of the refusal
}

// present does what the person decided: presents the chosen credentials, after Face
// Check where it is asked for, or nothing.
func (p *Phones) present(who *phone, w http.ResponseWriter, r *http.Request) error {
	asked, err := who.wallet.Open(r.Context(), r.PostFormValue("link"))
	if err != nil {
		return err
	}
	done := donePage{Phone: who, ClientName: asked.ClientName, Declined: r.PostFormValue("do") != "agree"}
	if !done.Declined {
		err = p.answer(who, asked, r)
	}
	var refused *wallet.ServiceError
	if errors.As(err, &refused) {
		done.Code, done.Refused = reasonOf(refused)
		err = nil
	}
	if err == nil {
		show(w, http.StatusOK, made().done, "Presentation", done)
	}
	return err
}

// answer makes the presentation that a form says, and sends it.
func (p *Phones) answer(who *phone, asked *wallet.Asked, r *http.Request) error {
	var chosen []string
	for i, fit := range who.wallet.Fitting(asked) {
		jwt := ""
		for _, h := range fit {
			if id := r.PostFormValue(field(i)); id == h.ID || id == "" && jwt == "" {
				jwt = h.JWT
			}
		}
		if jwt == "" {
			return fmt.Errorf("%w: a %s", wallet.ErrNothingToShow, asked.Types[i])
		}
		chosen = append(chosen, jwt)
	}
	selfie, err := p.selfie(who, asked, r)
	if err != nil {
		return err
	}
	response, err := who.wallet.AnswerAs(asked, selfie, chosen...)
	if err != nil {
		return err
	}
	return who.wallet.Submit(r.Context(), asked, response)
}

// selfie is what the camera takes of whom a form puts before it, nil where nobody asks
// for it.
func (p *Phones) selfie(who *phone, asked *wallet.Asked, r *http.Request) ([]byte, error) {
	if !asked.FaceCheck {
		return nil, nil
	}
	c := p.camera(who)
	if err := c.Choose(r.PostForm, who.ID); err != nil {
		return nil, err
	}
	return p.config.Selfie(c.Who(), p.config.Rand, c.Light)
}

// reasonOf is why a service refused, by its own words.
func reasonOf(e *wallet.ServiceError) (code, message string) {
	var envelope request.ErrorResponse
	if err := json.Unmarshal(e.Body, &envelope); err == nil && envelope.Error.InnerError.Message != "" {
		return string(envelope.Error.InnerError.Code), envelope.Error.InnerError.Message
	}
	var issuance credential.IssuanceError
	if err := json.Unmarshal(e.Body, &issuance); err == nil && issuance.Code != "" {
		return issuance.Code, issuance.Description
	}
	return fmt.Sprint(e.Status), http.StatusText(e.Status)
}

// explain says in words what went wrong.
func explain(err error) string {
	var refused *wallet.ServiceError
	var why *credential.Refusal
	var network *url.Error
	switch {
	case errors.As(err, &refused):
		_, message := reasonOf(refused)
		if text := strings.TrimSpace(string(refused.Body)); message == http.StatusText(refused.Status) && !strings.HasPrefix(text, "{") {
			message = text
		}
		return message
	case errors.As(err, &why):
		return why.Err.Error()
	case errors.As(err, &network):
		return network.Err.Error()
	}
	return err.Error()
}

// statusOf is the HTTP status that goes with an error.
func statusOf(err error) int {
	var refused *wallet.ServiceError
	switch {
	case errors.As(err, &refused):
		return http.StatusBadGateway
	case errors.Is(err, errLink), errors.Is(err, wallet.ErrLink), errors.Is(err, ErrElsewhere):
		return http.StatusBadRequest
	case errors.Is(err, wallet.ErrNotHeld), errors.Is(err, wallet.ErrNothingToShow):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}
