package vhci_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/hid"
	"fido-emu/hid/usbip"
	"fido-emu/hid/usbip/vhci"
)

// lab skips a test outside the lab's kernel and bounds it inside.
func lab(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("LAB") == "" {
		t.Skip("plugs devices into the kernel: runs in the lab, where LAB=1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// newCore returns an authenticator that says yes to everything.
func newCore(t *testing.T) *authenticator.Authenticator {
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
	return core
}

// newKey returns a key with an authenticator behind it.
func newKey(t *testing.T, serial string) *usbip.Key {
	t.Helper()
	k, err := usbip.NewKey(usbip.Identity{Vendor: 0x1209, Product: 0xf1d0, Release: 0x0100, Manufacturer: "fido-emu", ProductName: "Key", Serial: serial})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	core := newCore(t)
	go func() { ended <- hid.Serve(context.Background(), k, hid.Device{Authenticator: core}) }()
	t.Cleanup(func() {
		k.Close()
		if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
			t.Errorf("Serve: %v", err)
		}
	})
	return k
}

func open(t *testing.T) *vhci.Controller {
	t.Helper()
	c, err := vhci.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually waits for what the kernel does in its own time.
func eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not so in time", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// node waits for the hidraw node of a USB device.
func node(ctx context.Context, t *testing.T, device string) (path string) {
	t.Helper()
	eventually(ctx, t, device+" has a hidraw node", func() bool {
		found, _ := filepath.Glob("/sys/bus/usb/devices/" + device + "/" + device + ":1.0/*/hidraw/hidraw*")
		if len(found) == 1 {
			path = "/dev/" + filepath.Base(found[0])
		}
		return path != ""
	})
	return path
}

func run(ctx context.Context, t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(ctx, command, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// seen checks that libfido2 lists a key and speaks with it.
func seen(ctx context.Context, t *testing.T, node string) {
	t.Helper()
	if list := run(ctx, t, "fido2-token", "-L"); !strings.Contains(list, node+": vendor=0x1209, product=0xf1d0 (fido-emu Key)") {
		t.Errorf("fido2-token -L: %q, want %s in it", list, node)
	}
	if info := run(ctx, t, "fido2-token", "-I", node); !strings.Contains(info, "aaguid: f1d0000000") {
		t.Errorf("fido2-token -I %s: %s", node, info)
	}
}

func TestLabPlug(t *testing.T) {
	ctx := lab(t)
	c := open(t)
	k := newKey(t, "0001")
	for range 3 {
		a, err := c.Plug(ctx, k)
		if err != nil {
			t.Fatal(err)
		}
		seen(ctx, t, node(ctx, t, a.Port.Device))
		if serial, err := os.ReadFile("/sys/bus/usb/devices/" + a.Port.Device + "/serial"); string(serial) != "0001\n" {
			t.Errorf("serial number %q, %v", serial, err)
		}
		if _, err := c.Plug(ctx, k); !errors.Is(err, usbip.ErrInUse) {
			t.Errorf("plugged in twice: %v", err)
		}
		if err := a.Detach(ctx); err != nil {
			t.Fatal(err)
		}
		if err := a.Detach(ctx); err != nil {
			t.Errorf("detached twice: %v", err)
		}
	}
}

func TestLabKeyThatIsClosed(t *testing.T) {
	ctx := lab(t)
	k := newKey(t, "0001")
	a, err := open(t).Plug(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	<-a.Done()
	if err := a.Detach(ctx); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("/sys/bus/usb/devices/" + a.Port.Device); err == nil {
		t.Error("the kernel still has the device")
	}
}

// serve exports keys at the protocol's own port.
func serve(ctx context.Context, t *testing.T, keys map[string]*usbip.Key) *usbip.Server {
	t.Helper()
	l, err := net.Listen("tcp", usbip.DefaultAddress)
	if err != nil {
		t.Fatal(err)
	}
	s := &usbip.Server{}
	for busID, k := range keys {
		if err := s.Export(busID, k); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// used waits until one port is in use and returns it.
func used(ctx context.Context, t *testing.T, c *vhci.Controller) (found vhci.Port) {
	t.Helper()
	eventually(ctx, t, "a port is in use", func() bool {
		ports, err := c.Ports()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ports {
			if p.State == vhci.Used {
				found = p
			}
		}
		return found.State == vhci.Used
	})
	return found
}

// The tools of the kernel's own source, as a distribution ships them.
func TestLabStockTools(t *testing.T) {
	ctx := lab(t)
	if _, err := exec.LookPath("usbip"); err != nil {
		t.Skip("needs usbip, from the Debian package of that name")
	}
	c := open(t)
	serve(ctx, t, map[string]*usbip.Key{"1-1": newKey(t, "0001"), "1-2": newKey(t, "0002")})
	list := run(ctx, t, "usbip", "list", "-r", "127.0.0.1")
	for _, want := range []string{"1-1: ", "1-2: ", "(1209:f1d0)", "(Defined at Interface level) (00/00/00)", "Human Interface Device"} {
		if !strings.Contains(list, want) {
			t.Errorf("usbip list:\n%s\nwants %q", list, want)
		}
	}
	for _, busID := range []string{"1-2", "1-1", "1-2"} {
		run(ctx, t, "usbip", "attach", "-r", "127.0.0.1", "-b", busID)
		p := used(ctx, t, c)
		seen(ctx, t, node(ctx, t, p.Device))
		if ports := run(ctx, t, "usbip", "port"); !strings.Contains(ports, "usbip://127.0.0.1:3240/"+busID) {
			t.Errorf("usbip port:\n%s", ports)
		}
		if out, err := exec.CommandContext(ctx, "usbip", "attach", "-r", "127.0.0.1", "-b", busID).CombinedOutput(); err == nil || !strings.Contains(string(out), "Device busy") {
			t.Errorf("attached twice: %v\n%s", err, out)
		}
		run(ctx, t, "usbip", "detach", "-p", strconv.Itoa(p.Number))
		eventually(ctx, t, "the port is free", func() bool {
			ports, err := c.Ports()
			return err == nil && ports[p.Number].State == vhci.Free
		})
	}
}

func TestLabAttachFromServer(t *testing.T) {
	ctx := lab(t)
	c := open(t)
	s := serve(ctx, t, map[string]*usbip.Key{"1-1": newKey(t, "0001")})
	if _, err := c.Attach(ctx, usbip.DefaultAddress, "1-9"); !errors.Is(err, usbip.StatusNoDev) {
		t.Errorf("a bus id that is not there: %v", err)
	}
	for range 2 {
		a, err := c.Attach(ctx, usbip.DefaultAddress, "1-1")
		if err != nil {
			t.Fatal(err)
		}
		seen(ctx, t, node(ctx, t, a.Port.Device))
		if _, err := c.Attach(ctx, usbip.DefaultAddress, "1-1"); !errors.Is(err, usbip.StatusDevBusy) {
			t.Errorf("attached twice: %v", err)
		}
		if err := a.Detach(ctx); err != nil {
			t.Fatal(err)
		}
	}
	a, err := c.Attach(ctx, usbip.DefaultAddress, "1-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw("1-1"); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the port of a withdrawn key is free", func() bool {
		ports, err := c.Ports()
		return err == nil && ports[a.Port.Number].State == vhci.Free
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// Keys that come and go, eight at once, leave nothing behind. The kernel takes over
// half a second to enumerate each, so that a thousand of them, LAB_CYCLES=1000, take
// some minutes.
func TestLabPlugCycles(t *testing.T) {
	ctx := lab(t)
	cycles := 64
	if n, err := strconv.Atoi(os.Getenv("LAB_CYCLES")); err == nil {
		cycles = n
	}
	c := open(t)
	keys := make([]*usbip.Key, 8)
	for i := range keys {
		keys[i] = newKey(t, strconv.Itoa(i))
	}
	cycle := func(k *usbip.Key) error {
		a, err := c.Plug(ctx, k)
		if err != nil {
			return err
		}
		return a.Detach(ctx)
	}
	if err := cycle(keys[0]); err != nil {
		t.Fatal(err)
	}
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	start := time.Now()
	failed := make(chan error, len(keys))
	for _, k := range keys {
		go func() {
			var err error
			for i := 0; i < cycles/len(keys) && err == nil; i++ {
				err = cycle(k)
			}
			failed <- err
		}()
	}
	for range keys {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d times in and out took %v", cycles, time.Since(start).Round(time.Millisecond))
	eventually(ctx, t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	if now := descriptors(t); now > files {
		t.Errorf("%d file descriptors, %d before", now, files)
	}
}
