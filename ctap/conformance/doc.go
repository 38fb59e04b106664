// Package conformance judges whether an authenticator keeps the rules of CTAP, U2F and
// CTAPHID: a [Case] is one rule and how to see whether it is kept, [Execute] runs cases
// on a [Target], and a [Report] says what came of each. The cases are in package
// suite, a package for each group.
//
// # How to write a case
//
// A case names its rule and says in a line what the rule is, what the authenticator
// must have for it to apply, and what state it begins in. Run is then short and reads
// like the specification, because everything that is wrong ends it:
//
//	conformance.Case{
//		ID: "clientpin.changePIN.wrong-pin-counts", Rule: conformance.Since20("6.5.5.6"),
//		Why:   "a wrong PIN in changePIN costs a try",
//		Needs: []conformance.Need{conformance.CanPIN()}, Start: conformance.WithPIN,
//		Destructive: true,
//		Run: func(r *conformance.Run) {
//			before, _ := r.PINRetries()
//			s := r.Agree(r.Protocol())
//			r.Send(ctap.ClientPIN, s.ChangePINParams(conformance.WrongPIN, "another PIN")).Want(ctap.ErrPINInvalid)
//			after, _ := r.PINRetries()
//			conformance.Equal(r, "pinRetries", after, before-1)
//		},
//	}
//
// Requests are sent by [Run.Send], with parameters as an [M], which any test may bend
// ([M.With], [M.Without]), as a message of package ctap, or as bytes; the [Reply] is
// held to what the rule asks for by [Reply.Want] and the methods beside it. Where
// editions or shipping keys differ, [Reply.Tolerate] names who does so, and the case
// ends as tolerated. The PIN/UV auth protocols are [Run.Agree] and [Run.Token],
// ceremonies that must succeed are [Run.Create] and [Run.Assert], reports and packets
// are [Run.Raw], U2F is [Run.SendU2F].
//
// What a hand does to the authenticator is announced in Hands and planned by
// [Run.Plan]; it is Touch from the beginning. Time is [Run.Now] and [Run.Sleep]. Hands
// and Destructive are held to: the tests of a group (package suitetest) make an error
// of a case that does what it does not announce.
//
// A case that is not applicable is never passed. [Execute] works this out of Rule and
// Needs: a rule since CTAP 2.1 needs an authenticator of FIDO_2_1 or later, one of U2F
// needs U2F messages. What came with CTAP 2.2 or 2.3 shows in getInfo, and is a Need.
//
// Tables become cases by [Each], [BothProtocols], [WrongTypes] and [Missing]: every row
// is a case with an id of its own.
package conformance
