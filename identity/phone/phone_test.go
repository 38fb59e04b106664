package phone_test

import (
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/document"
	"fido-emu/identity/person"
	"fido-emu/identity/request"
	"fido-emu/identity/services"
)

// bench is services with an issuer's claims of Anna, and a browser before them.
type bench struct {
	*testing.T
	now      time.Time
	services *services.Services
	config   services.Config
	cannot   bool // save
	cookies  []*http.Cookie
	heard    []string // what the relying party was called back with
}

// archive remembers drawings for all tests: they cost more than the tests.
var archive = sync.OnceValue(document.NewArchive)

const site = "https://site.example"

func newBench(t *testing.T) *bench {
	t.Helper()
	all, err := person.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, now: time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)}
	kept := map[string][]byte{}
	b.config = services.Config{
		Now: func() time.Time { return b.now }, Rand: rand.NewChaCha8([32]byte{1}), Client: &http.Client{Transport: b},
		BaseURL: "http://localhost:8070", Key: "k", AdminKey: "k", Tenant: "site", Origin: site, Kept: kept, Archive: archive(),
		People: slices.DeleteFunc(all, func(p *person.Person) bool {
			return !slices.Contains([]string{"anna-eriksson", "victor-thief"}, p.ID)
		}),
		Save: func(part string, snapshot []byte) error {
			if b.cannot {
				return errors.New("disk full")
			}
			kept[part] = snapshot
			return nil
		},
	}
	b.restart()
	return b
}

func (b *bench) restart() {
	b.Helper()
	s, err := services.New(b.config)
	if err != nil {
		b.Fatal(err)
	}
	b.services = s
}

// RoundTrip is the network: the services themselves and the relying party.
func (b *bench) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	switch {
	case r.URL.Host == "localhost:8070":
		r.RequestURI = ""
		b.services.ServeHTTP(w, r)
	case r.URL.Path == "/callback":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		b.heard = append(b.heard, string(body))
	default:
		http.NotFound(w, r)
	}
	return w.Result(), nil
}

// get opens a page, and follows where it sends the browser.
func (b *bench) get(path string) (int, string) { b.Helper(); return b.do("GET", path, nil, nil) }

// post sends a form of a page of the services.
func (b *bench) post(path string, form url.Values) (int, string) {
	b.Helper()
	return b.do("POST", path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

func (b *bench) do(method, path string, form url.Values, header http.Header) (int, string) {
	b.Helper()
	r := httptest.NewRequest(method, "http://localhost:8070"+path, strings.NewReader(form.Encode()))
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.services.ServeHTTP(w, r)
	answer := w.Result()
	if c := answer.Cookies(); len(c) > 0 {
		b.cookies = c
	}
	if to := answer.Header.Get("Location"); to != "" {
		return b.get(to)
	}
	return answer.StatusCode, html.UnescapeString(w.Body.String())
}

// offer returns the link of an offer by idemia.
func (b *bench) offer(code bool) credential.Offer {
	b.Helper()
	anna, err := person.Find(b.config.People, "anna-eriksson")
	if err != nil {
		b.Fatal(err)
	}
	photo, err := anna.Portrait()
	if err != nil {
		b.Fatal(err)
	}
	o, err := b.services.Proofing.Issuer("idemia").Offer(credential.Claims{
		credential.FirstName: "Anna Maria", credential.LastName: "Eriksson", credential.Portrait: credential.EncodePhoto(photo),
	}, code)
	if err != nil {
		b.Fatal(err)
	}
	return o
}

// ask returns the link of a request for a Verified ID, with Face Check.
func (b *bench) ask() string {
	b.Helper()
	body := fmt.Sprintf(`{"authority": %q, "registration": {"clientName": "Shop"}, "includeQRCode": false, "includeReceipt": false,
		"callback": {"url": %q, "state": "s", "headers": {"api-key": "a"}},
		"requestedCredentials": [{"type": "VerifiedIdentity", "purpose": "test", "acceptedIssuers": [%q],
		"configuration": {"validation": {"allowRevoked": false, "validateLinkedDomain": false, "faceCheck": {"sourcePhotoClaimName": "portrait"}}}}]}`,
		b.services.Requests.Authority("site"), site+"/callback", b.services.Proofing.Issuer("idemia").DID())
	r := httptest.NewRequest("POST", "http://localhost:8070/v1.0/verifiableCredentials/createPresentationRequest", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer k")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.services.ServeHTTP(w, r)
	link := regexp.MustCompile(`openid-vc:[^"]*`).FindString(w.Body.String())
	if link == "" {
		b.Fatalf("no request: %s", w.Body)
	}
	return link
}

const anna = "/wallet/anna-eriksson/"

// fill puts a Verified ID into Anna's wallet.
func (b *bench) fill() {
	b.Helper()
	if status, page := b.post(anna+"accept", url.Values{"link": {b.offer(false).Link}}); status != http.StatusOK || !strings.Contains(page, "is in the wallet") {
		b.Fatalf("%d %s", status, page)
	}
}

func (b *bench) wants(page string, words ...string) {
	b.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			b.Errorf("the page lacks %q: %s", w, regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, ""))
		}
	}
}

