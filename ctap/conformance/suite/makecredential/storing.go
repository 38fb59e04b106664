package makecredential

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const storingStep = "6.1.2 step 17"

// stored tells whether a credential is there, by an assertion with it alone in the
// allowList.
func stored(r *run, c *conformance.Credential) bool {
	reply := r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, r.AssertParams(c)))
	return reply.Want(ctap.OK, ctap.ErrNoCredentials).Status == ctap.OK
}

// storing is about discoverable credentials.
func storing() []conformance.Case {
	return conformance.Each(conformance.One(
		once("store.discoverable", storingStep, "a credential made with rk is found without an allowList", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			a := r.Assert(r.AssertParamsAt(c.RPID), c)
			r.Require(a.Response.User != nil, "the answer has no user")
			r.Check(bytes.Equal(a.Response.User.ID, c.UserID), "the id of user is %x, and was made as %x", []byte(a.Response.User.ID), c.UserID)
		}),
		once("store.replaces", storingStep, "a second credential for an account replaces the first", func(r *run) {
			first := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			second := r.Create(r.PasskeyParams(first.RPID, "alice").With(3, s{"id": first.UserID, "name": "alice"}))
			r.Check(!stored(r, first), "the first credential of the account is still there")
			a := r.Assert(r.AssertParamsAt(first.RPID), second)
			r.Check(a.Response.NumberOfCredentials <= 1, "numberOfCredentials is %d", a.Response.NumberOfCredentials)
		}),
		once("store.keeps-other-accounts", storingStep, "a credential replaces none of another account", func(r *run) {
			all := r.NewPasskeys(r.NewSite(), "alice", "bob", "carol")
			for i, c := range all {
				r.Check(stored(r, c), "account %d of 3 is gone", i+1)
			}
		}),
		once("store.keeps-other-sites", storingStep, "a credential replaces none of the same user id at another relying party", func(r *run) {
			first := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Create(r.PasskeyParams(r.NewSite(), "alice").With(3, s{"id": first.UserID, "name": "alice"}))
			r.Check(stored(r, first), "the credential at the other relying party is gone")
		}),
		conformance.Needing(once("store.kept-beside-other-kind", storingStep, "a credential that is not discoverable replaces none that is", func(r *run) {
			first := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Create(r.PasskeyParams(first.RPID, "alice").With(3, s{"id": first.UserID, "name": "alice"}).Without(7))
			r.Check(stored(r, first), "the discoverable credential of the account is gone")
		}), conformance.NoOption("plat")),
		conformance.WithHands(once("store.lasts", storingStep, "what was made is there after a power cycle", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.PowerCycle()
			r.Assert(r.AssertParamsAt(c.RPID), c)
		}), conformance.Replug),
		conformance.Needing(once("store.remaining", "6.4", "remainingDiscoverableCredentials falls by one with each", func(r *run) {
			before := r.FreshInfo().RemainingDiscoverableCredentials
			first := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			after := r.FreshInfo().RemainingDiscoverableCredentials
			r.Require(before != nil && after != nil, "remainingDiscoverableCredentials is gone")
			conformance.Equal(r, "remainingDiscoverableCredentials", *after, *before-1)
			r.Create(r.PasskeyParams(first.RPID, "alice").With(3, s{"id": first.UserID, "name": "alice"}))
			conformance.Equal(r, "remainingDiscoverableCredentials when one is replaced", *r.FreshInfo().RemainingDiscoverableCredentials, *after)
		}), conformance.Member(0x14)),
		full(),
	), func(c conformance.Case) conformance.Case {
		return conformance.Leaving(conformance.Needing(c, conformance.Option("rk")))
	})
}

// most is how many credentials a case makes to fill a store.
const most = 150

