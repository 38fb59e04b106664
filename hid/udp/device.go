package udp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"

	"fido-emu/hid"
)

var _ hid.Conn = (*Device)(nil)

// Device is the device's side: a hid.Conn for hid.Serve, open to any number of
// clients. A report is answered to whoever last sent one on its channel.
type Device struct {
	conn  *net.UDPConn
	peers peers
}

// Listen waits for clients at an address such as [DefaultAddress].
func Listen(address string) (*Device, error) {
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %q: %w", address, err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %q (is another emulator running?): %w", address, err)
	}
	return &Device{conn: conn}, nil
}

// Addr returns where the device listens.
func (d *Device) Addr() net.Addr { return d.conn.LocalAddr() }

// ReadReport waits for a report from any client. The error wraps hid.ErrPowerCycle
// when the reboot datagram came.
func (d *Device) ReadReport(ctx context.Context) (hid.Report, error) {
	r, from, err := receive(ctx, d.conn)
	if err != nil {
		return nil, err
	}
	if [hid.ReportSize]byte(r) == reboot {
		return nil, hid.ErrPowerCycle
	}
	d.peers.note(binary.BigEndian.Uint32(r), from)
	return r, nil
}

// WriteReport sends a report to the client on its channel. As the network may, it
// loses one that cannot be delivered.
func (d *Device) WriteReport(r hid.Report) error {
	if len(r) != hid.ReportSize {
		return fmt.Errorf("report of %d bytes, want %d", len(r), hid.ReportSize)
	}
	to, known := d.peers.of(binary.BigEndian.Uint32(r))
	if !known {
		return nil
	}
	if _, err := d.conn.WriteToUDPAddrPort(r, to); errors.Is(err, net.ErrClosed) {
		return hid.ErrUnplugged
	}
	return nil
}

// Sizes returns 64 and 64.
func (d *Device) Sizes() (read, write int) { return hid.ReportSize, hid.ReportSize }

// Close stops listening.
func (d *Device) Close() error { return closed(d.conn) }

// closed closes a socket, which may be closed already.
func closed(conn *net.UDPConn) error {
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
