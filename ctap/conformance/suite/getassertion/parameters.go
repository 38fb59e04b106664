package getassertion

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

var table = []conformance.Parameter{
	{Key: 1, Name: "rpId", Type: conformance.TextStr, Required: true},
	{Key: 2, Name: "clientDataHash", Type: conformance.ByteStr, Required: true},
	{Key: 3, Name: "allowList", Type: conformance.Array},
	{Key: 4, Name: "extensions", Type: conformance.Map},
	{Key: 5, Name: "options", Type: conformance.Map},
	{Key: 6, Name: "pinUvAuthParam", Type: conformance.ByteStr},
	{Key: 7, Name: "pinUvAuthProtocol", Type: conformance.Unsigned},
}

// lengthAs03 is another status for what has not the length that it must have.
var lengthAs03 = conformance.Deviates("shipping keys answer CTAP1_ERR_INVALID_LENGTH to what is too short or too long", ctap.ErrInvalidLength)

// parameters is about parameters that are missing or of a wrong type.
func parameters() []conformance.Case {
	good := func(r *run) m { return r.AssertParams() }
	return conformance.Join(
		conformance.Missing(once("missing", "6.2.2", "", nil), ctap.GetAssertion, table, good),
		conformance.Each(table, func(p conformance.Parameter) conformance.Case {
			c := once("type."+p.Name, "6.2.2", p.Name+" of a wrong type is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", nil)
			all := conformance.WrongTypes(c, ctap.GetAssertion, []conformance.Parameter{p}, good)
			c.Run = func(r *run) {
				for i := range all {
					all[i].Run(r)
				}
			}
			return c
		}),
		conformance.Each([]struct {
			name   string
			length int
		}{{"empty", 0}, {"short", 31}, {"long", 33}}, func(h struct {
			name   string
			length int
		}) conformance.Case {
			return once("hash."+h.name, "6.2.2", "clientDataHash is a SHA-256, of 32 bytes", func(r *run) {
				attempt(r, r.AssertParams(r.NewCredential()).With(2, r.Bytes(h.length))).Tolerate(lengthAs03).Want(ctap.ErrInvalidParameter)
			})
		}),
	)
}

// malformed is about what can be wrong inside a parameter.
func malformed() []conformance.Case {
	id := []byte("an id that nobody made")
	return conformance.Each([]struct {
		id, why string
		key     int
		value   any
		want    ctap.Status
	}{
		{"allow-list-element", "an element of allowList is a map", 3, []any{"text"}, ctap.ErrCBORUnexpectedType},
		{"descriptor-id-missing", "a descriptor has an id", 3, []s{{"type": ctap.PublicKeyCredential}}, ctap.ErrMissingParameter},
		{"descriptor-id-type", "the id of a descriptor is bytes", 3, []s{{"type": ctap.PublicKeyCredential, "id": "text"}}, ctap.ErrCBORUnexpectedType},
		{"descriptor-type-missing", "a descriptor has a type", 3, []s{{"id": id}}, ctap.ErrMissingParameter},
		{"descriptor-type-type", "the type of a descriptor is text", 3, []s{{"type": id, "id": id}}, ctap.ErrCBORUnexpectedType},
		{"option-value", "an option is true or false", 5, s{"up": "yes"}, ctap.ErrCBORUnexpectedType},
		{"option-key", "an option has a name", 5, m{1: true}, ctap.ErrCBORUnexpectedType},
		{"extension-key", "an extension has a name", 4, m{1: true}, ctap.ErrCBORUnexpectedType},
	}, func(f struct {
		id, why string
		key     int
		value   any
		want    ctap.Status
	}) conformance.Case {
		return once("malformed."+f.id, "6.2.2", f.why, func(r *run) {
			attempt(r, r.AssertParams().With(f.key, f.value)).
				Tolerate(conformance.TypeAsOthers, conformance.Deviates("shipping keys take a missing member for one of a wrong type, or look at no list where nothing is stored",
					ctap.ErrCBORUnexpectedType, ctap.ErrNoCredentials)).Want(f.want)
		})
	})
}

