package ctap

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// AAGUID identifies a model of authenticator. The zero value is a model that
// does not say.
type AAGUID [16]byte

// ParseAAGUID reads the usual form, 8-4-4-4-12 hexadecimal digits; the dashes
// may be left out.
func ParseAAGUID(s string) (AAGUID, error) {
	var a AAGUID
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != len(a) {
		return a, fmt.Errorf("AAGUID %q: want 32 hexadecimal digits, as in ee882879-721c-4913-9775-3dfcce97072a", s)
	}
	copy(a[:], b)
	return a, nil
}

// String returns the form with dashes.
func (a AAGUID) String() string {
	h := hex.EncodeToString(a[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// MarshalText writes the form with dashes.
func (a AAGUID) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseAAGUID] reads.
func (a *AAGUID) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAAGUID(string(text))
	return err
}

// Flags is the flags byte of authenticator data (WebAuthn, section 6.1).
type Flags byte

// The flags of WebAuthn section 6.1.
const (
	FlagUP Flags = 0x01 // user present
	FlagUV Flags = 0x04 // user verified
	FlagBE Flags = 0x08 // backup eligible
	FlagBS Flags = 0x10 // backup state: backed up now
	FlagAT Flags = 0x40 // attested credential data follows
	FlagED Flags = 0x80 // extension data follows
)

// String lists the flags that are set, as in "UP UV AT".
func (f Flags) String() string {
	var set []string
	for i, name := range [8]string{"UP", "RFU1", "UV", "BE", "BS", "RFU2", "AT", "ED"} {
		if f&(1<<i) != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, " ")
}

// AuthenticatorData is what an authenticator signs about itself and a ceremony
// (WebAuthn, section 6.1).
type AuthenticatorData struct {
	RPIDHash   [32]byte
	Flags      Flags // AT and ED are set by Append from the members below
	SignCount  uint32
	Attested   *AttestedCredential // registration only
	Extensions cbor.RawMessage     // a CBOR map, nil for none
}

// AttestedCredential is attestedCredentialData (WebAuthn, section 6.5.1).
type AttestedCredential struct {
	AAGUID    AAGUID
	ID        []byte // at most 1023 bytes
	PublicKey []byte // COSE_Key in CBOR
}

// Append appends the encoding of d to b.
func (d *AuthenticatorData) Append(b []byte) []byte {
	flags := d.Flags &^ (FlagAT | FlagED)
	if d.Attested != nil {
		flags |= FlagAT
	}
	if d.Extensions != nil {
		flags |= FlagED
	}
	b = append(b, d.RPIDHash[:]...)
	b = append(b, byte(flags))
	b = binary.BigEndian.AppendUint32(b, d.SignCount)
	if a := d.Attested; a != nil {
		b = append(b, a.AAGUID[:]...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(a.ID)))
		b = append(b, a.ID...)
		b = append(b, a.PublicKey...)
	}
	return append(b, d.Extensions...)
}

var errAuthData = errors.New("authenticator data")

// ParseAuthenticatorData reads authenticator data and refuses anything cut short
// or with bytes left over. The result shares no memory with b.
func ParseAuthenticatorData(b []byte) (*AuthenticatorData, error) {
	if len(b) < 37 {
		return nil, fmt.Errorf("%w: %d bytes, at least 37 needed", errAuthData, len(b))
	}
	d := &AuthenticatorData{Flags: Flags(b[32]), SignCount: binary.BigEndian.Uint32(b[33:37])}
	copy(d.RPIDHash[:], b)
	rest := append([]byte(nil), b[37:]...)
	var err error
	if d.Flags&FlagAT != 0 {
		if d.Attested, rest, err = parseAttested(rest); err != nil {
			return nil, err
		}
	}
	if d.Flags&FlagED != 0 {
		if rest, err = cbor.UnmarshalFirst(rest, &d.Extensions); err != nil {
			return nil, fmt.Errorf("%w: extensions: %w", errAuthData, err)
		}
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%w: %d bytes left over", errAuthData, len(rest))
	}
	return d, nil
}

func parseAttested(b []byte) (*AttestedCredential, []byte, error) {
	if len(b) < 18 {
		return nil, nil, fmt.Errorf("%w: attested credential data cut short", errAuthData)
	}
	a := &AttestedCredential{AAGUID: AAGUID(b[:16])}
	n := int(binary.BigEndian.Uint16(b[16:18]))
	b = b[18:]
	if len(b) < n {
		return nil, nil, fmt.Errorf("%w: credential id cut short", errAuthData)
	}
	a.ID = b[:n:n]
	var key cbor.RawMessage
	rest, err := cbor.UnmarshalFirst(b[n:], &key)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: public key: %w", errAuthData, err)
	}
	a.PublicKey = key
	return a, rest, nil
}
