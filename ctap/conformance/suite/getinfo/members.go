package getinfo

import (
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// member is a member of section 6.4.
type member struct {
	key   int
	name  string
	rule  conformance.Rule
	want  string            // its type, for people
	major byte              // its major type; 7 for a boolean
	check func([]byte) bool // the rest of the type; may be nil
}

// table is the table of section 6.4.
var table = []member{
	{0x01, "versions", conformance.Since20("6.4"), "a list of text strings", 4, listOf(3)},
	{0x02, "extensions", conformance.Since20("6.4"), "a list of text strings", 4, listOf(3)},
	{0x03, "aaguid", conformance.Since20("6.4"), "a byte string of 16 bytes", 2, bytesOf(16)},
	{0x04, "options", conformance.Since20("6.4"), "a map of text strings to booleans", 5, optionMap},
	{0x05, "maxMsgSize", conformance.Since20("6.4"), "an unsigned integer", 0, nil},
	{0x06, "pinUvAuthProtocols", conformance.Since20("6.4"), "a list of unsigned integers", 4, listOf(0)},
	{0x07, "maxCredentialCountInList", conformance.Since20("6.4"), "an unsigned integer, not 0", 0, atLeast(1)},
	{0x08, "maxCredentialIdLength", conformance.Since20("6.4"), "an unsigned integer, not 0", 0, atLeast(1)},
	{0x09, "transports", conformance.Since20("6.4"), "a list of text strings", 4, listOf(3)},
	{0x0A, "algorithms", conformance.Since20("6.4"), "a list of maps with alg and type", 4, algorithmList},
	{0x0B, "maxSerializedLargeBlobArray", conformance.Since20("6.4"), "an unsigned integer from 1024", 0, atLeast(1024)},
	{0x0C, "forcePINChange", conformance.Since20("6.4"), "a boolean", 7, boolean},
	{0x0D, "minPINLength", conformance.Since20("6.4"), "an unsigned integer from 4", 0, atLeast(4)},
	{0x0E, "firmwareVersion", conformance.Since20("6.4"), "an unsigned integer", 0, nil},
	{0x0F, "maxCredBlobLength", conformance.Since20("6.4"), "an unsigned integer from 32", 0, atLeast(32)},
	{0x10, "maxRPIDsForSetMinPINLength", conformance.Since20("6.4"), "an unsigned integer", 0, nil},
	{0x11, "preferredPlatformUvAttempts", conformance.Since20("6.4"), "an unsigned integer, not 0", 0, atLeast(1)},
	{0x12, "uvModality", conformance.Since20("6.4"), "an unsigned integer", 0, nil},
	{0x13, "certifications", conformance.Since20("6.4"), "a map of text strings to unsigned integers", 5, mapOf(0)},
	{0x14, "remainingDiscoverableCredentials", conformance.Since20("6.4"), "an unsigned integer", 0, nil},
	{0x15, "vendorPrototypeConfigCommands", conformance.Since20("6.4"), "a list of unsigned integers", 4, listOf(0)},
	{0x16, "attestationFormats", conformance.Since22("6.4"), "a list of text strings", 4, listOf(3)},
	{0x17, "uvCountSinceLastPinEntry", conformance.Since22("6.4"), "an unsigned integer", 0, nil},
	{0x18, "longTouchForReset", conformance.Since22("6.4"), "a boolean", 7, boolean},
	{0x19, "encIdentifier", conformance.Since22("6.4"), "a byte string of 32 bytes", 2, bytesOf(32)},
	{0x1A, "transportsForReset", conformance.Since22("6.4"), "a list of text strings", 4, listOf(3)},
	{0x1B, "pinComplexityPolicy", conformance.Since22("6.4"), "a boolean", 7, boolean},
	{0x1C, "pinComplexityPolicyURL", conformance.Since22("6.4"), "a byte string", 2, nil},
	{0x1D, "maxPINLength", conformance.Since22("6.4"), "an unsigned integer from 8 to 63", 0, between(8, 63)},
	{0x1E, "encCredStoreState", conformance.Since23("6.4"), "a byte string of 32 bytes", 2, bytesOf(32)},
	{0x1F, "authenticatorConfigCommands", conformance.Since23("6.4"), "a list of unsigned integers", 4, listOf(0)},
}

// members has a case of the type of every member.
func members() []conformance.Case {
	return conformance.Each(table, func(m member) conformance.Case {
		return conformance.Case{
			ID: "getinfo.type." + m.name, Rule: m.rule, Why: fmt.Sprintf("%s (0x%02X) is %s", m.name, m.key, m.want),
			Needs: needs(m),
			Run: func(r *conformance.Run) {
				v := r.Send(ctap.GetInfo, nil).OK().Member(m.key)
				r.Require(v[0]>>5 == m.major && (m.check == nil || m.check(v)), "%s is %x, which is not %s", m.name, []byte(v), m.want)
			},
		}
	})
}

// needs is the member itself, unless it must always be there.
func needs(m member) []conformance.Need {
	if m.key == 0x01 || m.key == 0x03 {
		return nil
	}
	return []conformance.Need{conformance.Member(m.key)}
}

func listOf(major byte) func([]byte) bool {
	return func(b []byte) bool {
		var items []cbor.RawMessage
		return cbor.Unmarshal(b, &items) == nil && !slices.ContainsFunc(items, func(i cbor.RawMessage) bool { return i[0]>>5 != major })
	}
}

func mapOf(major byte) func([]byte) bool {
	return func(b []byte) bool {
		var items map[string]cbor.RawMessage
		if cbor.Unmarshal(b, &items) != nil {
			return false
		}
		for _, v := range items {
			if v[0]>>5 != major {
				return false
			}
		}
		return true
	}
}

func optionMap(b []byte) bool {
	var items map[string]cbor.RawMessage
	if cbor.Unmarshal(b, &items) != nil {
		return false
	}
	for _, v := range items {
		if !boolean(v) {
			return false
		}
	}
	return true
}

func boolean(b []byte) bool { return len(b) == 1 && (b[0] == 0xF4 || b[0] == 0xF5) }

func bytesOf(n int) func([]byte) bool {
	return func(b []byte) bool {
		var v ctap.Bytes
		return cbor.Unmarshal(b, &v) == nil && len(v) == n
	}
}

func between(low, high uint64) func([]byte) bool {
	return func(b []byte) bool {
		var v uint64
		return cbor.Unmarshal(b, &v) == nil && v >= low && v <= high
	}
}

func atLeast(low uint64) func([]byte) bool { return between(low, 1<<64-1) }

func algorithmList(b []byte) bool {
	var items []map[string]cbor.RawMessage
	if cbor.Unmarshal(b, &items) != nil {
		return false
	}
	return !slices.ContainsFunc(items, func(i map[string]cbor.RawMessage) bool {
		alg, kind := i["alg"], i["type"]
		return len(alg) == 0 || alg[0]>>5 > 1 || len(kind) == 0 || kind[0]>>5 != 3
	})
}
