//go:build linux && cgo

package usb_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
	"fido-emu/hid"
	"fido-emu/hid/gadget"
	"fido-emu/hid/usb"
	"fido-emu/hid/usbip"
	"fido-emu/hid/usbip/vhci"
)

// lab skips a test outside the lab's kernel and bounds it inside.
func lab(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("LAB") == "" {
		t.Skip("plugs devices into the kernel: runs in the lab, where LAB=1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// newBus returns a bus that is closed after everything on it.
func newBus(t *testing.T) *usb.Bus {
	t.Helper()
	b, err := usb.NewBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// serve puts an authenticator that says yes to everything behind the device's side of
// a connection.
func serve(t *testing.T, conn hid.Conn) {
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
	ended := make(chan error, 1)
	go func() {
		ended <- hid.Serve(context.Background(), conn, hid.Device{Authenticator: core, PacketTimeout: 10 * time.Second})
	}()
	t.Cleanup(func() {
		conn.Close()
		if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
			t.Errorf("Serve: %v", err)
		}
	})
}

// overUSBIP plugs a key into the virtual host controller.
func overUSBIP(ctx context.Context, t *testing.T, serial string) (*usbip.Key, string) {
	t.Helper()
	c, err := vhci.Open("")
	if err != nil {
		t.Fatal(err)
	}
	k, err := usbip.NewKey(usbip.Identity{Vendor: 0x1209, Product: 0xf1d0, Manufacturer: "fido-emu", ProductName: "Key", Serial: serial})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, k)
	a, err := c.Plug(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Detach(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	return k, a.Port.Device
}

// overGadget plugs a key into the dummy controller, whose root hub has one port.
func overGadget(ctx context.Context, t *testing.T, serial string) (port string) {
	t.Helper()
	g, err := gadget.Plug(gadget.Config{Controller: "dummy_udc.0", Vendor: 0x1209, Product: 0xf1d0, Manufacturer: "fido-emu", ProductName: "Key", Serial: serial})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, g)
	eventually(ctx, t, "the host has the gadget", func() bool {
		found, _ := filepath.Glob("/sys/devices/platform/dummy_hcd.0/usb*/*-1")
		if len(found) == 1 {
			port = filepath.Base(found[0])
		}
		return port != "" && hidraws(port) == 1
	})
	return port
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

// hidraws counts the hidraw nodes of a USB device: one while the kernel's driver has
// it, none while we have.
func hidraws(port string) int {
	found, _ := filepath.Glob("/sys/bus/usb/devices/" + port + "/" + port + ":1.0/*/hidraw/hidraw*")
	return len(found)
}

func find(ctx context.Context, t *testing.T, b *usb.Bus, serial string) usb.Device {
	t.Helper()
	devices, err := b.Devices(ctx)
	if err != nil {
		t.Fatal(err)
	}
	d, err := usb.Select(devices, "", serial)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The harness's side of CTAP reaches the emulated key over libusb, whatever the key is
// plugged in by.
func TestLabExchange(t *testing.T) {
	ctx := lab(t)
	_, first := overUSBIP(ctx, t, "A")
	_, second := overUSBIP(ctx, t, "B")
	for serial, port := range map[string]string{"A": first, "B": second, "C": overGadget(ctx, t, "C")} {
		t.Run(serial+" in "+port, func(t *testing.T) {
			b := newBus(t)
			d := find(ctx, t, b, serial)
			if d.Port != port || d.Vendor != 0x1209 || d.Product != 0xf1d0 || d.Manufacturer != "fido-emu" || d.ProductName != "Key" || d.Reports.Input != 64 || d.Reports.Output != 64 {
				t.Errorf("listed as %+v, want port %s", d, port)
			}
			conn, err := b.Open(ctx, d)
			if err != nil {
				t.Fatal(err)
			}
			if n := hidraws(port); n != 0 {
				t.Errorf("the kernel's driver still has the key, %d nodes", n)
			}
			channel, err := hid.Dial(ctx, conn, rand.NewChaCha8([32]byte{2}))
			if err != nil {
				t.Fatal(err)
			}
			long := bytes.Repeat([]byte("0123456789"), 100)
			if echo, err := channel.Ping(ctx, long); err != nil || !bytes.Equal(echo, long) {
				t.Errorf("Ping: %d bytes, %v", len(echo), err)
			}
			start := time.Now()
			for range 50 {
				if _, err := channel.Ping(ctx, []byte("one report")); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("a report there and back takes %v", time.Since(start)/50)
			info, err := platform.New(channel, rand.NewChaCha8([32]byte{3})).Info(ctx)
			if err != nil || ctap.AAGUID(info.AAGUID) != (ctap.AAGUID{0xf1, 0xd0}) {
				t.Errorf("getInfo: %+v, %v", info, err)
			}
			if err := channel.Close(); err != nil {
				t.Error(err)
			}
			eventually(ctx, t, "the kernel's driver has the key again", func() bool { return hidraws(port) == 1 })
		})
	}
}

// Without a driver on it, the key itself is asked what it is.
func TestLabListWithoutDriver(t *testing.T) {
	ctx := lab(t)
	_, port := overUSBIP(ctx, t, "0001")
	if err := os.WriteFile("/sys/bus/usb/drivers/usbhid/unbind", []byte(port+":1.0"), 0); err != nil {
		t.Fatal(err)
	}
	if d := find(ctx, t, newBus(t), "0001"); d.Port != port || d.ProductName != "Key" || d.Reports.Input != 64 {
		t.Errorf("listed as %+v", d)
	}
	if n := hidraws(port); n != 0 {
		t.Error("listing has brought the driver back")
	}
}

func TestLabExclusive(t *testing.T) {
	ctx := lab(t)
	overUSBIP(ctx, t, "0001")
	b := newBus(t)
	d := find(ctx, t, b, "0001")
	conn, err := b.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := newBus(t).Open(ctx, d); !errors.Is(err, usb.ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
}

func TestLabReadEndsWithItsContext(t *testing.T) {
	ctx := lab(t)
	overUSBIP(ctx, t, "0001")
	b := newBus(t)
	conn, err := b.Open(ctx, find(ctx, t, b, "0001"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := conn.ReadReport(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestLabUnplugged(t *testing.T) {
	ctx := lab(t)
	k, _ := overUSBIP(ctx, t, "0001")
	b := newBus(t)
	d := find(ctx, t, b, "0001")
	conn, err := b.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() { _, err := conn.ReadReport(ctx); read <- err }()
	k.Unplug()
	if err := <-read; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ReadReport: %v", err)
	}
	if err := conn.WriteReport(make(hid.Report, 64)); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("WriteReport: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.Open(ctx, d); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("opened again: %v", err)
	}
}

func TestLabOpenCycles(t *testing.T) {
	ctx := lab(t)
	cycles := 200
	if n, err := strconv.Atoi(os.Getenv("LAB_CYCLES")); err == nil {
		cycles = n
	}
	overUSBIP(ctx, t, "0001")
	b := newBus(t)
	files := func() int {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(open)
	}
	cycle := func() {
		conn, err := b.Open(ctx, find(ctx, t, b, "0001"))
		if err != nil {
			t.Fatal(err)
		}
		reading := make(chan error)
		go func() { _, err := conn.ReadReport(ctx); reading <- err }()
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-reading; !errors.Is(err, hid.ErrUnplugged) {
			t.Fatalf("ReadReport: %v", err)
		}
	}
	cycle()
	goroutines, before, start := runtime.NumGoroutine(), files(), time.Now()
	for range cycles {
		cycle()
	}
	t.Logf("%d times opened and closed in %v", cycles, time.Since(start).Round(time.Millisecond))
	eventually(ctx, t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	if n := files(); n > before {
		t.Errorf("%d file descriptors, %d before", n, before)
	}
}
