package keychain_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
	"fido-emu/keychain"
)

const (
	account  = "ada@example.com"
	secret   = "correct horse battery staple"
	passcode = "271828"
)

// world is a service with a clock and devices that share a seed.
type world struct {
	*keychain.Service
	t      testing.TB
	now    time.Time
	random *rand.ChaCha8
	events []keychain.Event
	sent   []keychain.Message
}

func newWorld(t testing.TB, c keychain.ServiceConfig) *world {
	t.Helper()
	w := &world{t: t, now: time.Unix(1_700_000_000, 0).UTC(), random: rand.NewChaCha8([32]byte{1})}
	if c.Provider.Name == "" {
		c.Provider = provider(t, "reference")
	}
	c.Now, c.Rand, c.OnEvent = w.clock, w.random, func(e keychain.Event) { w.events = append(w.events, e) }
	c.OnMessage = func(m keychain.Message) { w.sent = append(w.sent, m) }
	s, err := keychain.NewService(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = s
	return w
}

func provider(t testing.TB, name string) keychain.Provider {
	t.Helper()
	p, err := keychain.LookupProvider(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// few iterations are the least that the service takes: the race detector makes them slow.
const few = 1000

func (w *world) clock() time.Time { return w.now }

// device returns a new device that reaches the service over cloud, nil for
// directly.
func (w *world) device(name string, cloud keychain.Cloud) *keychain.Device {
	if cloud == nil {
		cloud = w.Service
	}
	return keychain.NewDevice(name, cloud, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random, SecondFactor: w.read})
}

// read returns the code that was sent last.
func (w *world) read(context.Context) (string, error) {
	if len(w.sent) == 0 {
		return "", nil
	}
	return w.sent[len(w.sent)-1].Code, nil
}

// founder returns a device that created the account.
func (w *world) founder(name string, cloud keychain.Cloud) *keychain.Device {
	d := w.device(name, cloud)
	w.must(d.CreateAccount(ctx(), account, secret))
	return d
}

// joins makes a member of d, by the approval of sponsor.
func (w *world) joins(d, sponsor *keychain.Device) {
	w.t.Helper()
	r, err := d.RequestJoin(ctx(), account, secret)
	w.must(err)
	w.must(sponsor.Approve(ctx(), r.ID, r.Code))
	w.must(d.CompleteJoin(ctx()))
}

func (w *world) sync(devices ...*keychain.Device) {
	w.t.Helper()
	for _, d := range devices {
		_, err := d.Sync(ctx())
		w.must(err)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// put makes a credential, a second later than the one before.
func (w *world) put(d *keychain.Device, id, rp, user string) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	w.must(d.Credentials().Put(credential(id, rp, user, w.now)))
}

func credential(id, rp, user string, created time.Time) *authenticator.Credential {
	return &authenticator.Credential{
		ID: []byte(id), RP: ctap.RelyingParty{ID: rp, Name: "Site " + rp},
		User:      ctap.User{ID: []byte("handle of " + user), Name: user, DisplayName: "The " + user},
		Algorithm: cose.ES256, KeyHandle: []byte("private key of " + id), PublicKey: []byte("public key of " + id),
		CreatedAt: created, Discoverable: true, LargeBlob: &authenticator.LargeBlob{},
	}
}

// shows lists what a device has for a relying party: ids, names, backup state.
func (w *world) shows(d *keychain.Device, rp string) string {
	w.t.Helper()
	found, err := d.Credentials().ByRP(sha256.Sum256([]byte(rp)))
	w.must(err)
	s := ""
	for _, c := range found {
		s += fmt.Sprintf("[%s %s %v]", c.ID, c.User.Name, c.BackedUp)
	}
	return s
}

func (w *world) expect(d *keychain.Device, rp, want string) {
	w.t.Helper()
	if got := w.shows(d, rp); got != want {
		w.t.Fatalf("%s shows %q, want %q", d.Name(), got, want)
	}
}

func (w *world) refused(err error, code keychain.Code) *keychain.Error {
	w.t.Helper()
	var e *keychain.Error
	if !errors.Is(err, code) || !errors.As(err, &e) {
		w.t.Fatalf("got %v, want %s", err, code)
	}
	return e
}

func ctx() context.Context { return context.Background() }

func TestSponsoredJoin(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone := w.founder("phone", nil)
	w.put(phone, "c1", "example.com", "ada")
	w.expect(phone, "example.com", "[c1 ada false]")
	w.sync(phone)
	w.expect(phone, "example.com", "[c1 ada true]")

	laptop := w.device("laptop", nil)
	r, err := laptop.RequestJoin(ctx(), account, secret)
	w.must(err)
	w.refused(laptop.CompleteJoin(ctx()), keychain.NotApproved)
	_, err = laptop.Sync(ctx())
	w.refused(err, keychain.NotApproved)
	w.refused(phone.Approve(ctx(), r.ID, "AAAA-BBBB-CCCC"), keychain.CodeMismatch)
	w.refused(phone.Approve(ctx(), "0011223344556677", r.Code), keychain.UnknownRequest)
	w.must(phone.Approve(ctx(), r.ID, r.Code))
	w.must(laptop.CompleteJoin(ctx()))
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 ada true]")

	w.put(laptop, "c2", "example.com", "bob")
	w.sync(laptop, phone)
	w.expect(phone, "example.com", "[c2 bob true][c1 ada true]")
}

func TestAccountSecrets(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	w.founder("phone", nil)
	other := w.device("other", nil)
	w.refused(other.CreateAccount(ctx(), account, secret), keychain.AccountExists)
	_, err := other.RequestJoin(ctx(), account, "wrong")
	w.refused(err, keychain.WrongSecret)
	_, err = other.RequestJoin(ctx(), "eve@example.com", secret)
	w.refused(err, keychain.UnknownAccount)
	_, err = other.Sync(ctx())
	w.refused(err, keychain.NotAMember)
	w.refused(other.RecoverFromEscrow(ctx(), account, secret, passcode), keychain.NoEscrow)
}

func TestEscrow(t *testing.T) {
	store := keychain.NewMemoryStore()
	w := newWorld(t, keychain.ServiceConfig{Store: store})
	phone := w.founder("phone", nil)
	w.must(phone.SetPasscode(ctx(), passcode))
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone)
	phone.Wipe()
	w.expect(phone, "example.com", "")

	tablet := w.device("tablet", nil)
	e := w.refused(tablet.RecoverFromEscrow(ctx(), account, secret, "0000"), keychain.WrongPasscode)
	if e.TriesLeft == nil || *e.TriesLeft != 9 {
		t.Fatalf("tries left %v, want 9", e.TriesLeft)
	}
	w.must(tablet.RecoverFromEscrow(ctx(), account, secret, passcode))
	w.sync(tablet)
	w.expect(tablet, "example.com", "[c1 ada true]")

	for left := range 9 { // a success gave all ten back
		e := w.refused(phone.RecoverFromEscrow(ctx(), account, secret, "0000"), keychain.WrongPasscode)
		if *e.TriesLeft != uint(9-left) {
			t.Fatalf("tries left %d, want %d", *e.TriesLeft, 9-left)
		}
	}
	w.refused(phone.RecoverFromEscrow(ctx(), account, secret, "0000"), keychain.EscrowDestroyed)
	w.refused(phone.RecoverFromEscrow(ctx(), account, secret, passcode), keychain.EscrowDestroyed)
	restarted := newWorld(t, keychain.ServiceConfig{Store: copied(store)})
	w.refused(restarted.device("phone", nil).RecoverFromEscrow(ctx(), account, secret, passcode), keychain.EscrowDestroyed)

	w.must(tablet.SetPasscode(ctx(), "new one"))
	w.must(phone.RecoverFromEscrow(ctx(), account, secret, "new one"))
}

func TestRevoke(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone := w.founder("phone", nil)
	laptop, tablet := w.device("laptop", nil), w.device("tablet", nil)
	w.joins(laptop, phone)
	w.joins(tablet, laptop)
	w.must(phone.SetPasscode(ctx(), passcode))
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone, laptop, tablet)

	w.refused(phone.Revoke(ctx(), "phone"), keychain.UnknownMember)
	w.refused(phone.Revoke(ctx(), "toaster"), keychain.UnknownMember)
	w.must(phone.Revoke(ctx(), "laptop"))
	_, err := laptop.Sync(ctx())
	w.refused(err, keychain.Revoked)
	w.put(tablet, "c2", "example.com", "bob") // the tablet has not heard of the new epoch
	w.sync(tablet, phone)
	w.expect(phone, "example.com", "[c2 bob true][c1 ada true]")

	fresh := w.device("fresh", nil)
	w.must(fresh.RecoverFromEscrow(ctx(), account, secret, passcode))
	w.sync(fresh)
	w.expect(fresh, "example.com", "[c2 bob true][c1 ada true]")
	if got := fresh.Status().Epoch; got != 2 {
		t.Fatalf("epoch %d, want 2", got)
	}
	members, err := fresh.Members(ctx())
	w.must(err)
	if got := fmt.Sprint(members); got == "" || len(members) != 4 {
		t.Fatalf("members %v", got)
	}
}

