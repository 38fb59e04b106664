package config

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// action is a subcommand that can be done at any time.
type action struct {
	name   string
	sub    uint
	need   conformance.Need
	params func(s setter) conformance.M // nil for none
}

func actions() []action {
	return []action{
		{"enableEnterpriseAttestation", ctap.EnableEnterpriseAttestation, conformance.HasOption("ep"), nil},
		{"toggleAlwaysUv", ctap.ToggleAlwaysUV, canToggle(), nil},
		{"setMinPINLength", ctap.SetMinPINLength, canMin(), func(s setter) conformance.M { return minPIN(s.minimumNow() + 1) }},
		{"enableLongTouchForReset", ctap.EnableLongTouchForReset, conformance.Member(0x18), nil},
	}
}

func (a action) of(s setter) any {
	if a.params == nil {
		return nil
	}
	return a.params(s)
}

// settings is what subcommands change in getInfo.
type settings struct {
	alwaysUv, enterprise, longTouch bool
	minimum                         uint
}

func (s setter) settings() settings {
	i := s.FreshInfo()
	return settings{i.Options["alwaysUv"], i.Options["ep"], i.LongTouchForReset != nil && *i.LongTouchForReset, i.MinPINLength}
}

// refused sends a request that must be refused without changing anything.
func (s setter) refused(request conformance.M, status ctap.Status, tolerated ...conformance.Deviation) {
	before := s.settings()
	s.Send(ctap.Config, request).Tolerate(tolerated...).Want(status)
	conformance.Equal(s.Run, "what getInfo says afterwards", s.settings(), before)
}

// authorisation is about pinUvAuthParam.
func authorisation() (all []conformance.Case) {
	for _, a := range actions() {
		all = append(all,
			as("auth.missing."+a.name, "6.11", "with a PIN set, "+a.name+" without pinUvAuthParam is CTAP2_ERR_PUAT_REQUIRED", func(s setter) {
				s.refused(s.unsigned(a.sub, a.of(s)), ctap.ErrPUATRequired, conformance.AuthAs33, conformance.ParameterAs14)
			}, a.need),
			as("auth.wrong."+a.name, "6.11", a.name+" with a wrong pinUvAuthParam is CTAP2_ERR_PIN_AUTH_INVALID", func(s setter) {
				request := s.signed(s.token(), a.sub, a.of(s))
				request[4].([]byte)[15] ^= 1
				s.refused(request, ctap.ErrPINAuthInvalid)
			}, a.need),
			as("auth.permission."+a.name, "6.11", a.name+" needs the permission acfg", func(s setter) {
				s.refused(s.signed(s.otherToken(), a.sub, a.of(s)), ctap.ErrPINAuthInvalid)
			}, a.need),
			as("auth.right."+a.name, "6.11", a.name+" with the right pinUvAuthParam is done, without a touch", func(s setter) {
				s.do(a.sub, a.of(s)).OK().Empty().Untouched()
			}, a.need),
		)
	}
	return append(all, messages()...)
}

// otherToken returns a token without the permission acfg, bound to no relying party
// where it can be.
func (s setter) otherToken() *conformance.Token {
	if s.Info().Options["credMgmt"] {
		return s.Token(ctap.PermCredentialMgmt, "")
	}
	return s.Token(ctap.PermMakeCredential|ctap.PermGetAssertion, conformance.RPID)
}

// bent is a message that pinUvAuthParam must not be over.
type bent struct {
	name, why string
	message   func(whole []byte) []byte
}

func bentMessages() []bent {
	return []bent{
		{"prefix", "begins with 32 bytes 0xFF", func(m []byte) []byte { return m[32:] }},
		{"zeros", "begins with 32 bytes 0xFF and not zeros", func(m []byte) []byte { return append(make([]byte, 32), m[32:]...) }},
		{"command", "names the command", func(m []byte) []byte { return slices.Concat(m[:32], m[33:]) }},
		{"subcommand", "names the subcommand", func(m []byte) []byte {
			m[33] = byte(ctap.ToggleAlwaysUV)
			return m
		}},
		{"params", "covers subCommandParams", func(m []byte) []byte { return m[:34] }},
		{"other-params", "covers subCommandParams as they are", func(m []byte) []byte {
			m[len(m)-1]++
			return m
		}},
	}
}

