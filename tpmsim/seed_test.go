//go:build cgo && linux

package tpmsim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"fido-emu/ctap/cose"
)

// life uses a TPM in every way and returns a hash of all that came out.
func life(t *testing.T, o Options) string {
	t.Helper()
	tpm := open(t, o)
	defer closeTPM(t, tpm)
	out := sha256.New()
	for _, event := range []func(context.Context) error{tpm.Restart, tpm.Clear, tpm.Restart} {
		use(t, tpm, out)
		if err := event(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	use(t, tpm, out)
	return hex.EncodeToString(out.Sum(nil))
}

func use(t *testing.T, tpm *TPM, out hash.Hash) {
	t.Helper()
	a, err := tpm.Attestation(t.Context(), authority(t), "Test TPM", cose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range []cose.Algorithm{cose.ES256, cose.RS256, cose.ES384} {
		r := register(t, tpm, alg, []byte("{}"))
		_, statement, err := a.Attest(r)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := tpm.Keys().Sign(alg, r.KeyHandle, []byte("message"))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{r.KeyHandle, r.PublicKey, statement, signature} {
			out.Write(b)
		}
	}
}

const childVariable = "TPMSIM_TEST_SEED"

// TestSeedChild is the other process of TestSeed.
func TestSeedChild(t *testing.T) {
	seed := os.Getenv(childVariable)
	if seed == "" {
		t.Skip("runs in the process that TestSeed starts")
	}
	fmt.Println("life:", life(t, Options{Seed: []byte(seed)}))
}

func TestSeed(t *testing.T) {
	first := life(t, Options{Seed: []byte("seven")})
	if again := life(t, Options{Seed: []byte("seven")}); again != first {
		t.Error("the same seed makes another TPM the second time in a process")
	}
	if life(t, Options{}) == first {
		t.Error("a TPM without a seed is the seeded one")
	}
	if again := life(t, Options{Seed: []byte("seven")}); again != first {
		t.Error("the same seed makes another TPM after one without a seed")
	}
	if life(t, Options{Seed: []byte("eight")}) == first {
		t.Error("another seed makes the same TPM")
	}
	child := exec.Command(os.Args[0], "-test.run=^TestSeedChild$", "-test.v")
	child.Env = append(os.Environ(), childVariable+"=seven")
	said, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "life: "+first) {
		t.Errorf("another process: %v, want %s in\n%s", err, first, said)
	}
}

func TestSameSeedLoadsTheKeys(t *testing.T) {
	o := Options{Seed: []byte("seven")}
	tpm := open(t, o)
	handle, public := generate(t, tpm.Keys(), cose.ES256)
	closeTPM(t, tpm)

	again := open(t, o)
	mustSign(t, again.Keys(), handle, public)
	closeTPM(t, again)

	mustBeLost(t, open(t, Options{Seed: []byte("eight")}).Keys(), handle, public)
}

// With its state kept, a seeded TPM does not make the same keys again.
func TestSeedWithState(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	var made [2][2][]byte
	for i, dir := range dirs {
		for j := range made[i] {
			tpm := open(t, Options{Seed: []byte("seven"), StateDir: dir})
			made[i][j], _ = generate(t, tpm.Keys(), cose.ES256)
			closeTPM(t, tpm)
		}
	}
	if string(made[0][0]) == string(made[0][1]) {
		t.Error("the same key was made twice")
	}
	if string(made[0][1]) != string(made[1][1]) {
		t.Error("the second opening differs from run to run")
	}
}

func TestSeededClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tpm := open(t, Options{Seed: []byte("seven"), Now: func() time.Time { return now }})
	read := func() uint64 {
		clock, err := do(t.Context(), tpm, func(s *session) (uint64, error) {
			r, err := tpm2.ReadClock{}.Execute(s.tpm)
			if err != nil {
				return 0, err
			}
			return r.CurrentTime.Time, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return clock
	}
	before := read()
	now = now.Add(90 * time.Second)
	if after := read(); after-before != 90_000 {
		t.Errorf("the clock moved by %d ms, want 90000", after-before)
	}
}

func TestStateRefused(t *testing.T) {
	for name, c := range map[string]struct {
		damage func([]byte) []byte
		want   string
	}{
		"cut short":        {func(b []byte) []byte { return b[:len(b)-1] }, "cut short"},
		"nearly empty":     {func(b []byte) []byte { return b[:10] }, "cut short"},
		"another file":     {func(b []byte) []byte { return []byte("{}") }, "not the state of a TPM"},
		"a newer version":  {func(b []byte) []byte { b[len(stateMagic)]++; return b }, "version 2"},
		"one bit flipped":  {func(b []byte) []byte { b[5000] ^= 1; return b }, "damaged"},
		"of another build": {func(b []byte) []byte { return smaller(b) }, "another directory"},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{StateDir: t.TempDir()}
			s, _, err := openState(o.StateDir)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.save(make([]byte, 16384)), s.close()); err != nil {
				t.Fatal(err)
			}
			good, err := os.ReadFile(s.path)
			if err != nil {
				t.Fatal(err)
			}
			bad := c.damage(good)
			if err := os.WriteFile(s.path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = Open(t.Context(), o)
			if !errors.Is(err, ErrState) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), s.path) {
				t.Errorf("got %v, want ErrState, %q and the path", err, c.want)
			}
			if left, err := os.ReadFile(s.path); err != nil || string(left) != string(bad) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
	open(t, Options{}) // a refusal leaves the reference implementation free
}

// smaller returns a well-formed state with less memory.
func smaller(b []byte) []byte {
	count, memory := b[countAt:sumAt], b[memoryAt:memoryAt+100]
	return append(append(b[:sumAt:sumAt], stateSum(count, memory)...), memory...)
}

func TestStateInUse(t *testing.T) {
	o := Options{StateDir: t.TempDir()}
	s, _, err := openState(o.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(stateMagic + "\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, memory, err := parseState(b); err == nil && len(memory) == 0 {
			t.Error("no memory and no error")
		}
	})
}
