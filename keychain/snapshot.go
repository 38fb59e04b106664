package keychain

import (
	"bytes"
	"cmp"
	"crypto/ecdh"
	"fmt"
	"slices"
)

// Snapshot is all that a device holds, as plain data: for cloning a device, and
// for keeping one. It contains private keys.
type Snapshot struct {
	Name     string   `json:"name"`
	Identity []byte   `json:"identity,omitempty"` // P-256 scalar; absent without an account
	Account  string   `json:"account,omitempty"`
	Member   string   `json:"member,omitempty"`
	Bearer   []byte   `json:"bearer,omitempty"`
	Anchor   []byte   `json:"anchor,omitempty"`
	Joined   bool     `json:"joined"`
	Provider Provider `json:"provider"`
	Keys     [][]byte `json:"keys,omitempty"` // domain keys, from epoch 1 on
	Revision uint64   `json:"revision"`

	SecretKey string   `json:"secretKey,omitempty"`
	Packets   []Packet `json:"packets,omitempty"` // of those whose recovery contact it is
	Heard     uint64   `json:"heard,omitempty"`   // notices that it read
	Devices   uint     `json:"devices,omitempty"` // of the account, when it last synced

	Entities []SnapshotEntity `json:"entities,omitempty"` // by id
}

// SnapshotEntity is an entity in a Snapshot.
type SnapshotEntity struct {
	ID       []byte `json:"id"`
	Body     []byte `json:"body"` // what its ciphertext would hold
	Revision uint64 `json:"revision"`
	Edit     uint32 `json:"edit,omitempty"`  // number of the last change made here
	Dirty    bool   `json:"dirty,omitempty"` // that change waits for upload
	BackedUp bool   `json:"backedUp,omitempty"`
}

// Snapshot returns all that the device holds.
func (d *Device) Snapshot() (Snapshot, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.membership()
	for _, e := range d.replica.entries {
		entity, err := e.snapshot()
		if err != nil {
			return Snapshot{}, err
		}
		s.Entities = append(s.Entities, entity)
	}
	slices.SortFunc(s.Entities, func(a, b SnapshotEntity) int { return bytes.Compare(a.ID, b.ID) })
	return s, nil
}

// membership is a snapshot without entities.
func (d *Device) membership() Snapshot {
	s := Snapshot{
		Name: d.name, Account: d.account, Member: d.member, Bearer: d.bearer, Anchor: d.anchor,
		Joined: d.joined, Provider: d.provider, Revision: d.revision,
		SecretKey: d.secretKey, Packets: d.packets, Heard: d.heard, Devices: d.devices,
	}
	if d.identity != nil {
		s.Identity = d.identity.Bytes()
	}
	for _, k := range d.ring {
		s.Keys = append(s.Keys, k.raw)
	}
	return s
}

func (e *entry) snapshot() (SnapshotEntity, error) {
	body, err := e.encode()
	return SnapshotEntity{
		ID: slices.Clone(e.id[:]), Body: body, Revision: e.revision, Edit: e.edit, Dirty: e.dirty, BackedUp: e.cred.BackedUp,
	}, err
}

// RestoreDevice returns a device that holds what a snapshot says, in memory.
// Restored while the original lives on, it is a clone: the service cannot tell
// them apart.
func RestoreDevice(s Snapshot, cloud Cloud, env Env) (*Device, error) {
	d := NewDevice(s.Name, cloud, env)
	return d, d.restore(s)
}

// restore replaces all that d holds.
func (d *Device) restore(s Snapshot) (err error) {
	d.forget()
	d.account, d.member, d.bearer, d.anchor = s.Account, s.Member, s.Bearer, s.Anchor
	d.joined, d.revision, d.secretKey, d.packets = s.Joined, s.Revision, s.SecretKey, s.Packets
	d.heard, d.devices = s.Heard, s.Devices
	if s.Identity != nil {
		if d.identity, err = ecdh.P256().NewPrivateKey(s.Identity); err != nil {
			return fmt.Errorf("keychain: snapshot of %s: identity: %w", s.Name, err)
		}
	}
	for _, raw := range s.Keys {
		if d.ring, err = d.ring.append(raw); err != nil {
			return fmt.Errorf("keychain: snapshot of %s: %w", s.Name, err)
		}
	}
	if d.joined && (d.identity == nil || d.ring == nil) {
		return fmt.Errorf("keychain: snapshot of %s: a member without keys", s.Name)
	}
	d.replica = newReplica()
	d.obey(s.Provider)
	if err := d.replica.restore(s.Entities); err != nil {
		return fmt.Errorf("keychain: snapshot of %s: %w", s.Name, err)
	}
	return nil
}

func (r *replica) restore(entities []SnapshotEntity) error {
	for _, s := range entities {
		if len(s.ID) != len(EntityID{}) || r.entries[EntityID(s.ID)] != nil {
			return fmt.Errorf("entity id %x is not one, or there twice", s.ID)
		}
		e, err := decodeEntry(EntityID(s.ID), s.Body)
		if err != nil {
			return err
		}
		e.revision, e.edit, e.dirty = s.Revision, s.Edit, s.Dirty
		e.cred = withBackup(e.cred, s.BackedUp)
		r.add(e)
		r.edits = max(r.edits, e.edit)
		if e.dirty {
			r.enqueue(e)
		}
	}
	slices.SortFunc(r.queue, func(a, b *entry) int { return cmp.Compare(a.edit, b.edit) })
	return nil
}
