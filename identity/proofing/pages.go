package proofing

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"fido-emu/identity/credential"
	"fido-emu/identity/person"
)

//go:embed pages
var pageFiles embed.FS

// page is what the template gets.
type page struct {
	Title      string // the provider's
	Base       string // path of the provider
	Code       string // of a hand-over, on the page of the other device
	People     []*person.Person
	Defects    []person.Defect
	Conditions []person.Condition
}

// routePages serves the pages, and the double of the camera that they look through.
func (s *Service) routePages(mux *http.ServeMux) {
	t := template.Must(template.ParseFS(pageFiles, "pages/verify.html"))
	mux.Handle("GET /{provider}/verify/{token}", s.at(func(h *house, w http.ResponseWriter, r *http.Request) error {
		if _, err := s.linked(h, r); err != nil {
			return err
		}
		return s.show(h, w, t, "")
	}))
	mux.Handle("GET /{provider}/c/{code}", s.at(func(h *house, w http.ResponseWriter, r *http.Request) error {
		return s.show(h, w, t, r.PathValue("code"))
	}))
	mux.Handle("GET /{provider}/page.js", asset("page.js", "text/javascript; charset=utf-8"))
	mux.Handle("GET /{provider}/page.css", asset("page.css", "text/css; charset=utf-8"))
	mux.Handle("GET /{provider}/camera/{person}/{kind}", s.at(s.photographDocument))
	mux.Handle("GET /{provider}/camera/{person}/selfie", s.at(s.photographFace))
}

func (s *Service) show(h *house, w http.ResponseWriter, t *template.Template, code string) error {
	p := page{Title: h.Title, Base: "/" + h.ID, Code: code, People: s.config.People, Defects: person.Defects(), Conditions: person.Conditions()}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("the page cannot be made: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'")
	_, _ = w.Write(b.Bytes()) // whoever asked may have left
	return nil
}

func asset(name, kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := pageFiles.ReadFile("pages/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(b) // whoever asked may have left
	})
}

// photographDocument is the camera before a test person's document; the query may name
// a defect.
func (s *Service) photographDocument(_ *house, w http.ResponseWriter, r *http.Request) error {
	p, err := person.Find(s.config.People, r.PathValue("person"))
	if err != nil {
		return errNotFound("test person")
	}
	d, err := p.Document(person.Kind(strings.TrimSuffix(r.PathValue("kind"), ".png")))
	if err != nil {
		return refuse(http.StatusNotFound, CodeNotFound, "%v", err)
	}
	for _, defect := range r.URL.Query()["defect"] {
		if !slices.Contains(person.Defects(), person.Defect(defect)) {
			return refuse(http.StatusBadRequest, CodeBadRequest, "there is no defect %q, only %v", defect, person.Defects())
		}
		d.Defects = append(slices.Clone(d.Defects), person.Defect(defect))
	}
	b, err := s.config.Archive.Draw(p, d)
	if err != nil {
		return refuse(http.StatusUnprocessableEntity, CodeBadRequest, "%v", err)
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(b) // whoever asked may have left
	return nil
}

// photographFace is the camera before a test person's face; the query has the condition
// and the poses.
func (s *Service) photographFace(_ *house, w http.ResponseWriter, r *http.Request) error {
	p, err := person.Find(s.config.People, r.PathValue("person"))
	if err != nil {
		return errNotFound("test person")
	}
	var poses []person.Pose
	for _, pose := range r.URL.Query()["pose"] {
		if !slices.Contains(person.Poses(), person.Pose(pose)) || len(poses) >= len(person.Poses()) {
			return refuse(http.StatusBadRequest, CodeBadRequest, "poses are some of %v", person.Poses())
		}
		poses = append(poses, person.Pose(pose))
	}
	c, err := p.Capture(s.config.Rand, person.Condition(r.URL.Query().Get("condition")), poses)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, c)
	return nil
}

// serveLinkage says that the origin is that of every issuer here.
func (s *Service) serveLinkage(w http.ResponseWriter) {
	var all credential.Configuration
	for _, p := range s.config.Providers {
		c, err := s.houses[p.ID].issuer.Linkage()
		if err != nil {
			fail(w, err)
			return
		}
		all.Context, all.LinkedDIDs = c.Context, append(all.LinkedDIDs, c.LinkedDIDs...)
	}
	answer(w, http.StatusOK, all)
}
