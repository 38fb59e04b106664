package clientpin

import (
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// subcommands is about subcommands and protocols that there are not (section 6.5.5).
func subcommands() []conformance.Case {
	unknown := conformance.Each([]uint{0x08, 0x0A, 0x20, 0xFF}, func(sub uint) conformance.Case {
		return conformance.Case{
			ID: fmt.Sprintf("clientpin.subcommand.%02x", sub), Rule: conformance.Since20("6.5.5"), Needs: []conformance.Need{conformance.CanPIN()},
			Why: "a subcommand that there is not is CTAP2_ERR_INVALID_SUBCOMMAND",
			Run: func(r *conformance.Run) {
				r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: sub}).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
			},
		}
	})
	protocol := conformance.Each([]uint{0, 3, 255}, func(n uint) conformance.Case {
		return conformance.Case{
			ID: fmt.Sprintf("clientpin.protocol.%d", n), Rule: conformance.Since20("6.5.5"), Needs: []conformance.Need{conformance.SomeProtocol()},
			Why: "a PIN/UV auth protocol that there is not is CTAP1_ERR_INVALID_PARAMETER",
			Run: func(r *conformance.Run) {
				reply := r.Send(ctap.ClientPIN, conformance.M{1: n, 2: ctap.GetKeyAgreement})
				if n == 0 {
					reply.Tolerate(conformance.ParameterAs14)
					reply.Want(ctap.ErrInvalidParameter, ctap.ErrMissingParameter)
					return
				}
				reply.Want(ctap.ErrInvalidParameter)
			},
		}
	})
	return conformance.Join(unknown, protocol, conformance.One(conformance.Case{
		ID: "clientpin.protocol.listed", Rule: conformance.Since20("6.5.5"), Needs: []conformance.Need{conformance.SomeProtocol()},
		Why: "every PIN/UV auth protocol that getInfo lists has a key agreement key",
		Run: func(r *conformance.Run) {
			for _, n := range r.Info().PinUvAuthProtocols {
				r.Send(ctap.ClientPIN, conformance.M{1: n, 2: ctap.GetKeyAgreement}).OK().Only(1).Member(1)
			}
		},
	}))
}

// subcommand is a subcommand with parameters that nothing is wrong with.
type subcommand struct {
	name    string
	section string
	start   conformance.Start
	needs   []conformance.Need
	since21 bool
	needed  []conformance.Parameter
	params  func(r *conformance.Run) conformance.M
}

// The parameters of authenticatorClientPIN.
var (
	protocolParam     = conformance.Parameter{Key: 1, Name: "pinUvAuthProtocol", Type: conformance.Unsigned, Required: true}
	keyAgreementParam = conformance.Parameter{Key: 3, Name: "keyAgreement", Type: conformance.Map, Required: true}
	authParam         = conformance.Parameter{Key: 4, Name: "pinUvAuthParam", Type: conformance.ByteStr, Required: true}
	newPinParam       = conformance.Parameter{Key: 5, Name: "newPinEnc", Type: conformance.ByteStr, Required: true}
	pinHashParam      = conformance.Parameter{Key: 6, Name: "pinHashEnc", Type: conformance.ByteStr, Required: true}
	permissionsParam  = conformance.Parameter{Key: 9, Name: "permissions", Type: conformance.Unsigned, Required: true}
)

