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

// TestRFC6979 signs with the keys of RFC 6979 A.2.5, and with one of secp256k1 that
// wallets are tested with, and expects their signatures.
func TestRFC6979(t *testing.T) {
	var file struct {
		Vectors []struct {
			Curve, Hash, Message, Private, R, S string
		}
	}
	load(t, "testdata/rfc6979.json", &file)
	algorithms := map[string]cose.Algorithm{ // the other curves are there with another hash than that of their algorithm
		"P-256 sha256": cose.ES256, "secp256k1 sha256": cose.ES256K,
	}
	ran := map[cose.Algorithm]int{}
	for _, v := range file.Vectors {
		alg, ok := algorithms[v.Curve+" "+v.Hash]
		if !ok {
			continue
		}
		private, err := hex.DecodeString(v.Private)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := New(rand.Reader, false).Sign(alg, private, []byte(v.Message))
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(sig, &got); err != nil {
			t.Fatal(err)
		}
		if strings.TrimLeft(v.R, "0") != fmt.Sprintf("%X", got.R) || strings.TrimLeft(v.S, "0") != fmt.Sprintf("%X", got.S) {
			t.Errorf("%s, message %q: r %x, s %x", alg, v.Message, got.R, got.S)
		}
		ran[alg]++
	}
	if ran[cose.ES256] < 2 || ran[cose.ES256K] < 1 {
		t.Errorf("only %v ran", ran)
	}
}

// TestMLDSA signs with the seeds of Project Wycheproof, deterministically.
func TestMLDSA(t *testing.T) {
	var file struct {
		Vectors []struct {
			Alg                              cose.Algorithm
			TcID                             int
			Comment                          string
			Seed, Public, Message, Signature []byte
		}
	}
	load(t, "testdata/mldsa.json", &file)
	for _, v := range file.Vectors {
		sig, err := New(rand.Reader, false).Sign(v.Alg, v.Seed, v.Message)
		if err != nil || !bytes.Equal(sig, v.Signature) {
			t.Errorf("%s %d %s: another signature, %v", v.Alg, v.TcID, v.Comment, err)
		}
		_, public, err := New(bytes.NewReader(v.Seed), false).Generate(v.Alg)
		if err != nil || !bytes.HasSuffix(public, v.Public) {
			t.Errorf("%s %d %s: another key, %v", v.Alg, v.TcID, v.Comment, err)
		}
	}
	if len(file.Vectors) < 20 {
		t.Errorf("%d vectors ran", len(file.Vectors))
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
