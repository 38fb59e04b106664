package credmgmt

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// action is a subcommand that needs a token.
type action struct {
	name    string // in ids
	title   string // of the specification
	section string
	sub     uint
	params  func(c *conformance.Credential) conformance.M // nil for none
}

func actions() []action {
	update := func(c *conformance.Credential) conformance.M {
		return conformance.M{2: c.Descriptor(), 3: conformance.S{"id": c.UserID, "name": "other"}}
	}
	site := func(c *conformance.Credential) conformance.M { return ofSite(c.RPID) }
	return []action{
		{"metadata", "getCredsMetadata", "6.8.2", ctap.GetCredsMetadata, nil},
		{"rps", "enumerateRPsBegin", "6.8.3", ctap.EnumerateRPsBegin, nil},
		{"credentials", "enumerateCredentialsBegin", "6.8.4", ctap.EnumerateCredentialsBegin, site},
		{"delete", "deleteCredential", "6.8.5", ctap.DeleteCredential, ofCredential},
		{"update", "updateUserInformation", "6.8.6", ctap.UpdateUserInformation, update},
	}
}

// of returns the parameters for a credential, nil for none.
func (a action) of(c *conformance.Credential) any {
	if a.params == nil {
		return nil
	}
	return a.params(c)
}

// cases makes the cases of an action: the prototype has no updateUserInformation.
func (a action) cases(id, why string, run func(m *manager), needs ...conformance.Need) []conformance.Case {
	if a.sub == ctap.UpdateUserInformation {
		return only(id+"."+a.name, a.section, a.title+": "+why, run, needs...)
	}
	return both(id+"."+a.name, a.section, a.title+": "+why, run, needs...)
}

// remains ends the case as failed if a refused request did something to the credential.
func (m *manager) remains(c *conformance.Credential) {
	m.token = nil
	a := m.listed(c)
	m.Require(a.User != nil && a.User.Name == "alice@conformance.example", "the request was refused, and the user's name was changed nevertheless")
}

// authorisation is about pinUvAuthParam.
func authorisation() (all []conformance.Case) {
	for _, a := range actions() {
		all = append(all, a.unsigned()...)
		all = append(all, a.forged()...)
		if a.params != nil {
			all = append(all, a.otherParams()...)
		}
	}
	return append(all, messages()...)
}

// unsigned is the action without pinUvAuthParam.
func (a action) unsigned() []conformance.Case {
	return a.cases("auth.missing", "without pinUvAuthParam it is CTAP2_ERR_PUAT_REQUIRED", func(m *manager) {
		c := m.at(m.site())
		request := m.signed(m.manage(), a.sub, a.of(c)).Without(3, 4)
		m.Send(m.command, request).Tolerate(conformance.AuthAs33, conformance.ParameterAs14).Want(ctap.ErrPUATRequired)
		m.remains(c)
	})
}

// forged is the action with a pinUvAuthParam that is wrong in one bit.
func (a action) forged() []conformance.Case {
	return a.cases("auth.wrong", "a wrong pinUvAuthParam is CTAP2_ERR_PIN_AUTH_INVALID", func(m *manager) {
		c := m.at(m.site())
		request := m.signed(m.manage(), a.sub, a.of(c))
		request[4].([]byte)[15] ^= 1
		m.Send(m.command, request).Want(ctap.ErrPINAuthInvalid)
		m.remains(c)
	})
}

// otherParams is the action with what was authenticated for another credential.
func (a action) otherParams() []conformance.Case {
	return a.cases("auth.other-params", "pinUvAuthParam covers subCommandParams", func(m *manager) {
		rp := m.site()
		c, other := m.at(rp), m.at(m.site())
		request := m.signed(m.manage(), a.sub, a.of(other)).With(2, a.of(c))
		m.Send(m.command, request).Want(ctap.ErrPINAuthInvalid)
		m.Send(m.command, request.With(4, m.manage().MAC([]byte{byte(a.sub)}))).Want(ctap.ErrPINAuthInvalid)
		m.remains(c)
	})
}

