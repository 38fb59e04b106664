package keychain

import (
	"maps"
	"slices"
	"sync"
)

// Record is one thing that a service stores. A nil Value stands for none.
type Record struct {
	Key   string
	Value []byte
}

// Store keeps the records of a service. A service reads all of them when it
// starts, and then only writes what changes.
type Store interface {
	// Load calls each with every record, in the order of the keys, and stops at
	// the first error.
	Load(each func(Record) error) error
	// Commit writes records, all or none of them, and returns once they are
	// durable.
	Commit(records []Record) error
}

// MemoryStore is a [Store] that lasts as long as the process.
type MemoryStore struct {
	mu      sync.Mutex
	records map[string][]byte
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{records: map[string][]byte{}} }

// Load implements [Store].
func (m *MemoryStore) Load(each func(Record) error) error {
	m.mu.Lock()
	records := maps.Clone(m.records)
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(records)) {
		if err := each(Record{key, records[key]}); err != nil {
			return err
		}
	}
	return nil
}

// Commit implements [Store].
func (m *MemoryStore) Commit(records []Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		if r.Value == nil {
			delete(m.records, r.Key)
			continue
		}
		m.records[r.Key] = r.Value
	}
	return nil
}
