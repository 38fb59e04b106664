package hidraw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
	"fido-emu/hid/internal/pace"
)

// deviceBurst is how many reports may be on their way to a device behind uhid: the
// kernel keeps 32 (UHID_BUFSIZE) and drops what is more.
const deviceBurst = 16

// Conn is an open device: a hid.Conn for the host's side. Every program that has the
// node open receives all reports of the device, whoever asked; CTAPHID's channels
// tell them apart.
type Conn struct {
	device  Device
	file    *os.File
	reports descriptor.Reports
	pace    *pace.Pacer // nil where a bus sets the pace
}

var _ hid.Conn = (*Conn)(nil)

// UdevRule gives whoever sits at the computer, and the members of group plugdev, the
// use of FIDO devices. systemd brings such a rule along since version 244.
const UdevRule = `KERNEL=="hidraw*", SUBSYSTEM=="hidraw", ENV{ID_FIDO_TOKEN}=="1", MODE="0660", GROUP="plugdev", TAG+="uaccess"`

// Open opens a device for this program alone, in so far as others ask: libfido2 and
// this package take turns by a lock on the node, browsers do not. A device that is in
// use is waited for until ctx ends, at most a second; the error then wraps ErrBusy.
// It wraps hid.ErrUnplugged when the device has left.
func Open(ctx context.Context, d Device) (*Conn, error) {
	file, err := os.OpenFile(d.Path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(d, err)
	}
	err = lock(ctx, file)
	if err == nil {
		err = linux.same(d)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hidraw: %s: %w", d.Path, err), file.Close())
	}
	c := &Conn{device: d, file: file, reports: d.Reports}
	if d.emulated() {
		c.pace = pace.New(deviceBurst)
	}
	return c, nil
}

func openError(d Device, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("hidraw: %w; become root, or once: echo '%s' | sudo tee /etc/udev/rules.d/70-fido-keys.rules && sudo udevadm control --reload && sudo udevadm trigger", err, UdevRule)
	case errors.Is(err, fs.ErrNotExist) || isUnplugged(err):
		return fmt.Errorf("hidraw: %w: %w", hid.ErrUnplugged, err)
	}
	return fmt.Errorf("hidraw: %w", err)
}

// same tells whether a node still stands for the device that it stood for when it
// was listed.
func (s system) same(d Device) error {
	now, err := filepath.EvalSymlinks(filepath.Join(s.sys, "class", "hidraw", filepath.Base(d.Path), "device"))
	if err == nil && now == d.instance {
		return nil
	}
	return fmt.Errorf("%w: the node is no longer that of %q", hid.ErrUnplugged, d.Name)
}

// Device returns what was opened.
func (c *Conn) Device() Device { return c.device }

// Sizes returns the lengths that the report descriptor gives.
func (c *Conn) Sizes() (read, write int) { return c.reports.Input, c.reports.Output }

// ReadReport waits for a report. The error is ctx's, or wraps hid.ErrUnplugged.
func (c *Conn) ReadReport(ctx context.Context) (hid.Report, error) {
	for {
		b, err := c.read(ctx)
		if c.pace != nil {
			c.pace.Answered()
		}
		switch {
		case err != nil:
			return nil, err
		case !c.reports.Numbered:
			return b, nil
		case len(b) > 0 && b[0] == c.reports.InputID:
			return b[1:], nil
		}
	}
}

// read waits for a report as the kernel gives it, with the number where there are
// numbers.
func (c *Conn) read(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	buffer := make([]byte, c.reports.Input+1)
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(expired)
		_ = c.file.SetReadDeadline(time.Unix(1, 0)) // fails when the file is closed, which ends the read too
	})
	n, err := c.file.Read(buffer)
	if !stop() {
		<-expired
		_ = c.file.SetReadDeadline(time.Time{})
	}
	switch {
	case err == nil:
		return buffer[:n], nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ctx.Err()
	}
	return nil, c.failed(err)
}

// WriteReport sends a report. To a device behind uhid, a message of more than 16
// takes the time that it would on USB; without a pause the kernel would drop reports.
//
// The report goes behind the byte that hidraw takes for a report number.
func (c *Conn) WriteReport(r hid.Report) error {
	if len(r) != c.reports.Output {
		return fmt.Errorf("hidraw: report of %d bytes, want %d", len(r), c.reports.Output)
	}
	if c.pace != nil {
		c.pace.Wait()
	}
	_, err := c.file.Write(append([]byte{c.reports.OutputID}, r...))
	return c.failed(err)
}

// failed says what an error of the node means.
func (c *Conn) failed(err error) error {
	if err == nil {
		return nil
	}
	if isUnplugged(err) || errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("%w: hidraw: %w", hid.ErrUnplugged, err)
	}
	return fmt.Errorf("hidraw: %w", err)
}

// Close gives the device back.
func (c *Conn) Close() error {
	if err := c.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// isUnplugged tells whether an error is what the kernel says of a device that has
// left: hidraw reads fail with EIO, writes with ENODEV, the USB stack's with
// ESHUTDOWN.
func isUnplugged(err error) bool {
	for _, e := range []error{unix.EIO, unix.ENODEV, unix.ENXIO, unix.ESHUTDOWN, io.EOF} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isOverrun tells whether events were lost because nobody took them.
func isOverrun(err error) bool { return errors.Is(err, unix.ENOBUFS) }
