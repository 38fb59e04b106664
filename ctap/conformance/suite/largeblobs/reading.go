package largeblobs

import (
	"bytes"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// describe says which array it is, for people.
func describe(array []byte) string {
	return fmt.Sprintf("%d bytes that begin with %x", len(array), array[:min(len(array), 8)])
}

// reading is about get.
func reading() []conformance.Case {
	return conformance.One(
		blank("get.initial", "6.10.1", "while nothing was written, the array is an empty CBOR array and its hash, 17 bytes", func(w *writer) {
			w.holds([]byte(initial))
		}),
		as("get.free", "6.10.2", "reading needs neither a token nor a touch", func(w *writer) {
			w.Send(ctap.LargeBlobs, conformance.M{get: 17, offset: 0}).OK().Untouched().Canonical().Only(1)
		}),
		as("get.exact", "6.10.2", "as many bytes come as were asked for", func(w *writer) {
			array := w.array(120)
			w.write(array)
			for _, n := range []uint{1, 17, 119, 120} {
				w.same("get", w.part(n, 0), array[:n])
			}
		}),
		as("get.offset", "6.10.2", "reading begins at offset", func(w *writer) {
			array := w.array(120)
			w.write(array)
			for _, at := range []uint{1, 16, 100, 119} {
				w.same("get", w.part(10, at), array[at:min(120, at+10)])
			}
		}),
		as("get.rest", "6.10.2", "where fewer bytes are left than were asked for, these come", func(w *writer) {
			array := w.array(120)
			w.write(array)
			w.same("get", w.part(w.fragment(), 0), array)
			w.same("get", w.part(w.fragment(), 60), array[60:])
		}),
		as("get.at-end", "6.10.2", "at the end of the array nothing comes, as an empty byte string", func(w *writer) {
			array := w.array(120)
			w.write(array)
			w.same("get", w.part(10, 120), nil)
		}),
		as("get.zero", "6.10.2", "get of 0 bytes is answered with an empty byte string", func(w *writer) {
			w.same("get", w.part(0, 0), nil)
		}),
		as("get.beyond", "6.10.2", "an offset beyond the end is CTAP1_ERR_INVALID_PARAMETER", func(w *writer) {
			w.write(w.array(120))
			for _, at := range []uint{121, 1 << 16, 1 << 31} {
				w.Send(ctap.LargeBlobs, conformance.M{get: 10, offset: at}).Want(ctap.ErrInvalidParameter)
			}
		}),
		as("get.longest", "6.10.2", "maxMsgSize - 64 bytes can be asked for, and more is CTAP1_ERR_INVALID_LENGTH", func(w *writer) {
			w.Send(ctap.LargeBlobs, conformance.M{get: w.fragment(), offset: 0}).OK()
			w.Send(ctap.LargeBlobs, conformance.M{get: w.fragment() + 1, offset: 0}).Want(ctap.ErrInvalidLength)
			w.Send(ctap.LargeBlobs, conformance.M{get: 1 << 31, offset: 0}).Want(ctap.ErrInvalidLength)
		}),
	)
}

// same ends the case as failed unless what came is what should.
func (w *writer) same(what string, got, want []byte) {
	w.Require(bytes.Equal(got, want), "%s: got %s, want %s", what, describe(got), describe(want))
}

// shape is a combination of parameters that is wrong.
type shape struct {
	name, why string
	params    conformance.M
	also      []conformance.Deviation
}

func shapesOfRequests() []shape {
	missing := []conformance.Deviation{conformance.ParameterAs14}
	data := make([]byte, 17)
	return []shape{
		{"nothing", "neither get nor set", conformance.M{offset: 0}, missing},
		{"both", "get and set together", conformance.M{get: 17, set: data, offset: 0, length: 17}, nil},
		{"get.no-offset", "get without offset", conformance.M{get: 17}, missing},
		{"get.length", "get with length", conformance.M{get: 17, offset: 0, length: 17}, nil},
		{"get.param", "get with pinUvAuthParam", conformance.M{get: 17, offset: 0, pinUvAuthParam: make([]byte, 32)}, nil},
		{"get.protocol", "get with pinUvAuthProtocol", conformance.M{get: 17, offset: 0, pinUvAuthProtocol: 2}, nil},
		{"set.no-offset", "set without offset", conformance.M{set: data, length: 17}, missing},
		{"set.no-length", "set at offset 0 without length", conformance.M{set: data, offset: uint(0)}, missing},
		{"set.length-later", "set with length at another offset", conformance.M{set: data, offset: uint(17), length: 34}, nil},
		{"set.short", "a length of less than 17", conformance.M{set: data[:16], offset: uint(0), length: 16}, nil},
		{"set.zero", "a length of 0", conformance.M{set: []byte{}, offset: uint(0), length: 0}, nil},
	}
}

// shapes is about requests that are wrong whatever the array is.
func shapes() []conformance.Case {
	cases := conformance.Each(shapesOfRequests(), func(s shape) conformance.Case {
		return as("shape."+s.name, "6.10.2", s.why+" is CTAP1_ERR_INVALID_PARAMETER", func(w *writer) {
			array := w.array(100)
			w.write(array)
			m := s.params
			if m[get] == nil && m[set] != nil {
				m = w.sign(m)
			}
			w.Send(ctap.LargeBlobs, m).Tolerate(s.also...).Want(ctap.ErrInvalidParameter)
			w.holds(array)
		})
	})
	for _, p := range []struct {
		name  string
		key   int
		value any
		base  conformance.M
	}{
		{"get", get, "wrong", conformance.M{offset: 0}}, {"offset", offset, "wrong", conformance.M{get: 17}},
		{"set", set, "wrong", conformance.M{offset: 0, length: 17}}, {"length", length, "wrong", conformance.M{set: make([]byte, 17), offset: 0}},
		{"pinUvAuthParam", pinUvAuthParam, "wrong", conformance.M{set: make([]byte, 17), offset: 0, length: 17}},
		{"pinUvAuthProtocol", pinUvAuthProtocol, "wrong", conformance.M{set: make([]byte, 17), offset: 0, length: 17}},
	} {
		cases = append(cases, as("type."+p.name, "6.10.2", p.name+" as text is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(w *writer) {
			w.Send(ctap.LargeBlobs, p.base.With(p.key, p.value)).Tolerate(conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
		}))
	}
	return append(cases, as("shape.unknown-member", "6.10.2", "a member of the request that is not known is ignored", func(w *writer) {
		w.Send(ctap.LargeBlobs, conformance.M{get: 17, offset: 0, 0x40: true}).OK()
	}))
}
