package tpmsim

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-tpm/tpm2/transport"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// open opens a TPM for a test, and skips the test where the machine has not what
// the backend needs.
func open(t testing.TB, o Options) *TPM {
	t.Helper()
	tpm, err := Open(t.Context(), o)
	if errors.Is(err, ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeTPM(t, tpm) })
	return tpm
}

func closeTPM(t testing.TB, tpm *TPM) {
	t.Helper()
	if err := tpm.Close(); err != nil {
		t.Error(err)
	}
}

// eachBackend runs a test with each backend.
func eachBackend(t *testing.T, test func(*testing.T, Options)) {
	for _, b := range []Backend{Reference, Swtpm} {
		t.Run(string(b), func(t *testing.T) { test(t, Options{Backend: b}) })
	}
}

func generate(t testing.TB, k *Keys, alg cose.Algorithm) (handle, public []byte) {
	t.Helper()
	handle, public, err := k.Generate(alg)
	if err != nil {
		t.Fatal(err)
	}
	return handle, public
}

func mustSign(t testing.TB, k *Keys, handle, public []byte) {
	t.Helper()
	message := []byte("authData and clientDataHash")
	signature, err := k.Sign(algorithm(t, public), handle, message)
	if err != nil {
		t.Fatal(err)
	}
	if err := cose.Verify(public, message, signature); err != nil {
		t.Error(err)
	}
}

func mustBeLost(t testing.TB, k *Keys, handle, public []byte) {
	t.Helper()
	if _, err := k.Sign(algorithm(t, public), handle, nil); !errors.Is(err, authenticator.ErrKeyLost) {
		t.Errorf("got %v, want ErrKeyLost", err)
	}
}

func algorithm(t testing.TB, public []byte) cose.Algorithm {
	t.Helper()
	alg, _, err := cose.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	return alg
}

func authority(t testing.TB) *attestation.Authority {
	t.Helper()
	ca, err := attestation.NewAuthority("Test TPM Root", rand.NewChaCha8([32]byte{1}), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestKeys(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		k := open(t, o).Keys()
		for _, alg := range []cose.Algorithm{cose.ES256, cose.ES384, cose.RS256} {
			t.Run(alg.String(), func(t *testing.T) {
				handle, public := generate(t, k, alg)
				if got := algorithm(t, public); got != alg {
					t.Errorf("the key is for %s", got)
				}
				mustSign(t, k, handle, public)
				t.Logf("handle of %d bytes", len(handle))
			})
		}
		if _, _, err := k.Generate(cose.EdDSA); !errors.Is(err, ctap.ErrUnsupportedAlgorithm) {
			t.Errorf("EdDSA: got %v, want ErrUnsupportedAlgorithm", err)
		}
		handle, _ := generate(t, k, cose.ES256)
		for name, sign := range map[string]func() ([]byte, error){
			"an algorithm that no TPM has": func() ([]byte, error) { return k.Sign(cose.EdDSA, handle, nil) },
			"another algorithm":            func() ([]byte, error) { return k.Sign(cose.ES384, handle, nil) },
			"half a handle":                func() ([]byte, error) { return k.Sign(cose.ES256, handle[:100], nil) },
			"no handle":                    func() ([]byte, error) { return k.Sign(cose.ES256, nil, nil) },
		} {
			if _, err := sign(); err == nil || errors.Is(err, authenticator.ErrKeyLost) {
				t.Errorf("%s: got %v, want an error that is not ErrKeyLost", name, err)
			}
		}
	})
}

// There are more keys than the TPM has room for loaded ones.
func TestMoreKeysThanSlots(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		tpm := open(t, o)
		k := tpm.Keys()
		if _, err := tpm.Attestation(t.Context(), authority(t), "Test TPM", cose.ES256); err != nil {
			t.Fatal(err)
		}
		handles, publics := make([][]byte, 5), make([][]byte, 5)
		for i := range handles {
			handles[i], publics[i] = generate(t, k, cose.ES256)
		}
		for range 2 {
			for i := range handles {
				mustSign(t, k, handles[i], publics[i])
			}
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		k := open(t, o).Keys()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				handle, public, err := k.Generate(cose.ES256)
				if err != nil {
					t.Error(err)
					return
				}
				for range 3 {
					mustSign(t, k, handle, public)
				}
			})
		}
		wg.Wait()
	})
}

func TestClearLosesKeys(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.StateDir = t.TempDir()
		tpm := open(t, o)
		handle, public := generate(t, tpm.Keys(), cose.ES256)
		if err := tpm.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustBeLost(t, tpm.Keys(), handle, public)
		mustWork := func(tpm *TPM) {
			handle, public := generate(t, tpm.Keys(), cose.ES256)
			mustSign(t, tpm.Keys(), handle, public)
		}
		mustWork(tpm) // it works on
		closeTPM(t, tpm)

		again := open(t, o)
		mustBeLost(t, again.Keys(), handle, public)
		mustWork(again)
	})
}

