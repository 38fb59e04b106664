package proofing

import (
	"embed"
	"html/template"
	"image"
	"net/http"
	"slices"
	"strings"
	"sync"

	"fido-emu/identity/credential"
	"fido-emu/identity/document"
	"fido-emu/identity/pages"
	"fido-emu/identity/person"
)

//go:embed pages
var pageFiles embed.FS

// templates are the pages.
type templates struct{ verify, take, trouble *template.Template }

// made are the templates, which are the same for all services and made once.
var made = sync.OnceValue(func() *templates {
	return &templates{
		verify:  pages.Parse(pageFiles, "pages/verify.html", "pages/steps.html", "pages/ends.html"),
		take:    pages.Parse(pageFiles, "pages/take.html"),
		trouble: pages.Parse(pageFiles, "pages/trouble.html"),
	}
})

// routePages serves the pages and the doubles of the cameras that they look through.
func (s *Service) routePages(mux *http.ServeMux) {
	handle := func(pattern string, f func(*templates, *house, http.ResponseWriter, *http.Request) error) {
		mux.Handle(pattern, s.atOr(func(h *house, w http.ResponseWriter, r *http.Request) error { return f(made(), h, w, r) }, tell))
	}
	handle("GET /{provider}/verify/{token}", s.showSheet)
	handle("POST /{provider}/verify/{token}", s.takeForm)
	handle("GET /{provider}/c/{code}", func(t *templates, h *house, w http.ResponseWriter, r *http.Request) error {
		h.show(w, http.StatusOK, t.take, "Continue on this device", r.PathValue("code"))
		return nil
	})
	handle("POST /{provider}/c/{code}", s.takeUp)
	mux.Handle("GET /{provider}/camera/{person}/{kind}", s.at(s.photographDocument))
	mux.Handle("GET /{provider}/camera/{person}/face.jpg", s.at(func(_ *house, w http.ResponseWriter, r *http.Request) error {
		pages.ServeScene(w, r, s.config.People)
		return nil
	}))
}

// show answers with a page of the provider.
func (h *house) show(w http.ResponseWriter, status int, t *template.Template, title string, body any) {
	pages.Show(w, status, t, pages.Page{Title: title, Brand: h.Title, Body: body})
}

// trouble is what the page of a refusal shows.
type trouble struct {
	*Refusal
	Elsewhere bool   // another device has the session
	Back      string // path that is worth another try; "" for none
}

// tell answers with the page of a refusal.
func tell(h *house, w http.ResponseWriter, r *http.Request, err error) {
	e := refusalOf(err)
	p := trouble{Refusal: e, Elsewhere: e.Code == CodeTaken || e.Code == CodeMoved}
	if e.Code != CodeNotFound && !p.Elsewhere {
		p.Back = r.URL.Path
	}
	h.show(w, e.Status, made().trouble, "That did not work", p)
}

// sheet is what the page of a session shows.
type sheet struct {
	View
	Title string // of the provider
	Path  string
	Mine  bool // this device has the session
	Taken bool // another has it
	All   int  // attempts at a step that are left after none

	Documents []paper // to choose from
	Defects   []person.Defect
	Paper     string // that is chosen: person/kind
	Defect    person.Defect
	Picture   string // of it, address
	Size      image.Point
	Camera    *pages.Camera

	Offer    *Offer // that stands
	Wallet   string // see Config.Wallet
	HandOver *HandOver
}

// paper is the documents of a person.
type paper struct {
	*person.Person
	Kinds []person.Kind
}

// Stages tells of each step whether it is done, at hand, or to come.
func (p *sheet) Stages() (all []stage) {
	at := slices.Index(p.Steps, p.Step)
	for i, step := range p.Steps {
		done := p.View.Status == Verified || p.View.Status == Issued || i < at
		all = append(all, stage{map[Step]string{Consent: "Consent", Document: "Document", SecondDocument: "Another", Selfie: "Selfie"}[step], done, i == at})
	}
	return all
}

type stage struct {
	Words     string
	Done, Now bool
}

// Picture is the QR code of a hand-over, as an address.
func (h *HandOver) Picture() template.URL { return template.URL(h.QR) }

// showSheet is the page of a session.
func (s *Service) showSheet(t *templates, h *house, w http.ResponseWriter, r *http.Request) error {
	rec, err := s.linked(h, r)
	if err != nil {
		return err
	}
	p, err := s.sheet(h, rec, w, r)
	if err == nil {
		h.show(w, http.StatusOK, t.verify, "Identity verification", p)
	}
	return err
}

