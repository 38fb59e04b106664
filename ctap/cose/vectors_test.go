package cose

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"filippo.io/mldsa"
)

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

// wycheproof is a selection of Project Wycheproof: what verifies, what must not, and
// the keys in two forms.
type wycheproof struct {
	Groups []struct {
		Alg        Algorithm
		Cose, SPKI []byte
		Tests      []struct {
			TcID     int
			Comment  string
			Msg, Sig []byte
			Valid    bool
		}
	}
}

func TestWycheproof(t *testing.T) {
	var file wycheproof
	load(t, "testdata/wycheproof.json", &file)
	ran := map[Algorithm]map[bool]int{}
	for _, g := range file.Groups {
		if ran[g.Alg] == nil {
			ran[g.Alg] = map[bool]int{}
		}
		for _, c := range g.Tests {
			ran[g.Alg][c.Valid]++
			err := Verify(g.Cose, c.Msg, c.Sig)
			if c.Valid != (err == nil) || err != nil && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrKey) {
				t.Errorf("%s %d %s: valid %t, found %v", g.Alg, c.TcID, c.Comment, c.Valid, err)
			}
		}
	}
	for _, alg := range []Algorithm{ES256, ES384, ES512, ES256K, EdDSA, RS256, PS256, MLDSA44, MLDSA65, MLDSA87} {
		if ran[alg][true] < 2 || ran[alg][false] < 3 {
			t.Errorf("%s: only %v ran", alg, ran[alg])
		}
	}
}

// TestSPKI writes the keys of the vectors as their authors do.
func TestSPKI(t *testing.T) {
	var file wycheproof
	load(t, "testdata/wycheproof.json", &file)
	ran := map[Algorithm]bool{}
	for _, g := range file.Groups {
		_, key, err := Parse(g.Cose)
		if err != nil || g.SPKI == nil {
			continue
		}
		ran[g.Alg] = true
		if got, err := SPKI(key); err != nil || !bytes.Equal(got, g.SPKI) {
			t.Errorf("%s: %x, %v, want %x", g.Alg, got, err, g.SPKI)
		}
	}
	if len(ran) != 9 { // all but PS256, whose file writes id-RSASSA-PSS
		t.Errorf("only %v ran", ran)
	}
}

// TestRFC9964 reads the keys and verifies the signatures of the standard's authors,
// and makes the keys of their seeds.
func TestRFC9964(t *testing.T) {
	var file struct {
		Examples []struct {
			Alg                                   Algorithm
			Seed, Key, Public, Message, Signature []byte
		}
	}
	load(t, "testdata/cose-wg-mldsa.json", &file)
	for _, e := range file.Examples {
		alg, key, err := Parse(e.Key) // with a kid, which is passed over
		if err != nil || alg != e.Alg {
			t.Fatalf("%s: read as %s, %v", e.Alg, alg, err)
		}
		if err := Verify(e.Key, e.Message, e.Signature); err != nil {
			t.Error(err)
		}
		if err := Verify(e.Key, e.Message[1:], e.Signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: another message: %v", alg, err)
		}
		for _, other := range []Algorithm{MLDSA44, MLDSA65, MLDSA87, ES256, EdDSA} {
			if err := VerifyWith(other, key, e.Message, e.Signature); other != alg && err == nil {
				t.Errorf("%s verifies as %s", alg, other)
			}
		}
		params, _ := MLDSA(alg)
		private, err := mldsa.NewPrivateKey(params, e.Seed)
		if err != nil {
			t.Fatal(err)
		}
		if !private.PublicKey().Equal(key) || !bytes.Equal(private.PublicKey().Bytes(), e.Public) {
			t.Errorf("%s: the seed gives another key", alg)
		}
	}
	if len(file.Examples) != 3 {
		t.Errorf("%d examples ran", len(file.Examples))
	}
}
