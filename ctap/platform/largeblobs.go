package platform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"fido-emu/ctap"
)

const (
	largeBlobsHashSize  = 16 // bytes at the end of the serialized array: LEFT(SHA-256(what is before), 16)
	fragmentOverhead    = 64 // of maxMsgSize, bytes that are no fragment (section 6.10)
	defaultMaxMsgSize   = 1024
	longestLargeBlobs   = 1 << 20 // bytes; more than any authenticator keeps
	fewestLargeBlobSize = 1024    // what every authenticator with large blobs keeps, in bytes
)

// ErrNoLargeBlob is returned when no large blob is stored under a key.
var ErrNoLargeBlob = errors.New("no large blob is stored for the credential")

// HasLargeBlobs tells whether an authenticator has the command authenticatorLargeBlobs.
func HasLargeBlobs(info *ctap.Info) bool { return info.Options["largeBlobs"] }

// ReadLargeBlob returns what is stored under a largeBlobKey of 32 bytes. The error is
// ErrNoLargeBlob when nothing is (section 6.10.3).
func (h *Host) ReadLargeBlob(ctx context.Context, key []byte) ([]byte, error) {
	array, err := h.largeBlobArray(ctx)
	if err != nil {
		return nil, err
	}
	_, blob, err := array.find(key)
	return blob, err
}

// WriteLargeBlob stores data under a largeBlobKey of 32 bytes, in place of what was
// there; nil deletes it (section 6.10.4 and 6.10.5). Entries of others stay as they are.
// token needs the permission lbw; nil is for an authenticator that does not protect its
// user. ctap.ErrLargeBlobStorageFull is in the error when it does not fit.
func (h *Host) WriteLargeBlob(ctx context.Context, token *Token, key, data []byte) error {
	array, err := h.largeBlobArray(ctx)
	if err != nil {
		return err
	}
	at, _, err := array.find(key)
	if err != nil && at < 0 && !errors.Is(err, ErrNoLargeBlob) { // one that does not unpack can be replaced
		return err
	}
	if at < 0 && data == nil {
		return nil
	}
	if array, err = array.replace(at, key, data, h.rand); err != nil {
		return err
	}
	return h.setLargeBlobs(ctx, token, array)
}

// largeBlobArray reads the array. One whose hash is wrong counts as empty, as section
// 6.10.2 has it: a write of it was interrupted.
func (h *Host) largeBlobArray(ctx context.Context) (largeBlobArray, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	var serialized []byte
	for fragment := maxFragment(info); ; {
		part, err := h.getLargeBlobs(ctx, uint(len(serialized)), fragment)
		if err != nil {
			return nil, err
		}
		serialized = append(serialized, part...)
		if uint(len(part)) < fragment {
			return parseLargeBlobs(serialized), nil
		}
		if len(serialized) > longestLargeBlobs {
			return nil, broken(ctap.LargeBlobs.String(), "a large-blob array without end", nil)
		}
	}
}

func maxFragment(info *ctap.Info) uint {
	size := info.MaxMsgSize
	if size <= fragmentOverhead {
		size = defaultMaxMsgSize
	}
	return size - fragmentOverhead
}

func (h *Host) getLargeBlobs(ctx context.Context, offset, n uint) ([]byte, error) {
	doing := ctap.LargeBlobs.String() + " get"
	var got ctap.LargeBlobsResponse
	if err := h.call(ctx, doing, ctap.LargeBlobs, &ctap.LargeBlobsRequest{Get: &n, Offset: &offset}, &got); err != nil {
		return nil, err
	}
	if uint(len(got.Config)) > n {
		return nil, broken(doing, fmt.Sprintf("%d bytes of %d asked for", len(got.Config), n), nil)
	}
	return got.Config, nil
}

// setLargeBlobs writes the array, fragment by fragment.
func (h *Host) setLargeBlobs(ctx context.Context, token *Token, array largeBlobArray) error {
	doing := ctap.LargeBlobs.String() + " set"
	info, err := h.Info(ctx)
	if err != nil {
		return err
	}
	serialized, err := array.serialize()
	if err != nil {
		return err
	}
	if length := uint(len(serialized)); length > max(info.MaxSerializedLargeBlobArray, fewestLargeBlobSize) {
		return refused(doing, ctap.ErrLargeBlobStorageFull)
	}
	size := int(maxFragment(info))
	for offset := 0; offset < len(serialized); offset += size {
		fragment := serialized[offset:min(offset+size, len(serialized))]
		r := largeBlobsFragment(token, uint(offset), fragment)
		if length := uint(len(serialized)); offset == 0 {
			r.Length = &length
		}
		if err := h.call(ctx, doing, ctap.LargeBlobs, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// largeBlobsFragment returns the request that writes one fragment. What the token
// authenticates is 32×FF ‖ 0C 00 ‖ offset ‖ SHA-256(fragment).
func largeBlobsFragment(token *Token, offset uint, fragment []byte) *ctap.LargeBlobsRequest {
	r := &ctap.LargeBlobsRequest{Set: fragment, Offset: &offset}
	if token == nil {
		return r
	}
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.LargeBlobs), 0)
	message = binary.LittleEndian.AppendUint32(message, uint32(offset))
	sum := sha256.Sum256(fragment)
	r.PinUvAuthParam = token.Authenticate(append(message, sum[:]...))
	r.PinUvAuthProtocol = token.Protocol().Number()
	return r
}
