package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const excluding = "6.1.2 step 12"

// excludeLists is about credentials beside which no second one is made.
func excludeLists() []conformance.Case {
	deniedToo := conformance.Deviates("some keys tell of the refusal, and so of no credential", ctap.ErrOperationDenied, ctap.ErrUserActionTimeout)
	return conformance.Join(conformance.One(
		conformance.StartWithPIN(once("exclude-list.hit", excluding, "no credential is made beside one of the list; the touch comes before the answer", func(r *run) {
			c := r.NewCredential()
			attempt(r, r.CreateParams().With(5, []s{c.Descriptor()})).Want(ctap.ErrCredentialExcluded).Touched().Empty()
		})),
		conformance.Leaving(conformance.StartWithPIN(conformance.Needing(once("exclude-list.discoverable", excluding, "nor beside a discoverable one", func(r *run) {
			c := r.NewPasskey()
			attempt(r, r.CreateParams().With(5, []s{c.Descriptor()})).Want(ctap.ErrCredentialExcluded).Touched()
		}), conformance.Option("rk")))),
		conformance.StartWithPIN(conformance.WithHands(once("exclude-list.denied", excluding, "a hit is told whatever the user answers", func(r *run) {
			params := r.CreateParams().With(5, []s{r.NewCredential().Descriptor()})
			params = r.Authorise(ctap.MakeCredential, params)
			r.Plan(conformance.Deny)
			r.Send(ctap.MakeCredential, params).Tolerate(deniedToo).Want(ctap.ErrCredentialExcluded).Touched()
		}), conformance.Deny)),
		conformance.StartWithPIN(conformance.WithHands(once("exclude-list.timed-out", excluding, "a hit is told only once the time for the touch has run out", func(r *run) {
			params := r.CreateParams().With(5, []s{r.NewCredential().Descriptor()})
			params = r.Authorise(ctap.MakeCredential, params)
			r.Plan(conformance.Ignore)
			r.Send(ctap.MakeCredential, params).Tolerate(deniedToo).Want(ctap.ErrCredentialExcluded).Touched()
		}), conformance.Ignore)),
		conformance.StartWithPIN(conformance.WithHands(once("exclude-list.cancelled", excluding, "a hit is not told when the platform gives up", func(r *run) {
			params := r.CreateParams().With(5, []s{r.NewCredential().Descriptor()})
			params = r.Authorise(ctap.MakeCredential, params)
			r.Plan(conformance.Wait)
			r.SendCancelled(ctap.MakeCredential, params).Want(ctap.ErrKeepaliveCancel)
		}), conformance.Wait)),
		once("exclude-list.last", excluding, "every credential of the list counts, also the last", func(r *run) {
			c := r.NewCredential()
			list := []s{strange(r), strange(r), c.Descriptor()}
			attempt(r, r.CreateParams().With(5, list)).Want(ctap.ErrCredentialExcluded)
		}),
		once("exclude-list.twice", excluding, "a credential that is in the list twice is in the list", func(r *run) {
			c := r.NewCredential()
			attempt(r, r.CreateParams().With(5, []s{c.Descriptor(), c.Descriptor()})).Want(ctap.ErrCredentialExcluded)
		}),
		once("exclude-list.transports", excluding, "transports in a descriptor, known or not, change nothing", func(r *run) {
			d := r.NewCredential().Descriptor()
			d["transports"] = []string{"usb", "pigeon"}
			attempt(r, r.CreateParams().With(5, []s{d})).Want(ctap.ErrCredentialExcluded)
		}),
	), passedOver())
}

// strange is a descriptor of a credential that nobody made.
func strange(r *run) s { return s{"type": ctap.PublicKeyCredential, "id": r.Bytes(32)} }

// passedOver is about lists that keep nobody from making a credential.
func passedOver() []conformance.Case {
	return conformance.One(
		once("exclude-list.strange", excluding, "ids that the authenticator did not make are passed over, of whatever length", func(r *run) {
			var list []s
			for _, n := range []int{0, 1, 16, 64} {
				list = append(list, s{"type": ctap.PublicKeyCredential, "id": r.Bytes(n)})
			}
			r.Create(r.CreateParams().With(5, list))
		}),
		once("exclude-list.unknown-type", excluding, "descriptors of types that nobody knows are passed over", func(r *run) {
			c := r.NewCredential()
			r.Create(r.CreateParams().With(5, []s{{"type": "private-key", "id": c.ID}}))
		}),
		once("exclude-list.other-site", excluding, "a credential of another relying party is not told of", func(r *run) {
			c := r.NewCredential()
			r.Create(r.CreateParams().With(2, s{"id": r.NewSite(), "name": "Another"}).With(5, []s{c.Descriptor()}))
		}),
		conformance.Leaving(conformance.Needing(once("exclude-list.replaced", excluding, "a credential that another replaced is not in the way", func(r *run) {
			first := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			again := r.PasskeyParams(first.RPID, "alice").With(3, s{"id": first.UserID, "name": "alice"})
			r.Create(again)
			r.Create(r.PasskeyParams(first.RPID, "bob").With(5, []s{first.Descriptor()}))
		}), conformance.Option("rk"))),
		once("exclude-list.empty", excluding, "an empty list excludes nothing", func(r *run) {
			r.NewCredential()
			reply := attempt(r, r.CreateParams().With(5, []s{}))
			reply.Tolerate(conformance.Deviates("CTAP 2.0 leaves an empty list open", ctap.ErrInvalidParameter, ctap.ErrMissingParameter)).OK()
		}),
		conformance.Needing(once("exclude-list.full", excluding, "a list of maxCredentialCountInList is taken", func(r *run) {
			list := r.UnknownDescriptors(r.Info().MaxCredentialCountInList - 1)
			c := r.NewCredential()
			attempt(r, r.CreateParams().With(5, append(list, c.Descriptor()))).Want(ctap.ErrCredentialExcluded)
		}), conformance.ListFits),
		conformance.Needing(once("exclude-list.too-long", excluding, "a list longer than maxCredentialCountInList is CTAP2_ERR_LIMIT_EXCEEDED", func(r *run) {
			list := r.UnknownDescriptors(r.Info().MaxCredentialCountInList + 1)
			attempt(r, r.CreateParams().With(5, list)).
				Tolerate(conformance.Deviates("shipping keys answer another status to a list that is too long", ctap.ErrInvalidLength, ctap.ErrInvalidParameter, ctap.ErrRequestTooLarge)).
				Want(ctap.ErrLimitExceeded)
		}), conformance.ListFits),
	)
}
