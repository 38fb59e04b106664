package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/fixtures/lab"
)

// registration makes and uses a credential with the tools of libfido2, and handles the
// key as a person at a bench would.
const registration = `set -e
key() { for i in 1 2 3 4 5 6 7 8 9 10; do fido2-token -L | sed -n 's/: .*//p;1q' | grep . && return; sleep 0.1; done; }
random() { head -c "$1" /dev/urandom | base64; }
{ random 32; echo example.com; echo ada; random 8; } > new
fido2-cred -M -i new -o made "$(key)"
fido2-cred -V -i made -o credential
{ random 32; echo example.com; head -1 credential; } > wanted
tail -n +2 credential > public.pem
fido2-assert -G -i wanted "$(key)" | fido2-assert -V public.pem es256 && echo verified
./fido-emu unplug > unplugged
[ -z "$(fido2-token -L)" ] && echo gone
./fido-emu plug > plugged
fido2-assert -G -i wanted "$(key)" | fido2-assert -V public.pem es256 && echo verified again
./fido-emu touch --policy deny
fido2-assert -G -i wanted "$(key)" 2>&1 | grep -o FIDO_ERR.* || true
`

// A stock kernel shows the key to clients as well.
func TestExecOnStockKernel(t *testing.T) {
	if os.Getenv("LAB_QEMU") == "" || os.Getenv("LAB") != "" {
		t.Skip("LAB_QEMU is not set")
	}
	if _, err := lab.FindMachine(); err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("fido2-token"); err != nil {
		t.Skip("fido2-token is not installed: apt-get install fido2-tools")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "fido-emu")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "registration"), []byte(registration), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"uhid", "usbip"} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, program, "exec", "--lab=qemu", "--transport", transport, "--", "sh", "-c", "sh registration && cat /proc/version && exit 7")
		c.Dir = dir
		began := time.Now()
		out, err := c.CombinedOutput()
		t.Logf("%s: took %v", transport, time.Since(began).Round(time.Millisecond))
		said := string(out)
		for _, want := range []string{"\nverified\ngone\nverified again\n", "FIDO_ERR_OPERATION_DENIED", "Debian"} {
			if !strings.Contains(said, want) {
				t.Errorf("%s: it does not say %q", transport, want)
			}
		}
		if c.ProcessState.ExitCode() != 7 || t.Failed() {
			t.Errorf("%s: %v: %s", transport, err, said)
		}
	}
}

// A command in the lab has a key that clients take for real, over each transport.
func TestExecInLab(t *testing.T) {
	if _, err := lab.FindKernel(); err != nil || testing.Short() || os.Getenv("LAB") != "" {
		t.Skipf("no lab: %v", err)
	}
	if _, err := exec.LookPath("fido2-token"); err != nil {
		t.Skip("fido2-token is not installed: apt-get install fido2-tools")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "fido-emu")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "registration"), []byte(registration), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"auto", "usbip", "gadget"} {
		t.Run(transport, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			c := exec.CommandContext(ctx, program, "exec", "--lab", "--transport", transport, "--state", "key-"+transport, "--profile", "yubikey-5", "--", "sh", "registration")
			c.Dir = dir
			out, err := c.CombinedOutput()
			said := string(out)
			for _, want := range []string{"\nverified\ngone\nverified again\n", "FIDO_ERR_OPERATION_DENIED"} {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if err != nil || t.Failed() {
				t.Errorf("%v: %s", err, said)
			}
			if name, err := os.Stat(filepath.Join(dir, "key-"+transport, "device.db")); err != nil {
				t.Errorf("the state was not kept: %v, %v", name, err)
			}
		})
	}
	began := time.Now()
	if out, err := exec.CommandContext(t.Context(), program, "exec", "--lab", "--", "true").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	t.Logf("fido-emu exec --lab -- true took %v", time.Since(began))
}
