package credmgmt

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// gone ends the case as failed if a credential still works.
func (m *manager) gone(c *conformance.Credential) {
	params := m.Authorise(ctap.GetAssertion, m.AssertParams(c))
	m.token = nil
	m.Send(ctap.GetAssertion, params).Want(ctap.ErrNoCredentials)
	params = m.Authorise(ctap.GetAssertion, conformance.M{1: c.RPID, 2: m.Bytes(32)})
	m.Send(ctap.GetAssertion, params).Want(ctap.ErrNoCredentials)
}

// remove deletes a credential.
func (m *manager) remove(c *conformance.Credential) {
	m.do(ctap.DeleteCredential, ofCredential(c)).OK()
}

// works asserts with a credential.
func (m *manager) works(c *conformance.Credential) *conformance.Assertion {
	m.token = nil
	return m.Use(c)
}

// deletion is about deleteCredential.
func deletion() []conformance.Case {
	return conformance.Join(
		both("delete.gone", "6.8.5", "a credential that was deleted does not work any more, named or not", func(m *manager) {
			c := m.at(m.site())
			m.do(ctap.DeleteCredential, ofCredential(c)).OK().Empty().Untouched()
			m.gone(c)
		}),
		both("delete.not-listed", "6.8.5", "a credential that was deleted is not listed any more, and the others are", func(m *manager) {
			rp := m.site()
			c, stays := m.at(rp), m.at(rp)
			m.remove(c)
			all := m.stored(rp)
			m.Require(find(all, c) == nil, "it is still listed")
			m.Require(find(all, stays) != nil, "another credential at the relying party is gone too")
		}),
		both("delete.others-work", "6.8.5", "other credentials, at the relying party and elsewhere, still work", func(m *manager) {
			rp := m.site()
			c, neighbour, elsewhere := m.at(rp), m.at(rp), m.at(m.site())
			m.remove(c)
			m.works(neighbour)
			m.works(elsewhere)
		}),
		both("delete.unknown", "6.8.5", "a credential that is not there is CTAP2_ERR_NO_CREDENTIALS", func(m *manager) {
			c := m.at(m.site())
			id := bytes.Clone(c.ID)
			id[0] ^= 1
			m.do(ctap.DeleteCredential, conformance.M{2: conformance.S{"id": id, "type": ctap.PublicKeyCredential}}).Want(ctap.ErrNoCredentials)
			m.works(c)
		}),
		both("delete.twice", "6.8.5", "a credential cannot be deleted twice: CTAP2_ERR_NO_CREDENTIALS", func(m *manager) {
			c := m.at(m.site())
			m.remove(c)
			m.do(ctap.DeleteCredential, ofCredential(c)).Want(ctap.ErrNoCredentials)
		}),
		both("delete.not-discoverable", "6.8.5", "a credential that is not discoverable is not there to be deleted", func(m *manager) {
			c := m.plain(m.site())
			m.do(ctap.DeleteCredential, ofCredential(c)).Want(ctap.ErrNoCredentials)
			m.works(c)
		}),
		needing(conformance.Replug, both("delete.power-cycle", "6.8.5", "a credential stays deleted over a power cycle", func(m *manager) {
			c := m.at(m.site())
			m.remove(c)
			m.PowerCycle()
			m.token = nil
			m.Require(find(m.stored(c.RPID), c) == nil, "it is listed again")
			m.gone(c)
		})),
		both("delete.registers-again", "6.8.5", "a credential that was deleted does not keep its user from registering again", func(m *manager) {
			params := m.passkey(m.site())
			c := m.make(params)
			m.remove(c)
			m.make(params.With(1, m.Bytes(32)).With(5, []conformance.S{c.Descriptor()}))
		}),
		only("delete.blobs-untouched", "6.8.5", "the large-blob array is the platform's, and stays as it is", func(m *manager) {
			c := m.extended("largeBlobKey", true)
			before := m.blobs()
			m.remove(c)
			m.Require(bytes.Equal(m.blobs(), before), "the large-blob array changed")
		}, conformance.Option("largeBlobs"), conformance.Extension("largeBlobKey")),
	)
}

// blobs reads the beginning of the large-blob array.
func (m *manager) blobs() []byte {
	var a ctap.LargeBlobsResponse
	m.Send(ctap.LargeBlobs, conformance.M{1: 256, 3: 0}).OK().Into(&a)
	return a.Config
}

// update changes what is stored of a credential's user.
func (m *manager) update(c *conformance.Credential, user conformance.S) *conformance.Reply {
	return m.do(ctap.UpdateUserInformation, conformance.M{2: c.Descriptor(), 3: user})
}

