// Package storetest is the contract of the stores of an authenticator,
// [authenticator.Credentials] and [authenticator.DeviceState], as tests that every
// implementation must pass.
package storetest

import (
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)

// New returns a credential with every member set but BackedUp, which a store of
// synced credentials decides itself. It was created n seconds after a fixed time.
func New(id, rp, user string, n int) *authenticator.Credential {
	return &authenticator.Credential{
		ID: []byte(id), RP: ctap.RelyingParty{ID: rp, Name: "Site " + rp},
		User:      ctap.User{ID: []byte(user), Name: user + "@" + rp, DisplayName: "Display " + user},
		Algorithm: cose.ES256, KeyHandle: []byte("handle " + id), PublicKey: []byte("public " + id),
		CreatedAt: epoch.Add(time.Duration(n) * time.Second), Discoverable: true, Protection: 2,
		HMACSecret: make([]byte, 64), CredBlob: []byte("blob " + id), LargeBlobKey: make([]byte, 32),
		LargeBlob:         &authenticator.LargeBlob{Data: []byte("large " + id), OriginalSize: 9},
		ThirdPartyPayment: true,
	}
}

// Credentials tests a store of credentials. new returns an empty one for at most
// max discoverable credentials, any number for 0.
func Credentials(t *testing.T, new func(max int) authenticator.Credentials) {
	tests := []struct {
		name string
		max  int
		run  func(t *testing.T, s authenticator.Credentials)
	}{
		{"an empty store", 0, empty},
		{"what is put can be found", 0, found},
		{"newest first", 0, newestFirst},
		{"one discoverable credential an account", 0, oneAnAccount},
		{"a change keeps its place", 0, change},
		{"a large blob is written, replaced and deleted", 0, largeBlob},
		{"an id moves to another account", 0, moves},
		{"credentials that are not discoverable", 1, notDiscoverable},
		{"a full store", 2, full},
		{"deleted and put again", 0, again},
		{"cleared", 0, cleared},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, new(test.max)) })
	}
	t.Run("any sequence", func(t *testing.T) { sequences(t, new) })
}

func empty(t *testing.T, s authenticator.Credentials) {
	contents(t, s)
	if c, err := s.ByID([]byte("a")); c != nil || err != nil {
		t.Fatalf("ByID is %v, %v", c, err)
	}
	must(t, s.Delete([]byte("a")))
	must(t, s.Clear())
}

func found(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1))
	contents(t, s, New("a", "example.com", "ada", 1))
	byRP(t, s, "example.com", "a")
	byRP(t, s, "example.org")
}

func newestFirst(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("b", "example.com", "bob", 1), New("x", "example.org", "ada", 2),
		New("c", "example.com", "cyd", 3), New("a", "example.com", "ada", 4))
	byRP(t, s, "example.com", "a", "c", "b")
	contents(t, s, New("b", "example.com", "bob", 1), New("x", "example.org", "ada", 2),
		New("c", "example.com", "cyd", 3), New("a", "example.com", "ada", 4))
}

func oneAnAccount(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1), New("b", "example.com", "bob", 2), New("c", "example.com", "ada", 3))
	contents(t, s, New("b", "example.com", "bob", 2), New("c", "example.com", "ada", 3))
	byRP(t, s, "example.com", "c", "b")
}

func change(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1), New("b", "example.com", "bob", 2))
	before, err := s.ByID([]byte("a"))
	must(t, err)
	changed := *before
	changed.User.Name = "ada the second"
	put(t, s, &changed)
	want := New("a", "example.com", "ada", 1)
	if before.User.Name != want.User.Name {
		t.Fatal("a value that was handed out has changed")
	}
	want.User.Name = "ada the second"
	contents(t, s, want, New("b", "example.com", "bob", 2))
	byRP(t, s, "example.com", "b", "a")
}

func largeBlob(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1), New("b", "example.com", "bob", 2))
	for _, blob := range []authenticator.LargeBlob{{Data: []byte("first"), OriginalSize: 5}, {Data: []byte("second"), OriginalSize: 99}, {}} {
		changed, want := New("a", "example.com", "ada", 1), New("a", "example.com", "ada", 1)
		changed.LargeBlob, want.LargeBlob = &blob, &blob
		put(t, s, changed)
		contents(t, s, want, New("b", "example.com", "bob", 2))
	}
	byRP(t, s, "example.com", "b", "a")
}

func moves(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1), New("b", "example.com", "bob", 2), New("a", "example.org", "ada", 3))
	contents(t, s, New("b", "example.com", "bob", 2), New("a", "example.org", "ada", 3))
	byRP(t, s, "example.com", "b")
	byRP(t, s, "example.org", "a")
}

func notDiscoverable(t *testing.T, s authenticator.Credentials) {
	for i := range 3 {
		c := New(string(rune('a'+i)), "example.com", "ada", i)
		c.Discoverable = false
		put(t, s, c)
	}
	byRP(t, s, "example.com")
	if c, err := s.ByID([]byte("b")); c == nil || err != nil || c.Discoverable {
		t.Fatalf("ByID is %v, %v", c, err)
	}
	put(t, s, New("d", "example.com", "ada", 3)) // the others take no room and have no account
	counts(t, s, 1)
	must(t, s.Delete([]byte("a")))
	all, err := s.All()
	must(t, err)
	if got := ids(all); got != "b c d" {
		t.Fatalf("left is %q", got)
	}
}

