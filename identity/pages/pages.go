package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"fido-emu/identity/person"
)

//go:embed look
var look embed.FS

// style is what all pages look like, and policy what they may load and do.
var style, policy = func() (template.CSS, string) {
	b, err := look.ReadFile("look/style.css")
	if err != nil {
		panic(err) // it is embedded
	}
	sum := sha256.Sum256(b)
	return template.CSS(b), "default-src 'none'; img-src 'self' data:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// Page is what a template gets. The template main shows Body.
type Page struct {
	Title string // of this page
	Brand string // of whom it is
	Home  string // path to which the brand leads; "" for nowhere
	Body  any
}

// Style is the style sheet.
func (Page) Style() template.CSS { return style }

// Parse returns the template of a page out of files that define main, with the words
// and parts that pages have in common. It is for templates that are part of the
// program, and panics on a mistake in them.
func Parse(files fs.FS, names ...string) *template.Template {
	t := template.Must(template.New("base.html").Funcs(words()).ParseFS(look, "look/*.html"))
	return template.Must(t.ParseFS(files, names...))
}

// words are functions of templates.
func words() template.FuncMap {
	return template.FuncMap{
		"day":       func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"clock":     func(t time.Time) string { return t.UTC().Format("15:04 UTC") },
		"kind":      func(k person.Kind) string { return strings.ReplaceAll(string(k), "-", " ") },
		"defect":    Defect,
		"condition": Condition,
		"asked":     asked,
	}
}

// Show answers with a page.
func Show(w http.ResponseWriter, status int, t *template.Template, p Page) {
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // paths are secrets; of a page without a referrer browsers do not tell the origin of forms
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // whoever asked may have left
}

// FromHere tells whether a request comes from a page of this very server, or from no
// page at all. What a form changes is changed for those alone.
func FromHere(r *http.Request) bool { return http.NewCrossOriginProtection().Check(r) == nil }

// holderCookie names whose phone a browser is.
const holderCookie = "identity-holder"

// Holder returns the id of the test person whose phone this browser is, "" for nobody's.
func Holder(r *http.Request) string {
	c, err := r.Cookie(holderCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// Hold makes this browser the phone of a test person, until it is closed. It only says
// what is chosen at first; nothing is opened by it.
func Hold(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{Name: holderCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
