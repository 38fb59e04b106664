package authenticator

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// unlock decrypts encIdentifier or encCredStoreState as a platform does.
func unlock(t *testing.T, token, member []byte, label string) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, token, make([]byte, 32), label, 16)
	if err != nil || len(member) != 32 {
		t.Fatalf("%s: %x, %v", label, member, err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	plain := make([]byte, 16)
	cipher.NewCBCDecrypter(block, member[:16]).CryptBlocks(plain, member[16:])
	return plain
}

// newReader returns a manager whose token is the persistent one.
func newReader(t *testing.T) *manager {
	t.Helper()
	p := fullKeyWithoutFinger()
	p.MaxCredentials = 10
	return newManager(t, p, ctap.PermCredentialMgmtRead, "")
}

func TestPersistentToken(t *testing.T) {
	m := newReader(t)
	again, status := m.token0(ctap.PermCredentialMgmtRead, "")
	m.want(status, ctap.OK, "again")
	if !bytes.Equal(again, m.token) {
		t.Error("it is another one the second time")
	}
	_, status = m.token0(ctap.PermCredentialMgmtRead|ctap.PermCredentialMgmt, "")
	m.want(status, ctap.ErrUnauthorizedPerm, "with another permission")
	m.now = m.now.Add(24 * time.Hour)
	m.auth.PowerCycle()
	_, status = m.manage(ctap.GetCredsMetadata, nil)
	m.want(status, ctap.OK, "getCredsMetadata")
	_, status = m.manage(ctap.EnumerateRPsBegin, nil)
	m.want(status, ctap.OK, "enumerateRPsBegin")
	_, status = m.next(ctap.EnumerateRPsNext)
	m.want(status, ctap.OK, "enumerateRPsGetNextRP")
	_, status = m.manage(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash("a.example")})
	m.want(status, ctap.OK, "enumerateCredentialsBegin")
	_, status = m.next(ctap.EnumerateCredentialsNext)
	m.want(status, ctap.OK, "enumerateCredentialsGetNextCredential")

	id := ctap.Descriptor{ID: m.newest("a.example").ID, Type: ctap.PublicKeyCredential}
	_, status = m.manage(ctap.DeleteCredential, ctap.CredentialManagementParams{CredentialID: &id})
	m.want(status, ctap.ErrPINAuthInvalid, "delete")
	_, status = m.manage(ctap.UpdateUserInformation, ctap.CredentialManagementParams{CredentialID: &id, User: &ctap.User{ID: []byte("bob")}})
	m.want(status, ctap.ErrPINAuthInvalid, "update")
	m.want(m.configure(ctap.ToggleAlwaysUV, nil), ctap.ErrPINAuthInvalid, "config")
	m.want(m.send(ctap.LargeBlobs, fragment([]byte(initialLargeBlobs), 0, 17, m.token), nil), ctap.ErrPINAuthInvalid, "large blobs")
}

func TestPersistentTokenLeavesTheOtherAlone(t *testing.T) {
	m := newManager(t, fullKeyWithoutFinger(), ctap.PermCredentialMgmt, "")
	_, status := m.token0(ctap.PermCredentialMgmtRead, "")
	m.want(status, ctap.OK, "persistent token")
	_, status = m.manage(ctap.GetCredsMetadata, nil)
	m.want(status, ctap.OK, "with the token from before")
}

func TestPersistentTokenEnds(t *testing.T) {
	for name, end := range map[string]func(*manager){
		"changePIN": func(m *manager) { m.want(m.changePIN(pinuv.Two, "1234", "5678"), ctap.OK, "changePIN") },
		"reset":     func(m *manager) { m.want(m.send(ctap.Reset, nil, nil), ctap.OK, "reset") },
		"forceChangePin": func(m *manager) {
			token, _ := m.token0(ctap.PermAuthenticatorCfg, "")
			m.want((&manager{m.rig, token}).configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true}), ctap.OK, "config")
		},
	} {
		m := newReader(t)
		end(m)
		_, status := m.manage(ctap.GetCredsMetadata, nil)
		m.want(status, ctap.ErrPINAuthInvalid, "after "+name)
	}
	plain := newRig(t, managedKey())
	plain.want(plain.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	_, status := plain.token0(ctap.PermCredentialMgmtRead, "")
	plain.want(status, ctap.ErrUnauthorizedPerm, "a key without it")
}

func TestEncIdentifier(t *testing.T) {
	m := newReader(t)
	first, second := m.info().EncIdentifier, m.info().EncIdentifier
	if bytes.Equal(first[:16], second[:16]) {
		t.Error("the same iv twice")
	}
	id := unlock(t, m.token, first, "encIdentifier")
	if !bytes.Equal(id, unlock(t, m.token, second, "encIdentifier")) {
		t.Error("another identifier")
	}
	m.want(m.changePIN(pinuv.Two, "1234", "5678"), ctap.OK, "changePIN")
	token, _ := m.rig.token(pinuv.Two, "5678", ctap.PermCredentialMgmtRead, "")
	if !bytes.Equal(id, unlock(t, token, m.info().EncIdentifier, "encIdentifier")) {
		t.Error("another identifier after a change of PIN")
	}
	m.want(m.send(ctap.Reset, nil, nil), ctap.OK, "reset")
	if bytes.Equal(id, unlock(t, m.auth.device.PersistentToken, m.info().EncIdentifier, "encIdentifier")) {
		t.Error("the same identifier after a reset")
	}
}

func TestEncCredStoreState(t *testing.T) {
	m := newReader(t)
	seen := map[string]string{}
	state := func(what string, changed bool) {
		t.Helper()
		s := string(unlock(t, m.auth.device.PersistentToken, m.info().EncCredStoreState, "encCredStoreState"))
		if earlier, was := seen[s]; was == changed {
			t.Errorf("%s: state changed %v, want %v (as it was %s)", what, !was, changed, earlier)
		}
		seen[s] = what
	}
	state("at first", true)
	state("asked again", false)
	m.auth.PowerCycle()
	state("after a power cycle", false)
	token, _ := m.token0(ctap.PermMakeCredential, "c.example")
	q := discoverable("c.example", "eve")
	q.PinUvAuthProtocol, q.PinUvAuthParam = 2, pinuv.Two.Authenticate(token, q.ClientDataHash)
	m.make(q)
	state("a new credential", true)
	m.get(assertion("c.example"), m.newest("c.example").PublicKey)
	state("a signature", false)
	m.make(creation("c.example", "mallory"))
	state("a credential that is not discoverable", false)
	changed := *m.newest("c.example")
	changed.User.DisplayName = "Eve"
	if err := m.store.Put(&changed); err != nil {
		t.Fatal(err)
	}
	state("a change beneath", true)
	if err := m.store.Delete(changed.ID); err != nil {
		t.Fatal(err)
	}
	state("a deletion beneath", false) // what is there is what was there at first
	m.want(m.send(ctap.Reset, nil, nil), ctap.OK, "reset")
	state("a reset", true)
}

func TestPersistentTokenComesWithTheProfile(t *testing.T) {
	p := fullKeyWithoutFinger()
	p.ReadOnlyManagement, p.EncCredStoreState = false, false
	r := newRig(t, p)
	p.ReadOnlyManagement = true
	auth, err := New(p, r.env)
	if err != nil {
		t.Fatal(err)
	}
	if saved, err := r.device.Load(); err != nil || len(saved.PersistentToken) != 32 || len(saved.Identifier) != 16 || !bytes.Equal(saved.WrapKey, auth.device.WrapKey) {
		t.Errorf("saved %+v, %v", saved, err)
	}
}
