package authenticator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"

	"fido-emu/ctap"
)

const (
	defaultMaxLargeBlobs = 1024 // maxSerializedLargeBlobArray, bytes; what section 6.4 asks for at least
	largeBlobsHash       = 16   // bytes at the end of the serialized array: LEFT(SHA-256(what is before), 16)
	minLargeBlobs        = 1 + largeBlobsHash
	fragmentOverhead     = 64 // of maxMsgSize, bytes that are no fragment
)

// initialLargeBlobs is the serialized form of an array with nothing in it (section
// 6.10).
const initialLargeBlobs = "\x80\x76\xBE\x8B\x52\x8D\x00\x75\xF7\xAA\xE9\x8D\x6F\xA5\x7A\x6D\x3C"

func (p *Profile) maxLargeBlobs() uint  { return max(p.MaxLargeBlobs, defaultMaxLargeBlobs) }
func (p *Profile) maxFragment() uint    { return p.maxMsgSize() - fragmentOverhead }
func (w *blobWrite) expectedNext() uint { return uint(len(w.data)) }

// blobWrite is a large-blob array that comes in fragments. It belongs to the channel
// that began it and lasts until its last fragment, until another begins, or until a
// power cycle.
type blobWrite struct {
	expected uint // expectedLength, bytes of the whole; 0: none is under way
	data     []byte
	channel  uint32
}

// largeBlobs answers authenticatorLargeBlobs (section 6.10.2).
func (a *Authenticator) largeBlobs(ctx context.Context, params []byte) (any, error) {
	var r ctap.LargeBlobsRequest
	if err := ctap.Decode(params, &r); err != nil {
		return nil, err
	}
	if r.Offset == nil || (r.Get == nil) == (r.Set == nil) {
		return nil, ctap.ErrInvalidParameter
	}
	if r.Get != nil {
		return answered(a.readLargeBlobs(&r))
	}
	return nil, a.writeLargeBlobs(ctx, &r)
}

// readLargeBlobs returns what there is of the fragment that was asked for.
func (a *Authenticator) readLargeBlobs(r *ctap.LargeBlobsRequest) (*ctap.LargeBlobsResponse, error) {
	if r.Length != nil || r.PinUvAuthParam != nil || r.PinUvAuthProtocol != 0 {
		return nil, ctap.ErrInvalidParameter
	}
	if *r.Get > a.profile.maxFragment() {
		return nil, ctap.ErrInvalidLength
	}
	all := a.device.LargeBlobs
	if all == nil {
		all = []byte(initialLargeBlobs)
	}
	if *r.Offset > uint(len(all)) {
		return nil, ctap.ErrInvalidParameter
	}
	rest := all[*r.Offset:]
	return &ctap.LargeBlobsResponse{Config: rest[:min(*r.Get, uint(len(rest)))]}, nil
}

// writeLargeBlobs takes one fragment. The array changes with the last one, if the
// hash at its end is right.
func (a *Authenticator) writeLargeBlobs(ctx context.Context, r *ctap.LargeBlobsRequest) error {
	w, err := a.fragmentOf(ctx, r)
	if err != nil {
		return err
	}
	if err := a.authorizeLargeBlobs(r); err != nil {
		return err
	}
	if w.expectedNext()+uint(len(r.Set)) > w.expected {
		return ctap.ErrInvalidParameter
	}
	w.data = append(w.data, r.Set...)
	a.boot.blobs = w
	if w.expectedNext() < w.expected {
		return nil
	}
	a.boot.blobs = blobWrite{}
	end := len(w.data) - largeBlobsHash
	if sum := sha256.Sum256(w.data[:end]); !bytes.Equal(sum[:largeBlobsHash], w.data[end:]) {
		return ctap.ErrIntegrityFailure
	}
	d := a.device
	d.LargeBlobs = w.data
	return a.save(d)
}

// fragmentOf returns the write that a fragment belongs to: a new one at offset zero,
// else the one that is under way.
func (a *Authenticator) fragmentOf(ctx context.Context, r *ctap.LargeBlobsRequest) (blobWrite, error) {
	if uint(len(r.Set)) > a.profile.maxFragment() {
		return blobWrite{}, ctap.ErrInvalidLength
	}
	if *r.Offset == 0 {
		if r.Length == nil {
			return blobWrite{}, ctap.ErrInvalidParameter
		}
		if *r.Length > a.profile.maxLargeBlobs() {
			return blobWrite{}, ctap.ErrLargeBlobStorageFull
		}
		if *r.Length < minLargeBlobs {
			return blobWrite{}, ctap.ErrInvalidParameter
		}
		return blobWrite{expected: *r.Length, channel: ctap.Channel(ctx)}, nil
	}
	if r.Length != nil {
		return blobWrite{}, ctap.ErrInvalidParameter
	}
	w := a.boot.blobs
	if *r.Offset != w.expectedNext() || w.channel != ctap.Channel(ctx) {
		return blobWrite{}, ctap.ErrInvalidSeq
	}
	return w, nil
}

// authorizeLargeBlobs checks the token of a fragment, which is needed as soon as
// there is a way to verify the user, or always is.
func (a *Authenticator) authorizeLargeBlobs(r *ctap.LargeBlobsRequest) error {
	if !a.protected() && !a.device.AlwaysUV {
		return nil
	}
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.LargeBlobs), 0)
	message = binary.LittleEndian.AppendUint32(message, uint32(*r.Offset))
	sum := sha256.Sum256(r.Set)
	return a.authorize(r.PinUvAuthProtocol, ctap.PermLargeBlobWrite, append(message, sum[:]...), r.PinUvAuthParam)
}