// messages is about what pinUvAuthParam authenticates, and with which token.
func messages() []conformance.Case {
	return conformance.Join(
		both("auth.subcommand", "6.8.3", "pinUvAuthParam covers the subcommand: one for getCredsMetadata does not serve for enumerateRPsBegin", func(m *manager) {
			m.at(m.site())
			request := m.signed(m.manage(), ctap.GetCredsMetadata, nil).With(1, ctap.EnumerateRPsBegin)
			m.Send(m.command, request).Want(ctap.ErrPINAuthInvalid)
		}),
		both("auth.as-sent", "6.8.4", "pinUvAuthParam is over subCommandParams as they were sent, members that are not known included", func(m *manager) {
			rp := m.site()
			m.at(rp)
			read(m.do(ctap.EnumerateCredentialsBegin, ofSite(rp).With(0x40, "not known")))
		}),
		both("auth.protocol-missing", "6.8.2", "a pinUvAuthParam without pinUvAuthProtocol is refused", func(m *manager) {
			m.Send(m.command, m.signed(m.manage(), ctap.GetCredsMetadata, nil).Without(3)).
				Tolerate(conformance.MissingAs02, conformance.AuthAs33).Want(ctap.ErrMissingParameter)
		}),
		both("auth.protocol-unknown", "6.8.2", "a pinUvAuthProtocol that there is not is CTAP1_ERR_INVALID_PARAMETER", func(m *manager) {
			m.Send(m.command, m.signed(m.manage(), ctap.GetCredsMetadata, nil).With(3, 77)).
				Tolerate(conformance.AuthAs33).Want(ctap.ErrInvalidParameter)
		}),
		both("auth.superseded", "6.5.2.1", "a token serves no more when another was given", func(m *manager) {
			old := m.Token(ctap.PermCredentialMgmt, "")
			m.manage()
			m.Send(m.command, m.signed(old, ctap.GetCredsMetadata, nil)).Want(ctap.ErrPINAuthInvalid)
			m.do(ctap.GetCredsMetadata, nil).OK()
		}),
		both("auth.kept", "6.8.2", "a token serves for one subcommand after the other", func(m *manager) {
			rp := m.site()
			m.at(rp)
			m.counts()
			m.sites()
			m.stored(rp)
			m.counts()
		}),
		protocols(final()), protocols(preview()),
		needing(conformance.Replug, only("auth.power-cycle", "6.5.2.1", "a token serves no more after a power cycle", func(m *manager) {
			request := m.signed(m.manage(), ctap.GetCredsMetadata, nil)
			m.PowerCycle()
			m.Send(m.command, request).Want(ctap.ErrPINAuthInvalid)
		})),
	)
}

// protocols makes a case of each PIN/UV auth protocol.
func protocols(v variant) []conformance.Case {
	c := v.as("auth.protocol", "6.8.2", "a token of every PIN/UV auth protocol serves", nil)
	c.Destructive, c.Hands = false, 0
	return conformance.BothProtocols(c, func(r *conformance.Run, p pinuv.Protocol) {
		m := &manager{Run: r, command: v.command}
		m.Send(m.command, m.signed(m.TokenOf(p, ctap.PermCredentialMgmt, ""), ctap.GetCredsMetadata, nil)).OK()
	})
}

// permissions is about the permission cm, and the relying party that tokens are bound
// to.
func permissions() (all []conformance.Case) {
	token := []conformance.Need{conformance.CanToken()}
	for _, a := range actions() {
		all = append(all, only("permission."+a.name, a.section, a.title+" needs the permission cm", func(m *manager) {
			c := m.at(m.site())
			m.Send(m.command, m.signed(m.otherToken(c.RPID), a.sub, a.of(c))).Want(ctap.ErrPINAuthInvalid)
			m.remains(c)
		}, token...)...)
		all = append(all, only("bound.other."+a.name, a.section, a.title+" does not take a token that is bound to another relying party", func(m *manager) {
			c := m.at(m.site())
			t := m.Token(ctap.PermCredentialMgmt, m.site())
			m.Send(m.command, m.signed(t, a.sub, a.of(c))).Want(ctap.ErrPINAuthInvalid)
			m.remains(c)
		}, token...)...)
		if a.params != nil {
			all = append(all, a.boundToOwn(token))
		} else {
			all = append(all, a.boundAtAll(token))
		}
	}
	return all
}

// otherToken returns a token without the permission cm: one that is bound to no relying
// party where the authenticator has a permission for that, so that nothing else is
// wrong with it.
func (m *manager) otherToken(rpID string) *conformance.Token {
	switch o := m.Info().Options; {
	case o["authnrCfg"]:
		return m.Token(ctap.PermAuthenticatorCfg, "")
	case o["largeBlobs"]:
		return m.Token(ctap.PermLargeBlobWrite, "")
	}
	return m.Token(ctap.PermMakeCredential|ctap.PermGetAssertion, rpID)
}

