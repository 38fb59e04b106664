package authenticator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

func blobKey() Profile {
	p := managedKey()
	p.LargeBlobs, p.MaxMsgSize, p.MaxLargeBlobs = true, 1024, 2048
	return p
}

// serialized ends an array with its hash.
func serialized(array []byte) []byte {
	sum := sha256.Sum256(array)
	return append(bytes.Clone(array), sum[:16]...)
}

func ptr[T any](v T) *T { return &v }

// readBlobs gets the whole array.
func (r *rig) readBlobs() (all []byte) {
	r.t.Helper()
	for {
		var got ctap.LargeBlobsResponse
		q := ctap.LargeBlobsRequest{Get: ptr(uint(960)), Offset: ptr(uint(len(all)))}
		r.want(r.send(ctap.LargeBlobs, q, &got), ctap.OK, "get")
		all = append(all, got.Config...)
		if len(got.Config) < 960 {
			return all
		}
	}
}

// fragment is a set of one fragment; length is given with the first.
func fragment(data []byte, offset, length int, token []byte) ctap.LargeBlobsRequest {
	q := ctap.LargeBlobsRequest{Set: data, Offset: ptr(uint(offset))}
	if offset == 0 {
		q.Length = ptr(uint(length))
	}
	if token != nil {
		message := append(bytes.Repeat([]byte{0xFF}, 32), 0x0C, 0x00)
		message = binary.LittleEndian.AppendUint32(message, uint32(offset))
		sum := sha256.Sum256(data)
		q.PinUvAuthProtocol, q.PinUvAuthParam = 2, pinuv.Two.Authenticate(token, append(message, sum[:]...))
	}
	return q
}

func TestLargeBlobs(t *testing.T) {
	r := newRig(t, blobKey())
	if info := r.info(); !info.Options["largeBlobs"] || info.MaxSerializedLargeBlobArray != 2048 {
		t.Errorf("getInfo: %v, %d", info.Options, info.MaxSerializedLargeBlobArray)
	}
	if got := r.readBlobs(); string(got) != initialLargeBlobs || !bytes.Equal(got, serialized([]byte{0x80})) {
		t.Errorf("at first: %x", got)
	}
	whole := serialized(append([]byte{0x59, 0x05, 0xDC}, make([]byte, 1500)...))
	r.want(r.send(ctap.LargeBlobs, fragment(whole[:900], 0, len(whole), nil), nil), ctap.OK, "first fragment")
	if got := r.readBlobs(); string(got) != initialLargeBlobs {
		t.Errorf("half written: %x", got)
	}
	r.want(r.send(ctap.LargeBlobs, fragment(whole[900:], 900, 0, nil), nil), ctap.OK, "last fragment")
	r.auth.PowerCycle()
	if got := r.readBlobs(); !bytes.Equal(got, whole) {
		t.Errorf("written: %d bytes, want %d", len(got), len(whole))
	}
	r.want(r.send(ctap.Reset, nil, nil), ctap.OK, "reset")
	if got := r.readBlobs(); string(got) != initialLargeBlobs {
		t.Errorf("after a reset: %x", got)
	}
}

func TestLargeBlobsRefuse(t *testing.T) {
	good := serialized([]byte{0x80, 0x00})
	bad := append(bytes.Clone(good[:17]), 0xFF)
	for _, c := range []struct {
		name string
		q    ctap.LargeBlobsRequest
		want ctap.Status
	}{
		{"no offset", ctap.LargeBlobsRequest{Get: ptr(uint(1))}, ctap.ErrInvalidParameter},
		{"neither get nor set", ctap.LargeBlobsRequest{Offset: ptr(uint(0))}, ctap.ErrInvalidParameter},
		{"get and set", ctap.LargeBlobsRequest{Get: ptr(uint(1)), Set: good, Offset: ptr(uint(0))}, ctap.ErrInvalidParameter},
		{"get with length", ctap.LargeBlobsRequest{Get: ptr(uint(1)), Offset: ptr(uint(0)), Length: ptr(uint(17))}, ctap.ErrInvalidParameter},
		{"get with pinUvAuthParam", ctap.LargeBlobsRequest{Get: ptr(uint(1)), Offset: ptr(uint(0)), PinUvAuthParam: good}, ctap.ErrInvalidParameter},
		{"get with pinUvAuthProtocol", ctap.LargeBlobsRequest{Get: ptr(uint(1)), Offset: ptr(uint(0)), PinUvAuthProtocol: 2}, ctap.ErrInvalidParameter},
		{"get of too much", ctap.LargeBlobsRequest{Get: ptr(uint(961)), Offset: ptr(uint(0))}, ctap.ErrInvalidLength},
		{"get past the end", ctap.LargeBlobsRequest{Get: ptr(uint(1)), Offset: ptr(uint(18))}, ctap.ErrInvalidParameter},
		{"get at the end", ctap.LargeBlobsRequest{Get: ptr(uint(1)), Offset: ptr(uint(17))}, ctap.OK},
		{"set of too much", fragment(make([]byte, 961), 0, 1000, nil), ctap.ErrInvalidLength},
		{"no length", ctap.LargeBlobsRequest{Set: good, Offset: ptr(uint(0))}, ctap.ErrInvalidParameter},
		{"length too great", fragment(good, 0, 2049, nil), ctap.ErrLargeBlobStorageFull},
		{"length too small", fragment(good[:16], 0, 16, nil), ctap.ErrInvalidParameter},
		{"out of sequence", fragment(good, 5, 0, nil), ctap.ErrInvalidSeq},
		{"length with a later fragment", ctap.LargeBlobsRequest{Set: good, Offset: ptr(uint(5)), Length: ptr(uint(23))}, ctap.ErrInvalidParameter},
		{"more than length", fragment(good, 0, 17, nil), ctap.ErrInvalidParameter},
		{"wrong hash", fragment(bad, 0, len(bad), nil), ctap.ErrIntegrityFailure},
	} {
		r := newRig(t, blobKey())
		r.want(r.send(ctap.LargeBlobs, c.q, nil), c.want, c.name)
		if got := r.readBlobs(); string(got) != initialLargeBlobs {
			t.Errorf("%s: the array is %x", c.name, got)
		}
	}
	plain := newRig(t, managedKey())
	plain.want(plain.send(ctap.LargeBlobs, fragment(good, 0, len(good), nil), nil), ctap.ErrInvalidCommand, "a key without large blobs")
}

