package authenticator_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// device spoils what an authenticator saves of itself.
type device struct {
	authenticator.DeviceState
	save  func(old, d *authenticator.Device)
	count func(uint32) uint32
}

func (s device) Save(d authenticator.Device) error {
	old, err := s.Load()
	if err != nil {
		return err
	}
	if s.save != nil && old.Initialised {
		s.save(&old, &d)
	}
	return s.DeviceState.Save(d)
}

func (s device) NextCounter() (uint32, error) {
	n, err := s.DeviceState.NextCounter()
	if s.count != nil {
		n = s.count(n)
	}
	return n, err
}

// loses is a sabotage of what is saved.
func loses(save func(old, d *authenticator.Device)) func(*authenticator.Env) {
	return func(e *authenticator.Env) { e.Device = device{DeviceState: e.Device, save: save} }
}

// store spoils what is kept of credentials.
type store struct {
	authenticator.Credentials
	put           func(*authenticator.Credential)
	found         func(*authenticator.Credential) *authenticator.Credential
	byRP          func([]*authenticator.Credential) []*authenticator.Credential
	anyRP         bool
	keeps, clears bool // Delete and Clear do nothing
}

func (s store) Put(c *authenticator.Credential) error {
	changed := *c
	if s.put != nil {
		s.put(&changed)
	}
	return s.Credentials.Put(&changed)
}

func (s store) ByID(id []byte) (*authenticator.Credential, error) {
	c, err := s.Credentials.ByID(id)
	if s.found != nil && c != nil {
		c = s.found(c)
	}
	return c, err
}

func (s store) ByRP(hash [32]byte) ([]*authenticator.Credential, error) {
	found, err := s.Credentials.ByRP(hash)
	if s.anyRP {
		found, err = s.All()
		found = slices.DeleteFunc(slices.Clone(found), func(c *authenticator.Credential) bool { return !c.Discoverable })
	}
	if s.byRP != nil {
		found = s.byRP(found)
	}
	return found, err
}

func (s store) Delete(id []byte) error {
	if s.keeps {
		return nil
	}
	return s.Credentials.Delete(id)
}

func (s store) Clear() error {
	if s.clears {
		return nil
	}
	return s.Credentials.Clear()
}

func keeps(s store) func(*authenticator.Env) {
	return func(e *authenticator.Env) {
		s.Credentials = e.Credentials
		e.Credentials = s
	}
}

// gullible takes every answer of the person for the one that it hopes for.
type gullible struct {
	*person
	presence, verify bool
}

func (g gullible) Presence(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	if a := g.person.Presence(ctx, p); !g.presence {
		return a
	}
	return authenticator.Granted
}

func (g gullible) Verify(ctx context.Context, p authenticator.Prompt) authenticator.Answer {
	if a := g.person.Verify(ctx, p); !g.verify {
		return a
	}
	return authenticator.Granted
}

// otherKeys sign with the key that was made last.
type otherKeys struct {
	authenticator.Keys
	last *[]byte
}

func (k otherKeys) Generate(alg cose.Algorithm) ([]byte, []byte, error) {
	handle, public, err := k.Keys.Generate(alg)
	*k.last = handle
	return handle, public, err
}

func (k otherKeys) Sign(alg cose.Algorithm, handle, message []byte) ([]byte, error) {
	return k.Keys.Sign(alg, *k.last, message)
}

// repeating is a source of randomness that begins again and again.
type repeating struct{}

func (repeating) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i + 1)
	}
	return len(b), nil
}

type (
	saved  = authenticator.Device
	stored = authenticator.Credential
)

