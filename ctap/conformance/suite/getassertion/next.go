package getassertion

import (
	"bytes"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

const nextSection = "6.3"

// begin asks for an assertion at a relying party with several accounts, and returns
// the request for what follows.
func begin(r *run, all []*conformance.Credential) m {
	params := r.Authorise(ctap.GetAssertion, r.AssertParamsAt(all[0].RPID))
	a := r.Assert(params, all...)
	conformance.Equal(r, "numberOfCredentials", a.Response.NumberOfCredentials, uint(len(all)))
	return params
}

// three makes three accounts at a relying party.
func three(r *run) []*conformance.Credential {
	return r.NewPasskeys(r.NewSite(), "alice", "bob", "carol")
}

// ended checks that there is no enumeration to go on with.
func ended(r *run) { r.Send(ctap.GetNextAssertion, nil).Want(ctap.ErrNotAllowed).Empty() }

// discoverable is about assertions without a list.
func discoverable() []conformance.Case {
	return conformance.One(
		stored("discoverable.newest-first", "6.2.2 step 12", "the newest credential answers first", func(r *run) {
			all := three(r)
			a := r.Assert(r.AssertParamsAt(all[0].RPID), all...)
			r.Check(a.Credential == all[2], "the credential that answers first is not the one that was made last")
		}),
		stored("discoverable.replaced-is-newest", "6.2.2 step 12", "an account whose credential was replaced has the newest", func(r *run) {
			all := three(r)
			again := r.Create(r.PasskeyParams(all[0].RPID, "alice").With(3, s{"id": all[0].UserID, "name": "alice"}))
			a := r.Assert(r.AssertParamsAt(again.RPID), again, all[1], all[2])
			r.Check(a.Credential == again, "the credential that answers first is not the one that was made last")
		}),
		stored("discoverable.number", "6.2.2 step 11", "numberOfCredentials is how many there are", func(r *run) {
			begin(r, three(r))
		}),
		stored("discoverable.one", "6.2.2 step 11", "numberOfCredentials is not there for one credential", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Assert(r.AssertParamsAt(c.RPID), c).Reply.Without(5)
		}),
		once("discoverable.one-listed", "6.2.2 step 11", "numberOfCredentials is not there for an allowList", func(r *run) {
			r.Use(r.NewCredential()).Reply.Without(5)
		}),
		stored("discoverable.other-sites", "6.2.2 step 7", "credentials of other relying parties do not count", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.NewPasskeys(r.NewSite(), "alice", "bob")
			r.Assert(r.AssertParamsAt(c.RPID), c).Reply.Without(5)
		}),
	)
}

// next is about what authenticatorGetNextAssertion gives.
func next() []conformance.Case {
	return conformance.One(
		stored("next.all", nextSection, "the others follow, newest first, each once, signed over the same clientDataHash", func(r *run) {
			all := three(r)
			params := begin(r, all)
			for i, want := range []*conformance.Credential{all[1], all[0]} {
				a := r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil), all...)
				r.Check(a.Credential == want, "assertion %d of 3 is of another credential than the next newest", i+2)
			}
			ended(r)
			ended(r)
		}),
		stored("next.members", nextSection, "a further assertion has credential, authData, signature and user, and no numberOfCredentials", func(r *run) {
			begin(r, three(r))
			reply := r.Send(ctap.GetNextAssertion, nil).OK()
			for _, key := range []int{1, 2, 3, 4} {
				reply.Member(key)
			}
			reply.Without(5).Without(6)
		}),
		stored("next.untouched", nextSection, "a further assertion takes no touch, and has the flags of the first", func(r *run) {
			all := three(r)
			params := r.Authorise(ctap.GetAssertion, r.AssertParamsAt(all[0].RPID))
			first := r.Assert(params, all...)
			a := r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil).OK().Untouched(), all...)
			conformance.Equal(r, "flags", a.Data.Flags, first.Data.Flags)
			r.Check(a.Data.Flags&ctap.FlagUP != 0, "the flag UP is not set: %s", a.Data.Flags)
		}),
		stored("next.silent", nextSection, "what follows a silent assertion is silent", func(r *run) {
			all := three(r)
			params := silent(r.AssertParamsAt(all[0].RPID))
			r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), all...)
			a := r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil).OK().Untouched(), all...)
			r.Check(a.Data.Flags&ctap.FlagUP == 0, "the flags are %s", a.Data.Flags)
		}),
		stored("next.begins-anew", nextSection, "authenticatorGetAssertion begins anew", func(r *run) {
			all := three(r)
			begin(r, all)
			r.Send(ctap.GetNextAssertion, nil).OK()
			params := begin(r, all)
			a := r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil), all...)
			r.Check(a.Credential == all[1], "it goes on where the first enumeration was")
		}),
		once("next.nothing", nextSection, "without an assertion there is no next", ended),
		stored("next.after-one", nextSection, "one credential has no next", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Assert(r.AssertParamsAt(c.RPID), c)
			ended(r)
		}),
		once("next.after-list", nextSection, "an assertion with an allowList has no next", func(r *run) {
			r.Use(r.NewCredential())
			ended(r)
		}),
	)
}

