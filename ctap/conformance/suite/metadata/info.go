package metadata

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap/conformance"
)

// member is a member of getInfo as a statement has it.
type member struct {
	key   int
	name  string
	bytes func([]byte) string // how bytes are written; nil where there are none
}

// stated are the members that are the same for every new authenticator of a model;
// remainingDiscoverableCredentials and what is encrypted anew are not among them.
func stated() []member {
	return []member{
		{0x01, "versions", nil}, {0x02, "extensions", nil}, {0x03, "aaguid", hex.EncodeToString}, {0x04, "options", nil},
		{0x05, "maxMsgSize", nil}, {0x06, "pinUvAuthProtocols", nil}, {0x07, "maxCredentialCountInList", nil},
		{0x08, "maxCredentialIdLength", nil}, {0x09, "transports", nil}, {0x0A, "algorithms", nil},
		{0x0B, "maxSerializedLargeBlobArray", nil}, {0x0D, "minPINLength", nil},
		{0x0E, "firmwareVersion", nil}, {0x0F, "maxCredBlobLength", nil}, {0x10, "maxRPIDsForSetMinPINLength", nil},
		{0x11, "preferredPlatformUvAttempts", nil}, {0x12, "uvModality", nil}, {0x13, "certifications", nil},
		{0x15, "vendorPrototypeConfigCommands", nil}, {0x16, "attestationFormats", nil}, {0x18, "longTouchForReset", nil},
		{0x1A, "transportsForReset", nil}, {0x1B, "pinComplexityPolicy", nil},
		{0x1C, "pinComplexityPolicyURL", base64.StdEncoding.EncodeToString}, {0x1D, "maxPINLength", nil},
		{0x1F, "authenticatorConfigCommands", nil},
	}
}

// infoMembers compares authenticatorGetInfo with the answer of an authenticator that
// was just reset.
func infoMembers() []conformance.Case {
	there := fido2("getInfo", "authenticatorGetInfo is there", func(r *conformance.Run, s *conformance.Statement) {
		r.Check(len(s.GetInfo) > 0, "authenticatorGetInfo is missing")
	})
	return append(conformance.Each(stated(), func(m member) conformance.Case {
		c := fido2("getInfo."+m.name, m.name+" in authenticatorGetInfo is that of a new authenticator, absent where it is absent", func(r *conformance.Run, s *conformance.Statement) {
			r.Require(len(s.GetInfo) > 0, "authenticatorGetInfo is missing")
			var all map[int]cbor.RawMessage
			r.Send(4, nil).OK().Into(&all)
			want, got := m.written(r, all[m.key]), compact(r, s.GetInfo[m.name])
			conformance.Equal(r, m.name, got, want)
		})
		c.Start = conformance.Blank
		return c
	}), there)
}

// written is a member of getInfo as it stands in a statement; empty where it is absent.
func (m member) written(r *conformance.Run, raw cbor.RawMessage) string {
	if raw == nil {
		return ""
	}
	var value any
	err := cbor.Unmarshal(raw, &value)
	r.Require(err == nil, "%s: %v", m.name, err)
	text, err := json.Marshal(plain(value, m.bytes))
	r.Broken(err)
	return compact(r, text)
}

// plain turns what CBOR held into what JSON can.
func plain(value any, bytesAs func([]byte) string) any {
	switch v := value.(type) {
	case []byte:
		if bytesAs != nil {
			return bytesAs(v)
		}
		return fmt.Sprintf("bytes %x", v)
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = plain(v[i], bytesAs)
		}
		return all
	case map[any]any:
		all := map[string]any{}
		for k, x := range v {
			all[fmt.Sprint(k)] = plain(x, bytesAs)
		}
		return all
	}
	return value
}

// compact writes JSON with the members of objects in order, and numbers as they are.
func compact(r *conformance.Run, text json.RawMessage) string {
	if text == nil {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	r.Require(d.Decode(&value) == nil, "authenticatorGetInfo holds what is no JSON: %s", text)
	b, err := json.Marshal(value)
	r.Broken(err)
	return string(b)
}
