package webauthn

import (
	"context"
	"errors"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// Large blobs (section 10.1.5) are kept in one of two ways: by the extension
// largeBlobKey, whose key encrypts them in the authenticator's large-blob array, or by
// CTAP 2.3's extension largeBlob, with the credential.

// largeBlobOutputs is AuthenticationExtensionsLargeBlobOutputs; nil members are absent.
type largeBlobOutputs struct {
	supported *bool
	blob      []byte
	written   *bool
}

// blobsByKey tells whether an authenticator keeps large blobs in its array.
func blobsByKey(info *ctap.Info) bool {
	return platform.HasLargeBlobs(info) && platform.Has(info, extLargeBlobKey)
}

// checkCreation is the first step of client extension processing at registration.
func (b *largeBlobInputs) checkCreation() *Error {
	const member = "extensions.largeBlob."
	switch {
	case b == nil:
		return nil
	case b.Read != nil:
		return &Error{Name: NotSupportedError, Member: member + "read", Message: "is for authentication only"}
	case b.Write != nil:
		return &Error{Name: NotSupportedError, Member: member + "write", Message: "is for authentication only"}
	}
	return nil
}

// checkRequest is the same at authentication.
func (b *largeBlobInputs) checkRequest(allowed []descriptor) *Error {
	const member = "extensions.largeBlob."
	switch {
	case b == nil:
		return nil
	case b.Support.set:
		return &Error{Name: NotSupportedError, Member: member + "support", Message: "is for registration only"}
	case b.Read != nil && b.Write != nil:
		return &Error{Name: NotSupportedError, Member: member + "write", Message: "cannot be together with read"}
	case b.Write != nil && len(allowed) != 1:
		return &Error{Name: NotSupportedError, Member: member + "write", Message: "needs exactly one element in allowCredentials"}
	}
	return nil
}

// support returns the value of support, preferred for unknown ones.
func (b *largeBlobInputs) support() string {
	if b.Support.s == required {
		return required
	}
	return preferred
}

func (b *largeBlobInputs) reads() bool  { return b != nil && b.Read != nil && *b.Read }
func (b *largeBlobInputs) writes() bool { return b != nil && b.Write != nil }

// requiresLargeBlob tells whether the page takes no credential without room for a
// large blob.
func (x *creationExtensions) requiresLargeBlob() bool {
	return x != nil && x.LargeBlob != nil && x.LargeBlob.support() == required
}

// keepsBlobs tells whether a device could keep a large blob with the new credential.
func (c *creation) keepsBlobs(d *candidate) bool {
	return blobsByKey(d.info) && c.discoverable(d) || !blobsByKey(d.info) && platform.Has(d.info, extLargeBlob)
}

// created returns the output of a registration.
func (b *largeBlobInputs) created(made *platform.Registration) (*largeBlobOutputs, error) {
	if b == nil {
		return nil, nil
	}
	supported := len(made.LargeBlobKey) == 32
	if raw := made.UnsignedExtensions[extLargeBlob]; raw != nil {
		var out struct {
			Supported bool `cbor:"supported"`
		}
		if err := ctap.DecodeLoose(raw, &out); err != nil {
			return nil, &platform.Broken{Doing: extLargeBlob, Reason: "its output cannot be read", Err: err}
		}
		supported = supported || out.Supported
	}
	return &largeBlobOutputs{supported: &supported}, nil
}

// addLargeBlob adds the input of CTAP 2.3's largeBlob to an assertion.
func (in *inputs) addLargeBlob(b *largeBlobInputs) {
	if b.reads() {
		in.add(extLargeBlob, true, map[string]bool{"read": true})
		return
	}
	compressed, err := platform.Compress(b.Write)
	if err != nil {
		in.err = err
		return
	}
	in.add(extLargeBlob, true, map[string]any{"write": compressed, "originalSize": len(b.Write)})
}

// writesArray tells whether a request will write to the device's large-blob array,
// which takes a verified user as soon as the device can verify one.
func (c *request) writesArray(d *candidate) bool {
	return c.options.largeBlob().writes() && blobsByKey(d.info)
}

func (o *requestOptions) largeBlob() *largeBlobInputs {
	if o.Extensions == nil {
		return nil
	}
	return o.Extensions.LargeBlob
}

// largeBlob does what the page asks for with the large blob of the credential that
// signed, and returns the output; nil when it asks for nothing.
func (c *request) largeBlob(ctx context.Context, d *candidate, got *platform.Assertion, token *platform.Token) (*largeBlobOutputs, error) {
	b := c.options.largeBlob()
	switch {
	case b.reads():
		blob, err := readBlob(ctx, d, got)
		return &largeBlobOutputs{blob: blob}, err
	case b.writes():
		written, err := writeBlob(ctx, d, got, token, b.Write)
		return &largeBlobOutputs{written: &written}, err
	}
	return nil, nil
}

// readBlob returns the large blob, nil for none.
func readBlob(ctx context.Context, d *candidate, got *platform.Assertion) ([]byte, error) {
	if got.LargeBlobKey != nil && blobsByKey(d.info) {
		blob, err := d.host.ReadLargeBlob(ctx, got.LargeBlobKey)
		if refused(err) || errors.Is(err, platform.ErrNoLargeBlob) {
			return nil, nil
		}
		return blob, err
	}
	raw := got.UnsignedExtensions[extLargeBlob]
	if raw == nil {
		return nil, nil
	}
	var out struct {
		Blob         ctap.Bytes `cbor:"blob"`
		OriginalSize uint64     `cbor:"originalSize"`
	}
	if err := ctap.DecodeLoose(raw, &out); err != nil || out.Blob == nil {
		return nil, nil // not successful, as section 10.1.5 says
	}
	blob, err := platform.Decompress(out.Blob, out.OriginalSize)
	if err != nil {
		return nil, &platform.Broken{Doing: extLargeBlob, Reason: "a blob that does not unpack", Err: err}
	}
	return blob, nil
}

// writeBlob tells whether the large blob was written.
func writeBlob(ctx context.Context, d *candidate, got *platform.Assertion, token *platform.Token, blob []byte) (bool, error) {
	if got.LargeBlobKey != nil && blobsByKey(d.info) {
		err := d.host.WriteLargeBlob(ctx, token, got.LargeBlobKey, blob)
		if refused(err) {
			return false, nil
		}
		return err == nil, err
	}
	return writtenBlob(got.UnsignedExtensions[extLargeBlob]), nil
}

func writtenBlob(raw cbor.RawMessage) bool {
	var out struct {
		Written bool `cbor:"written"`
	}
	return raw != nil && ctap.DecodeLoose(raw, &out) == nil && out.Written
}

// refused tells whether a working authenticator said no.
func refused(err error) bool {
	var r *platform.Refused
	return errors.As(err, &r)
}
