// Package config holds the conformance cases about authenticatorConfig (section 6.11):
// each subcommand, what it needs of a token, and what it changes in getInfo and in the
// other commands.
package config

import (
	"bytes"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group config.
func Group() conformance.Group {
	return conformance.Group{Name: "config", Title: "authenticatorConfig", Cases: conformance.Join(
		authorisation(), exemptions(), parameters(), commandList(), always(), minimum(), forced(), sites(), complexity(),
		enterprise(), longTouch(), vendor(),
	)}
}

// setter is a case that changes settings.
type setter struct{ *conformance.Run }

// as makes a case that begins with a PIN.
func as(id, section, why string, run func(s setter), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "config." + id, Rule: conformance.Since21(section), Why: why, Start: conformance.WithPIN,
		Needs: append([]conformance.Need{conformance.Option("authnrCfg")}, needs...), Destructive: true,
		Run: func(r *conformance.Run) { run(setter{r}) },
	}
}

// blank is as without a PIN, on an authenticator that then verifies nobody.
func blank(id, section, why string, run func(s setter), needs ...conformance.Need) conformance.Case {
	c := as(id, section, why, run, append(needs, conformance.NoOption("uv"))...)
	c.Start = conformance.Blank
	return c
}

// with gives a case gestures.
func with(g conformance.Gesture, c conformance.Case) conformance.Case {
	c.Hands |= g
	return c
}

// since gives a case a rule of a later edition.
func since(of func(section string) conformance.Rule, c conformance.Case) conformance.Case {
	c.Rule = of(c.Rule.Section)
	return c
}

// unsigned are the parameters of a request without pinUvAuthParam. params may be nil.
func (s setter) unsigned(sub uint, params any) conformance.M {
	request := conformance.M{1: sub}
	if raw := s.Encode(params); raw != nil {
		request[2] = cbor.RawMessage(raw)
	}
	return request
}

// message is what pinUvAuthParam authenticates.
func (s setter) message(sub uint, params any) []byte {
	return slices.Concat(bytes.Repeat([]byte{0xFF}, 32), []byte{byte(ctap.Config), byte(sub)}, s.Encode(params))
}

// signed are the parameters of a request with pinUvAuthParam by a token.
func (s setter) signed(t *conformance.Token, sub uint, params any) conformance.M {
	return s.unsigned(sub, params).With(3, t.Number()).With(4, t.MAC(s.message(sub, params)))
}

// token returns a token with the permission acfg.
func (s setter) token() *conformance.Token { return s.Token(ctap.PermAuthenticatorCfg, "") }

// do sends a subcommand, authorised.
func (s setter) do(sub uint, params any) *conformance.Reply {
	return s.Send(ctap.Config, s.signed(s.token(), sub, params))
}

// bare sends a subcommand without pinUvAuthParam.
func (s setter) bare(sub uint, params any) *conformance.Reply {
	return s.Send(ctap.Config, s.unsigned(sub, params))
}

// minimumNow is minPINLength.
func (s setter) minimumNow() uint { return max(4, s.FreshInfo().MinPINLength) }

// longest is the longest PIN in code points, as far as getInfo tells.
func (s setter) longest() uint {
	if n := s.Info().MaxPINLength; n != 0 {
		return n
	}
	return 63
}

// option asks getInfo for an option.
func (s setter) option(id string) bool { return s.FreshInfo().Options[id] }

// reset returns the authenticator to factory settings.
func (s setter) reset() {
	s.PowerCycle()
	s.Plan(conformance.Touch)
	if long := s.Info().LongTouchForReset; long != nil && *long {
		s.Plan(conformance.LongTouch)
	}
	s.Send(ctap.Reset, nil).OK()
	s.FreshInfo()
}

// minPIN are parameters of setMinPINLength.
func minPIN(n uint) conformance.M { return conformance.M{1: n} }

// canMin needs setMinPINLength.
func canMin() conformance.Need { return conformance.Option("setMinPINLength") }

// canToggle needs toggleAlwaysUv.
func canToggle() conformance.Need { return conformance.HasOption("alwaysUv") }
