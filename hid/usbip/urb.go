package usbip

import (
	"encoding/binary"
	"fmt"
	"io"
	"syscall"
)

// Commands of the URB phase (usbip_protocol.rst, "usbip_header_basic").
const (
	cmdSubmit = 1
	cmdUnlink = 2
	retSubmit = 3
	retUnlink = 4
)

// urbHeaderSize is the length in bytes of each command and reply before its data.
const urbHeaderSize = 48

// MaxTransfer is the longest transfer in bytes that a key takes: what a control
// request can ask for. A longer one ends the connection, because it would have to be
// read to find the next.
const MaxTransfer = 1<<16 - 1

// URB statuses, as a kernel reports them (Documentation/driver-api/usb/error-codes.rst).
const (
	statusDone     = 0
	statusStall    = -int32(syscall.EPIPE)
	statusOverflow = -int32(syscall.EOVERFLOW)
	statusUnlinked = -int32(syscall.ECONNRESET)
)

// urb is a USBIP_CMD_SUBMIT or USBIP_CMD_UNLINK.
type urb struct {
	command  uint32
	seq      uint32
	in       bool
	endpoint uint32
	length   uint32 // of the host's buffer
	setup    setup  // on endpoint 0
	unlink   uint32 // the number to unlink
	data     []byte // to the device
}

// readURB reads a command and, when it goes to the device, its data. An error means
// that the stream cannot be followed any more.
func readURB(r io.Reader) (*urb, error) {
	var h [urbHeaderSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return nil, err
	}
	word := func(at int) uint32 { return binary.BigEndian.Uint32(h[at:]) }
	u := &urb{command: word(0), seq: word(4), in: word(12) != 0, endpoint: word(16)}
	switch u.command {
	case cmdUnlink:
		u.unlink = word(20)
		return u, nil
	case cmdSubmit:
		u.length, u.setup = word(24), parseSetup([8]byte(h[40:]))
	default:
		return nil, fmt.Errorf("usbip: command %#x is neither CMD_SUBMIT nor CMD_UNLINK", u.command)
	}
	if u.length > MaxTransfer {
		return nil, fmt.Errorf("usbip: a transfer of %d bytes, the limit is %d", u.length, MaxTransfer)
	}
	if u.in {
		return u, nil
	}
	u.data = make([]byte, u.length)
	_, err := io.ReadFull(r, u.data)
	return u, err
}

// submitted is the USBIP_RET_SUBMIT to u: how many bytes went over, and those that
// go to the host.
func (u *urb) submitted(status int32, actual int, data []byte) []byte {
	b := make([]byte, urbHeaderSize, urbHeaderSize+len(data))
	binary.BigEndian.PutUint32(b[0:], retSubmit)
	binary.BigEndian.PutUint32(b[4:], u.seq)
	binary.BigEndian.PutUint32(b[20:], uint32(status))
	binary.BigEndian.PutUint32(b[24:], uint32(actual))
	return append(b, data...)
}

// stalled is the USBIP_RET_SUBMIT that says STALL.
func (u *urb) stalled() []byte { return u.submitted(statusStall, 0, nil) }

// unlinked is the USBIP_RET_UNLINK to u.
func (u *urb) unlinked(status int32) []byte {
	b := make([]byte, urbHeaderSize)
	binary.BigEndian.PutUint32(b[0:], retUnlink)
	binary.BigEndian.PutUint32(b[4:], u.seq)
	binary.BigEndian.PutUint32(b[20:], uint32(status))
	return b
}
