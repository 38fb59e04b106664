package keychain_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"fido-emu/keychain"
)

// spy keeps what goes to a cloud and comes back.
type spy struct {
	keychain.Cloud
	calls []spied
}

type spied struct {
	op                        keychain.Operation
	bearer, request, response []byte
}

func (s *spy) Call(ctx context.Context, op keychain.Operation, bearer, request []byte) ([]byte, error) {
	response, err := s.Cloud.Call(ctx, op, bearer, request)
	s.calls = append(s.calls, spied{op, bearer, bytes.Clone(request), bytes.Clone(response)})
	return response, err
}

// life lets devices do everything there is to do, and returns one that is still
// a member.
func (w *world) life(cloud keychain.Cloud) *keychain.Device {
	w.t.Helper()
	phone := w.founder("phone", cloud)
	w.must(phone.SetPasscode(ctx(), passcode))
	w.put(phone, "credential-1", "secret-site.example", "ada@secret-site.example")
	w.put(phone, "credential-2", "secret-site.example", "bob@secret-site.example")
	w.sync(phone)
	laptop, tablet := w.device("laptop", cloud), w.device("tablet", cloud)
	w.joins(laptop, phone)
	w.sync(laptop)
	w.must(laptop.Credentials().Delete([]byte("credential-2")))
	w.must(laptop.Revoke(ctx(), "phone"))
	w.put(laptop, "credential-3", "hidden-site.example", "ada@secret-site.example")
	w.sync(laptop)
	w.must(tablet.RecoverFromEscrow(ctx(), account, secret, passcode))
	w.sync(tablet)
	w.expect(tablet, "hidden-site.example", "[credential-3 ada@secret-site.example true]")
	return tablet
}

// TestServiceSeesCiphertextOnly searches all that reached the service and all that
// it stores for what it must not know, in every form in which it could be there.
func TestServiceSeesCiphertextOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "service")
	file, err := keychain.OpenStore(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, store := range map[string]keychain.Store{"memory": keychain.NewMemoryStore(), "file": file} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, keychain.ServiceConfig{Store: store})
			spy := &spy{Cloud: w.Service}
			snapshot, err := w.life(spy).Snapshot()
			w.must(err)
			seen := everything(t, spy, store)
			for _, bare := range append(snapshot.Keys, snapshot.Identity) {
				absent(t, seen, "a key", bare)
			}
			for _, text := range []string{
				account, secret, passcode, "secret-site.example", "hidden-site.example", "credential-1", "credential-3",
				"bob@secret-site.example", "handle of ada", "The ada", "private key of", "public key of",
			} {
				absent(t, seen, text, []byte(text))
			}
			if !contains(seen, []byte("laptop")) || !contains(seen, []byte(snapshot.Member)) {
				t.Fatal("the search does not find what is there")
			}
		})
	}
	stored, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	absent(t, stored, "a site in the file's free pages", []byte("secret-site.example"))
}

func everything(t *testing.T, s *spy, store keychain.Store) (seen []byte) {
	t.Helper()
	for _, c := range s.calls {
		seen = append(append(seen, c.request...), c.response...)
	}
	err := store.Load(func(r keychain.Record) error {
		seen = append(append(seen, r.Key...), r.Value...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func absent(t *testing.T, seen []byte, what string, plaintext []byte) {
	t.Helper()
	if contains(seen, plaintext) {
		t.Errorf("the service has seen %s", what)
	}
}

// contains looks for bytes as they are, in hexadecimal, and in base64 wherever they
// may begin in it.
func contains(seen, plaintext []byte) bool {
	forms := [][]byte{plaintext, []byte(hex.EncodeToString(plaintext))}
	for shift := range 3 {
		padded := append(make([]byte, shift), plaintext...)
		padded = padded[:len(padded)/3*3]
		text := base64.RawStdEncoding.EncodeToString(padded)
		forms = append(forms, []byte(text[(shift*8+5)/6:]))
	}
	for _, form := range forms {
		if len(form) > 4 && bytes.Contains(seen, form) {
			return true
		}
	}
	return false
}
