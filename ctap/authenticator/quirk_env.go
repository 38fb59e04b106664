package authenticator

import (
	"bytes"
	"context"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// alteredUser is a User whose answers are changed on their way.
type alteredUser struct {
	User
	alter func(p *Prompt, verify bool, ask func() Answer) Answer
}

// Presence asks the user for a touch, or whatever alter does instead.
func (u alteredUser) Presence(ctx context.Context, p Prompt) Answer {
	return u.alter(&p, false, func() Answer { return u.User.Presence(ctx, p) })
}

// Verify asks the user for verification, or whatever alter does instead.
func (u alteredUser) Verify(ctx context.Context, p Prompt) Answer {
	return u.alter(&p, true, func() Answer { return u.User.Verify(ctx, p) })
}

// alterUser returns u with its answers changed; it can do all that u can.
func alterUser(u User, alter func(p *Prompt, verify bool, ask func() Answer) Answer) User {
	altered := alteredUser{u, alter}
	sensor, senses := u.(Sensor)
	chooser, chooses := u.(Chooser)
	switch {
	case senses && chooses:
		return struct {
			alteredUser
			Sensor
			Chooser
		}{altered, sensor, chooser}
	case senses:
		return struct {
			alteredUser
			Sensor
		}{altered, sensor}
	case chooses:
		return struct {
			alteredUser
			Chooser
		}{altered, chooser}
	}
	return altered
}

// ofUser changes what the user answers to a command; to all for command 0.
func ofUser(c ctap.Command, alter func(p *Prompt, verify bool, ask func() Answer) Answer) behaviour {
	return behaviour{env: func(_ *quirks, e *Env) {
		e.User = alterUser(e.User, func(p *Prompt, verify bool, ask func() Answer) Answer {
			if c != 0 && p.Command != c {
				return ask()
			}
			return alter(p, verify, ask)
		})
	}}
}

// nobodyAsked grants presence without a touch.
func nobodyAsked(_ *Prompt, verify bool, ask func() Answer) Answer {
	if verify {
		return ask()
	}
	return Granted
}

// takenFor hears one answer as granted.
func takenFor(deaf Answer) func(*Prompt, bool, func() Answer) Answer {
	return func(_ *Prompt, _ bool, ask func() Answer) Answer {
		if answer := ask(); answer != deaf {
			return answer
		}
		return Granted
	}
}

// alteredStore is a store of credentials with something else in the place of those
// methods that are set.
type alteredStore struct {
	Credentials
	byID   func(real Credentials, id []byte) (*Credential, error)
	byRP   func(real Credentials, rpIDHash [32]byte) ([]*Credential, error)
	put    func(real Credentials, c *Credential) error
	remove func(real Credentials, id []byte) error
	count  func(real Credentials) (int, error)
	clear  func(real Credentials) error
}

// alterStore puts an alteredStore in the place of the store.
func alterStore(alter func(*quirks, *alteredStore)) behaviour {
	return behaviour{env: func(q *quirks, e *Env) {
		s := &alteredStore{Credentials: e.Credentials}
		alter(q, s)
		e.Credentials = s
	}}
}

// alterFound changes copies of the credentials that commands find; with command 0, all
// commands.
func alterFound(c ctap.Command, alter func(*quirks, *Credential)) behaviour {
	return alterStore(func(q *quirks, s *alteredStore) {
		changed := func(found *Credential) *Credential {
			if found == nil || q.x == nil || (c != 0 && !q.x.is(c)) {
				return found
			}
			copied := *found
			alter(q, &copied)
			return &copied
		}
		s.byID = func(real Credentials, id []byte) (*Credential, error) {
			found, err := real.ByID(id)
			return changed(found), err
		}
		s.byRP = func(real Credentials, rpIDHash [32]byte) ([]*Credential, error) {
			found, err := real.ByRP(rpIDHash)
			all := make([]*Credential, len(found))
			for i := range found {
				all[i] = changed(found[i])
			}
			return all, err
		}
	})
}

// ByID is that of the store, unless another stands in its place.
func (s *alteredStore) ByID(id []byte) (*Credential, error) {
	if s.byID == nil {
		return s.Credentials.ByID(id)
	}
	return s.byID(s.Credentials, id)
}

// ByRP is that of the store, unless another stands in its place.
func (s *alteredStore) ByRP(rpIDHash [32]byte) ([]*Credential, error) {
	if s.byRP == nil {
		return s.Credentials.ByRP(rpIDHash)
	}
	return s.byRP(s.Credentials, rpIDHash)
}

// Put is that of the store, unless another stands in its place.
func (s *alteredStore) Put(c *Credential) error {
	if s.put == nil {
		return s.Credentials.Put(c)
	}
	return s.put(s.Credentials, c)
}

// Delete is that of the store, unless another stands in its place.
func (s *alteredStore) Delete(id []byte) error {
	if s.remove == nil {
		return s.Credentials.Delete(id)
	}
	return s.remove(s.Credentials, id)
}

// Count is that of the store, unless another stands in its place.
func (s *alteredStore) Count() (int, error) {
	if s.count == nil {
		return s.Credentials.Count()
	}
	return s.count(s.Credentials)
}

// Clear is that of the store, unless another stands in its place.
func (s *alteredStore) Clear() error {
	if s.clear == nil {
		return s.Credentials.Clear()
	}
	return s.clear(s.Credentials)
}

// keepReplaced keeps the credentials that others have taken the place of, as long as the
// authenticator lives.
func keepReplaced() behaviour {
	return alterStore(func(_ *quirks, s *alteredStore) {
		var kept []*Credential
		s.put = func(real Credentials, c *Credential) error {
			of, err := real.ByRP([32]byte(hashOf([]byte(c.RP.ID))))
			if err != nil {
				return err
			}
			for _, old := range of {
				if c.Discoverable && bytes.Equal(old.User.ID, c.User.ID) && !bytes.Equal(old.ID, c.ID) {
					kept = append(kept, old)
				}
			}
			return real.Put(c)
		}
		s.byRP = func(real Credentials, rpIDHash [32]byte) ([]*Credential, error) {
			found, err := real.ByRP(rpIDHash)
			for _, old := range kept {
				if rpIDHash == [32]byte(hashOf([]byte(old.RP.ID))) {
					found = append(found, old)
				}
			}
			return found, err
		}
		s.byID = func(real Credentials, id []byte) (*Credential, error) {
			for _, old := range kept {
				if bytes.Equal(old.ID, id) {
					return old, nil
				}
			}
			return real.ByID(id)
		}
		s.clear = func(real Credentials) error { kept = nil; return real.Clear() }
	})
}

// makeRoom removes the oldest discoverable credential for one that does not fit.
func makeRoom(real Credentials, c *Credential) error {
	err := real.Put(c)
	if err != ctap.ErrKeyStoreFull {
		return err
	}
	all, err := real.All()
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.Discoverable {
			if err := real.Delete(old.ID); err != nil {
				return err
			}
			break
		}
	}
	return real.Put(c)
}

// alteredKeys are Keys that sign something else, or otherwise.
type alteredKeys struct {
	Keys
	sign func(real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error)
}

// Sign implements [Keys] as the quirk has it.
func (k alteredKeys) Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error) {
	return k.sign(k.Keys, alg, handle, message)
}

func alterKeys(sign func(q *quirks, real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error)) behaviour {
	return behaviour{env: func(q *quirks, e *Env) {
		e.Keys = alteredKeys{e.Keys, func(real Keys, alg cose.Algorithm, handle, message []byte) ([]byte, error) {
			return sign(q, real, alg, handle, message)
		}}
	}}
}

// alteredCounter is a DeviceState that counts otherwise.
type alteredCounter struct {
	DeviceState
	next func(real DeviceState) (uint32, error)
}

// NextCounter implements [DeviceState] as the quirk has it.
func (d alteredCounter) NextCounter() (uint32, error) { return d.next(d.DeviceState) }

func alterCounter(next func(real DeviceState) (uint32, error)) behaviour {
	return behaviour{env: func(_ *quirks, e *Env) { e.Device = alteredCounter{e.Device, next} }}
}
