package gadget

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"fido-emu/hid"
)

// node is /dev/hidgN: each read is a report from the host, each write one to it.
type node struct {
	file *os.File
	off  bool // no host gives it power; for ReadReport alone
}

func openNode(path string) (*node, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("the key's reports: %w", err)
	}
	return &node{file: f}, nil
}

// offInterval is how often is looked whether a host gives power again: the kernel does
// not announce it.
const offInterval = 20 * time.Millisecond

// ReadReport waits for a report from the host. What has not the length of a report is
// ignored. When the host takes the power away the error wraps hid.ErrPowerCycle, once;
// then it is waited until there is one again.
func (n *node) ReadReport(ctx context.Context) (hid.Report, error) {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		n.file.SetReadDeadline(time.Unix(1, 0)) // an error means that the file is closed, which Read says
		close(ended)
	})
	defer func() {
		if !stop() {
			<-ended
			n.file.SetReadDeadline(time.Time{})
		}
	}()
	for {
		buf := make([]byte, hid.ReportSize+1)
		switch got, err := n.file.Read(buf); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, ctx.Err()
		case errors.Is(err, syscall.ESHUTDOWN) && !n.off:
			n.off = true
			return nil, fmt.Errorf("gadget: %w: %w", hid.ErrPowerCycle, err)
		case errors.Is(err, syscall.ESHUTDOWN):
			if err := pause(ctx, offInterval); err != nil {
				return nil, err
			}
			continue
		case err != nil:
			return nil, unplugged(err)
		case got == hid.ReportSize:
			n.off = false
			return buf[:got], nil
		}
		n.off = false
	}
}

// pause waits unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WriteReport sends a report of 64 bytes. It waits until the host has taken the one
// before, which it does while anybody there listens. While no host has configured the
// key, the report is given up.
func (n *node) WriteReport(r hid.Report) error {
	if len(r) != hid.ReportSize {
		return fmt.Errorf("gadget: a report of %d bytes, the key's have %d", len(r), hid.ReportSize)
	}
	_, err := n.file.Write(r)
	if errors.Is(err, syscall.ESHUTDOWN) {
		return nil
	}
	if err != nil {
		return unplugged(err)
	}
	return nil
}

// unplugged is the error of a node that is no more.
func unplugged(err error) error {
	if errors.Is(err, os.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ENODEV) {
		return fmt.Errorf("gadget: %w: %w", hid.ErrUnplugged, err)
	}
	return fmt.Errorf("gadget: %w", err)
}

// Sizes returns 64 for both directions.
func (n *node) Sizes() (read, write int) { return hid.ReportSize, hid.ReportSize }

// Close closes the node; whoever waits for it returns.
func (n *node) Close() error { return n.file.Close() }
