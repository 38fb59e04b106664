package proofing

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"rsc.io/qr"

	"fido-emu/identity/credential"
	"fido-emu/identity/person"
)

// deviceCookie and X-Device carry what makes a device the one that has the session.
const deviceCookie = "device"

func (s *Service) routePerson(mux *http.ServeMux) {
	mux.Handle("GET /{provider}/verify/{token}/state", s.at(s.showState))
	mux.Handle("POST /{provider}/verify/{token}/start", s.at(s.start))
	mux.Handle("POST /{provider}/verify/{token}/consent", s.at(s.consent))
	mux.Handle("POST /{provider}/verify/{token}/document", s.at(s.takeDocument))
	mux.Handle("POST /{provider}/verify/{token}/selfie", s.at(s.takeSelfie))
	mux.Handle("POST /{provider}/verify/{token}/offer", s.at(s.makeOffer))
	mux.Handle("POST /{provider}/verify/{token}/handover", s.at(s.handOver))
	mux.Handle("POST /{provider}/continue", s.at(s.takeOver))
}

// linked finds the session of a link.
func (s *Service) linked(h *house, r *http.Request) (*record, error) {
	link := hash(r.PathValue("token"))
	rec := s.find(func(r *record) bool { return r.Link == link && r.Provider == h.ID })
	if rec == nil {
		return nil, errNotFound("link")
	}
	return s.expire(rec)
}

// device returns what a request says it is.
func device(r *http.Request) string {
	if d := r.Header.Get("X-Device"); d != "" {
		return d
	}
	if c, err := r.Cookie(deviceCookie); err == nil {
		return c.Value
	}
	return ""
}

// mine finds the session of a link for the device that has it.
func (s *Service) mine(h *house, r *http.Request) (*record, error) {
	rec, err := s.linked(h, r)
	if err != nil {
		return nil, err
	}
	switch d := device(r); {
	case rec.Device == "" || d == "":
		return nil, refuse(http.StatusForbidden, CodeNoDevice, "start first")
	case rec.Device != hash(d):
		return nil, refuse(http.StatusConflict, CodeMoved, "the session went on on another device; go on there")
	}
	return rec, nil
}

// pending finds the session of a request that is to do a step, and dies before it is
// answered where the provider is to.
func (s *Service) pending(h *house, r *http.Request, steps ...Step) (*record, error) {
	rec, err := s.mine(h, r)
	if err != nil {
		return nil, err
	}
	if rec.Status != Pending {
		return nil, errOver(rec.Status)
	}
	step := rec.step(&h.Provider)
	for _, want := range steps {
		if step == want {
			if s.dies(h, step) {
				return nil, errDown(h)
			}
			return rec, nil
		}
	}
	return nil, refuse(http.StatusConflict, CodeWrongStep, "the step now is %s", step)
}

func (h *house) view(r *record) View {
	v := View{
		Provider: h.Title, Status: r.Status, Step: r.step(&h.Provider), Steps: h.Steps, Documents: r.Kinds,
		Challenge: r.Challenge, Reasons: r.Reasons, Expires: r.Expires,
	}
	if r.Status == Pending {
		v.Left = h.attempts(v.Step) - r.Tries
	}
	return v
}

func (s *Service) showState(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.linked(h, r)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, h.view(rec))
	return nil
}

// start gives the session to the first device that asks.
func (s *Service) start(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.linked(h, r)
	if err != nil {
		return err
	}
	if rec.Status != Pending {
		return errOver(rec.Status)
	}
	if rec.Device != "" {
		return refuse(http.StatusConflict, CodeTaken, "another device has the session; hand it over there")
	}
	return s.give(h, w, rec, s.config.BaseURL+"/"+h.ID+"/verify/"+r.PathValue("token"))
}

// give makes the device that asks the one that has the session. A link that is "" is
// made anew: the other device's is then void.
func (s *Service) give(h *house, w http.ResponseWriter, rec *record, link string) error {
	d, err := s.secret()
	if err != nil {
		return err
	}
	rec, err = s.change(rec, func(r *record) error {
		r.Device, r.Code, r.CodeEnds = hash(d), "", time.Time{}
		if link != "" {
			return nil
		}
		err := s.link(r)
		link = r.url
		return err
	})
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: d, Path: "/" + h.ID + "/verify/", Expires: rec.Expires,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: strings.HasPrefix(s.config.BaseURL, "https:"),
	})
	answer(w, http.StatusOK, Device{Device: d, URL: link})
	return nil
}

func (s *Service) consent(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.pending(h, r, Consent)
	if err != nil {
		return err
	}
	return s.proceed(h, w, r, rec, verdict{})
}

func (s *Service) takeDocument(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.pending(h, r, Document, SecondDocument)
	if err != nil {
		return err
	}
	file, err := body(r, maxPicture)
	if err != nil {
		return err
	}
	return s.proceed(h, w, r, rec, s.judgeDocument(&h.Provider, rec, file))
}

