package credential

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// IssuerConfig says who issues what.
type IssuerConfig struct {
	Now  func() time.Time
	Rand io.Reader // of keys, identifiers, codes

	BaseURL string // where the issuer is served, such as https://idemia.test; it becomes the did:web
	Name    string // for people

	Type      string        // of the credentials; "": TypeVerifiedIdentity
	Lifetime  time.Duration // of a credential; 0: a year
	StatusTTL time.Duration // how long others may keep a status list; 0: five minutes
	OfferTTL  time.Duration // how long an offer stands; 0: ten minutes

	Key *Key // nil: drawn from Rand
}

// Issuer issues and revokes credentials. It is an http.Handler (see ServeHTTP) and safe
// for concurrent use.
type Issuer struct {
	config IssuerConfig
	base   string // without a slash at the end
	did    string
	kid    string
	doc    Document
	key    *Key

	mu     sync.Mutex
	issued map[string]int // index in the status list, by credential
	used   map[int]bool
	bits   []byte
	offers map[string]*offer // by identifier
}

// Issued is a credential that was issued.
type Issued struct {
	JWT     string
	ID      string // for Revoke
	Expires time.Time
}

// ErrUnknownCredential says that an issuer did not issue what it is to revoke.
var ErrUnknownCredential = errors.New("no credential of this issuer")

// NewIssuer returns an issuer that has issued nothing.
func NewIssuer(config IssuerConfig) (*Issuer, error) {
	base := strings.TrimRight(config.BaseURL, "/")
	config.Rand = &lockedReader{reader: config.Rand}
	did, err := WebDID(base)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	setDefault(&config.Type, TypeVerifiedIdentity)
	setDefault(&config.Lifetime, 365*24*time.Hour)
	setDefault(&config.StatusTTL, 5*time.Minute)
	setDefault(&config.OfferTTL, 10*time.Minute)
	key := config.Key
	if key == nil {
		if key, err = NewKey(config.Rand); err != nil {
			return nil, fmt.Errorf("issuer %s: %w", did, err)
		}
	}
	i := &Issuer{
		config: config, base: base, did: did, key: key,
		issued: map[string]int{}, used: map[int]bool{}, bits: make([]byte, statusEntries/8), offers: map[string]*offer{},
	}
	i.doc, i.kid = NewDocument(did, key.Public(), origin(base))
	return i, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// origin returns the origin of a base URL that was looked at before.
func origin(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Scheme + "://" + u.Host
}

// DID returns the issuer's identifier, a did:web.
func (i *Issuer) DID() string { return i.did }

// Type returns the type of what it issues.
func (i *Issuer) Type() string { return i.config.Type }

// Issue issues a credential about holder, a DID, at once. A wallet rather fetches its
// own (see Offer).
func (i *Issuer) Issue(holder string, claims Claims) (Issued, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.issue(holder, claims)
}

// issue is Issue; i.mu is held.
func (i *Issuer) issue(holder string, claims Claims) (Issued, error) {
	id, err := newUUID(i.config.Rand)
	if err != nil {
		return Issued{}, err
	}
	id = "urn:uuid:" + id
	index, err := i.takeIndex(id)
	if err != nil {
		return Issued{}, err
	}
	now := i.config.Now()
	jwt, err := i.sign(holder, id, now, now.Add(i.config.Lifetime), claims, i.status(index))
	return Issued{jwt, id, now.Add(i.config.Lifetime).UTC().Truncate(time.Second)}, err
}

// sign makes the token.
func (i *Issuer) sign(holder, id string, from, until time.Time, claims Claims, status *statusEntry) (string, error) {
	subject := claims.Clone()
	if subject == nil {
		subject = Claims{}
	}
	subject["id"] = holder
	return i.assert(holder, id, i.config.Type, from, until, subject, status)
}

// assert signs a credential of any type.
func (i *Issuer) assert(sub, id, kind string, from, until time.Time, subject any, status *statusEntry) (string, error) {
	text, err := json.Marshal(subject)
	if err != nil {
		return "", fmt.Errorf("issue a %s: %w", kind, err)
	}
	return i.key.Sign(i.kid, credentialToken{
		Issuer: i.did, Subject: sub, ID: id,
		IssuedAt: dateOf(from), NotBefore: dateOf(from), Expires: dateOf(until),
		VC: vcObject{
			Context: []string{contextV1}, Type: []string{typeVerifiable, kind},
			CredentialSubject: text, CredentialStatus: status,
		},
	})
}

// takeIndex gives a credential a random place in the status list, as Status List 2021
// section 6.2 advises, so that places do not tell the order of issuing; i.mu is held.
func (i *Issuer) takeIndex(id string) (int, error) {
	if len(i.used) >= statusEntries/2 { // beyond that, drawing takes ever longer
		return 0, fmt.Errorf("issuer %s: its status list is full: %d credentials", i.did, len(i.used))
	}
	var b [4]byte
	for {
		if _, err := io.ReadFull(i.config.Rand, b[:]); err != nil {
			return 0, fmt.Errorf("issuer %s: draw a status index: %w", i.did, err)
		}
		index := int(binary.BigEndian.Uint32(b[:]) % statusEntries)
		if !i.used[index] {
			i.used[index], i.issued[id] = true, index
			return index, nil
		}
	}
}

func (i *Issuer) listURL() string { return i.base + "/status/1" }

func (i *Issuer) status(index int) *statusEntry {
	n := strconv.Itoa(index)
	return &statusEntry{
		ID: i.listURL() + "#" + n, Type: typeStatusEntry, StatusPurpose: purposeRevocation,
		StatusListIndex: n, StatusListCredential: i.listURL(),
	}
}

// Revoke revokes a credential for good. Those who keep the status list learn it when
// theirs expires.
func (i *Issuer) Revoke(id string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	index, ok := i.issued[id]
	if !ok {
		return fmt.Errorf("revoke %q: %w", id, ErrUnknownCredential)
	}
	setEntry(i.bits, index)
	return nil
}

// StatusList returns the signed status list as it is now.
func (i *Issuer) StatusList() (string, error) {
	i.mu.Lock()
	list, err := EncodeStatusList(i.bits)
	i.mu.Unlock()
	if err != nil {
		return "", err
	}
	now, address := i.config.Now(), i.listURL()
	return i.assert(address+statusListFragment, address, typeStatusList, now, now.Add(i.config.StatusTTL), listSubject{
		ID: address + statusListFragment, Type: "StatusList2021", StatusPurpose: purposeRevocation, EncodedList: list,
	}, nil)
}

// lockedReader lets several requests draw from one source.
type lockedReader struct {
	mu     sync.Mutex
	reader io.Reader
}

func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.reader, b)
}

// newUUID draws a random UUID (RFC 9562, section 5.4).
func newUUID(rand io.Reader) (string, error) {
	id, err := uuid.NewRandomFromReader(rand)
	if err != nil {
		return "", fmt.Errorf("draw an identifier: %w", err)
	}
	return id.String(), nil
}

// newCode draws a secret of 128 bits, in hexadecimal.
func newCode(rand io.Reader) (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	return hex.EncodeToString(b), nil
}
