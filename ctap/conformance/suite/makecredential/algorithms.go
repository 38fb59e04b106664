package makecredential

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
)

// offer is an element of pubKeyCredParams.
func offer(a cose.Algorithm) s { return s{"type": ctap.PublicKeyCredential, "alg": int(a)} }

// unknown is an algorithm that is not registered.
const unknown cose.Algorithm = -65000

const choice = "6.1.2 step 3"

// algorithms is about pubKeyCredParams.
func algorithms() []conformance.Case {
	malformedBehind := func(id, why string, element any, want ctap.Status) conformance.Case {
		return since21("algorithms.malformed."+id, choice, why, func(r *run) {
			for _, list := range [][]any{{element}, {offer(r.Algorithms()[0]), element}} {
				r.Doing("in a list of %d", len(list))
				attempt(r, r.CreateParams().With(4, list)).Tolerate(conformance.TypeAsOthers).Want(want)
			}
		})
	}
	return conformance.Join(chosen(), conformance.One(
		malformedBehind("element", "an element of pubKeyCredParams is a map, also behind one that is supported", 7, ctap.ErrCBORUnexpectedType),
		malformedBehind("alg-missing", "an element of pubKeyCredParams has alg, also behind one that is supported", s{"type": ctap.PublicKeyCredential}, ctap.ErrMissingParameter),
		malformedBehind("alg-type", "alg is an integer, also behind one that is supported", s{"type": ctap.PublicKeyCredential, "alg": "ES256"}, ctap.ErrCBORUnexpectedType),
		malformedBehind("type-missing", "an element of pubKeyCredParams has type, also behind one that is supported", s{"alg": -7}, ctap.ErrMissingParameter),
		malformedBehind("type-type", "type is text, also behind one that is supported", s{"type": 1, "alg": -7}, ctap.ErrCBORUnexpectedType),
	))
}

// chosen is about which algorithm is taken.
func chosen() []conformance.Case {
	several := conformance.When(func(i *ctap.Info) bool { return len(i.Algorithms) > 1 }, "it lists fewer than two algorithms")
	return conformance.One(
		once("algorithms.none", choice, "algorithms of which none is supported are CTAP2_ERR_UNSUPPORTED_ALGORITHM", func(r *run) {
			attempt(r, r.CreateParams().With(4, []s{offer(unknown), offer(unknown - 1)})).Want(ctap.ErrUnsupportedAlgorithm)
		}),
		once("algorithms.empty", choice, "an empty pubKeyCredParams offers no algorithm that is supported", func(r *run) {
			attempt(r, r.CreateParams().With(4, []s{})).
				Tolerate(conformance.Deviates("implementations differ whether an empty list is missing", ctap.ErrMissingParameter, ctap.ErrInvalidParameter)).
				Want(ctap.ErrUnsupportedAlgorithm)
		}),
		once("algorithms.unknown-passed-over", choice, "algorithms that are not supported are passed over", func(r *run) {
			first := r.Algorithms()[0]
			c := r.Create(r.CreateParams().With(4, []s{offer(unknown), offer(first)}))
			conformance.Equal(r, "algorithm of the public key", c.Algorithm, first)
		}),
		once("algorithms.unknown-type", choice, "an algorithm for a credential type that nobody knows is not supported", func(r *run) {
			other := s{"type": "private-key", "alg": int(r.Algorithms()[0])}
			attempt(r, r.CreateParams().With(4, []s{other})).Want(ctap.ErrUnsupportedAlgorithm)
		}),
		conformance.Needing(once("algorithms.unknown-type-passed-over", choice, "an algorithm for a credential type that nobody knows is passed over", func(r *run) {
			all := r.Algorithms()
			other := s{"type": "private-key", "alg": int(all[0])}
			c := r.Create(r.CreateParams().With(4, []s{other, offer(all[1])}))
			conformance.Equal(r, "algorithm of the public key", c.Algorithm, all[1])
		}), several),
		conformance.Needing(once("algorithms.first", choice, "the first algorithm that is supported is taken, whichever the authenticator prefers", func(r *run) {
			all := r.Algorithms()
			a, b := all[0], all[1]
			for _, want := range []cose.Algorithm{a, b} {
				list := []s{offer(want), offer(a), offer(b)}
				r.Doing("with %s first", want)
				conformance.Equal(r, "algorithm of the public key", r.Create(r.CreateParams().With(4, list)).Algorithm, want)
			}
		}), several),
		once("algorithms.many", choice, "twenty algorithms on offer are no reason to refuse", func(r *run) {
			var list []s
			for i := range 19 {
				list = append(list, offer(unknown-cose.Algorithm(i)))
			}
			r.Create(r.CreateParams().With(4, append(list, offer(r.Algorithms()[0]))))
		}),
	)
}
