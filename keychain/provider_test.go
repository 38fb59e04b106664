package keychain_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/keychain"
)

func TestBuiltInProviders(t *testing.T) {
	files, err := filepath.Glob("providers/*.yaml")
	if err != nil || len(files) != len(keychain.Providers()) {
		t.Fatalf("%d files and %d providers, %v", len(files), len(keychain.Providers()), err)
	}
	for _, file := range files {
		p, err := keychain.FindProvider(file)
		if err != nil {
			t.Fatal(err)
		}
		if file != "providers/"+p.Name+".yaml" || p.Title == "" || p.About == "" || len(p.Sources) == 0 {
			t.Errorf("%s: a name of another file, or no title, text or source: %+v", file, p)
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var again keychain.Provider
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if c, err := json.Marshal(again); err != nil || string(c) != string(b) {
			t.Errorf("as JSON there and back: %s, %v, want %s", c, err, b)
		}
	}
}

func TestProviderMistakes(t *testing.T) {
	head := "name: x\njoin: [escrow]\n"
	tests := []struct{ name, yaml, want string }{
		{"empty", " \n", "p.yaml: empty"},
		{"not YAML", "name: [", "p.yaml: "},
		{"unknown member", "name: x\njoins: [sponsor]\n", "p.yaml: "},
		{"no name", "join: [sponsor]\n", "p.yaml:1: name"},
		{"no way", "name: x\n", "p.yaml:1: join: without a way"},
		{"unknown way", "name: x\n\njoin: [fax]\n", `p.yaml:3: join: "fax" is not known`},
		{"unknown rule", head + "escrow: {tries: 3}\nbackedUp: never\n", `p.yaml:4: backedUp: "never"`},
		{"no tries", head, "escrow: tries is"},
		{"tries without end", head + "escrow: {tries: 3, atEnd: never}\n", "p.yaml:3: escrow: tries is"},
		{"locked for how long", head + "escrow: {tries: 3, atEnd: locked}\n", "p.yaml:3: escrow: lockMinutes"},
		{"locks that shrink", head + "escrow: {tries: 3, atEnd: locked, lockMinutes: [9, 3]}\n", "p.yaml:3: escrow: lockMinutes are"},
		{"PIN without digits", head + "escrow: {tries: 3, secret: pin}\n", "p.yaml:3: escrow: digits"},
		{"escrow for nothing", "name: x\njoin: [sponsor]\nescrow: {tries: 3}\n", "p.yaml:3: escrow: devices do not join"},
		{"one device", "name: x\njoin: [sponsor]\nlimits: {devices: 1}\n", "p.yaml:3: limits"},
		{"unknown notice", "name: x\njoin: [sponsor]\nnotify: [rain]\n", `p.yaml:3: notify: "rain"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := keychain.ParseProvider("p.yaml", []byte(test.yaml)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
	if _, err := keychain.FindProvider("none.yaml"); err == nil {
		t.Fatal("a file that is not there was read")
	}
}

func FuzzParseProvider(f *testing.F) {
	for _, p := range keychain.Providers() {
		b, err := os.ReadFile("providers/" + p.Name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := keychain.ParseProvider("p.yaml", b); err == nil && (p.Name == "" || len(p.Join) == 0) {
			t.Fatalf("a provider without name or way: %+v", p)
		}
	})
}

// TestOlderStore reads a device as it was stored when providers had five members.
func TestOlderStore(t *testing.T) {
	var p keychain.Provider
	old := `{"name":"google","aaguid":"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4","join":["escrow"],"escrowTries":7,"backedUpAtOnce":true}`
	if err := json.Unmarshal([]byte(old), &p); err != nil {
		t.Fatal(err)
	}
	if !p.Allows(keychain.ByEscrow) || p.Escrow.Tries != 7 || p.Escrow.AtEnd != keychain.Destroyed || p.BackedUp != keychain.AtOnce || p.Deletion.KeepDays != 0 {
		t.Fatalf("read as %+v", p)
	}
	w := newWorld(t, keychain.ServiceConfig{})
	phone := w.founder("phone", nil)
	w.put(phone, "c1", "example.com", "ada")
	s, err := phone.Snapshot()
	w.must(err)
	b, err := json.Marshal(s)
	w.must(err)
	var m map[string]any
	w.must(json.Unmarshal(b, &m))
	m["provider"] = json.RawMessage(old)
	for _, newer := range []string{"secretKey", "packets", "heard", "devices"} {
		delete(m, newer)
	}
	b, err = json.Marshal(m)
	w.must(err)
	var snapshot keychain.Snapshot
	w.must(json.Unmarshal(b, &snapshot))
	d, err := keychain.RestoreDevice(snapshot, w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	w.sync(d)
	w.expect(d, "example.com", "[c1 ada true]")
}

// TestEscrowEnds counts wrong tries with each end.
func TestEscrowEnds(t *testing.T) {
	guess := func(w *world, passcode string) error {
		return w.device("fresh", nil).RecoverFromEscrow(ctx(), account, secret, passcode)
	}
	t.Run("locked", func(t *testing.T) {
		store := &cutStore{keychain.NewMemoryStore(), 1 << 30}
		w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "cautious"), Store: store})
		w.must(w.founder("phone", nil).SetPasscode(ctx(), passcode))
		w.refused(guess(w, "1"), keychain.WrongPasscode)
		w.refused(guess(w, "2"), keychain.WrongPasscode)
		store.left = 1 // the power goes between the count and the comparison
		w.refused(guess(w, "3"), keychain.StorageFailed)
		store.left = 1 << 30
		again := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "cautious"), Store: store})
		again.random.Seed([32]byte{9})
		for i, minutes := range []int{1, 15, 60, 1440, 1440} {
			again.refused(guess(again, passcode), keychain.EscrowLocked)
			again.now = again.now.Add(time.Duration(minutes)*time.Minute + time.Second)
			if i < 4 {
				again.refused(guess(again, "wrong"), keychain.EscrowLocked)
			}
		}
		again.must(guess(again, passcode))
		again.refused(guess(again, "4"), keychain.WrongPasscode) // all tries are back
	})
	t.Run("never", func(t *testing.T) {
		w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "careless")})
		phone := w.founder("phone", nil)
		w.refused(phone.SetPasscode(ctx(), "12"), keychain.WeakPasscode)
		w.must(phone.SetPasscode(ctx(), "2718"))
		for range 30 {
			w.refused(guess(w, "0000"), keychain.WrongPasscode)
		}
		w.must(guess(w, "2718"))
	})
	t.Run("the service has the key", func(t *testing.T) {
		w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "careless")})
		phone := w.founder("phone", nil)
		w.put(phone, "c1", "example.com", "ada")
		w.sync(phone)
		thief := w.device("thief", nil)
		w.refused(thief.SignInAlone(ctx(), account, "wrong"), keychain.WrongSecret)
		w.must(thief.SignInAlone(ctx(), account, secret))
		w.sync(thief)
		w.expect(thief, "example.com", "[c1 ada true]")
	})
}

// TestLimits fills an account.
func TestLimits(t *testing.T) {
	small := provider(t, "reference")
	small.Limits.Passkeys = 1
	few := newWorld(t, keychain.ServiceConfig{Provider: small})
	d := few.founder("phone", nil)
	few.put(d, "c1", "example.com", "ada")
	if err := d.Credentials().Put(credential("c2", "example.com", "bob", few.now)); !errors.Is(err, ctap.ErrKeyStoreFull) {
		t.Fatalf("a second passkey: %v", err)
	}
	w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "cautious")})
	phone := w.founder("phone", nil)
	for _, name := range []string{"2", "3", "4", "5"} {
		w.joins(w.device(name, nil), phone)
	}
	sixth := w.device("6", nil)
	r, err := sixth.RequestJoin(ctx(), account, secret)
	w.must(err)
	w.refused(phone.Approve(ctx(), r.ID, r.Code), keychain.TooManyDevices)
	for _, name := range []string{"bob", "cyd", "bob"} {
		_, err := phone.NameContact(ctx(), name)
		w.must(err)
	}
	_, err = phone.NameContact(ctx(), "dan")
	w.refused(err, keychain.TooManyContacts)
}

// TestBackedUpWithASecondDevice looks at BS as devices come and go, through a restart of
// the device.
func TestBackedUpWithASecondDevice(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, "cautious")})
	store := keychain.NewMemoryStore()
	open := func() *keychain.Device {
		d, err := keychain.OpenDevice("phone", w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random, Store: store, SecondFactor: w.read})
		w.must(err)
		return d
	}
	phone := open()
	w.must(phone.CreateAccount(ctx(), account, secret))
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone)
	w.expect(phone, "example.com", "[c1 ada false]")
	tablet := w.device("tablet", nil)
	w.joins(tablet, phone)
	w.sync(tablet, phone)
	w.expect(tablet, "example.com", "[c1 ada true]")
	phone = open()
	w.expect(phone, "example.com", "[c1 ada true]")
	w.must(phone.Revoke(ctx(), "tablet"))
	w.sync(phone)
	w.expect(open(), "example.com", "[c1 ada false]")
	w.fails(tablet, keychain.Revoked) // it hears of it, and is wiped
	w.expect(tablet, "example.com", "")
}
