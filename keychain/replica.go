package keychain

import (
	"bytes"
	"crypto/sha256"
	"io"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// replica is what a device knows of its account's entities. It is not safe for
// concurrent use; its device locks.
type replica struct {
	entries map[EntityID]*entry
	places  map[[32]byte]*entry   // the list of those that compete for each place
	byID    map[string]*entry     // those that can be seen, by credential id
	byRP    map[[32]byte][]*entry // those that can be seen and are discoverable, oldest first
	count   int                   // of these
	edits   uint32                // local changes so far
	queue   []*entry              // to upload, in the order of the changes
	unsaved []*entry              // changed since the last commit
	shelf   map[EntityID]*entry   // those that are hidden or deleted and can come back

	// the provider's rules
	lastArrives bool // the change that reaches the service last stays
	noShadows   bool // nothing is noted of what a new credential replaces
	unsafe      bool // what was uploaded does not count as backed up
}

func newReplica() replica {
	return replica{
		entries: map[EntityID]*entry{}, places: map[[32]byte]*entry{},
		byID: map[string]*entry{}, byRP: map[[32]byte][]*entry{},
		shelf: map[EntityID]*entry{},
	}
}

// change does something to the entries of one place and shows who has it then.
// What tells an entry's place and its age must not change.
func (r *replica) change(place [32]byte, do func()) {
	before := winner(r.places[place])
	do()
	if after := winner(r.places[place]); after != before {
		r.hide(before)
		r.show(after)
	}
}

// list keeps the list of what can come back in step with e.
func (r *replica) list(e *entry) {
	if e.shelf != inPlace && !e.dead {
		r.shelf[e.id] = e
	} else {
		delete(r.shelf, e.id)
	}
}

// add adds an entry that is not there yet.
func (r *replica) add(e *entry) {
	place := e.place()
	r.change(place, func() {
		e.next = r.places[place]
		r.places[place] = e
		r.entries[e.id] = e
	})
	r.list(e)
}

func (r *replica) show(e *entry) {
	if e == nil {
		return
	}
	r.byID[string(e.cred.ID)] = e
	if !e.cred.Discoverable {
		return
	}
	r.count++
	rp := sha256.Sum256([]byte(e.cred.RP.ID))
	at, _ := slices.BinarySearchFunc(r.byRP[rp], e, compareAge)
	r.byRP[rp] = slices.Insert(r.byRP[rp], at, e)
}

func (r *replica) hide(e *entry) {
	if e == nil {
		return
	}
	if r.byID[string(e.cred.ID)] == e {
		delete(r.byID, string(e.cred.ID))
	}
	if !e.cred.Discoverable {
		return
	}
	r.count--
	rp := sha256.Sum256([]byte(e.cred.RP.ID))
	at, _ := slices.BinarySearchFunc(r.byRP[rp], e, compareAge)
	if list := slices.Delete(r.byRP[rp], at, at+1); len(list) > 0 {
		r.byRP[rp] = list
	} else {
		delete(r.byRP, rp)
	}
}

// touch notes that e changed here.
func (r *replica) touch(e *entry) {
	r.edits++
	e.edit = r.edits
	e.dirty = true
	r.enqueue(e)
	r.note(e)
}

// note notes that e has to be saved.
func (r *replica) note(e *entry) {
	if !e.unsaved {
		e.unsaved = true
		r.unsaved = append(r.unsaved, e)
	}
}

func (r *replica) enqueue(e *entry) {
	if !e.queued {
		e.queued = true
		r.queue = append(r.queue, e)
	}
}

// dequeue takes up to n entries to upload out of the queue.
func (r *replica) dequeue(n int) []*entry {
	var batch []*entry
	taken := 0
	for _, e := range r.queue {
		if len(batch) == n {
			break
		}
		taken++
		e.queued = false
		if e.dirty { // it may have turned out to be what the service has
			batch = append(batch, e)
		}
	}
	r.queue = r.queue[taken:]
	return batch
}

// requeue puts entries that are still to be uploaded back to the front.
func (r *replica) requeue(batch []*entry) {
	var front []*entry
	for _, e := range batch {
		if e.dirty && !e.queued && r.entries[e.id] == e {
			e.queued = true
			front = append(front, e)
		}
	}
	if len(front) > 0 {
		r.queue = append(front, r.queue...)
	}
}

// remove buries every entry that competes for the place of e.
func (r *replica) remove(e *entry) {
	place := e.place()
	r.change(place, func() {
		for e := r.places[place]; e != nil; e = e.next {
			if !e.dead && e.shelf == inPlace {
				e.bury()
				r.touch(e)
			}
		}
	})
}

// make adds a new entity for c, which takes the places of those it competes
// with and of replaced, if that is not nil.
func (r *replica) make(c *authenticator.Credential, replaced *entry, rand io.Reader) error {
	id, err := randomBytes(rand, len(EntityID{}))
	if err != nil {
		return err
	}
	e := &entry{id: EntityID(id), cred: c, renamed: c.CreatedAt.UnixNano()}
	place := e.place()
	ignored := shadowed(r.places[place])
	for other := r.places[place]; other != nil; other = other.next {
		if !ignored[other.id] && other.shelf == inPlace && !r.noShadows {
			e.shadows = append(e.shadows, other.id)
		}
	}
	r.touch(e) // before what it replaces: whoever gets only a part still has one of them
	if old := r.places[place]; old != nil {
		r.remove(old)
	}
	if replaced != nil {
		r.remove(replaced)
	}
	r.add(e)
	return nil
}

// update changes the names and the large blob of e to those of c.
func (r *replica) update(e *entry, c *authenticator.Credential, now time.Time) {
	renamed, written := !slices.Equal(names(e.cred), names(c)), !sameBlob(e.cred.LargeBlob, c.LargeBlob)
	if !renamed && !written {
		return
	}
	r.change(e.place(), func() {
		if renamed {
			e.cred, e.renamed = withNames(e.cred, c), stamp(now, e.renamed)
		}
		if written {
			e.cred, e.written = withBlob(e.cred, c), stamp(now, e.written)
		}
		r.touch(e)
	})
}

// sameEntity tells whether credentials differ in nothing but what can change: the
// names, and what is in the large blob of one that can have one.
func sameEntity(a, b *authenticator.Credential) bool {
	return bytes.Equal(a.ID, b.ID) && a.RP.ID == b.RP.ID && bytes.Equal(a.User.ID, b.User.ID) &&
		a.Algorithm == b.Algorithm && bytes.Equal(a.KeyHandle, b.KeyHandle) && bytes.Equal(a.PublicKey, b.PublicKey) &&
		a.CreatedAt.Equal(b.CreatedAt) && a.Discoverable == b.Discoverable && a.Protection == b.Protection &&
		bytes.Equal(a.HMACSecret, b.HMACSecret) && bytes.Equal(a.CredBlob, b.CredBlob) &&
		bytes.Equal(a.LargeBlobKey, b.LargeBlobKey) && a.ThirdPartyPayment == b.ThirdPartyPayment &&
		(a.LargeBlob == nil) == (b.LargeBlob == nil)
}

func sameBlob(a, b *authenticator.LargeBlob) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.OriginalSize == b.OriginalSize && bytes.Equal(a.Data, b.Data)
}

