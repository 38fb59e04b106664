package config

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// enterprise is about enableEnterpriseAttestation.
func enterprise() []conformance.Case {
	need := conformance.HasOption("ep")
	enable := func(s setter) { s.do(ctap.EnableEnterpriseAttestation, nil).OK() }
	return conformance.One(
		as("enterprise.enable", "6.11.1", "enableEnterpriseAttestation makes the option ep true", func(s setter) {
			enable(s)
			s.Require(s.option("ep"), "the option ep is not true")
		}, need),
		as("enterprise.twice", "6.11.1", "enabled twice, it stays enabled: it is no toggle", func(s setter) {
			enable(s)
			enable(s)
			s.Require(s.option("ep"), "the option ep is not true")
		}, need),
		with(conformance.Replug, as("enterprise.power-cycle", "6.11.1", "it stays enabled over a power cycle", func(s setter) {
			enable(s)
			s.PowerCycle()
			s.Require(s.option("ep"), "the option ep is no longer true")
		}, need)),
		with(conformance.Replug|conformance.Touch|conformance.LongTouch, as("enterprise.reset", "6.6", "a reset disables it", func(s setter) {
			enable(s)
			s.reset()
			s.Require(!s.option("ep"), "the option ep is still true after a reset")
		}, need)),
		as("enterprise.absent", "6.11.1", "without the option ep there is no enableEnterpriseAttestation", func(s setter) {
			s.do(ctap.EnableEnterpriseAttestation, nil).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
		}, conformance.AbsentOption("ep")),
	)
}

// longTouch is about enableLongTouchForReset, which came with CTAP 2.3.
func longTouch() []conformance.Case {
	need := conformance.Member(0x18)
	on := func(s setter) bool {
		l := s.FreshInfo().LongTouchForReset
		return l != nil && *l
	}
	enable := func(s setter) { s.do(ctap.EnableLongTouchForReset, nil).OK() }
	cases := conformance.One(
		as("long-touch.enable", "6.11.5", "enableLongTouchForReset makes longTouchForReset true, also the second time", func(s setter) {
			enable(s)
			s.Require(on(s), "longTouchForReset is not true")
			enable(s)
			s.Require(on(s), "longTouchForReset is not true after the second time")
		}, need),
		with(conformance.Replug, as("long-touch.power-cycle", "6.11.5", "longTouchForReset stays true over a power cycle", func(s setter) {
			enable(s)
			s.PowerCycle()
			s.Require(on(s), "longTouchForReset is no longer true")
		}, need)),
		with(conformance.Replug|conformance.Touch|conformance.LongTouch, as("long-touch.reset", "6.6", "a touch of a moment then resets nothing, and one of ten seconds does, longTouchForReset included", func(s setter) {
			factory := on(s)
			enable(s)
			s.PowerCycle()
			s.Plan(conformance.Touch)
			s.Send(ctap.Reset, nil).Touched().Refused()
			s.Require(on(s) && s.option("clientPin"), "the authenticator is reset although the touch was short")
			s.reset()
			s.Require(on(s) == factory && !s.option("clientPin"), "the authenticator is not reset although the touch was long")
		}, need)),
	)
	for i := range cases {
		cases[i] = since(conformance.Since23, cases[i])
	}
	return cases
}

// vendor is about vendorPrototype. What vendors' commands do is not known, so that none
// is sent that is there.
func vendor() []conformance.Case {
	there := conformance.Member(0x15)
	return conformance.One(
		as("vendor.command-missing", "6.11.3", "vendorPrototype without vendorCommandId is refused", func(s setter) {
			s.do(ctap.VendorPrototype, conformance.M{}).Refused()
			s.do(ctap.VendorPrototype, nil).Refused()
		}, there),
		as("vendor.command-unknown", "6.11.3", "a vendorCommandId that vendorPrototypeConfigCommands does not list is refused", func(s setter) {
			id := uint64(0x5EED)
			for slices.Contains(s.Info().VendorPrototypeConfigCommands, id) {
				id++
			}
			s.do(ctap.VendorPrototype, conformance.M{1: id}).Refused()
		}, there),
		as("vendor.unsigned", "6.11", "vendorPrototype without pinUvAuthParam is CTAP2_ERR_PUAT_REQUIRED", func(s setter) {
			s.bare(ctap.VendorPrototype, conformance.M{1: s.Info().VendorPrototypeConfigCommands[0]}).
				Tolerate(conformance.AuthAs33, conformance.ParameterAs14).Want(ctap.ErrPUATRequired)
		}, there),
		as("vendor.absent", "6.11.3", "without vendorPrototypeConfigCommands there is no vendorPrototype", func(s setter) {
			s.do(ctap.VendorPrototype, conformance.M{1: 1}).Tolerate(conformance.SubcommandAs02).Want(ctap.ErrInvalidSubcommand)
		}, conformance.NoMember(0x15)),
	)
}
