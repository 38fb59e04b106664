package keychain

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// A device with a store keeps one record of its membership and one of each
// entity. Every change is committed, with all that belongs to it, before the call
// that made it returns.
const (
	membershipKey = "membership"
	entityPrefix  = "entity/"
)

// OpenDevice returns the device that env.Store holds, or a new one in an empty
// store. It has the name under which it was stored first. What its Credentials
// and its other methods change is durable when they return; when it could not be
// stored, the device is as it was before.
func OpenDevice(name string, cloud Cloud, env Env) (*Device, error) {
	d := &Device{name: name, cloud: cloud, env: env, replica: newReplica()}
	if env.Store == nil {
		return d, nil
	}
	return d, d.reload()
}

// reload makes the device what its store says.
func (d *Device) reload() error {
	d.saved = nil
	var s Snapshot
	err := d.env.Store.Load(func(r Record) error {
		if r.Key == membershipKey {
			d.saved = r.Value
			return unmarshalRecord(r, &s)
		}
		var e SnapshotEntity
		if err := unmarshalRecord(r, &e); err != nil {
			return err
		}
		s.Entities = append(s.Entities, e)
		return nil
	})
	if err != nil {
		return err
	}
	if s.Name != "" {
		d.name = s.Name
	}
	return d.restore(s)
}

func unmarshalRecord(r Record, v any) error {
	if err := json.Unmarshal(r.Value, v); err != nil {
		return fmt.Errorf("keychain: record %q of a device cannot be read: %w", r.Key, err)
	}
	return nil
}

// commit stores what changed since the last commit. d.mu is held.
func (d *Device) commit() error {
	changed := d.replica.unsaved
	d.replica.unsaved = nil
	for _, e := range changed {
		e.unsaved = false
	}
	if d.env.Store == nil {
		return nil
	}
	records, err := d.records(changed)
	if err == nil && len(records) > 0 {
		err = d.env.Store.Commit(records)
	}
	if err == nil {
		return nil
	}
	if lost := d.reload(); lost != nil {
		return &Error{Code: StorageFailed, Message: d.name + " could neither store a change nor go back", Err: lost}
	}
	return &Error{Code: StorageFailed, Message: d.name + " could not store a change, which was not made", Err: err}
}

// records are those of the entries, and that of the membership if it is another
// than last time.
func (d *Device) records(changed []*entry) ([]Record, error) {
	var records []Record
	membership, err := json.Marshal(d.membership())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(membership, d.saved) {
		records = append(records, Record{membershipKey, membership})
		d.saved = membership
	}
	for _, e := range changed {
		s, err := e.snapshot()
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		records = append(records, Record{entityPrefix + e.id.String(), value})
	}
	return records, nil
}

// erase removes everything from the store. d.mu is held.
func (d *Device) erase() error {
	if d.env.Store == nil {
		return nil
	}
	gone := []Record{{Key: membershipKey}}
	for id := range d.replica.entries {
		gone = append(gone, Record{Key: entityPrefix + id.String()})
	}
	if err := d.env.Store.Commit(gone); err != nil {
		return &Error{Code: StorageFailed, Message: d.name + " could not be wiped", Err: err}
	}
	d.saved = nil
	return nil
}