// accept takes over what the service has of an entity and tells whether that was
// news.
func (r *replica) accept(remote *entry) (news bool) {
	local := r.entries[remote.id]
	if local == nil {
		remote.cred = withBackup(remote.cred, !r.unsafe)
		r.add(remote)
		r.note(remote)
		return true
	}
	before, wasDead, wasOn := local.cred, local.dead, local.shelf
	r.note(local)
	r.change(local.place(), func() {
		local.revision = remote.revision
		merge := local.merge
		if r.lastArrives {
			merge = local.follow
		}
		if same := merge(remote); same {
			local.dirty = false
		} else if !local.dirty {
			r.touch(local)
		}
		local.cred = withBackup(local.cred, !r.unsafe)
	})
	r.list(local)
	return wasDead != local.dead || wasOn != local.shelf || !slices.Equal(names(before), names(local.cred)) ||
		!local.dead && !sameBlob(before.LargeBlob, local.cred.LargeBlob)
}

// uploaded notes that the service took e as a revision.
func (r *replica) uploaded(e *entry, revision uint64, edit uint32) {
	r.note(e)
	r.change(e.place(), func() {
		e.revision = revision
		e.cred = withBackup(e.cred, !r.unsafe)
		if e.edit == edit {
			e.dirty = false
		}
	})
}

