// Package uhid shows an emulated key to this computer's own programs: a HID device
// in the Linux kernel that is served from user space through /dev/uhid. To programs
// it is a security key on USB, with a hidraw node and all that udev makes of it; it
// needs neither a USB stack nor a host controller.
//
// See Documentation/hid/uhid.rst of the kernel, and linux/uhid.h.
package uhid

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
	"fido-emu/hid/hidraw"
	"fido-emu/hid/internal/pace"
)

// DefaultPath is where the kernel's uhid is.
const DefaultPath = "/dev/uhid"

// UdevRule gives the members of group plugdev, and whoever sits at the computer,
// the use of /dev/uhid.
const UdevRule = `KERNEL=="uhid", SUBSYSTEM=="misc", MODE="0660", GROUP="plugdev", TAG+="uaccess", OPTIONS+="static_node=uhid"`

// Config says what a device looks like. Vendor and Product must not be a real
// company's unless the key is meant to be taken for that company's.
type Config struct {
	Name    string // manufacturer and product, at most 127 bytes
	Phys    string // the port that it seems to be in, at most 63 bytes; one of its own when empty. It should be unique
	Uniq    string // serial number, at most 63 bytes
	Vendor  uint16
	Product uint16
	Version uint16 // bcdDevice: 5.04 is 0x0504
	Path    string // DefaultPath when empty
}

// queueDepth is how many reports may wait to be read. The kernel keeps 32 and drops
// the rest, so this takes more than the 129 of the longest message.
const queueDepth = 256

// hostBurst is how many reports may be on their way to the host: the kernel keeps 64
// for each reader (HIDRAW_BUFFER_SIZE) and drops what is more.
const hostBurst = 48

// Device is a HID device in the kernel, seen from the device's side: a hid.Conn
// whose other side is whoever opens the hidraw node. Reports that are written while
// nobody has the node open are lost, as those of a USB device.
type Device struct {
	file    *os.File
	phys    string
	reports chan hid.Report
	started chan struct{} // closed when a driver of the kernel has taken the device
	stopped chan struct{} // closed when the driver has let go of it
	open    atomic.Bool
	pace    *pace.Pacer

	mu    sync.Mutex
	taker func(hid.Report) // takes reports at once; nil while they are queued

	closing chan struct{} // closed by Close
	closed  sync.Once
	ended   chan struct{} // closed when listen has returned, with err set
	err     error
}

var _ hid.Deliverer = (*Device)(nil)

// Create plugs a device in and waits until the kernel has taken it; its hidraw node
// follows within a moment, see [Device.Node]. The error says what to do when
// /dev/uhid cannot be used.
func Create(ctx context.Context, c Config) (*Device, error) {
	file, err := open(c.Path)
	if err != nil {
		return nil, err
	}
	if c.Phys == "" {
		c.Phys, err = ownPort(file)
	}
	if err = errors.Join(err, c.check()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	d := &Device{
		file: file, phys: c.Phys, pace: pace.New(hostBurst),
		reports: make(chan hid.Report, queueDepth),
		started: make(chan struct{}), stopped: make(chan struct{}), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := d.write(createEvent(c, descriptor.FIDO(hid.ReportSize))); err != nil {
		return nil, errors.Join(fmt.Errorf("uhid: cannot create the device: %w", err), file.Close())
	}
	go d.listen()
	select {
	case <-d.started:
		return d, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-d.ended:
		err = d.err
	}
	return nil, errors.Join(fmt.Errorf("uhid: no driver of the kernel took the device: %w", err), d.Close())
}

// Check tells whether devices can be created here; the error says what to do.
func Check() error {
	file, err := open(DefaultPath)
	if err != nil {
		return err
	}
	return file.Close()
}

func open(path string) (*os.File, error) {
	if path == "" {
		path = DefaultPath
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case err == nil:
		return file, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("uhid: %w; become root, or once: echo '%s' | sudo tee /etc/udev/rules.d/70-fido-emu.rules && sudo udevadm control --reload && sudo udevadm trigger /dev/uhid", err, UdevRule)
	default:
		return nil, fmt.Errorf("uhid: %w; load the driver with 'sudo modprobe uhid', unless this is a container or a kernel without it", err)
	}
}

// ownPort is a port that no other device is in: the process and its file.
func ownPort(file *os.File) (port string, err error) {
	raw, err := file.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { port = fmt.Sprintf("uhid/%d.%d", os.Getpid(), fd) })
	}
	return port, err
}

// Lengths of struct uhid_create2_req's strings, less the byte that ends them.
const (
	maxName = 127
	maxPort = 63
)

func (c Config) check() error {
	for _, s := range []struct {
		what, value string
		most        int
	}{{"name", c.Name, maxName}, {"phys", c.Phys, maxPort}, {"uniq", c.Uniq, maxPort}} {
		if len(s.value) > s.most || strings.ContainsAny(s.value, "\x00\n") {
			return fmt.Errorf("uhid: the %s %q cannot be used: at most %d bytes, in one line", s.what, s.value, s.most)
		}
	}
	return nil
}

// listen handles the kernel's events until the device is closed.
func (d *Device) listen() {
	defer close(d.ended)
	buffer := make([]byte, eventSize)
	for {
		n, err := d.file.Read(buffer)
		if err == nil {
			err = d.handle(buffer[:n])
		}
		if err != nil {
			d.err = err
			return
		}
	}
}

