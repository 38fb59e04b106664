package keychain_test

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/storetest"
	"fido-emu/keychain"
)

// reopening opens its device anew, from its store, for every call.
type reopening struct {
	t   *testing.T
	env keychain.Env
}

func (r reopening) open() authenticator.Credentials {
	d, err := keychain.OpenDevice("phone", nil, r.env)
	if err != nil {
		r.t.Fatal(err)
	}
	return d.Credentials()
}

func (r reopening) ByID(id []byte) (*authenticator.Credential, error) { return r.open().ByID(id) }
func (r reopening) ByRP(rp [32]byte) ([]*authenticator.Credential, error) {
	return r.open().ByRP(rp)
}
func (r reopening) Put(c *authenticator.Credential) error     { return r.open().Put(c) }
func (r reopening) Delete(id []byte) error                    { return r.open().Delete(id) }
func (r reopening) Count() (int, error)                       { return r.open().Count() }
func (r reopening) All() ([]*authenticator.Credential, error) { return r.open().All() }
func (r reopening) Clear() error                              { return r.open().Clear() }

func TestDurableCredentials(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	storetest.Credentials(t, func(max int) authenticator.Credentials {
		return reopening{t, keychain.Env{Now: time.Now, Rand: random, MaxCredentials: max, Store: keychain.NewMemoryStore()}}
	})
}

// TestDurableDevice closes and opens the file of a device between any two steps
// of its life.
func TestDurableDevice(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	path := filepath.Join(t.TempDir(), "phone")
	step := func(do func(d *keychain.Device)) {
		t.Helper()
		store, err := keychain.OpenDeviceStore(path)
		w.must(err)
		d, err := keychain.OpenDevice("phone", w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random, Store: store})
		w.must(err)
		do(d)
		before, err := d.Snapshot()
		w.must(err)
		again, err := keychain.OpenDevice("phone", w.Service, keychain.Env{Store: store})
		w.must(err)
		after, err := again.Snapshot()
		w.must(err)
		if !reflect.DeepEqual(before, after) {
			t.Errorf("the device held %+v, its store %+v", before, after)
		}
		w.must(store.Close())
	}
	laptop := w.founder("laptop", nil)
	var request keychain.Request
	step(func(d *keychain.Device) { w.put(d, "c1", "example.com", "ada") })
	step(func(d *keychain.Device) {
		r, err := d.RequestJoin(ctx(), account, secret)
		w.must(err)
		request = r
	})
	w.must(laptop.Approve(ctx(), request.ID, request.Code))
	step(func(d *keychain.Device) { w.must(d.CompleteJoin(ctx())) })
	step(func(d *keychain.Device) { w.sync(d) })
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 ada true]")
	step(func(d *keychain.Device) { w.must(d.Revoke(ctx(), "laptop")) })
	step(func(d *keychain.Device) { w.must(d.Credentials().Delete([]byte("c1"))) })
	step(func(d *keychain.Device) { w.sync(d); w.expect(d, "example.com", "") })
	step(func(d *keychain.Device) { w.must(d.Wipe()) })
	step(func(d *keychain.Device) { w.fails(d, keychain.NotAMember) })
}

// TestStoreFails lets the store of a device fail: the change was not made.
func TestStoreFails(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	store := &cutStore{keychain.NewMemoryStore(), 4}
	d, err := keychain.OpenDevice("phone", w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random, Store: store})
	w.must(err)
	w.must(d.CreateAccount(ctx(), account, secret))
	w.put(d, "c1", "example.com", "ada")
	w.put(d, "c2", "example.com", "bob")
	w.refused(d.Credentials().Delete([]byte("c1")), keychain.StorageFailed)
	w.refused(d.Credentials().Put(credential("c3", "example.com", "cyd", w.now)), keychain.StorageFailed)
	w.fails(d, keychain.StorageFailed) // the service has both, the device does not know
	w.expect(d, "example.com", "[c2 bob false][c1 ada false]")
	w.refused(d.Wipe(), keychain.StorageFailed)
	store.left = 100
	w.sync(d)
	w.expect(d, "example.com", "[c2 bob true][c1 ada true]")
}

// TestConcurrentUse lets an authenticator work on a device that syncs; the race
// detector looks on.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	d := w.founder("phone", nil)
	var group sync.WaitGroup
	for i := range 2 {
		group.Go(func() {
			for n := range 50 {
				id := string(rune('A'+n)) + string(rune('0'+i))
				if err := d.Credentials().Put(credential(id, "example.com", id, time.Unix(int64(n), 0))); err != nil {
					t.Error(err)
				}
				if _, err := d.Sync(ctx()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	w.sync(d)
	if n, err := d.Credentials().Count(); n != 100 || err != nil || d.Status().Unsynced != 0 {
		t.Fatalf("%d credentials, %v, %+v; want 100, all synced", n, err, d.Status())
	}
}
