package usbip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// maxDevices bounds the list that List takes from a server.
const maxDevices = 4096

// List asks the server at the other end of conn what it exports (OP_REQ_DEVLIST). The
// server hangs up afterwards. The error is ctx's when ctx ends first.
func List(ctx context.Context, conn net.Conn) ([]Device, error) {
	defer within(ctx, conn)()
	devices, err := list(conn)
	if err != nil {
		return nil, because(ctx, "listing devices", conn, err)
	}
	return devices, nil
}

func list(conn net.Conn) ([]Device, error) {
	if err := ask(conn, opReqDevlist, nil); err != nil {
		return nil, err
	}
	var n uint32
	if err := readWire(conn, 4, &n); err != nil {
		return nil, err
	}
	if n > maxDevices {
		return nil, fmt.Errorf("the server lists %d devices, the limit is %d", n, maxDevices)
	}
	var devices []Device
	for range n {
		var r record
		if err := readWire(conn, recordSize, &r); err != nil {
			return nil, err
		}
		d := r.device()
		d.Interfaces = make([]Interface, r.NumInterfaces)
		if err := readWire(conn, interfaceSize*len(d.Interfaces), d.Interfaces); err != nil {
			return nil, err
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// Import asks for a device (OP_REQ_IMPORT). When it is granted, conn carries URBs from
// now on and may be given to a kernel. The error wraps the server's Status when that
// refuses, and is ctx's when ctx ends first.
func Import(ctx context.Context, conn net.Conn, busID string) (Device, error) {
	if len(busID) >= busIDSize {
		return Device{}, fmt.Errorf("usbip: bus id %q is longer than %d bytes", busID, busIDSize-1)
	}
	defer within(ctx, conn)()
	var id [busIDSize]byte
	copy(id[:], busID)
	var r record
	err := ask(conn, opReqImport, id[:])
	if err == nil {
		err = readWire(conn, recordSize, &r)
	}
	if err != nil {
		return Device{}, because(ctx, "importing "+busID, conn, err)
	}
	return r.device(), nil
}

// ask sends a request and reads the header of the reply.
func ask(conn net.Conn, code uint16, body []byte) error {
	if _, err := conn.Write(append(appendWire(nil, opHeader{Version: Version, Code: code}), body...)); err != nil {
		return err
	}
	var h opHeader
	if err := readWire(conn, opHeaderSize, &h); err != nil {
		return err
	}
	if h.Status != StatusOK {
		return h.Status
	}
	if h.Version != Version || h.Code != code&^0x8000 {
		return fmt.Errorf("the server answers %#04x with version %#04x to request %#04x of version %#04x", h.Code, h.Version, code, Version)
	}
	return nil
}

// within makes reading and writing on conn fail when ctx ends, until the returned
// function is called.
func within(ctx context.Context, conn net.Conn) (release func()) {
	stop := context.AfterFunc(ctx, func() {
		if conn.SetDeadline(time.Unix(1, 0)) != nil {
			conn.Close()
		}
	})
	return func() { stop() }
}

func because(ctx context.Context, doing string, conn net.Conn, err error) error {
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return fmt.Errorf("usbip: %s at %s: %w", doing, conn.RemoteAddr(), err)
}
