package wallet_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/loop"
	"fido-emu/identity/request"
	"fido-emu/identity/wallet"
)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// refuser agrees to nothing.
type refuser struct{}

func (refuser) Consent(context.Context, *wallet.Asked) (bool, error) { return false, nil }

func (refuser) Selfie(context.Context) ([]byte, error) { return nil, errors.New("no camera") }

// world is an issuer and a phone.
type world struct {
	clock  *clock
	net    *loop.Network
	rand   io.Reader
	issuer *credential.Issuer
	config wallet.Config
	wallet *wallet.Wallet
}

func newWorld(t *testing.T, base string) *world {
	t.Helper()
	w := &world{clock: &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, net: loop.New(), rand: rand.NewChaCha8([32]byte{7})}
	issuer, err := credential.NewIssuer(credential.IssuerConfig{Now: w.clock.Now, Rand: w.rand, BaseURL: base, Name: "Issuer"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	w.issuer = issuer
	w.net.Handle(u.Host, issuer)
	w.config = wallet.Config{Now: w.clock.Now, Rand: w.rand, Client: w.net.Client(), Person: refuser{}}
	w.wallet = w.phone(t)
	return w
}

func (w *world) phone(t *testing.T) *wallet.Wallet {
	t.Helper()
	x, err := wallet.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (w *world) offer(t *testing.T, txCode bool) credential.Offer {
	t.Helper()
	o, err := w.issuer.Offer(credential.Claims{credential.FirstName: "Ada"}, txCode)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (w *world) held(t *testing.T) wallet.Held {
	t.Helper()
	o := w.offer(t, false)
	h, err := w.wallet.Accept(t.Context(), o.Link, "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestAccept(t *testing.T) {
	for _, base := range []string{"https://issuer.test", "https://idv.test/idemia/issuer", "http://localhost:9000"} {
		t.Run(base, func(t *testing.T) {
			w := newWorld(t, base)
			o := w.offer(t, true)
			h, err := w.wallet.Accept(t.Context(), o.Link, o.TxCode)
			if err != nil {
				t.Fatal(err)
			}
			if h.Issuer != w.issuer.DID() || h.Name != "Issuer" || h.Claims[credential.FirstName] != "Ada" || !reflect.DeepEqual(w.wallet.List(), []wallet.Held{h}) {
				t.Errorf("%+v", h)
			}
			if _, err := w.wallet.Accept(t.Context(), o.Link, o.TxCode); err == nil {
				t.Error("an offer was taken up twice")
			}
		})
	}
}

// TestIssuersMetadataBelowThePath: of a host that several issuers share, and that has
// nothing at its root.
func TestIssuersMetadataBelowThePath(t *testing.T) {
	w := newWorld(t, "https://idv.test/idemia/issuer")
	w.net.Handle("idv.test", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/.well-known/") {
			http.NotFound(rw, r)
			return
		}
		w.issuer.ServeHTTP(rw, r)
	}))
	w.held(t)
}

func TestOffersThatDoNotStand(t *testing.T) {
	for _, c := range []struct {
		name   string
		txCode bool
		accept func(*testing.T, *world, credential.Offer) error
		want   string
	}{
		{"without the code", true, func(t *testing.T, w *world, o credential.Offer) error {
			_, err := w.wallet.Accept(t.Context(), o.Link, "")
			return err
		}, "needs its transaction code"},
		{"a code where there is none", false, func(t *testing.T, w *world, o credential.Offer) error {
			_, err := w.wallet.Accept(t.Context(), o.Link, "1234")
			return err
		}, "has no transaction code"},
		{"guessed until it is void", true, func(t *testing.T, w *world, o credential.Offer) error {
			for range 3 {
				if _, err := w.wallet.Accept(t.Context(), o.Link, "none"); err == nil || !strings.Contains(err.Error(), "code is wrong") {
					t.Errorf("a guess: %v", err)
				}
			}
			_, err := w.wallet.Accept(t.Context(), o.Link, o.TxCode)
			return err
		}, "does not stand"},
		{"expired", false, func(t *testing.T, w *world, o credential.Offer) error {
			w.clock.now = o.Expires
			_, err := w.wallet.Accept(t.Context(), o.Link, "")
			return err
		}, "does not stand"},
		{"link of another kind", false, func(t *testing.T, w *world, o credential.Offer) error {
			_, err := w.wallet.Accept(t.Context(), "openid-vc://?request_uri=https://a.test", "")
			if !errors.Is(err, wallet.ErrLink) {
				t.Error("not ErrLink")
			}
			return err
		}, "openid-credential-offer://?credential_offer_uri=…"},
		{"issuer that dies before it issues", false, func(t *testing.T, w *world, o credential.Offer) error {
			w.net.DieAfter("issuer.test", 4)
			_, err := w.wallet.Accept(t.Context(), o.Link, "")
			return err
		}, "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "https://issuer.test")
			if err := c.accept(t, w, w.offer(t, c.txCode)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if held := w.wallet.List(); len(held) != 0 {
				t.Errorf("the wallet holds %v", held)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t, "https://issuer.test")
	first, second := w.held(t), w.held(t)
	if err := w.wallet.Delete(first.ID); err != nil {
		t.Error(err)
	}
	if err := w.wallet.Delete(first.ID); !errors.Is(err, wallet.ErrNotHeld) {
		t.Errorf("again: %v", err)
	}
	if !reflect.DeepEqual(w.wallet.List(), []wallet.Held{second}) {
		t.Errorf("left: %v", w.wallet.List())
	}
}

func TestNewPhone(t *testing.T) {
	w := newWorld(t, "https://issuer.test")
	w.held(t)
	if err := w.wallet.MoveTo(w.phone(t)); !errors.Is(err, wallet.ErrDeviceBound) || len(w.wallet.List()) != 1 {
		t.Errorf("bound to the device: %v", err)
	}
	if err := w.wallet.Backup(); !errors.Is(err, wallet.ErrNoBackup) {
		t.Error(err)
	}
	w.config.Portable = true
	w.wallet = w.phone(t)
	h, did, other := w.held(t), w.wallet.DID(), w.phone(t)
	if err := w.wallet.MoveTo(other); err != nil {
		t.Fatal(err)
	}
	if other.DID() != did || !reflect.DeepEqual(other.List(), []wallet.Held{h}) || w.wallet.DID() != "" || len(w.wallet.List()) != 0 {
		t.Error("key and credentials are not on the new phone alone")
	}
	if err := w.wallet.MoveTo(other); !errors.Is(err, wallet.ErrMoved) {
		t.Errorf("again: %v", err)
	}
	o := w.offer(t, false)
	if _, err := w.wallet.Accept(t.Context(), o.Link, ""); !errors.Is(err, wallet.ErrMoved) {
		t.Errorf("a wallet without a key: %v", err)
	}
}

func TestSnapshot(t *testing.T) {
	w := newWorld(t, "https://issuer.test")
	w.held(t)
	b, err := w.wallet.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	back, err := wallet.Restore(w.config, b)
	if err != nil || back.DID() != w.wallet.DID() || !reflect.DeepEqual(back.List(), w.wallet.List()) {
		t.Errorf("%v", err)
	}
	for _, damaged := range []string{"", "{}", string(b[:len(b)/2]), `{"version":1}`, `{"version":1,"key":"AAAA"}`} {
		if _, err := wallet.Restore(w.config, []byte(damaged)); err == nil {
			t.Errorf("%.20q: no error", damaged)
		}
	}
}

// TestRequests: what the person refuses, what the wallet has not, who signs in
// another's name.
func TestRequests(t *testing.T) {
	w := newWorld(t, "https://issuer.test")
	service, err := request.New(request.Config{
		Now: w.clock.Now, Rand: w.rand, Client: w.net.Client(), BaseURL: "https://verifiedid.test",
		Tenants: []request.Tenant{{Name: "contoso", Token: "a token"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.net.Handle("verifiedid.test", service)
	object := request.RequestObject{
		ClientID: service.Authority("contoso"), ResponseMode: "post", RedirectURI: "https://verifiedid.test/x", Nonce: "n", Expires: w.clock.now.Unix() + 60,
	}
	object.Claims.VPToken.Definition.InputDescriptors = []request.InputDescriptor{{ID: credential.TypeVerifiedIdentity}}
	key, err := credential.NewKey(w.rand)
	if err != nil {
		t.Fatal(err)
	}
	own := object
	own.ClientID = key.DID()
	for _, c := range []struct {
		name   string
		object request.RequestObject
		kid    string
		held   bool
		want   error
		says   string
	}{
		{"in another's name", object, key.DID() + "#0", true, nil, "in the name of"},
		{"with another's key name", object, object.ClientID + "#key-1", true, nil, "verify"},
		{"without a credential", own, key.DID() + "#0", false, wallet.ErrNothingToShow, ""},
		{"person refuses", own, key.DID() + "#0", true, wallet.ErrRefused, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.wallet = w.phone(t)
			if c.held {
				w.held(t)
			}
			text, err := key.Sign(c.kid, c.object)
			if err != nil {
				t.Fatal(err)
			}
			w.net.Handle("phish.test", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, text) })) //nolint:errcheck // it is a buffer
			err = w.wallet.Present(t.Context(), "openid-vc://?request_uri=https://phish.test/r")
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
		})
	}
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"version":1,"key":"AAAA","held":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := wallet.Restore(wallet.Config{}, b); err == nil && w.DID() == "" {
			t.Error("a wallet without a key")
		}
	})
}

func FuzzLinks(f *testing.F) {
	net := loop.New()
	w, err := wallet.New(wallet.Config{Now: time.Now, Rand: rand.NewChaCha8([32]byte{1}), Client: net.Client(), Person: refuser{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("openid-vc://?request_uri=https://a.test/%zz")
	f.Fuzz(func(t *testing.T, link string) {
		if _, err := w.Open(t.Context(), link); err == nil {
			t.Error("opened")
		}
		if _, err := w.Accept(t.Context(), link, ""); err == nil {
			t.Error("accepted")
		}
	})
}
