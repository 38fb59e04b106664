package authenticator_test

import (
	"crypto/sha256"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// model is what somebody knows who has watched an authenticator from its first day,
// and the rules by which they judge it. It says what must not happen, and what must
// when everything is right; the statuses in between it leaves to other tests.
type model struct {
	p       authenticator.Profile
	powered time.Time

	pin     string // empty: none is set
	tries   uint   // left
	inRow   uint   // wrong PINs since the power came
	uvTries uint

	shortest                     uint // minPINLength
	forced, alwaysUV, enterprise bool
	credentials                  []*credential // all that ever were, oldest first
	tokens                       []*token      // all that ever were, oldest first
	fingers                      []finger
	enrolling                    []byte // template id; nil: nothing
	samples                      uint   // still needed
	blobs                        []byte
	upload                       upload
	listing                      listing
	counter                      uint32
	agreed                       map[uint]string    // key agreement keys, by protocol
	retired                      []string           // and those that were given up
	shared                       map[uint][2][]byte // the platform's public keys and the shared secrets
	secretsSeen                  map[string]string  // hmac-secret outputs that were seen, by what they depend on
}

// renew gives up all key agreement keys.
func (m *model) renew() {
	for _, key := range m.agreed {
		m.retired = append(m.retired, key)
	}
}

// credential is one that was made.
type credential struct {
	id, key          []byte
	rp, handle, name string
	level            uint // credProtect
	rk, hmac         bool
	blob, blobKey    []byte
	gone             bool // deleted, overwritten or reset
}

// finger is an enrolled one.
type finger struct {
	id   string
	name string
}

// token is a pinUvAuthToken, or the persistent one.
type token struct {
	value       []byte
	protocol    uint
	permissions ctap.Permissions // at most
	surely      ctap.Permissions // at least
	rp          string
	born        time.Time
	used        bool
	perhapsUsed bool
	byUV, spent bool
	persistent  bool
	over        bool // by a newer one, another PIN, a power cycle or a reset
}

// upload is a large-blob array on its way.
type upload struct {
	whole []byte
	sent  int
}

// listing is an enumeration that was begun. It ends with any other command.
type listing struct {
	next       uint // subcommand, or 0 for getNextAssertion
	rest       []*credential
	ceremony   *ceremony
	channel    uint32
	lastAnswer time.Time
}

func newModel(p authenticator.Profile, now time.Time) model {
	m := model{p: p, powered: now, secretsSeen: map[string]string{}, agreed: map[uint]string{}, shared: map[uint][2][]byte{}}
	m.factory()
	for i := range p.Biometrics.Enrolled {
		m.fingers = append(m.fingers, finger{string([]byte{0, 0, 0, byte(i + 1)}), "Finger " + string(rune('1'+i))})
	}
	return m
}

const emptyBlobs = "\x80\x76\xBE\x8B\x52\x8D\x00\x75\xF7\xAA\xE9\x8D\x6F\xA5\x7A\x6D\x3C"

// factory is the state after a reset. Counters go on.
func (m *model) factory() {
	m.pin, m.tries, m.inRow, m.uvTries, m.shortest = "", m.p.PINRetries, 0, m.p.UVRetries, 4
	m.forced, m.alwaysUV, m.enterprise = false, m.p.AlwaysUV, false
	m.fingers, m.blobs, m.enrolling, m.upload = nil, []byte(emptyBlobs), nil, upload{}
	for _, c := range m.credentials {
		c.gone = true
	}
	m.endTokens(true)
	m.renew()
}

func (m *model) powerCycle(now time.Time) {
	m.powered, m.inRow, m.enrolling, m.upload, m.listing = now, 0, nil, upload{}, listing{}
	m.endTokens(false)
	m.renew()
}

// endTokens ends all tokens, or all but the persistent one.
func (m *model) endTokens(persistent bool) {
	for _, k := range m.tokens {
		k.over = k.over || persistent || !k.persistent
	}
}

// try is one PIN given, and what must come of it (section 6.5.5.7).
func (m *model) try(pin string) ctap.Status {
	switch {
	case m.pin == "":
		return ctap.ErrPINNotSet
	case m.tries == 0:
		return ctap.ErrPINBlocked
	case m.inRow >= 3:
		return ctap.ErrPINAuthBlocked
	case pin == m.pin:
		m.tries, m.inRow, m.uvTries = m.p.PINRetries, 0, m.p.UVRetries
		return ctap.OK
	}
	m.tries--
	m.inRow++
	switch {
	case m.tries == 0:
		return ctap.ErrPINBlocked
	case m.inRow >= 3:
		return ctap.ErrPINAuthBlocked
	}
	return ctap.ErrPINInvalid
}

// countVerifications counts the tries of built-in user verification that a command
// took (section 6.5.3.1).
func (m *model) countVerifications(w *world) {
	for _, a := range w.asked {
		switch {
		case !a.verify:
		case m.uvTries == 0:
			w.object("user verification that is blocked asks again")
		case a.answer == authenticator.Granted:
			m.uvTries = m.p.UVRetries
		case a.answer == authenticator.NotRecognised:
			m.uvTries--
			if m.uvTries == 0 {
				w.happened("user verification blocked")
			}
		}
	}
}

// verdict is whether something is so.
type verdict int

const (
	no verdict = iota
	perhaps
	yes
)

// The life of a token (section 6.5.2.1).
const (
	firstUse = 30 * time.Second
	longest  = 10 * time.Minute
)

// alive tells whether a token may still be used.
func (k *token) alive(now time.Time) verdict {
	age := now.Sub(k.born)
	switch {
	case k.over:
		return no
	case k.persistent:
		return yes
	case age > longest || age > firstUse && !k.used && !k.perhapsUsed:
		return no
	case age == longest || age >= firstUse && !k.used:
		return perhaps
	}
	return yes
}

// grants tells whether a token gives a permission for a relying party. An empty rp
// stands for all of them.
func (k *token) grants(permission ctap.Permissions, protocol uint, rp string, now time.Time) verdict {
	switch {
	case k.persistent && permission == ctap.PermCredentialMgmt:
		permission = ctap.PermCredentialMgmtRead // callers ask for the right subcommands
	case k.persistent || k.protocol != protocol:
		return no
	}
	ofRP := permission&(mc|ga|cm) != 0
	if k.permissions&permission == 0 || ofRP && k.rp != "" && k.rp != rp {
		return no
	}
	if k.surely&permission == 0 {
		return min(perhaps, k.alive(now))
	}
	return k.alive(now)
}

// protected tells whether some form of user verification is set up (section 6.4).
func (m *model) protected() bool { return m.pin != "" || m.builtIn() }

func (m *model) builtIn() bool {
	b := m.p.Biometrics
	return m.p.BuiltInUV != authenticator.NoBuiltInUV && (!b.Enrollment && !b.Preview || len(m.fingers) > 0)
}

// there are the discoverable credentials that exist, newest first; those of a relying
// party or, without one, of all.
func (m *model) there(rp string) (found []*credential) {
	for _, c := range slices.Backward(m.credentials) {
		if !c.gone && c.rk && (rp == "" || c.rp == rp) {
			found = append(found, c)
		}
	}
	return found
}

// usable tells whether a credential may be used, or told of, in a ceremony (section
// 12.1).
func (c *credential) usable(rp string, verified, listed bool) bool {
	return !c.gone && c.rp == rp && (verified || c.level < 2 || c.level == 2 && listed)
}

// secrets are the bytes by which an answer tells of a credential.
func (c *credential) secrets(d disclosure) (secrets []string) {
	if d == nothing {
		return nil
	}
	secrets = []string{string(c.id), c.handle, string(c.key[len(c.key)-32:])}
	for _, b := range [][]byte{c.blob, c.blobKey} {
		if b != nil {
			secrets = append(secrets, string(b))
		}
	}
	if d == all {
		secrets = append(secrets, c.name)
	}
	return secrets
}

// count takes the signature counter of an answer, which only grows.
func (w *world) count(n uint32) {
	if w.p.Counter == authenticator.NoCounter {
		if n != 0 {
			w.object("a counter of %d where there is none", n)
		}
		return
	}
	if n <= w.counter {
		w.object("the signature counter is %d after %d", n, w.counter)
	}
	w.counter = n
}

func hashOf(s string) [32]byte { return sha256.Sum256([]byte(s)) }