func full(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1), New("b", "example.com", "bob", 2))
	if err := s.Put(New("c", "example.com", "cyd", 3)); !errors.Is(err, ctap.ErrKeyStoreFull) {
		t.Fatalf("a third is answered with %v", err)
	}
	contents(t, s, New("a", "example.com", "ada", 1), New("b", "example.com", "bob", 2))
	put(t, s, New("d", "example.com", "ada", 4), New("b", "example.org", "bob", 5)) // in the place of others
	contents(t, s, New("d", "example.com", "ada", 4), New("b", "example.org", "bob", 5))
	must(t, s.Delete([]byte("b")))
	put(t, s, New("c", "example.com", "cyd", 6))
}

func again(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1))
	must(t, s.Delete([]byte("a")))
	contents(t, s)
	put(t, s, New("a", "example.com", "ada", 1))
	contents(t, s, New("a", "example.com", "ada", 1))
}

func cleared(t *testing.T, s authenticator.Credentials) {
	put(t, s, New("a", "example.com", "ada", 1), New("b", "example.org", "bob", 2))
	must(t, s.Clear())
	contents(t, s)
	byRP(t, s, "example.com")
	put(t, s, New("a", "example.com", "ada", 3))
	contents(t, s, New("a", "example.com", "ada", 3))
}

// Device tests the state of a device. new returns that of a device that was never
// used.
func Device(t *testing.T, new func() authenticator.DeviceState) {
	full := authenticator.Device{
		Initialised: true, WrapKey: []byte("wrap"), Counter: 7, PINHash: []byte("hash"), PINLength: 4,
		PINRetries: 8, UVRetries: 5, MinPINLength: 6, ForcePINChange: true, MinPINLengthRPIDs: []string{"a", "b"},
		AlwaysUV: true, EnterpriseEnabled: true, LongTouchForReset: true, PersistentToken: []byte("token"),
		TrivialPIN: true, Identifier: []byte("identifier"), StoreState: []byte("state"), LargeBlobs: []byte("blobs"),
		Templates:           []authenticator.Template{{ID: []byte("left"), Name: "Left"}, {ID: []byte("right")}},
		PINComplexityPolicy: true, UVSincePIN: 2,
	}
	s := new()
	saved(t, s, authenticator.Device{})
	for want := uint32(1); want <= 3; want++ {
		if n, err := s.NextCounter(); n != want || err != nil {
			t.Fatalf("NextCounter is %d, %v; want %d", n, err, want)
		}
	}
	saved(t, s, authenticator.Device{Counter: 3})
	must(t, s.Save(full))
	saved(t, s, full)
	if n, err := s.NextCounter(); n != 8 || err != nil {
		t.Fatalf("NextCounter is %d, %v; want 8", n, err)
	}
	full.Counter = 8
	saved(t, s, full)
	must(t, s.Save(authenticator.Device{PINRetries: 7}))
	saved(t, s, authenticator.Device{PINRetries: 7})
}

func saved(t *testing.T, s authenticator.DeviceState, want authenticator.Device) {
	t.Helper()
	if got, err := s.Load(); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("Load is %+v, %v; want %+v", got, err, want)
	}
}

// tb is what both testing and rapid have.
type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t tb, s authenticator.Credentials, credentials ...*authenticator.Credential) {
	t.Helper()
	for _, c := range credentials {
		must(t, s.Put(c))
	}
}

// contents demands exactly these credentials, oldest first, by every way to ask.
func contents(t tb, s authenticator.Credentials, want ...*authenticator.Credential) {
	t.Helper()
	all, err := s.All()
	must(t, err)
	if len(all) != len(want) {
		t.Fatalf("there are %q, want %q", ids(all), ids(want))
	}
	discoverable := 0
	for i, w := range want {
		same(t, all[i], w)
		byID, err := s.ByID(w.ID)
		must(t, err)
		same(t, byID, w)
		if w.Discoverable {
			discoverable++
		}
	}
	counts(t, s, discoverable)
}

func counts(t tb, s authenticator.Credentials, want int) {
	t.Helper()
	if n, err := s.Count(); n != want || err != nil {
		t.Fatalf("Count is %d, %v; want %d", n, err, want)
	}
}

func same(t tb, got, want *authenticator.Credential) {
	t.Helper()
	if got == nil {
		t.Fatalf("%s is missing", want.ID)
	}
	bare := *got
	bare.BackedUp = want.BackedUp
	if !bare.CreatedAt.Equal(want.CreatedAt) {
		t.Fatalf("created at %v, want %v", bare.CreatedAt, want.CreatedAt)
	}
	bare.CreatedAt = want.CreatedAt
	if !reflect.DeepEqual(&bare, want) {
		t.Fatalf("got %+v, want %+v", bare, *want)
	}
}

// byRP demands the ids of a relying party's credentials, newest first.
func byRP(t tb, s authenticator.Credentials, rp string, want ...string) {
	t.Helper()
	found, err := s.ByRP(sha256.Sum256([]byte(rp)))
	must(t, err)
	if got := ids(found); got != strings.Join(want, " ") {
		t.Fatalf("%s has %q, want %q", rp, got, want)
	}
}

func ids(credentials []*authenticator.Credential) string {
	var s []string
	for _, c := range credentials {
		s = append(s, string(c.ID))
	}
	return strings.Join(s, " ")
}
