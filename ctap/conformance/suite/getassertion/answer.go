package getassertion

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
)

const signing = "6.2.2 step 13"

// users is about what an answer tells of the user.
func users() []conformance.Case {
	return conformance.One(
		stored("user.id", signing, "the answer for a discoverable credential has the id of its user", func(r *run) {
			for _, c := range three(r) {
				a := r.Use(c)
				r.Require(a.Response.User != nil, "the answer has no user")
				r.Check(bytes.Equal(a.Response.User.ID, c.UserID), "the id of user is %x, and was made as %x", []byte(a.Response.User.ID), c.UserID)
			}
		}),
		conformance.Needing(once("user.absent", signing, "the answer for a credential that is not discoverable has no user", func(r *run) {
			r.Use(r.NewCredential()).Reply.Without(4)
		}), conformance.NoOption("plat")),
		conformance.StartWithPIN(stored("user.names-verified", signing, "names are told to choose by, once the user is verified", func(r *run) {
			all := three(r)
			params := r.AssertParamsAt(all[0].RPID)
			params = r.AuthoriseWith(r.Token(ctap.PermGetAssertion, all[0].RPID), ctap.GetAssertion, params)
			user := r.Assert(params, all...).Response.User
			r.Require(user != nil, "the answer has no user")
			r.Check(user.Name == "carol" && user.DisplayName == "carol", "name is %q, displayName %q; they were made as carol", user.Name, user.DisplayName)
		})),
		conformance.StartWithPIN(conformance.Needing(stored("user.names-hidden", signing, "names are not told without user verification", func(r *run) {
			all := three(r)
			params := r.AssertParamsAt(all[0].RPID)
			first := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), all...)
			second := r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil), all...)
			for _, a := range []*conformance.Assertion{first, second} {
				r.Require(a.Response.User != nil, "the answer has no user")
				r.Check(a.Response.User.Name == "" && a.Response.User.DisplayName == "", "name is %q, displayName %q", a.Response.User.Name, a.Response.User.DisplayName)
			}
		}), conformance.NoOption("alwaysUv"))),
		once("user.selected", signing, "userSelected is not there where the user picked nothing", func(r *run) {
			a := r.Use(r.NewCredential())
			r.Check(!a.Response.UserSelected, "userSelected is true")
		}),
		since21("members", signing, "an answer has credential, authData and signature, and nothing that was not asked for", func(r *run) {
			reply := r.Use(r.NewCredential()).Reply
			for _, key := range []int{1, 2, 3} {
				reply.Member(key)
			}
			reply.Only(1, 2, 3, 4, 5, 6)
		}),
		once("credential-type", signing, "the credential of an answer has the type public-key", func(r *run) {
			a := r.Use(r.NewCredential())
			r.Check(a.Response.Credential == nil || a.Response.Credential.Type == ctap.PublicKeyCredential, "the credential is %+v", a.Response.Credential)
		}),
	)
}

// flags is about the flags and the layout of authenticator data.
func flags() []conformance.Case {
	return conformance.One(
		once("auth-data.layout", signing, "authenticator data is rpIdHash, flags, counter and extensions, without attested credential data, and nothing behind", func(r *run) {
			a := r.Use(r.NewCredential())
			r.Check(a.Data.Flags&(ctap.FlagAT|ctap.FlagED) == 0, "the flags are %s", a.Data.Flags)
			conformance.Equal(r, "length of authData", len(a.Response.AuthData), 37)
		}),
		once("auth-data.rpIdHash", signing, "rpIdHash is the SHA-256 of the relying party's id", func(r *run) {
			site := r.NewSite()
			r.Use(r.Create(r.CreateParams().With(2, s{"id": site, "name": "Conformance"})))
		}),
		once("auth-data.reserved", signing, "the reserved flags are 0", func(r *run) {
			f := r.Use(r.NewCredential()).Data.Flags
			r.Check(f&0x22 == 0, "the flags are %s", f)
		}),
		once("auth-data.backup", signing, "a credential is backup eligible for ever, or never; what is not is not backed up", func(r *run) {
			c := r.NewCredential()
			f := r.Use(c).Data.Flags
			r.Check(f&ctap.FlagBE == c.Data.Flags&ctap.FlagBE, "the flags are %s, and were %s at creation", f, c.Data.Flags)
			r.Check(f&ctap.FlagBE != 0 || f&ctap.FlagBS == 0, "the flags are %s", f)
		}),
		conformance.StartWithPIN(conformance.Needing(once("auth-data.no-uv", "6.2.2 step 6", "the flag UV is not set when nobody was verified", func(r *run) {
			c := r.NewCredential()
			params := r.AssertParams(c)
			f := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), c).Data.Flags
			r.Check(f&ctap.FlagUV == 0, "the flags are %s", f)
		}), conformance.NoOption("alwaysUv"))),
	)
}

