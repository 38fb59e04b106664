package getinfo

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// implies is a case of an option that another needs: where the first is there, the
// second is true.
type implies struct {
	option, needed string
	rule           conformance.Rule
	value          bool // the first must be true to count; otherwise it is enough that it is there
	present        bool // of the second it is enough that it is there
}

var implications = []implies{
	{"uvBioEnroll", "bioEnroll", conformance.Since21("6.4"), false, true},
	{"uvAcfg", "authnrCfg", conformance.Since21("6.4"), false, true},
	{"setMinPINLength", "clientPin", conformance.Since21("6.4"), true, true},
	{"setMinPINLength", "authnrCfg", conformance.Since21("6.4"), true, false},
	{"noMcGaPermissionsWithClientPin", "clientPin", conformance.Since21("6.4"), true, true},
	{"noMcGaPermissionsWithClientPin", "pinUvAuthToken", conformance.Since21("6.4"), true, false},
	{"ep", "authnrCfg", conformance.Since21("9"), false, false},
	{"credMgmt", "rk", conformance.Since21("6.4"), true, false},
	{"perCredMgmtRO", "credMgmt", conformance.Since22("6.4"), true, false},
	{"perCredMgmtRO", "pinUvAuthToken", conformance.Since22("6.4"), true, false},
}

func (x implies) asCase() conformance.Case {
	need := conformance.HasOption(x.option)
	if x.value {
		need = conformance.Option(x.option)
	}
	return says("option."+x.option+"."+x.needed, x.rule, "the option "+x.option+" needs "+x.needed,
		func(r *conformance.Run, i *ctap.Info) {
			r.Check(i.Options[x.needed] || x.present && has(i, x.needed), "options has %s and not %s", x.option, x.needed)
		}, need)
}

// options is about what options say about each other.
func options() []conformance.Case {
	return conformance.Join(conformance.Each(implications, implies.asCase), conformance.One(
		says("option.plat-transports", conformance.Since21("6.4"), "an authenticator that is not of the platform does not have internal as its only transport",
			func(r *conformance.Run, i *ctap.Info) {
				internal := len(i.Transports) == 1 && i.Transports[0] == "internal"
				r.Check(i.Options["plat"] || !internal, "transports is internal alone, and plat is not true")
			}, conformance.Member(0x09)),
		says("option.up", conformance.Since20("6.4"), "an authenticator on a wire tests user presence: up is true or absent",
			func(r *conformance.Run, i *ctap.Info) {
				up, there := i.Options["up"]
				r.Check(!there || up, "the option up is false")
			}),
		says("option.rk.verification", conformance.Since21("9"), "discoverable credentials need user verification: clientPin or uv",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(has(i, "clientPin") || has(i, "uv"), "rk is true, and neither clientPin nor uv is there")
			}, conformance.Option("rk")),
		says("option.rk.management", conformance.Since21("9"), "discoverable credentials need credential management, unless the authenticator manages them itself",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.Options["credMgmt"] || i.Options["credentialMgmtPreview"], "rk is true, and credMgmt is not")
			}, conformance.Option("rk"), conformance.NoOption("plat")),
		says("option.uv.token", conformance.Since21("9"), "user verification that is configured needs pinUvAuthToken",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(i.Options["pinUvAuthToken"], "clientPin or uv is true, and pinUvAuthToken is not")
			}, conformance.AnyOf(conformance.Option("clientPin"), conformance.Option("uv"))),
		says("option.token.protocols", conformance.Since21("6.4"), "pinUvAuthToken needs pinUvAuthProtocols",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(len(i.PinUvAuthProtocols) > 0, "pinUvAuthToken is true, and there are no pinUvAuthProtocols")
			}, conformance.Option("pinUvAuthToken")),
		says("option.protocol-two", conformance.Since21("9"), "an authenticator of CTAP 2.1 with user verification has PIN/UV auth protocol two",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(slices.Contains(i.PinUvAuthProtocols, 2), "pinUvAuthProtocols is %d", i.PinUvAuthProtocols)
			}, conformance.CanVerify()),
		says("option.alwaysUv.makeCredUvNotRqd", conformance.Since21("7.2"), "while alwaysUv is on, makeCredUvNotRqd is not true",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(!i.Options["makeCredUvNotRqd"], "alwaysUv and makeCredUvNotRqd are both true")
			}, conformance.Option("alwaysUv")),
		says("option.alwaysUv.u2f", conformance.Since21("7.2"), "while alwaysUv is on, U2F needs built-in user verification",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(!slices.Contains(i.Versions, "U2F_V2") || has(i, "uv"), "alwaysUv is true, U2F_V2 is listed, and uv is absent")
			}, conformance.Option("alwaysUv")),
		says("option.largeBlobs.size", conformance.Since21("6.4"), "maxSerializedLargeBlobArray is there if and only if largeBlobs is true",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check((i.MaxSerializedLargeBlobArray != 0) == i.Options["largeBlobs"], "maxSerializedLargeBlobArray is %d, largeBlobs %v",
					i.MaxSerializedLargeBlobArray, i.Options["largeBlobs"])
			}),
		says("option.bioEnroll.uv", conformance.Since21("6.4"), "bioEnroll needs built-in user verification, configured if a finger is enrolled",
			func(r *conformance.Run, i *ctap.Info) {
				r.Check(has(i, "uv"), "bioEnroll is there, and uv is absent")
				r.Check(i.Options["uv"] == i.Options["bioEnroll"] || i.Options["uv"], "bioEnroll is true, and uv is not")
			}, conformance.HasOption("bioEnroll")),
		says("option.20-only", conformance.Since20("6.4").Until(conformance.CTAP20), "an authenticator of CTAP 2.0 has no options of later editions",
			func(r *conformance.Run, i *ctap.Info) {
				for _, o := range []string{"pinUvAuthToken", "credMgmt", "authnrCfg", "largeBlobs", "alwaysUv", "bioEnroll"} {
					r.Check(!has(i, o), "versions ends with FIDO_2_0, and the option %s is there", o)
				}
			}, conformance.Unless(conformance.Version("FIDO_2_1_PRE"), "it is a preview of CTAP 2.1")),
	))
}
