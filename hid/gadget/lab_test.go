package gadget_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/hid"
	"fido-emu/hid/gadget"
)

var config = gadget.Config{
	Controller: "dummy_udc.0",
	Vendor:     0x1209, Product: 0xf1d0, Release: 0x0102,
	Manufacturer: "fido-emu", ProductName: "Key", Serial: "0001",
}

// lab skips a test outside the lab's kernel and bounds it inside.
func lab(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("LAB") == "" {
		t.Skip("makes USB gadgets over dummy_hcd: runs in the lab, where LAB=1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// plug plugs in a gadget with an authenticator that says yes to everything.
func plug(t *testing.T, c gadget.Config) *gadget.Gadget {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	core, err := authenticator.New(authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{0xf1, 0xd0}, Versions: []string{"FIDO_2_0", "FIDO_2_1"},
		Discoverable: true, ClientPIN: true, PINProtocols: []uint{2, 1}, MakeCredNoUV: true,
		Algorithms: []cose.Algorithm{cose.ES256}, Attestation: authenticator.SelfAttestation,
	}, authenticator.Env{
		Now: time.Now, Rand: random, User: authenticator.Consenting{}, Keys: softkeys.New(random, true),
		Device: authenticator.NewMemoryDevice(), Credentials: authenticator.NewMemoryCredentials(10),
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gadget.Plug(c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- hid.Serve(context.Background(), g, hid.Device{Authenticator: core}) }()
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
			t.Errorf("Serve: %v", err)
		}
	})
	return g
}

// hidraw waits until the host's side of the gadget is or is not there.
func hidraw(ctx context.Context, t *testing.T, there bool) (node string) {
	t.Helper()
	for {
		found, _ := filepath.Glob("/sys/devices/platform/dummy_hcd.0/usb*/*/*/*/hidraw/hidraw*")
		if len(found) > 0 == there {
			if there {
				node = "/dev/" + filepath.Base(found[0])
			}
			return node
		}
		select {
		case <-ctx.Done():
			t.Fatalf("hidraw node there: want %v", there)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func run(ctx context.Context, t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(ctx, command, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestLabGadget(t *testing.T) {
	ctx := lab(t)
	g := plug(t, config)
	for range 2 {
		node := hidraw(ctx, t, true)
		if list := run(ctx, t, "fido2-token", "-L"); !strings.Contains(list, node+": vendor=0x1209, product=0xf1d0 (fido-emu Key)") {
			t.Errorf("fido2-token -L: %q, want %s in it", list, node)
		}
		if info := run(ctx, t, "fido2-token", "-I", node); !strings.Contains(info, "aaguid: f1d0000000") {
			t.Errorf("fido2-token -I: %s", info)
		}
		// The same key on another cable.
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		hidraw(ctx, t, false)
		g = plug(t, config)
	}
}

func TestLabGadgetInUse(t *testing.T) {
	ctx := lab(t)
	plug(t, config)
	hidraw(ctx, t, true)
	if _, err := gadget.Plug(config); !errors.Is(err, gadget.ErrInUse) {
		t.Errorf("a second gadget of the name: %v", err)
	}
	other := config
	other.Name = "other"
	if _, err := gadget.Plug(other); !errors.Is(err, gadget.ErrNoController) {
		t.Errorf("a second gadget on the controller: %v", err)
	}
	if _, err := os.Stat("/sys/kernel/config/usb_gadget/other"); err == nil {
		t.Error("it has left its tree behind")
	}
}

// A process that died has left its gadget plugged in.
func TestLabGadgetAfterCrash(t *testing.T) {
	ctx := lab(t)
	if os.Getenv("LAB_CRASH") != "" {
		if _, err := gadget.Plug(config); err != nil {
			t.Fatal(err)
		}
		os.Exit(7)
	}
	dying := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestLabGadgetAfterCrash$")
	dying.Env = append(os.Environ(), "LAB_CRASH=1")
	if out, err := dying.CombinedOutput(); dying.ProcessState.ExitCode() != 7 {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat("/sys/kernel/config/usb_gadget/fido-emu"); err != nil {
		t.Fatal("the dead process has left nothing")
	}
	plug(t, config)
	run(ctx, t, "fido2-token", "-I", hidraw(ctx, t, true))
}

func TestLabGadgetCycles(t *testing.T) {
	ctx := lab(t)
	cycle := func() {
		g, err := gadget.Plug(config)
		if err != nil {
			t.Fatal(err)
		}
		reading := make(chan error)
		go func() { _, err := g.ReadReport(context.Background()); reading <- err }()
		hidraw(ctx, t, true)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-reading; !errors.Is(err, hid.ErrUnplugged) {
			t.Fatalf("ReadReport: %v", err)
		}
		hidraw(ctx, t, false)
	}
	files := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	cycle()
	goroutines, before, start := runtime.NumGoroutine(), files(), time.Now()
	for range 20 {
		cycle()
	}
	t.Logf("20 times in and out took %v", time.Since(start).Round(time.Millisecond))
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := files(); n > before {
		t.Errorf("%d file descriptors, %d before", n, before)
	}
}
