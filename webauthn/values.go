package webauthn

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fido-emu/ctap"
)

// The types of this file read the values of options strictly: of one JSON type,
// and null only where WebIDL's conversion lets a page get away with it, which is
// for dictionaries and for strings that name a choice.

var errBase64URL = errors.New("not base64url without padding")

// text is a DOMString.
type text struct {
	s   string
	set bool
}

func (t *text) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() != '"' {
		return wrongType("string", value.Kind())
	}
	t.s, err = unquote(value)
	t.set = true
	return err
}

// unquote returns what a JSON string says. The string that options say over and
// over takes no memory.
func unquote(value jsontext.Value) (string, error) {
	if string(value) == `"`+ctap.PublicKeyCredential+`"` {
		return ctap.PublicKeyCredential, nil
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, value)
	return string(b), err
}

// choice is a DOMString that names a value of an enumeration. Unknown ones are
// ignored by whoever reads them, and so is null, which WebIDL turns into "null".
type choice string

func (c *choice) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case '"':
		s, err := unquote(value)
		*c = choice(s)
		return err
	case 'n':
		*c = ""
		return nil
	}
	return wrongType("string", value.Kind())
}

// base64URL is a Base64URLString; nil is one that is absent.
type base64URL []byte

func (b *base64URL) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadValue()
	if err != nil {
		return err
	}
	if value.Kind() != '"' {
		return wrongType("string", value.Kind())
	}
	*b, err = decodeBase64URL(value[1 : len(value)-1]) // what JSON escapes is not in the alphabet
	return err
}

func decodeBase64URL(s []byte) ([]byte, error) {
	if bytes.ContainsAny(s, "\r\n") { // which encoding/base64 skips
		return nil, errBase64URL
	}
	b := make([]byte, base64.RawURLEncoding.DecodedLen(len(s)))
	n, err := base64.RawURLEncoding.Decode(b, s)
	if err != nil {
		return nil, errBase64URL
	}
	return b[:n], nil
}

// list is a sequence.
type list[T any] []T

func (l *list[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if k := d.PeekKind(); k == 'n' {
		return wrongType("array", k)
	}
	return json.UnmarshalDecode(d, (*[]T)(l))
}

func wrongType(want string, got jsontext.Kind) error {
	return fmt.Errorf("want a JSON %s, got %s", want, kindName(got))
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "something else"
}
