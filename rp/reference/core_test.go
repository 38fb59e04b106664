package reference_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
	"fido-emu/rp/reference"
)

func TestConfigRefused(t *testing.T) {
	good := reference.Config{RPID: "example.com", Origins: []string{origin}}
	for name, change := range map[string]func(*reference.Config){
		"no RP ID":           func(c *reference.Config) { c.RPID = "" },
		"RP ID with scheme":  func(c *reference.Config) { c.RPID = "https://example.com" },
		"no origin":          func(c *reference.Config) { c.Origins = nil },
		"origin with a path": func(c *reference.Config) { c.Origins = []string{origin + "/"} },
		"no such level":      func(c *reference.Config) { c.ResidentKey = "always" },
		"no such type":       func(c *reference.Config) { c.DefaultPolicy.Types = []string{"x"} },
		"nothing random":     func(c *reference.Config) { c.Rand = strings.NewReader("short") },
	} {
		c := good
		change(&c)
		if _, err := reference.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := reference.New(good); err != nil {
		t.Error(err)
	}
}

// TestSeeded compares everything random of two relying parties of one seed.
func TestSeeded(t *testing.T) {
	run := func() string {
		core, _ := newCore(t)
		var out bytes.Buffer
		begun, err := core.BeginRegistration("", ada)
		fmt.Fprintln(&out, begun.Ceremony, string(begun.Options), err)
		fmt.Fprintln(&out, core.AddPerson(ada))
		pass, err := core.IssuePass(reference.PassRequest{Person: ada.Name, Lifetime: time.Hour})
		fmt.Fprintln(&out, pass, err)
		begun, err = core.BeginSignIn("")
		fmt.Fprintln(&out, begun.Ceremony, string(begun.Options), err)
		return out.String()
	}
	if a, b := run(), run(); a != b {
		t.Errorf("one seed, two runs:\n%s\n%s", a, b)
	}
}

func TestBrokenRandomness(t *testing.T) {
	core, _ := newCore(t, func(c *reference.Config) { c.Rand = io.LimitReader(c.Rand, 32) })
	var broken *rp.Broken
	if _, err := core.BeginSignIn(""); !errors.As(err, &broken) {
		t.Errorf("got %v, want a relying party that is broken", err)
	}
}

func TestConcurrent(t *testing.T) {
	each(t, func(s site) {
		var wg sync.WaitGroup
		for i := range 8 {
			key := newToy(t)
			wg.Go(func() {
				p := rp.Person{Name: fmt.Sprint("person ", i)}
				_, err := s.Register(s.ctx, p, key)
				for range 5 {
					_, inErr := s.SignIn(s.ctx, p, key)
					_, listErr := s.Credentials(s.ctx, p)
					err = errors.Join(err, inErr, listErr)
				}
				err = errors.Join(err, s.SetPolicy(s.ctx, "g", rp.Policy{}), s.RevokeSessions(s.ctx, p))
				s.core.Audit(0, 10)
				s.core.People(0, 10)
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if _, n := s.core.People(0, 0); n != 8 {
			t.Errorf("%d accounts, want 8", n)
		}
	})
}

// TestOneNameOnce lets many sign up under one name at the same time.
func TestOneNameOnce(t *testing.T) {
	core, _ := newCore(t)
	var won, lost int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		key := newToy(t)
		wg.Go(func() {
			_, err := reference.InProcess(core, "").Register(t.Context(), ada, key)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else {
				lost++
			}
		})
	}
	wg.Wait()
	if won != 1 || lost != 7 {
		t.Errorf("%d got the name and %d did not, want 1 and 7", won, lost)
	}
}

func TestProviderNames(t *testing.T) {
	core, _ := newCore(t, func(c *reference.Config) { c.ProviderNames = map[string]string{model.String(): "Emulated key"} })
	for aaguid, want := range map[string]string{
		bitwarden: "Bitwarden", strings.ToUpper(bitwarden): "Bitwarden", model.String(): "Emulated key",
		ctap.AAGUID{}.String(): "", "nonsense": "",
	} {
		if got := core.ProviderName(aaguid); got != want {
			t.Errorf("ProviderName(%s) = %q, want %q", aaguid, got, want)
		}
	}
}

// FuzzFinishRegistration finishes ceremonies with any body, and with any
// attestation object in a body that is right otherwise.
func FuzzFinishRegistration(f *testing.F) {
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`), recordedObject(f))
	f.Fuzz(func(t *testing.T, body, object []byte) {
		for _, make := range []func(challenge string) []byte{
			func(string) []byte { return body },
			func(challenge string) []byte {
				client := clientData("webauthn.create", challenge)
				return credentialJSON([]byte(recordedID), map[string]any{"clientDataJSON": client, "attestationObject": b64(object)})
			},
		} {
			core, _ := newCore(t)
			begun, err := core.BeginRegistration("", ada)
			if err != nil {
				t.Fatal(err)
			}
			_, err = core.FinishRegistration("", begun.Ceremony, make(challengeOf(begun.Options)))
			refusedOr(t, err, true)
		}
	})
}

// FuzzFinishSignIn does the same with assertions. Nobody signed any of them.
func FuzzFinishSignIn(f *testing.F) {
	core, _ := newCore(f)
	key := newToy(f)
	cr, err := reference.InProcess(core, "").Register(f.Context(), ada, key)
	if err != nil {
		f.Fatal(err)
	}
	data := (&ctap.AuthenticatorData{RPIDHash: sha256.Sum256([]byte("example.com")), Flags: atHome}).Append(nil)
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`), data, []byte{0x30, 6, 2, 1, 1, 2, 1, 1}, key.keys[0].user)
	f.Fuzz(func(t *testing.T, body, data, sig, user []byte) {
		for _, make := range []func(challenge string) []byte{
			func(string) []byte { return body },
			func(challenge string) []byte {
				client := clientData("webauthn.get", challenge)
				return credentialJSON(cr.ID, map[string]any{"clientDataJSON": client, "authenticatorData": b64(data), "signature": b64(sig), "userHandle": b64(user)})
			},
		} {
			begun, err := core.BeginSignIn("")
			if err != nil {
				t.Fatal(err)
			}
			_, err = core.FinishSignIn(begun.Ceremony, make(challengeOf(begun.Options)))
			refusedOr(t, err, false)
		}
	})
}

const recordedID = "0123456789abcdef"

// recordedObject is the attestation object of a passkey called recordedID.
func recordedObject(t testing.TB) []byte {
	var object []byte
	key := newToy(t)
	key.claim = func(cl *claims) { cl.auth.Attested.ID = []byte(recordedID) }
	key.tamper = func(r *response) { object = fromB64(r.Response["attestationObject"].(string)) }
	if _, err := key.Create(context.Background(), origin, []byte(`{"challenge":"","rp":{"id":"example.com"},"user":{"id":""}}`)); err != nil {
		t.Fatal(err)
	}
	return object
}

func clientData(kind, challenge string) string {
	return b64(mustJSON(map[string]any{"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false}))
}

func credentialJSON(id []byte, inner map[string]any) []byte {
	return mustJSON(response{ID: b64(id), RawID: b64(id), Type: "public-key", Extensions: map[string]any{}, Response: inner})
}

// refusedOr demands a refusal with its code, or success where that may be.
func refusedOr(t *testing.T, err error, success bool) {
	t.Helper()
	var no *rp.Refused
	if success && err == nil {
		return
	}
	if !errors.As(err, &no) || no.Code == "" || no.Reason == "" {
		t.Fatalf("got %v, want a refusal", err)
	}
}

// A name is one name however its letters are composed.
func TestNamesAreComposed(t *testing.T) {
	core, _ := newCore(t)
	if err := core.AddPerson(rp.Person{Name: "Zo\u00eb"}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, core.AddPerson(rp.Person{Name: "zoe\u0308"}), reference.PersonExists)
	if a, err := core.Account("ZOE\u0308"); err != nil || a.Name != "Zo\u00eb" {
		t.Errorf("got %+v, %v", a, err)
	}
}