// messages is about what pinUvAuthParam authenticates.
func messages() []conformance.Case {
	return conformance.Join(
		conformance.Each(bentMessages(), func(b bent) conformance.Case {
			return as("auth.message."+b.name, "6.11", "what pinUvAuthParam authenticates "+b.why, func(s setter) {
				params, t := minPIN(s.minimumNow()+1), s.token()
				request := s.unsigned(ctap.SetMinPINLength, params).With(3, t.Number())
				s.refused(request.With(4, t.MAC(b.message(s.message(ctap.SetMinPINLength, params)))), ctap.ErrPINAuthInvalid)
			}, canMin())
		}),
		conformance.One(
			as("auth.as-sent", "6.11", "pinUvAuthParam is over subCommandParams as they were sent, members that are not known included", func(s setter) {
				s.do(ctap.SetMinPINLength, minPIN(s.minimumNow()).With(0x40, "not known")).OK()
			}, canMin()),
			as("auth.protocol-missing", "6.11", "a pinUvAuthParam without pinUvAuthProtocol is CTAP2_ERR_MISSING_PARAMETER", func(s setter) {
				s.refused(s.signed(s.token(), ctap.SetMinPINLength, minPIN(s.minimumNow()+1)).Without(3), ctap.ErrMissingParameter, conformance.MissingAs02, conformance.AuthAs33)
			}, canMin()),
			as("auth.protocol-unknown", "6.11", "a pinUvAuthProtocol that there is not is CTAP1_ERR_INVALID_PARAMETER", func(s setter) {
				s.refused(s.signed(s.token(), ctap.SetMinPINLength, minPIN(s.minimumNow()+1)).With(3, 77), ctap.ErrInvalidParameter, conformance.AuthAs33)
			}, canMin()),
			as("auth.superseded", "6.5.2.1", "a token with acfg serves no more when another was given", func(s setter) {
				request := s.signed(s.token(), ctap.SetMinPINLength, minPIN(s.minimumNow()+1))
				s.token()
				s.refused(request, ctap.ErrPINAuthInvalid)
			}, canMin()),
			as("auth.kept", "6.11", "a token with acfg serves for one subcommand after the other", func(s setter) {
				t := s.token()
				for range 3 {
					s.Send(ctap.Config, s.signed(t, ctap.SetMinPINLength, minPIN(s.minimumNow()))).OK()
				}
			}, canMin()),
		),
		conformance.BothProtocols(as("auth.protocol", "6.11", "a token of every PIN/UV auth protocol serves", nil, canMin()), func(r *conformance.Run, p pinuv.Protocol) {
			s := setter{r}
			t := s.TokenOf(p, ctap.PermAuthenticatorCfg, "")
			s.Send(ctap.Config, s.signed(t, ctap.SetMinPINLength, minPIN(s.minimumNow()))).OK()
		}),
	)
}

