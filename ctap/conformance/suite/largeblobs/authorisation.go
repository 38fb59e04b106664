package largeblobs

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// bent is a message that pinUvAuthParam must not be over.
type bent struct {
	name, why string
	message   func(whole, data []byte) []byte
}

func bentMessages() []bent {
	return []bent{
		{"prefix", "begins with 32 bytes 0xFF", func(m, _ []byte) []byte { return m[32:] }},
		{"command", "has 0x0C and 0x00 behind them", func(m, _ []byte) []byte { return slices.Concat(m[:32], m[34:]) }},
		{"offset", "has the offset", func(m, _ []byte) []byte { return slices.Concat(m[:34], m[38:]) }},
		{"other-offset", "has the offset of this fragment", func(m, _ []byte) []byte {
			binary.LittleEndian.PutUint32(m[34:], 1)
			return m
		}},
		{"data", "has the hash of the fragment, not the fragment", func(m, data []byte) []byte { return append(m[:38], data...) }},
		{"other-data", "has the hash of this fragment", func(m, data []byte) []byte {
			sum := sha256.Sum256(append(slices.Clone(data), 0))
			return append(m[:38], sum[:]...)
		}},
	}
}

// refuses sends a write that must be refused, and sees that the array is as it was.
func (w *writer) refuses(old []byte, m conformance.M, status ctap.Status, tolerated ...conformance.Deviation) {
	w.Send(ctap.LargeBlobs, m).Tolerate(tolerated...).Want(status)
	w.holds(old)
}

// authorisation is about pinUvAuthParam of set.
func authorisation() []conformance.Case {
	return conformance.Join(
		conformance.Each(bentMessages(), func(b bent) conformance.Case {
			return as("auth.message."+b.name, "6.10.2", "what pinUvAuthParam authenticates "+b.why, func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				m := w.sign(fragmentParams(array, 0, 120))
				w.refuses(old, m.With(pinUvAuthParam, w.token.MAC(b.message(message(m), array))), ctap.ErrPINAuthInvalid)
			})
		}),
		conformance.One(
			as("auth.missing", "6.10.2", "with a PIN set, a fragment without pinUvAuthParam is CTAP2_ERR_PUAT_REQUIRED", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				w.refuses(old, fragmentParams(array, 0, 120), ctap.ErrPUATRequired, conformance.AuthAs33, conformance.ParameterAs14)
			}),
			as("auth.missing-later", "6.10.2", "every fragment needs pinUvAuthParam", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				w.put(fragmentParams(array, 0, 60)).OK()
				w.refuses(old, fragmentParams(array, 60, 120), ctap.ErrPUATRequired, conformance.AuthAs33, conformance.ParameterAs14)
			}),
			as("auth.wrong", "6.10.2", "a wrong pinUvAuthParam is CTAP2_ERR_PIN_AUTH_INVALID", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				m := w.sign(fragmentParams(array, 0, 120))
				m[pinUvAuthParam].([]byte)[15] ^= 1
				w.refuses(old, m, ctap.ErrPINAuthInvalid)
			}),
			as("auth.protocol-missing", "6.10.2", "a pinUvAuthParam without pinUvAuthProtocol is CTAP2_ERR_MISSING_PARAMETER", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				w.refuses(old, w.sign(fragmentParams(array, 0, 120)).Without(pinUvAuthProtocol), ctap.ErrMissingParameter, conformance.MissingAs02, conformance.AuthAs33)
			}),
			as("auth.protocol-unknown", "6.10.2", "a pinUvAuthProtocol that there is not is CTAP1_ERR_INVALID_PARAMETER", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				w.refuses(old, w.sign(fragmentParams(array, 0, 120)).With(pinUvAuthProtocol, 77), ctap.ErrInvalidParameter, conformance.AuthAs33)
			}),
			as("auth.permission", "6.10.2", "set needs the permission lbw", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				w.token = w.otherToken()
				w.refuses(old, w.sign(fragmentParams(array, 0, 120)), ctap.ErrPINAuthInvalid)
			}),
			with(conformance.Touch, as("auth.kept-by-make", "6.1.2", "the permission lbw stays when makeCredential spends the others", func(w *writer) {
				w.token = w.Token(ctap.PermMakeCredential|ctap.PermLargeBlobWrite, conformance.RPID)
				w.Create(w.AuthoriseWith(w.token, ctap.MakeCredential, w.CreateParams()))
				w.writesOn()
			})),
			with(conformance.Touch, as("auth.kept-by-get", "6.2.2", "the permission lbw stays when getAssertion spends the others", func(w *writer) {
				c := w.NewCredential()
				w.token = w.Token(ctap.PermGetAssertion|ctap.PermLargeBlobWrite, conformance.RPID)
				w.Assert(w.AuthoriseWith(w.token, ctap.GetAssertion, w.AssertParams(c)), c)
				w.writesOn()
			})),
			as("auth.superseded", "6.5.2.1", "a token with lbw serves no more when another was given", func(w *writer) {
				old, array := w.array(100), w.array(120)
				w.write(old)
				m := w.sign(fragmentParams(array, 0, 120))
				w.Token(ctap.PermLargeBlobWrite, "")
				w.refuses(old, m, ctap.ErrPINAuthInvalid)
			}),
			blank("auth.no-pin", "6.10.2", "where nothing verifies the user, and alwaysUv is off, set needs no pinUvAuthParam", func(w *writer) {
				array := w.array(120)
				w.Send(ctap.LargeBlobs, fragmentParams(array, 0, 120)).OK()
				w.holds(array)
			}),
			blank("auth.always-uv", "6.10.2", "where alwaysUv is on and nothing verifies the user, set is CTAP2_ERR_PUAT_REQUIRED", func(w *writer) {
				w.Send(ctap.Config, conformance.M{1: ctap.ToggleAlwaysUV}).OK()
				w.refuses([]byte(initial), fragmentParams(w.array(120), 0, 120), ctap.ErrPUATRequired,
					conformance.Deviates("implementations say that no PIN is set where a token is needed and none can be had", ctap.ErrPINNotSet))
			}, conformance.HasOption("alwaysUv"), conformance.Option("authnrCfg")),
		),
		conformance.BothProtocols(as("auth.protocol", "6.10.2", "a token of every PIN/UV auth protocol serves", nil), func(r *conformance.Run, p pinuv.Protocol) {
			w := &writer{Run: r}
			w.token = r.TokenOf(p, ctap.PermLargeBlobWrite, "")
			w.writesOn()
		}),
	)
}

// writesOn writes an array with the token that there is.
func (w *writer) writesOn() {
	array := w.array(120)
	w.write(array)
	w.holds(array)
}

// otherToken returns a token without the permission lbw, bound to no relying party
// where it can be.
func (w *writer) otherToken() *conformance.Token {
	if w.Info().Options["credMgmt"] {
		return w.Token(ctap.PermCredentialMgmt, "")
	}
	return w.Token(ctap.PermMakeCredential|ctap.PermGetAssertion, conformance.RPID)
}
