package keychain

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/state"
)

// entry is one entity in a replica.
type entry struct {
	id       EntityID
	cred     *authenticator.Credential // never changed, only replaced; a tombstone keeps no keys
	shadows  []EntityID                // entities that this one took the place of when it was made
	renamed  int64                     // when the names last changed, Unix nanoseconds
	written  int64                     // when the large blob was last written, likewise; 0 for never
	shelf    shelf                     // whether it is hidden or deleted, and can come back
	shelved  int64                     // when that last changed, likewise; 0 for never
	revision uint64                    // the service's; 0 until the first upload
	edit     uint32                    // number of the last local change, to notice one made while a sync is under way
	dead     bool
	dirty    bool   // changed here and not uploaded yet
	queued   bool   // waits for the next upload
	unsaved  bool   // changed since the last commit of the device
	next     *entry // another that competes for the same place
}

// entityBody is what an entity's ciphertext holds.
type entityBody struct {
	Credential cbor.RawMessage `cbor:"1,keyasint"` // state.EncodeCredential
	Shadows    [][]byte        `cbor:"2,keyasint,omitempty"`
	Renamed    int64           `cbor:"3,keyasint"`
	Dead       bool            `cbor:"4,keyasint,omitempty"`
	Written    int64           `cbor:"5,keyasint,omitempty"`
	Shelf      shelf           `cbor:"6,keyasint,omitempty"`
	Shelved    int64           `cbor:"7,keyasint,omitempty"`
}

func (e *entry) encode() ([]byte, error) {
	bare := *e.cred
	bare.BackedUp = false // that is for each replica to say
	credential, err := state.EncodeCredential(&bare)
	if err != nil {
		return nil, err
	}
	body := entityBody{Credential: credential, Renamed: e.renamed, Written: e.written, Shelf: e.shelf, Shelved: e.shelved, Dead: e.dead}
	for _, id := range e.shadows {
		body.Shadows = append(body.Shadows, id[:])
	}
	return ctap.Encode(body)
}

func decodeEntry(id EntityID, plaintext []byte) (*entry, error) {
	var body entityBody
	if err := ctap.DecodeLoose(plaintext, &body); err != nil {
		return nil, fmt.Errorf("entity %s: %w", id, err)
	}
	cred, err := state.DecodeCredential(body.Credential)
	if err != nil {
		return nil, fmt.Errorf("entity %s: %w", id, err)
	}
	e := &entry{id: id, cred: cred, renamed: body.Renamed, written: body.Written, shelf: body.Shelf, shelved: body.Shelved, dead: body.Dead}
	for _, b := range body.Shadows {
		if len(b) != len(id) {
			return nil, fmt.Errorf("entity %s: a shadowed id of %d bytes", id, len(b))
		}
		e.shadows = append(e.shadows, EntityID(b))
	}
	return e, nil
}

// seal encrypts an entry as a change that is based on the revision it has.
func (e *entry) seal(rand io.Reader, account string, ring keyring) (sealedEntity, error) {
	plaintext, err := e.encode()
	if err != nil {
		return sealedEntity{}, err
	}
	nonce, err := randomBytes(rand, nonceLen)
	if err != nil {
		return sealedEntity{}, err
	}
	return sealedEntity{
		ID: e.id.String(), Epoch: ring.epoch(), Revision: e.revision, Dead: e.dead, Nonce: nonce,
		Ciphertext: ring.current().aead.Seal(nil, nonce, plaintext, entityContext(account, e.id, ring.epoch(), e.dead)),
	}, nil
}

// open decrypts an entity of the service.
func (s *sealedEntity) open(account string, ring keyring) (*entry, error) {
	id, err := parseEntityID(s.ID)
	if err != nil {
		return nil, damaged("an entity has the id %q", s.ID)
	}
	key, err := ring.key(s.Epoch)
	if err != nil {
		return nil, err
	}
	if len(s.Nonce) != nonceLen {
		return nil, damaged("entity %s has a nonce of %d bytes", id, len(s.Nonce))
	}
	plaintext, err := key.aead.Open(nil, s.Nonce, s.Ciphertext, entityContext(account, id, s.Epoch, s.Dead))
	if err != nil {
		return nil, damaged("entity %s does not decrypt", id)
	}
	e, err := decodeEntry(id, plaintext)
	if err != nil {
		return nil, damaged("%v", err)
	}
	e.revision = s.Revision
	return e, nil
}

func entityContext(account string, id EntityID, epoch uint, dead bool) []byte {
	kind := "credential"
	if dead {
		kind = "tombstone"
	}
	return bind(kind, account, epoch, string(id[:]))
}

