package authenticator_test

import (
	"bytes"
	"fmt"

	"pgregory.net/rapid"

	"fido-emu/ctap"
)

// rapidInt draws a number from 0 to most.
func rapidInt(w *world, most int, what string) int { return rapid.IntRange(0, most).Draw(w.T, what) }

// dice is 0 where nothing unusual is to be chosen.
func (w *world) dice(most int, what string) int {
	if w.kind {
		return 0
	}
	return rapidInt(w, most, what)
}

var rps = []string{"a.example", "b.example"}

// ceremony is what is known of a makeCredential or getAssertion.
type ceremony struct {
	rp       string
	hash     []byte
	up       bool
	verified verdict
	present  bool
	listed   [][]byte
}

// hears tells whether the person was verified, and objects to flags that say what did
// not happen.
func (w *world) hears(c *ceremony, data *ctap.AuthenticatorData) {
	if hash := hashOf(c.rp); data.RPIDHash != hash {
		w.object("authenticator data for %x in a ceremony of %s", data.RPIDHash, c.rp)
	}
	if up := data.Flags&ctap.FlagUP != 0; up != c.up || up && !c.present {
		w.object("flag UP is %v; asked for %v, there %v", up, c.up, c.present)
	}
	uv := data.Flags&ctap.FlagUV != 0
	if uv && c.verified == no || !uv && c.verified == yes {
		w.object("flag UV is %v; verified: %v", uv, c.verified)
	}
	if uv {
		c.verified = yes
		w.happened("UV")
	} else {
		c.verified = no
	}
	if be := data.Flags&ctap.FlagBE != 0; be != w.p.BackupEligible {
		w.object("flag BE is %v", be)
	}
	w.count(data.SignCount)
}

// authenticate chooses how the user is to be verified: by a token, by built-in means,
// or not.
func (w *world) authenticate(permission ctap.Permissions, c *ceremony) (x proof, uv bool) {
	switch way := w.dice(3, "verification"); {
	case w.kind && w.protected(), way == 1, w.insist != nil:
		x = w.prove(permission, c.rp, c.hash)
	case way >= 2 && w.builtIn():
		uv = true
	}
	c.verified = w.worth(x, permission, c.rp)
	return x, uv
}

// settle works out what happened in a ceremony, and what it did to the tokens.
func (w *world) settle(c *ceremony, x proof, worth verdict, status ctap.Status) {
	if x.k == nil && w.recognised() {
		c.verified = yes
	}
	k := x.k
	c.present = w.touched() || k != nil && k.byUV && !k.spent && w.clock.Sub(k.born) <= firstUse
	if k != nil && !k.persistent && status == ctap.OK {
		k.rp = c.rp
	} else if k != nil && k.rp == "" && worth != no {
		k.surely = 0
	}
	for _, k := range w.tokens {
		if c.up && !k.persistent {
			k.surely &= lbw
			if status == ctap.OK {
				k.permissions, k.spent = k.permissions&lbw, true
			}
		}
	}
}

func (w *world) descriptors(ids [][]byte) (list []ctap.Descriptor) {
	for _, id := range ids {
		list = append(list, ctap.Descriptor{ID: id, Type: ctap.PublicKeyCredential})
	}
	return list
}

// someIDs are ids of credentials of any relying party, of such as were, and of none.
func (w *world) someIDs() (ids [][]byte) {
	for range 1 + rapidInt(w, 2, "ids") {
		if len(w.credentials) == 0 || w.chance(8, "unknown id") {
			ids = append(ids, bytes.Repeat([]byte{1}, 64))
			continue
		}
		ids = append(ids, pick(w, w.credentials, "credential").id)
	}
	return ids
}

func (w *world) clientData() []byte {
	hash := hashOf(fmt.Sprint("client data ", w.rand.Uint64()))
	return hash[:]
}
