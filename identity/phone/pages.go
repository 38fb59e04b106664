package phone

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"fido-emu/identity/credential"
	"fido-emu/identity/pages"
	"fido-emu/identity/person"
	"fido-emu/identity/wallet"
)

//go:embed pages
var pageFiles embed.FS

// templates are the pages.
type templates struct{ people, wallet, offer, request, done, trouble *template.Template }

// Root is where the phones are, and OpenPath the page that opens links.
const (
	Root     = "/wallet/"
	OpenPath = Root + "open"
)

// made are the templates, which are the same for all phones and made once.
var made = sync.OnceValue(func() *templates {
	parse := func(name string) *template.Template {
		return pages.Parse(pageFiles, "pages/"+name+".html", "pages/card.html")
	}
	return &templates{parse("people"), parse("wallet"), parse("offer"), parse("request"), parse("done"), parse("trouble")}
})

func (p *Phones) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Root+"{$}", func(w http.ResponseWriter, r *http.Request) { p.showPeople(w, r, "") })
	mux.HandleFunc("GET "+OpenPath, p.openAnywhere)
	mux.HandleFunc("GET "+Root+"{person}/face.jpg", func(w http.ResponseWriter, r *http.Request) {
		pages.ServeScene(w, r, p.config.People)
	})
	for pattern, f := range map[string]func(*phone, http.ResponseWriter, *http.Request) error{
		"GET " + Root + "{person}/{$}":      p.showWallet,
		"GET " + Root + "{person}/open":     p.open,
		"POST " + Root + "{person}/accept":  p.take,
		"POST " + Root + "{person}/present": p.present,
		"POST " + Root + "{person}/delete":  p.delete,
	} {
		mux.Handle(pattern, p.at(f))
	}
	mux.HandleFunc(Root, func(w http.ResponseWriter, _ *http.Request) {
		show(w, http.StatusNotFound, made().trouble, "No such page", trouble{Message: "There is no such page."})
	})
	return mux
}

// phone is the phone of somebody.
type phone struct {
	*person.Person
	wallet *wallet.Wallet
}

// Path is where its wallet is.
func (p *phone) Path() string { return Root + p.ID + "/" }

// maxForm is the most that a form may hold, in bytes.
const maxForm = 64 << 10

// at finds the phone of a path; what a form of another page sends is refused. An error
// becomes a page.
func (p *Phones) at(f func(*phone, http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		who, err := person.Find(p.config.People, r.PathValue("person"))
		if err != nil {
			show(w, http.StatusNotFound, made().trouble, "Nobody", trouble{Message: "There is no test person of that name."})
			return
		}
		if !pages.FromHere(r) {
			show(w, http.StatusForbidden, made().trouble, "Refused", trouble{Message: "This form was sent by a page of somebody else."})
			return
		}
		pages.Hold(w, who.ID)
		mine, err := p.Wallet(who.ID)
		if err == nil {
			err = f(&phone{who, mine}, w, r)
		}
		if err != nil {
			show(w, statusOf(err), made().trouble, "That did not work", trouble{explain(err), Root + who.ID + "/"})
		}
	})
}

func show(w http.ResponseWriter, status int, t *template.Template, title string, body any) {
	pages.Show(w, status, t, pages.Page{Title: title, Brand: "Test wallet", Home: Root, Body: body})
}

// trouble is what the page of an error shows.
type trouble struct {
	Message string
	Back    string // path; "": of the people
}

// listed is a person on the list of phones.
type listed struct {
	*person.Person
	Path   string
	Held   int
	Holder bool
}

// Portrait is the address of a picture of the person.
func (l listed) Portrait() string { return Root + l.ID + "/face.jpg?shows=live" }

// showPeople shows whose phones there are; with a link, they lead to it.
func (p *Phones) showPeople(w http.ResponseWriter, r *http.Request, link string) {
	var body struct {
		People []listed
		Link   string
	}
	body.Link = link
	holder := pages.Holder(r)
	for _, who := range p.config.People {
		l := listed{who, Root + who.ID + "/", p.held(who.ID), who.ID == holder}
		if link != "" {
			l.Path += "open?" + url.Values{"link": {link}}.Encode()
		}
		body.People = append(body.People, l)
	}
	show(w, http.StatusOK, made().people, "Whose phone?", body)
}

// openAnywhere opens a link on the phone that the browser is, or asks whose it is.
func (p *Phones) openAnywhere(w http.ResponseWriter, r *http.Request) {
	link, holder := r.URL.Query().Get("link"), pages.Holder(r)
	_, err := person.Find(p.config.People, holder)
	if err != nil || r.URL.Query().Has("whose") {
		p.showPeople(w, r, link)
		return
	}
	http.Redirect(w, r, Root+holder+"/open?"+url.Values{"link": {link}}.Encode(), http.StatusSeeOther)
}

// card is a Verified ID as it is drawn.
type card struct {
	wallet.Held
	Path   string       // of the wallet
	Photo  template.URL // "" without one
	Badge  string       // in a word how it stands
	Good   bool
	Reason string // what keeps it from being good
	Facts  []fact
}

type fact struct{ Name, Value string }

// draw returns the card of a Verified ID, as it is now.
func (p *phone) draw(ctx context.Context, h wallet.Held) card {
	c := card{Held: h, Path: p.Path(), Badge: "valid", Good: true, Photo: photo(h.Claims)}
	if err := p.wallet.Standing(ctx, h); err != nil {
		c.Good, c.Badge, c.Reason = false, string(credential.ReasonOf(err)), explain(err)
		if c.Badge == string(credential.Revoked) {
			c.Reason = "The issuer revoked it: " + c.Reason + "."
		}
	}
	for _, f := range []fact{
		{"Date of birth", h.Claims[credential.DateOfBirth]}, {"Country", h.Claims[credential.Country]},
		{"Document", strings.TrimSpace(strings.ReplaceAll(h.Claims[credential.DocumentType], "-", " ") + " " + h.Claims[credential.DocumentNumber])},
	} {
		if f.Value != "" {
			c.Facts = append(c.Facts, f)
		}
	}
	return c
}

// Name is the name on the card.
func (c card) FullName() string {
	return strings.TrimSpace(c.Claims[credential.FirstName] + " " + c.Claims[credential.LastName])
}

// photo is the photo in claims as an address, "" where there is none that a page shows.
func photo(claims credential.Claims) template.URL {
	b, err := claims.Photo(credential.Portrait)
	kind := http.DetectContentType(b)
	if err != nil || !slices.Contains([]string{"image/jpeg", "image/png"}, kind) {
		return ""
	}
	return template.URL("data:" + kind + ";base64," + encode(b))
}

func (p *Phones) showWallet(who *phone, w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Phone *phone
		Cards []card
		New   string // id of a card that was just put in
	}
	body.Phone, body.New = who, r.URL.Query().Get("new")
	held := who.wallet.List()
	slices.Reverse(held) // the newest first
	for _, h := range held {
		body.Cards = append(body.Cards, who.draw(r.Context(), h))
	}
	show(w, http.StatusOK, made().wallet, who.Name(), body)
	return nil
}

// delete deletes a Verified ID.
func (p *Phones) delete(who *phone, w http.ResponseWriter, r *http.Request) error {
	err := who.wallet.Delete(r.PostFormValue("id"))
	if err == nil {
		err = p.keep(who.ID, who.wallet)
	}
	if err == nil {
		http.Redirect(w, r, who.Path(), http.StatusSeeOther)
	}
	return err
}

// errLink says that a link is none that a wallet opens.
var errLink = errors.New("this is no link that a wallet opens: those begin with openid-credential-offer: or openid-vc: and an address")
