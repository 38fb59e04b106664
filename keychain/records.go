package keychain

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"fido-emu/ctap"
)

// What the service stores. A record's key is its kind, the account's id and, for
// members and entities, their own id. The state in memory changes by applying
// records alone, the same when they are made and when they are loaded.
type (
	accountRecord struct {
		ID       string   `cbor:"-"`
		Salt     []byte   `cbor:"1,keyasint"`
		Verifier []byte   `cbor:"2,keyasint"` // SHA-256(Salt ‖ login proof)
		Anchor   []byte   `cbor:"3,keyasint"`
		Epoch    uint     `cbor:"4,keyasint"`
		Links    [][]byte `cbor:"5,keyasint"`
	}
	memberRecord struct {
		Account   string      `cbor:"-"`
		ID        string      `cbor:"-"`
		Name      string      `cbor:"1,keyasint"`
		PublicKey []byte      `cbor:"2,keyasint"`
		Bearer    []byte      `cbor:"3,keyasint"` // SHA-256 of it
		State     memberState `cbor:"4,keyasint"`
		Box       []byte      `cbor:"5,keyasint,omitempty"` // the current domain key for it
		Order     uint64      `cbor:"6,keyasint"`           // 1 for the first that asked
		Via       JoinWay     `cbor:"7,keyasint,omitempty"` // how it joins; empty for the founder
		Since     int64       `cbor:"8,keyasint,omitempty"` // when it asked, Unix nanoseconds
	}
	escrowRecord struct {
		Account    string `cbor:"-"`
		Salt       []byte `cbor:"1,keyasint"`
		Iterations int    `cbor:"2,keyasint"`
		Verifier   []byte `cbor:"3,keyasint"` // SHA-256(Salt ‖ passcode proof)
		Sealed     []byte `cbor:"4,keyasint"`
		PublicKey  []byte `cbor:"5,keyasint"`
		Box        []byte `cbor:"6,keyasint"`
		TriesLeft  uint   `cbor:"7,keyasint"`
		Destroyed  bool   `cbor:"8,keyasint,omitempty"`

		Ends        uint  `cbor:"9,keyasint,omitempty"`  // how often the last try was used up, in a row
		LockedUntil int64 `cbor:"10,keyasint,omitempty"` // Unix nanoseconds
	}
	entityRecord struct {
		Account    string   `cbor:"-"`
		ID         EntityID `cbor:"-"`
		Epoch      uint     `cbor:"1,keyasint"`
		Revision   uint64   `cbor:"2,keyasint"`
		Dead       bool     `cbor:"3,keyasint,omitempty"`
		Nonce      []byte   `cbor:"4,keyasint"`
		Ciphertext []byte   `cbor:"5,keyasint"`
	}
)

// memberState is how far a device got.
type memberState string

const (
	statePending    memberState = "pending"    // asked to join, waits for approval
	stateRecovering memberState = "recovering" // opened the escrow, has not wrapped the domain key to itself yet
	stateMember     memberState = "member"
	stateRevoked    memberState = "revoked"
)

// EntityID is the random id of an entity.
type EntityID [16]byte

// String returns the id in hexadecimal.
func (id EntityID) String() string { return hex.EncodeToString(id[:]) }

func parseEntityID(s string) (id EntityID, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, failure(BadRequest, "", "entity id %q is not 32 hexadecimal digits", s)
	}
	return EntityID(b), nil
}

// change is a record on its way into the store and the memory of a service.
type change interface {
	key() string
	apply(*Service)
}

func (r *accountRecord) key() string { return "account/" + r.ID }
func (r *memberRecord) key() string  { return "member/" + r.Account + "/" + r.ID }
func (r *escrowRecord) key() string  { return "escrow/" + r.Account }
func (r *entityRecord) key() string  { return "entity/" + r.Account + "/" + r.ID.String() }

func (r *accountRecord) apply(s *Service) { s.account(r.ID).accountRecord = *r }

func (r *escrowRecord) apply(s *Service) { s.account(r.Account).escrow = r }

func (r *memberRecord) apply(s *Service) {
	a := s.account(r.Account)
	if old := a.members[r.ID]; old != nil {
		delete(s.bearers, [32]byte(old.Bearer))
		a.order[slices.Index(a.order, old)] = r
	} else {
		a.order = append(a.order, r)
	}
	a.members[r.ID] = r
	s.bearers[[32]byte(r.Bearer)] = r
}

func (r *entityRecord) apply(s *Service) {
	a := s.account(r.Account)
	a.entities[r.ID] = r
	a.log = append(a.log, logged{r.Revision, r.ID})
	a.revision = max(a.revision, r.Revision)
	a.compact()
}

// account returns the account with this id in memory, an empty one when there is
// none. Records of one account may be loaded in any order.
func (s *Service) account(id string) *account {
	a := s.accounts[id]
	if a == nil {
		a = &account{members: map[string]*memberRecord{}, entities: map[EntityID]*entityRecord{}}
		s.accounts[id] = a
	}
	return a
}

// commit stores changes and then applies them.
func (s *Service) commit(changes ...change) error {
	records := make([]Record, len(changes))
	for i, c := range changes {
		value, err := ctap.Encode(c)
		if err != nil {
			return &Error{Code: StorageFailed, Message: "the service cannot write " + c.key(), Err: err}
		}
		records[i] = Record{c.key(), value}
	}
	if err := s.store.Commit(records); err != nil {
		return &Error{Code: StorageFailed, Message: "the service could not store the change: " + err.Error(), Err: err}
	}
	for _, c := range changes {
		c.apply(s)
	}
	return nil
}

// load applies a record of the store.
func (s *Service) load(r Record) error {
	kind, rest, _ := strings.Cut(r.Key, "/")
	id, own, _ := strings.Cut(rest, "/")
	var c change
	switch kind {
	case "account":
		c = &accountRecord{ID: id}
	case "member":
		c = &memberRecord{Account: id, ID: own}
	case "escrow":
		c = &escrowRecord{Account: id}
	case "spare":
		c = &spareRecord{Account: id, ID: own}
	case "notice":
		c = &noticeRecord{Account: id}
	case "group":
		c = &groupRecord{Account: id}
	case "case":
		c = &caseRecord{Account: id}
	case "entity":
		entity, err := parseEntityID(own)
		if err != nil {
			return fmt.Errorf("keychain: record %q: %w", r.Key, err)
		}
		c = &entityRecord{Account: id, ID: entity}
	default:
		return fmt.Errorf("keychain: record %q is of no known kind", r.Key)
	}
	if err := ctap.DecodeLoose(r.Value, c); err != nil {
		return fmt.Errorf("keychain: record %q cannot be read: %w", r.Key, err)
	}
	if n, ok := c.(*noticeRecord); ok && n.key() != r.Key {
		return fmt.Errorf("keychain: record %q is notice %d", r.Key, n.Order)
	}
	if m, ok := c.(*memberRecord); ok && len(m.Bearer) != 32 {
		return fmt.Errorf("keychain: record %q has no bearer", r.Key)
	}
	c.apply(s)
	return nil
}