// merge takes into e what another replica made of the same entity, and tells
// whether e is now the same as other. It does not depend on the order in which
// versions come: of the names, and apart from them of the large blob, the version
// that was changed last stays, and a deletion ends both.
func (e *entry) merge(other *entry) (same bool) {
	if other.dead {
		e.bury()
		return true
	}
	if e.dead {
		return false
	}
	if compareNames(other, e) > 0 {
		e.cred, e.renamed = withNames(e.cred, other.cred), other.renamed
	}
	if compareBlobs(other, e) > 0 {
		e.cred, e.written = withBlob(e.cred, other.cred), other.written
	}
	if compareShelves(other, e) > 0 {
		e.shelf, e.shelved = other.shelf, other.shelved
	}
	return compareNames(other, e) == 0 && compareBlobs(other, e) == 0 && compareShelves(other, e) == 0
}

// follow is merge where the change that reaches the service last stays: what the service
// has of names and blob is taken over whole, unless there is a change here that is yet to
// reach it. What was deleted or restored still goes by time: a new name revives nothing.
func (e *entry) follow(other *entry) (same bool) {
	if other.dead || e.dead {
		return e.merge(other)
	}
	if !e.dirty {
		e.cred, e.renamed = withNames(e.cred, other.cred), other.renamed
		e.cred, e.written = withBlob(e.cred, other.cred), other.written
	}
	if compareShelves(other, e) > 0 {
		e.shelf, e.shelved = other.shelf, other.shelved
	}
	return compareNames(other, e) == 0 && compareBlobs(other, e) == 0 && compareShelves(other, e) == 0
}

// compareNames orders versions of one entity by their names: the later change is
// the greater, and of two at the same time the greater bytes.
func compareNames(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.renamed, b.renamed), slices.Compare(names(a.cred), names(b.cred)))
}

func names(c *authenticator.Credential) []string {
	return []string{c.User.Name, c.User.DisplayName, c.RP.Name}
}

// withNames returns c with the names of another version of it.
func withNames(c, other *authenticator.Credential) *authenticator.Credential {
	changed := *c
	changed.User.Name, changed.User.DisplayName, changed.RP.Name = other.User.Name, other.User.DisplayName, other.RP.Name
	return &changed
}

// compareBlobs orders versions of one entity by their large blobs, as compareNames
// does by their names. One that was deleted comes before any.
func compareBlobs(a, b *entry) int {
	x, y := blobOf(a.cred), blobOf(b.cred)
	return cmp.Or(cmp.Compare(a.written, b.written), bytes.Compare(x.Data, y.Data), cmp.Compare(x.OriginalSize, y.OriginalSize))
}

func blobOf(c *authenticator.Credential) authenticator.LargeBlob {
	if c.LargeBlob == nil {
		return authenticator.LargeBlob{}
	}
	return *c.LargeBlob
}

// withBlob returns c with the large blob of another version of it.
func withBlob(c, other *authenticator.Credential) *authenticator.Credential {
	changed := *c
	changed.LargeBlob = other.LargeBlob
	return &changed
}

// bury makes a tombstone of e. It keeps its place and whom it shadowed.
func (e *entry) bury() {
	c := e.cred
	e.dead = true
	e.renamed, e.written, e.shelf, e.shelved = 0, 0, inPlace, 0
	e.cred = &authenticator.Credential{
		ID: c.ID, RP: ctap.RelyingParty{ID: c.RP.ID}, User: ctap.User{ID: c.User.ID},
		CreatedAt: c.CreatedAt, Discoverable: c.Discoverable,
	}
}

// place is what credentials compete for: an RP id and a user id. Credentials that
// are not discoverable have a place each.
func (e *entry) place() (p [32]byte) {
	if !e.cred.Discoverable {
		return sha256.Sum256(append([]byte("alone"), e.id[:]...))
	}
	b := binary.BigEndian.AppendUint32([]byte("place"), uint32(len(e.cred.RP.ID)))
	b = append(b, e.cred.RP.ID...)
	return sha256.Sum256(append(b, e.cred.User.ID...))
}

// winner returns who of those that compete for a place has it, nil for nobody: of
// the living that nobody shadowed the newest, of equally new ones the greater id.
func winner(first *entry) *entry {
	var best *entry
	var ignored map[EntityID]bool
	if first != nil && first.next != nil {
		ignored = shadowed(first)
	}
	for e := first; e != nil; e = e.next {
		if !e.dead && e.shelf == inPlace && !ignored[e.id] && (best == nil || compareAge(e, best) > 0) {
			best = e
		}
	}
	return best
}

// shadowed returns who of those that compete for a place is shadowed, also by the
// dead.
func shadowed(first *entry) map[EntityID]bool {
	ignored := map[EntityID]bool{}
	for e := first; e != nil; e = e.next {
		for _, id := range e.shadows {
			ignored[id] = true
		}
	}
	return ignored
}

// compareAge orders entries from old to new.
func compareAge(a, b *entry) int {
	return cmp.Or(a.cred.CreatedAt.Compare(b.cred.CreatedAt), bytes.Compare(a.cred.ID, b.cred.ID), bytes.Compare(a.id[:], b.id[:]))
}

// stamp returns a time for a change that is later than the last one of its kind.
func stamp(now time.Time, last int64) int64 { return max(now.UnixNano(), last+1) }
