package services_test

import (
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fido-emu/identity/credential"
	"fido-emu/identity/document"
	"fido-emu/identity/loop"
	"fido-emu/identity/person"
	"fido-emu/identity/services"
	"fido-emu/state"
)

// archive remembers drawings for all tests: they cost more than the tests.
var archive = sync.OnceValue(document.NewArchive)

// openStore opens a store until the end of the test, or of what closes it before.
func openStore(t *testing.T, dir string) *services.Store {
	t.Helper()
	s, err := services.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keeping returns services that a store keeps, and where they are.
func keeping(t *testing.T, s *services.Store) (*services.Services, services.Config) {
	t.Helper()
	c := config(loop.New())
	c.Rand = crand.Reader
	c.People, c.Save, c.Origin = people(t, "anna-eriksson"), s.Save, "https://shop.example"
	c.Archive = archive()
	var err error
	if c.Kept, err = s.Kept(); err != nil {
		t.Fatal(err)
	}
	all, err := services.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return all, c
}

// linkage is what the tenant's key signs.
func linkage(t *testing.T, s *services.Services) string {
	t.Helper()
	c, err := s.Linkage()
	if err != nil {
		t.Fatal(err)
	}
	return c.LinkedDIDs[0]
}

// TestStore keeps services over a restart: the same issuer and tenant, and what was
// revoked stays so.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	store := openStore(t, dir)
	first, _ := keeping(t, store) // which does nothing
	before, _ := keeping(t, store)
	if a, b := linkage(t, first), linkage(t, before); a != b {
		t.Error("another key of the tenant")
	}
	issued, err := before.Proofing.Issuer("idemia").Issue("did:jwk:x", credential.Claims{credential.FirstName: "Anna"})
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Proofing.Revoke("idemia", issued.ID); err != nil {
		t.Fatal(err)
	}
	list, err := before.Proofing.Issuer("idemia").StatusList()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := services.OpenStore(dir); !errors.Is(err, state.InUse) {
		t.Errorf("a second process: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(store.Path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	store = openStore(t, dir)
	defer store.Close()
	after, _ := keeping(t, store)
	again, err := after.Proofing.Issuer("idemia").StatusList()
	if err != nil || again != list {
		t.Errorf("another status list, or by another key: %v", err)
	}
}

// TestSelfiesAreRememberedForGood hands a capture in again after a restart.
func TestSelfiesAreRememberedForGood(t *testing.T) {
	dir := t.TempDir()
	who := people(t, "anna-eriksson")[0]
	photo, err := who.Portrait()
	if err != nil {
		t.Fatal(err)
	}
	capture, err := services.Selfie(who, rand.NewChaCha8([32]byte{1}), person.Daylight)
	if err != nil {
		t.Fatal(err)
	}
	for _, live := range []bool{true, false} {
		store := openStore(t, dir)
		s, _ := keeping(t, store)
		if got, err := s.Faces.Match(t.Context(), capture, photo); err != nil || got.Live != live {
			t.Errorf("%+v, %v; want live %v", got, err, live)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeptElsewhere refuses what was kept of other services, and what is damaged.
func TestKeptElsewhere(t *testing.T) {
	store := openStore(t, t.TempDir())
	defer store.Close()
	_, good := keeping(t, store)
	kept, err := store.Kept()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*services.Config)
		says   string
	}{
		"another address": {func(c *services.Config) { c.BaseURL = "https://elsewhere.example" }, "serve them there again"},
		"about":           {func(c *services.Config) { c.Kept["about"] = []byte("{") }, "damaged"},
		"proofing":        {func(c *services.Config) { c.Kept["proofing"] = []byte("{") }, "cannot be read"},
		"requests":        {func(c *services.Config) { c.Kept["requests"] = []byte("{") }, "damaged"},
		"faces":           {func(c *services.Config) { c.Kept["faces"] = []byte("short") }, "damaged"},
		"newer":           {func(c *services.Config) { c.Kept["requests"] = []byte(`{"version": 9}`) }, "version 9"},
		"a full disk": {func(c *services.Config) {
			delete(c.Kept, "about")
			c.Save = func(string, []byte) error { return errors.New("disk full") }
		}, "disk full"},
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			c.Kept = map[string][]byte{}
			for part, b := range kept {
				c.Kept[part] = b
			}
			test.change(&c)
			if _, err := services.New(c); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v; want %q", err, test.says)
			}
		})
	}
}

// TestOpenStoreRefuses opens what is no store.
func TestOpenStoreRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "identity.db"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := services.OpenStore(dir); !errors.Is(err, state.NotState) {
		t.Errorf("%v", err)
	}
}

func FuzzKept(f *testing.F) {
	for _, part := range []string{"about", "proofing", "requests", "faces", "wallet/anna-eriksson"} {
		f.Add(part, []byte(`{"version":1,"kind":"identity-proofing/2","sessions":[{"id":"x"}]}`))
	}
	f.Fuzz(func(t *testing.T, part string, b []byte) {
		c := config(loop.New())
		c.People, c.Kept = []*person.Person{{ID: "anna-eriksson"}}, map[string][]byte{part: b}
		if s, err := services.New(c); err == nil {
			if d, err := s.Describe(); err != nil || !json.Valid([]byte(`"`+d.Authority+`"`)) {
				t.Errorf("%+v, %v", d, err)
			}
		}
	})
}
