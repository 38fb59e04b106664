package credmgmt

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// metadata is about getCredsMetadata.
func metadata() []conformance.Case {
	return conformance.Join(
		both("metadata.members", "6.8.2", "getCredsMetadata answers with the two counts, without a touch", func(m *manager) {
			m.do(ctap.GetCredsMetadata, nil).OK().Untouched().Canonical().Only(1, 2)
			m.counts()
		}),
		both("metadata.added", "6.8.2", "a new discoverable credential counts as one more, and less room is left", func(m *manager) {
			existing, remaining := m.counts()
			m.at(m.site())
			after, left := m.counts()
			conformance.Equal(m.Run, "existingResidentCredentialsCount", after, existing+1)
			m.Require(left < remaining, "maxPossibleRemainingResidentCredentialsCount was %d, and is %d after one more credential", remaining, left)
		}),
		both("metadata.deleted", "6.8.2", "a credential that was deleted counts no more, and its room is free", func(m *manager) {
			existing, remaining := m.counts()
			c := m.at(m.site())
			m.do(ctap.DeleteCredential, ofCredential(c)).OK()
			after, left := m.counts()
			conformance.Equal(m.Run, "existingResidentCredentialsCount", after, existing)
			conformance.Equal(m.Run, "maxPossibleRemainingResidentCredentialsCount", left, remaining)
		}),
		both("metadata.not-discoverable", "6.8.2", "a credential that is not discoverable does not count", func(m *manager) {
			existing, remaining := m.counts()
			m.plain(m.site())
			after, left := m.counts()
			conformance.Equal(m.Run, "existingResidentCredentialsCount", after, existing)
			conformance.Equal(m.Run, "maxPossibleRemainingResidentCredentialsCount", left, remaining)
		}),
		both("metadata.same-user", "6.8.2", "a credential in the place of another of the same user counts once", func(m *manager) {
			params := m.passkey(m.site())
			m.make(params)
			existing, _ := m.counts()
			m.make(params.With(1, m.Bytes(32)))
			after, _ := m.counts()
			conformance.Equal(m.Run, "existingResidentCredentialsCount", after, existing)
		}),
		only("metadata.getinfo", "6.4", "remainingDiscoverableCredentials of getInfo goes down with a credential and up with its deletion", func(m *manager) {
			before := m.roomInInfo()
			c := m.at(m.site())
			m.Require(m.roomInInfo() < before, "remainingDiscoverableCredentials is %d before and after a credential was made", before)
			m.do(ctap.DeleteCredential, ofCredential(c)).OK()
			conformance.Equal(m.Run, "remainingDiscoverableCredentials after the deletion", m.roomInInfo(), before)
		}, conformance.Member(0x14)),
		nothing(),
	)
}

// roomInInfo is remainingDiscoverableCredentials.
func (m *manager) roomInInfo() uint {
	left := m.FreshInfo().RemainingDiscoverableCredentials
	m.Require(left != nil, "getInfo has no longer remainingDiscoverableCredentials")
	return *left
}

// nothing is about an authenticator on which nothing is stored.
func nothing() []conformance.Case {
	cases := conformance.Join(
		both("metadata.nothing", "6.8.2", "with nothing stored getCredsMetadata counts 0, and there is room", func(m *manager) {
			m.SetPIN(m.PIN())
			existing, remaining := m.counts()
			conformance.Equal(m.Run, "existingResidentCredentialsCount", existing, 0)
			m.Require(remaining > 0, "nothing is stored, and there is room for nothing")
		}, conformance.CanPIN()),
		both("rps.nothing", "6.8.3", "with nothing stored enumerateRPsBegin answers CTAP2_ERR_NO_CREDENTIALS", noSites, conformance.CanPIN()),
		both("credentials.nothing", "6.8.4", "with nothing stored enumerateCredentialsBegin answers CTAP2_ERR_NO_CREDENTIALS", func(m *manager) {
			m.SetPIN(m.PIN())
			m.do(ctap.EnumerateCredentialsBegin, ofSite(conformance.RPID)).Want(ctap.ErrNoCredentials)
		}, conformance.CanPIN()),
	)
	for i := range cases {
		cases[i].Start = conformance.Blank
	}
	return cases
}

func noSites(m *manager) {
	m.SetPIN(m.PIN())
	p := m.do(ctap.EnumerateRPsBegin, nil)
	if m.command == ctap.CredentialManagementPreview && p.Status == ctap.OK && read(p).TotalRPs == 0 {
		m.Run.Tolerate("some authenticators of FIDO_2_1_PRE answer CTAP2_OK with totalRPs 0", "enumerateRPsBegin answers CTAP2_OK with nothing stored")
		return
	}
	p.Want(ctap.ErrNoCredentials)
}
