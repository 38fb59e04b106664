package usbip_test

import (
	"context"
	"encoding/hex"
	"io"
	"net"
	"testing"

	"fido-emu/hid/usbip"
)

// converse sends b over a connection, reads all that comes back, and hangs up.
func converse(conn net.Conn, b []byte) {
	go io.Copy(io.Discard, conn)
	conn.Write(b)
	conn.Close()
}

func FuzzURBs(f *testing.F) {
	for _, s := range []string{
		"000000010000000100010001000000000000000000000000000000000000000000000000000000000009010000000000",
		"000000010000000200010001000000010000000100000000000000400000000000000000000000050000000000000000",
		"000000020000000300010001000000000000000000000002000000000000000000000000000000000000000000000000",
	} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		k := newKey(t)
		far, near := net.Pipe()
		go converse(near, b)
		k.ServeURBs(context.Background(), far)
		plug(t, k) // and a well-behaved host finds it working
	})
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte("\x01\x11\x80\x05\x00\x00\x00\x00"))
	f.Add([]byte("\x01\x11\x80\x03\x00\x00\x00\x001-1\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s usbip.Server
		export(t, &s, "1-1")
		l := pipeListener(make(chan net.Conn))
		ctx, cancel := context.WithCancel(context.Background())
		go func() { converse(l.dial(), b); cancel() }()
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x01\x11\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01"), true)
	f.Add([]byte("\x01\x11\x00\x03\x00\x00\x00\x00"), false)
	f.Fuzz(func(t *testing.T, b []byte, list bool) {
		far, near := net.Pipe()
		go converse(far, b)
		if list {
			usbip.List(context.Background(), near)
		} else {
			usbip.Import(context.Background(), near, "1-1")
		}
		near.Close()
	})
}
