package credmgmt

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// of22 says of cases that their rule came with CTAP 2.2.
func of22(cases []conformance.Case) []conformance.Case {
	for i := range cases {
		cases[i].Rule = conformance.Since22(cases[i].Rule.Section)
	}
	return cases
}

// persistent returns the persistent token.
func (m *manager) persistent() *conformance.Token { return m.Token(ctap.PermCredentialMgmtRead, "") }

// readOnly is about the persistent token, with the permission pcmr.
func readOnly() []conformance.Case {
	need := conformance.Option("perCredMgmtRO")
	var cases []conformance.Case
	for _, a := range actions() {
		if a.sub == ctap.DeleteCredential || a.sub == ctap.UpdateUserInformation {
			cases = append(cases, only("readonly."+a.name, a.section, a.title+" changes, and the permission pcmr is not for it", func(m *manager) {
				c := m.at(m.site())
				m.Send(m.command, m.signed(m.persistent(), a.sub, a.of(c))).Want(ctap.ErrPINAuthInvalid)
				m.remains(c)
			}, need)...)
			continue
		}
		cases = append(cases, only("readonly."+a.name, a.section, a.title+" reads, and takes the permission pcmr", func(m *manager) {
			c := m.at(m.site())
			m.Send(m.command, m.signed(m.persistent(), a.sub, a.of(c))).OK()
		}, need)...)
	}
	return of22(conformance.Join(cases, conformance.One(
		final().as("readonly.next", "6.8.4", "an enumeration that the permission pcmr began goes on", func(m *manager) {
			rp := m.site()
			m.at(rp)
			m.at(rp)
			m.Send(m.command, m.signed(m.persistent(), ctap.EnumerateCredentialsBegin, ofSite(rp))).OK()
			m.next(ctap.EnumerateCredentialsNext).OK()
		}, need),
		final().as("readonly.forged", "6.8.2", "a pinUvAuthParam that is not the persistent token's is CTAP2_ERR_PIN_AUTH_INVALID", func(m *manager) {
			request := m.signed(m.persistent(), ctap.GetCredsMetadata, nil)
			request[4].([]byte)[0] ^= 1
			m.Send(m.command, request).Want(ctap.ErrPINAuthInvalid)
		}, need),
		final().as("readonly.same", "6.5.2.1", "the persistent token is the same whenever it is given, and is not taken back by others", func(m *manager) {
			t := m.persistent()
			m.Token(ctap.PermCredentialMgmt, "")
			m.at(m.site())
			m.Send(m.command, m.signed(t, ctap.GetCredsMetadata, nil)).OK()
			m.Require(bytes.Equal(m.persistent().Value, t.Value), "another persistent token was given")
		}, need)),
		needing(conformance.Replug, only("readonly.power-cycle", "6.5.2.1", "the persistent token lasts over a power cycle", func(m *manager) {
			t := m.persistent()
			m.PowerCycle()
			m.Send(m.command, m.signed(t, ctap.GetCredsMetadata, nil)).OK()
		}, need)),
		only("readonly.pin-change", "6.5.5.6", "the persistent token ends when the PIN is changed", func(m *manager) {
			t := m.persistent()
			m.ChangePIN(m.PIN(), "8264-1937")
			m.Send(m.command, m.signed(t, ctap.GetCredsMetadata, nil)).Want(ctap.ErrPINAuthInvalid)
		}, need),
		needing(conformance.Replug|conformance.LongTouch, only("readonly.reset", "6.6", "the persistent token ends with a reset", func(m *manager) {
			t := m.persistent()
			m.reset()
			m.Send(m.command, m.signed(t, ctap.GetCredsMetadata, nil)).Want(ctap.ErrPINAuthInvalid)
		}, need)),
	))
}

// reset returns the authenticator to factory settings, and sets the PIN again.
func (m *manager) reset() {
	pin := m.PIN()
	m.PowerCycle()
	m.Plan(conformance.Touch)
	if long := m.Info().LongTouchForReset; long != nil && *long {
		m.Plan(conformance.LongTouch)
	}
	m.Send(ctap.Reset, nil).OK()
	m.made, m.token = nil, nil
	m.SetPIN(pin)
}

