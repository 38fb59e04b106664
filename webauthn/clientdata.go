package webauthn

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The types of client data (section 5.8.1).
const (
	TypeCreate = "webauthn.create"
	TypeGet    = "webauthn.get"
)

// ClientData is CollectedClientData (section 5.8.1).
type ClientData struct {
	Type        string
	Challenge   []byte
	Origin      string
	CrossOrigin bool
	TopOrigin   string             // empty for none
	Extra       []ClientDataMember // further members, which clients may add and relying parties must tolerate
}

// ClientDataMember is a further member of client data.
type ClientDataMember struct {
	Name  string
	Value jsontext.Value // JSON
}

// JSON returns the JSON-compatible serialisation of client data (section
// 5.8.1.1), byte for byte as the standard has it.
func (c *ClientData) JSON() []byte {
	b := make([]byte, 0, 128+len(c.Challenge)*4/3+len(c.Origin)+len(c.TopOrigin))
	b = appendCCD(append(b, `{"type":`...), c.Type)
	b = append(b, `,"challenge":"`...)
	b = base64.RawURLEncoding.AppendEncode(b, c.Challenge)
	b = appendCCD(append(b, `","origin":`...), c.Origin)
	if c.CrossOrigin {
		b = append(b, `,"crossOrigin":true`...)
	} else {
		b = append(b, `,"crossOrigin":false`...)
	}
	if c.TopOrigin != "" {
		b = appendCCD(append(b, `,"topOrigin":`...), c.TopOrigin)
	}
	for _, m := range c.Extra {
		b = appendCCD(append(b, ','), m.Name)
		b = append(append(b, ':'), m.Value...)
	}
	return append(b, '}')
}

// appendCCD appends a string as CCDToString writes it: quotation mark, backslash
// and control characters escaped, all else as it is.
func appendCCD(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// ParseClientData reads client data as a relying party does (section 7.1 steps 5
// and 6): any JSON object, with or without a byte order mark.
func ParseClientData(b []byte) (*ClientData, error) {
	all, err := members(bytes.TrimPrefix(b, []byte("\uFEFF")))
	if err != nil {
		return nil, fmt.Errorf("client data: %w", err)
	}
	var c ClientData
	var typ, origin, topOrigin text
	var challenge base64URL
	known := map[string]any{
		"type": &typ, "challenge": &challenge, "origin": &origin,
		"crossOrigin": &c.CrossOrigin, "topOrigin": &topOrigin,
	}
	for _, m := range all {
		into, ok := known[m.Name]
		if !ok {
			c.Extra = append(c.Extra, m)
			continue
		}
		if err := json.Unmarshal(m.Value, into); err != nil {
			return nil, fmt.Errorf("client data: %s: %w", m.Name, err)
		}
	}
	if !typ.set || challenge == nil || !origin.set {
		return nil, fmt.Errorf("client data: type, challenge or origin is missing")
	}
	c.Type, c.Challenge, c.Origin, c.TopOrigin = typ.s, challenge, origin.s, topOrigin.s
	return &c, nil
}

// members splits a JSON object into its members in order.
func members(object []byte) ([]ClientDataMember, error) {
	if !jsontext.Value(object).IsValid() || jsontext.Value(object).Kind() != '{' {
		return nil, errors.New("not a JSON object")
	}
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var all []ClientDataMember
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := ClientDataMember{Name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		m.Value = value.Clone()
		all = append(all, m)
	}
	return all, nil
}