func TestReset(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone := w.founder("phone", nil)
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone)
	fresh := w.device("fresh", nil)
	w.must(fresh.ResetAccount(ctx(), account, secret))
	w.sync(fresh)
	w.expect(fresh, "example.com", "")
	_, err := phone.Sync(ctx())
	w.refused(err, keychain.NotAMember)
}

// TestManyEntities syncs more than fits in one request, and more changes than the
// service remembers one by one.
func TestManyEntities(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone, laptop, late := w.founder("phone", nil), w.device("laptop", nil), w.device("late", nil)
	w.joins(laptop, phone)
	const n = 1100
	for i := range n {
		w.put(phone, fmt.Sprint("c", i), "example.com", fmt.Sprint("user", i))
	}
	r, err := phone.Sync(ctx())
	w.must(err)
	if r.Pushed != n {
		t.Fatalf("pushed %d, want %d", r.Pushed, n)
	}
	if r, err = laptop.Sync(ctx()); err != nil || r.Pulled != n {
		t.Fatalf("pulled %d, %v; want %d", r.Pulled, err, n)
	}
	for i := range 3 * n {
		w.rename(phone, fmt.Sprint("c", i%7), fmt.Sprint("name", i))
		w.sync(phone)
	}
	w.joins(late, laptop)
	if r, err = laptop.Sync(ctx()); err != nil || r.Pulled != 7 {
		t.Fatalf("pulled %d, %v; want the 7 that changed", r.Pulled, err)
	}
	if e := w.events[len(w.events)-1]; e.Pulled != 7 {
		t.Fatalf("the service sent %d entities, want 7", e.Pulled)
	}
	w.sync(late)
	for _, d := range []*keychain.Device{laptop, late} {
		if got, want := w.shows(d, "example.com"), w.shows(phone, "example.com"); got != want {
			t.Fatalf("%s does not show what the phone shows", d.Name())
		}
	}
}

// TestServiceRestart starts a service again from its store, between two syncs of
// a device.
func TestServiceRestart(t *testing.T) {
	store := keychain.NewMemoryStore()
	w := newWorld(t, keychain.ServiceConfig{Store: store})
	phone, laptop := w.founder("phone", nil), w.device("laptop", nil)
	w.joins(laptop, phone)
	for i := range 40 {
		w.put(phone, fmt.Sprint("c", i), "example.com", fmt.Sprint("user", i))
		if i == 19 {
			w.sync(phone, laptop)
		}
	}
	w.sync(phone)
	before, err := laptop.Snapshot()
	w.must(err)

	w = newWorld(t, keychain.ServiceConfig{Store: store})
	again, err := keychain.RestoreDevice(before, w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	r, err := again.Sync(ctx())
	if err != nil || r.Pulled != 20 || w.events[0].Pulled != 20 {
		t.Fatalf("pulled %+v, %v; want the 20 that are new", r, err)
	}
	if w.shows(again, "example.com") != w.shows(phone, "example.com") {
		t.Fatal("the laptop does not show what the phone shows")
	}
}