// opened decrypts a member of getInfo for who holds the persistent token: iv ‖
// AES-128-CBC(block), under a key of HKDF-SHA-256 with the member's name.
func (m *manager) opened(t *conformance.Token, key int, name string) string {
	var sealed ctap.Bytes
	raw := m.Send(ctap.GetInfo, nil).OK().Member(key)
	m.Require(cbor.Unmarshal(raw, &sealed) == nil && len(sealed) == 2*aes.BlockSize, "%s is %x, not 32 bytes", name, []byte(raw))
	k, err := hkdf.Key(sha256.New, t.Value, make([]byte, sha256.Size), name, aes.BlockSize)
	m.Broken(err)
	block, err := aes.NewCipher(k)
	m.Broken(err)
	plain := make([]byte, aes.BlockSize)
	cipher.NewCBCDecrypter(block, sealed[:aes.BlockSize]).CryptBlocks(plain, sealed[aes.BlockSize:])
	return string(plain)
}

func (m *manager) identifier(t *conformance.Token) string {
	return m.opened(t, 0x19, "encIdentifier")
}

func (m *manager) storeState(t *conformance.Token) string {
	return m.opened(t, 0x1E, "encCredStoreState")
}

// identity is about encIdentifier and encCredStoreState.
func identity() []conformance.Case {
	id := []conformance.Need{conformance.Option("perCredMgmtRO"), conformance.Member(0x19)}
	return conformance.Join(
		of22(needing(conformance.Replug, only("identity.stable", "6.4", "encIdentifier holds the same identifier every time, also after a power cycle and a new credential", func(m *manager) {
			t := m.persistent()
			first := m.identifier(t)
			conformance.Equal(m.Run, "the identifier, asked again", m.identifier(t), first)
			m.at(m.site())
			m.PowerCycle()
			conformance.Equal(m.Run, "the identifier after a power cycle", m.identifier(t), first)
		}, id...))),
		of22(needing(conformance.Replug|conformance.LongTouch, only("identity.reset", "6.6", "encIdentifier holds another identifier after a reset", func(m *manager) {
			first := m.identifier(m.persistent())
			m.reset()
			m.Require(m.identifier(m.persistent()) != first, "the identifier is the same after a reset")
		}, id...))),
		of22(only("identity.new-key", "6.4", "after the PIN was changed encIdentifier holds the same, for who holds the new persistent token", func(m *manager) {
			first := m.identifier(m.persistent())
			m.ChangePIN(m.PIN(), "8264-1937")
			conformance.Equal(m.Run, "the identifier", m.identifier(m.persistent()), first)
		}, id...)),
		storeStates(),
	)
}

// storeStates is about what changes encCredStoreState, and what does not.
func storeStates() []conformance.Case {
	needs := []conformance.Need{conformance.Option("perCredMgmtRO"), conformance.Member(0x1E)}
	rows := []struct {
		name, why string
		changes   bool
		do        func(m *manager, c *conformance.Credential)
	}{
		{"asked", "does not change by being asked for", false, func(*manager, *conformance.Credential) {}},
		{"added", "changes when a discoverable credential is made", true, func(m *manager, _ *conformance.Credential) { m.at(m.site()) }},
		{"deleted", "changes when a discoverable credential is deleted", true, func(m *manager, c *conformance.Credential) { m.remove(c) }},
		{"updated", "changes when a credential's user changes", true, func(m *manager, c *conformance.Credential) {
			m.update(c, conformance.S{"id": c.UserID, "name": "bob@conformance.example"}).OK()
		}},
		{"not-discoverable", "does not change when a credential is made that is not discoverable", false, func(m *manager, _ *conformance.Credential) {
			m.plain(m.site())
		}},
		{"used", "does not change when a credential is used", false, func(m *manager, c *conformance.Credential) { m.works(c) }},
		{"read", "does not change when credentials are listed", false, func(m *manager, c *conformance.Credential) {
			m.sites()
			m.stored(c.RPID)
		}},
	}
	return conformance.Each(rows, func(x struct {
		name, why string
		changes   bool
		do        func(m *manager, c *conformance.Credential)
	}) conformance.Case {
		c := final().as("identity.state."+x.name, "6.4", "encCredStoreState "+x.why, func(m *manager) {
			credential, t := m.at(m.site()), m.persistent()
			before := m.storeState(t)
			x.do(m, credential)
			m.Require((m.storeState(t) != before) == x.changes, "the state in encCredStoreState changed: %v", !x.changes)
		}, needs...)
		c.Rule = conformance.Since23("6.4")
		return c
	})
}
