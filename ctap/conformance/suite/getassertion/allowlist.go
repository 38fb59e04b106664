package getassertion

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const locating = "6.2.2 step 7"

// strange is a descriptor of a credential that nobody made.
func strange(r *run) s { return s{"type": ctap.PublicKeyCredential, "id": r.Bytes(32)} }

// listed are the parameters for a list of descriptors.
func listed(r *run, list ...s) m { return r.AssertParams().With(3, list) }

// none asks with a list in which nothing may be found.
func none(r *run, params m) { attempt(r, params).Want(ctap.ErrNoCredentials).Empty() }

// allowLists is about credentials that are found by their ids.
func allowLists() []conformance.Case {
	return conformance.One(
		once("allow-list.not-discoverable", locating, "a credential that is not discoverable is found by its id", func(r *run) {
			r.Use(r.NewCredential())
		}),
		stored("allow-list.discoverable", locating, "a discoverable credential is found by its id too", func(r *run) {
			r.Use(r.Create(r.PasskeyParams(r.NewSite(), "alice")))
		}),
		stored("allow-list.only", locating, "credentials that are not in the list do not answer", func(r *run) {
			all := r.NewPasskeys(r.NewSite(), "alice", "bob", "carol")
			for _, c := range all {
				r.Use(c)
			}
			none(r, listed(r, strange(r)).With(1, all[0].RPID))
		}),
		stored("allow-list.one-answers", "6.2.2 step 11", "of a list one credential answers, and numberOfCredentials is not there", func(r *run) {
			all := r.NewPasskeys(r.NewSite(), "alice", "bob")
			a := r.Use(all...)
			a.Reply.Without(5)
			r.Send(ctap.GetNextAssertion, nil).Want(ctap.ErrNotAllowed)
		}),
		once("allow-list.last", locating, "every id of the list counts, also the last", func(r *run) {
			c := r.NewCredential()
			r.Assert(listed(r, strange(r), strange(r), c.Descriptor()), c)
		}),
		once("allow-list.twice", locating, "a credential that is in the list twice answers once", func(r *run) {
			c := r.NewCredential()
			r.Assert(listed(r, c.Descriptor(), c.Descriptor()), c).Reply.Without(5)
		}),
		once("allow-list.transports", locating, "transports in a descriptor, known or not, change nothing", func(r *run) {
			c := r.NewCredential()
			d := c.Descriptor()
			d["transports"] = []string{"usb", "pigeon"}
			r.Assert(listed(r, d), c)
		}),
		conformance.WithHands(once("allow-list.lasts", locating, "a credential that is not discoverable outlives power cycles", func(r *run) {
			c := r.NewCredential()
			for range 2 {
				r.PowerCycle()
				r.Use(c)
			}
		}), conformance.Replug),
		conformance.Needing(once("allow-list.full", locating, "a list of maxCredentialCountInList is taken", func(r *run) {
			c := r.NewCredential()
			list := append(r.UnknownDescriptors(r.Info().MaxCredentialCountInList-1), c.Descriptor())
			r.Assert(listed(r, list...), c)
		}), conformance.ListFits),
		conformance.Needing(once("allow-list.too-long", locating, "a list longer than maxCredentialCountInList is CTAP2_ERR_LIMIT_EXCEEDED", func(r *run) {
			list := r.UnknownDescriptors(r.Info().MaxCredentialCountInList + 1)
			attempt(r, listed(r, list...)).
				Tolerate(conformance.Deviates("shipping keys answer another status to a list that is too long", ctap.ErrInvalidLength, ctap.ErrInvalidParameter, ctap.ErrRequestTooLarge)).
				Want(ctap.ErrLimitExceeded)
		}), conformance.ListFits),
		stored("allow-list.empty", locating, "an empty list is none: discoverable credentials answer", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			attempt(r, r.AssertParamsAt(c.RPID).With(3, []s{})).
				Tolerate(conformance.Deviates("platforms leave an empty list out, and authenticators may refuse it",
					ctap.ErrInvalidParameter, ctap.ErrMissingParameter, ctap.ErrInvalidLength, ctap.ErrNoCredentials)).OK()
		}),
	)
}