var withParameters = []subcommand{
	{
		"getKeyAgreement", "6.5.5.4", conformance.Any, []conformance.Need{conformance.SomeProtocol()}, false,
		[]conformance.Parameter{protocolParam},
		func(r *conformance.Run) conformance.M {
			return conformance.M{1: r.Protocol().Number(), 2: ctap.GetKeyAgreement}
		},
	},
	{
		"setPIN", "6.5.5.5", conformance.Blank, []conformance.Need{conformance.CanPIN()}, false,
		[]conformance.Parameter{protocolParam, keyAgreementParam, authParam, newPinParam},
		func(r *conformance.Run) conformance.M { return r.Agree(r.Protocol()).SetPINParams(fresh) },
	},
	{
		"changePIN", "6.5.5.6", conformance.WithPIN, nil, false,
		[]conformance.Parameter{protocolParam, keyAgreementParam, authParam, newPinParam, pinHashParam},
		func(r *conformance.Run) conformance.M { return r.Agree(r.Protocol()).ChangePINParams(r.PIN(), fresh) },
	},
	{
		"getPinToken", "6.5.5.7.1", conformance.WithPIN, ceremoniesByPIN, false,
		[]conformance.Parameter{protocolParam, keyAgreementParam, pinHashParam},
		func(r *conformance.Run) conformance.M { return r.Agree(r.Protocol()).GetPinTokenParams(r.PIN()) },
	},
	{
		"tokenUsingPIN", "6.5.5.7.2", conformance.WithPIN, tokensByPIN, true,
		[]conformance.Parameter{protocolParam, keyAgreementParam, pinHashParam, permissionsParam},
		func(r *conformance.Run) conformance.M {
			return r.Agree(r.Protocol()).TokenUsingPINParams(r.PIN(), ctap.PermGetAssertion, tokenRP)
		},
	},
	{
		"tokenUsingUV", "6.5.5.7.3", conformance.Any, []conformance.Need{conformance.CanToken(), conformance.Option("uv")}, true,
		[]conformance.Parameter{protocolParam, keyAgreementParam, permissionsParam},
		func(r *conformance.Run) conformance.M {
			return r.Agree(r.Protocol()).TokenUsingUVParams(ctap.PermGetAssertion, tokenRP)
		},
	},
}

func (s *subcommand) rule() conformance.Rule {
	if s.since21 {
		return conformance.Since21(s.section)
	}
	return conformance.Since20(s.section)
}

// missing is about parameters that are left out.
func missing() (cases []conformance.Case) {
	cases = append(cases, conformance.Case{
		ID: "clientpin.missing.subCommand", Rule: conformance.Since20("6.5.5"), Needs: []conformance.Need{conformance.SomeProtocol()},
		Why: "subCommand is required: CTAP2_ERR_MISSING_PARAMETER",
		Run: func(r *conformance.Run) {
			r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number()}).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrMissingParameter)
		},
	})
	for _, s := range withParameters {
		cases = append(cases, conformance.Missing(conformance.Case{
			ID: "clientpin.missing." + s.name, Rule: s.rule(), Needs: s.needs, Start: s.start,
		}, ctap.ClientPIN, s.needed, s.params)...)
	}
	return cases
}

// otherTypes is what stands in the place of a parameter of another type.
var otherTypes = []struct {
	of    conformance.Type
	value any
}{
	{conformance.Unsigned, 1}, {conformance.Negative, -1}, {conformance.ByteStr, []byte("wrong")}, {conformance.TextStr, "wrong"},
	{conformance.Array, []any{}}, {conformance.Map, conformance.M{}}, {conformance.Bool, true},
}

// wrongTypes is about parameters of another type.
func wrongTypes() (cases []conformance.Case) {
	for _, s := range withParameters {
		for _, p := range s.needed {
			cases = append(cases, conformance.Case{
				ID: "clientpin.type." + s.name + "." + p.Name, Rule: s.rule(), Needs: s.needs, Start: s.start,
				Why: p.Name + " of another type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE",
				Run: func(r *conformance.Run) { bendTypes(r, p, s.params) },
			})
		}
	}
	return cases
}

func bendTypes(r *conformance.Run, p conformance.Parameter, params func(r *conformance.Run) conformance.M) {
	for _, other := range otherTypes {
		if other.of == p.Type {
			continue
		}
		r.Doing("%s as %s", p.Name, other.of)
		r.Send(ctap.ClientPIN, params(r).With(p.Key, other.value)).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
	}
}
