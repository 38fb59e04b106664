package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
	"fido-emu/fixtures/emulator"
	"fido-emu/hid"
	"fido-emu/hid/udp"
	"fido-emu/state"
)

// asProgram is the environment variable that makes the test binary the program.
const asProgram = "FIDO_EMU_TEST_AS_PROGRAM"

// upAt starts fido-emu up in another process and returns it once the key is there,
// with a host that drives the key.
func upAt(t *testing.T, dir string, arguments ...string) (*exec.Cmd, *platform.Host) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, append([]string{"up", "--transport", "udp:0", "--json", "--state", filepath.Join(dir, "key")}, arguments...)...)
	c.Env = append(os.Environ(), asProgram+"=1", "XDG_RUNTIME_DIR=", "TMPDIR="+dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() }) // it may have ended
	var up upReport
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&up); err != nil {
		t.Fatal(err)
	}
	conn, err := udp.Dial(strings.TrimPrefix(up.Keys[0].Address, "udp:"))
	if err != nil {
		t.Fatal(err)
	}
	channel, err := hid.Dial(t.Context(), conn, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { channel.Close() })
	return c, platform.New(channel, rand.Reader)
}

// kill ends a process as a power cut would.
func kill(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Fatal("it ended by itself")
	}
}

// What was acknowledged before the process was killed is there afterwards, and a new
// process takes over what the old one left behind.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	acknowledged := 0
	for round := range 3 {
		c, host := upAt(t, dir, "--profile", "security-key")
		time.AfterFunc(time.Duration(40+17*round)*time.Millisecond, func() { _ = c.Process.Kill() }) // in the middle of something
		for {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			err := register(ctx, host, acknowledged)
			cancel()
			if status := ctap.Status(0); errors.As(err, &status) {
				t.Logf("the key is full: %v", err)
				break
			}
			if err != nil {
				break
			}
			acknowledged++
		}
		kill(t, c)
		if n := stored(t, filepath.Join(dir, "key")); n < acknowledged || n > acknowledged+round+1 {
			t.Errorf("round %d: %d credentials of %d that were acknowledged", round, n, acknowledged)
		}
	}
	t.Logf("%d registrations were acknowledged", acknowledged)
	if acknowledged == 0 {
		t.Error("nothing was registered")
	}
}

func register(ctx context.Context, host *platform.Host, n int) error {
	_, err := host.MakeCredential(ctx, &ctap.MakeCredentialRequest{
		ClientDataHash: make([]byte, 32), RP: &ctap.RelyingParty{ID: "example.com"},
		User:             &ctap.User{ID: fmt.Append(nil, "user ", n), Name: "ada"},
		PubKeyCredParams: []ctap.Parameters{{Type: "public-key", Algorithm: int(cose.ES256)}},
		Options:          map[string]bool{"rk": true},
	})
	return err
}

// stored returns how many credentials are in a state that no process has.
func stored(t *testing.T, dir string) int {
	t.Helper()
	path, err := emulator.StateFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	file, err := state.OpenDevice(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n, err := file.Credentials(0).Count()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// PIN tries that were used do not come back with a new process.
func TestKilledBetweenPINTries(t *testing.T) {
	dir := t.TempDir()
	pin := filepath.Join(dir, "pin")
	if err := os.WriteFile(pin, []byte("1234"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want := uint(7); want >= 5; want-- {
		c, host := upAt(t, dir, "--profile", "yubikey-5", "--pin-file", pin)
		if _, err := host.LegacyToken(t.Context(), "4321"); !errors.Is(err, ctap.ErrPINInvalid) {
			t.Fatalf("a wrong PIN: %v", err)
		}
		kill(t, c)
		c, host = upAt(t, dir)
		if left, err := host.PINRetries(t.Context()); err != nil || left.Left != want {
			t.Errorf("%+v tries are left, want %d, %v", left, want, err)
		}
		kill(t, c)
	}
}

// The end in good order leaves nothing but the state.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	c, _ := upAt(t, dir)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range left {
		left[i] = strings.TrimPrefix(left[i], dir)
	}
	if got := strings.Join(left, " "); got != "/key/device.db /key/key.json" {
		t.Errorf("left behind: %s", got)
	}
}

// A signal goes to the command, whose exit code is passed on.
func TestSignalsArePassedOn(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := exec.Command(self, "exec", "-q", "--transport", "udp:0", "--", "sh", "-c", `trap 'exit 5' USR1; echo ready; while :; do sleep 0.01; done`)
	c.Env = append(os.Environ(), asProgram+"=1", "XDG_RUNTIME_DIR=", "TMPDIR="+dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	if err := c.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	exit := &exec.ExitError{}
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 5 {
		t.Errorf("it ended with %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, fmt.Sprintf("fido-emu-%d", os.Getuid()))); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
