package browser

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/person"
	"fido-emu/identity/services"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// phoneHost is the name by which a phone reaches this computer. Laptops have localhost.
const phoneHost = "embedder.example.net"

// serveEverywhere serves on all addresses until the test ends; handler is made when the
// port is known.
func serveEverywhere(t *testing.T, handler func(port int) http.Handler) (laptop, phone string) {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler(port), ReadHeaderTimeout: time.Minute}}
	s.Start()
	t.Cleanup(s.Close)
	return fmt.Sprintf("http://localhost:%d", port), fmt.Sprintf("http://%s:%d", phoneHost, port)
}

// serveRecovery serves the doubles of what proves who somebody is, and a relying party
// that recovers accounts with them.
func serveRecovery(t *testing.T) (site string, core *reference.Core) {
	t.Helper()
	all, err := person.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	few := slices.DeleteFunc(all, func(p *person.Person) bool { return p.ID != "anna-eriksson" && p.ID != "mary-jones" })
	var public string
	site, _ = serveEverywhere(t, func(port int) http.Handler {
		here := fmt.Sprintf("http://localhost:%d", port)
		public = fmt.Sprintf("http://%s:%d", phoneHost, port)
		if core, err = reference.New(reference.Config{RPID: "localhost", Name: "Example", Origins: []string{here}}); err != nil {
			t.Fatal(err)
		}
		return reference.Handler(core)
	})
	var s *services.Services
	serveEverywhere(t, func(port int) http.Handler {
		s, err = services.New(services.Config{
			Now: time.Now, Rand: rand.Reader, Client: http.DefaultClient, BaseURL: fmt.Sprintf("http://localhost:%d", port),
			PublicURL: fmt.Sprintf("http://%s:%d", phoneHost, port), Key: "k", Tenant: "site", Origin: site, People: few,
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
	where, err := s.Describe()
	if err != nil {
		t.Fatal(err)
	}
	linkage, err := json.Marshal(where.Linkage)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		core.EnableRecovery(reference.RecoveryServices{
			Proofing: where.Proofing, ProofingKey: "k", Requests: where.Requests, RequestsKey: "k", Authority: where.Authority,
			Callback: site, Public: public, Wallet: where.Wallet, Linkage: linkage,
		}),
		core.SetRecoveryPolicy(rp.RecoveryPolicy{Profiles: []rp.RecoveryProfile{{
			Name: "all", Mode: "production", Providers: []rp.RecoveryProvider{{Name: "idemia"}},
		}}}),
		core.SetIdentity("anna@localhost", rp.Identity{GivenName: "Anna Maria", FamilyName: "Eriksson", Country: "SE"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return site, core
}

// hand is somebody before a tab.
type hand struct {
	*testing.T
	tab *Tab
}

// click clicks what has a text, once it is there.
func (h hand) click(text string) {
	h.Helper()
	h.await(&place{text: text}, func(ctx context.Context, e *element) error { return e.click(ctx) })
}

func (h hand) fill(css, text string) {
	h.Helper()
	h.await(&place{css: css}, func(ctx context.Context, e *element) error { return e.fill(ctx, text, false) })
}

// sees waits until a text is on the page.
func (h hand) sees(text string) {
	h.Helper()
	h.await(&place{text: text}, func(context.Context, *element) error { return nil })
}

// follow goes where a link leads that would open a tab of its own.
func (h hand) follow(text string) {
	h.Helper()
	var to string
	h.await(&place{text: text}, func(ctx context.Context, e *element) (err error) {
		to, err = e.read(ctx, "href")
		return err
	})
	if err := h.tab.Open(inTime(h.T), to); err != nil {
		h.Fatal(err)
	}
}

// arrives waits until the address of the page has a part.
func (h hand) arrives(part string) {
	h.Helper()
	ctx, cancel := context.WithTimeout(inTime(h.T), time.Minute)
	defer cancel()
	err := h.tab.until(ctx, func(c context.Context) (bool, error) {
		there, err := h.tab.evaluate(c, fmt.Sprintf("location.href.includes(%q)", part))
		return there == "true", err
	})
	if err != nil {
		h.Fatalf("%s: %v; the page is at %s", part, err, js(h.T, h.tab, "location.href"))
	}
}

// await does something with an element, once it is there. A page that is left meanwhile
// is looked at again.
func (h hand) await(p *place, do func(context.Context, *element) error) {
	h.Helper()
	ctx, cancel := context.WithTimeout(inTime(h.T), time.Minute)
	defer cancel()
	err := h.tab.until(ctx, func(c context.Context) (bool, error) {
		e, err := h.tab.find(c, p, true)
		if e == nil || err != nil {
			return false, err
		}
		return true, do(c, e)
	})
	if err != nil {
		h.Fatalf("%s: %v; the page says %s", p, err, js(h.T, h.tab, "location.href + ' ' + document.body.innerText"))
	}
}

// choose chooses from a list.
func (h hand) choose(id, value string) {
	h.Helper()
	js(h.T, h.tab, fmt.Sprintf("document.getElementById(%q).value = %q", id, value))
}

// show opens on the phone what the QR code on the laptop holds, and shows a passport.
func (h hand) show(laptop hand) {
	h.Helper()
	laptop.sees("go on with this device")
	link := strings.Trim(js(h.T, laptop.tab, "document.getElementById('case-here').href"), `"`)
	if !strings.HasPrefix(link, "http://"+phoneHost+":") {
		h.Fatalf("a phone cannot open %s", link)
	}
	if err := h.tab.Open(inTime(h.T), link); err != nil {
		h.Fatal(err)
	}
	h.follow("Show my document")
	h.click("Start on this device")
	h.sees("Photograph your document")
	h.choose("document", "anna-eriksson/passport")
	h.click("Hold it before the camera")
	h.arrives("document=anna-eriksson") // the page before it has the next button as well
	h.click("Send this picture")
	h.sees("Now your face")
}

// TestRecoveryByHand recovers an account on the pages alone: begun on a laptop, gone on
// with on a phone, ended on the laptop with a new passkey. Before that a printed photo
// is refused.
func TestRecoveryByHand(t *testing.T) {
	chromium(t)
	site, core := serveRecovery(t)
	old, fresh := newAgent(t, newKey(t, "old")), newAgent(t, newKey(t, "new key"))
	laptop := hand{t, visit(t, site+"/signup", old, TabOptions{})}
	phone := hand{t, visit(t, "about:blank", nil, TabOptions{})}
	laptop.fill("#name", "anna@localhost")
	laptop.click("Create a passkey")
	laptop.click("Sign out")
	laptop.sees("Sign in")
	begin := func() {
		if err := laptop.tab.Open(inTime(t), site+"/recover"); err != nil {
			t.Fatal(err)
		}
		laptop.fill("#who", "anna@localhost")
		laptop.click("Remove everything that I could sign in with")
		laptop.click("Prove who I am")
	}

	begin()
	phone.show(laptop)
	phone.click("a printed photo")
	phone.click("Take and send the pictures")
	phone.sees("You could not be verified")
	phone.sees("frame 1 has the white edge of a print")
	laptop.sees("That did not work")
	laptop.sees("printed_photo")
	laptop.click("Start again")

	laptop.tab.Use(fresh)
	begin()
	phone.show(laptop)
	phone.click("Take and send the pictures")
	phone.click("Get the Verified ID")
	phone.click("Open in the test wallet")
	phone.click("Put it into the wallet")
	phone.sees("The Verified ID is in the wallet")
	phone.sees("L898902C3") // the passport that it was made of
	if err := phone.tab.Open(inTime(t), strings.Trim(js(t, laptop.tab, "document.getElementById('case-here').href"), `"`)); err != nil {
		t.Fatal(err)
	}
	phone.follow("Open in the test wallet")
	phone.sees("This is " + site) // the site says that the request is its own
	phone.click("Agree and check my face")
	phone.sees("Example knows that it is you")

	laptop.click("Sign in and set up a passkey")
	laptop.click("Create a passkey")
	laptop.sees("Add a passkey")
	ended := laptop.tab.Ended()
	if len(ended) != 1 || ended[0].Err != nil {
		t.Fatalf("ceremonies: %+v", ended)
	}
	if account, err := core.Account("anna@localhost"); err != nil || len(account.Credentials) != 1 {
		t.Errorf("%d passkeys are left (%v), want the new one alone", len(account.Credentials), err)
	}
}