// exemptions is about when no pinUvAuthParam is needed: without a PIN and without
// alwaysUv, and for toggleAlwaysUv without a PIN.
func exemptions() (all []conformance.Case) {
	for _, a := range actions() {
		if a.sub == ctap.ToggleAlwaysUV {
			continue
		}
		all = append(all,
			blank("exempt.no-pin."+a.name, "6.11", "where nothing verifies the user, and alwaysUv is off, "+a.name+" needs no pinUvAuthParam", func(s setter) {
				s.bare(a.sub, a.of(s)).OK()
			}, a.need, conformance.NoOption("alwaysUv")),
			blank("exempt.always-uv."+a.name, "6.11", "where nothing verifies the user, and alwaysUv is on, "+a.name+" is CTAP2_ERR_PUAT_REQUIRED", func(s setter) {
				if !s.option("alwaysUv") {
					s.bare(ctap.ToggleAlwaysUV, nil).OK()
				}
				s.refused(s.unsigned(a.sub, a.of(s)), ctap.ErrPUATRequired, conformance.Deviates("implementations say that no PIN is set where a token is needed and none can be had", ctap.ErrPINNotSet))
			}, a.need, canToggle()),
		)
	}
	return append(all,
		blank("exempt.toggle", "6.11", "where nothing verifies the user, toggleAlwaysUv needs no pinUvAuthParam, whether alwaysUv is on or off", func(s setter) {
			before := s.option("alwaysUv")
			s.bare(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
			s.bare(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
			conformance.Equal(s.Run, "alwaysUv after two toggles", s.option("alwaysUv"), before)
		}, canToggle()),
	)
}

// denied is what an authenticator answers whose alwaysUv cannot be turned off.
func denied() conformance.Deviation {
	return conformance.Deviates("section 6.11.2 lets an authenticator keep alwaysUv on", ctap.ErrOperationDenied)
}

// parameters is about parameters that are absent, or of a wrong type.
func parameters() []conformance.Case {
	cases := conformance.One(
		as("parameters.none", "6.11", "subCommand is required", func(s setter) {
			s.Send(ctap.Config, conformance.M{}).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
		}),
		as("parameters.unknown-subcommand", "6.11", "a subcommand that there is not is CTAP2_ERR_INVALID_SUBCOMMAND, with a token or without", func(s setter) {
			s.do(0x55, nil).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
		}),
		as("parameters.unknown-member", "6.11", "a member of the request that is not known is ignored", func(s setter) {
			s.Send(ctap.Config, s.signed(s.token(), ctap.SetMinPINLength, minPIN(s.minimumNow())).With(0x40, true)).OK()
		}, canMin()),
	)
	for _, w := range []struct {
		name  string
		key   int
		value any
	}{{"subCommand", 1, "wrong"}, {"subCommandParams", 2, []any{}}, {"pinUvAuthProtocol", 3, "wrong"}, {"pinUvAuthParam", 4, "wrong"}} {
		cases = append(cases, as("parameters.type."+w.name, "6.11", w.name+" of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(s setter) {
			t := s.token()
			request := s.signed(t, ctap.SetMinPINLength, minPIN(s.minimumNow()+1)).With(w.key, w.value)
			if w.key == 2 {
				request[4] = t.MAC(s.message(ctap.SetMinPINLength, w.value))
			}
			s.refused(request, ctap.ErrCBORUnexpectedType, conformance.TypeAsOthers)
		}, canMin()))
	}
	for _, w := range []struct {
		name   string
		params conformance.M
	}{
		{"newMinPINLength", conformance.M{1: "8"}}, {"minPinLengthRPIDs", conformance.M{2: "example.com"}},
		{"minPinLengthRPIDs.element", conformance.M{2: []any{1}}}, {"forceChangePin", conformance.M{3: 1}},
	} {
		cases = append(cases, as("parameters.type."+w.name, "6.11.4", w.name+" of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(s setter) {
			s.refused(s.signed(s.token(), ctap.SetMinPINLength, w.params), ctap.ErrCBORUnexpectedType, conformance.TypeAsOthers)
		}, canMin()))
	}
	return cases
}

// commandList is about authenticatorConfigCommands.
func commandList() []conformance.Case {
	all := []uint{ctap.EnableEnterpriseAttestation, ctap.ToggleAlwaysUV, ctap.SetMinPINLength, ctap.EnableLongTouchForReset, ctap.VendorPrototype}
	return conformance.One(
		since(conformance.Since23, as("commands.listed", "6.4", "every subcommand in authenticatorConfigCommands is there", func(s setter) {
			for _, sub := range s.Info().AuthenticatorConfigCommands {
				s.Doing("subcommand 0x%02X", sub)
				s.bare(sub, conformance.M{}).Tolerate(conformance.AuthAs33, conformance.ParameterAs14).Want(ctap.ErrPUATRequired)
			}
		}, conformance.Member(0x1F))),
		since(conformance.Since23, as("commands.not-listed", "6.4", "no subcommand is there that authenticatorConfigCommands does not list", func(s setter) {
			for _, sub := range all {
				if !slices.Contains(s.Info().AuthenticatorConfigCommands, sub) {
					s.Doing("subcommand 0x%02X", sub)
					s.bare(sub, conformance.M{}).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
				}
			}
		}, conformance.Member(0x1F))),
	)
}
