package extensions

import (
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// The policies of section 12.1.
const (
	optional         = 1
	optionalWithList = 2
	required         = 3
)

// protected makes a discoverable credential with a policy.
func protected(r *run, policy uint) *conformance.Credential {
	return r.Create(askingPasskey(r, s{"credProtect": policy}))
}

// policyOf reads the policy that a credential was made with, 0 where it is not told.
func policyOf(r *run, c *conformance.Credential) (policy uint) {
	if outputs := r.Outputs(c.Data); outputs["credProtect"] != nil {
		output(r, outputs, "credProtect", &policy)
	}
	return policy
}

// exactly tells whether a credential has the policy that was asked for, and notes it
// where it has a higher one, so that nothing can be seen of the other.
func exactly(r *run, c *conformance.Credential, policy uint) bool {
	got := max(policyOf(r, c), optional)
	if got > policy {
		r.Tolerate("section 12.1 lets an authenticator give a higher policy", "credProtect is %d, and %d was asked for", got, policy)
	}
	return got == policy
}

// hidden sends a request without user verification, which must find nothing.
func hidden(r *run, params m) { r.Send(ctap.GetAssertion, params).Want(ctap.ErrNoCredentials) }

func credProtect() []conformance.Case {
	const about = "credProtect"
	levels := conformance.Each([]uint{optional, optionalWithList, required}, func(policy uint) conformance.Case {
		return once(fmt.Sprint("credprotect.output.", policy), "the policy that the credential has is told, and is no lower than what was asked for", func(r *run) {
			got := policyOf(r, r.Create(asking(r, s{about: policy})))
			r.Check(got >= policy && got <= required, "credProtect is %d, and %d was asked for", got, policy)
		})
	})
	weak := conformance.Each([]uint{optional, optionalWithList, required}, func(policy uint) conformance.Case {
		return bothWays(stored(fmt.Sprint("credprotect.verified.", policy), "whoever is verified uses a credential of any policy, with a list and without", func(r *run) {
			c := protected(r, policy)
			verified(r, c, s{})
			t := r.Token(ctap.PermGetAssertion, c.RPID)
			r.Assert(r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParamsAt(c.RPID)), c)
		}))
	})
	return of(about, conformance.Since20("12.1"), conformance.Join(levels, weak, unprotected(), inLists(), conformance.One(
		once("credprotect.not-asked", "a policy that was not asked for is told only where it is higher than userVerificationOptional", func(r *run) {
			got := policyOf(r, r.NewCredential())
			r.Check(got == 0 || got > optional, "credProtect is %d, and was not asked for", got)
		}),
		once("credprotect.range", "policies that there are not are refused", func(r *run) {
			for _, policy := range []uint{0, 4, 255} {
				r.Doing("with policy %d", policy)
				create(r, asking(r, s{about: policy})).
					Tolerate(conformance.Deviates("implementations differ in the status", ctap.ErrInvalidOption, ctap.ErrInvalidCBOR)).Want(ctap.ErrInvalidParameter)
			}
		}),
		wrongTypes("credprotect.type", about, "userVerificationRequired", true, []byte{3}, -1),
		once("credprotect.no-assertion", "credProtect is not answered in an assertion", func(r *run) {
			c := r.Create(asking(r, s{about: optionalWithList}))
			absent(r, use(r, c, s{about: required}), about)
		}),
	))...)
}

// unprotected is about requests without user verification.
func unprotected() []conformance.Case {
	return conformance.One(
		bothWays(stored("credprotect.optional", "userVerificationOptional: found without user verification and without a list", func(r *run) {
			c := protected(r, optional)
			if exactly(r, c, optional) {
				params := r.AssertParamsAt(c.RPID)
				r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), c)
			}
		})),
		bothWays(stored("credprotect.with-list", "userVerificationOptionalWithCredentialIDList: found without user verification only in a list", func(r *run) {
			c := protected(r, optionalWithList)
			hidden(r, r.AssertParamsAt(c.RPID))
			if exactly(r, c, optionalWithList) {
				unverified(r, c, nil)
			}
		})),
		bothWays(stored("credprotect.required", "userVerificationRequired: not found without user verification, in a list or without", func(r *run) {
			c := protected(r, required)
			hidden(r, r.AssertParamsAt(c.RPID))
			hidden(r, r.AssertParams(c))
		})),
		bothWays(once("credprotect.required-not-discoverable", "userVerificationRequired holds for credentials that are not discoverable", func(r *run) {
			c := r.Create(asking(r, s{"credProtect": required}))
			hidden(r, r.AssertParams(c))
			verified(r, c, s{})
		})),
		bothWays(stored("credprotect.silent", "a silent request finds no more than another without user verification", func(r *run) {
			c := protected(r, required)
			hidden(r, r.AssertParams(c).With(5, s{"up": false}))
			hidden(r, r.AssertParamsAt(c.RPID).With(5, s{"up": false}))
		})),
		bothWays(stored("credprotect.uncounted", "what is not found is not counted", func(r *run) {
			open := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			if !exactly(r, open, optional) {
				return
			}
			r.Create(r.PasskeyParams(open.RPID, "bob").With(6, s{"credProtect": optionalWithList}))
			params := r.AssertParamsAt(open.RPID)
			a := r.ReadAssertion(params, r.Send(ctap.GetAssertion, params), open)
			a.Reply.Without(5)
			r.Send(ctap.GetNextAssertion, nil).Want(ctap.ErrNotAllowed)
		})),
		replugged(bothWays(stored("credprotect.lasts", "the policy outlives a power cycle", func(r *run) {
			c := protected(r, required)
			r.PowerCycle()
			hidden(r, r.AssertParams(c))
			hidden(r, r.AssertParamsAt(c.RPID))
		}))),
	)
}

// inLists is about policies and the excludeList.
func inLists() []conformance.Case {
	excluding := func(r *run, c *conformance.Credential) m {
		return r.CreateParams().With(2, s{"id": c.RPID, "name": "Conformance"}).With(5, []s{c.Descriptor()})
	}
	return conformance.One(
		bothWays(conformance.Needing(stored("credprotect.exclude-list.required", "userVerificationRequired: an excludeList does not find it without user verification", func(r *run) {
			r.Send(ctap.MakeCredential, excluding(r, protected(r, required))).OK()
		}), conformance.Option("makeCredUvNotRqd"))),
		bothWays(conformance.Needing(stored("credprotect.exclude-list.with-list", "userVerificationOptionalWithCredentialIDList: an excludeList finds it without user verification", func(r *run) {
			c := protected(r, optionalWithList)
			if exactly(r, c, optionalWithList) {
				r.Send(ctap.MakeCredential, excluding(r, c)).Want(ctap.ErrCredentialExcluded)
			}
		}), conformance.Option("makeCredUvNotRqd"))),
		conformance.StartWithPIN(stored("credprotect.exclude-list.verified", "an excludeList finds every credential once the user is verified", func(r *run) {
			c := protected(r, required)
			create(r, excluding(r, c)).Want(ctap.ErrCredentialExcluded)
		})),
	)
}
