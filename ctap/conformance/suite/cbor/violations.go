package cbor

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// violation is a way of writing parameters that is wrong. bend is given them as they
// should be: a map with fewer than 24 members, the first key below 24.
type violation struct {
	name string
	why  string
	bend func(b []byte) []byte
	// should says that decoders only SHOULD refuse it.
	should bool
	want   []ctap.Status // CTAP2_ERR_INVALID_CBOR where empty
}

// stranger is how a member that nobody knows is added behind all others, whose values
// can be bent without touching a member that is known: the head of the map with one
// more, the members, and then 0x18 0xFA with a value.
func stranger(value ...byte) func(b []byte) []byte {
	return func(b []byte) []byte {
		out := append([]byte{b[0] + 1}, b[1:]...)
		return append(append(out, 0x18, 0xFA), value...)
	}
}

var wrongForm = []violation{
	{name: "empty", why: "parameters that are needed and left out are CTAP2_ERR_MISSING_PARAMETER", bend: func([]byte) []byte { return nil },
		want: []ctap.Status{ctap.ErrMissingParameter, ctap.ErrInvalidCBOR, ctap.ErrInvalidLength}},
	{name: "array", why: "parameters are a map and no list", bend: func([]byte) []byte { return []byte{0x81, 0x01} },
		want: []ctap.Status{ctap.ErrCBORUnexpectedType, ctap.ErrInvalidCBOR}},
	{name: "text", why: "parameters are a map and no text", bend: func([]byte) []byte { return []byte{0x61, 'a'} },
		want: []ctap.Status{ctap.ErrCBORUnexpectedType, ctap.ErrInvalidCBOR}},
	{name: "number", why: "parameters are a map and no number", bend: func([]byte) []byte { return []byte{0x01} },
		want: []ctap.Status{ctap.ErrCBORUnexpectedType, ctap.ErrInvalidCBOR}},
	{name: "cut-short", why: "a message that is cut short is CTAP2_ERR_INVALID_CBOR", bend: func(b []byte) []byte { return b[:len(b)-1] }},
	{name: "one-member-less", why: "a map with fewer members than it says is CTAP2_ERR_INVALID_CBOR", bend: func(b []byte) []byte { return append([]byte{b[0] + 1}, b[1:]...) }},
	{name: "trailing", why: "nothing may follow the map", bend: func(b []byte) []byte { return append(bytes.Clone(b), 0x00) }, should: true},
	{name: "long-string", why: "a byte string longer than the message is CTAP2_ERR_INVALID_CBOR", bend: stranger(0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)},
	{name: "huge-array", why: "a list of more items than there can be is CTAP2_ERR_INVALID_CBOR", bend: stranger(0x9A, 0xFF, 0xFF, 0xFF, 0xFF)},
	{name: "reserved", why: "additional information 28 to 30 is reserved", bend: stranger(0x1C)},
	{name: "lone-break", why: "a break without a beginning is CTAP2_ERR_INVALID_CBOR", bend: stranger(0xFF)},
	{name: "utf8", why: "text is valid UTF-8", bend: stranger(0x62, 0xC3, 0x28), should: true},
}

var notCanonical = []violation{
	{name: "long-map", why: "the size of a map is written as short as possible", bend: func(b []byte) []byte { return append([]byte{0xB8, b[0] & 0x1F}, b[1:]...) }},
	{name: "long-key", why: "integers are written as short as possible", bend: func(b []byte) []byte { return append([]byte{b[0], 0x18}, b[1:]...) }},
	{name: "long-number", why: "integers are written as short as possible", bend: stranger(0x18, 0x05)},
	{name: "long-number-2", why: "integers are written as short as possible", bend: stranger(0x19, 0x00, 0x80)},
	{name: "long-number-8", why: "integers are written as short as possible", bend: stranger(0x1B, 0, 0, 0, 0, 0, 0, 1, 0)},
	{name: "long-length", why: "lengths are written as short as possible", bend: stranger(0x58, 0x01, 0x00)},
	{name: "indefinite-map", why: "a map has a definite length", bend: func(b []byte) []byte { return append(append([]byte{0xBF}, b[1:]...), 0xFF) }},
	{name: "indefinite-string", why: "a byte string has a definite length", bend: stranger(0x5F, 0x41, 0x00, 0xFF)},
	{name: "indefinite-array", why: "a list has a definite length", bend: stranger(0x9F, 0xFF)},
	{name: "tag", why: "there are no tags", bend: stranger(0xC1, 0x00)},
	{name: "duplicate", why: "a key comes once", bend: func(b []byte) []byte {
		return append(append([]byte{b[0] + 2}, b[1:]...), 0x18, 0xFA, 0x00, 0x18, 0xFA, 0x00)
	}},
	{name: "unsorted", why: "keys are sorted", bend: func(b []byte) []byte { return append(append([]byte{b[0] + 1}, 0x18, 0xFA, 0x00), b[1:]...) }},
	{name: "unsorted-inner", why: "keys of a map within are sorted too", bend: stranger(0xA2, 0x02, 0x00, 0x01, 0x00)},
	{name: "five-levels", why: "there are at most four levels of maps and lists", bend: stranger(0x81, 0x81, 0x81, 0x81, 0x00)},
}

func violations() (cases []conformance.Case) {
	for _, v := range wrongForm {
		for _, s := range subjects {
			cases = append(cases, v.asCase(s))
		}
	}
	for _, v := range notCanonical {
		v.should = true
		for _, s := range subjects[:3] {
			cases = append(cases, v.asCase(s))
		}
	}
	return cases
}

func (v violation) asCase(s subject) conformance.Case {
	want := v.want
	if want == nil {
		want = []ctap.Status{ctap.ErrInvalidCBOR}
	}
	return s.asCase(v.name, "8", v.why, func(r *conformance.Run) {
		reply := r.Send(s.command, v.bend(r.Encode(s.params(r)))).Tolerate(conformance.CBORAsOthers)
		if v.should {
			reply.Tolerate(conformance.Deviates("section 8 says that decoders SHOULD refuse it, and many keys read it", s.read...))
		}
		reply.Want(want...).Empty()
	})
}
