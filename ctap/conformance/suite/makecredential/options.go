package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// options is about rk, up, uv, and options that nobody knows.
func options() []conformance.Case {
	with := func(r *run, name string, on bool) m { return r.CreateParams().With(7, s{name: on}) }
	uv20 := conformance.Needing(once("options.uv-unsupported.2-0", "6.1.2 step 4", "uv without built-in user verification is CTAP2_ERR_UNSUPPORTED_OPTION", func(r *run) {
		r.Send(ctap.MakeCredential, with(r, "uv", true)).Tolerate(conformance.OptionAs2C).Want(ctap.ErrUnsupportedOption)
	}), conformance.AbsentOption("uv"))
	uv20.Rule = uv20.Rule.Until(conformance.CTAP20)
	return conformance.One(
		uv20,
		conformance.Needing(since21("options.uv-unsupported", "6.1.2 step 4", "uv without built-in user verification is CTAP2_ERR_INVALID_OPTION", func(r *run) {
			r.Send(ctap.MakeCredential, with(r, "uv", true)).Tolerate(conformance.OptionAs2B).Want(ctap.ErrInvalidOption)
		}), conformance.AbsentOption("uv")),
		conformance.StartWithPIN(conformance.Needing(since21("options.uv-beside-token", "6.1.2 step 4", "uv beside a pinUvAuthParam counts as false", func(r *run) {
			attempt(r, with(r, "uv", true)).OK()
		}), conformance.AbsentOption("uv"))),
		once("options.uv-false", "6.1.2 step 4", "uv: false is what is so without it", func(r *run) {
			r.Create(with(r, "uv", false))
		}),
		once("options.up-false", "6.1.2 step 5", "no credential is made without the user: up: false is CTAP2_ERR_INVALID_OPTION", func(r *run) {
			attempt(r, with(r, "up", false)).Tolerate(conformance.OptionAs2B).Want(ctap.ErrInvalidOption)
		}),
		since21("options.up-true", "6.1.2 step 5", "up: true is what is so without it", func(r *run) {
			r.Create(with(r, "up", true))
		}),
		once("options.unknown", "6.1.2 step 5", "options that are not known are ignored", func(r *run) {
			r.Create(r.CreateParams().With(7, s{"conformance": true, "alwaysUv": false}))
		}),
		once("options.rk-false", "6.1.2 step 5", "rk: false is what is so without it", func(r *run) {
			r.Use(r.Create(with(r, "rk", false)))
		}),
		conformance.Needing(once("options.rk-unsupported", "6.1.2 step 5", "rk without room for discoverable credentials is CTAP2_ERR_UNSUPPORTED_OPTION", func(r *run) {
			attempt(r, with(r, "rk", true)).Tolerate(conformance.OptionAs2C).Want(ctap.ErrUnsupportedOption)
		}), conformance.NoOption("rk")),
	)
}

// required is about what may be made without user verification once it is configured.
func required() []conformance.Case {
	const toggleAlwaysUv = 2
	notRequired := conformance.Option("makeCredUvNotRqd")
	return conformance.One(
		conformance.StartWithPIN(conformance.Needing(since21("uv-required.not-discoverable", "6.1.2 step 7", "with makeCredUvNotRqd a touch suffices for a credential that is not discoverable", func(r *run) {
			c := r.ReadCredential(r.CreateParams(), r.Send(ctap.MakeCredential, r.CreateParams()).OK().Touched())
			r.Check(c.Data.Flags&ctap.FlagUV == 0, "the flag UV is set, and nobody was verified: %s", c.Data.Flags)
		}), notRequired)),
		conformance.StartWithPIN(conformance.Needing(once("uv-required.discoverable", "6.1.2 step 8", "once a PIN is set, a discoverable credential takes user verification", func(r *run) {
			r.Send(ctap.MakeCredential, r.CreateParams().With(7, s{"rk": true})).Tolerate(conformance.AuthAs33).Want(ctap.ErrPUATRequired)
		}), conformance.Option("rk"), conformance.NoOption("uv"))),
		conformance.StartWithPIN(conformance.Needing(once("uv-required.every", "6.1.2 step 8", "once a PIN is set, every credential takes user verification without makeCredUvNotRqd", func(r *run) {
			r.Send(ctap.MakeCredential, r.CreateParams()).Tolerate(conformance.AuthAs33).Want(ctap.ErrPUATRequired)
		}), conformance.NoOption("makeCredUvNotRqd"), conformance.NoOption("uv"))),
		conformance.Leaving(conformance.StartWithPIN(conformance.Needing(since21("always-uv.enforced", "6.1.2 step 6", "under alwaysUv no credential is made without user verification", func(r *run) {
			if !r.FreshInfo().Options["alwaysUv"] {
				r.Configure(toggleAlwaysUv, nil)
			}
			r.Send(ctap.MakeCredential, r.CreateParams()).Want(ctap.ErrPUATRequired)
			c := r.NewCredential()
			r.Check(c.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", c.Data.Flags)
		}), conformance.HasOption("alwaysUv"), conformance.Option("authnrCfg"), conformance.NoOption("uv")))),
		conformance.Leaving(conformance.StartWithPIN(conformance.Needing(since21("always-uv.makeCredUvNotRqd", "6.1.2 step 6", "under alwaysUv makeCredUvNotRqd is false", func(r *run) {
			if !r.FreshInfo().Options["alwaysUv"] {
				r.Configure(toggleAlwaysUv, nil)
			}
			o := r.FreshInfo().Options
			r.Check(o["alwaysUv"] && !o["makeCredUvNotRqd"], "alwaysUv is %v, makeCredUvNotRqd %v", o["alwaysUv"], o["makeCredUvNotRqd"])
		}), conformance.HasOption("alwaysUv"), conformance.Option("authnrCfg")))),
		conformance.StartBlank(conformance.Needing(once("always-uv.no-pin", "6.1.2 step 6", "under alwaysUv without a PIN that is set no credential is made", func(r *run) {
			r.Send(ctap.MakeCredential, r.CreateParams()).Want(ctap.ErrPUATRequired, ctap.ErrOperationDenied)
		}), conformance.Option("alwaysUv"), conformance.NoOption("uv"))),
	)
}
