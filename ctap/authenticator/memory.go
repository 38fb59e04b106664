package authenticator

import (
	"crypto/sha256"
	"slices"
	"sync"

	"fido-emu/ctap"
)

// MemoryDevice is a DeviceState that lasts as long as the process. It is safe for
// concurrent use; the zero value is a device that was never used.
type MemoryDevice struct {
	mu     sync.Mutex
	device Device
}

// NewMemoryDevice returns the state of a device that was never used.
func NewMemoryDevice() *MemoryDevice { return &MemoryDevice{} }

// Load returns what was saved last.
func (m *MemoryDevice) Load() (Device, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.device, nil
}

// Save keeps d.
func (m *MemoryDevice) Save(d Device) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device = d
	return nil
}

// NextCounter adds one to the signature counter.
func (m *MemoryDevice) NextCounter() (uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device.Counter++
	return m.device.Counter, nil
}

// MemoryCredentials is a Credentials store that lasts as long as the process. It is
// safe for concurrent use.
type MemoryCredentials struct {
	limit int

	mu           sync.Mutex
	byID         map[key]*entry
	byUser       map[key]*entry // discoverable ones, by relying party and user
	byRP         map[key]*entry // the newest discoverable one of each relying party
	first, last  *entry         // of all, in order of creation
	discoverable int
}

// key stands for an id of any length: the start of its SHA-256, so that indexes
// hold no second copy of it.
type key [16]byte

func keyOf(parts ...[]byte) key {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	var sum [sha256.Size]byte
	return key(h.Sum(sum[:0])[:16])
}

func rpKey(rpIDHash [32]byte) key { return key(rpIDHash[:16]) }

// entry is a credential in its lists: of all credentials, and of the discoverable
// ones of its relying party.
type entry struct {
	credential   *Credential
	before, next *entry // by creation
	older, newer *entry // within the relying party
}

// NewMemoryCredentials returns an empty store for at most limit discoverable
// credentials, 0 for any number.
func NewMemoryCredentials(limit int) *MemoryCredentials {
	return &MemoryCredentials{limit: limit}
}

// ByID returns the credential with this id, or nil.
func (m *MemoryCredentials) ByID(id []byte) (*Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.byID[keyOf(id)]; e != nil {
		return e.credential, nil
	}
	return nil, nil
}

// ByRP returns the discoverable credentials of a relying party, newest first.
func (m *MemoryCredentials) ByRP(rpIDHash [32]byte) ([]*Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []*Credential
	for e := m.byRP[rpKey(rpIDHash)]; e != nil; e = e.older {
		found = append(found, e.credential)
	}
	return found, nil
}

// Put adds a credential or replaces one.
func (m *MemoryCredentials) Put(c *Credential) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.byID[keyOf(c.ID)]
	if old != nil && sameAccount(old.credential, c) {
		old.credential = c // in its place
		return nil
	}
	var replaced *entry // of the same account
	if c.Discoverable {
		replaced = m.byUser[userKey(c)]
	}
	if m.limit > 0 && c.Discoverable && m.discoverable-discoverables(old, replaced) >= m.limit {
		return ctap.ErrKeyStoreFull
	}
	if old != nil {
		m.remove(old)
	}
	if replaced != nil && replaced != old {
		m.remove(replaced)
	}
	m.insert(&entry{credential: c})
	return nil
}

// discoverables counts the distinct discoverable credentials among two entries.
func discoverables(a, b *entry) (n int) {
	if a != nil && a.credential.Discoverable {
		n++
	}
	if b != nil && b != a {
		n++
	}
	return n
}

func sameAccount(a, b *Credential) bool {
	return a.Discoverable == b.Discoverable && a.CreatedAt.Equal(b.CreatedAt) &&
		a.RP.ID == b.RP.ID && slices.Equal(a.User.ID, b.User.ID)
}

func userKey(c *Credential) key {
	rp := sha256.Sum256([]byte(c.RP.ID))
	return keyOf(rp[:], c.User.ID)
}

func (m *MemoryCredentials) insert(e *entry) {
	if m.byID == nil {
		m.byID, m.byUser, m.byRP = map[key]*entry{}, map[key]*entry{}, map[key]*entry{}
	}
	m.byID[keyOf(e.credential.ID)] = e
	m.link(e)
	if e.credential.Discoverable {
		m.discoverable++
		m.byUser[userKey(e.credential)] = e
		m.linkWithinRP(e)
	}
}

// link puts an entry among all, by its time of creation: nearly always last.
func (m *MemoryCredentials) link(e *entry) {
	e.before = m.last
	for e.before != nil && e.before.credential.CreatedAt.After(e.credential.CreatedAt) {
		e.before = e.before.before
	}
	if e.before != nil {
		e.next, e.before.next = e.before.next, e
	} else {
		e.next, m.first = m.first, e
	}
	if e.next != nil {
		e.next.before = e
	} else {
		m.last = e
	}
}

// linkWithinRP puts an entry among those of its relying party, by its time of
// creation: nearly always as the newest.
func (m *MemoryCredentials) linkWithinRP(e *entry) {
	rp := rpKey(sha256.Sum256([]byte(e.credential.RP.ID)))
	e.older = m.byRP[rp]
	for e.older != nil && e.older.credential.CreatedAt.After(e.credential.CreatedAt) {
		e.newer, e.older = e.older, e.older.older
	}
	if e.older != nil {
		e.older.newer = e
	}
	if e.newer != nil {
		e.newer.older = e
	} else {
		m.byRP[rp] = e
	}
}

func (m *MemoryCredentials) remove(e *entry) {
	delete(m.byID, keyOf(e.credential.ID))
	if e.before != nil {
		e.before.next = e.next
	} else {
		m.first = e.next
	}
	if e.next != nil {
		e.next.before = e.before
	} else {
		m.last = e.before
	}
	if e.credential.Discoverable {
		m.removeDiscoverable(e)
	}
}

func (m *MemoryCredentials) removeDiscoverable(e *entry) {
	m.discoverable--
	delete(m.byUser, userKey(e.credential))
	if e.older != nil {
		e.older.newer = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
		return
	}
	rp := rpKey(sha256.Sum256([]byte(e.credential.RP.ID)))
	if e.older != nil {
		m.byRP[rp] = e.older
	} else {
		delete(m.byRP, rp)
	}
}

// Delete removes a credential; an unknown id is no error.
func (m *MemoryCredentials) Delete(id []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.byID[keyOf(id)]; e != nil {
		m.remove(e)
	}
	return nil
}

// Count returns how many discoverable credentials there are.
func (m *MemoryCredentials) Count() (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.discoverable, nil
}

// All returns every credential, oldest first.
func (m *MemoryCredentials) All() ([]*Credential, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Credential
	for e := m.first; e != nil; e = e.next {
		all = append(all, e.credential)
	}
	return all, nil
}

// Clear removes every credential.
func (m *MemoryCredentials) Clear() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byID, m.byUser, m.byRP = nil, nil, nil
	m.first, m.last, m.discoverable = nil, nil, 0
	return nil
}