// user returns what is stored of a credential's user.
func (m *manager) user(c *conformance.Credential) ctap.User {
	a := m.listed(c)
	m.Require(a.User != nil, "the answer has no user")
	return *a.User
}

// updating is about updateUserInformation.
func updating() []conformance.Case {
	return conformance.Join(
		only("update.names", "6.8.6", "name and displayName become what they are to be", func(m *manager) {
			c := m.at(m.site())
			m.update(c, conformance.S{"id": c.UserID, "name": "bob@conformance.example", "displayName": "Bob"}).OK().Empty().Untouched()
			u := m.user(c)
			conformance.Equal(m.Run, "name", u.Name, "bob@conformance.example")
			conformance.Equal(m.Run, "displayName", u.DisplayName, "Bob")
			conformance.Equal(m.Run, "id", string(u.ID), string(c.UserID))
		}),
		only("update.other-user", "6.8.6", "another user id is CTAP1_ERR_INVALID_PARAMETER, and nothing changes", func(m *manager) {
			c := m.at(m.site())
			m.update(c, conformance.S{"id": m.Bytes(16), "name": "mallory"}).Want(ctap.ErrInvalidParameter)
			m.update(c, conformance.S{"id": append(bytes.Clone(c.UserID), 0), "name": "mallory"}).Want(ctap.ErrInvalidParameter)
			m.remains(c)
		}),
		only("update.omitted", "6.8.6", "names that are left out are removed", func(m *manager) {
			c := m.at(m.site())
			m.update(c, conformance.S{"id": c.UserID}).OK()
			u := m.user(c)
			conformance.Equal(m.Run, "name", u.Name, "")
			conformance.Equal(m.Run, "displayName", u.DisplayName, "")
		}),
		only("update.one-omitted", "6.8.6", "a name that is left out is removed beside one that is changed", func(m *manager) {
			c := m.at(m.site())
			m.update(c, conformance.S{"id": c.UserID, "name": "bob@conformance.example"}).OK()
			u := m.user(c)
			conformance.Equal(m.Run, "name", u.Name, "bob@conformance.example")
			conformance.Equal(m.Run, "displayName", u.DisplayName, "")
		}),
		only("update.empty", "6.8.6", "names that are empty are removed", func(m *manager) {
			c := m.at(m.site())
			m.update(c, conformance.S{"id": c.UserID, "name": "", "displayName": ""}).OK()
			u := m.user(c)
			conformance.Equal(m.Run, "name", u.Name, "")
			conformance.Equal(m.Run, "displayName", u.DisplayName, "")
		}),
		only("update.unknown", "6.8.6", "a credential that is not there is CTAP2_ERR_NO_CREDENTIALS", func(m *manager) {
			c := m.at(m.site())
			id := bytes.Clone(c.ID)
			id[0] ^= 1
			m.do(ctap.UpdateUserInformation, conformance.M{2: conformance.S{"id": id, "type": ctap.PublicKeyCredential}, 3: conformance.S{"id": c.UserID}}).
				Want(ctap.ErrNoCredentials)
			m.remains(c)
		}),
		only("update.not-discoverable", "6.8.6", "a credential that is not discoverable has no user to be changed", func(m *manager) {
			c := m.plain(m.site())
			m.update(c, conformance.S{"id": c.UserID, "name": "bob"}).Want(ctap.ErrNoCredentials)
		}),
		only("update.neighbour", "6.8.6", "other credentials at the relying party keep their names", func(m *manager) {
			rp := m.site()
			c, other := m.at(rp), m.at(rp)
			m.update(c, conformance.S{"id": c.UserID, "name": "bob@conformance.example"}).OK()
			m.remains(other)
		}),
		only("update.keeps-the-rest", "6.8.6", "public key, id and credProtect stay, and the credential works", func(m *manager) {
			c := m.at(m.site())
			before := m.listed(c)
			m.update(c, conformance.S{"id": c.UserID, "name": "bob@conformance.example"}).OK()
			after := m.listed(c)
			m.Require(bytes.Equal(before.PublicKey, after.PublicKey), "the public key changed")
			conformance.Equal(m.Run, "credProtect", after.CredProtect, before.CredProtect)
			m.works(c)
		}),
		needing(conformance.Replug, only("update.power-cycle", "6.8.6", "the names last over a power cycle", func(m *manager) {
			c := m.at(m.site())
			m.update(c, conformance.S{"id": c.UserID, "name": "bob@conformance.example"}).OK()
			m.PowerCycle()
			m.token = nil
			conformance.Equal(m.Run, "name", m.user(c).Name, "bob@conformance.example")
		})),
	)
}