func open(link string) string { return "/wallet/open?" + url.Values{"link": {link}}.Encode() }

// TestFromOfferToCard takes up an offer that has a code, first with a wrong one.
func TestFromOfferToCard(t *testing.T) {
	b := newBench(t)
	o := b.offer(true)
	_, page := b.get(open(o.Link))
	b.wants(page, "Whose wallet opens it?", anna+"open?link=openid-credential-offer")
	b.get(anna)
	_, page = b.get(open(o.Link)) // the browser is her phone now
	b.wants(page, "A Verified ID for you", "IDEMIA", "/idemia/issuer", "Code that IDEMIA shows")
	_, page = b.post(anna+"accept", url.Values{"link": {o.Link}, "code": {"x"}})
	b.wants(page, "the transaction code is wrong", "Code that IDEMIA shows")
	_, page = b.post(anna+"accept", url.Values{"link": {o.Link}, "code": {o.TxCode}})
	b.wants(page, "is in the wallet", "Anna Maria Eriksson", "data:image/jpeg;base64,", `badge good">valid`, "2027-09-01")
	if status, page := b.post(anna+"accept", url.Values{"link": {o.Link}, "code": {o.TxCode}}); status != http.StatusBadGateway {
		t.Errorf("an offer was taken up twice: %d %s", status, page)
	}
	_, page = b.get("/wallet/")
	b.wants(page, "1 Verified ID", "this phone")
}

// TestCardsTellHowTheyStand lets a Verified ID be revoked, and another expire.
func TestCardsTellHowTheyStand(t *testing.T) {
	b := newBench(t)
	b.fill()
	_, page := b.get(anna)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)[1]
	if err := b.services.Proofing.Revoke("idemia", id); err != nil {
		t.Fatal(err)
	}
	_, page = b.get(anna)
	b.wants(page, `badge bad">revoked`)
	b.fill()
	b.now = b.now.AddDate(1, 0, 1)
	_, page = b.get(anna)
	b.wants(page, `badge bad">expired`)
	if _, page = b.post(anna+"delete", url.Values{"id": {id}}); strings.Contains(page, id) {
		t.Error("a Verified ID was not deleted")
	}
}

// TestPresentation presents to a request with everything before the camera that there is.
func TestPresentation(t *testing.T) {
	b := newBench(t)
	_, page := b.get(anna + "open?" + url.Values{"link": {b.ask()}}.Encode())
	b.wants(page, "The wallet holds no VerifiedIdentity")
	b.fill()
	for _, test := range []struct {
		name  string
		form  url.Values
		says  string
		heard string // status that the relying party hears at the end
	}{
		{"in person", url.Values{"do": {"agree"}}, "Shop knows that it is you", string(request.Verified)},
		{"a print", url.Values{"do": {"agree"}, "shows": {"printed"}}, "The liveness check failed.", string(request.Failed)},
		{"somebody else", url.Values{"do": {"agree"}, "face": {"victor-thief"}, "shows": {"live"}}, "failing to meet the threshold", string(request.Failed)},
		{"a smeared lens", url.Values{"do": {"agree"}, "light": {"blurred"}}, "failing to meet the threshold", string(request.Failed)},
		{"declined", url.Values{"do": {"decline"}}, "You declined", string(request.Retrieved)},
		{"no such face", url.Values{"do": {"agree"}, "face": {"nobody"}}, "there is no test person", string(request.Retrieved)},
		{"no such scene", url.Values{"do": {"agree"}, "shows": {"ghost"}}, `is called "ghost"`, string(request.Retrieved)},
		{"no such light", url.Values{"do": {"agree"}, "light": {"moon"}}, `is called "moon"`, string(request.Retrieved)},
		{"no such credential", url.Values{"do": {"agree"}, "credential-0": {"x"}}, "holds no credential", string(request.Retrieved)},
	} {
		t.Run(test.name, func(t *testing.T) {
			link := b.ask()
			b.heard = nil
			_, page := b.get(anna + "open?" + url.Values{"link": {link}}.Encode())
			b.wants(page, "Shop asks who you are", "No site says that this request is its own")
			test.form.Set("link", link)
			_, page = b.post(anna+"present", test.form)
			b.wants(page, test.says)
			if len(b.heard) == 0 || !strings.Contains(b.heard[len(b.heard)-1], test.heard) {
				t.Errorf("the relying party heard %v, want %s at the end", b.heard, test.heard)
			}
		})
	}
}

