package softkeys

import (
	"bytes"
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

var algorithms = []cose.Algorithm{cose.ES256, cose.ES384, cose.EdDSA, cose.RS256}

func TestSignaturesVerify(t *testing.T) {
	k := New(rand.Reader, false)
	for _, alg := range algorithms {
		handle, public, err := k.Generate(alg)
		if err != nil {
			t.Fatal(err)
		}
		k.recent = nil // as after a restart: the handle alone must do
		sig, err := k.Sign(alg, handle, []byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		if err := cose.Verify(public, []byte("message"), sig); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if err := cose.Verify(public, []byte("massage"), sig); !errors.Is(err, cose.ErrSignature) {
			t.Errorf("%s: other message: %v", alg, err)
		}
	}
}

func TestSeededIsReproducible(t *testing.T) {
	run := func(seed byte) (all []byte) {
		k := New(mathrand.NewChaCha8([32]byte{seed}), true)
		for _, alg := range algorithms {
			handle, public, err := k.Generate(alg)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := k.Sign(alg, handle, []byte("message"))
			if err != nil {
				t.Fatal(err)
			}
			all = append(append(append(all, handle...), public...), sig...)
		}
		return all
	}
	if !bytes.Equal(run(1), run(1)) {
		t.Error("the same seed gives other keys or signatures")
	}
	if bytes.Equal(run(1), run(2)) {
		t.Error("another seed gives the same keys")
	}
}

func TestUnknownAlgorithm(t *testing.T) {
	if _, _, err := New(rand.Reader, false).Generate(cose.RS1); !errors.Is(err, ctap.ErrUnsupportedAlgorithm) {
		t.Errorf("got %v", err)
	}
}

func TestForgetsOldestKey(t *testing.T) {
	k := New(rand.Reader, false)
	for range 3 * cached {
		if _, _, err := k.Generate(cose.ES256); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.recent) != cached {
		t.Errorf("%d parsed keys remembered, want %d", len(k.recent), cached)
	}
}

func FuzzParse(f *testing.F) {
	k := New(rand.Reader, false)
	f.Add(-7, make([]byte, 32))
	f.Fuzz(func(t *testing.T, alg int, handle []byte) {
		if _, err := k.Sign(cose.Algorithm(alg), handle, nil); err == nil && len(handle) < 32 {
			t.Errorf("signed with a handle of %d bytes", len(handle))
		}
	})
}
