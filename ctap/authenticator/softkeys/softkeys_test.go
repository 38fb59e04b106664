package softkeys

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	mathrand "math/rand/v2"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

func TestSignaturesVerify(t *testing.T) {
	k := New(rand.Reader, false)
	for _, alg := range cose.Algorithms() {
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
		if most := 2 * rsaBits / 16; len(handle) > most {
			t.Errorf("%s: a handle of %d bytes, want at most %d", alg, len(handle), most)
		}
		if err := cose.Verify(public, []byte("massage"), sig); !errors.Is(err, cose.ErrSignature) {
			t.Errorf("%s: other message: %v", alg, err)
		}
	}
}

func TestSeededIsReproducible(t *testing.T) {
	run := func(seed byte) (all []byte) {
		k := New(mathrand.NewChaCha8([32]byte{seed}), true)
		for _, alg := range cose.Algorithms() {
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

// TestPKCS8 signs with an RSA key that was made elsewhere.
func TestPKCS8(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := New(rand.Reader, false).Sign(cose.PS256, handle, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cose.VerifyWith(cose.PS256, &key.PublicKey, []byte("message"), sig); err != nil {
		t.Error(err)
	}
}

// constant is a random source that is stuck.
type constant byte

func (c constant) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c)
	}
	return len(b), nil
}

// TestStuckRandomness makes keys or says why not, and always ends.
func TestStuckRandomness(t *testing.T) {
	for _, alg := range cose.Algorithms() {
		for _, c := range []constant{0, 0xFF} {
			handle, public, err := New(c, true).Generate(alg)
			switch alg {
			case cose.EdDSA, cose.Ed25519, cose.MLDSA44, cose.MLDSA65, cose.MLDSA87:
				if err != nil || len(handle) != 32 || len(public) == 0 {
					t.Errorf("%s from %#x: a seed of %d bytes, %v", alg, byte(c), len(handle), err)
				}
			default:
				if err == nil {
					t.Errorf("%s from %#x: a key of %d bytes", alg, byte(c), len(handle))
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	k := New(mathrand.NewChaCha8([32]byte{}), true)
	for _, alg := range cose.Algorithms() {
		handle, _, err := k.Generate(alg)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(int(alg), handle)
	}
	f.Fuzz(func(t *testing.T, alg int, handle []byte) {
		if _, err := k.Sign(cose.Algorithm(alg), handle, nil); err == nil && len(handle) < 32 {
			t.Errorf("signed with a handle of %d bytes", len(handle))
		}
	})
}