// sabotages are ways to make an authenticator break its rules through what it stands
// on.
func sabotages() map[string]func(*authenticator.Env) {
	return map[string]func(*authenticator.Env){
		"PIN tries come back":                  loses(func(old, d *saved) { d.PINRetries = max(d.PINRetries, old.PINRetries) }),
		"tries of user verification come back": loses(func(old, d *saved) { d.UVRetries = max(d.UVRetries, old.UVRetries) }),
		"a PIN is not stored":                  loses(func(old, d *saved) { d.PINHash = old.PINHash }),
		"a PIN survives a reset":               loses(func(old, d *saved) { d.PINHash = slices.Concat(d.PINHash, old.PINHash)[:len(old.PINHash)] }),
		"forcePINChange is lost":               loses(func(_, d *saved) { d.ForcePINChange = false }),
		"minPINLength is lost":                 loses(func(_, d *saved) { d.MinPINLength = 4 }),
		"alwaysUv is lost":                     loses(func(old, d *saved) { d.AlwaysUV = old.AlwaysUV }),
		"enterprise attestation survives":      loses(func(old, d *saved) { d.EnterpriseEnabled = d.EnterpriseEnabled || old.EnterpriseEnabled }),
		"a finger cannot be removed":           loses(func(old, d *saved) { d.Templates = longer(old.Templates, d.Templates) }),
		"large blobs are cut short":            loses(func(_, d *saved) { d.LargeBlobs = d.LargeBlobs[:min(len(d.LargeBlobs), 20)] }),
		"large blobs survive a reset":          loses(func(old, d *saved) { d.LargeBlobs = longer(old.LargeBlobs, d.LargeBlobs) }),
		"the counter stands still": func(e *authenticator.Env) {
			e.Device = device{DeviceState: e.Device, count: func(uint32) uint32 { return 1 }}
		},
		"the counter goes back": func(e *authenticator.Env) {
			e.Device = device{DeviceState: e.Device, count: func(n uint32) uint32 { return n%4 + 1 }}
		},
		"credentials of every relying party": keeps(store{anyRP: true}),
		"credProtect is forgotten":           keeps(store{put: func(c *stored) { c.Protection = 1 }}),
		"credProtect is not read in lists":   keeps(store{found: unprotected}),
		"user handles are mixed up":          keeps(store{put: func(c *stored) { c.User.ID = slices.Concat(c.User.ID, []byte("!")) }}),
		"the oldest first":                   keeps(store{byRP: reversed}),
		"a deleted credential stays":         keeps(store{keeps: true}),
		"credentials survive a reset":        keeps(store{clears: true}),
		"hmac-secret is the same with UV": keeps(store{put: func(c *stored) {
			c.HMACSecret = slices.Concat(c.HMACSecret[len(c.HMACSecret)/2:], c.HMACSecret[len(c.HMACSecret)/2:])
		}}),
		"hmac-secret of all credentials": keeps(store{put: func(c *stored) {
			c.HMACSecret = c.HMACSecret[:0:0]
			c.HMACSecret = append(c.HMACSecret, make([]byte, 64)...)
		}}),
		"credBlob is lost":                    keeps(store{put: func(c *stored) { c.CredBlob = nil }}),
		"largeBlobKey of all credentials":     keeps(store{put: func(c *stored) { c.LargeBlobKey = make([]byte, 32) }}),
		"more credentials than there is room": func(e *authenticator.Env) { e.Credentials = authenticator.NewMemoryCredentials(0) },
		"a clock that stands still":           func(e *authenticator.Env) { now := e.Now(); e.Now = func() time.Time { return now } },
		"random numbers that repeat":          func(e *authenticator.Env) { e.Rand = repeating{} },
		"a touch that nobody gave":            func(e *authenticator.Env) { e.User = gullible{person: e.User.(*person), presence: true} },
		"every finger is recognised":          func(e *authenticator.Env) { e.User = gullible{person: e.User.(*person), verify: true} },
		"signatures by another credential":    func(e *authenticator.Env) { e.Keys = otherKeys{e.Keys, new([]byte)} },
		"sealed credentials survive a reset":  loses(func(old, d *saved) { d.WrapKey = old.WrapKey }),
		"the persistent token survives":       loses(func(old, d *saved) { d.PersistentToken = old.PersistentToken }),
	}
}

func longer[T any](a, b []T) []T {
	if len(a) > len(b) {
		return a
	}
	return b
}

func unprotected(c *stored) *stored {
	open := *c
	open.Protection = 1
	return &open
}

func reversed(found []*stored) []*stored {
	found = slices.Clone(found)
	slices.Reverse(found)
	return found
}

// TestModelObjects spoils an authenticator in one way at a time, and expects the model
// to see it.
func TestModelObjects(t *testing.T) {
	for name, sabotage := range sabotages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, profile := range []string{"key", "bio"} {
				if against, _ := played(modelled()[profile], 500, sabotage); against != nil {
					t.Logf("%s: %s", profile, against[0])
					return
				}
			}
			t.Error("the model has nothing against it")
		})
	}
}
