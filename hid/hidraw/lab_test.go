package hidraw_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fido-emu/hid"
	"fido-emu/hid/hidraw"
	"fido-emu/hid/uhid"
)

// lab skips a test outside the lab's kernel and bounds it inside.
func lab(t testing.TB) context.Context {
	t.Helper()
	if os.Getenv("LAB") == "" {
		t.Skip("plugs devices into the kernel: runs in the lab, where LAB=1")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

var key = uhid.Config{Name: "fido-emu Key", Uniq: "0001", Phys: "bench/1", Vendor: 0x1209, Product: 0xF1D0}

// plug creates a device without anything behind it.
func plug(ctx context.Context, t testing.TB, c uhid.Config) (*uhid.Device, hidraw.Device) {
	t.Helper()
	device, err := uhid.Create(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { device.Close() })
	node, err := device.Node(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return device, node
}

func open(ctx context.Context, t testing.TB, node hidraw.Device) *hidraw.Conn {
	t.Helper()
	conn, err := hidraw.Open(ctx, node)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestLabReportsPassUnchanged(t *testing.T) {
	ctx := lab(t)
	device, node := plug(ctx, t, key)
	conn := open(ctx, t, node)
	random := rand.NewChaCha8([32]byte{3})
	for _, way := range []struct {
		name     string
		from, to hid.Conn
	}{{"to the device", conn, device}, {"to the host", device, conn}} {
		sent := make(hid.Report, hid.ReportSize)
		random.Read(sent)
		if err := way.from.WriteReport(sent); err != nil {
			t.Fatal(err)
		}
		if got, err := way.to.ReadReport(ctx); err != nil || string(got) != string(sent) {
			t.Errorf("%s: %x, %v; want %x", way.name, got, err, sent)
		}
		if err := way.from.WriteReport(sent[1:]); err == nil {
			t.Errorf("%s: a report of 63 bytes was taken", way.name)
		}
	}
}

func TestLabReadHonoursContext(t *testing.T) {
	ctx := lab(t)
	device, node := plug(ctx, t, key)
	conn := open(ctx, t, node)
	for range 100 {
		short, cancel := context.WithTimeout(ctx, time.Millisecond)
		if _, err := conn.ReadReport(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("read: %v", err)
		}
		cancel()
	}
	if err := device.WriteReport(make(hid.Report, hid.ReportSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ReadReport(ctx); err != nil {
		t.Errorf("after that: %v", err)
	}
}

func TestLabUnplug(t *testing.T) {
	ctx := lab(t)
	device, node := plug(ctx, t, key)
	conn := open(ctx, t, node)
	ended := make(chan error, 1)
	go func() {
		_, err := conn.ReadReport(ctx)
		ended <- err
	}()
	runtime.Gosched()
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("a read that waited: %v", err)
	}
	if _, err := conn.ReadReport(ctx); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("a read: %v", err)
	}
	if err := conn.WriteReport(make(hid.Report, hid.ReportSize)); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("a write: %v", err)
	}
	if _, err := hidraw.Open(ctx, node); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("opened: %v", err)
	}
	_, again := plug(ctx, t, key)
	if again.Path == node.Path {
		if _, err := hidraw.Open(ctx, node); !errors.Is(err, hid.ErrUnplugged) {
			t.Errorf("the node of another device was opened: %v", err)
		}
	}
}

func TestLabCloseEndsRead(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key)
	conn := open(ctx, t, node)
	ended := make(chan error, 1)
	go func() {
		_, err := conn.ReadReport(ctx)
		ended <- err
	}()
	runtime.Gosched()
	if err := errors.Join(conn.Close(), conn.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("a read that waited: %v", err)
	}
}

func TestLabOneUserAtATime(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key)
	conn := open(ctx, t, node)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := hidraw.Open(short, node); !errors.Is(err, hidraw.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprintf("process %d;", os.Getpid())) {
		t.Errorf("opened twice: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	open(ctx, t, node)
}

func TestLabPermissionDeniedSaysWhatToDo(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key)
	runtime.LockOSThread() // and never unlocked: the thread ends with the test
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	if _, err := hidraw.Open(ctx, node); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "udevadm") {
		t.Errorf("as nobody: %v", err)
	}
}

func TestLabWatch(t *testing.T) {
	ctx := lab(t)
	device, first := plug(ctx, t, key)
	var seen []hidraw.Event
	began := time.Now()
	err := hidraw.Watch(ctx, func(e hidraw.Event) bool {
		seen = append(seen, e)
		switch len(seen) {
		case 1:
			device.Close()
		case 2:
			device, _ = plug(ctx, t, key)
		}
		return len(seen) < 3
	})
	if err != nil || !seen[0].Plugged || seen[1].Plugged || !seen[2].Plugged || seen[1].Device != first || seen[2].Device.Port != "bench/1" {
		t.Errorf("%v: %+v", err, seen)
	}
	t.Logf("out and in again was seen in %v", time.Since(began).Round(time.Millisecond))
}

func TestLabThousandOpensLeaveNothing(t *testing.T) {
	ctx := lab(t)
	_, node := plug(ctx, t, key)
	files := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	goroutines, before := runtime.NumGoroutine(), files()
	for range 1000 {
		conn, err := hidraw.Open(ctx, node)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if now := runtime.NumGoroutine(); now > goroutines || files() > before {
		t.Errorf("%d goroutines and %d files, before %d and %d", now, files(), goroutines, before)
	}
}

// A report to the device and back, which is what every exchange is made of.
func BenchmarkLabEcho(b *testing.B) {
	ctx := lab(b)
	device, node := plug(ctx, b, key)
	conn := open(ctx, b, node)
	go func() {
		for {
			r, err := device.ReadReport(ctx)
			if err != nil || device.WriteReport(r) != nil {
				return
			}
		}
	}()
	report := make(hid.Report, hid.ReportSize)
	for b.Loop() {
		if err := conn.WriteReport(report); err != nil {
			b.Fatal(err)
		}
		if _, err := conn.ReadReport(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
