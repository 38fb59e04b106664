package authenticator

import (
	"maps"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// messageQuirks are about the encoding of messages and their statuses (section 8).
func messageQuirks() []quirk {
	return []quirk{
		breach("noncanonical-request-accepted", "8",
			"takes requests whose integers are longer than needed or whose keys are not sorted",
			"two parsers of one message can read it differently", "",
			acceptCBOR(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, DupMapKey: cbor.DupMapKeyEnforcedAPF})),
		breach("indefinite-length-accepted", "8",
			"takes requests with maps and strings of indefinite length",
			"a parser that must not allocate without bounds does", "",
			acceptCBOR(cbor.DecOptions{IndefLength: cbor.IndefLengthAllowed, DupMapKey: cbor.DupMapKeyEnforcedAPF})),
		breach("duplicate-keys-accepted", "8",
			"takes requests with the same key twice",
			"what was checked is not what is used", "",
			acceptCBOR(cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, DupMapKey: cbor.DupMapKeyQuiet})),
		breach("trailing-bytes-accepted", "8",
			"takes requests with bytes behind their parameters",
			"something unseen rides along", "",
			behaviour{before: cutTrailing}),
		breach("unknown-members-refused", "8",
			"refuses requests with members that it does not know",
			"a platform of a later edition cannot use it at all", "",
			beforeCommand(ctap.MakeCredential, refuseUnknown)),
		breach("answer-keys-unsorted", "8",
			"sends the members of its answers in descending order",
			"a strict platform refuses every answer", "",
			changeEncoding(unsorted)),
		breach("answer-integers-long", "8",
			"encodes the first key of its answers in two bytes where one would do",
			"a strict platform refuses every answer", "",
			changeEncoding(longKey)),
		breach("answer-trailing-byte", "8",
			"sends a zero byte behind its answers",
			"a strict platform refuses every answer", "",
			changeEncoding(func(b []byte) []byte { return append(b, 0) })),
		breach("answer-indefinite-map", "8",
			"sends its answers as maps of indefinite length",
			"a strict platform refuses every answer", "",
			changeEncoding(indefinite)),
		breach("errors-carry-data", "8.2",
			"sends an empty map behind the status of an error",
			"a platform takes the error for an answer", "",
			behaviour{after: func(x *exchange) {
				if !x.ok() {
					x.answer = append(x.answer, emptyMap...)
				}
			}}),
		breach("unknown-command-status", "8.2",
			"answers a command that it has not with CTAP1_ERR_OTHER",
			"a platform cannot tell what is missing from what failed", "",
			changeStatus(0, ctap.ErrInvalidCommand, ctap.ErrOther)),
		breach("unknown-command-ok", "8.2",
			"answers a command that it has not with CTAP2_OK",
			"a platform believes that something was done", "",
			changeStatus(0, ctap.ErrInvalidCommand, ctap.OK)),
		breach("wrong-type-status", "8.2",
			"answers a member of a wrong type with CTAP1_ERR_OTHER",
			"a platform cannot tell its own mistake from a failure of the key", "",
			changeStatus(0, ctap.ErrCBORUnexpectedType, ctap.ErrOther)),
		breach("malformed-cbor-status", "8.2",
			"answers malformed CBOR with CTAP1_ERR_OTHER",
			"a platform cannot tell its own mistake from a failure of the key", "",
			changeStatus(0, ctap.ErrInvalidCBOR, ctap.ErrOther)),
		breach("missing-parameter-status", "8.2",
			"answers a request without a parameter that it needs with CTAP1_ERR_OTHER",
			"a platform cannot tell its own mistake from a failure of the key", "",
			changeStatus(0, ctap.ErrMissingParameter, ctap.ErrOther)),
		breach("oversized-request-accepted", "6.4",
			"takes requests longer than the maxMsgSize that it states",
			"the limit that it states is not the one of its buffers", "",
			behaviour{before: func(x *exchange) {
				if !x.is(ctap.GetInfo) {
					x.a.profile.MaxMsgSize = 1 << 16
				}
			}}),
	}
}

// acceptCBOR puts a request that is read with these options into the canonical form.
func acceptCBOR(o cbor.DecOptions) behaviour {
	return behaviour{before: func(x *exchange) {
		if len(x.request) < 2 || ctap.CheckCanonical(x.request[1:]) == nil {
			return
		}
		mode, err := o.DecMode()
		if err != nil {
			return
		}
		var v any
		if mode.Unmarshal(x.request[1:], &v) != nil {
			return
		}
		if b, err := ctap.Encode(v); err == nil {
			x.request = append(x.request[:1:1], b...)
		}
	}}
}

func cutTrailing(x *exchange) {
	var first cbor.RawMessage
	if len(x.request) < 2 {
		return
	}
	if _, err := cbor.UnmarshalFirst(x.request[1:], &first); err == nil {
		x.request = append(x.request[:1:1], first...)
	}
}

func refuseUnknown(x *exchange) {
	var m members
	if ctap.Decode(x.request[1:], &m) != nil {
		return
	}
	for key := range m {
		if key > 11 {
			x.refuse(ctap.ErrInvalidParameter)
		}
	}
}

// changeEncoding changes the CBOR of every answer that has some.
func changeEncoding(change func([]byte) []byte) behaviour {
	return behaviour{after: func(x *exchange) {
		if x.ok() && len(x.answer) > 2 {
			x.answer = append([]byte{byte(ctap.OK)}, change(x.answer[1:])...)
		}
	}}
}

// unsorted writes a map with its keys in descending order; one of a single member with
// that member twice would be another fault, so it stays as it is.
func unsorted(b []byte) []byte {
	var m members
	if ctap.DecodeLoose(b, &m) != nil {
		return b
	}
	out := []byte{0xA0 | byte(len(m))}
	if len(m) > 23 {
		out = []byte{0xB8, byte(len(m))}
	}
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(m))) {
		k, err := ctap.Encode(key)
		if err != nil {
			return b
		}
		out = slices.Concat(out, k, m[key])
	}
	return out
}

// head is how many bytes begin a map.
func head(b []byte) int {
	if b[0]&0x1F < 24 {
		return 1
	}
	return 2
}

func longKey(b []byte) []byte {
	n := head(b)
	if b[n] > 23 {
		return b
	}
	return slices.Concat(b[:n], []byte{0x18}, b[n:])
}

func indefinite(b []byte) []byte {
	return slices.Concat([]byte{0xBF}, b[head(b):], []byte{0xFF})
}
