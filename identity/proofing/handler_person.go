package proofing

import (
	"net/http"
	"strings"
	"time"

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

func (s *Service) start(h *house, w http.ResponseWriter, r *http.Request) error {
	d, err := s.begun(h, w, r)
	if err == nil {
		answer(w, http.StatusOK, d)
	}
	return err
}

// begun gives the session to the first device that asks.
func (s *Service) begun(h *house, w http.ResponseWriter, r *http.Request) (Device, error) {
	rec, err := s.linked(h, r)
	if err != nil {
		return Device{}, err
	}
	if rec.Status != Pending {
		return Device{}, errOver(rec.Status)
	}
	if rec.Device != "" {
		return Device{}, refuse(http.StatusConflict, CodeTaken, "another device has the session; hand it over there")
	}
	return s.give(h, w, rec, s.config.PublicURL+"/"+h.ID+"/verify/"+r.PathValue("token"))
}

// give makes the device that asks the one that has the session. A link that is "" is
// made anew: the other device's is then void.
func (s *Service) give(h *house, w http.ResponseWriter, rec *record, link string) (Device, error) {
	d, err := s.secret()
	if err != nil {
		return Device{}, err
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
		return Device{}, err
	}
	http.SetCookie(w, &http.Cookie{
		Name: deviceCookie, Value: d, Path: "/" + h.ID + "/verify/", Expires: rec.Expires,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, // people come back from the relying party's page
		Secure: strings.HasPrefix(s.config.PublicURL, "https:"),
	})
	return Device{Device: d, URL: link}, nil
}

func (s *Service) consent(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.agreed(h, r)
	return h.shown(w, rec, err)
}

func (s *Service) takeDocument(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.documented(h, r, func() ([]byte, error) { return body(r, maxPicture) })
	return h.shown(w, rec, err)
}

func (s *Service) takeSelfie(h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.posed(h, r, func([]person.Pose) (c person.Capture, err error) {
		err = read(r, maxPicture, &c)
		return c, err
	})
	return h.shown(w, rec, err)
}

// shown answers with the state of a session.
func (h *house) shown(w http.ResponseWriter, rec *record, err error) error {
	if err == nil {
		answer(w, http.StatusOK, h.view(rec))
	}
	return err
}
