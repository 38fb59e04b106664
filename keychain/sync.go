package keychain

import (
	"context"
	"errors"
	"slices"
)

// SyncResult is what a Sync did.
type SyncResult struct {
	Pushed    int    `json:"pushed"`    // changes that the service took
	Pulled    int    `json:"pulled"`    // entities that changed here
	Conflicts int    `json:"conflicts"` // changes that met another and were merged
	Revision  uint64 `json:"revision"`  // of the service, known now
	Epoch     uint   `json:"epoch"`
}

// Sync uploads what changed here and takes over what changed elsewhere, until
// there is nothing left of either. What was done before an error stays done; the
// next Sync goes on from there. Its cost is that of what changed, not of what is
// stored.
func (d *Device) Sync(ctx context.Context) (SyncResult, error) {
	d.talking.Lock()
	defer d.talking.Unlock()
	var result SyncResult
	s, err := d.session()
	if err != nil {
		return result, err
	}
	if err := d.expire(); err != nil {
		return result, err
	}
	for {
		var more bool
		err := d.atEpoch(ctx, &s, func() (err error) {
			more, err = d.round(ctx, &s, &result)
			return err
		})
		if errors.Is(err, Revoked) {
			return result, errors.Join(err, d.leaveBehind())
		}
		if err != nil || !more {
			result.Epoch = s.ring.epoch()
			return result, err
		}
	}
}

// batch is the changes of one request.
type batch struct {
	entries []*entry
	edits   []uint32 // the last edit of each entry when it was sealed
	changes []sealedEntity
	since   uint64
}

// round is one request and its answer.
func (d *Device) round(ctx context.Context, s *session, result *SyncResult) (more bool, err error) {
	b, err := d.collect(s)
	if err != nil {
		return false, err
	}
	r, err := call[syncResponse](ctx, d.cloud, OpSync, s.bearer, syncRequest{b.since, s.ring.epoch(), b.changes})
	if err != nil {
		d.putBack(b)
		return false, err
	}
	remote, err := d.decrypt(ctx, s, r)
	if err == nil {
		err = b.check(r)
	}
	if err != nil {
		d.putBack(b)
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle(b, r, remote, result)
	return r.More || len(d.replica.queue) > 0, d.commit()
}

// collect seals the changes that wait, as many as fit.
func (d *Device) collect(s *session) (*batch, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := &batch{entries: d.replica.dequeue(maxChanges), changes: []sealedEntity{}, since: d.revision}
	for _, e := range b.entries {
		sealed, err := e.seal(d.env.Rand, s.account, s.ring)
		if err != nil {
			d.replica.requeue(b.entries)
			return nil, err
		}
		b.changes = append(b.changes, sealed)
		b.edits = append(b.edits, e.edit)
	}
	return b, nil
}

// putBack lets the changes wait for the next request.
func (d *Device) putBack(b *batch) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.replica.requeue(b.entries)
}

// check tells whether an answer fits the changes and leads on.
func (b *batch) check(r *syncResponse) error {
	if len(r.Accepted) != len(b.changes) {
		return damaged("the answer speaks of %d changes; %d were sent", len(r.Accepted), len(b.changes))
	}
	if len(r.Accepted) == 0 || r.More || len(r.Entities) > 0 || slices.Max(r.Accepted) > 0 {
		return nil
	}
	return failure(RolledBack, restartHint, "the service refuses changes and shows nothing that they conflict with")
}

// decrypt opens the entities of an answer. Those of an epoch that is not known
// yet make it get the domain keys.
func (d *Device) decrypt(ctx context.Context, s *session, r *syncResponse) ([]*entry, error) {
	remote := make([]*entry, 0, len(r.Entities))
	for _, sealed := range r.Entities {
		if sealed.Epoch > s.ring.epoch() {
			if err := d.refresh(ctx, s); err != nil {
				return nil, err
			}
		}
		e, err := sealed.open(s.account, s.ring)
		if err != nil {
			return nil, err
		}
		remote = append(remote, e)
	}
	return remote, nil
}

// settle takes over an answer. d.mu is held.
func (d *Device) settle(b *batch, r *syncResponse, remote []*entry, result *SyncResult) {
	for i, e := range b.entries {
		if r.Accepted[i] == 0 {
			result.Conflicts++
			continue
		}
		if d.replica.entries[e.id] != e {
			continue // a store that failed meanwhile took the replica back: the next sync finds out
		}
		d.replica.uploaded(e, r.Accepted[i], b.edits[i])
		result.Pushed++
	}
	for _, e := range remote {
		if d.replica.accept(e) {
			result.Pulled++
		}
	}
	d.replica.requeue(b.entries)
	d.companions(r.Devices)
	d.revision = r.Revision
	result.Revision = r.Revision
}
