package authenticator

import (
	"testing"

	"fido-emu/ctap"
)

// TestManagedEnumerationEnds goes on with an enumeration of credential management after each
// command that ends it.
func TestManagedEnumerationEnds(t *testing.T) {
	for _, between := range []ctap.Command{ctap.GetInfo, ctap.GetNextAssertion, ctap.Selection, ctap.ClientPIN, 0x3F} {
		t.Run(between.String(), func(t *testing.T) {
			m := newManager(t, managedKey(), ctap.PermCredentialMgmt, "")
			_, status := m.manage(ctap.EnumerateRPsBegin, nil)
			m.want(status, ctap.OK, "enumerateRPsBegin")
			m.send(between, nil, nil)
			_, status = m.next(ctap.EnumerateRPsNext)
			m.want(status, ctap.ErrNotAllowed, "enumerateRPsGetNextRP")
		})
	}
}

// A request that is too long ends an enumeration, as any other does.
func TestLongRequestEndsEnumeration(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermCredentialMgmt, "")
	_, status := m.manage(ctap.EnumerateRPsBegin, nil)
	m.want(status, ctap.OK, "enumerateRPsBegin")
	m.want(m.send(ctap.CredentialManagement, map[int][]byte{1: make([]byte, defaultMaxMsgSize)}, nil), ctap.ErrRequestTooLarge, "a long request")
	_, status = m.next(ctap.EnumerateRPsNext)
	m.want(status, ctap.ErrNotAllowed, "enumerateRPsGetNextRP")
}