func (s *Service) takeSelfie(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.pending(h, r, Selfie)
	if err != nil {
		return err
	}
	var c person.Capture
	if err := read(r, maxPicture, &c); err != nil {
		return err
	}
	return s.proceed(h, w, r, rec, s.judgeSelfie(&h.Provider, rec, c))
}

// proceed settles a verdict, tells the relying party of a decision and shows the state.
func (s *Service) proceed(h *house, w http.ResponseWriter, r *http.Request, rec *record, v verdict) error {
	rec, err := s.change(rec, func(r *record) error { return s.settle(h, r, v) })
	if err != nil {
		return err
	}
	rec = s.deliver(r.Context(), h, rec)
	answer(w, http.StatusOK, h.view(rec))
	return nil
}

// maxOffers is how many offers a session gets: a wallet may fail, and not for ever.
const maxOffers = 3

// makeOffer invites the wallet of a person who was verified. An offer that still stands
// is given again.
func (s *Service) makeOffer(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.mine(h, r)
	if err != nil {
		return err
	}
	if rec.Status == Pending {
		return refuse(http.StatusConflict, CodeNotVerified, "nothing is verified yet; the step now is %s", rec.step(&h.Provider))
	}
	now := s.config.Now()
	if rec.Status != Verified && rec.Status != Issued || !now.Before(rec.Expires) || rec.Document == nil {
		return errOver(rec.Status)
	}
	if rec.offer != nil && now.Before(rec.offer.Expires) {
		answer(w, http.StatusOK, rec.offer)
		return nil
	}
	if rec.Offers >= maxOffers {
		return refuse(http.StatusGone, CodeOver, "%d offers were made; begin a new session", maxOffers)
	}
	offer, err := h.issuer.Offer(claims(rec.Document), h.TxCode)
	if err != nil {
		return err
	}
	out := &Offer{Link: offer.Link, TxCode: offer.TxCode, Expires: offer.Expires}
	if _, err := s.change(rec, func(r *record) error {
		r.Status, r.offer, r.Offers = Issued, out, r.Offers+1
		return nil
	}); err != nil {
		return err
	}
	answer(w, http.StatusOK, out)
	return nil
}

// claims are what the credential says: the names as they are printed, in Latin letters.
func claims(k *kept) credential.Claims {
	d := k.Data
	first, last := d.LatinNames()
	return credential.Claims{
		credential.FirstName: first, credential.LastName: last, credential.DateOfBirth: string(d.Birth),
		credential.Country: d.Issuer, credential.DocumentType: string(d.Kind),
		credential.DocumentNumber: d.Number, credential.DocumentExpiry: string(d.Expires),
		credential.Portrait: credential.EncodePhoto(k.Portrait),
	}
}

// Codes of hand-overs: how long one is good, and how many wrong ones are borne in that
// time, by a whole provider's service, before nobody may type any. With 40 bits, who
// guesses so often finds one of a thousand that are open once in some fifty thousand years.
const (
	codeLife = 5 * time.Minute
	maxWrong = 10
	qrScale  = 6
)

// handOver makes a code for another device.
func (s *Service) handOver(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.mine(h, r)
	if err != nil {
		return err
	}
	if rec.Status != Pending && rec.Status != Verified && rec.Status != Issued {
		return errOver(rec.Status)
	}
	code, err := s.code()
	if err != nil {
		return err
	}
	ends := s.config.Now().Add(codeLife).UTC()
	if _, err := s.change(rec, func(r *record) error { r.Code, r.CodeEnds = hash(code), ends; return nil }); err != nil {
		return err
	}
	link := s.config.BaseURL + "/" + h.ID + "/c/" + code
	q, err := qr.Encode(link, qr.M)
	if err != nil {
		return err
	}
	q.Scale = qrScale
	answer(w, http.StatusOK, HandOver{URL: link, Code: code, QR: "data:image/png;base64," + base64.StdEncoding.EncodeToString(q.PNG()), Expires: ends})
	return nil
}

// takeOver gives the session to the device that has the code, which is good once.
func (s *Service) takeOver(h *house, w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Code string `json:"code"`
	}
	if err := read(r, maxJSON, &in); err != nil {
		return err
	}
	now := s.config.Now()
	code := hash(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(in.Code)))
	if err := s.throttle(now); err != nil {
		return err
	}
	rec := s.find(func(r *record) bool {
		return r.Code == code && r.Provider == h.ID && now.Before(r.CodeEnds) && now.Before(r.Expires)
	})
	if rec == nil {
		s.mu.Lock()
		s.wrong = append(s.wrong, now)
		s.mu.Unlock()
		return errNotFound("code, or it is not good any more")
	}
	return s.give(h, w, rec, "")
}

// throttle refuses codes while too many were wrong.
func (s *Service) throttle(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.wrong) > 0 && now.Sub(s.wrong[0]) >= codeLife {
		s.wrong = s.wrong[1:]
	}
	if len(s.wrong) >= maxWrong {
		return refuse(http.StatusTooManyRequests, CodeThrottled, "too many wrong codes; wait until %s", s.wrong[0].Add(codeLife).UTC().Format(time.TimeOnly))
	}
	return nil
}
