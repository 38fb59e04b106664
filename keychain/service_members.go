package keychain

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// create makes an account with its first device.
func (v *visit) create() (any, error) {
	r, err := parse[createRequest](v.body)
	if err != nil {
		return nil, err
	}
	v.event.Account, v.event.Device = r.Account, r.Device.Name
	if a := v.accounts[r.Account]; a != nil && a.Epoch > 0 {
		return nil, failure(AccountExists, "join it, or reset it and lose what is in it", "the account exists already")
	}
	return v.found(r)
}

// reset destroys what an account holds and begins it anew.
func (v *visit) reset() (any, error) {
	r, err := parse[createRequest](v.body)
	if err != nil {
		return nil, err
	}
	v.event.Device = r.Device.Name
	if err := v.authenticate(r.login); err != nil {
		return nil, err
	}
	if err := v.destroy(r.Account); err != nil {
		return nil, err
	}
	return v.found(r)
}

// destroy removes an account and all that belongs to it.
func (v *visit) destroy(id string) error {
	a := v.accounts[id]
	keys := []Record{{Key: a.key()}, {Key: (&escrowRecord{Account: id}).key()}, {Key: (&caseRecord{Account: id}).key()}, {Key: (&groupRecord{Account: id}).key()}}
	for _, s := range a.spares {
		keys = append(keys, Record{Key: s.key()})
	}
	for _, n := range a.notices {
		keys = append(keys, Record{Key: n.key()})
	}
	for _, m := range a.order {
		keys = append(keys, Record{Key: m.key()})
	}
	for _, e := range a.entities {
		keys = append(keys, Record{Key: e.key()})
	}
	if err := v.store.Commit(keys); err != nil {
		return &Error{Code: StorageFailed, Message: "the account could not be destroyed: " + err.Error(), Err: err}
	}
	for _, m := range a.order {
		delete(v.bearers, [32]byte(m.Bearer))
	}
	delete(v.accounts, id)
	return nil
}

func (v *visit) found(r *createRequest) (any, error) {
	if len(r.Account) != 32 || len(r.Proof) == 0 {
		return nil, failure(BadRequest, "", "an account id has 32 hexadecimal digits and a proof is not empty")
	}
	if _, err := hex.DecodeString(r.Account); err != nil {
		return nil, failure(BadRequest, "", "account id %q is not hexadecimal", r.Account)
	}
	if err := checkBox(r.Box); err != nil {
		return nil, err
	}
	salt, err := randomBytes(v.rand, 16)
	if err != nil {
		return nil, err
	}
	a := &accountRecord{
		ID: r.Account, Salt: salt, Verifier: verifier(salt, r.Proof), Anchor: r.Device.PublicKey, Epoch: 1,
	}
	return v.admit(a, r.Device, memberRecord{State: stateMember, Box: r.Box}, a)
}

// admit adds a device to an account, with the state, box and way of as, together with
// other changes.
func (v *visit) admit(a *accountRecord, d deviceInfo, as memberRecord, with ...change) (*admission, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	bearer, err := randomBytes(v.rand, 32)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(bearer)
	m := &memberRecord{
		Account: a.ID, ID: memberID(d.PublicKey), Name: d.Name, PublicKey: d.PublicKey,
		Bearer: hash[:], State: as.State, Box: as.Box, Via: as.Via, Since: v.now().UnixNano(), Order: 1,
	}
	if known := v.accounts[a.ID]; known != nil {
		if known.members[m.ID] != nil {
			return nil, failure(BadRequest, "make a new key pair", "a device with this key has asked before")
		}
		m.Order = uint64(len(known.order)) + 1
	}
	if err := v.commit(append(with, m)...); err != nil {
		return nil, err
	}
	return &admission{Member: m.ID, Bearer: bearer, Anchor: a.Anchor, Provider: v.provider}, nil
}

func (d deviceInfo) check() error {
	if d.Name == "" || len(d.Name) > maxName {
		return failure(BadRequest, "", "a device's name has 1 to %d bytes", maxName)
	}
	return checkPoint(d.PublicKey)
}

func checkPoint(b []byte) error {
	if _, err := ecdh.P256().NewPublicKey(b); err != nil {
		return failure(BadRequest, "", "the public key is not a point on P-256")
	}
	return nil
}

func checkBox(b []byte) error {
	if len(b) == 0 || len(b) > maxBox {
		return failure(BadRequest, "", "a wrapped key has 1 to %d bytes", maxBox)
	}
	return nil
}

// memberID derives a member's id from its public key.
func memberID(publicKey []byte) string {
	h := sha256.Sum256(publicKey)
	return hex.EncodeToString(h[:8])
}

// request lets a device ask to join.
func (v *visit) request() (any, error) {
	r, err := parse[joinRequest](v.body)
	if err != nil {
		return nil, err
	}
	v.event.Device = r.Device.Name
	if err := v.authenticate(r.login); err != nil {
		return nil, err
	}
	if err := v.allow(BySponsor); err != nil {
		return nil, err
	}
	return v.admit(&v.acct.accountRecord, r.Device, memberRecord{State: statePending, Via: BySponsor}, v.noted(NoticeAsked, r.Device.Name)...)
}

