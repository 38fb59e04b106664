package attestation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

type vector struct {
	ID                string `json:"id"`
	ClientDataJSON    string `json:"clientDataJSON"`
	AttestationObject string `json:"attestationObject"`
}

type object struct {
	Format    string          `cbor:"fmt"`
	Statement cbor.RawMessage `cbor:"attStmt"`
	AuthData  []byte          `cbor:"authData"`
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readVectors(t testing.TB) (vectors []vector, root *x509.Certificate) {
	t.Helper()
	raw, err := os.ReadFile("testdata/webauthn_l3.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Root    string   `json:"attestation_ca_cert"`
		Vectors []vector `json:"vectors"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if root, err = x509.ParseCertificate(unhex(t, file.Root)); err != nil {
		t.Fatal(err)
	}
	return file.Vectors, root
}

func (v vector) open(t testing.TB) (object, []byte) {
	t.Helper()
	var o object
	if err := cbor.Unmarshal(unhex(t, v.AttestationObject), &o); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(unhex(t, v.ClientDataJSON))
	return o, hash[:]
}

func TestVectors(t *testing.T) {
	want := map[string]Type{
		"none-es256": None, "none-es256-crossOrigin": None, "none-es256-topOrigin": None,
		"none-es256-long-credential-id": None, "packed-self-es256": Self,
		"packed-es256": Basic, "packed-es384": Basic, "packed-es512": Basic,
		"packed-rs256": Basic, "packed-eddsa": Basic, "packed-ed448": Basic,
		"tpm-es256": AttCA, "apple-es256": AnonCA,
		"android-key-es256": "", "fido-u2f-es256": "",
	}
	// Two vectors do not do what the text of their format, or CTAP, asks.
	refused := map[string]string{
		"android-key-es256": "origin is []",                               // both lists are empty
		"fido-u2f-es256":    "AAGUID is afb3c2ef-c054-df42-5013-d5c88e79", // not zeros
	}
	vectors, root := readVectors(t)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	seen := 0
	for _, v := range vectors {
		o, hash := v.open(t)
		if verifiers[o.Format] == nil {
			continue
		}
		seen++
		t.Run(v.ID, func(t *testing.T) {
			r, err := Verify(o.Format, o.Statement, o.AuthData, hash)
			if reason := refused[v.ID]; reason != "" {
				if err == nil || !strings.Contains(err.Error(), reason) {
					t.Errorf("got %v, want an error about %s", err, reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Type != want[v.ID] || r.Format != o.Format {
				t.Errorf("got %s of %s, want %s", r.Type, r.Format, want[v.ID])
			}
			err = r.Trusted(roots, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			if trusted := r.Chain != nil; trusted != (err == nil) {
				t.Errorf("trusted: %v", err)
			}
		})
	}
	if seen != len(want) {
		t.Errorf("%d vectors were checked, want %d", seen, len(want))
	}
}

// A verifier that accepts everything would pass TestVectors.
func TestVectorsOfAnotherCeremony(t *testing.T) {
	vectors, _ := readVectors(t)
	for _, v := range vectors {
		o, hash := v.open(t)
		if verifiers[o.Format] == nil || o.Format == FormatNone {
			continue
		}
		t.Run(v.ID, func(t *testing.T) {
			hash[0] ^= 1
			if _, err := Verify(o.Format, o.Statement, o.AuthData, hash); !errors.Is(err, ErrStatement) {
				t.Errorf("another client data hash: %v", err)
			}
			hash[0] ^= 1
			o.AuthData[32] ^= 4 // the UV flag
			if _, err := Verify(o.Format, o.Statement, o.AuthData, hash); !errors.Is(err, ErrStatement) {
				t.Errorf("another flag: %v", err)
			}
		})
	}
}
