// Package udp carries CTAPHID in datagrams: one report of 64 bytes in each, without a
// report number. Simulations of security keys have done so since the SoloKeys
// firmware, from whose source (pc/device.c) the port and the reboot datagram are; a
// client needs no privileges and no kernel for it.
//
// Whoever can send to the port can use the key: listen on loopback.
package udp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"fido-emu/hid"
)

// DefaultAddress is where clients look for a simulated key.
const DefaultAddress = "127.0.0.1:8111"

// reboot is the datagram that means a power cycle.
var reboot = [hid.ReportSize]byte{
	0xAC, 0x10, 0x52, 0xCA, 0x95, 0xE5, 0x69, 0xDE, 0x69, 0xE0, 0x2E, 0xBF, 0xF3, 0x33, 0x48, 0x5F,
	0x13, 0xF9, 0xB2, 0xDA, 0x34, 0xC5, 0xA8, 0xA3, 0x40, 0x52, 0x66, 0x97, 0xA9, 0xAB, 0x2E, 0x0B,
	0x39, 0x4D, 0x8D, 0x04, 0x97, 0x3C, 0x13, 0x40, 0x05, 0xBE, 0x1A, 0x01, 0x40, 0xBF, 0xF6, 0x04,
	0x5B, 0xB2, 0x6E, 0xB7, 0x7A, 0x73, 0xEA, 0xA4, 0x78, 0x13, 0xF6, 0xB4, 0x9A, 0x72, 0x50, 0xDC,
}

// receive waits for a datagram of the length of a report. Others are ignored.
func receive(ctx context.Context, conn *net.UDPConn) (hid.Report, netip.AddrPort, error) {
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, netip.AddrPort{}, gone(err)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, hid.ReportSize+1)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if ctx.Err() != nil {
			return nil, from, ctx.Err()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) { // of a context that ended before
			err = conn.SetReadDeadline(time.Time{})
			n = 0
		}
		if err != nil {
			return nil, from, gone(err)
		}
		if n == hid.ReportSize {
			return buf[:n:n], from, nil
		}
	}
}

// gone makes an error of a socket one of a connection.
func gone(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return hid.ErrUnplugged
	}
	return errors.Join(hid.ErrUnplugged, err)
}