func (v *visit) allow(way JoinWay) error {
	if v.provider.Allows(way) {
		return nil
	}
	return failure(WayNotAllowed, "this provider allows another way", "%s does not let devices join by %s", v.provider.Name, way)
}

// pending lists the requests that wait.
func (v *visit) pending() (any, error) {
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	return pendingResponse{v.acct.infos(statePending)}, nil
}

// infos lists the members in one of these states.
func (a *account) infos(states ...memberState) []memberInfo {
	infos := []memberInfo{}
	for _, m := range a.order {
		if slices.Contains(states, m.State) {
			infos = append(infos, memberInfo{m.ID, m.Name, string(m.State), m.PublicKey, m.Via, m.Since})
		}
	}
	return infos
}

// approve makes a member of a device that asked to join.
func (v *visit) approve() (any, error) {
	r, err := parse[approveRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	m := v.acct.members[r.Member]
	if m == nil || m.State != statePending {
		return nil, failure(UnknownRequest, "", "no device waits with request %q", r.Member)
	}
	return nothing{}, v.promote(m, r.Epoch, r.Box)
}

// promote makes a device a member that holds the current domain key, together with
// other changes.
func (v *visit) promote(m *memberRecord, epoch uint, box []byte, with ...change) error {
	if epoch != v.acct.Epoch {
		return v.stale(epoch)
	}
	if err := checkBox(box); err != nil {
		return err
	}
	if most := v.provider.Limits.Devices; most > 0 && v.acct.count() >= most {
		return failure(TooManyDevices, "remove one first", "the account has %d devices, and no more are allowed", most)
	}
	changed := *m
	changed.State, changed.Box = stateMember, box
	return v.commit(append(v.noted(NoticeJoined, m.Name, &changed), with...)...)
}

// count returns how many members there are.
func (a *account) count() (n uint) {
	for _, m := range a.order {
		if m.State == stateMember {
			n++
		}
	}
	return n
}

func (v *visit) stale(epoch uint) error {
	return failure(StaleEpoch, "get the new domain key and try again", "epoch %d is not the current one, %d", epoch, v.acct.Epoch)
}

// keys gives a member the domain keys.
func (v *visit) keys() (any, error) {
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	return keysResponse{v.acct.Epoch, v.member.Box, v.acct.Links}, nil
}

// list tells who is in the account.
func (v *visit) list() (any, error) {
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	r := membersResponse{Epoch: v.acct.Epoch, Members: v.acct.infos(statePending, stateRecovering, stateMember, stateRevoked)}
	if e := v.acct.escrow; e != nil && !e.Destroyed {
		r.EscrowKey = e.PublicKey
	}
	for _, s := range v.acct.spares {
		r.Spares = append(r.Spares, spareInfo{s.ID, s.Way, s.PublicKey, s.Tag})
	}
	return r, nil
}

// revoke removes a device and begins the next epoch without it.
func (v *visit) revoke() (any, error) {
	r, err := parse[revokeRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	gone := v.acct.members[r.Member]
	if gone == nil || gone.State == stateRevoked || gone == v.member {
		return nil, failure(UnknownMember, "a device cannot revoke itself", "%q is no other device of the account", r.Member)
	}
	if r.Epoch != v.acct.Epoch+1 {
		return nil, v.stale(r.Epoch)
	}
	if err := checkBox(r.Link); err != nil {
		return nil, err
	}
	changes, err := v.rewrap(r)
	if err != nil {
		return nil, err
	}
	out := *gone
	out.State, out.Box = stateRevoked, nil
	next := v.acct.accountRecord
	next.Epoch, next.Links = r.Epoch, append(slices.Clone(next.Links), r.Link)
	return nothing{}, v.commit(append(changes, v.noted(NoticeRemoved, gone.Name, &out, &next)...)...)
}

// rewrap gives the new domain key to everyone who remains. Who joined or left
// while the request was on its way makes it stale.
func (v *visit) rewrap(r *revokeRequest) ([]change, error) {
	boxes := map[string][]byte{}
	for _, b := range r.Boxes {
		boxes[b.Member] = b.Box
	}
	var changes []change
	for _, m := range v.acct.order {
		if m.State != stateMember || m.ID == r.Member {
			continue
		}
		box, ok := boxes[m.ID]
		if !ok || checkBox(box) != nil {
			return nil, v.stale(r.Epoch)
		}
		delete(boxes, m.ID)
		changed := *m
		changed.Box = box
		changes = append(changes, &changed)
	}
	if len(boxes) > 0 {
		return nil, v.stale(r.Epoch)
	}
	if e := v.acct.escrow; e != nil && !e.Destroyed {
		if checkBox(r.EscrowBox) != nil {
			return nil, v.stale(r.Epoch)
		}
		changed := *e
		changed.Box = r.EscrowBox
		changes = append(changes, &changed)
	}
	spares, err := v.rewrapSpares(r)
	return append(changes, spares...), err
}
