package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/platform"
	"fido-emu/fixtures"
	"fido-emu/fixtures/emulator"
	"fido-emu/hid"
	"fido-emu/hid/udp"
)

// serveKey emulates a key behind udp, as another program would, and returns its
// address.
func serveKey(t *testing.T, pin string) string {
	t.Helper()
	model, err := fixtures.Lookup("security-key")
	if err != nil {
		t.Fatal(err)
	}
	core, err := emulator.NewCore(context.Background(), model, "", authenticator.Consenting{}, emulator.Env{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.New(core, rand.Reader).SetPIN(context.Background(), pin); err != nil {
		t.Fatal(err)
	}
	device, err := udp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = hid.Serve(ctx, device, hid.Device{Authenticator: core, PowerCycle: core.PowerCycle}) })
	t.Cleanup(func() {
		stop()
		serving.Wait()
		if err := core.Close(); err != nil {
			t.Error(err)
		}
	})
	return "udp:" + device.Addr().String()
}

// TestDevice runs a scenario of the library with a key that another program emulates.
// Its PIN comes from a file or a variable, and is nowhere to be seen.
func TestDevice(t *testing.T) {
	const pin = "57721566"
	address := serveKey(t, pin)
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(pin+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"from a file", []string{"loss/only-key-lost[model=security-key]", "--device", "key=" + address, "--pin-file", "key=" + file}, "1 passed"},
		{"from a variable", []string{"attacks/stolen-key", "--device", "adas-key=" + address, "--pin-env", "adas-key=PIN", "--allow-destructive"}, "1 passed"},
		{"not at all", []string{"attacks/stolen-key", "--device", "adas-key=" + address}, "it has a PIN: give it with --pin-env"},
		{"for a clone", []string{"attacks/cloned-key", "--device", "key=" + address, "--pin-env", "key=PIN"}, "clone can be done with an emulated device only"},
		{"for a lock-out", []string{"attacks/pin-lockout", "--device", "key=" + address, "--pin-env", "key=PIN"}, "--allow-destructive lets it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errOut strings.Builder
			u := ui{in: strings.NewReader(""), out: &out, err: &errOut, getenv: func(name string) string { return map[string]string{"PIN": pin}[name] }}
			dir := t.TempDir()
			id, rest, _ := strings.Cut(tt.args[0], "[")
			args := append([]string{"run", id, "--reports", dir, "-v"}, tt.args[1:]...)
			if rest != "" {
				args = append(args, "--focus", tt.args[0])
			}
			if code := execute(t.Context(), args, u); code != exitPassed || !strings.Contains(out.String(), tt.want) {
				t.Errorf("exit code %d, want %q in\n%s%s", code, tt.want, out.String(), errOut.String())
			}
			reports, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
			if err != nil || !strings.Contains(string(reports), address[len("udp:"):]) {
				t.Errorf("the report does not say how the key was reached: %v", err)
			}
			if strings.Contains(out.String()+errOut.String()+string(reports), pin) {
				t.Error("the PIN is there to be seen")
			}
		})
	}
}

// TestHand says what is to be done, and says it again.
func TestHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		h := &hand{u: ui{err: &said}, again: sayAgain}
		done := h.Ask("touch key now")
		<-time.After(11 * time.Second)
		done()
		done()
		synctest.Wait()
		want := ">>> touch key now\n>>> touch key now (waiting for 5 s)\n>>> touch key now (waiting for 10 s)\n"
		if said.String() != want {
			t.Errorf("said %q", said.String())
		}
	})
}
