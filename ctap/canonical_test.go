package ctap

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// cborVectors is testdata/cbor.json: RFC 8949 appendix A and the canonical cases
// of python-fido2's tests, with negatives derived from the canonical rules.
type cborVectors struct {
	Valid    []struct{ CBOR string }
	KeyOrder []struct{ CBOR, Entries string } `json:"key_order"`
	Reject   []struct{ CBOR, Why string }     `json:"must_reject_when_strict"`
}

func loadCBORVectors(t *testing.T) (v cborVectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/cbor.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckCanonicalVectors(t *testing.T) {
	v := loadCBORVectors(t)
	for _, c := range v.Valid {
		want := error(nil)
		if c.CBOR == "f6" {
			want = ErrCBORUnexpectedType // null is well formed and in no message
		}
		if err := CheckCanonical(unhex(t, c.CBOR)); err != want {
			t.Errorf("%s: %v, want %v", c.CBOR, err, want)
		}
	}
	for _, c := range v.KeyOrder {
		if c.CBOR == "" {
			continue
		}
		if err := CheckCanonical(unhex(t, c.CBOR)); err != nil {
			t.Errorf("%s %s: %v", c.CBOR, c.Entries, err)
		}
	}
	for _, c := range v.Reject {
		if err := CheckCanonical(unhex(t, c.CBOR)); err != ErrInvalidCBOR {
			t.Errorf("%s (%s): %v", c.CBOR, c.Why, err)
		}
	}
}

func TestCheckCanonicalTruncated(t *testing.T) {
	whole := unhex(t, "a3014401020304026161190100f5")
	if err := CheckCanonical(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := CheckCanonical(whole[:n]); err != ErrInvalidCBOR {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

func TestDecodeTellsErrorsApart(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		want      error
	}{
		{"nothing at all", "", ErrMissingParameter},
		{"a list", "80", ErrCBORUnexpectedType},
		{"text for bytes", "a1026161", ErrCBORUnexpectedType},
		{"integer for text", "a10101", ErrCBORUnexpectedType},
		{"null for bytes", "a102f6", ErrCBORUnexpectedType},
		{"list for bytes", "a1028101", ErrCBORUnexpectedType},
		{"integer for a boolean option", "a105a162757001", ErrCBORUnexpectedType},
		{"float for an integer", "a107f93c00", ErrCBORUnexpectedType},
		{"negative for unsigned", "a10720", ErrCBORUnexpectedType},
		{"list entry of another type", "a1038101", ErrCBORUnexpectedType},
		{"cut short", "a10142", ErrInvalidCBOR},
		{"tag", "a101c06161", ErrInvalidCBOR},
		{"unknown members", "a20161611820f5", nil},
	} {
		var r GetAssertionRequest
		if err := Decode(unhex(t, c.hex), &r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEmptyIsNotAbsent(t *testing.T) {
	request := MakeCredentialRequest{ClientDataHash: []byte{1}, PinUvAuthParam: []byte{}}
	b, err := Encode(request)
	if err != nil {
		t.Fatal(err)
	}
	var got MakeCredentialRequest
	if err := Decode(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.PinUvAuthParam == nil || got.ExcludeList != nil {
		t.Errorf("empty pinUvAuthParam read as %v, absent excludeList as %v", got.PinUvAuthParam, got.ExcludeList)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0xA1, 0x01, 0x41, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		var r MakeCredentialRequest
		if Decode(b, &r) != nil {
			return
		}
		again, err := Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckCanonical(again); err != nil {
			t.Errorf("%x encodes as %x: %v", b, again, err)
		}
	})
}

func FuzzParseAuthenticatorData(f *testing.F) {
	d := AuthenticatorData{Flags: FlagUP, Attested: &AttestedCredential{ID: []byte{1}, PublicKey: []byte{0xA0}}}
	f.Add(d.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseAuthenticatorData(b)
		if err == nil && string(d.Append(nil)) != string(b) {
			t.Errorf("%x reads and writes as %x", b, d.Append(nil))
		}
	})
}