// ends is about what ends an enumeration.
func ends() []conformance.Case {
	late := stored("next.thirty-seconds", nextSection, "an enumeration ends after thirty seconds", func(r *run) {
		begin(r, three(r))
		r.Sleep(31 * time.Second)
		ended(r)
	})
	late.Waits = 31 * time.Second
	inTime := stored("next.timer-restarts", nextSection, "the thirty seconds begin again with every assertion", func(r *run) {
		all := three(r)
		params := begin(r, all)
		for range 2 {
			r.Sleep(20 * time.Second)
			r.ReadAssertion(params, r.Send(ctap.GetNextAssertion, nil), all...)
		}
	})
	inTime.Waits = 40 * time.Second
	return conformance.One(
		late, inTime,
		stored("next.after-getInfo", nextSection, "another command, such as authenticatorGetInfo, ends an enumeration", func(r *run) {
			begin(r, three(r))
			r.Send(ctap.GetInfo, nil).OK()
			ended(r)
		}),
		conformance.Needing(stored("next.after-clientPIN", nextSection, "another command, such as authenticatorClientPIN, ends an enumeration", func(r *run) {
			begin(r, three(r))
			r.Agree(r.Protocol())
			ended(r)
		}), conformance.SomeProtocol()),
		stored("next.after-refusal", nextSection, "a command that is refused ends an enumeration too", func(r *run) {
			begin(r, three(r))
			r.Send(ctap.GetAssertion, m{}).Refused()
			ended(r)
		}),
		conformance.WithHands(stored("next.after-power-cycle", nextSection, "a power cycle ends an enumeration", func(r *run) {
			begin(r, three(r))
			r.PowerCycle()
			ended(r)
		}), conformance.Replug),
	)
}

// channels is about CTAPHID channels: an enumeration belongs to the one that began it.
func channels() []conformance.Case {
	return conformance.One(stored("next.other-channel", nextSection, "an enumeration does not go on for another channel", func(r *run) {
		all := three(r)
		request := r.Encode(r.Authorise(ctap.GetAssertion, r.AssertParamsAt(all[0].RPID)))
		w := r.Raw()
		mine, other := w.NewChannel(), w.NewChannel()
		first := w.Call(mine, hid.CBOR, append([]byte{byte(ctap.GetAssertion)}, request...))
		r.Require(bytes.HasPrefix(first.Payload, []byte{byte(ctap.OK)}), "%s answers %x", ctap.GetAssertion, first.Payload)
		answer := w.Call(other, hid.CBOR, []byte{byte(ctap.GetNextAssertion)})
		r.Check(slices.Equal(answer.Payload, []byte{byte(ctap.ErrNotAllowed)}), "another channel is answered %x, where %s is due", answer.Payload, ctap.ErrNotAllowed.Error())
	}))
}
