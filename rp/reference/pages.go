package reference

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fido-emu/rp"
)

//go:embed pages
var pageFiles embed.FS

// page is what a template gets.
type page struct {
	Site    string // what the relying party calls itself
	RPID    string
	Title   string
	Here    string // path, to mark the place in the navigation
	Session *sessionJSON
	Admin   bool

	OpenSignUp  bool
	Credentials []credentialJSON
	Own         *ownView // what its owner sees of an account beside passkeys
	Desk        any      // what an administrator sees, of a kind for each page
	Now         time.Time
	Recovery    bool   // account recovery is set up
	Wallet      string // page of a test wallet that opens links; "" without one
}

// InAdmin tells whether the page is one of the administration.
func (p *page) InAdmin() bool {
	return p.Here == "/admin" || p.Here == "/post" || strings.HasPrefix(p.Here, "/admin/")
}

func (s *server) routePages(mux *http.ServeMux) {
	mux.Handle("GET /{$}", s.show("home.html", "Sign in", s.home))
	mux.Handle("GET /signup", s.show("signup.html", "Create an account", s.home))
	mux.Handle("GET /passkeys", s.show("passkeys.html", "Your passkeys", s.passkeys))
	mux.Handle("/", s.missing(parse("missing.html")))
	mux.Handle("GET /app.js", file("app.js", "text/javascript; charset=utf-8"))
	mux.Handle("GET /style.css", file("style.css", "text/css; charset=utf-8"))
	mux.Handle("DELETE /api/sessions", action(s.endOtherSessions))
	mux.Handle("DELETE /api/methods", action(s.removeOwnMethods))
	s.routeAdminPages(mux)
	mux.Handle("GET /.well-known/webauthn", action(s.relatedOrigins))
	mux.Handle("GET /.well-known/passkey-endpoints", action(s.passkeyEndpoints))
}

// parse reads a page when it is first shown: most relying parties of scenarios show none.
func parse(name string) func() *template.Template {
	return sync.OnceValue(func() *template.Template { return parsed(name) })
}

func parsed(name string) *template.Template {
	words := template.FuncMap{
		"list": func(s []string) string { return strings.Join(s, ", ") },
		"kind": func(t string) string {
			return map[string]string{rp.DeviceBound: "Device-bound", rp.Synced: "Synced"}[t]
		},
		"ago":     ago,
		"at":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"method":  methodTitle,
		"path":    url.PathEscape,
		"tabs":    tabs,
		"mark":    mark,
		"applied": applied,
		"lasting": lasting,
	}
	return template.Must(template.New("base.html").Funcs(words).ParseFS(pageFiles, "pages/base.html", "pages/prove.html", "pages/enrol.html", "pages/admin-parts.html", "pages/"+name))
}

// show renders a page, or sends the browser where fill says.
func (s *server) show(name, title string, fill func(*http.Request, *page) (goTo string)) http.Handler {
	t := parse(name)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := s.page(r, title)
		if goTo := fill(r, p); goTo != "" {
			http.Redirect(w, r, goTo, http.StatusSeeOther)
			return
		}
		render(w, t(), p, http.StatusOK)
	})
}

func (s *server) missing(t func() *template.Template) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // a form that no script took: nothing of it is in the address
			http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
			return
		}
		render(w, t(), s.page(r, "No such page"), http.StatusNotFound)
	})
}

func (s *server) page(r *http.Request, title string) *page {
	c := s.core.config
	p := &page{Site: c.Name, RPID: c.RPID, Title: title, Here: r.URL.Path, OpenSignUp: !c.ClosedSignUp, Now: s.core.now(), Recovery: s.core.HasRecovery()}
	if g, err := s.core.Session(s.token(r)); err == nil {
		session := g.wire()
		p.Session = &session
	}
	return p
}

func render(w http.ResponseWriter, t *template.Template, p *page, status int) {
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked may have left
}

// home sends people who are signed in on to their passkeys.
func (s *server) home(_ *http.Request, p *page) string {
	if p.Session != nil {
		return "/passkeys"
	}
	return ""
}

// relatedOrigins is the document of WebAuthn Level 3, section 5.11.
func (s *server) relatedOrigins(http.ResponseWriter, *http.Request) (any, error) {
	return map[string][]string{"origins": s.core.config.Origins}, nil
}

// passkeyEndpoints tells passkey providers where people manage their passkeys (W3C
// "A Well-Known URL for Relying Party Passkey Endpoints").
func (s *server) passkeyEndpoints(http.ResponseWriter, *http.Request) (any, error) {
	manage := s.core.config.Origins[0] + "/passkeys"
	return map[string]string{"enroll": manage, "manage": manage}, nil
}

func file(name, kind string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := pageFiles.ReadFile("pages/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(b) // whoever asked may have left
	})
}

// ago tells roughly how long before now t was.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	default:
		return count(int(d/(24*time.Hour)), "day")
	}
}

func count(n int, unit string) string { return plural(n, unit) + " ago" }

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// lasting says how long something takes, in the largest unit of which it is a whole number.
func lasting(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= u.of && d%u.of == 0 {
			return plural(int(d/u.of), u.name)
		}
	}
	return d.String()
}
