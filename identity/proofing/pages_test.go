package proofing

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"fido-emu/identity/person"
)

// surfer is a browser before the pages.
type surfer struct {
	*bench
	cookies map[string]*http.Cookie
}

func (b *bench) browser() *surfer { return &surfer{b, map[string]*http.Cookie{}} }

// do sends a request and follows where it sends the browser.
func (d *surfer) do(r *http.Request) (int, string) {
	d.Helper()
	for _, c := range d.cookies {
		if strings.HasPrefix(r.URL.Path, c.Path) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	w := httptest.NewRecorder()
	d.service.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		d.cookies[c.Name] = c
	}
	if to := w.Result().Header.Get("Location"); to != "" {
		return d.do(httptest.NewRequest("GET", to, nil))
	}
	return w.Code, html.UnescapeString(w.Body.String())
}

func (d *surfer) get(path string) (int, string) {
	d.Helper()
	return d.do(httptest.NewRequest("GET", path, nil))
}

// send sends a form; from is what the browser says of the page that it stands on.
func (d *surfer) send(path, from string, form url.Values) (int, string) {
	d.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", from)
	return d.do(r)
}

func (d *surfer) submit(path string, pairs ...string) string {
	d.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	_, page := d.send(path, "same-origin", form)
	return page
}

// upload sends a picture of one's own.
func (d *surfer) upload(path string, picture []byte) string {
	d.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	if err := m.WriteField("do", "document"); err != nil {
		d.Fatal(err)
	}
	part, err := m.CreateFormFile("picture", "mine.png")
	if err == nil {
		_, err = part.Write(picture)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		d.Fatal(err)
	}
	r := httptest.NewRequest("POST", path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	_, page := d.do(r)
	return page
}

func (d *surfer) wants(page string, words ...string) {
	d.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			d.Errorf("the page lacks %q: %s", w, regexp.MustCompile(`(?s)<style>.*?</style>`).ReplaceAllString(page, ""))
		}
	}
}

// ticket makes a session and returns the path of its page.
func (b *bench) ticket(provider string) string {
	b.Helper()
	t, err := b.client(provider).Create(b.Context(), Request{Reference: "case 1"}, "")
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimPrefix(t.URL, "https://proofing.test")
}

// TestPages goes from the link to the offer on the pages alone, through every step, and
// tries on the way what is refused.
func TestPages(t *testing.T) {
	b := newBench(t)
	b.config.Wallet = "/wallet/open"
	b.restart(nil)
	path := b.ticket("truecredential")
	phone := b.browser()
	_, page := phone.get(path)
	phone.wants(page, "Show who you are", "TrueCredential", "test double")
	if status, _ := phone.send(path, "cross-site", url.Values{"do": {"start"}}); status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", status)
	}
	phone.wants(phone.submit(path, "do", "start"), "Pictures of your face")
	phone.wants(phone.submit(path, "do", "consent"), "Photograph your document", "choose one")
	_, page = phone.get(path + "?document=zoe-mueller/passport&defect=glare")
	phone.wants(page, "/truecredential/camera/zoe-mueller/passport.png?defect=glare")
	phone.wants(phone.submit(path, "do", "document", "document", "zoe-mueller/passport", "defect", "glare"), "reasons", "2 attempts are left")
	phone.wants(phone.submit(path, "do", "document", "document", "zoe-mueller/passport"), "And another document", "zoe-mueller/identity-card\" selected")
	phone.wants(phone.upload(path, []byte("no picture")), "reasons")
	phone.wants(phone.upload(path, b.picture("zoe-mueller", person.IdentityCard)), "Now your face", "Look ahead, then", `value="live" checked`)
	_, page = phone.get(path + "?face=victor-thief")
	phone.wants(page, `value="printed" checked`, "/truecredential/camera/victor-thief/face.jpg?")
	phone.wants(phone.submit(path, "do", "selfie", "shows", "wrong-turn"), "asked for", "2 attempts are left")
	phone.wants(phone.submit(path, "do", "selfie"), "You are verified", "Get the Verified ID")
	_, page = b.browser().get(path)
	phone.wants(page, "Open on another device")
	page = phone.submit(path, "do", "offer")
	phone.wants(page, "Your wallet asks for this code", "/wallet/open?link=openid-credential-offer", "openid-credential-offer://?credential_offer_uri=")
	b.now = b.now.Add(11 * 60e9)
	_, page = phone.get(path)
	phone.wants(page, "Ask for it again")
}

// TestPagesOfTwoDevices hands a session over by forms.
func TestPagesOfTwoDevices(t *testing.T) {
	b := newBench(t)
	b.config.PublicURL = "http://192.168.1.20:8070"
	b.restart(nil)
	ticket, err := b.client("idemia").Create(t.Context(), Request{Reference: "case 1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	path, ok := strings.CutPrefix(ticket.URL, "http://192.168.1.20:8070")
	if !ok {
		t.Fatalf("the link is %s, which no phone opens", ticket.URL)
	}
	laptop, phone := b.browser(), b.browser()
	laptop.submit(path, "do", "start")
	page := laptop.submit(path, "do", "handover")
	laptop.wants(page, "data:image/png;base64,", "Stay on this device")
	at := regexp.MustCompile(`http://192\.168\.1\.20:8070(/idemia/c/\w+)`).FindStringSubmatch(page)
	if at == nil {
		t.Fatalf("no address: %s", page)
	}
	_, page = phone.get(at[1])
	phone.wants(page, "Continue on this device", "Only go on if you began this yourself")
	if status, _ := phone.send(at[1], "cross-site", nil); status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", status)
	}
	phone.wants(phone.submit(at[1]), "Photograph your document")
	laptop.wants(laptop.submit(path, "do", "document", "document", "anna-eriksson/passport"), "no such link")
	phone.wants(phone.submit(at[1]), "no such code")
}

// TestPagesRefuse sends what no page of ours sends.
func TestPagesRefuse(t *testing.T) {
	b := newBench(t)
	path := b.ticket("idemia")
	phone := b.browser()
	phone.submit(path, "do", "start")
	for _, test := range []struct{ says, page string }{
		{"start first", b.browser().submit(path, "do", "document")},
		{"another device has the session", b.browser().submit(path, "do", "start")},
		{"no form of this page", phone.submit(path, "do", "dance")},
		{"no such test person", phone.submit(path, "do", "document", "document", "nobody/passport")},
		{"no document of kind", phone.submit(path, "do", "document", "document", "anna-eriksson/driving-licence")},
		{"no defect", phone.submit(path, "do", "document", "document", "anna-eriksson/passport", "defect", "bent")},
		{"the step now is document", phone.submit(path, "do", "selfie")},
		{"nothing is verified yet", phone.submit(path, "do", "offer")},
		{"more than", phone.upload(path, make([]byte, maxForm+1))},
	} {
		phone.wants(test.page, test.says)
	}
	if status, _ := phone.get("/idemia/verify/nothing"); status != http.StatusNotFound {
		t.Errorf("no session: %d", status)
	}
	if err := b.service.SetFault("idemia", Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	status, page := phone.get(path)
	phone.wants(page, "IDEMIA does not answer")
	if status != http.StatusServiceUnavailable {
		t.Errorf("a provider that is down: %d", status)
	}
}