func TestLargeBlobsNeedAToken(t *testing.T) {
	m := newManager(t, blobKey(), ctap.PermLargeBlobWrite, "")
	whole := serialized([]byte{0x80})
	m.want(m.send(ctap.LargeBlobs, fragment(whole, 0, 17, nil), nil), ctap.ErrPUATRequired, "none")
	q := fragment(whole, 0, 17, m.token)
	q.PinUvAuthProtocol = 0
	m.want(m.send(ctap.LargeBlobs, q, nil), ctap.ErrMissingParameter, "no protocol")
	q.PinUvAuthProtocol = 3
	m.want(m.send(ctap.LargeBlobs, q, nil), ctap.ErrInvalidParameter, "protocol 3")
	q.PinUvAuthProtocol, q.PinUvAuthParam = 2, make([]byte, 32)
	m.want(m.send(ctap.LargeBlobs, q, nil), ctap.ErrPINAuthInvalid, "wrong MAC")
	m.want(m.send(ctap.LargeBlobs, fragment(whole, 0, 17, m.token), nil), ctap.OK, "right MAC")
	m.readBlobs() // needs none

	other := newManager(t, blobKey(), ctap.PermCredentialMgmt, "")
	other.want(other.send(ctap.LargeBlobs, fragment(whole, 0, 17, other.token), nil), ctap.ErrPINAuthInvalid, "without the permission")
}

func TestFragmentsBelongToAChannel(t *testing.T) {
	r := newRig(t, blobKey())
	whole := serialized([]byte{0x80})
	one, two := ctap.WithChannel(context.Background(), 1), ctap.WithChannel(context.Background(), 2)
	r.want(r.sendContext(one, ctap.LargeBlobs, fragment(whole[:9], 0, 17, nil), nil), ctap.OK, "first")
	r.want(r.sendContext(two, ctap.LargeBlobs, fragment(whole[9:], 9, 0, nil), nil), ctap.ErrInvalidSeq, "another channel's")
	r.want(r.sendContext(one, ctap.LargeBlobs, fragment(whole[9:], 9, 0, nil), nil), ctap.OK, "last")
}

// A model of the storage: the array is what the last write that ended well wrote.
func TestLargeBlobsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, blobKey())
		stored := []byte(initialLargeBlobs)
		var pending, sent []byte
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				pending = serialized(rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(rt, "array"))
				if rapid.Bool().Draw(rt, "spoilt") {
					pending[0] ^= 1
				}
				sent = pending[:0]
				send(rt, r, &pending, &sent, &stored)
			},
			"continue": func(rt *rapid.T) {
				if pending != nil {
					send(rt, r, &pending, &sent, &stored)
				}
			},
			"out of sequence": func(*rapid.T) {
				r.want(r.send(ctap.LargeBlobs, fragment([]byte{1}, len(sent)+1, 0, nil), nil), ctap.ErrInvalidSeq, "out of sequence")
			},
			"power": func(*rapid.T) { r.auth.PowerCycle(); pending, sent = nil, nil },
			"": func(rt *rapid.T) {
				if got := r.readBlobs(); !bytes.Equal(got, stored) {
					rt.Fatalf("the array is %x, want %x", got, stored)
				}
			},
		})
	})
}

// send sends the next fragment of a write.
func send(rt *rapid.T, r *rig, pending, sent, stored *[]byte) {
	whole, at := *pending, len(*sent)
	end := rapid.IntRange(at, len(whole)).Draw(rt, "end")
	if at > 0 && end == at {
		return
	}
	if end == 0 {
		end = 1
	}
	status := r.send(ctap.LargeBlobs, fragment(whole[at:end], at, len(whole), nil), nil)
	*sent = whole[:end]
	if end < len(whole) {
		r.want(status, ctap.OK, "fragment")
		return
	}
	if bytes.Equal(whole, serialized(whole[:len(whole)-16])) {
		r.want(status, ctap.OK, "last fragment")
		*stored = whole
	} else {
		r.want(status, ctap.ErrIntegrityFailure, "last fragment")
	}
	*pending, *sent = nil, nil
}