// full fills the store. A person who touches for each credential needs some time: that
// is what it waits for.
func full() conformance.Case {
	small := conformance.When(func(i *ctap.Info) bool {
		left := i.RemainingDiscoverableCredentials
		return left == nil || *left <= most
	}, fmt.Sprintf("there is room for more than %d credentials", most))
	c := conformance.StartBlank(conformance.Needing(once("store.full", storingStep, "a full store is CTAP2_ERR_KEY_STORE_FULL, and loses nothing", func(r *run) {
		site := r.NewSite()
		first := r.Create(r.PasskeyParams(site, "account 0"))
		for i := range most {
			params := r.PasskeyParams(site, fmt.Sprint("account ", i+1))
			reply := attempt(r, params)
			if reply.Status == ctap.OK {
				continue
			}
			reply.Want(ctap.ErrKeyStoreFull).Empty()
			if left := r.FreshInfo().RemainingDiscoverableCredentials; left != nil {
				conformance.Equal(r, "remainingDiscoverableCredentials", *left, 0)
			}
			r.Check(stored(r, first), "the first credential is gone")
			r.Doing("in the full store")
			r.Create(r.PasskeyParams(site, "again").With(3, s{"id": first.UserID, "name": "again"}))
			return
		}
		r.Require(r.FreshInfo().RemainingDiscoverableCredentials == nil, "there was to be room for fewer than %d", most)
		r.Tolerate("CTAP 2.0 does not tell how many credentials there is room for", "the store is not full after %d", most)
	}), small, conformance.NoOption("plat"), conformance.NoOption("alwaysUv")))
	c.Waits = 10 * time.Minute
	return c
}

// account is what a user is made as, and what may come back.
type account struct {
	id, why           string
	name, displayName string
}

// long returns a text of n bytes at least, of two-byte letters behind one of one byte.
func long(n int) string { return "a" + strings.Repeat("é", n/2) }

// names is about user names, which come back in an assertion where there are several.
func names() []conformance.Case {
	return conformance.Join(conformance.Each([]account{
		{"non-ascii", "names of letters beyond ASCII come back as they were", "zoë@例え.example", "Zoë 例え 🦊"},
		{"combining", "names are not normalised", "e\u0301lodie", "E\u0301lodie \u202eright to left"},
		{"sixty-four", "names of 64 bytes are kept whole", strings.Repeat("n", 64), strings.Repeat("d", 64)},
		{"long", "longer names are kept whole or cut behind 64 bytes, between letters", long(100), long(127)},
		{"empty", "empty names are no reason to refuse", "", ""},
	}, account.asCase), conformance.One(
		conformance.Leaving(conformance.Needing(once("user.id-whole", "6.1.2", "an id of 64 bytes comes back whole", func(r *run) {
			site := r.NewSite()
			c := r.Create(r.PasskeyParams(site, "alice").With(3, s{"id": r.Bytes(64), "name": "alice"}))
			a := r.Assert(r.AssertParamsAt(site), c)
			r.Require(a.Response.User != nil, "the answer has no user")
			r.Check(bytes.Equal(a.Response.User.ID, c.UserID), "the id of user is %x, and was made as %x", []byte(a.Response.User.ID), c.UserID)
		}), conformance.Option("rk"))),
		once("user.id-only", "6.1.2", "an rp and a user of nothing but an id are enough", func(r *run) {
			r.Use(r.Create(r.CreateParams().With(2, s{"id": conformance.RPID}).With(3, s{"id": r.Bytes(1)})))
		}),
	))
}

func (a account) asCase() conformance.Case {
	c := once("names."+a.id, "6.4.1", a.why, func(r *run) {
		site := r.NewSite()
		user := s{"id": r.Bytes(16), "name": a.name, "displayName": a.displayName}
		made := r.Create(r.PasskeyParams(site, a.name).With(3, user))
		r.Create(r.PasskeyParams(site, "another"))
		params := r.AssertParamsAt(site)
		t := r.Token(ctap.PermGetAssertion, site)
		r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, params)).OK()
		var next ctap.GetAssertionResponse
		r.Send(ctap.GetNextAssertion, nil).OK().Into(&next)
		r.Require(next.User != nil && bytes.Equal(next.User.ID, made.UserID), "the second assertion is not of the account that was made first")
		kept(r, "name", next.User.Name, a.name)
		kept(r, "displayName", next.User.DisplayName, a.displayName)
	})
	c.Rule = conformance.OfWebAuthn(c.Rule.Section)
	return conformance.Leaving(conformance.StartWithPIN(conformance.Needing(c, conformance.Option("rk"))))
}

// kept checks that a name is as it was made, or cut behind the 64th byte and between
// letters.
func kept(r *run, what, got, made string) {
	const least = 64
	whole := got == made
	cut := len(got) >= least-utf8.UTFMax+1 && strings.HasPrefix(made, got) && utf8.ValidString(got) && len(made) > least
	r.Check(whole || cut, "%s is %q, and was made as %q", what, got, made)
}