// signatures is about what is signed.
func signatures() []conformance.Case {
	return conformance.One(
		once("signature.verifies", signing, "the signature is over authData and clientDataHash, by the credential's key", func(r *run) {
			c := r.NewCredential()
			for range 5 {
				r.Use(c)
			}
		}),
		once("signature.hash", signing, "the signature is over this clientDataHash and no other", func(r *run) {
			c := r.NewCredential()
			params := r.AssertParams(c)
			a := r.Assert(params, c)
			other := append(bytes.Clone(a.Response.AuthData), r.Bytes(32)...)
			r.Check(cose.Verify(c.PublicKey, other, a.Response.Signature) != nil, "the signature verifies with any clientDataHash")
		}),
		once("signature.each-algorithm", signing, "credentials of every algorithm sign", func(r *run) {
			for _, a := range r.Algorithms() {
				r.Doing("for %s", a)
				offer := s{"type": ctap.PublicKeyCredential, "alg": int(a)}
				r.Use(r.Create(r.CreateParams().With(4, []s{offer})))
			}
		}),
		stored("signature.own-key", signing, "every account of a relying party signs with its own key", func(r *run) {
			for _, c := range three(r) {
				r.Use(c)
			}
		}),
	)
}

// counters is about the signature counter, which may be 0 for ever.
func counters() []conformance.Case {
	grows := func(r *run, what string, before, after uint32) uint32 {
		r.Check(after > before || after == 0 && before == 0, "the counter is %d %s, and was %d", after, what, before)
		return after
	}
	return conformance.One(
		once("counter.grows", signing, "the counter grows with every signature", func(r *run) {
			c := r.NewCredential()
			count := r.Use(c).Data.SignCount
			for range 3 {
				count = grows(r, "after another signature", count, r.Use(c).Data.SignCount)
			}
		}),
		once("counter.after-creation", signing, "the counter of the first signature is not below that of the creation", func(r *run) {
			c := r.NewCredential()
			grows(r, "in the first signature", c.Data.SignCount, r.Use(c).Data.SignCount)
		}),
		conformance.WithHands(once("counter.lasts", signing, "the counter goes on after a power cycle", func(r *run) {
			c := r.NewCredential()
			count := r.Use(c).Data.SignCount
			count = grows(r, "after another signature", count, r.Use(c).Data.SignCount)
			r.PowerCycle()
			grows(r, "after a power cycle", count, r.Use(c).Data.SignCount)
		}), conformance.Replug),
		once("counter.interleaved", signing, "the counter of a credential grows also while others sign", func(r *run) {
			a, b := r.NewCredential(), r.NewCredential()
			first := r.Use(a).Data.SignCount
			r.Use(b)
			grows(r, "after another signature", first, r.Use(a).Data.SignCount)
		}),
	)
}

// extensions is about what holds for all extensions; those that there are have groups
// of their own.
func extensions() []conformance.Case {
	return conformance.One(
		once("extensions.unknown", "6.2.2 step 10", "an extension that is not known is ignored", func(r *run) {
			c := r.NewCredential()
			a := r.Assert(r.AssertParams(c).With(4, s{"conformance.unknown": []int{1}, "appid": "https://example.com"}), c)
			r.Check(len(r.Outputs(a.Data)) == 0, "the outputs are %x", []byte(a.Data.Extensions))
		}),
		once("extensions.not-asked", "6.2.2 step 10", "no extension answers that was not asked for", func(r *run) {
			c := r.Create(r.CreateParams().With(6, s{"hmac-secret": true, "credProtect": 1}))
			a := r.Use(c)
			r.Check(len(r.Outputs(a.Data)) == 0, "the outputs are %x", []byte(a.Data.Extensions))
		}),
		once("extensions.empty", "6.2.2 step 10", "no extensions are what an empty map of them is", func(r *run) {
			c := r.NewCredential()
			r.Assert(r.AssertParams(c).With(4, s{}), c)
		}),
	)
}