// withBackup returns c with this backup state, c itself where it has it.
func withBackup(c *authenticator.Credential, backedUp bool) *authenticator.Credential {
	if c.BackedUp == backedUp {
		return c
	}
	changed := *c
	changed.BackedUp = backedUp
	return &changed
}

// Credentials is the replica of a device as the store of an authenticator.
//
// A Put of a credential with the id of one that is there changes its names and its
// large blob; if it differs in more, it takes its place as a new entity. Of changes
// that devices make apart, the latest of the names and the latest of the blob reach
// everybody. BackedUp is the
// replica's to say; that of a Put is ignored. Delete and Clear bury: every member
// of the account loses what they remove. Where the provider keeps for a time what is
// deleted, Delete puts it aside ([Device.Deleted]).
type Credentials struct{ d *Device }

var _ authenticator.Credentials = Credentials{}

// ByID implements [authenticator.Credentials].
func (c Credentials) ByID(id []byte) (*authenticator.Credential, error) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if e := c.d.replica.byID[string(id)]; e != nil {
		return e.cred, nil
	}
	return nil, nil
}

// ByRP implements [authenticator.Credentials].
func (c Credentials) ByRP(rpIDHash [32]byte) ([]*authenticator.Credential, error) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	list := c.d.replica.byRP[rpIDHash]
	found := make([]*authenticator.Credential, 0, len(list))
	for _, e := range slices.Backward(list) {
		found = append(found, e.cred)
	}
	return found, nil
}

// Put implements [authenticator.Credentials].
func (c Credentials) Put(cred *authenticator.Credential) error {
	d := c.d
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.replica.byID[string(cred.ID)]
	if old != nil && sameEntity(old.cred, cred) {
		d.replica.update(old, cred, d.env.Now())
		return d.commit()
	}
	if d.full(cred, old) {
		return ctap.ErrKeyStoreFull
	}
	mine := *cred
	mine.CreatedAt = d.replica.ownTime(cred.RP.ID, cred.CreatedAt.UTC()) // as it comes back from the service
	mine.BackedUp = d.joined && d.provider.BackedUp == AtOnce
	if err := d.replica.make(&mine, old, d.env.Rand); err != nil {
		return err
	}
	return d.commit()
}

// ownTime returns at, or the next time at which no credential of a relying party was
// made: what was made in the same instant still has an order.
func (r *replica) ownTime(rpID string, at time.Time) time.Time {
	list := r.byRP[sha256.Sum256([]byte(rpID))]
	first, _ := slices.BinarySearchFunc(list, at, func(e *entry, at time.Time) int { return e.cred.CreatedAt.Compare(at) })
	for _, e := range list[first:] {
		if !e.cred.CreatedAt.Equal(at) {
			break
		}
		at = at.Add(time.Nanosecond)
	}
	return at
}

// full tells whether there is no room for c, which takes the place of old, or of
// whoever has its place.
func (d *Device) full(c *authenticator.Credential, old *entry) bool {
	most := d.env.MaxCredentials
	if limit := int(d.provider.Limits.Passkeys); limit > 0 && (most == 0 || limit < most) {
		most = limit
	}
	if most == 0 || !c.Discoverable || d.replica.count < most {
		return false
	}
	if old != nil && old.cred.Discoverable {
		return false
	}
	return winner(d.replica.places[(&entry{cred: c}).place()]) == nil
}

// Delete implements [authenticator.Credentials].
func (c Credentials) Delete(id []byte) error {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if e := c.d.replica.byID[string(id)]; e != nil {
		c.d.discard(e)
	}
	return c.d.commit()
}

// Count implements [authenticator.Credentials].
func (c Credentials) Count() (int, error) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	return c.d.replica.count, nil
}

// All implements [authenticator.Credentials].
func (c Credentials) All() ([]*authenticator.Credential, error) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	var all []*authenticator.Credential
	for _, e := range c.d.replica.sorted() {
		all = append(all, e.cred)
	}
	return all, nil
}

// sorted returns the entries that can be seen, oldest first.
func (r *replica) sorted() []*entry {
	seen := make([]*entry, 0, len(r.byID))
	for _, e := range r.byID {
		seen = append(seen, e)
	}
	slices.SortFunc(seen, compareAge)
	return seen
}

// Clear implements [authenticator.Credentials].
func (c Credentials) Clear() error {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	for _, e := range c.d.replica.sorted() {
		c.d.replica.remove(e)
	}
	return c.d.commit()
}
