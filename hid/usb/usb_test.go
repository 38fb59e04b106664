package usb

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

var keyboard = []byte{0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x75, 0x08, 0x95, 0x08, 0x81, 0x02, 0x91, 0x02, 0xc0}

func TestDevices(t *testing.T) {
	far, near, other := fido(2, 10), fido(2, 1, 3), fido(1, 4)
	other.report = keyboard
	b, _ := newFake(t, far, near, other)
	devices, err := b.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Device{Port: "2-1.3", Address: 7, Vendor: 0x1209, Product: 0xf1d0, Manufacturer: "fido-emu", ProductName: "Key", Serial: "0001", Reports: descriptor.Reports{Input: 64, Output: 64}}
	if len(devices) != 2 || devices[0] != want || devices[1].Port != "2-10" {
		t.Errorf("%+v\nwant %+v, and the one in 2-10", devices, want)
	}
	if got := want.String(); got != `port 2-1.3: 1209:f1d0 "fido-emu Key", serial 0001` {
		t.Errorf("String: %s", got)
	}
}

// A device that a driver has is read from where Linux shows it: nobody need open it.
func TestDevicesOfDrivers(t *testing.T) {
	d := fido(2, 1)
	d.openErr = ErrPermission
	b, _ := newFake(t, d)
	for path, text := range map[string]string{
		"2-1/2-1:1.0/0003:1209:F1D0.0001/report_descriptor": string(descriptor.FIDO(32)),
		"2-1/manufacturer": "ACME\n", "2-1/product": "Schlüssel\n",
	} {
		path = filepath.Join(b.system, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	devices, err := b.Devices(t.Context())
	if err != nil || len(devices) != 1 || devices[0].Reports.Input != 32 || devices[0].ProductName != "Schlüssel" || devices[0].Serial != "" {
		t.Errorf("%+v, %v", devices, err)
	}
}

func TestDevicesSayWhatTheyCouldNotAsk(t *testing.T) {
	good, busy, denied, leaving := fido(1, 1), fido(1, 2), fido(1, 3), fido(1, 4)
	busy.driver, busy.address = true, 8
	denied.openErr, denied.address = ErrPermission, 9
	leaving.openErr, leaving.address = hid.ErrUnplugged, 10
	b, l := newFake(t, good, busy, denied, leaving)
	l.failing = errors.New("descriptors of another device")
	devices, err := b.Devices(t.Context())
	if len(devices) != 1 || !errors.Is(err, ErrBusy) || !errors.Is(err, ErrPermission) || !errors.Is(err, l.failing) || errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("%+v, %v", devices, err)
	}
}

func TestSelect(t *testing.T) {
	a := Device{Port: "1-1", Serial: "A"}
	b := Device{Port: "1-2", Serial: "B"}
	twin := Device{Port: "1-3", Serial: "B"}
	all := []Device{a, b, twin}
	for _, c := range []struct {
		port, serial string
		want         Device
		err          error
	}{
		{"1-2", "", b, nil},
		{"", "A", a, nil},
		{"1-3", "B", twin, nil},
		{"", "B", Device{}, ErrSeveral},
		{"", "", Device{}, ErrSeveral},
		{"1-3", "A", Device{}, ErrNone},
	} {
		got, err := Select(all, c.port, c.serial)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Select(%q, %q) = %+v, %v; want %+v, %v", c.port, c.serial, got, err, c.want, c.err)
		}
		if err != nil && !strings.Contains(err.Error(), "port 1-3") {
			t.Errorf("the error does not say what there is: %v", err)
		}
	}
}

