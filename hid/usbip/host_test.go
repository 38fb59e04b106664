package usbip_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"

	"fido-emu/hid"
	"fido-emu/hid/usbip"
)

var identity = usbip.Identity{
	Vendor: 0x1209, Product: 0xf1d0, Release: 0x0102,
	Manufacturer: "fido-emu", ProductName: "Key ✓", Serial: "0001",
}

func newKey(t testing.TB) *usbip.Key {
	t.Helper()
	k, err := usbip.NewKey(identity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

// host is a USB host at the far end of a connection that carries URBs.
type host struct {
	t    testing.TB
	conn net.Conn
	seq  uint32
}

// reply is a RET_SUBMIT (3) or RET_UNLINK (4).
type reply struct {
	command, seq uint32
	status       int32
	data         string // of an IN transfer, in hexadecimal
	actual       uint32
}

// plug connects a host to a key and configures it; the device's side has seen the
// power cycle.
func plug(t testing.TB, k *usbip.Key) *host {
	t.Helper()
	far, near := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- k.ServeURBs(context.Background(), far) }()
	h := &host{t: t, conn: near}
	t.Cleanup(func() {
		near.Close()
		if err := <-ended; err != nil {
			t.Errorf("ServeURBs: %v", err)
		}
	})
	if _, err := k.ReadReport(t.Context()); err != hid.ErrPowerCycle {
		t.Fatalf("after plugging in: %v", err)
	}
	h.configure()
	return h
}

func (h *host) configure() {
	h.t.Helper()
	if status, _ := h.control("0009 0100 0000 0000", ""); status != 0 {
		h.t.Fatalf("SET_CONFIGURATION: status %d", status)
	}
}

// write sends a command: words after the first two (command and sequence number,
// device and direction, endpoint) as they stand in the header.
func (h *host) write(command, direction, endpoint, length uint32, setup, data string) uint32 {
	h.t.Helper()
	h.seq++
	b := make([]byte, 48)
	for i, word := range []uint32{command, h.seq, 0x10001, direction, endpoint, 0, length} {
		binary.BigEndian.PutUint32(b[4*i:], word)
	}
	copy(b[40:], unhex(h.t, setup))
	if _, err := h.conn.Write(append(b, unhex(h.t, data)...)); err != nil {
		h.t.Fatal(err)
	}
	return h.seq
}

func (h *host) in(endpoint, length uint32) uint32 { return h.write(1, 1, endpoint, length, "", "") }

func (h *host) out(endpoint uint32, data string) uint32 {
	return h.write(1, 0, endpoint, uint32(len(unhex(h.t, data))), "", data)
}

func (h *host) unlink(seq uint32) uint32 {
	h.t.Helper()
	h.seq++
	b := make([]byte, 48)
	for i, word := range []uint32{2, h.seq, 0x10001, 0, 0, seq} {
		binary.BigEndian.PutUint32(b[4*i:], word)
	}
	if _, err := h.conn.Write(b); err != nil {
		h.t.Fatal(err)
	}
	return h.seq
}

// read reads a reply; in says whether data follows.
func (h *host) read(in bool) reply {
	h.t.Helper()
	r, err := readReply(h.conn, func(uint32) bool { return in })
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// control performs a control transfer; the setup packet decides on its direction.
func (h *host) control(setup, data string) (status int32, answer string) {
	h.t.Helper()
	s := unhex(h.t, setup)
	in, length := s[0]&0x80 != 0, uint32(binary.LittleEndian.Uint16(s[6:]))
	direction := uint32(0)
	if in {
		direction = 1
	}
	seq := h.write(1, direction, 0, length, setup, data)
	r := h.read(in)
	if r.seq != seq || r.command != 3 {
		h.t.Fatalf("control: answered by %+v", r)
	}
	return r.status, r.data
}

func readReply(conn io.Reader, in func(seq uint32) bool) (reply, error) {
	b := make([]byte, 48)
	if _, err := io.ReadFull(conn, b); err != nil {
		return reply{}, err
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	r := reply{command: word(0), seq: word(1), status: int32(word(5))}
	if r.command == 3 {
		r.actual = word(6)
		if in(r.seq) {
			data := make([]byte, r.actual)
			if _, err := io.ReadFull(conn, data); err != nil {
				return reply{}, err
			}
			r.data = hex.EncodeToString(data)
		}
	}
	return r, nil
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// report is a report of 64 bytes that all are b, and its text in hexadecimal.
func report(b byte) (hid.Report, string) {
	r := hid.Report(strings.Repeat(string([]byte{b}), 64))
	return r, hex.EncodeToString(r)
}
