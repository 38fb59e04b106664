package keychain

import (
	"bytes"
	"crypto/ecdh"
	"fmt"
	"slices"
)

// Snapshot is all that a device holds, as plain data: for cloning a device, and
// for keeping one. It contains private keys.
type Snapshot struct {
	Name     string           `json:"name"`
	Identity []byte           `json:"identity,omitempty"` // P-256 scalar; absent without an account
	Account  string           `json:"account,omitempty"`
	Member   string           `json:"member,omitempty"`
	Bearer   []byte           `json:"bearer,omitempty"`
	Anchor   []byte           `json:"anchor,omitempty"`
	Joined   bool             `json:"joined"`
	Provider Provider         `json:"provider"`
	Keys     [][]byte         `json:"keys,omitempty"` // domain keys, from epoch 1 on
	Revision uint64           `json:"revision"`
	Entities []SnapshotEntity `json:"entities"` // by id
}

// SnapshotEntity is an entity in a Snapshot.
type SnapshotEntity struct {
	ID       []byte `json:"id"`
	Body     []byte `json:"body"` // what its ciphertext would hold
	Revision uint64 `json:"revision"`
	Dirty    int    `json:"dirty,omitempty"` // place in the queue of uploads, from 1; 0 for none
	BackedUp bool   `json:"backedUp,omitempty"`
}

// Snapshot returns all that the device holds.
func (d *Device) Snapshot() (Snapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Snapshot{
		Name: d.name, Account: d.account, Member: d.member, Bearer: d.bearer, Anchor: d.anchor,
		Joined: d.joined, Provider: d.provider, Revision: d.revision,
	}
	if d.identity != nil {
		s.Identity = d.identity.Bytes()
	}
	for _, k := range d.ring {
		s.Keys = append(s.Keys, k.raw)
	}
	for _, e := range d.replica.entries {
		body, err := e.encode()
		if err != nil {
			return Snapshot{}, err
		}
		s.Entities = append(s.Entities, SnapshotEntity{
			ID: slices.Clone(e.id[:]), Body: body, Revision: e.revision, BackedUp: e.cred.BackedUp,
			Dirty: slices.Index(d.replica.queue, e) + 1,
		})
	}
	slices.SortFunc(s.Entities, func(a, b SnapshotEntity) int { return bytes.Compare(a.ID, b.ID) })
	return s, nil
}

// RestoreDevice returns a device that holds what a snapshot says. Restored while
// the original lives on, it is a clone: the service cannot tell them apart.
func RestoreDevice(s Snapshot, cloud Cloud, env Env) (*Device, error) {
	d := NewDevice(s.Name, cloud, env)
	d.account, d.member, d.bearer, d.anchor = s.Account, s.Member, s.Bearer, s.Anchor
	d.joined, d.provider, d.revision = s.Joined, s.Provider, s.Revision
	var err error
	if s.Identity != nil {
		if d.identity, err = ecdh.P256().NewPrivateKey(s.Identity); err != nil {
			return nil, fmt.Errorf("keychain: snapshot of %s: identity: %w", s.Name, err)
		}
	}
	for _, raw := range s.Keys {
		if d.ring, err = d.ring.append(raw); err != nil {
			return nil, fmt.Errorf("keychain: snapshot of %s: %w", s.Name, err)
		}
	}
	if err := d.replica.restore(s.Entities); err != nil {
		return nil, fmt.Errorf("keychain: snapshot of %s: %w", s.Name, err)
	}
	return d, nil
}

func (r *replica) restore(entities []SnapshotEntity) error {
	var queue []SnapshotEntity
	for _, s := range entities {
		if len(s.ID) != len(EntityID{}) || r.entries[EntityID(s.ID)] != nil {
			return fmt.Errorf("entity id %x is not one, or there twice", s.ID)
		}
		e, err := decodeEntry(EntityID(s.ID), s.Body)
		if err != nil {
			return err
		}
		e.revision = s.Revision
		e.cred = withBackup(e.cred, s.BackedUp)
		r.add(e)
		if s.Dirty > 0 {
			queue = append(queue, s)
		}
	}
	slices.SortFunc(queue, func(a, b SnapshotEntity) int { return a.Dirty - b.Dirty })
	for _, s := range queue {
		r.touch(r.entries[EntityID(s.ID)])
	}
	return nil
}
