package credmgmt

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// manager is a case that manages credentials.
type manager struct {
	*conformance.Run
	command ctap.Command
	token   *conformance.Token // with the permission cm, for as long as it serves; nil for none
	made    []*conformance.Credential
}

// answer is what the subcommands answer.
type answer = ctap.CredentialManagementResponse

// signed are the parameters of a request with pinUvAuthParam by a token. params may be
// nil.
func (m *manager) signed(t *conformance.Token, sub uint, params any) conformance.M {
	request, raw := conformance.M{1: sub}, m.Encode(params)
	if raw != nil {
		request[2] = cbor.RawMessage(raw)
	}
	return request.With(3, t.Number()).With(4, t.MAC([]byte{byte(sub)}, raw))
}

// manage returns a token with the permission cm.
func (m *manager) manage() *conformance.Token {
	if m.token == nil {
		m.token = m.Token(ctap.PermCredentialMgmt, "")
	}
	return m.token
}

// do sends a subcommand, authorised.
func (m *manager) do(sub uint, params any) *conformance.Reply {
	return m.Send(m.command, m.signed(m.manage(), sub, params))
}

// next sends one of the subcommands that go on with an enumeration.
func (m *manager) next(sub uint) *conformance.Reply {
	return m.Send(m.command, conformance.M{1: sub})
}

// site returns a relying party that no credential is for yet.
func (m *manager) site() string { return fmt.Sprintf("%x.conformance.example", m.Bytes(6)) }

// passkey are parameters that make a discoverable credential at a relying party.
func (m *manager) passkey(rpID string) conformance.M {
	return m.CreateParams().With(2, conformance.S{"id": rpID, "name": "Conformance"}).With(7, conformance.S{"rk": true})
}

// make makes a credential, which is deleted when the case has ended well.
func (m *manager) make(params conformance.M) *conformance.Credential {
	c := m.Create(params)
	m.made, m.token = append(m.made, c), nil // making one spends the token
	return c
}

// at makes a discoverable credential at a relying party.
func (m *manager) at(rpID string) *conformance.Credential { return m.make(m.passkey(rpID)) }

// plain makes a credential that is not discoverable.
func (m *manager) plain(rpID string) *conformance.Credential {
	return m.make(m.CreateParams().With(2, conformance.S{"id": rpID}))
}

// clean deletes what the case made, where it is still there.
func (m *manager) clean() {
	if len(m.made) == 0 {
		return
	}
	m.token = nil
	for _, c := range m.made {
		m.do(ctap.DeleteCredential, ofCredential(c))
	}
}

// ofCredential are the parameters that name a credential.
func ofCredential(c *conformance.Credential) conformance.M {
	return conformance.M{2: c.Descriptor()}
}

// ofSite are the parameters that name a relying party.
func ofSite(rpID string) conformance.M {
	hash := sha256.Sum256([]byte(rpID))
	return conformance.M{1: hash[:]}
}

// counts asks getCredsMetadata.
func (m *manager) counts() (existing, remaining uint) {
	p := m.do(ctap.GetCredsMetadata, nil).OK()
	return p.Uint(1), p.Uint(2)
}

// read reads an answer.
func read(p *conformance.Reply) *answer {
	var a answer
	p.OK().Into(&a)
	return &a
}

// sites enumerates all relying parties.
func (m *manager) sites() []*answer {
	first := m.do(ctap.EnumerateRPsBegin, nil)
	if first.Status == ctap.ErrNoCredentials {
		return nil
	}
	return m.enumerate(first, ctap.EnumerateRPsNext, func(a *answer) uint { return a.TotalRPs })
}

// stored enumerates the credentials at a relying party.
func (m *manager) stored(rpID string) []*answer {
	first := m.do(ctap.EnumerateCredentialsBegin, ofSite(rpID))
	if first.Status == ctap.ErrNoCredentials {
		return nil
	}
	return m.enumerate(first, ctap.EnumerateCredentialsNext, func(a *answer) uint { return a.TotalCredentials })
}

// enumerate goes on with an enumeration to its end.
func (m *manager) enumerate(first *conformance.Reply, next uint, total func(*answer) uint) []*answer {
	all := []*answer{read(first)}
	n := total(all[0])
	m.Require(n > 0, "the first answer of an enumeration says how many there are, and this one does not")
	for uint(len(all)) < n {
		all = append(all, read(m.next(next)))
	}
	m.next(next).Want(ctap.ErrNotAllowed)
	return all
}

// find returns the answer that tells of a credential, nil where there is none.
func find(all []*answer, c *conformance.Credential) *answer {
	for _, a := range all {
		if a.CredentialID != nil && bytes.Equal(a.CredentialID.ID, c.ID) {
			return a
		}
	}
	return nil
}

// listed returns what is stored of a credential; the case fails when it is not listed.
func (m *manager) listed(c *conformance.Credential) *answer {
	a := find(m.stored(c.RPID), c)
	m.Require(a != nil, "the credential %x is not listed among those of %s", c.ID, c.RPID)
	return a
}

// lists tells whether the relying party is among those enumerated.
func lists(all []*answer, rpID string) bool {
	for _, a := range all {
		if a.RP != nil && a.RP.ID == rpID {
			return true
		}
	}
	return false
}
