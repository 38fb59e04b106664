package ctap

import (
	"bytes"
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// The encoder writes the CTAP2 canonical form; the decoder is lenient where
// CheckCanonical has been strict before it.
var (
	encMode = must(cbor.CTAP2EncOptions().UserBufferEncMode())
	decMode = must(cbor.DecOptions{
		DupMapKey:       cbor.DupMapKeyEnforcedAPF,
		IndefLength:     cbor.IndefLengthForbidden,
		TagsMd:          cbor.TagsForbidden,
		MaxNestedLevels: 16,
		UTF8:            cbor.UTF8RejectInvalid,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // options of ours that the library refuses: a mistake in this file
	}
	return v
}

// Encode writes v in the CTAP2 canonical form. It fails only for a Go type that
// CBOR cannot hold.
func Encode(v any) ([]byte, error) { return encMode.Marshal(v) }

// EncodeTo appends v, in the CTAP2 canonical form, to b.
func EncodeTo(b *bytes.Buffer, v any) error { return encMode.MarshalToBuffer(v, b) }

// Decode reads the parameters of a request strictly into v, a pointer to a
// message. Its error is the Status to answer with: ErrInvalidCBOR for what is
// malformed or not canonical, ErrCBORUnexpectedType for a member of another type
// than v has, ErrMissingParameter for no parameters at all. Members that v does
// not know are ignored.
func Decode(b []byte, v any) error {
	if len(b) == 0 {
		return ErrMissingParameter
	}
	if err := CheckCanonical(b); err != nil {
		return err
	}
	if b[0]>>5 != 5 { // parameters are a map
		return ErrCBORUnexpectedType
	}
	return DecodeLoose(b, v)
}

// DecodeLoose reads CBOR into v without insisting on the canonical form, as a
// platform reads an authenticator's answer. Its errors are those of [Decode].
func DecodeLoose(b []byte, v any) error {
	err := decMode.Unmarshal(b, v)
	if err == nil {
		return nil
	}
	var wrongType *cbor.UnmarshalTypeError
	if errors.As(err, &wrongType) || errors.Is(err, ErrCBORUnexpectedType) {
		return ErrCBORUnexpectedType
	}
	return ErrInvalidCBOR
}

// NewRequest encodes a request: the command and its parameters, nil for none.
func NewRequest(command Command, params any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(byte(command))
	if params != nil {
		if err := EncodeTo(&b, params); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}