func TestAnotherMachineHasNotTheKeys(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		tpm := open(t, o)
		handle, public := generate(t, tpm.Keys(), cose.ES256)
		closeTPM(t, tpm)
		mustBeLost(t, open(t, o).Keys(), handle, public)
	})
}

func TestRestartKeepsKeys(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		tpm := open(t, o)
		handle, public := generate(t, tpm.Keys(), cose.ES256)
		for range 2 {
			if err := tpm.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			mustSign(t, tpm.Keys(), handle, public)
		}
	})
}

func TestStateDirKeepsKeys(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.StateDir = filepath.Join(t.TempDir(), "tpm")
		tpm := open(t, o)
		handle, public := generate(t, tpm.Keys(), cose.ES256)
		for range 2 {
			closeTPM(t, tpm)
			tpm = open(t, o)
			mustSign(t, tpm.Keys(), handle, public)
		}
		entries, err := os.ReadDir(o.StateDir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 && info.Size() > 0 {
				t.Errorf("%s has mode %v (%v)", e.Name(), info.Mode(), err)
			}
		}
	})
}

func TestSeveralSwtpm(t *testing.T) {
	a, b := open(t, Options{Backend: Swtpm}), open(t, Options{Backend: Swtpm})
	handle, public := generate(t, a.Keys(), cose.ES256)
	mustBeLost(t, b.Keys(), handle, public)
	mustSign(t, a.Keys(), handle, public)
}

func TestOpenRefuses(t *testing.T) {
	inUse := t.TempDir()
	open(t, Options{Backend: Swtpm, StateDir: inUse})
	open(t, Options{})
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"a second reference implementation": {Options{}, ErrInUse},
		"a directory in use":                {Options{Backend: Swtpm, StateDir: inUse}, ErrInUse},
		"a seed for swtpm":                  {Options{Backend: Swtpm, Seed: []byte("s")}, ErrUnavailable},
		"a backend that is not known":       {Options{Backend: "abacus"}, ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			tpm, err := Open(t.Context(), c.o)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if tpm != nil {
				t.Error("a TPM came with the error")
			}
			t.Log(err)
		})
	}
}

func TestSwtpmMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(t.Context(), Options{Backend: Swtpm})
	if !errors.Is(err, ErrUnavailable) || !bytes.Contains([]byte(err.Error()), []byte("package swtpm")) {
		t.Errorf("got %v, want ErrUnavailable and the package's name", err)
	}
}

func TestSwtpmStateDamaged(t *testing.T) {
	o := Options{Backend: Swtpm, StateDir: t.TempDir()}
	closeTPM(t, open(t, o))
	file := filepath.Join(o.StateDir, "tpm2-00.permall")
	if err := os.Truncate(file, 40); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), o)
	if !errors.Is(err, ErrState) {
		t.Errorf("got %v, want ErrState", err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() != 40 {
		t.Errorf("the file was changed: %v %v", info, err)
	}
}

func TestClosed(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		tpm := open(t, o)
		closeTPM(t, tpm)
		closeTPM(t, tpm)
		if _, _, err := tpm.Keys().Generate(cose.ES256); !errors.Is(err, ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestCancelled(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		ctx, cancel := context.WithCancel(t.Context())
		tpm := open(t, o)
		cancel()
		if err := tpm.Clear(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Clear: %v", err)
		}
		if _, err := Open(ctx, o); !errors.Is(err, context.Canceled) {
			t.Errorf("Open: %v", err)
		}
	})
}

// The bubble around each TPM does not end before all goroutines in it have.
func TestCloseLeavesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		temp := t.TempDir()
		t.Setenv("TMPDIR", temp)
		closeTPM(t, open(t, o)) // what is made once is made
		files := openFiles(t)
		for range 10 {
			synctest.Test(t, func(t *testing.T) {
				tpm := open(t, o)
				generate(t, tpm.Keys(), cose.ES256)
				closeTPM(t, tpm)
			})
		}
		if n := openFiles(t); n > files {
			t.Errorf("%d open files, %d before", n, files)
		}
		if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
			t.Errorf("temporary files are left: %v %v", left, err)
		}
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}

// running is a TPM as somebody else would hand it over.
type running struct {
	transport.TPM
	closed bool
}

func (r *running) Close() error { r.closed = true; return nil }

func TestNew(t *testing.T) {
	below, err := openSwtpm(t.Context(), "")
	if errors.Is(err, ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer below.shutdown()
	r := &running{TPM: below}
	tpm, err := New(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	handle, public := generate(t, tpm.Keys(), cose.ES256)
	mustSign(t, tpm.Keys(), handle, public)
	if err := tpm.Restart(t.Context()); err == nil {
		t.Error("it was restarted")
	}
	closeTPM(t, tpm)
	if !r.closed {
		t.Error("it was not closed")
	}
}

func FuzzSplitHandle(f *testing.F) {
	f.Add([]byte{0, 1, 0xAA, 0, 2, 0xBB, 0xCC})
	f.Fuzz(func(t *testing.T, handle []byte) {
		private, public, err := splitHandle(handle)
		if err == nil && !bytes.Equal(joinHandle(private, public), handle) {
			t.Error("joined again, it is another handle")
		}
	})
}
