package config

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// turn brings alwaysUv into a state.
func (s setter) turn(on bool) {
	if s.option("alwaysUv") != on {
		s.do(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
		s.FreshInfo()
	}
}

// always is about toggleAlwaysUv, and what is different while alwaysUv is on.
func always() []conformance.Case {
	noUV := conformance.NoOption("uv")
	return conformance.One(
		as("always-uv.shown", "6.4", "the option alwaysUv follows every toggle", func(s setter) {
			was := s.option("alwaysUv")
			s.do(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
			conformance.Equal(s.Run, "alwaysUv after a toggle", s.option("alwaysUv"), !was)
			s.do(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
			conformance.Equal(s.Run, "alwaysUv after two toggles", s.option("alwaysUv"), was)
		}, canToggle()),
		with(conformance.Touch, as("always-uv.get", "6.11.2", "while alwaysUv is on, getAssertion without user verification is CTAP2_ERR_PUAT_REQUIRED", func(s setter) {
			s.turn(true)
			c := s.NewCredential()
			s.Send(ctap.GetAssertion, s.AssertParams(c)).Want(ctap.ErrPUATRequired)
			s.Use(c)
		}, canToggle(), noUV)),
		with(conformance.Touch, as("always-uv.off", "6.11.2", "while alwaysUv is off, getAssertion needs no user verification", func(s setter) {
			s.turn(true)
			s.turn(false)
			c := s.NewCredential()
			m := s.AssertParams(c)
			s.ReadAssertion(m, s.Send(ctap.GetAssertion, m), c)
		}, canToggle(), noUV)),
		with(conformance.Touch, as("always-uv.silent", "7.2", "while alwaysUv is on, getAssertion with up false needs no user verification", func(s setter) {
			s.turn(true)
			c := s.NewCredential()
			m := s.AssertParams(c).With(5, conformance.S{"up": false})
			s.Send(ctap.GetAssertion, m).OK().Untouched()
		}, canToggle())),
		with(conformance.Touch, as("always-uv.make", "7.2", "while alwaysUv is on, makeCredential without user verification is CTAP2_ERR_PUAT_REQUIRED, discoverable or not", func(s setter) {
			s.turn(true)
			s.Send(ctap.MakeCredential, s.CreateParams()).Want(ctap.ErrPUATRequired)
			s.NewCredential()
		}, canToggle(), noUV)),
		as("always-uv.makeCredUvNotRqd", "6.4", "while alwaysUv is on, makeCredUvNotRqd is not true, and afterwards it is again", func(s setter) {
			s.turn(true)
			s.Require(!s.option("makeCredUvNotRqd"), "alwaysUv and makeCredUvNotRqd are both true")
			s.turn(false)
			s.Require(s.option("makeCredUvNotRqd"), "makeCredUvNotRqd is not true again after alwaysUv was turned off")
		}, canToggle(), conformance.Option("makeCredUvNotRqd")),
		as("always-uv.versions", "7.2", "while alwaysUv is on, U2F_V2 is not listed, unless the user is verified by what is built in", func(s setter) {
			s.turn(true)
			s.Require(!slices.Contains(s.Info().Versions, "U2F_V2"), "versions has U2F_V2 although alwaysUv is on")
			s.turn(false)
			s.Require(slices.Contains(s.FreshInfo().Versions, "U2F_V2"), "versions has not U2F_V2 again after alwaysUv was turned off")
		}, canToggle(), conformance.Version("U2F_V2"), conformance.AbsentOption("uv")),
		with(conformance.Touch, as("always-uv.u2f", "7.2", "while alwaysUv is on, U2F does not register", func(s setter) {
			s.turn(true)
			reply := s.SendU2F(conformance.APDU{INS: 1, P1: 3, Data: s.Bytes(64)}.Bytes())
			s.Require(reply.Wire != 0 || reply.SW != swOK && reply.SW != swTouch, "U2F_REGISTER is answered with status word 0x%04X", reply.SW)
		}, canToggle(), conformance.SpeaksU2F(), conformance.AbsentOption("uv"))),
		with(conformance.Replug, as("always-uv.power-cycle", "6.11.2", "alwaysUv stays as it is over a power cycle", func(s setter) {
			was := s.option("alwaysUv")
			s.do(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
			s.PowerCycle()
			conformance.Equal(s.Run, "alwaysUv after a power cycle", s.option("alwaysUv"), !was)
		}, canToggle())),
		with(conformance.Replug|conformance.Touch|conformance.LongTouch, as("always-uv.reset", "6.6", "a reset puts alwaysUv back to what it was when the authenticator was new", func(s setter) {
			was := s.option("alwaysUv")
			s.do(ctap.ToggleAlwaysUV, nil).Tolerate(denied()).OK()
			s.reset()
			conformance.Equal(s.Run, "alwaysUv after a reset", s.option("alwaysUv"), was)
		}, canToggle())),
	)
}

// Status words of U2F.
const (
	swOK    = 0x9000
	swTouch = 0x6985
)
