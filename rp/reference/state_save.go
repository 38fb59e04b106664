package reference

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"maps"
	"slices"

	"fido-emu/rp"
	"fido-emu/rp/reference/recovery"
)

// place is where a record is in a [State].
type place struct{ bucket, key string }

// changed notes that a record is not in the file as it is here; the caller holds the
// lock.
func (c *Core) changed(bucket, key string) {
	if c.config.State != nil {
		c.changes[place{bucket, key}] = struct{}{}
	}
}

// changedName is changed for all that is kept under a user name; the caller holds the lock.
func (c *Core) changedName(name string) {
	if c.config.State != nil && name != "" {
		c.changed(inNames, fold(name))
	}
}

// deskChanged is changed for the recovery desk, whose lock the caller does not hold.
func (c *Core) deskChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed(inSettings, settingRecovery)
}

// Save makes durable what was changed before it was called; without Config.State there is
// nothing to do. [Handler] calls it before every answer, and whoever uses the methods of a
// Core themselves calls it before they tell of what they did. The error is an *rp.Broken;
// once there was one, nothing is saved any more.
func (c *Core) Save() error {
	s := c.config.State
	if s == nil {
		return nil
	}
	s.mu.Lock() // what others are just saving may have been seen by the caller
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	writes, err := c.unsaved()
	if err == nil && len(writes) > 0 {
		err = s.commit(writes)
	}
	if err != nil {
		s.failed = &rp.Broken{Doing: "saving what was done", Err: err}
		close(s.lost)
	}
	return s.failed
}

// Lost returns a channel that is closed once something could not be saved; nil for a
// nil State.
func (s *State) Lost() <-chan struct{} {
	if s == nil {
		return nil
	}
	return s.lost
}

// failure tells why nothing can be saved any more, nil where it can.
func (s *State) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// unsaved returns the records that were changed, as they are at one moment.
func (c *Core) unsaved() (writes []write, err error) {
	c.mu.RLock()
	clean := len(c.changes) == 0
	c.mu.RUnlock()
	if clean {
		return nil, nil
	}
	c.steps.Lock()
	defer c.steps.Unlock()
	take := func(desk func() recovery.Snapshot) { writes, err = c.takeChanges(desk) }
	if c.office.desk == nil {
		take(func() recovery.Snapshot { return *c.office.kept })
	} else {
		c.office.desk.Frozen(take)
	}
	return writes, err
}

func (c *Core) takeChanges(desk func() recovery.Snapshot) ([]write, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	places := slices.SortedFunc(maps.Keys(c.changes), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.key, b.key))
	})
	clear(c.changes)
	var writes []write
	for _, p := range places {
		value, err := sealed(p, c.record(p, desk))
		if err != nil {
			return nil, err
		}
		writes = append(writes, write{p, value})
	}
	return writes, nil
}

// sealed is a record as it is written: a CRC-32 (Castagnoli) of its place and of its JSON,
// big endian, and the JSON. No record is no bytes.
func sealed(p place, record any) ([]byte, error) {
	if record == nil {
		return nil, nil
	}
	b, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(nil, checksum(p, b)), b...), nil
}

const checksumSize = 4

func checksum(p place, b []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum([]byte(p.bucket+"\x00"+p.key+"\x00"), table), table, b)
}
