package keychain_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fido-emu/keychain"
)

// linked returns two devices of one account on links of their own.
func (w *world) linked() (phone, laptop *keychain.Device, phoneLink, laptopLink *keychain.Link) {
	w.t.Helper()
	phoneLink, laptopLink = keychain.NewLink(w.Service, w.clock), keychain.NewLink(w.Service, w.clock)
	phone, laptop = w.founder("phone", phoneLink), w.device("laptop", laptopLink)
	w.joins(laptop, phone)
	return phone, laptop, phoneLink, laptopLink
}

func (w *world) fails(d *keychain.Device, code keychain.Code) {
	w.t.Helper()
	_, err := d.Sync(ctx())
	w.refused(err, code)
}

func TestLinkFaults(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone, laptop, link, _ := w.linked()
	w.put(phone, "c1", "example.com", "ada")

	link.Partition()
	w.fails(phone, keychain.Partitioned)
	link.Heal()
	link.Lose(1)
	w.fails(phone, keychain.Lost)
	w.sync(laptop)
	w.expect(laptop, "example.com", "")

	link.LoseAnswers(1)
	w.fails(phone, keychain.Lost) // the service has it, the phone does not know
	w.expect(phone, "example.com", "[c1 ada false]")
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 ada true]")
	r, err := phone.Sync(ctx())
	w.must(err)
	if r.Conflicts != 1 || r.Pushed != 0 {
		t.Fatalf("what was sent twice ended in %+v", r)
	}
	w.expect(phone, "example.com", "[c1 ada true]")
}

func TestLinkDelayAndReorder(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone, laptop, link, _ := w.linked()
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone, laptop)

	link.Delay()
	for _, name := range []string{"first", "second"} {
		w.rename(phone, "c1", name)
		w.fails(phone, keychain.Delayed)
	}
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 ada true]")
	link.Reorder()
	if n := link.Release(ctx()); n != 2 || link.Held() != 0 {
		t.Fatalf("released %d, %d held; want 2 and 0", n, link.Held())
	}
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 second true]") // the later one came first, the earlier is stale
	w.sync(phone, laptop)
	w.expect(phone, "example.com", "[c1 second true]")

	link.DelayBy(time.Minute)
	w.rename(phone, "c1", "third")
	w.fails(phone, keychain.Delayed)
	link.Heal()
	w.now = w.now.Add(59 * time.Second)
	w.must(func() error { _, err := phone.Members(ctx()); return err }())
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 second true]")
	w.now = w.now.Add(time.Second)
	w.must(func() error { _, err := phone.Members(ctx()); return err }()) // what is due goes before it
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c1 third true]")
}

func (w *world) rename(d *keychain.Device, id, name string) {
	w.t.Helper()
	c, err := d.Credentials().ByID([]byte(id))
	w.must(err)
	changed := *c
	changed.User.Name = name
	w.now = w.now.Add(time.Second)
	w.must(d.Credentials().Put(&changed))
}

// during does something on a device while its sync is under way.
type during struct {
	keychain.Cloud
	do func()
}

func (c *during) Call(ctx context.Context, op keychain.Operation, bearer, request []byte) ([]byte, error) {
	answer, err := c.Cloud.Call(ctx, op, bearer, request)
	if do := c.do; do != nil && op == keychain.OpSync {
		c.do = nil
		do()
	}
	return answer, err
}

func TestChangeDuringSync(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	cloud := &during{Cloud: w.Service}
	phone, laptop := w.founder("phone", cloud), w.device("laptop", nil)
	w.joins(laptop, phone)
	w.put(phone, "c1", "example.com", "ada")
	cloud.do = func() { w.rename(phone, "c1", "meanwhile") }
	w.sync(phone, laptop)
	w.expect(laptop, "example.com", "[c1 meanwhile true]")
}

// TestHalfAReplacement lets only a part of a phone's changes arrive: a credential
// with an old date that took the place of a newer one, without the tombstone of
// that. The laptop knows from what it shadows.
func TestHalfAReplacement(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	link := keychain.NewLink(w.Service, w.clock)
	cloud := &during{Cloud: link}
	phone, laptop := w.founder("phone", cloud), w.device("laptop", nil)
	w.joins(laptop, phone)
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone, laptop)
	for i := range 255 { // one less than fits in a request
		w.put(phone, fmt.Sprint("other", i), "example.org", fmt.Sprint("user", i))
	}
	w.now = w.now.Add(-time.Hour)
	w.put(phone, "c2", "example.com", "ada")
	cloud.do = link.Partition
	w.fails(phone, keychain.Partitioned)
	w.sync(laptop)
	w.expect(laptop, "example.com", "[c2 ada true]")
	link.Heal()
	w.sync(phone, laptop)
	w.expect(laptop, "example.com", "[c2 ada true]")
}

func TestConflicts(t *testing.T) {
	tests := []struct {
		name          string
		phone, laptop func(w *world, d *keychain.Device)
		want          string
	}{
		{
			"the later name wins",
			func(w *world, d *keychain.Device) { w.rename(d, "c1", "early") },
			func(w *world, d *keychain.Device) { w.rename(d, "c1", "late") },
			"[c1 late true]",
		}, {
			"a deletion beats a later name",
			func(w *world, d *keychain.Device) { w.must(d.Credentials().Delete([]byte("c1"))) },
			func(w *world, d *keychain.Device) { w.rename(d, "c1", "late") },
			"",
		}, {
			"the newer of two for one account wins",
			func(w *world, d *keychain.Device) { w.put(d, "c2", "example.com", "ada") },
			func(w *world, d *keychain.Device) { w.put(d, "c3", "example.com", "ada") },
			"[c3 ada true]",
		}, {
			"what shadows wins over what is newer by a wrong clock",
			func(w *world, d *keychain.Device) {
				w.now = w.now.Add(-time.Hour)
				w.put(d, "c2", "example.com", "ada")
				w.now = w.now.Add(time.Hour)
			},
			func(*world, *keychain.Device) {},
			"[c2 ada true]",
		}, {
			"a deletion does not reach what it had not heard of",
			func(w *world, d *keychain.Device) { w.must(d.Credentials().Delete([]byte("c1"))) },
			func(w *world, d *keychain.Device) { w.put(d, "c2", "example.com", "ada") },
			"[c2 ada true]",
		}, {
			"deleting a replacement does not bring back the replaced",
			func(w *world, d *keychain.Device) {
				w.put(d, "c2", "example.com", "ada")
				w.must(d.Credentials().Delete([]byte("c2")))
			},
			func(w *world, d *keychain.Device) { w.rename(d, "c1", "late") },
			"",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, keychain.ServiceConfig{})
			phone, laptop, phoneLink, laptopLink := w.linked()
			w.put(phone, "c1", "example.com", "ada")
			w.sync(phone, laptop)
			phoneLink.Partition()
			laptopLink.Partition()
			test.phone(w, phone)
			test.laptop(w, laptop)
			phoneLink.Heal()
			laptopLink.Heal()
			w.sync(phone, laptop, phone)
			w.expect(phone, "example.com", test.want)
			w.expect(laptop, "example.com", test.want)
		})
	}
}
