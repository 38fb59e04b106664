// Package getinfo holds the conformance cases about authenticatorGetInfo (section
// 6.4): the types and ranges of its members, and what members, options and extensions
// say about each other (section 9 has the features that are mandatory).
package getinfo

import (
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group getinfo.
func Group() conformance.Group {
	return conformance.Group{Name: "getinfo", Title: "authenticatorGetInfo", Cases: conformance.Join(
		answer(), members(), lists(), numbers(), options(), extensions(), commands(), fresh(),
	)}
}

// says is a case about what one answer says.
func says(id string, rule conformance.Rule, why string, check func(r *conformance.Run, i *ctap.Info), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "getinfo." + id, Rule: rule, Why: why, Needs: needs,
		Run: func(r *conformance.Run) { check(r, r.Info()) },
	}
}

// answer is about the answer as a whole.
func answer() []conformance.Case {
	return conformance.One(
		conformance.Case{
			ID: "getinfo.canonical", Rule: conformance.Since20("8"),
			Why: "the answer is in the CTAP2 canonical CBOR encoding form",
			Run: func(r *conformance.Run) { r.Send(ctap.GetInfo, nil).OK().Canonical() },
		},
		conformance.Case{
			ID: "getinfo.repeats", Rule: conformance.Since20("6.4"),
			Why: "asked twice, it says the same, but for what is encrypted anew",
			Run: repeats,
		},
		conformance.Case{
			ID: "getinfo.no-touch", Rule: conformance.Since20("6.4"),
			Why: "nobody has to touch the authenticator for it",
			Run: func(r *conformance.Run) { r.Send(ctap.GetInfo, nil).OK().Untouched() },
		},
		conformance.Case{
			ID: "getinfo.max-message", Rule: conformance.Since20("6.4"),
			Why: "a request as long as maxMsgSize, 1024 bytes without it, is read",
			Run: maxMessage,
		},
		conformance.Case{
			ID: "getinfo.too-large", Rule: conformance.Since21("6.4"),
			Why: "a request longer than maxMsgSize is not worked on",
			Run: tooLarge,
		},
		conformance.Case{
			ID: "getinfo.algorithms.there", Rule: conformance.Since20("6.4"),
			Why:   "no algorithm that is listed is refused as unsupported",
			Hands: conformance.Touch, Run: algorithmsThere,
		},
		says("keeps-model", conformance.Since20("6.4"), "versions, aaguid and algorithms are the same as at the beginning", staysModel),
	)
}

// encrypted are members that are encrypted anew every time.
var encrypted = []int{0x19, 0x1E}

func repeats(r *conformance.Run) {
	first, second := r.Send(ctap.GetInfo, nil).OK().Members(), r.Send(ctap.GetInfo, nil).OK().Members()
	r.Check(len(first) == len(second), "%d members, and then %d", len(first), len(second))
	for key, value := range first {
		if !slices.Contains(encrypted, key) {
			r.Check(string(second[key]) == string(value), "member 0x%02X was %x, and then %x", key, []byte(value), []byte(second[key]))
		}
	}
}

// limit is the longest request that the authenticator takes.
func limit(i *ctap.Info) int {
	if i.MaxMsgSize == 0 {
		return 1024
	}
	return int(i.MaxMsgSize)
}

// padded sends a request of n bytes that lacks clientDataHash: a member that is not
// known, and is ignored, fills it up.
func padded(r *conformance.Run, n int) *conformance.Reply {
	const filler = 200
	m := r.CreateParams().Without(1)
	short := 1 + len(r.Encode(m.With(filler, make([]byte, 300)))) - 300
	return r.Send(ctap.MakeCredential, m.With(filler, make([]byte, n-short)))
}

// maxMessage leaves clientDataHash out, which shows that the rest was read.
func maxMessage(r *conformance.Run) {
	padded(r, limit(r.Info())).Tolerate(conformance.MissingAs02).Want(ctap.ErrMissingParameter)
}

func tooLarge(r *conformance.Run) {
	long := limit(r.Info()) + 64
	if long > 7609 {
		return // CTAPHID carries no more
	}
	padded(r, long).Want(ctap.ErrRequestTooLarge, ctap.ErrInvalidLength)
}

// algorithmsThere leaves out what may be needed to create a credential: which algorithm
// is meant is worked out before.
func algorithmsThere(r *conformance.Run) {
	for _, a := range r.Algorithms() {
		offer := []ctap.Parameters{{Type: ctap.PublicKeyCredential, Algorithm: int(a)}}
		reply := r.Send(ctap.MakeCredential, r.CreateParams().With(4, offer))
		r.Check(reply.Status != ctap.ErrUnsupportedAlgorithm, "getInfo lists %s, and authenticatorMakeCredential answers %s", a, reply.Status.Error())
	}
}

func staysModel(r *conformance.Run, i *ctap.Info) {
	was := r.Facts().Info
	r.Check(slices.Equal(was.Versions, i.Versions), "versions were %q, and are %q", was.Versions, i.Versions)
	r.Check(string(was.AAGUID) == string(i.AAGUID), "aaguid was %x, and is %x", []byte(was.AAGUID), []byte(i.AAGUID))
	r.Check(slices.Equal(was.Algorithms, i.Algorithms), "algorithms were %v, and are %v", was.Algorithms, i.Algorithms)
}