// TestStrangers come with forms of their own, links that lead elsewhere, and rubbish.
func TestStrangers(t *testing.T) {
	b := newBench(t)
	o := b.offer(false)
	elsewhere := "openid-vc://?request_uri=" + url.QueryEscape("http://169.254.169.254/latest/meta-data")
	for _, test := range []struct {
		name, method, path string
		form               url.Values
		from               string // Sec-Fetch-Site
		status             int
		says               string
	}{
		{"a form of another site", "POST", anna + "accept", url.Values{"link": {o.Link}}, "cross-site", http.StatusForbidden, "a page of somebody else"},
		{"a link elsewhere", "GET", anna + "open?" + url.Values{"link": {elsewhere}}.Encode(), nil, "", http.StatusBadRequest, "those of localhost:8070, not of"},
		{"an offer elsewhere", "GET", anna + "open?link=openid-credential-offer://?credential_offer_uri=http://example.net/", nil, "", http.StatusBadRequest, "those of localhost:8070, not of"},
		{"a link of another kind", "GET", anna + "open?link=https://example.net", nil, "", http.StatusBadRequest, "no link that a wallet opens"},
		{"a link without an address", "GET", anna + "open?link=openid-vc:", nil, "", http.StatusBadRequest, "not a link that a wallet opens"},
		{"no such request", "GET", anna + "open?link=openid-vc://?request_uri=http://localhost:8070/v1.0/site/verifiableCredentials/presentationRequests/x", nil, "", http.StatusBadGateway, "no such presentation request"},
		{"a script", "GET", anna + "open?link=%3Cscript%3E", nil, "", http.StatusBadRequest, "no link that a wallet opens"},
		{"nobody's phone", "GET", "/wallet/nobody/", nil, "", http.StatusNotFound, "no test person"},
		{"no such page", "GET", "/wallet/anna-eriksson/x", nil, "", http.StatusNotFound, "no such page"},
		{"a Verified ID that is not there", "POST", anna + "delete", url.Values{"id": {"x"}}, "same-origin", http.StatusNotFound, "holds no such credential"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, page := b.do(test.method, test.path, test.form, http.Header{"Sec-Fetch-Site": {test.from}})
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			b.wants(page, test.says)
			if strings.Contains(page, "<script>") {
				t.Error("there is a script on the page")
			}
		})
	}
}

// TestWalletsComeBack restarts the services, and fails to save.
func TestWalletsComeBack(t *testing.T) {
	b := newBench(t)
	b.fill()
	o := b.offer(false)
	b.cannot = true
	if status, page := b.post(anna+"accept", url.Values{"link": {o.Link}}); status == http.StatusOK {
		t.Errorf("what could not be saved is shown: %s", page)
	}
	b.cannot = false
	b.restart()
	_, page := b.get(anna)
	b.wants(page, "Anna Maria Eriksson", `badge good">valid`)
	if n := strings.Count(page, "<article"); n != 1 {
		t.Errorf("%d Verified IDs, want the one that was saved", n)
	}
	_, page = b.post(anna+"present", url.Values{"link": {b.ask()}, "do": {"agree"}})
	b.wants(page, "Shop knows that it is you")
	b.config.Kept["wallet/anna-eriksson"] = []byte("{")
	if _, err := services.New(b.config); err == nil || !strings.Contains(err.Error(), "anna-eriksson") {
		t.Errorf("a damaged wallet: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("openid-vc://?request_uri=http://localhost:8070/v1.0/site/x")
	f.Add("openid-credential-offer://?credential_offer_uri=http://localhost:8070/idemia/issuer/offers/x")
	var b *bench
	f.Fuzz(func(t *testing.T, link string) {
		if b == nil {
			b = newBench(t)
		}
		b.T = t
		if status, page := b.get(anna + "open?" + url.Values{"link": {link}}.Encode()); status == http.StatusOK {
			t.Errorf("%q opens: %s", link, page)
		}
	})
}
