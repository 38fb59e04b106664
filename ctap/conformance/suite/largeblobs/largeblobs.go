// Package largeblobs holds the conformance cases about authenticatorLargeBlobs (section
// 6.10): how the large-blob array is read and written in fragments, and what keeps it
// whole.
package largeblobs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group largeblobs.
func Group() conformance.Group {
	return conformance.Group{Name: "largeblobs", Title: "authenticatorLargeBlobs", Cases: conformance.Join(
		reading(), shapes(), writing(), sequences(), authorisation(), lasting(),
	)}
}

// The parameters of the command.
const (
	get = 1 + iota
	set
	offset
	length
	pinUvAuthParam
	pinUvAuthProtocol
)

// hashSize is how many bytes of a SHA-256 stand at the end of an array.
const hashSize = 16

// initial is the serialized array with nothing in it (section 6.10).
const initial = "\x80\x76\xBE\x8B\x52\x8D\x00\x75\xF7\xAA\xE9\x8D\x6F\xA5\x7A\x6D\x3C"

// writer is a case that writes the array.
type writer struct {
	*conformance.Run
	token *conformance.Token // with the permission lbw
}

// as makes a case that begins with a PIN.
func as(id, section, why string, run func(w *writer), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "largeblobs." + id, Rule: conformance.Since21(section), Why: why, Start: conformance.WithPIN,
		Needs: append([]conformance.Need{conformance.Option("largeBlobs")}, needs...), Destructive: true,
		Run: func(r *conformance.Run) { run(&writer{Run: r}) },
	}
}

// blank is as for an authenticator just reset, without a PIN, that verifies nobody.
func blank(id, section, why string, run func(w *writer), needs ...conformance.Need) conformance.Case {
	c := as(id, section, why, run, append(needs, conformance.NoOption("uv"), conformance.NoOption("alwaysUv"))...)
	c.Start = conformance.Blank
	return c
}

// with gives a case gestures.
func with(g conformance.Gesture, c conformance.Case) conformance.Case {
	c.Hands |= g
	return c
}

// fragment is how many bytes may come or go at once.
func (w *writer) fragment() uint {
	n := w.Info().MaxMsgSize
	if n == 0 {
		n = 1024
	}
	return n - 64
}

// capacity is maxSerializedLargeBlobArray.
func (w *writer) capacity() uint { return w.Info().MaxSerializedLargeBlobArray }

// sealed is an array of content with its hash.
func sealed(content []byte) []byte {
	sum := sha256.Sum256(content)
	return append(slices.Clone(content), sum[:hashSize]...)
}

// array is an array of n bytes, hash included: a CBOR array with one byte string in it.
func (w *writer) array(n uint) []byte {
	const head = 4
	data := w.Bytes(int(n - hashSize - head))
	content := binary.BigEndian.AppendUint16([]byte{0x81, 0x59}, uint16(len(data)))
	return sealed(append(content, data...))
}

// fragmentParams are the parameters of a fragment of an array, unsigned: with length
// at offset 0.
func fragmentParams(array []byte, from, to uint) conformance.M {
	m := conformance.M{set: array[from:to], offset: from}
	if from == 0 {
		m[length] = len(array)
	}
	return m
}

// message is what pinUvAuthParam authenticates.
func message(m conformance.M) []byte {
	at, _ := m[offset].(uint)
	b := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.LargeBlobs), 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(at))
	data, _ := m[set].([]byte)
	sum := sha256.Sum256(data)
	return append(b, sum[:]...)
}

// sign adds pinUvAuthParam by the token, which is had when first needed.
func (w *writer) sign(m conformance.M) conformance.M {
	if !w.Info().Options["clientPin"] {
		return m
	}
	if w.token == nil {
		w.token = w.Token(ctap.PermLargeBlobWrite, "")
	}
	return m.With(pinUvAuthParam, w.token.MAC(message(m))).With(pinUvAuthProtocol, w.token.Number())
}

// put sends parameters of a write, signed.
func (w *writer) put(m conformance.M) *conformance.Reply {
	return w.Send(ctap.LargeBlobs, w.sign(m))
}

// write writes an array in as few fragments as it takes.
func (w *writer) write(array []byte) { w.writeBy(array, w.fragment()) }

// writeBy writes an array in fragments of size bytes.
func (w *writer) writeBy(array []byte, size uint) {
	n := uint(len(array))
	for from := uint(0); from < n; from += size {
		w.put(fragmentParams(array, from, min(n, from+size))).OK().Empty()
	}
}

// part reads a fragment.
func (w *writer) part(n, from uint) []byte {
	var a ctap.LargeBlobsResponse
	p := w.Send(ctap.LargeBlobs, conformance.M{get: n, offset: from}).OK().Only(1)
	p.Member(1)
	p.Into(&a)
	return a.Config
}

// read reads the whole array.
func (w *writer) read() (all []byte) {
	for {
		part := w.part(w.fragment(), uint(len(all)))
		all = append(all, part...)
		if uint(len(part)) < w.fragment() {
			return all
		}
	}
}

// holds ends the case as failed unless the array is this one.
func (w *writer) holds(array []byte) { w.same("the array", w.read(), array) }
