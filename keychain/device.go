package keychain

import (
	"context"
	"crypto/ecdh"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"time"

	"fido-emu/ctap/authenticator"
)

// Env is what is impure about a device. Now and Rand are required.
type Env struct {
	Now            func() time.Time
	Rand           io.Reader // every key, nonce and id comes from here; used by one call at a time
	MaxCredentials int       // discoverable ones; 0 for no limit
	Iterations     int       // of PBKDF2 over what people remember, the same on all devices; 0 for 20,000
	Store          Store     // where the device keeps what it holds; nil for memory alone; see OpenDevice

	// SecondFactor reads the code that the provider sent to the owner's telephone, empty
	// when who holds the device cannot; nil for nobody.
	SecondFactor func(context.Context) (string, error)
}

// Device is a device with a replica of an account's credentials. New, it is in no
// account; its credentials are then its own, and are uploaded once it is in one.
// It is safe for concurrent use.
type Device struct {
	name  string
	cloud Cloud
	env   Env

	talking sync.Mutex // held by whoever speaks with the service

	mu        sync.Mutex // guards what follows
	identity  *ecdh.PrivateKey
	account   string // id
	member    string // id
	bearer    []byte
	anchor    []byte // public key of the account's first device
	joined    bool   // a member, as far as it knows
	provider  Provider
	secretKey string   // without dashes; empty where it has none
	packets   []Packet // of accounts whose recovery contact it is
	heard     uint64   // notices up to this were read
	devices   uint     // of the account, when it last synced
	ring      keyring
	revision  uint64 // everything of the service up to this is in the replica
	replica   replica
	saved     []byte // the record of the above but the replica, as it was committed last
}

// NewDevice returns a device that is in no account yet and keeps what it holds in
// memory. name is what other members call it.
func NewDevice(name string, cloud Cloud, env Env) *Device {
	env.Store = nil
	return &Device{name: name, cloud: cloud, env: env, replica: newReplica()}
}

// Name returns the device's name.
func (d *Device) Name() string { return d.name }

// Credentials returns the replica as the store of an authenticator. It stays the
// device's, whatever account that joins.
func (d *Device) Credentials() authenticator.Credentials { return Credentials{d} }

// Status is how a device stands to its account.
type Status struct {
	Joined   bool   `json:"joined"`   // a member, as far as the device knows
	Waiting  bool   `json:"waiting"`  // asked to join and is not a member yet
	Member   string `json:"member"`   // its id; empty without an account
	Epoch    uint   `json:"epoch"`    // of the newest domain key it has
	Revision uint64 `json:"revision"` // of the service that it has seen
	Unsynced int    `json:"unsynced"` // changes that wait for upload
}

// Status tells how the device stands to its account, without asking the service.
func (d *Device) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := Status{
		Joined: d.joined, Waiting: d.account != "" && !d.joined, Member: d.member,
		Epoch: d.ring.epoch(), Revision: d.revision,
	}
	for _, e := range d.replica.queue {
		if e.dirty {
			s.Unsynced++
		}
	}
	return s
}

// Wipe returns the device to its factory state: what it knew is gone, also what
// was not uploaded. The service is not told. It can fail only for a device from
// [OpenDevice].
func (d *Device) Wipe() error {
	d.talking.Lock()
	defer d.talking.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.erase(); err != nil {
		return err
	}
	d.forget()
	d.replica, d.packets = newReplica(), nil
	return nil
}

// forget leaves the account. d.mu is held.
func (d *Device) forget() {
	d.identity, d.account, d.member, d.bearer, d.anchor = nil, "", "", nil, nil
	d.joined, d.ring, d.revision, d.secretKey, d.heard, d.devices = false, nil, 0, "", 0, 0
	d.obey(Provider{})
}

// obey takes over how the provider behaves. d.mu is held.
func (d *Device) obey(p Provider) {
	d.provider = p
	d.replica.lastArrives = p.Conflicts == ServerRevision
	d.replica.noShadows = p.Conflicts == NewestWins
	d.replica.unsafe = p.BackedUp == AfterSecondDevice && d.devices < 2
}

// CreateAccount makes an account with this device as its first member. account is
// a name such as ada@example.com, which the service does not learn; secret is
// what the account's owner signs in to the service with. Where the provider has Secret
// Keys, the account gets one; if only that fails, the device is in the account and
// RenewSecretKey makes up for it.
func (d *Device) CreateAccount(ctx context.Context, account, secret string) error {
	return d.begin(ctx, OpCreate, account, secret)
}

// ResetAccount destroys all that an account holds, for everyone, and begins it
// anew with this device. It is the way out when no device and no escrow is left.
func (d *Device) ResetAccount(ctx context.Context, account, secret string) error {
	return d.begin(ctx, OpReset, account, secret)
}

