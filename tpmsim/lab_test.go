package tpmsim

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap/cose"
)

// TestLabDevice uses a TPM through the kernel's node: swtpm stands behind vtpm_proxy,
// as a chip stands behind its driver.
func TestLabDevice(t *testing.T) {
	plugTPM(t, t.TempDir())
	first := open(t, Options{Backend: Device})
	handles, publics := map[cose.Algorithm][]byte{}, map[cose.Algorithm][]byte{}
	for _, alg := range []cose.Algorithm{cose.ES256, cose.RS256} {
		handles[alg], publics[alg] = generate(t, first.Keys(), alg)
		mustSign(t, first.Keys(), handles[alg], publics[alg])
	}
	if err := first.Clear(t.Context()); !errors.Is(err, ErrNotOurs) {
		t.Errorf("clearing the TPM of the machine: %v, want ErrNotOurs", err)
	}
	if err := first.Restart(t.Context()); !errors.Is(err, ErrNotOurs) {
		t.Errorf("restarting the machine: %v, want ErrNotOurs", err)
	}

	// The resource manager lets several programs in, and nothing of one is left.
	second := open(t, Options{Backend: Device, Path: DefaultDevice})
	mustSign(t, second.Keys(), handles[cose.ES256], publics[cose.ES256])
	for range 20 {
		third, err := Open(t.Context(), Options{Backend: Device})
		if err != nil {
			t.Fatal(err)
		}
		mustSign(t, third.Keys(), handles[cose.RS256], publics[cose.RS256])
		closeTPM(t, third)
	}
	mustSign(t, first.Keys(), handles[cose.RS256], publics[cose.RS256])

	other := open(t, Options{Backend: Swtpm})
	mustBeLost(t, other.Keys(), handles[cose.ES256], publics[cose.ES256])
}

// TestLabDeviceAttests: what the TPM behind the node certifies is verified.
func TestLabDeviceAttests(t *testing.T) {
	plugTPM(t, t.TempDir())
	attests(t, open(t, Options{Backend: Device}))
}

// TestDeviceMissing: what keeps from using the TPM of the machine is said, with the way
// out.
func TestDeviceMissing(t *testing.T) {
	for path, want := range map[string]string{
		t.TempDir() + "/tpmrm0": "this machine has no TPM 2.0",
		os.DevNull:              "does not answer as a TPM 2.0 does",
		"doc.go":                "not a device",
	} {
		_, err := Open(t.Context(), Options{Backend: Device, Path: path})
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	_, err := Open(t.Context(), Options{Backend: Device, Seed: []byte{1}})
	if !errors.Is(err, ErrUnavailable) {
		t.Errorf("a seed: %v, want ErrUnavailable", err)
	}
}

// plugTPM gives this machine a TPM until the test ends.
func plugTPM(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat("/dev/vtpmx"); err != nil {
		t.Skip("the kernel has no vtpm_proxy: run in the lab")
	}
	chip := exec.Command("swtpm", "chardev", "--vtpm-proxy", "--tpm2", "--tpmstate", "dir="+dir)
	chip.Stderr = os.Stderr
	if err := chip.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		_ = chip.Process.Kill() // as pulling a chip out
		_ = chip.Wait()
	})
	for range 200 {
		if tpm, err := Open(t.Context(), Options{Backend: Device}); err == nil {
			closeTPM(t, tpm)
			return
		}
		time.Sleep(25 * time.Millisecond) // a driver of the kernel comes up in real time
	}
	t.Fatal("no TPM comes up at " + DefaultDevice)
}
