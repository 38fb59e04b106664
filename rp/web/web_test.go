package web

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/web/inbox"
	"fido-emu/webauthn"
)

func personOf(name string) rp.Person { return rp.Person{Name: name, DisplayName: name} }

func open(t *testing.T, file string, o Options) Site {
	t.Helper()
	d, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return opened(t, d, o)
}

func opened(t *testing.T, d *Description, o Options) Site {
	t.Helper()
	if o.Sleep == nil {
		o.Sleep = func(context.Context, time.Duration) error { return nil }
	}
	s, err := d.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shape is what a server's answers look like, with the description that fits.
type shape struct {
	name, file string
	build      func(d *double)
}

func shapes() []shape {
	return []shape{
		{"FIDO conformance server API", "descriptions/conformance.yaml", conformance},
		{"bare JSON, one account", "descriptions/simplewebauthn.yaml", bare},
		{"wrapped publicKey, Secure cookies", "descriptions/go-webauthn.yaml", wrapped},
		{"bearer token and challenge_id", "testdata/bearer.yaml", bearer},
		{"state machine", "testdata/machine.yaml", machine(&inbox.Inbox{})},
		{"UI nodes, ceremony origin on another port", "testdata/nodes.yaml", nodes},
		{"forms", "testdata/forms.yaml", forms},
	}
}

// TestShapes registers and signs in at servers of every shape; a relayed sign-in is
// refused, and the honest one works afterwards.
func TestShapes(t *testing.T) {
	for _, shape := range shapes() {
		t.Run(shape.name, func(t *testing.T) {
			d := newDouble(t, shape.build)
			site := open(t, shape.file, Options{Settings: d.settings})
			ada := personOf(site.UserName("ada"))
			key := browser(t)
			ctx := t.Context()
			made, err := site.Register(ctx, ada, key)
			if err != nil {
				t.Fatalf("registration: %v", err)
			}
			if made.Algorithm != "ES256" || len(made.ID) == 0 || made.Type != rp.DeviceBound {
				t.Errorf("registered %+v", made)
			}
			var no *rp.Refused
			if _, err := site.SignIn(ctx, ada, webauthn.AtOrigin(key, "http://localhost:1")); !errors.As(err, &no) {
				t.Errorf("a sign-in from another origin: %v, want a refusal", err)
			}
			s, err := site.SignIn(ctx, ada, key)
			if err != nil {
				t.Fatalf("sign-in: %v", err)
			}
			if s.Person != ada.Name || string(s.Credential) != string(made.ID) {
				t.Errorf("signed in %+v", s)
			}
		})
	}
}

func TestRecoveryByMail(t *testing.T) {
	mail := &inbox.Inbox{}
	d := newDouble(t, machine(mail))
	site := open(t, "testdata/machine.yaml", Options{Settings: d.settings, Inbox: mail})
	ctx, ada := t.Context(), personOf("ada@example.com")
	if _, err := site.Register(ctx, ada, browser(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := site.IssuePass(ctx, ada, time.Hour, false); !isUnsupported(err) {
		t.Errorf("a code that is good for several uses: %v", err)
	}
	code, err := site.IssuePass(ctx, ada, time.Hour, true)
	if err != nil || code != "271828" {
		t.Fatalf("code %q, %v", code, err)
	}
	if _, err := site.RedeemPass(ctx, ada, code); err != nil {
		t.Fatal(err)
	}
	if is, err := signedIn(ctx, site, ada); !is || err != nil {
		t.Errorf("signed in after recovery: %v, %v", is, err)
	}
	var no *rp.Refused
	if _, err := site.IssuePass(ctx, ada, time.Hour, true); err != nil {
		t.Fatal(err)
	}
	if _, err := site.RedeemPass(ctx, ada, "314159"); !errors.As(err, &no) || no.Code != "wrong_code" {
		t.Errorf("a wrong code: %v, want a refusal", err)
	}
	if err := site.AddPerson(ctx, ada); !isUnsupported(err) {
		t.Errorf("a section that is not described: %v", err)
	}
	if _, err := site.Credentials(ctx, ada); !isUnsupported(err) {
		t.Errorf("passkeys, of which nothing is described: %v", err)
	}
}

func isUnsupported(err error) bool {
	var u *rp.Unsupported
	return errors.As(err, &u)
}

func signedIn(ctx context.Context, s Site, p rp.Person) (bool, error) {
	return s.SignedIn(ctx, p)
}

// TestExchangesAreMasked looks for secrets in what an observer is told.
func TestExchangesAreMasked(t *testing.T) {
	d := newDouble(t, bearer)
	var all strings.Builder
	site := open(t, "testdata/bearer.yaml", Options{Settings: d.settings, Observe: func(x Exchange) {
		all.WriteString(x.Line + string(x.Request) + string(x.Response) + x.Why)
		for _, v := range x.Taken {
			all.WriteString(v.Value)
		}
	}})
	if _, err := site.Register(t.Context(), personOf("ada"), browser(t)); err != nil {
		t.Fatal(err)
	}
	if len(d.sessions) != 1 {
		t.Fatalf("%d sessions", len(d.sessions))
	}
	for token := range d.sessions {
		if strings.Contains(all.String(), token) || !strings.Contains(all.String(), mark) {
			t.Errorf("the token %s is told", token)
		}
	}
}

// TestErrorsAreMasked has a secret in an address that does not answer.
func TestErrorsAreMasked(t *testing.T) {
	source := "name: x\nsettings: {key: {secret: yes}}\nbases: {site: \"http://127.0.0.1:1\"}\nregister:\n  steps:\n    - request: GET /\n      query: {key: \"${key}\"}\n    - create:\n  unproved: x\n"
	d, err := LoadBytes("x.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	site := opened(t, d, Options{Settings: map[string]string{"key": "s3cret-key"}})
	_, err = site.Register(t.Context(), personOf("ada"), browser(t))
	if away := (*rp.Unreachable)(nil); !errors.As(err, &away) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}
