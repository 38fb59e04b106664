package proofing

import (
	"errors"
	"io"
	"net/http"
	"net/url"

	"fido-emu/identity/pages"
	"fido-emu/identity/person"
)

// maxForm is the most that a form may hold, in bytes: a picture and what stands around it.
const maxForm = maxPicture + maxJSON

// openForm reads a form that a page of ours sent.
func openForm(w http.ResponseWriter, r *http.Request) error {
	if !pages.FromHere(r) {
		return refuse(http.StatusForbidden, CodeBadRequest, "this form was sent by a page of somebody else")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseMultipartForm(maxForm)
	if errors.Is(err, http.ErrNotMultipart) {
		err = r.ParseForm()
	}
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return refuse(http.StatusRequestEntityTooLarge, CodeTooLarge, "more than %d bytes", maxPicture)
	}
	if err != nil {
		return refuse(http.StatusBadRequest, CodeBadRequest, "the form cannot be read: %v", err)
	}
	return nil
}

// takeForm does what a form of the page of a session says, and shows the session again.
func (s *Service) takeForm(t *templates, h *house, w http.ResponseWriter, r *http.Request) error {
	err := openForm(w, r)
	if err != nil {
		return err
	}
	switch do := r.PostForm.Get("do"); do {
	case "start":
		_, err = s.begun(h, w, r)
	case "consent":
		_, err = s.agreed(h, r)
	case "document":
		_, err = s.documented(h, r, func() ([]byte, error) { return s.photographed(r) })
	case "selfie":
		_, err = s.posed(h, r, func(challenge []person.Pose) (person.Capture, error) { return s.filmed(r, challenge) })
	case "offer":
		_, err = s.offered(h, r)
	case "handover":
		return s.showHandOver(t, h, w, r)
	default:
		err = refuse(http.StatusBadRequest, CodeBadRequest, "no form of this page does %q", do)
	}
	if err == nil {
		http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	}
	return err
}

// photographed is the picture of a form: the person's own, or of a test document.
func (s *Service) photographed(r *http.Request) ([]byte, error) {
	if file, _, err := r.FormFile("picture"); err == nil {
		b, err := io.ReadAll(file)
		return b, errors.Join(err, file.Close())
	}
	who, d, err := s.paper(r.PostForm.Get("document"), r.PostForm.Get("defect"))
	if err != nil {
		return nil, err
	}
	return s.draw(who, d)
}

// filmed is what the camera sees of whom a form puts before it.
func (s *Service) filmed(r *http.Request, challenge []person.Pose) (person.Capture, error) {
	c := pages.Camera{People: s.config.People}
	if err := c.Choose(r.PostForm, pages.Holder(r)); err != nil {
		return person.Capture{}, badChoice(err)
	}
	return c.Who().Capture(s.config.Rand, c.Light, challenge)
}

// showHandOver invites another device.
func (s *Service) showHandOver(t *templates, h *house, w http.ResponseWriter, r *http.Request) error {
	o, err := s.invite(h, r)
	if err != nil {
		return err
	}
	rec, err := s.linked(h, r)
	if err != nil {
		return err
	}
	p := &sheet{View: h.view(rec), Title: h.Title, Path: r.URL.Path, Mine: true, HandOver: &o}
	h.show(w, http.StatusOK, t.verify, "Continue on another device", p)
	return nil
}

// takeUp is the form by which another device continues.
func (s *Service) takeUp(_ *templates, h *house, w http.ResponseWriter, r *http.Request) error {
	err := openForm(w, r)
	if err != nil {
		return err
	}
	d, err := s.takenOver(h, w, r.PathValue("code"))
	if err != nil {
		return err
	}
	to, err := url.Parse(d.URL)
	if err == nil {
		http.Redirect(w, r, to.Path, http.StatusSeeOther)
	}
	return err
}