// boundToOwn is an action on one credential with a token for its relying party.
func (a action) boundToOwn(needs []conformance.Need) conformance.Case {
	return final().as("bound.own."+a.name, a.section, a.title+" takes a token that is bound to the credential's relying party", func(m *manager) {
		c := m.at(m.site())
		m.Send(m.command, m.signed(m.Token(ctap.PermCredentialMgmt, c.RPID), a.sub, a.of(c))).OK()
	}, needs...)
}

// boundAtAll is an action on the whole store with a token for a relying party that has
// a credential.
func (a action) boundAtAll(needs []conformance.Need) conformance.Case {
	return final().as("bound.own."+a.name, a.section, a.title+" takes no token that is bound to a relying party, whichever", func(m *manager) {
		c := m.at(m.site())
		m.Send(m.command, m.signed(m.Token(ctap.PermCredentialMgmt, c.RPID), a.sub, nil)).Want(ctap.ErrPINAuthInvalid)
	}, needs...)
}

// parameters is about parameters that are absent, or of a wrong type.
func parameters() []conformance.Case {
	cases := conformance.Join(
		both("parameters.none", "6.8", "subCommand is required", func(m *manager) {
			m.Send(m.command, conformance.M{}).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		both("parameters.unknown-subcommand", "6.8", "a subcommand that there is not is CTAP2_ERR_INVALID_SUBCOMMAND", func(m *manager) {
			m.do(0x55, nil).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
		}),
		both("parameters.unknown-member", "6.8", "a member of the request that is not known is ignored", func(m *manager) {
			m.Send(m.command, m.signed(m.manage(), ctap.GetCredsMetadata, nil).With(0x40, true)).OK()
		}),
	)
	for _, w := range []struct {
		name   string
		key    int
		value  any
		params any
	}{
		{"subCommand", 1, "wrong", nil}, {"subCommandParams", 2, []any{}, conformance.M{}},
		{"pinUvAuthProtocol", 3, "wrong", nil}, {"pinUvAuthParam", 4, "wrong", nil},
	} {
		cases = append(cases, both("parameters.type."+w.name, "6.8", w.name+" of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(m *manager) {
			request := m.signed(m.manage(), ctap.EnumerateCredentialsBegin, ofSite(conformance.RPID)).With(w.key, w.value)
			if w.key == 2 {
				request[4] = m.manage().MAC([]byte{byte(ctap.EnumerateCredentialsBegin)}, m.Encode(w.value))
			}
			m.Send(m.command, request).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
		})...)
	}
	for _, a := range actions() {
		if a.params != nil {
			cases = append(cases, a.withoutParams()...)
		}
	}
	return append(cases, lacking()...)
}

// withoutParams is an action without what it is about.
func (a action) withoutParams() []conformance.Case {
	return a.cases("parameters.missing", "without subCommandParams it is CTAP2_ERR_MISSING_PARAMETER", func(m *manager) {
		for _, params := range []any{nil, conformance.M{}} {
			m.do(a.sub, params).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}
	})
}

// lacking is about members of subCommandParams.
func lacking() []conformance.Case {
	return conformance.Join(
		only("parameters.missing.update.user", "6.8.6", "updateUserInformation without a user is CTAP2_ERR_MISSING_PARAMETER", func(m *manager) {
			c := m.at(m.site())
			m.do(ctap.UpdateUserInformation, ofCredential(c)).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		only("parameters.missing.update.credentialID", "6.8.6", "updateUserInformation without a credential is CTAP2_ERR_MISSING_PARAMETER", func(m *manager) {
			m.do(ctap.UpdateUserInformation, conformance.M{3: conformance.S{"id": m.Bytes(16)}}).
				Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		both("parameters.type.rpIDHash", "6.8.4", "rpIDHash as text is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(m *manager) {
			m.do(ctap.EnumerateCredentialsBegin, conformance.M{1: "wrong"}).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
		}),
		both("parameters.type.credentialID", "6.8.5", "credentialID as bytes is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(m *manager) {
			c := m.at(m.site())
			m.do(ctap.DeleteCredential, conformance.M{2: c.ID}).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
			m.remains(c)
		}),
		both("parameters.short-hash", "6.8.4", "an rpIDHash that is not of 32 bytes names no relying party", func(m *manager) {
			rp := m.site()
			m.at(rp)
			hash := ofSite(rp)[1].([]byte)
			m.do(ctap.EnumerateCredentialsBegin, conformance.M{1: hash[:31]}).Refused()
			m.do(ctap.EnumerateCredentialsBegin, conformance.M{1: []byte{}}).Refused()
		}),
	)
}
