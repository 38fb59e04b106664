package keychain

import (
	"crypto/subtle"
	"slices"
	"strings"
)

// spareRecord is a spare key of an account as the service has it. Members wrap each
// new domain key to its public half. What opens the private half differs by the way:
//
//   - recovery-code, secret-key: Sealed is encrypted under what the person has;
//   - recovery-contact: Sealed is the key of a packet that the contact has;
//   - recovery-group: there is none; the group has the private half;
//   - cloud-login: Sealed is the private half itself, and the service could read all.
type spareRecord struct {
	Account    string  `cbor:"-"`
	ID         string  `cbor:"-"`
	Way        JoinWay `cbor:"1,keyasint"`
	PublicKey  []byte  `cbor:"2,keyasint"`
	Box        []byte  `cbor:"3,keyasint"`
	Tag        []byte  `cbor:"4,keyasint"`
	Sealed     []byte  `cbor:"5,keyasint,omitempty"`
	Salt       []byte  `cbor:"6,keyasint,omitempty"`
	Iterations int     `cbor:"7,keyasint,omitempty"`
	Verifier   []byte  `cbor:"8,keyasint,omitempty"` // SHA-256(Salt ‖ proof); none where signing in is enough
	Group      string  `cbor:"9,keyasint,omitempty"`
}

func (r *spareRecord) key() string { return "spare/" + r.Account + "/" + r.ID }

func (r *spareRecord) apply(s *Service) {
	a := s.account(r.Account)
	at, found := slices.BinarySearchFunc(a.spares, r.ID, func(s *spareRecord, id string) int { return strings.Compare(s.ID, id) })
	if found {
		a.spares[at] = r
		return
	}
	a.spares = slices.Insert(a.spares, at, r)
}

// spare checks a spare key that is left, and makes a record of it.
func (v *visit) spare(a *accountRecord, r *spareRequest) (*spareRecord, error) {
	if err := v.allow(r.Way); err != nil {
		return nil, err
	}
	if r.Epoch != a.Epoch {
		return nil, failure(StaleEpoch, "get the new domain key and try again", "epoch %d is not the current one, %d", r.Epoch, a.Epoch)
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	s := &spareRecord{
		Account: a.ID, ID: r.ID, Way: r.Way, PublicKey: r.PublicKey, Box: r.Box, Tag: r.Tag,
		Sealed: r.Sealed, Salt: r.Salt, Iterations: r.Iterations, Group: r.Group,
	}
	if r.Proof != nil {
		s.Verifier = verifier(r.Salt, r.Proof)
	}
	return s, nil
}

func (r *spareRequest) check() error {
	way, name, named := strings.Cut(r.ID, "/")
	if way != string(r.Way) || named != (r.Way == ByContact) || named && (name == "" || len(name) > maxName) {
		return failure(BadRequest, "", "the id of a spare key is its way, and of a contact its name behind it, not %q", r.ID)
	}
	switch r.Way {
	case ByCode, BySecretKey, ByContact:
		if len(r.Proof) < 16 || len(r.Proof) > 64 || len(r.Salt) < 16 || len(r.Salt) > 64 {
			return failure(BadRequest, "", "a proof has 16 to 64 bytes, and so has a salt")
		}
	case ByGroup, ByLogin:
		if r.Proof != nil {
			return failure(BadRequest, "", "nothing is proved for %s", r.Way)
		}
	default:
		return failure(BadRequest, "", "%s has no spare key", r.Way)
	}
	if r.Iterations < 0 || r.Iterations > maxIterations || len(r.Tag) != keyLen || (len(r.Sealed) == 0) != (r.Way == ByGroup) || len(r.Sealed) > maxBox {
		return failure(BadRequest, "", "iterations, a tag of %d bytes, or what is sealed is not right", keyLen)
	}
	if err := checkPoint(r.PublicKey); err != nil {
		return err
	}
	return checkBox(r.Box)
}

// leave takes a spare key, in place of an earlier one with its id.
func (v *visit) leave() (any, error) {
	r, err := parse[spareRequest](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.identify(stateMember); err != nil {
		return nil, err
	}
	s, err := v.spare(&v.acct.accountRecord, r)
	if err != nil {
		return nil, err
	}
	most, contacts := v.provider.Limits.Contacts, uint(0)
	for _, other := range v.acct.spares {
		if other.Way == ByContact && other.ID != s.ID {
			contacts++
		}
	}
	if s.Way == ByContact && most > 0 && contacts >= most {
		return nil, failure(TooManyContacts, "", "the account has %d recovery contacts, and no more are allowed", most)
	}
	return nothing{}, v.commit(v.noted(NoticeSetUp, v.member.Name, s)...)
}

// find returns a spare key of the account.
func (v *visit) find(id string) (*spareRecord, error) {
	way, _, _ := strings.Cut(id, "/")
	if err := v.allow(JoinWay(way)); err != nil {
		return nil, err
	}
	for _, s := range v.acct.spares {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, failure(NoRecovery, "set it up on a device of the account, while there is one", "the account has no %s", id)
}

// lookAtSpare tells with what to derive the proof for a spare key.
func (v *visit) lookAtSpare() (any, error) {
	r, err := parse[spareLook](v.body)
	if err != nil {
		return nil, err
	}
	if err := v.authenticate(r.login); err != nil {
		return nil, err
	}
	s, err := v.find(r.ID)
	if err != nil {
		return nil, err
	}
	return spareParams{s.Salt, s.Iterations}, nil
}

// takeSpare gives a spare key, sealed as it is, to who proves to have what opens it.
// Signing in again for each guess is all that slows guessing down: what is guessed has
// at least 128 bits.
func (v *visit) takeSpare() (any, error) {
	r, err := parse[spareTake](v.body)
	if err != nil {
		return nil, err
	}
	v.event.Device = r.Device.Name
	if err := v.authenticate(r.login); err != nil {
		return nil, err
	}
	s, err := v.find(r.ID)
	if err != nil {
		return nil, err
	}
	if s.Way == ByGroup {
		return nil, failure(WayNotAllowed, "the group has the key; have it begin", "nobody takes the key of a recovery group")
	}
	if s.Verifier != nil && subtle.ConstantTimeCompare(verifier(s.Salt, r.Answer), s.Verifier) != 1 {
		if err := v.commit(v.noted(NoticeWrong, r.Device.Name)...); err != nil {
			return nil, err
		}
		return nil, failure(WrongProof, "look whether it is the newest one", "that is not the account's %s", s.Way)
	}
	admitted, err := v.admit(&v.acct.accountRecord, r.Device, memberRecord{State: stateRecovering, Via: s.Way}, v.noted(NoticeRecovery, r.Device.Name)...)
	if err != nil {
		return nil, err
	}
	return openResponse{*admitted, s.Sealed, keysResponse{v.acct.Epoch, s.Box, v.acct.Links}}, nil
}

// rewrapSpares gives the new domain key to every spare key.
func (v *visit) rewrapSpares(r *revokeRequest) ([]change, error) {
	var changes []change
	if len(r.Spares) != len(v.acct.spares) {
		return nil, v.stale(r.Epoch)
	}
	for i, s := range v.acct.spares {
		given := r.Spares[i]
		if given.ID != s.ID || checkBox(given.Box) != nil || len(given.Tag) != keyLen {
			return nil, v.stale(r.Epoch)
		}
		changed := *s
		changed.Box, changed.Tag = given.Box, given.Tag
		changes = append(changes, &changed)
	}
	return changes, nil
}
