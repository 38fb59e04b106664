package keychain_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/ctap/authenticator"
	"fido-emu/keychain"
)

// fleet is devices of one account with links that fail, and what was done to
// them.
type fleet struct {
	service *keychain.Service
	now     time.Time
	devices []*keychain.Device
	links   []*keychain.Link
	skew    []time.Duration

	created map[string]string          // place of each credential that was made
	deleted map[string]bool            // credentials that somebody deleted, or hid
	back    map[string]bool            // of these, those that somebody restored
	names   map[string]map[string]bool // user names that each credential was given
	gone    []map[string]bool          // deleted credentials that each device has stopped showing
	showed  []map[string]bool          // credentials that each device has shown
}

func newFleet(t *rapid.T, n int, p keychain.Provider) *fleet {
	f := &fleet{
		now:     time.Unix(1_700_000_000, 0),
		created: map[string]string{}, deleted: map[string]bool{}, back: map[string]bool{}, names: map[string]map[string]bool{},
	}
	clock := func() time.Time { return f.now }
	random := rand.NewChaCha8([32]byte{2})
	service, err := keychain.NewService(keychain.ServiceConfig{Provider: p, Now: clock, Rand: random})
	check(t, err)
	f.service = service
	for i := range n {
		skew := time.Duration(i-1) * 3 * time.Second
		link := keychain.NewLink(service, clock)
		env := keychain.Env{Iterations: few, Now: func() time.Time { return f.now.Add(skew) }, Rand: random}
		d := keychain.NewDevice(fmt.Sprint("device ", i), link, env)
		f.devices, f.links, f.skew = append(f.devices, d), append(f.links, link), append(f.skew, skew)
		f.gone, f.showed = append(f.gone, map[string]bool{}), append(f.showed, map[string]bool{})
		if i == 0 {
			check(t, d.CreateAccount(ctx(), account, secret))
			continue
		}
		r, err := d.RequestJoin(ctx(), account, secret)
		check(t, err)
		check(t, f.devices[0].Approve(ctx(), r.ID, r.Code))
		check(t, d.CompleteJoin(ctx()))
	}
	return f
}

func check(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func all(t interface{ Fatal(...any) }, d *keychain.Device) []*authenticator.Credential {
	list, err := d.Credentials().All()
	check(t, err)
	return list
}

func (f *fleet) put(t *rapid.T) {
	i := f.any(t)
	id := fmt.Sprint("c", len(f.created))
	user := rapid.SampledFrom([]string{"ada", "bob"}).Draw(t, "user")
	c := credential(id, rapid.SampledFrom([]string{"x", "y"}).Draw(t, "rp"), user, f.now.Add(f.skew[i]))
	check(t, f.devices[i].Credentials().Put(c))
	f.created[id] = c.RP.ID + "/" + user
	f.names[id] = map[string]bool{user: true}
}

func (f *fleet) pick(t *rapid.T) (*keychain.Device, *authenticator.Credential) {
	d := f.devices[f.any(t)]
	list := all(t, d)
	if len(list) == 0 {
		t.Skip("nothing there")
	}
	return d, rapid.SampledFrom(list).Draw(t, "credential")
}

func (f *fleet) any(t *rapid.T) int { return rapid.IntRange(0, len(f.devices)-1).Draw(t, "device") }

func (f *fleet) rename(t *rapid.T) {
	d, c := f.pick(t)
	changed := *c
	changed.User.Name = rapid.SampledFrom([]string{"ann", "ben", "cyd"}).Draw(t, "name")
	check(t, d.Credentials().Put(&changed))
	f.names[string(c.ID)][changed.User.Name] = true
}

// write writes a large blob, or deletes it.
func (f *fleet) write(t *rapid.T) {
	d, c := f.pick(t)
	changed := *c
	blob := rapid.SampledFrom([]string{"", "one", "two", "three"}).Draw(t, "blob")
	changed.LargeBlob = &authenticator.LargeBlob{}
	if blob != "" {
		changed.LargeBlob = &authenticator.LargeBlob{Data: []byte(blob), OriginalSize: uint64(len(blob))}
	}
	check(t, d.Credentials().Put(&changed))
}

func (f *fleet) delete(t *rapid.T) {
	d, c := f.pick(t)
	check(t, d.Credentials().Delete(c.ID))
	f.deleted[string(c.ID)] = true
}

// signal lets the relying party say that it does not know a credential.
func (f *fleet) signal(t *rapid.T) {
	d, c := f.pick(t)
	done, err := d.SignalUnknown(c.RP.ID, c.ID)
	check(t, err)
	if done {
		f.deleted[string(c.ID)] = true
	}
}

// restore takes back what was deleted or hidden, unless it is too late or another has
// its place.
func (f *fleet) restore(t *rapid.T) {
	d := f.devices[f.any(t)]
	list := d.Deleted()
	if len(list) == 0 {
		t.Skip("nothing to restore")
	}
	id := rapid.SampledFrom(list).Draw(t, "deleted").Credential.ID
	err := d.RestoreDeleted(id)
	if errors.Is(err, keychain.NotDeleted) || errors.Is(err, keychain.PlaceTaken) {
		return
	}
	check(t, err)
	f.back[string(id)] = true
}

// settle heals every link and lets everybody talk until nobody has news.
func (f *fleet) settle(t *rapid.T) {
	for _, l := range f.links {
		l.Heal()
		l.Release(ctx())
	}
	for round := 0; ; round++ {
		news := 0
		for _, d := range f.devices {
			r, err := d.Sync(ctx())
			check(t, err)
			news += r.Pushed + r.Pulled + r.Conflicts
		}
		if news == 0 {
			return
		}
		if round == 10 {
			t.Fatal("they do not stop talking")
		}
	}
}

// TestConvergence lets devices change, part, lose, delay and reorder as they
// will, and then heals everything.
func TestConvergence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"reference", "apple", "1password", "cautious"}).Draw(t, "provider")
		p, err := keychain.LookupProvider(name)
		check(t, err)
		p.SecondFactor = false // its fleet joins by itself
		f := newFleet(t, 3, p)
		link := func(do func(*keychain.Link)) func(*rapid.T) {
			return func(t *rapid.T) { do(f.links[f.any(t)]) }
		}
		t.Repeat(map[string]func(*rapid.T){
			"put":      f.put,
			"put more": f.put,
			"rename":   f.rename,
			"write":    f.write,
			"delete":   f.delete,
			"signal":   f.signal,
			"restore":  f.restore,
			"a month":  func(t *rapid.T) { f.now = f.now.Add(20 * 24 * time.Hour) },
			"wait":     func(t *rapid.T) { f.now = f.now.Add(time.Second) },
			"sync": func(t *rapid.T) {
				_, _ = f.devices[f.any(t)].Sync(ctx()) // the link may be down
			},
			"settle":       f.settle,
			"partition":    link((*keychain.Link).Partition),
			"heal":         link((*keychain.Link).Heal),
			"lose":         link(func(l *keychain.Link) { l.Lose(1) }),
			"lose answers": link(func(l *keychain.Link) { l.LoseAnswers(1) }),
			"delay":        link((*keychain.Link).Delay),
			"reorder":      link((*keychain.Link).Reorder),
			"release":      link(func(l *keychain.Link) { l.Release(ctx()) }),
			"":             f.nothingResurrected,
		})
		f.settle(t)
		f.nothingResurrected(t)
		f.sameEverywhere(t)
		f.nothingLost(t)
	})
}

