package credmgmt

import (
	"bytes"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// credentials is about what the enumeration of credentials tells.
func credentials() []conformance.Case {
	return conformance.Join(
		both("credentials.all", "6.8.4", "every discoverable credential at the relying party is listed, and once, totalCredentials in all", credentialsAll),
		both("credentials.first-members", "6.8.4", "enumerateCredentialsBegin answers user, credentialID, publicKey and totalCredentials, without a touch", func(m *manager) {
			rp := m.site()
			m.at(rp)
			p := m.do(ctap.EnumerateCredentialsBegin, ofSite(rp)).OK().Untouched().Canonical().Only(6, 7, 8, 9, 0x0A, 0x0B, 0x0C)
			for _, key := range []int{6, 7, 8} {
				p.Member(key)
			}
			conformance.Equal(m.Run, "totalCredentials", p.Uint(9), 1)
		}),
		both("credentials.next-members", "6.8.4", "enumerateCredentialsGetNextCredential answers as the first did, without totalCredentials", func(m *manager) {
			rp := m.site()
			m.at(rp)
			m.at(rp)
			m.do(ctap.EnumerateCredentialsBegin, ofSite(rp)).OK()
			p := m.next(ctap.EnumerateCredentialsNext).OK().Untouched().Only(6, 7, 8, 0x0A, 0x0B, 0x0C)
			for _, key := range []int{6, 7, 8} {
				p.Member(key)
			}
		}),
		both("credentials.user", "6.8.4", "the user's id, name and displayName are those of the creation", func(m *manager) {
			a := m.listed(m.at(m.site()))
			m.Require(a.User != nil, "the answer has no user")
			conformance.Equal(m.Run, "id", string(a.User.ID), string(m.made[0].UserID))
			conformance.Equal(m.Run, "name", a.User.Name, "alice@conformance.example")
			conformance.Equal(m.Run, "displayName", a.User.DisplayName, "Alice")
		}),
		both("credentials.public-key", "6.8.4", "the public key is that of the creation, byte for byte", func(m *manager) {
			c := m.at(m.site())
			a := m.listed(c)
			m.Require(bytes.Equal(a.PublicKey, c.PublicKey), "the public key was %x, and is %x", c.PublicKey, []byte(a.PublicKey))
		}),
		both("credentials.descriptor", "6.8.4", "the credentialID is a descriptor of type public-key, and the credential works by it", func(m *manager) {
			c := m.at(m.site())
			a := m.listed(c)
			conformance.Equal(m.Run, "type", a.CredentialID.Type, ctap.PublicKeyCredential)
			m.Use(c)
		}),
		both("credentials.other-site", "6.8.4", "credentials of other relying parties are not listed", func(m *manager) {
			rp := m.site()
			other := m.at(m.site())
			m.at(rp)
			m.Require(find(m.stored(rp), other) == nil, "a credential of another relying party is listed")
		}),
		both("credentials.not-discoverable", "6.8.4", "credentials that are not discoverable are not listed", func(m *manager) {
			rp := m.site()
			m.at(rp)
			c := m.plain(rp)
			m.Require(find(m.stored(rp), c) == nil, "a credential that is not discoverable is listed")
		}),
		both("credentials.unknown-site", "6.8.4", "a relying party without credentials is CTAP2_ERR_NO_CREDENTIALS", func(m *manager) {
			m.at(m.site())
			m.do(ctap.EnumerateCredentialsBegin, ofSite(m.site())).Want(ctap.ErrNoCredentials)
		}),
		conformance.Each([]uint{1, 2, 3}, protection),
		only("credentials.protection.default", "6.8.4", "credProtect is there also for a credential that was made without it", func(m *manager) {
			a := m.listed(m.at(m.site()))
			m.Require(a.CredProtect >= 1 && a.CredProtect <= 3, "credProtect is %d", a.CredProtect)
		}, conformance.Extension("credProtect")),
		blobKeys(), payments(),
	)
}

func credentialsAll(m *manager) {
	rp := m.site()
	made := []*conformance.Credential{m.at(rp), m.at(rp), m.at(rp)}
	all := m.stored(rp)
	conformance.Equal(m.Run, "totalCredentials", len(all), len(made))
	for _, c := range made {
		m.Require(find(all, c) != nil, "the credential %x is not listed", c.ID)
	}
}

// extended makes a discoverable credential with an extension.
func (m *manager) extended(name string, input any) *conformance.Credential {
	return m.make(m.passkey(m.site()).With(6, conformance.S{name: input}))
}

func protection(policy uint) conformance.Case {
	return final().as(fmt.Sprintf("credentials.protection.%d", policy), "6.8.4", fmt.Sprintf("credProtect is %d for a credential that was made with %d", policy, policy), func(m *manager) {
		conformance.Equal(m.Run, "credProtect", m.listed(m.extended("credProtect", policy)).CredProtect, policy)
	}, conformance.Extension("credProtect"))
}

func blobKeys() []conformance.Case {
	need := conformance.Extension("largeBlobKey")
	return conformance.Join(
		only("credentials.large-blob-key", "6.8.4", "largeBlobKey is that of the creation", func(m *manager) {
			c := m.extended("largeBlobKey", true)
			m.Require(len(c.Response.LargeBlobKey) == 32, "makeCredential answers a largeBlobKey of %d bytes", len(c.Response.LargeBlobKey))
			a := m.listed(c)
			m.Require(bytes.Equal(a.LargeBlobKey, c.Response.LargeBlobKey), "largeBlobKey differs from that of the creation")
		}, need),
		only("credentials.large-blob-key.none", "6.8.4", "largeBlobKey is absent for a credential that was made without it", func(m *manager) {
			m.extended("largeBlobKey", true)
			rp := m.site()
			m.at(rp)
			m.do(ctap.EnumerateCredentialsBegin, ofSite(rp)).OK().Without(0x0B)
		}, need),
	)
}

// payments is about thirdPartyPayment, which came with CTAP 2.2.
func payments() []conformance.Case {
	need := conformance.Extension("thirdPartyPayment")
	cases := conformance.Join(
		only("credentials.payment", "6.8.4", "thirdPartyPayment is true for a credential that was made with it", func(m *manager) {
			a := m.listed(m.extended("thirdPartyPayment", true))
			m.Require(a.ThirdPartyPayment != nil && *a.ThirdPartyPayment, "thirdPartyPayment is not true")
		}, need),
		only("credentials.payment.none", "6.8.4", "thirdPartyPayment is not true for a credential that was made without it", func(m *manager) {
			a := m.listed(m.at(m.site()))
			m.Require(a.ThirdPartyPayment == nil || !*a.ThirdPartyPayment, "thirdPartyPayment is true")
		}, need),
	)
	for i := range cases {
		cases[i].Rule = conformance.Since22("6.8.4")
	}
	return cases
}