// passedOver is about ids that find nothing.
func passedOver() []conformance.Case {
	return conformance.One(
		once("none.strange", "6.2.2 step 8", "an id that the authenticator did not make is CTAP2_ERR_NO_CREDENTIALS", func(r *run) {
			none(r, listed(r, strange(r)))
		}),
		once("none.lengths", locating, "ids of any length are passed over", func(r *run) {
			for _, n := range []int{0, 1, 16, 64, 255} {
				r.Doing("an id of %d bytes", n)
				none(r, listed(r, s{"type": ctap.PublicKeyCredential, "id": r.Bytes(n)}))
			}
		}),
		once("none.nothing-stored", "6.2.2 step 8", "without an allowList and without a discoverable credential, CTAP2_ERR_NO_CREDENTIALS", func(r *run) {
			none(r, r.AssertParamsAt(r.NewSite()))
		}),
		conformance.Needing(once("none.not-discoverable", "6.2.2 step 8", "a credential that is not discoverable is not found without its id", func(r *run) {
			site := r.NewSite()
			r.Create(r.CreateParams().With(2, s{"id": site, "name": "Conformance"}))
			none(r, r.AssertParamsAt(site))
		}), conformance.NoOption("plat")),
		once("none.unknown-type", locating, "descriptors of types that nobody knows are passed over", func(r *run) {
			c := r.NewCredential()
			none(r, listed(r, s{"type": "private-key", "id": c.ID}))
			r.Assert(listed(r, s{"type": "private-key", "id": c.ID}, c.Descriptor()), c)
		}),
		once("none.other-site", locating, "a credential does not answer to another relying party", func(r *run) {
			none(r, r.AssertParams(r.NewCredential()).With(1, r.NewSite()))
		}),
		stored("none.other-site-discoverable", locating, "nor does a discoverable one, by its id or without", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			other := r.NewSite()
			none(r, r.AssertParams(c).With(1, other))
			none(r, r.AssertParamsAt(other))
		}),
		once("none.other-case", locating, "ids of relying parties are compared byte by byte", func(r *run) {
			c := r.NewCredential()
			for _, other := range []string{"Conformance.example", conformance.RPID + ".", "www." + conformance.RPID} {
				r.Doing("as %s", other)
				none(r, r.AssertParams(c).With(1, other))
			}
		}),
		stored("none.replaced", locating, "a credential that another replaced does not answer", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Create(r.PasskeyParams(c.RPID, "alice").With(3, s{"id": c.UserID, "name": "alice"}))
			none(r, r.AssertParams(c))
		}),
		conformance.StartWithPIN(conformance.Needing(stored("none.deleted", locating, "a credential that was deleted does not answer, by its id or without", func(r *run) {
			all := r.NewPasskeys(r.NewSite(), "alice", "bob")
			remove(r, all[0])
			none(r, r.AssertParams(all[0]))
			r.Assert(r.AssertParamsAt(all[0].RPID), all[1]).Reply.Without(5)
			remove(r, all[1])
			none(r, r.AssertParamsAt(all[1].RPID))
		}), conformance.Option("credMgmt"), conformance.CanToken())),
		once("none.tampered", locating, "a credential id with one bit changed, cut or made longer finds nothing", func(r *run) {
			c := r.NewCredential()
			r.Require(len(c.ID) > 0, "the credential id is empty")
			bent := [][]byte{c.ID[:len(c.ID)-1], c.ID[1:], append(slices.Clone(c.ID), 0)}
			for i := 0; i < len(c.ID); i += max(1, len(c.ID)/16) {
				id := slices.Clone(c.ID)
				id[i] ^= 1
				bent = append(bent, id)
			}
			for _, id := range bent {
				reply := r.Send(ctap.GetAssertion, silent(listed(r, s{"type": ctap.PublicKeyCredential, "id": id})))
				reply.Want(ctap.ErrNoCredentials)
			}
		}),
	)
}

// remove deletes a discoverable credential (section 6.8.5).
func remove(r *run, c *conformance.Credential) {
	const subCommand = ctap.DeleteCredential
	params := m{2: c.Descriptor()}
	t := r.Token(ctap.PermCredentialMgmt, "")
	mac := t.MAC([]byte{byte(subCommand)}, r.Encode(params))
	r.Send(ctap.CredentialManagement, m{1: subCommand, 2: params, 3: t.Number(), 4: mac}).OK()
}