// sheet is how a session stands, with what its next step can be done with.
func (s *Service) sheet(h *house, rec *record, w http.ResponseWriter, r *http.Request) (*sheet, error) {
	p := &sheet{View: h.view(rec), Title: h.Title, Path: "/" + h.ID + "/verify/" + r.PathValue("token"), Wallet: s.config.Wallet}
	p.Mine = rec.Device != "" && rec.Device == hash(device(r))
	p.Taken = rec.Device != "" && !p.Mine
	p.All = h.attempts(p.Step)
	if !p.Mine {
		return p, nil
	}
	switch p.Step {
	case Document, SecondDocument:
		return p, s.lay(p, rec, w, r)
	case Selfie:
		p.Camera = &pages.Camera{People: s.config.People, Path: "/" + h.ID + "/camera", Challenge: p.Challenge}
		return p, badChoice(p.Camera.Choose(r.URL.Query(), pages.Holder(r)))
	}
	if rec.offer != nil && s.config.Now().Before(rec.offer.Expires) {
		p.Offer = rec.offer
	}
	return p, nil
}

func badChoice(err error) error {
	if err != nil {
		return refuse(http.StatusBadRequest, CodeBadRequest, "%v", err)
	}
	return nil
}

// lay puts before the camera what the form says, or a document of the holder of the
// phone, who is at first whoever's document was chosen.
func (s *Service) lay(p *sheet, rec *record, w http.ResponseWriter, r *http.Request) error {
	for _, who := range s.config.People {
		var kinds []person.Kind
		for _, d := range who.Documents {
			kinds = append(kinds, d.Kind)
		}
		p.Documents = append(p.Documents, paper{who, kinds})
	}
	p.Defects = person.Defects()
	p.Paper, p.Defect = r.URL.Query().Get("document"), person.Defect(r.URL.Query().Get("defect"))
	holder := pages.Holder(r)
	if p.Paper == "" {
		p.Paper = s.usual(rec, holder)
	}
	if p.Paper == "" {
		return nil
	}
	who, d, err := s.paper(p.Paper, string(p.Defect))
	if err != nil {
		return err
	}
	if holder == "" {
		pages.Hold(w, who.ID)
	}
	p.Size = document.Size(d.Kind)
	p.Picture = "/" + rec.Provider + "/camera/" + who.ID + "/" + string(d.Kind) + ".png"
	if p.Defect != "" {
		p.Picture += "?defect=" + string(p.Defect)
	}
	return nil
}

// usual is a document of a person that will do, "" where there is none.
func (s *Service) usual(rec *record, id string) string {
	who, err := person.Find(s.config.People, id)
	if err != nil {
		return ""
	}
	for _, d := range who.Documents {
		first := rec.Document != nil && rec.Document.Data.Kind == d.Kind
		if slices.Contains(rec.Kinds, d.Kind) && !first {
			return who.ID + "/" + string(d.Kind)
		}
	}
	return ""
}

// paper finds the document of a choice, person/kind, with defects. One that is "" is none.
func (s *Service) paper(choice string, defects ...string) (*person.Person, person.Document, error) {
	id, kind, _ := strings.Cut(choice, "/")
	who, err := person.Find(s.config.People, id)
	if err != nil {
		return nil, person.Document{}, errNotFound("test person")
	}
	d, err := who.Document(person.Kind(kind))
	if err != nil {
		return nil, d, refuse(http.StatusNotFound, CodeNotFound, "%v", err)
	}
	d.Defects = slices.Clone(d.Defects)
	for _, name := range defects {
		switch defect := person.Defect(name); {
		case defect == "":
		case slices.Contains(person.Defects(), defect):
			d.Defects = append(d.Defects, defect)
		default:
			return nil, d, refuse(http.StatusBadRequest, CodeBadRequest, "there is no defect %q, only %v", defect, person.Defects())
		}
	}
	return who, d, nil
}

// photographDocument is the camera before a test person's document; the query may name
// defects.
func (s *Service) photographDocument(_ *house, w http.ResponseWriter, r *http.Request) error {
	choice := r.PathValue("person") + "/" + strings.TrimSuffix(r.PathValue("kind"), ".png")
	who, d, err := s.paper(choice, r.URL.Query()["defect"]...)
	if err != nil {
		return err
	}
	b, err := s.draw(who, d)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(b) // whoever asked may have left
	return nil
}

// draw photographs a document.
func (s *Service) draw(who *person.Person, d person.Document) ([]byte, error) {
	b, err := s.config.Archive.Draw(who, d)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, CodeBadRequest, "%v", err)
	}
	return b, nil
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
