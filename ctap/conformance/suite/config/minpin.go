package config

import (
	"strings"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// pinOf is a PIN of n code points that follow no pattern.
func pinOf(n uint) string {
	const mixed = "7391-4628 e2c9 qx5v 0w8k tz61 h4m7 bn3s yd58 lj20 rf94 gp1u 6oa"
	return mixed[:n]
}

// asksForPIN asks for a token with the PIN.
func (s setter) asksForPIN() *conformance.Reply {
	return s.Send(ctap.ClientPIN, s.Agree(s.Protocol()).TokenUsingPINParams(s.PIN(), ctap.PermGetAssertion, conformance.RPID))
}

// changesPIN changes the PIN from the one that is set.
func (s setter) changesPIN(pin string) *conformance.Reply {
	return s.Send(ctap.ClientPIN, s.Agree(s.Protocol()).ChangePINParams(s.PIN(), pin))
}

// length is how long the PIN is that is set.
func (s setter) length() uint { return uint(len([]rune(s.PIN()))) }

// minimum is about newMinPINLength.
func minimum() []conformance.Case {
	return conformance.One(
		as("min-pin.raise", "6.11.4", "newMinPINLength becomes minPINLength", func(s setter) {
			n := s.minimumNow() + 1
			s.do(ctap.SetMinPINLength, minPIN(n)).OK()
			conformance.Equal(s.Run, "minPINLength", s.minimumNow(), n)
		}, canMin()),
		as("min-pin.lower", "6.11.4", "a newMinPINLength below minPINLength is CTAP2_ERR_PIN_POLICY_VIOLATION: it only grows", func(s setter) {
			n := s.minimumNow() + 2
			s.do(ctap.SetMinPINLength, minPIN(n)).OK()
			for _, lower := range []uint{n - 1, 4, 0} {
				s.do(ctap.SetMinPINLength, minPIN(lower)).Want(ctap.ErrPINPolicyViolation)
				conformance.Equal(s.Run, "minPINLength", s.minimumNow(), n)
			}
		}, canMin()),
		as("min-pin.same", "6.11.4", "newMinPINLength may be what minPINLength is", func(s setter) {
			n := s.minimumNow()
			s.do(ctap.SetMinPINLength, minPIN(n)).OK()
			conformance.Equal(s.Run, "minPINLength", s.minimumNow(), n)
			s.Require(!s.Info().ForcePINChange, "forcePINChange is true although nothing changed")
		}, canMin()),
		as("min-pin.longest", "6.11.4", "a newMinPINLength that no PIN can have is CTAP2_ERR_PIN_POLICY_VIOLATION", func(s setter) {
			for _, n := range []uint{s.longest() + 1, 64, 255, 1 << 20} {
				s.Doing("newMinPINLength %d", n)
				s.refused(s.signed(s.token(), ctap.SetMinPINLength, minPIN(n)), ctap.ErrPINPolicyViolation, conformance.Deviates("an edition leaves open how a length is refused that no PIN has", ctap.ErrInvalidParameter))
			}
		}, canMin()),
		as("min-pin.enforced", "6.5.5.6", "changePIN refuses a PIN shorter than the new minimum with CTAP2_ERR_PIN_POLICY_VIOLATION, and takes one that is not", func(s setter) {
			n := min(s.length(), s.minimumNow()+2)
			s.do(ctap.SetMinPINLength, minPIN(n)).OK()
			s.changesPIN(pinOf(n - 1)).Want(ctap.ErrPINPolicyViolation)
			s.changesPIN(pinOf(n)).OK()
			s.LearnPIN(pinOf(n))
			s.asksForPIN().OK()
		}, canMin()),
		blank("min-pin.enforced-on-set", "6.5.5.5", "setPIN refuses a PIN shorter than the new minimum with CTAP2_ERR_PIN_POLICY_VIOLATION", func(s setter) {
			n := s.minimumNow() + 2
			s.bare(ctap.SetMinPINLength, minPIN(n)).OK()
			s.Send(ctap.ClientPIN, s.Agree(s.Protocol()).SetPINParams(pinOf(n-1))).Want(ctap.ErrPINPolicyViolation)
			s.SetPIN(pinOf(n))
		}, canMin(), conformance.NoOption("alwaysUv")),
		with(conformance.Replug, as("min-pin.power-cycle", "6.11.4", "the minimum lasts over a power cycle", func(s setter) {
			n := s.minimumNow() + 1
			s.do(ctap.SetMinPINLength, minPIN(n)).OK()
			s.PowerCycle()
			conformance.Equal(s.Run, "minPINLength", s.minimumNow(), n)
		}, canMin())),
		with(conformance.Replug|conformance.Touch|conformance.LongTouch, as("min-pin.reset", "6.6", "a reset puts minPINLength back to what it was when the authenticator was new", func(s setter) {
			n := s.minimumNow()
			s.do(ctap.SetMinPINLength, minPIN(n+1)).OK()
			s.reset()
			conformance.Equal(s.Run, "minPINLength after a reset", s.minimumNow(), n)
		}, canMin())),
		as("min-pin.nothing", "6.11.4", "setMinPINLength without anything to change changes nothing", func(s setter) {
			before := s.settings()
			s.do(ctap.SetMinPINLength, conformance.M{}).OK()
			s.do(ctap.SetMinPINLength, conformance.M{3: false}).OK()
			conformance.Equal(s.Run, "what getInfo says afterwards", s.settings(), before)
			s.Require(!s.Info().ForcePINChange, "forcePINChange is true although nothing changed")
		}, canMin()),
	)
}

// forced is about when the PIN must be changed.
func forced() []conformance.Case {
	grow := func(s setter) { s.do(ctap.SetMinPINLength, minPIN(s.length()+1)).OK() }
	force := func(s setter) { s.do(ctap.SetMinPINLength, conformance.M{3: true}).OK() }
	return conformance.One(
		as("force.short-pin", "6.11.4", "a PIN that is shorter than the new minimum must be changed: forcePINChange is true", func(s setter) {
			grow(s)
			s.Require(s.FreshInfo().ForcePINChange, "forcePINChange is not true")
			s.asksForPIN().Want(ctap.ErrPINPolicyViolation)
		}, canMin()),
		as("force.long-enough", "6.11.4", "a PIN that is as long as the new minimum need not be changed", func(s setter) {
			s.do(ctap.SetMinPINLength, minPIN(s.length())).OK()
			s.Require(!s.FreshInfo().ForcePINChange, "forcePINChange is true")
			s.asksForPIN().OK()
		}, canMin()),
		as("force.asked", "6.5.5.7.2", "forceChangePin has the PIN changed: no token with permissions before, CTAP2_ERR_PIN_POLICY_VIOLATION", func(s setter) {
			force(s)
			s.asksForPIN().Want(ctap.ErrPINPolicyViolation)
		}, canMin()),
		as("force.shown", "6.4", "forcePINChange is true while the PIN must be changed, and false afterwards", func(s setter) {
			s.Require(!s.FreshInfo().ForcePINChange, "forcePINChange is true to begin with")
			force(s)
			s.Require(s.FreshInfo().ForcePINChange, "forcePINChange is not true")
			s.ChangePIN(s.PIN(), "8264-19375")
			s.Require(!s.FreshInfo().ForcePINChange, "forcePINChange is still true after the PIN was changed")
		}, canMin()),
		as("force.old-token", "6.5.5.7.1", "getPinToken answers CTAP2_ERR_PIN_INVALID while the PIN must be changed", func(s setter) {
			force(s)
			s.Send(ctap.ClientPIN, s.Agree(s.Protocol()).GetPinTokenParams(s.PIN())).
				Tolerate(conformance.Deviates("implementations answer getPinToken as they do getPinUvAuthTokenUsingPinWithPermissions", ctap.ErrPINPolicyViolation)).
				Want(ctap.ErrPINInvalid)
		}, canMin()),
		as("force.tokens-end", "6.11.4", "tokens that were given before end when the PIN must be changed", func(s setter) {
			t := s.token()
			s.Send(ctap.Config, s.signed(t, ctap.SetMinPINLength, conformance.M{3: true})).OK()
			s.Send(ctap.Config, s.signed(t, ctap.SetMinPINLength, conformance.M{})).Want(ctap.ErrPINAuthInvalid)
		}, canMin()),
		as("force.same-pin", "6.5.5.6", "a PIN that must be changed is not changed into itself: CTAP2_ERR_PIN_POLICY_VIOLATION", func(s setter) {
			force(s)
			s.changesPIN(s.PIN()).Want(ctap.ErrPINPolicyViolation)
			s.Require(s.FreshInfo().ForcePINChange, "forcePINChange is no longer true")
		}, canMin()),
		as("force.changed", "6.5.5.6", "after the PIN was changed, tokens are given again", func(s setter) {
			grow(s)
			s.changesPIN("8264-193756-").OK()
			s.LearnPIN("8264-193756-")
			s.asksForPIN().OK()
		}, canMin()),
		with(conformance.Replug, as("force.power-cycle", "6.11.4", "that the PIN must be changed lasts over a power cycle", func(s setter) {
			force(s)
			s.PowerCycle()
			s.Require(s.FreshInfo().ForcePINChange, "forcePINChange is no longer true")
			s.asksForPIN().Want(ctap.ErrPINPolicyViolation)
		}, canMin())),
		blank("force.no-pin", "6.11.4", "forceChangePin where no PIN is set is CTAP2_ERR_PIN_NOT_SET", func(s setter) {
			s.bare(ctap.SetMinPINLength, conformance.M{3: true}).Want(ctap.ErrPINNotSet)
			s.Require(!s.FreshInfo().ForcePINChange, "forcePINChange is true although no PIN is set")
		}, canMin(), conformance.NoOption("alwaysUv")),
		blank("force.no-pin-minimum", "6.11.4", "a new minimum has no PIN changed where none is set", func(s setter) {
			s.bare(ctap.SetMinPINLength, minPIN(s.minimumNow()+1)).OK()
			s.Require(!s.FreshInfo().ForcePINChange, "forcePINChange is true although no PIN is set")
		}, canMin(), conformance.NoOption("alwaysUv")),
	)
}

// complexity is about pinComplexityPolicy, which came with CTAP 2.2.
func complexity() []conformance.Case {
	on := conformance.M{4: true}
	need := conformance.Member(0x1B)
	policy := func(s setter) bool {
		p := s.FreshInfo().PinComplexityPolicy
		return p != nil && *p
	}
	cases := conformance.One(
		as("complexity.on", "6.11.4", "pinComplexityPolicy true turns the policy on, and getInfo says so", func(s setter) {
			s.do(ctap.SetMinPINLength, on).OK()
			s.Require(policy(s), "pinComplexityPolicy of getInfo is not true")
		}, canMin(), need),
		as("complexity.stays", "6.11.4", "the policy stays on, whatever is sent, until a reset", func(s setter) {
			s.do(ctap.SetMinPINLength, on).OK()
			s.do(ctap.SetMinPINLength, conformance.M{4: false})
			s.do(ctap.SetMinPINLength, conformance.M{}).OK()
			s.Require(policy(s), "pinComplexityPolicy of getInfo is no longer true")
		}, canMin(), need),
		as("complexity.enforced", "6.5.5.6", "while the policy is on, a PIN of one character repeated is CTAP2_ERR_PIN_POLICY_VIOLATION", func(s setter) {
			s.do(ctap.SetMinPINLength, on).OK()
			s.changesPIN(strings.Repeat("1", int(s.minimumNow()+4))).Want(ctap.ErrPINPolicyViolation)
			s.asksForPIN().OK()
		}, canMin(), need),
		as("complexity.taken", "6.5.5.6", "while the policy is on, a PIN without a pattern is taken", func(s setter) {
			s.do(ctap.SetMinPINLength, on).OK()
			s.ChangePIN(s.PIN(), "8264-19375")
			s.asksForPIN().OK()
		}, canMin(), need),
	)
	for i := range cases {
		cases[i] = since(conformance.Since22, cases[i])
	}
	return cases
}