// options is about up, uv, rk, and options that nobody knows.
func options() []conformance.Case {
	with := func(r *run, name string, on bool) m { return r.AssertParams(r.NewCredential()).With(5, s{name: on}) }
	uv20 := conformance.Needing(once("options.uv-unsupported.2-0", "6.2.2 step 4", "uv without built-in user verification is CTAP2_ERR_UNSUPPORTED_OPTION", func(r *run) {
		r.Send(ctap.GetAssertion, with(r, "uv", true)).Tolerate(conformance.OptionAs2C).Want(ctap.ErrUnsupportedOption)
	}), conformance.AbsentOption("uv"))
	uv20.Rule = uv20.Rule.Until(conformance.CTAP20)
	return conformance.One(
		uv20,
		conformance.Needing(since21("options.uv-unsupported", "6.2.2 step 4", "uv without built-in user verification is CTAP2_ERR_INVALID_OPTION", func(r *run) {
			r.Send(ctap.GetAssertion, with(r, "uv", true)).Tolerate(conformance.OptionAs2B).Want(ctap.ErrInvalidOption)
		}), conformance.AbsentOption("uv")),
		conformance.StartWithPIN(conformance.Needing(since21("options.uv-beside-token", "6.2.2 step 4", "uv beside a pinUvAuthParam counts as false", func(r *run) {
			attempt(r, with(r, "uv", true)).OK()
		}), conformance.AbsentOption("uv"))),
		once("options.rk", "6.2.2 step 4", "rk has no place in an assertion: CTAP2_ERR_UNSUPPORTED_OPTION", func(r *run) {
			for _, on := range []bool{true, false} {
				r.Doing("with rk: %v", on)
				attempt(r, with(r, "rk", on)).Tolerate(conformance.OptionAs2C).Want(ctap.ErrUnsupportedOption)
			}
		}),
		once("options.up-true", "6.2.2 step 4", "up: true is what is so without it", func(r *run) {
			c := r.NewCredential()
			r.Assert(r.AssertParams(c).With(5, s{"up": true}), c)
		}),
		once("options.unknown", "6.2.2 step 4", "options that are not known are ignored", func(r *run) {
			c := r.NewCredential()
			r.Assert(r.AssertParams(c).With(5, s{"conformance": true, "alwaysUv": false}), c)
		}),
	)
}

// alwaysUV is about the option alwaysUv.
func alwaysUV() []conformance.Case {
	const toggleAlwaysUv = 2
	always := func(id, why string, do func(r *run, c *conformance.Credential)) conformance.Case {
		return conformance.Leaving(conformance.StartWithPIN(conformance.Needing(since21("always-uv."+id, "6.2.2 step 5", why, func(r *run) {
			c := r.NewCredential()
			if !r.FreshInfo().Options["alwaysUv"] {
				r.Configure(toggleAlwaysUv, nil)
			}
			do(r, c)
		}), conformance.HasOption("alwaysUv"), conformance.Option("authnrCfg"), conformance.NoOption("uv"))))
	}
	return conformance.One(
		always("enforced", "under alwaysUv nothing is signed without user verification", func(r *run, c *conformance.Credential) {
			r.Send(ctap.GetAssertion, r.AssertParams(c)).Want(ctap.ErrPUATRequired)
			a := r.Use(c)
			r.Check(a.Data.Flags&ctap.FlagUV != 0, "the flag UV is not set: %s", a.Data.Flags)
		}),
		always("silent", "alwaysUv leaves silent requests as they are", func(r *run, c *conformance.Credential) {
			params := silent(r.AssertParams(c))
			r.ReadAssertion(params, r.Send(ctap.GetAssertion, params).OK().Untouched(), c)
		}),
	)
}
