package reference

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"fido-emu/rp/reference/recovery"
)

// Forgotten compares everything that is in memory with what is in the file, and lists the
// records that differ: changes that nobody noted.
func (c *Core) Forgotten() (differ []string, err error) {
	found := map[place]string{}
	err = c.config.State.each(func(p place, value []byte) error {
		found[p] = string(value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	want, err := c.everything()
	if err != nil {
		return nil, err
	}
	config := c.config
	config.State, config.Rand = nil, zeros{}
	fresh, err := New(config)
	if err != nil {
		return nil, err
	}
	if c.office.desk != nil {
		*fresh.office.kept = recovery.New(recovery.Env{}).Snapshot()
	}
	unset, err := fresh.everything()
	if err != nil {
		return nil, err
	}
	for p := range want { // settings as they were at first need no record
		if _, ok := found[p]; !ok && p.bucket == inSettings && want[p] == unset[p] {
			delete(want, p)
		}
	}
	places := maps.Clone(found)
	maps.Copy(places, want)
	for p := range places {
		if found[p] != want[p] {
			differ = append(differ, fmt.Sprintf("%s: the file has %q, memory %q", p, found[p], want[p]))
		}
	}
	slices.Sort(differ)
	return differ, nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// everything is what a file would hold to which all had been written at once.
func (c *Core) everything() (map[place]string, error) {
	snapshot := func() recovery.Snapshot { return *c.office.kept }
	if d := c.office.desk; d != nil {
		snapshot = d.Snapshot
	}
	desk := snapshot()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[place]string{}
	for _, p := range c.places() {
		value, err := sealed(p, c.record(p, func() recovery.Snapshot { return desk }))
		if err != nil {
			return nil, err
		}
		if value != nil {
			all[p] = string(value)
		}
	}
	return all, nil
}

// places lists where there may be records.
func (c *Core) places() (all []place) {
	for _, name := range []string{settingSite, settingPolicies, settingGroups, settingMethods, settingAccess, settingMetadata, settingHolders, settingRecovery} {
		all = append(all, place{inSettings, name})
	}
	for _, names := range [][]string{keys(c.people), keys(c.directory), keys(c.office.identities), keys(c.tries.items)} {
		for _, name := range names {
			all = append(all, place{inNames, name})
		}
	}
	for _, hash := range keys(c.sessions.items) {
		all = append(all, place{inSessions, hash})
	}
	all = append(all, entries(inAudit, &c.audit)...)
	all = append(all, entries(inSignIns, &c.doors.log)...)
	all = append(all, entries(inRecoveries, &c.office.log)...)
	return append(all, entries(inMessages, &c.doors.post.sent)...)
}

func entries[E any](bucket string, j *journal[E]) (all []place) {
	for i := range j.entries {
		all = append(all, place{bucket, numbered(j.oldest() + uint64(i))})
	}
	return all
}

func keys[V any](m map[string]V) []string { return slices.Collect(maps.Keys(m)) }

// Everything is what is in memory, as a file has it.
func (c *Core) Everything() map[string]string {
	all, err := c.everything()
	if err != nil {
		panic(err)
	}
	found := map[string]string{}
	for p, value := range all {
		found[p.String()] = value
	}
	return found
}

// Seal is a record of a file that holds this JSON.
func Seal(bucket, key, text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, checksum(place{bucket, key}, []byte(text))), text...)
}

// Records is everything that is in memory, as a file has it.
type Records map[place]string

// Record puts one record among others.
func (r Records) Record(bucket, key, text string) Records {
	all := maps.Clone(r)
	all[place{bucket, key}] = string(Seal(bucket, key, text))
	return all
}

// Sum makes the sum of a file that of its records.
func Sum(tx *bbolt.Tx) error {
	var s sum
	for _, name := range buckets() {
		if b := tx.Bucket([]byte(name)); b != nil {
			_ = b.ForEach(func(_, v []byte) error {
				s.swap(nil, v)
				return nil
			})
		}
	}
	return s.put(tx)
}

// Kept returns the records of a file.
func (s *State) Kept() (Records, error) {
	found := Records{}
	return found, s.each(func(p place, value []byte) error {
		found[p] = string(value)
		return nil
	})
}

// Taken takes records up and returns what would be kept of them then.
func (r Records) Taken(config Config) (Records, error) {
	config.Rand = zeros{}
	core, err := New(config)
	if err != nil {
		return nil, err
	}
	l := &loading{Core: core}
	for _, bucket := range buckets() {
		for _, p := range slices.SortedFunc(maps.Keys(r), func(a, b place) int { return strings.Compare(a.key, b.key) }) {
			if p.bucket != bucket {
				continue
			}
			if err := l.take(p, []byte(r[p])); err != nil {
				return nil, err
			}
		}
	}
	if err := l.settle(); err != nil {
		return nil, err
	}
	return core.everything()
}