// nothingResurrected demands that a deleted credential, once it is gone from a
// device, stays gone from it.
func (f *fleet) nothingResurrected(t *rapid.T) {
	for i, d := range f.devices {
		visible := map[string]bool{}
		for _, c := range all(t, d) {
			visible[string(c.ID)] = true
		}
		for id := range f.deleted {
			if f.back[id] {
				continue
			}
			if f.showed[i][id] && !visible[id] {
				f.gone[i][id] = true
			}
			if f.gone[i][id] && visible[id] {
				t.Fatalf("%s shows %s again", d.Name(), id)
			}
		}
		maps.Copy(f.showed[i], visible)
	}
}

func (f *fleet) sameEverywhere(t *rapid.T) {
	want := all(t, f.devices[0])
	for _, d := range f.devices {
		got := all(t, d)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s shows %s, device 0 %s", d.Name(), list(got), list(want))
		}
		if s := d.Status(); s.Unsynced != 0 {
			t.Fatalf("%s has %d changes left", d.Name(), s.Unsynced)
		}
	}
}

// nothingLost demands that each place has the credential that it must have.
func (f *fleet) nothingLost(t *rapid.T) {
	holders := map[string]string{}
	for _, c := range all(t, f.devices[0]) {
		id := string(c.ID)
		place := f.created[id]
		if f.deleted[id] && !f.back[id] {
			t.Fatalf("%s was deleted and is there", id)
		}
		if holders[place] != "" {
			t.Fatalf("%s and %s have the same place", id, holders[place])
		}
		if !f.names[id][c.User.Name] {
			t.Fatalf("%s is called %q, which nobody called it", id, c.User.Name)
		}
		if !c.BackedUp {
			t.Fatalf("%s is not backed up", id)
		}
		holders[place] = id
	}
	touched := map[string]bool{} // places in which something was deleted
	for id := range f.deleted {
		touched[f.created[id]] = true
	}
	for _, id := range slices.Sorted(maps.Keys(f.created)) {
		if place := f.created[id]; holders[place] == "" && !touched[place] {
			t.Fatalf("%s is lost", id)
		}
	}
}

func list(credentials []*authenticator.Credential) (s []string) {
	for _, c := range credentials {
		s = append(s, fmt.Sprintf("%s %s %v", c.ID, c.User.Name, c.BackedUp))
	}
	return s
}
