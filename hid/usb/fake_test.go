package usb

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

// fakeLibrary has devices that exist only here, and counts what is open.
type fakeLibrary struct {
	mu      sync.Mutex
	plugged []*fakeDevice
	opened  int
	failing error // of devices
}

// fakeDevice is a device with one HID interface whose reports go through channels.
type fakeDevice struct {
	description
	library                       *fakeLibrary
	report                        []byte // its report descriptor
	manufacturer, product, serial string

	opening    chan struct{} // opening waits for it, unless it is nil
	openErr    error
	busy       int  // claims that find another program there
	driver     bool // the kernel's driver has the interface
	claimed    bool
	up         chan []byte
	down       chan []byte
	unplugged  chan struct{}
	readErr    error // of reads, once
	releaseErr error
}

func fido(bus int, ports ...int) *fakeDevice {
	return &fakeDevice{
		description: description{
			bus: bus, address: 7, ports: ports, vendor: 0x1209, product: 0xf1d0,
			interfaces: []hidInterface{{configuration: 1, number: 0, in: 1, out: 1, packet: 64}},
		},
		report: descriptor.FIDO(64), manufacturer: "fido-emu", product: "Key", serial: "0001",
		up: make(chan []byte, 10), down: make(chan []byte, 10), unplugged: make(chan struct{}),
	}
}

// newFake returns a bus with devices, which are all shut again when the test ends.
func newFake(t *testing.T, devices ...*fakeDevice) (*Bus, *fakeLibrary) {
	l := &fakeLibrary{plugged: devices}
	for _, d := range devices {
		d.library = l
	}
	t.Cleanup(func() {
		if l.opened != 0 {
			t.Errorf("%d devices are still open", l.opened)
		}
		for _, d := range devices {
			if d.claimed {
				t.Errorf("%s is still claimed", d.port())
			}
		}
	})
	return &Bus{library: l, system: t.TempDir()}, l
}

func (l *fakeLibrary) close() error { return nil }

func (l *fakeLibrary) devices() (found []description, err error) {
	for _, d := range l.plugged {
		found = append(found, d.description)
	}
	return found, l.failing
}

func (l *fakeLibrary) open(bus, address int) (handle, error) {
	at := slices.IndexFunc(l.plugged, func(d *fakeDevice) bool { return d.bus == bus && d.address == address })
	if at < 0 {
		return nil, hid.ErrUnplugged
	}
	d := l.plugged[at]
	if d.opening != nil {
		<-d.opening
	}
	if d.openErr != nil {
		return nil, d.openErr
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
	return d, nil
}

func (d *fakeDevice) close() error {
	d.library.mu.Lock()
	defer d.library.mu.Unlock()
	d.library.opened--
	return nil
}

func (d *fakeDevice) gone() bool {
	select {
	case <-d.unplugged:
		return true
	default:
		return false
	}
}

func (d *fakeDevice) control(requestType, request byte, value, index uint16, data []byte) (int, error) {
	switch {
	case d.gone():
		return 0, hid.ErrUnplugged
	case requestType == 0x80 && request == 0:
		return 2, nil
	case requestType == 0x81 && request == 6 && value == 0x2200 && index == 0 && d.claimed:
		return copy(data, d.report), nil
	}
	return 0, errors.New("stall")
}

func (d *fakeDevice) texts() (manufacturer, product, serial string) {
	return d.manufacturer, d.product, d.serial
}

func (d *fakeDevice) claim(_ hidInterface, detach bool) (claim, error) {
	if d.busy > 0 {
		d.busy--
		return nil, ErrBusy
	}
	if d.driver && !detach {
		return nil, ErrBusy
	}
	d.claimed = true
	return fakeClaim{d}, nil
}

type fakeClaim struct {
	*fakeDevice
}

func (c fakeClaim) release() error {
	c.claimed = false
	return c.releaseErr
}

func (c fakeClaim) read(ctx context.Context, buffer []byte) (int, error) {
	if err := c.readErr; err != nil {
		c.readErr = nil
		return 0, err
	}
	select {
	case b := <-c.up:
		if len(b) > len(buffer) {
			return 0, errors.New("overflow")
		}
		return copy(buffer, b), nil
	case <-ctx.Done():
		return 0, errors.New("transfer was cancelled")
	case <-c.unplugged:
		return 0, errBroken
	}
}

func (c fakeClaim) write(ctx context.Context, report []byte) (int, error) {
	select {
	case c.down <- slices.Clone(report):
		return len(report), nil
	case <-ctx.Done():
		return 0, errors.New("transfer was cancelled")
	case <-c.unplugged:
		return 0, hid.ErrUnplugged
	}
}

// open opens the only device of a bus.
func open(t *testing.T, b *Bus) *Conn {
	t.Helper()
	devices, err := b.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := Select(devices, "", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// soon bounds what a test waits for.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}
