package extensions

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

const largeBlobID = "largeBlob"

// supported makes a discoverable credential that can have a large blob.
func supported(r *run) *conformance.Credential {
	c := r.Create(askingPasskey(r, s{largeBlobID: s{"support": "required"}}))
	var out struct {
		Supported bool `cbor:"supported"`
	}
	r.Require(ctap.DecodeLoose(unsignedOutput(r, c.Response.UnsignedExtensions), &out) == nil && out.Supported, "the output does not say supported: %x", unsignedOutput(r, c.Response.UnsignedExtensions))
	return c
}

// unsignedOutput returns the unsigned output of largeBlob.
func unsignedOutput(r *run, outputs map[string]cbor.RawMessage) []byte {
	raw := outputs[largeBlobID]
	r.Require(raw != nil, "unsignedExtensionOutputs has no largeBlob")
	return raw
}

// write writes a blob and returns whether it was written. An empty one deletes what
// is there.
func write(r *run, c *conformance.Credential, blob []byte, originalSize int) bool {
	a := r.Assert(r.AssertParams(c).With(4, s{largeBlobID: s{"write": blob, "originalSize": originalSize}}), c)
	var out struct {
		Written *bool `cbor:"written"`
	}
	raw := unsignedOutput(r, a.Response.UnsignedExtensions)
	r.Require(ctap.DecodeLoose(raw, &out) == nil && out.Written != nil, "the output does not say whether it was written: %x", raw)
	return *out.Written
}

// read reads a blob, nil where there is none.
func read(r *run, c *conformance.Credential) (blob []byte, originalSize uint64) {
	a := r.Assert(r.AssertParams(c).With(4, s{largeBlobID: s{"read": true}}), c)
	raw := a.Response.UnsignedExtensions[largeBlobID]
	if raw == nil {
		return nil, 0
	}
	var out struct {
		Blob         ctap.Bytes `cbor:"blob"`
		OriginalSize uint64     `cbor:"originalSize"`
	}
	r.Require(ctap.DecodeLoose(raw, &out) == nil, "the output is no blob: %x", []byte(raw))
	return out.Blob, out.OriginalSize
}

func largeBlob() []conformance.Case {
	kept := func(r *run, c *conformance.Credential, want []byte, wantSize uint64) {
		got, size := read(r, c)
		r.Check(bytes.Equal(got, want) && size == wantSize, "the blob is %x of %d bytes, and %x of %d was written", got, size, want, wantSize)
	}
	return of(largeBlobID, conformance.Since23("12.4"), append(largeBlobShapes(),
		stored("largeblob.support", "a discoverable credential can have a blob, which an unsigned output says", func(r *run) {
			absent(r, r.Outputs(supported(r).Data), largeBlobID)
		}),
		stored("largeblob.preferred", "support may be preferred", func(r *run) {
			c := r.Create(askingPasskey(r, s{largeBlobID: s{"support": "preferred"}}))
			unsignedOutput(r, c.Response.UnsignedExtensions)
		}),
		stored("largeblob.write", "what is written is read again, with its original size", func(r *run) {
			c, blob := supported(r), r.Bytes(200)
			r.Require(write(r, c, blob, 1000), "200 bytes are not written")
			kept(r, c, blob, 1000)
			kept(r, c, blob, 1000)
		}),
		stored("largeblob.overwrite", "what is written takes the place of what was there", func(r *run) {
			c, blob := supported(r), r.Bytes(20)
			write(r, c, r.Bytes(100), 500)
			write(r, c, blob, 30)
			kept(r, c, blob, 30)
		}),
		stored("largeblob.delete", "an empty blob deletes what was there", func(r *run) {
			c := supported(r)
			write(r, c, r.Bytes(100), 500)
			write(r, c, []byte{}, 0)
			got, _ := read(r, c)
			r.Check(len(got) == 0, "the blob is %x", got)
		}),
		stored("largeblob.none", "where nothing was written nothing is read", func(r *run) {
			got, _ := read(r, supported(r))
			r.Check(len(got) == 0, "the blob is %x", got)
		}),
		replugged(stored("largeblob.lasts", "the blob outlives a power cycle", func(r *run) {
			c, blob := supported(r), r.Bytes(50)
			write(r, c, blob, 60)
			r.PowerCycle()
			kept(r, c, blob, 60)
		})),
		stored("largeblob.own", "every credential has its own blob", func(r *run) {
			a, b := supported(r), supported(r)
			blob := r.Bytes(40)
			write(r, a, blob, 44)
			got, _ := read(r, b)
			r.Check(len(got) == 0, "another credential has the blob %x", got)
			kept(r, a, blob, 44)
		}),
		stored("largeblob.unsupported", "a credential that was made without the extension takes no blob", func(r *run) {
			c := r.Create(r.PasskeyParams(r.NewSite(), "alice"))
			r.Check(!write(r, c, r.Bytes(10), 10), "written is true")
		}),
		stored("largeblob.unlisted", "a page may write only to credentials that it names", func(r *run) {
			c := supported(r)
			params := r.AssertParamsAt(c.RPID).With(4, s{largeBlobID: s{"write": r.Bytes(10), "originalSize": 10}})
			r.Send(ctap.GetAssertion, r.Authorise(ctap.GetAssertion, params)).Refused()
			got, _ := read(r, c)
			r.Check(len(got) == 0, "it was refused, and written all the same: %x", got)
		}),
	)...)
}

// largeBlobShapes is about inputs that are none.
func largeBlobShapes() []conformance.Case {
	other := conformance.Deviates("implementations differ in the status", ctap.ErrInvalidParameter, ctap.ErrCBORUnexpectedType, ctap.ErrMissingParameter, ctap.ErrInvalidOption)
	return conformance.One(
		once("largeblob.shape.support", "support is required or preferred", func(r *run) {
			for _, input := range []s{{}, {"support": "wanted"}, {"support": "required", "more": 1}} {
				r.Doing("with %v", input)
				create(r, asking(r, s{largeBlobID: input})).Tolerate(other).Want(ctap.ErrInvalidCBOR)
			}
		}),
		stored("largeblob.shape.assertion", "an assertion either reads or writes", func(r *run) {
			c := supported(r)
			for _, input := range []s{
				{}, {"read": true, "write": []byte{1}, "originalSize": 1}, {"write": []byte{1}}, {"originalSize": 1}, {"read": true, "more": 1},
			} {
				r.Doing("with %v", input)
				get(r, c, s{largeBlobID: input}).Tolerate(other).Want(ctap.ErrInvalidCBOR)
			}
		}),
		once("largeblob.type", "an input that is no map is CTAP2_ERR_CBOR_UNEXPECTED_TYPE", func(r *run) {
			for _, input := range []any{true, 1, "required"} {
				create(r, asking(r, s{largeBlobID: input})).Tolerate(other, conformance.TypeAsOthers).Want(ctap.ErrCBORUnexpectedType)
			}
		}),
	)
}
