package keychain_test

import (
	"testing"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/keychain"
)

// writeBlob writes the large blob of a credential on a device, a second later than
// what was before; no bytes delete it.
func (w *world) writeBlob(d *keychain.Device, id, blob string) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	c, err := d.Credentials().ByID([]byte(id))
	w.must(err)
	changed := *c
	changed.LargeBlob = &authenticator.LargeBlob{}
	if blob != "" {
		changed.LargeBlob = &authenticator.LargeBlob{Data: []byte(blob), OriginalSize: 100}
	}
	w.must(d.Credentials().Put(&changed))
}

func (w *world) expectBlob(d *keychain.Device, id, want string) {
	w.t.Helper()
	c, err := d.Credentials().ByID([]byte(id))
	w.must(err)
	if got := string(c.LargeBlob.Data); got != want {
		w.t.Fatalf("%s has the large blob %q, want %q", d.Name(), got, want)
	}
}

func TestLargeBlobReachesEverybody(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone, laptop, _, _ := w.linked()
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone, laptop)
	w.expectBlob(laptop, "c1", "")

	w.writeBlob(phone, "c1", "first")
	if s := phone.Status(); s.Unsynced != 1 {
		t.Fatalf("a write is %d changes", s.Unsynced)
	}
	w.sync(phone, laptop)
	w.expectBlob(laptop, "c1", "first")
	w.expect(laptop, "example.com", "[c1 ada true]") // the same entity, not a new one

	w.writeBlob(laptop, "c1", "")
	w.sync(laptop, phone)
	w.expectBlob(phone, "c1", "")
}

func TestLargeBlobConflicts(t *testing.T) {
	for name, c := range map[string]struct {
		apart        func(w *world, phone, laptop *keychain.Device)
		shown, holds string
	}{
		"the later write stays": {func(w *world, phone, laptop *keychain.Device) {
			w.writeBlob(laptop, "c1", "earlier")
			w.writeBlob(phone, "c1", "later")
		}, "[c1 ada true]", "later"},
		"a deletion is a write": {func(w *world, phone, laptop *keychain.Device) {
			w.writeBlob(phone, "c1", "earlier")
			w.writeBlob(laptop, "c1", "")
		}, "[c1 ada true]", ""},
		"a new name and a blob both stay": {func(w *world, phone, laptop *keychain.Device) {
			w.writeBlob(phone, "c1", "blob")
			w.rename(laptop, "c1", "ann")
		}, "[c1 ann true]", "blob"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, keychain.ServiceConfig{})
			phone, laptop, _, _ := w.linked()
			w.put(phone, "c1", "example.com", "ada")
			w.sync(phone, laptop)
			w.writeBlob(phone, "c1", "before")
			w.sync(phone, laptop)
			c.apart(w, phone, laptop)
			w.sync(phone, laptop, phone, laptop)
			for _, d := range []*keychain.Device{phone, laptop} {
				w.expect(d, "example.com", c.shown)
				w.expectBlob(d, "c1", c.holds)
			}
		})
	}
}

func TestDeletedCredentialTakesItsLargeBlobAlong(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone, laptop, _, _ := w.linked()
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone, laptop)
	w.must(phone.Credentials().Delete([]byte("c1")))
	w.writeBlob(laptop, "c1", "too late")
	w.sync(phone, laptop, phone)
	w.expect(phone, "example.com", "")
	w.expect(laptop, "example.com", "")
}
