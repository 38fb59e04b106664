package request_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/loop"
	"fido-emu/identity/request"
	"fido-emu/identity/wallet"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// person holds a phone. What the camera takes is the name of the face, and "still" is
// a picture held before the camera.
type person struct {
	face   string
	agrees bool
}

func (p *person) Consent(context.Context, *wallet.Asked) (bool, error) { return p.agrees, nil }

func (p *person) Selfie(context.Context) ([]byte, error) { return []byte(p.face), nil }

// scores are those of faces against any photo.
type scores map[string]float64

func (s scores) Match(_ context.Context, capture, _ []byte) (request.FaceMatch, error) {
	score, ok := s[string(capture)]
	if !ok {
		return request.FaceMatch{}, errors.New("no face in the picture")
	}
	return request.FaceMatch{Live: string(capture) != "still", Score: score}, nil
}

const (
	service  = "https://verifiedid.test"
	token    = "the tenant's token"
	callback = "https://rp.test/callback"
)

// world is an issuer, a request service, a relying party that takes callbacks, and a
// person with a wallet.
type world struct {
	clock   *clock
	net     *loop.Network
	config  request.Config
	service *request.Service
	saved   []byte
	issuer  *credential.Issuer
	person  *person
	wallet  *wallet.Wallet
	events  []request.Event
	bodies  []string
	headers []http.Header
	refuse  int // so many callbacks are answered with 503
}

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must[T any](t fataler, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newWorld(t fataler) *world {
	t.Helper()
	w := &world{clock: &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, net: loop.New(), person: &person{"Ada", true}}
	source := rand.NewChaCha8([32]byte{7})
	issuer, err := credential.NewIssuer(credential.IssuerConfig{Now: w.clock.Now, Rand: source, BaseURL: "https://issuer.test", Name: "Issuer"})
	w.issuer = must(t, issuer, err)
	w.net.Handle("issuer.test", w.issuer)
	w.config = request.Config{
		Now: w.clock.Now, Rand: source, Client: w.net.Client(), BaseURL: service,
		Tenants: []request.Tenant{{Name: "contoso", Token: token, Origin: "https://rp.test"}, {Name: "fabrikam", Token: "another"}},
		Faces:   scores{"Ada": 86.314159, "sister": 69.9, "still": 99},
		Save:    func(b []byte) error { w.saved = b; return nil },
	}
	s, err := request.New(w.config)
	w.service = must(t, s, err)
	w.net.Handle("verifiedid.test", w.service)
	w.net.Handle("rp.test", http.HandlerFunc(w.rp))
	w.wallet = w.newWallet(t, source)
	return w
}

func (w *world) newWallet(t fataler, source io.Reader) *wallet.Wallet {
	t.Helper()
	x, err := wallet.New(wallet.Config{Now: w.clock.Now, Rand: source, Client: w.net.Client(), Person: w.person})
	return must(t, x, err)
}

// rp is the relying party: it takes callbacks and acknowledges the tenant's DID.
func (w *world) rp(rw http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/.well-known/") {
		linkage, err := w.service.Linkage("contoso")
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		json.NewEncoder(rw).Encode(linkage) //nolint:errcheck // it is a buffer
		return
	}
	body, _ := io.ReadAll(r.Body)
	if w.refuse > 0 {
		w.refuse--
		http.Error(rw, "not now", http.StatusServiceUnavailable)
		return
	}
	var e request.Event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.events, w.bodies, w.headers = append(w.events, e), append(w.bodies, string(body)), append(w.headers, r.Header)
}

// statuses are those of the events so far.
func (w *world) statuses() string {
	var all []string
	for _, e := range w.events {
		s := string(e.RequestStatus)
		if e.Error != nil {
			s += ":" + string(e.Error.Code)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// photo is a picture with edges, a PNG; blurred it has none.
func photo(side int, blurred bool) []byte {
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			shade := uint8((x*x + y*y) / 64 % 256)
			if !blurred && (x/8+y/8)%2 == 0 {
				shade ^= 0x80
			}
			if blurred {
				shade = uint8((x + y) * 255 / (2 * side))
			}
			m.Set(x, y, color.RGBA{shade, shade, 255 - shade, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err) // into a buffer there is none
	}
	return b.Bytes()
}

// issue gives the person a credential by an offer.
func (w *world) issue(t fataler, portrait []byte) wallet.Held {
	t.Helper()
	claims := credential.Claims{credential.FirstName: "Ada", credential.LastName: "Lovelace", credential.Portrait: credential.EncodePhoto(portrait)}
	offer, err := w.issuer.Offer(claims, true)
	offer = must(t, offer, err)
	held, err := w.wallet.Accept(context.Background(), offer.Link, offer.TxCode)
	return must(t, held, err)
}

// asked is a request as the relying party makes it.
func (w *world) asked() request.PresentationRequest {
	return request.PresentationRequest{
		Authority:    w.service.Authority("contoso"),
		Registration: &request.Registration{ClientName: "Contoso", Purpose: "to let you in again"},
		Callback:     &request.Callback{URL: callback, State: "case 1", Headers: map[string]string{"api-key": "secret"}},
		RequestedCredentials: []request.RequestedCredential{{
			Type: credential.TypeVerifiedIdentity, AcceptedIssuers: []string{w.issuer.DID()},
			Configuration: &request.Configuration{Validation: &request.Validation{
				FaceCheck: &request.FaceCheck{SourcePhotoClaimName: credential.Portrait},
			}},
		}},
	}
}

// post sends a body to an API path with the tenant's token.
func (w *world) post(t fataler, path string, body any) (*http.Response, []byte) {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		b, err := json.Marshal(body)
		text = string(must(t, b, err))
	}
	req, err := http.NewRequest("POST", service+path, strings.NewReader(text))
	req = must(t, req, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	return w.do(t, req)
}

// fetch gets a path with the tenant's token.
func (w *world) fetch(t fataler, path string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest("GET", service+path, nil)
	req = must(t, req, err)
	req.Header.Set("Authorization", "Bearer "+token)
	return w.do(t, req)
}

func (w *world) do(t fataler, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := w.net.Client().Do(req)
	resp = must(t, resp, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, must(t, body, err)
}

const createPath = "/v1.0/verifiableCredentials/createPresentationRequest"

// create makes a request, with changes.
func (w *world) create(t fataler, change func(*request.PresentationRequest)) request.Created {
	t.Helper()
	r := w.asked()
	if change != nil {
		change(&r)
	}
	resp, body := w.post(t, createPath, r)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", resp.Status, body)
	}
	var created request.Created
	if err := json.Unmarshal(body, &created); err != nil {
		t.Fatal(err)
	}
	return created
}