func (d *Device) begin(ctx context.Context, op Operation, account, secret string) error {
	d.talking.Lock()
	defer d.talking.Unlock()
	identity, l, err := d.prepare(account, secret)
	if err != nil {
		return err
	}
	d.mu.Lock()
	raw, err := randomBytes(d.env.Rand, keyLen)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	ring, err := keyring(nil).append(raw)
	if err != nil {
		return err
	}
	box, err := d.wrap(ring, l.Account, identity.PublicKey().Bytes())
	if err != nil {
		return err
	}
	request := createRequest{Device: d.info(identity), Box: box}
	in, err := knock[admission](ctx, d, op, &l, func() any { request.login = l; return request })
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.enter(l.Account, identity, in)
	d.ring, d.joined = ring, true
	err = d.commit()
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.furnish(ctx, secret)
}

// furnish leaves the spare keys that the provider wants from the beginning. d.talking
// is held.
func (d *Device) furnish(ctx context.Context, secret string) error {
	s, err := d.session()
	if err != nil {
		return err
	}
	if d.rules().Allows(ByLogin) {
		r, err := d.loginSpare()
		if err != nil {
			return err
		}
		if err := d.leave(ctx, &s, r); err != nil {
			return err
		}
	}
	if d.rules().Allows(BySecretKey) {
		return d.leaveSecretKey(ctx, &s, secret, "")
	}
	return nil
}

// prepare makes what a device needs that knocks at an account: a key pair and a
// proof of the account secret.
func (d *Device) prepare(account, secret string) (*ecdh.PrivateKey, login, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.joined {
		return nil, login{}, failure(AlreadyMember, "wipe it first", "%s is in an account already", d.name)
	}
	identity, err := newP256(d.env.Rand)
	if err != nil {
		return nil, login{}, err
	}
	id := accountID(account)
	proof, err := d.loginProof(id, secret)
	return identity, login{Account: id, Proof: proof}, err
}

// loginProof derives from the account secret what proves it to the service.
func (d *Device) loginProof(account, secret string) ([]byte, error) {
	return stretch(secret, []byte("fido-emu keychain login "+account), d.iterations(), 32)
}

// enter notes what the service said to a device that knocked. d.mu is held.
func (d *Device) enter(account string, identity *ecdh.PrivateKey, in *admission) {
	d.forget()
	d.identity, d.account = identity, account
	d.member, d.bearer, d.anchor = in.Member, in.Bearer, in.Anchor
	d.obey(in.Provider)
}

func (d *Device) info(identity *ecdh.PrivateKey) deviceInfo {
	return deviceInfo{d.name, identity.PublicKey().Bytes()}
}

// wrap wraps the current domain key to a public key.
func (d *Device) wrap(ring keyring, account string, publicKey []byte) ([]byte, error) {
	to, err := ecdh.P256().NewPublicKey(publicKey)
	if err != nil {
		return nil, damaged("a public key that is not one: %v", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return sealBox(d.env.Rand, to, nil, boxHeader(account, ring.epoch(), memberID(publicKey)), ring.current().raw)
}

// session is what a member needs to speak with the service.
type session struct {
	account, member string
	bearer          []byte
	ring            keyring
	identity        *ecdh.PrivateKey
	anchor          []byte
}

// session returns the device's session, an error when it is in no account.
func (d *Device) session() (session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := session{d.account, d.member, d.bearer, d.ring, d.identity, d.anchor}
	switch {
	case d.account == "":
		return s, failure(NotAMember, "create an account, join one or recover one", "%s is in no account", d.name)
	case !d.joined:
		return s, failure(NotApproved, "have the request approved and complete it", "%s waits to join", d.name)
	}
	return s, nil
}

// refresh gets the domain keys that are current at the service.
func (d *Device) refresh(ctx context.Context, s *session) error {
	keys, err := call[keysResponse](ctx, d.cloud, OpKeys, s.bearer, nothing{})
	if err != nil {
		return err
	}
	ring, err := openRing(s.account, s.member, s.identity, keys, s.ring)
	if err != nil {
		return err
	}
	s.ring = ring
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ring = ring
	return d.commit()
}

// defaultIterations are few for a real provider, and enough to be one in kind.
const defaultIterations = 20_000

func (d *Device) iterations() int {
	if d.env.Iterations == 0 {
		return defaultIterations
	}
	return d.env.Iterations
}

// stretch derives bytes from what a person remembers.
func stretch(secret string, salt []byte, iterations, length int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, secret, salt, iterations, length)
}

// accountID is what the service knows of an account's name.
func accountID(name string) string {
	h := sha256.Sum256([]byte("fido-emu keychain account " + name))
	return hex.EncodeToString(h[:16])
}
