package usb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

// Times that the package waits.
const (
	busyTimeout  = time.Second           // for another program to give the interface back
	busyPause    = 50 * time.Millisecond // between two tries
	writeTimeout = 3 * time.Second       // for the device to take a report
)

// Conn is an open key: a hid.Conn for the host's side.
type Conn struct {
	device Device
	packet int
	handle handle
	claim  claim

	closing context.Context // ends with Close
	end     context.CancelFunc
	once    sync.Once
	closed  error
	using   sync.RWMutex // held for reading during a transfer
}

var _ hid.Conn = (*Conn)(nil)

// Open takes a key for this program alone; its driver is taken off the interface until
// Close. A key that another program has is waited for, a second at most. The error
// wraps hid.ErrUnplugged, ErrBusy or ErrPermission, or is ctx's when that ends first.
func (b *Bus) Open(ctx context.Context, d Device) (*Conn, error) {
	type result struct {
		conn *Conn
		err  error
	}
	opened := make(chan result, 1)
	go func() {
		c, err := b.open(ctx, d)
		opened <- result{c, err}
	}()
	select {
	case r := <-opened:
		return r.conn, r.err
	case <-ctx.Done(): // libusb cannot be interrupted, and takes seconds for a key that hangs
		go func() {
			if r := <-opened; r.conn != nil {
				r.conn.Close()
			}
		}()
		return nil, fmt.Errorf("usb: opening %s: %w", d.Port, ctx.Err())
	}
}

func (b *Bus) open(ctx context.Context, d Device) (*Conn, error) {
	i, err := b.find(d)
	if err != nil {
		return nil, err
	}
	c := &Conn{device: d, packet: i.packet}
	if c.handle, err = b.library.open(i.bus, d.Address); err != nil {
		return nil, fmt.Errorf("usb: opening %s: %w", d.Port, err)
	}
	if err = c.take(ctx, i.hidInterface); err != nil {
		return nil, errors.Join(fmt.Errorf("usb: opening %s: %w", d.Port, err), c.handle.close())
	}
	c.closing, c.end = context.WithCancel(context.WithoutCancel(ctx))
	return c, nil
}

// place is an interface and the bus it is on.
type place struct {
	bus int
	hidInterface
}

// find finds the device among those that are plugged in now.
func (b *Bus) find(d Device) (place, error) {
	all, err := b.library.devices()
	for _, now := range all {
		if now.port() != d.Port || now.address != d.Address || now.vendor != d.Vendor || now.product != d.Product {
			continue
		}
		for _, i := range now.interfaces {
			if i.number == d.Interface {
				return place{now.bus, i}, nil
			}
		}
	}
	return place{}, errors.Join(fmt.Errorf("usb: %w: %s is not there any more", hid.ErrUnplugged, d), err)
}

// take claims the interface and looks whether it is what it was.
func (c *Conn) take(ctx context.Context, i hidInterface) error {
	var err error
	if c.claim, err = claimPatiently(ctx, c.handle, i); err != nil {
		return err
	}
	c.device.Reports, err = reports(c.handle, i)
	if err != nil {
		return errors.Join(err, c.claim.release())
	}
	return nil
}

// claimPatiently waits for a while for a program that has the interface.
func claimPatiently(ctx context.Context, h handle, i hidInterface) (claim, error) {
	ctx, cancel := context.WithTimeout(ctx, busyTimeout)
	defer cancel()
	for {
		c, err := h.claim(i, true)
		if !errors.Is(err, ErrBusy) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(busyPause):
		}
	}
}

// Device returns what was opened.
func (c *Conn) Device() Device { return c.device }

// Sizes returns the lengths that the report descriptor gives.
func (c *Conn) Sizes() (read, write int) { return c.device.Reports.Input, c.device.Reports.Output }

// ReadReport waits for a report. The error is ctx's, or wraps hid.ErrUnplugged.
func (c *Conn) ReadReport(ctx context.Context) (hid.Report, error) {
	r := c.device.Reports
	buffer := make([]byte, roundUp(wireSize(r.Input, r), c.packet))
	for {
		n, err := c.transfer(ctx, buffer, c.claim.read)
		if err != nil {
			return nil, err
		}
		if report, ok := unwrap(buffer[:n], r); ok {
			return report, nil
		}
	}
}

// wireSize is the length of a report with its number.
func wireSize(size int, r descriptor.Reports) int {
	if r.Numbered {
		return size + 1
	}
	return size
}

// roundUp makes room for whole packets, because a device may send no less.
func roundUp(size, packet int) int {
	if packet <= 0 {
		return size
	}
	return (size + packet - 1) / packet * packet
}

// unwrap takes the number off a report; not ok is one of another number or length.
func unwrap(b []byte, r descriptor.Reports) (report hid.Report, ok bool) {
	if r.Numbered {
		if len(b) == 0 || b[0] != r.InputID {
			return nil, false
		}
		b = b[1:]
	}
	return slices.Clone(b), len(b) == r.Input
}

// WriteReport sends a report. A key that does not take it within 3 seconds is an
// error.
func (c *Conn) WriteReport(report hid.Report) error {
	r := c.device.Reports
	if len(report) != r.Output {
		return fmt.Errorf("usb: report of %d bytes, want %d", len(report), r.Output)
	}
	wire := []byte(report)
	if r.Numbered {
		wire = append([]byte{r.OutputID}, report...)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.closing), writeTimeout)
	defer cancel()
	_, err := c.transfer(ctx, wire, c.claim.write)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("usb: %s takes no reports: %w", c.device.Port, err)
	}
	return err
}

// transfer performs a transfer that ends with ctx or with the connection.
func (c *Conn) transfer(ctx context.Context, b []byte, do func(context.Context, []byte) (int, error)) (int, error) {
	c.using.RLock()
	defer c.using.RUnlock()
	if c.closing.Err() != nil {
		return 0, fmt.Errorf("usb: %w: the connection is closed", hid.ErrUnplugged)
	}
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.closing, cancel)()
	n, err := do(both, b)
	switch {
	case err == nil:
		return n, nil
	case c.closing.Err() != nil:
		return 0, fmt.Errorf("usb: %w: the connection is closed", hid.ErrUnplugged)
	case ctx.Err() != nil:
		return 0, ctx.Err()
	}
	return 0, c.failed(err)
}

// failed says what an error of a transfer means. On a key that is being pulled out,
// transfers fail before the bus knows of it: whether it still answers tells.
func (c *Conn) failed(err error) error {
	if errors.Is(err, errBroken) {
		if _, silent := c.handle.control(0x80, 0x00, 0, 0, make([]byte, 2)); silent != nil { // GET_STATUS
			err = fmt.Errorf("%w: %w", hid.ErrUnplugged, err)
		}
	}
	return fmt.Errorf("usb: %s: %w", c.device.Port, err)
}

// Close gives the key back to its driver. A transfer that waits returns first. A
// second Close does nothing.
func (c *Conn) Close() error {
	c.once.Do(func() {
		c.end()
		c.using.Lock()
		defer c.using.Unlock()
		if err := errors.Join(c.claim.release(), c.handle.close()); err != nil {
			c.closed = fmt.Errorf("usb: closing %s: %w", c.device.Port, err)
		}
	})
	return c.closed
}
