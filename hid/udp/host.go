package udp

import (
	"context"
	"fmt"
	"net"

	"fido-emu/hid"
)

var _ hid.Conn = (*Host)(nil)

// Host is the host's side: a hid.Conn for hid.Dial.
type Host struct {
	conn *net.UDPConn
}

// Dial connects to the device at an address such as [DefaultAddress]. It sends
// nothing: whether a device is there shows when hid.Dial opens a channel.
func Dial(address string) (*Host, error) {
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %q: %w", address, err)
	}
	conn, err := net.DialUDP("udp", nil, at)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %q: %w", address, err)
	}
	return &Host{conn: conn}, nil
}

// PowerCycle sends the reboot datagram. The device loses its channels and whatever it
// has under way; there is no answer.
func (h *Host) PowerCycle() error { return h.WriteReport(reboot[:]) }

// ReadReport waits for a report from the device.
func (h *Host) ReadReport(ctx context.Context) (hid.Report, error) {
	r, _, err := receive(ctx, h.conn)
	return r, err
}

// WriteReport sends a report to the device.
func (h *Host) WriteReport(r hid.Report) error {
	if len(r) != hid.ReportSize {
		return fmt.Errorf("report of %d bytes, want %d", len(r), hid.ReportSize)
	}
	if _, err := h.conn.Write(r); err != nil {
		return gone(err)
	}
	return nil
}

// Sizes returns 64 and 64.
func (h *Host) Sizes() (read, write int) { return hid.ReportSize, hid.ReportSize }

// Close gives up the socket.
func (h *Host) Close() error { return closed(h.conn) }
