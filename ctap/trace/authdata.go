package trace

import (
	"encoding/binary"
	"fmt"

	"fido-emu/ctap"
)

// AuthenticatorData takes authenticator data apart (WebAuthn, section 6.1), as far
// as it goes.
func AuthenticatorData(b []byte) []Field {
	if len(b) < 37 {
		return []Field{malformed(fmt.Errorf("%d bytes, at least 37 needed: %s", len(b), Bytes(b)))}
	}
	flags := ctap.Flags(b[32])
	fields := []Field{
		{Name: "rpIdHash", Value: Bytes(b[:32])},
		{Name: "flags", Value: fmt.Sprintf("%s (0x%02x)", orNone(flags.String()), byte(flags))},
		{Name: "signCount", Value: fmt.Sprint(binary.BigEndian.Uint32(b[33:37]))},
	}
	rest := b[37:]
	if flags&ctap.FlagAT != 0 {
		var f Field
		f, rest = attested(rest)
		fields = append(fields, f)
	}
	if flags&ctap.FlagED != 0 && len(rest) > 0 {
		var n node
		n, rest = parse(rest)
		fields = append(fields, extensions.field("extensions", n))
	}
	if len(rest) > 0 {
		fields = append(fields, Field{Name: "left over", Value: Bytes(rest)})
	}
	return fields
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// attested takes attestedCredentialData apart (WebAuthn, section 6.5.1).
func attested(b []byte) (f Field, rest []byte) {
	f.Name = "attestedCredentialData"
	if len(b) < 18 {
		f.Fields = []Field{malformed(fmt.Errorf("%d bytes, at least 18 needed: %s", len(b), Bytes(b)))}
		return f, nil
	}
	f.Fields = []Field{{Name: "aaguid", Value: ctap.AAGUID(b[:16]).String()}}
	n := int(binary.BigEndian.Uint16(b[16:18]))
	b = b[18:]
	if len(b) < n {
		f.Fields = append(f.Fields, malformed(fmt.Errorf("a credential id of %d bytes, %d there", n, len(b))))
		return f, nil
	}
	f.Fields = append(f.Fields, Field{Name: "credentialId", Value: Bytes(b[:n])})
	key, rest := parse(b[n:])
	f.Fields = append(f.Fields, show(coseKey).field("credentialPublicKey", key))
	return f, rest
}

// authData shows a byte string that holds authenticator data.
func authData(n node) (string, []Field) {
	if n.major != majorBytes {
		return plain(n)
	}
	return fmt.Sprintf("(%d bytes)", len(n.str)), AuthenticatorData(n.str)
}
