package keychain

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"fido-emu/ctap/authenticator"
)

// shelf is where a credential stands that is not shown and can come back.
type shelf uint8

const (
	inPlace shelf = iota // it is shown, if it has its place
	hidden               // because a relying party does not know it any more
	deleted              // by a person, and kept for a time
)

// compareShelves orders versions of one entity by where they stand: the later change is
// the greater.
func compareShelves(a, b *entry) int {
	switch {
	case a.shelved != b.shelved && a.shelved < b.shelved:
		return -1
	case a.shelved != b.shelved:
		return 1
	}
	return int(a.shelf) - int(b.shelf)
}

// discard deletes a credential as the provider does. d.mu is held.
func (d *Device) discard(e *entry) {
	if d.provider.Deletion.KeepDays == 0 || !d.joined {
		d.replica.remove(e)
		return
	}
	d.put(e, deleted)
}

// put puts every credential that competes for the place of e somewhere. d.mu is held.
func (d *Device) put(e *entry, on shelf) {
	r, place := &d.replica, e.place()
	r.change(place, func() {
		for e := r.places[place]; e != nil; e = e.next {
			if !e.dead && e.shelf == inPlace {
				d.move(e, on)
			}
		}
	})
}

func (d *Device) move(e *entry, on shelf) {
	e.shelf, e.shelved = on, stamp(d.env.Now(), e.shelved)
	d.replica.touch(e)
	d.replica.list(e)
}

// Deleted is a credential that is not shown any more and can be restored.
type Deleted struct {
	Credential *authenticator.Credential
	Hidden     bool      // a relying party signalled that it does not know it; it is not deleted
	Until      time.Time // when it goes for good; the zero time for never
}

// Deleted lists the credentials that can be restored, oldest first.
func (d *Device) Deleted() []Deleted {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []Deleted
	for _, e := range slices.SortedFunc(maps.Values(d.replica.shelf), compareAge) {
		one := Deleted{Credential: e.cred, Hidden: e.shelf == hidden}
		if e.shelf == deleted {
			one.Until = time.Unix(0, e.shelved).Add(d.keep()).UTC()
		}
		all = append(all, one)
	}
	return all
}

func (d *Device) keep() time.Duration {
	return time.Duration(d.provider.Deletion.KeepDays) * 24 * time.Hour
}

// RestoreDeleted brings back a credential that was deleted or hidden. When it is too late
// the error is [NotDeleted]; when another has its place by now, [PlaceTaken].
func (d *Device) RestoreDeleted(id []byte) error {
	if err := d.expire(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range slices.SortedFunc(maps.Values(d.replica.shelf), compareAge) {
		if !bytes.Equal(e.cred.ID, id) {
			continue
		}
		place := e.place()
		if winner(d.replica.places[place]) != nil {
			return failure(PlaceTaken, "delete the newer one first", "another credential has the place of this one")
		}
		d.replica.change(place, func() { d.move(e, inPlace) })
		return d.commit()
	}
	return failure(NotDeleted, "it may have gone for good", "no credential with this id waits to be restored")
}

// SignalUnknown is what a relying party says of a credential that it does not know any
// more (signalUnknownCredential of WebAuthn Level 3). The provider's rule says whether the
// credential is hidden, deleted or left as it is; done tells whether anything happened.
func (d *Device) SignalUnknown(rpID string, id []byte) (done bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.replica.byID[string(id)]
	if e == nil || e.cred.RP.ID != rpID {
		return false, nil
	}
	switch d.provider.Deletion.Signal {
	case SignalHides:
		d.put(e, hidden)
	case SignalDeletes:
		d.discard(e)
	default:
		return false, nil
	}
	return true, d.commit()
}

// expire buries what was deleted long enough ago.
func (d *Device) expire() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.replica.shelf) == 0 {
		return nil
	}
	now := d.env.Now()
	for _, e := range slices.SortedFunc(maps.Values(d.replica.shelf), compareAge) {
		if e.shelf == deleted && !now.Before(time.Unix(0, e.shelved).Add(d.keep())) {
			e.bury()
			d.replica.touch(e)
			d.replica.list(e)
		}
	}
	return d.commit()
}

// companions notes how many devices the account has. Where a credential counts as backed
// up only with a second one, that may change all of them. d.mu is held.
func (d *Device) companions(devices uint) {
	d.devices = devices
	was := d.replica.unsafe
	d.obey(d.provider)
	if d.replica.unsafe == was {
		return
	}
	for _, e := range d.replica.entries {
		if e.revision > 0 {
			e.cred = withBackup(e.cred, was)
			d.replica.note(e)
		}
	}
	slices.SortFunc(d.replica.unsaved, compareAge)
}

// leaveBehind does to a device that was removed from its account what its provider does.
func (d *Device) leaveBehind() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.provider.Removed != RemovedWiped {
		return nil
	}
	if err := d.erase(); err != nil {
		return err
	}
	packets := d.packets
	d.forget()
	d.replica = newReplica()
	d.packets = packets
	return d.commit()
}