func (d *Device) handle(b []byte) error {
	e, err := parseEvent(b)
	if err != nil {
		return err
	}
	switch e.kind {
	case eventStart:
		once(d.started)
	case eventStop:
		once(d.stopped)
	case eventOpen:
		d.open.Store(true)
	case eventClose:
		d.open.Store(false)
	case eventOutput:
		if r, ok := outputReport(e.report, hid.ReportSize); ok {
			return d.take(r)
		}
	case eventGetReport:
		return d.write(refusal(eventGetReportReply, e.id))
	case eventSetReport:
		return d.write(refusal(eventSetReportReply, e.id))
	}
	return nil
}

// once closes a channel the first time: an administrator can unbind a driver and bind
// it anew.
func once(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

func (d *Device) take(r hid.Report) error {
	if d.delivered(r) {
		return nil
	}
	select {
	case d.reports <- r:
		return nil
	case <-d.closing:
		return os.ErrClosed
	}
}

// delivered gives a report to whoever takes them at once.
func (d *Device) delivered(r hid.Report) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taker != nil {
		d.pace.Answered()
		d.taker(r)
	}
	return d.taker != nil
}

// DeliverTo has take called with every report by the goroutine that reads from the
// kernel: on its way to another it would wait for the scheduler.
func (d *Device) DeliverTo(ctx context.Context, take func(hid.Report)) error {
	d.begin(take)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-d.closing:
		return hid.ErrUnplugged
	case <-d.ended:
		return fmt.Errorf("%w: uhid: %w", hid.ErrUnplugged, d.err)
	}
}

// begin hands over what is queued and makes take the taker of the rest.
func (d *Device) begin(take func(hid.Report)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		select {
		case r := <-d.reports:
			take(r)
		default:
			d.taker = take
			return
		}
	}
}

func (d *Device) write(event []byte) error {
	_, err := d.file.Write(event)
	return err
}

// Phys returns the port that the device seems to be in, HID_PHYS to the host.
func (d *Device) Phys() string { return d.phys }

// Node waits until programs can find the device, and returns how they see it.
func (d *Device) Node(ctx context.Context) (hidraw.Device, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-d.stopped:
			cancel(errors.New("the kernel's driver let go of it; Linux has at most 64 hidraw nodes"))
		case <-ctx.Done():
		}
	}()
	node, err := hidraw.Wait(ctx, hidraw.Selector{Port: d.phys})
	if err != nil {
		return node, fmt.Errorf("uhid: no hidraw node appeared for %s: %w", d.phys, context.Cause(ctx))
	}
	return node, d.settle(ctx, node)
}

// settleInterval is how long a report may take to the host before another one is tried.
const settleInterval = 5 * time.Millisecond

// settle waits until reports get through to the host. The node is there before the
// driver's probe has ended, and until then the kernel drops what a device sends
// (hid_input_report of drivers/hid/hid-core.c finds driver_input_lock taken). An empty
// report, on the channel 0 that no host uses, shows when that is over. A node that this
// process may not open, or that somebody has opened already, is left alone.
func (d *Device) settle(ctx context.Context, node hidraw.Device) error {
	conn, err := hidraw.Open(ctx, node)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, hidraw.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	for err = context.DeadlineExceeded; errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil; {
		if err = d.WriteReport(make(hid.Report, hid.ReportSize)); err != nil {
			break
		}
		short, cancel := context.WithTimeout(ctx, settleInterval)
		_, err = conn.ReadReport(short)
		cancel()
	}
	return errors.Join(err, conn.Close())
}

// Opened tells whether a program has the device open at this moment.
func (d *Device) Opened() bool { return d.open.Load() }

// ReadReport waits for a report from the host. The error is ctx's, or wraps
// hid.ErrUnplugged after Close.
func (d *Device) ReadReport(ctx context.Context) (hid.Report, error) {
	select {
	case <-d.closing:
		return nil, hid.ErrUnplugged
	default:
	}
	select {
	case r := <-d.reports:
		d.pace.Answered()
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-d.closing:
		return nil, hid.ErrUnplugged
	case <-d.ended:
		return nil, fmt.Errorf("%w: uhid: %w", hid.ErrUnplugged, d.err)
	}
}

// WriteReport sends a report of 64 bytes to whoever has the node open. In a message
// of more than 48 it takes the time that USB would.
func (d *Device) WriteReport(r hid.Report) error {
	if len(r) != hid.ReportSize {
		return fmt.Errorf("uhid: report of %d bytes, want %d", len(r), hid.ReportSize)
	}
	d.pace.Wait()
	if err := d.write(inputEvent(r)); err != nil {
		return fmt.Errorf("%w: uhid: %w", hid.ErrUnplugged, err)
	}
	return nil
}

// Sizes returns 64 and 64.
func (d *Device) Sizes() (read, write int) { return hid.ReportSize, hid.ReportSize }

// Close unplugs the device. When it returns the hidraw node is gone.
func (d *Device) Close() (err error) {
	d.closed.Do(func() {
		close(d.closing)
		err = errors.Join(d.write(destroyEvent()), d.file.Close())
	})
	<-d.ended
	return err
}
