package softkeys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"fido-emu/ctap/cose"
)

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

func load(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// TestRFC6979 signs with the keys of RFC 6979 A.2.5 and A.2.6 and expects its
// signatures.
func TestRFC6979(t *testing.T) {
	var file struct {
		Vectors []struct {
			Curve, Hash, Message, Private, R, S string
		}
	}
	load(t, "testdata/rfc6979.json", &file)
	ran := 0
	for _, v := range file.Vectors {
		if v.Curve != "P-256" || v.Hash != "sha256" { // ES384 signs SHA-384, of which the file has none
			continue
		}
		private, err := hex.DecodeString(v.Private)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := New(rand.Reader, false).Sign(cose.ES256, private, []byte(v.Message))
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(sig, &got); err != nil {
			t.Fatal(err)
		}
		if strings.TrimLeft(v.R, "0") != fmt.Sprintf("%X", got.R) || strings.TrimLeft(v.S, "0") != fmt.Sprintf("%X", got.S) {
			t.Errorf("message %q: r %x, s %x", v.Message, got.R, got.S)
		}
		ran++
	}
	if ran < 2 {
		t.Errorf("%d vectors ran", ran)
	}
}

// TestRFC8032 signs with the seeds of RFC 8032 section 7.1.
func TestRFC8032(t *testing.T) {
	var file struct {
		Vectors []struct{ Seed, Public, Message, Signature hexBytes }
	}
	load(t, "testdata/ed25519.json", &file)
	for i, v := range file.Vectors {
		sig, err := New(rand.Reader, false).Sign(cose.EdDSA, v.Seed, v.Message)
		if err != nil || !bytes.Equal(sig, v.Signature) {
			t.Errorf("vector %d: %x, %v", i, sig, err)
		}
		public, err := cose.Marshal(cose.EdDSA, ed25519.PublicKey(v.Public))
		if err != nil {
			t.Fatal(err)
		}
		if err := cose.Verify(public, v.Message, v.Signature); err != nil {
			t.Errorf("vector %d: %v", i, err)
		}
	}
}