func TestReportsGoThrough(t *testing.T) {
	for _, c := range []struct {
		name     string
		reports  []byte
		packet   int
		up, down string // on the wire, before 64 or fewer bytes of payload
		size     int
	}{
		{"64 bytes", descriptor.FIDO(64), 64, "", "", 64},
		{"short packets", descriptor.FIDO(20), 8, "", "", 20},
		{"numbered", []byte{6, 0xd0, 0xf1, 9, 1, 0xa1, 1, 0x85, 3, 0x75, 8, 0x95, 63, 0x81, 2, 0x85, 4, 0x91, 2, 0xc0}, 64, "\x03", "\x04", 63},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := fido(1, 1)
			d.report, d.driver, d.interfaces[0].packet = c.reports, false, c.packet
			b, _ := newFake(t, d)
			conn := open(t, b)
			if in, out := conn.Sizes(); in != c.size || out != c.size {
				t.Fatalf("sizes %d and %d, want %d", in, out, c.size)
			}
			payload := bytes.Repeat([]byte{9}, c.size)
			d.up <- []byte(c.up + "of another length")
			if c.up != "" {
				d.up <- append([]byte{7}, payload...) // of another number
			}
			d.up <- append([]byte(c.up), payload...)
			if got, err := conn.ReadReport(soon(t)); err != nil || !bytes.Equal(got, payload) {
				t.Errorf("ReadReport = %x, %v", got, err)
			}
			if err := conn.WriteReport(payload); err != nil {
				t.Error(err)
			}
			if got := <-d.down; !bytes.Equal(got, append([]byte(c.down), payload...)) {
				t.Errorf("the device reads %x", got)
			}
			if err := conn.WriteReport(payload[1:]); err == nil {
				t.Error("a report that is too short was written")
			}
		})
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	b, _ := newFake(t, fido(1, 1))
	conn := open(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := conn.ReadReport(ctx); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

func TestCloseEndsTransfers(t *testing.T) {
	d := fido(1, 1)
	b, _ := newFake(t, d)
	conn := open(t, b)
	d.releaseErr = errors.New("no driver")
	read := make(chan error)
	go func() { _, err := conn.ReadReport(context.Background()); read <- err }()
	for range 2 {
		if err := conn.Close(); !errors.Is(err, d.releaseErr) {
			t.Errorf("Close: %v", err)
		}
	}
	if err := <-read; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ReadReport: %v", err)
	}
	if err := conn.WriteReport(make(hid.Report, 64)); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("WriteReport: %v", err)
	}
}

func TestUnplugged(t *testing.T) {
	d := fido(1, 1)
	b, l := newFake(t, d)
	conn := open(t, b)
	d.readErr = errBroken
	if _, err := conn.ReadReport(soon(t)); err == nil || errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("a transfer failed and the device answers: %v", err)
	}
	close(d.unplugged)
	if _, err := conn.ReadReport(soon(t)); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ReadReport: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	l.plugged = nil
	if _, err := b.Open(t.Context(), conn.Device()); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("Open: %v", err)
	}
	again := fido(1, 1) // another address: it was out
	again.address, again.library, l.plugged = 8, l, []*fakeDevice{again}
	if _, err := b.Open(t.Context(), conn.Device()); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("Open of what was out: %v", err)
	}
}

func TestOpenTakesTheDriverOff(t *testing.T) {
	d := fido(1, 1)
	b, _ := newFake(t, d)
	devices, err := b.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.driver = true
	conn, err := b.Open(t.Context(), devices[0])
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestOpenRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fakeDevice)
		want  error
	}{
		"no permission":  {func(d *fakeDevice) { d.openErr = ErrPermission }, ErrPermission},
		"another device": {func(d *fakeDevice) { d.report = keyboard }, descriptor.ErrNotFIDO},
		"garbage":        {func(d *fakeDevice) { d.report = []byte{0xb4} }, descriptor.ErrMalformed},
	} {
		d := fido(1, 1)
		b, _ := newFake(t, d)
		devices, err := b.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(d)
		if _, err := b.Open(t.Context(), devices[0]); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestOpenWaitsForABusyKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fido(1, 1)
		b, _ := newFake(t, d)
		devices, err := b.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.busy = 3
		conn, err := b.Open(t.Context(), devices[0])
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		d.busy = 1000
		start := time.Now()
		if _, err := b.Open(t.Context(), devices[0]); !errors.Is(err, ErrBusy) || time.Since(start) != time.Second {
			t.Errorf("%v after %v, want ErrBusy after 1 s", err, time.Since(start))
		}
	})
}

// A key that hangs while it is opened is let go of when it answers after all.
func TestOpenEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fido(1, 1)
		b, _ := newFake(t, d)
		devices, err := b.Devices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.opening = make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Open(ctx, devices[0]); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		close(d.opening)
		synctest.Wait() // newFake looks whether anything is open
	})
}

func TestWriteGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := fido(1, 1)
		b, _ := newFake(t, d)
		conn := open(t, b)
		d.down = nil
		start := time.Now()
		if err := conn.WriteReport(make(hid.Report, 64)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v, want a time-out after 3 s", err, time.Since(start))
		}
		conn.Close()
	})
}
