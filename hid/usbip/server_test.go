package usbip_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/hid"
	"fido-emu/hid/usbip"
)

// serve runs a server on a listener of this machine until the test ends.
func serve(t testing.TB, s *usbip.Server) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func export(t testing.TB, s *usbip.Server, busID string) *usbip.Key {
	t.Helper()
	k := newKey(t)
	if err := s.Export(busID, k); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestListAndImport(t *testing.T) {
	var s usbip.Server
	export(t, &s, "1-1")
	second := export(t, &s, "1-1.4")
	export(t, &s, "gone").Close()
	address := serve(t, &s)

	devices, err := usbip.List(t.Context(), dial(t, address))
	if err != nil || len(devices) != 2 {
		t.Fatalf("List = %+v, %v; want two devices", devices, err)
	}
	d := devices[1]
	if d.BusID != "1-1.4" || d.Vendor != 0x1209 || d.Product != 0xf1d0 || d.Release != 0x0102 || d.Speed != usbip.SpeedFull || len(d.Interfaces) != 1 || d.Interfaces[0].Class != 3 {
		t.Errorf("List: %+v", d)
	}
	conn := dial(t, address)
	imported, err := usbip.Import(t.Context(), conn, "1-1.4")
	if err != nil || imported.DevID() != d.DevID() || imported.DevID() != 1<<16|2 {
		t.Fatalf("Import = %+v, %v", imported, err)
	}
	h := &host{t: t, conn: conn}
	h.configure()
	h.in(1, 64)
	h.control("8000 0000 0000 0200", "") // the transfer is parked by now
	r, text := report(7)
	second.WriteReport(r)
	if got := h.read(true); got.data != text {
		t.Errorf("report %+v", got)
	}
}

func TestImportRefused(t *testing.T) {
	var s usbip.Server
	export(t, &s, "1-1")
	export(t, &s, "closed").Close()
	address := serve(t, &s)
	if _, err := usbip.Import(t.Context(), dial(t, address), "1-1"); err != nil {
		t.Fatal(err)
	}
	for busID, want := range map[string]usbip.Status{
		"1-1": usbip.StatusDevBusy, "1-2": usbip.StatusNoDev, "": usbip.StatusNoDev, "closed": usbip.StatusNoDev,
	} {
		if _, err := usbip.Import(t.Context(), dial(t, address), busID); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", busID, err, want)
		}
	}
	if _, err := usbip.Import(t.Context(), nil, strings.Repeat("1", 32)); err == nil {
		t.Error("a bus id of 32 bytes was asked for")
	}
}

func TestWithdrawAndExportAgain(t *testing.T) {
	var s usbip.Server
	k := export(t, &s, "1-1")
	address := serve(t, &s)
	for range 3 {
		conn := dial(t, address)
		if _, err := usbip.Import(t.Context(), conn, "1-1"); err != nil {
			t.Fatal(err)
		}
		if err := s.Withdraw("1-1"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the host reads %v, want EOF", err)
		}
		if devices, err := usbip.List(t.Context(), dial(t, address)); err != nil || len(devices) != 0 {
			t.Errorf("List = %v, %v; want none", devices, err)
		}
		if err := s.Withdraw("1-1"); err == nil {
			t.Error("withdrawn twice")
		}
		if err := s.Export("1-1", k); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExportRefusesBusIDs(t *testing.T) {
	var s usbip.Server
	export(t, &s, "1-1")
	for _, id := range []string{"", "1-1", "1/1", "1-1\n", strings.Repeat("1", 32)} {
		if err := s.Export(id, newKey(t)); err == nil {
			t.Errorf("bus id %q was taken", id)
		}
	}
	if err := s.Export(strings.Repeat("1", 31), newKey(t)); err != nil {
		t.Error(err)
	}
}

// What is wrong with one conversation gets the protocol's answer where it has one,
// and leaves the others alone.
func TestBadConversations(t *testing.T) {
	var s usbip.Server
	export(t, &s, "1-1")
	address := serve(t, &s)
	good := dial(t, address)
	if _, err := usbip.Import(t.Context(), good, "1-1"); err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, conn: good}
	for _, c := range []struct{ name, send, want string }{
		{"nothing", "", ""},
		{"half a header", "0111", ""},
		{"another version", "0106 8005 00000000", "0111 0005 00000005"},
		{"unknown request", "0111 8007 00000000", "0111 0007 00000001"},
		{"a reply", "0111 0005 00000000", "0111 0005 00000001"},
		{"half an import", "0111 8003 00000000 312d31", ""},
		{"import without end of string", "0111 8003 00000000" + strings.Repeat("31", 32), "0111 0003 00000004"},
		{"not this protocol at all", hex.EncodeToString([]byte("GET / HTTP/1.1\r\n\r\n")), "0111 5420 00000005"},
	} {
		conn := dial(t, address).(*net.TCPConn)
		conn.Write(unhex(t, c.send))
		conn.CloseWrite()
		answer := make([]byte, 8)
		n, _ := io.ReadFull(conn, answer) // a reset may follow
		if got, want := hex.EncodeToString(answer[:n]), hex.EncodeToString(unhex(t, c.want)); got != want {
			t.Errorf("%s: answered %q, want %q", c.name, got, want)
		}
		if status, _ := h.control("8000 0000 0000 0200", ""); status != done {
			t.Fatalf("%s: the other host's transfer ended with %d", c.name, status)
		}
	}
}

func TestStreamsThatCannotBeFollowed(t *testing.T) {
	for name, header := range map[string]string{
		"unknown command": "00000007 00000001",
		"a reply":         "00000003 00000001",
		"64 KiB":          "00000001 00000001 00010001 00000000 00000001 00000000 00010000",
		"4 GiB":           "00000001 00000001 00010001 00000001 00000001 00000000 ffffffff",
	} {
		k := newKey(t)
		far, near := net.Pipe()
		go near.Write(append(unhex(t, header), make([]byte, 48)...)[:48])
		if err := k.ServeURBs(t.Context(), far); err == nil {
			t.Errorf("%s: no error", name)
		}
		near.Close()
	}
}

func TestSlowRequestsAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s usbip.Server
		l := pipeListener(make(chan net.Conn))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Serve(ctx, l) }()
		conn := l.dial()
		conn.Write(unhex(t, "0111 80"))
		start := time.Now()
		if _, err := conn.Read(make([]byte, 1)); err != io.EOF || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v, want EOF after 10 s", err, time.Since(start))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// pipeListener accepts pipes.
type pipeListener chan net.Conn

func (l pipeListener) dial() net.Conn {
	far, near := net.Pipe()
	l <- far
	return near
}

func (l pipeListener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l pipeListener) Close() error   { close(l); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func TestClientRefusesBadServers(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":         "",
		"another version": "0106 0005 00000000 00000000",
		"another reply":   "0111 0003 00000000 00000000",
		"refused":         "0111 0005 00000001",
		"endless list":    "0111 0005 00000000 ffffffff",
		"list cut off":    "0111 0005 00000000 00000001 2f",
	} {
		far, near := net.Pipe()
		go func() {
			io.ReadFull(far, make([]byte, 8))
			far.Write(unhex(t, answer))
			far.Close()
		}()
		if d, err := usbip.List(t.Context(), near); err == nil {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		far, near := net.Pipe()
		defer far.Close()
		if _, err := usbip.Import(ctx, near, "1-1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// hostConn is the host's side of a key as a hid.Conn over URBs. It opens 32 transfers
// from the key, enough for one exchange in a test.
type hostConn struct {
	h       *host
	reports chan hid.Report
	acks    chan struct{}
}

func newHostConn(h *host) *hostConn {
	c := &hostConn{h: h, reports: make(chan hid.Report, 32), acks: make(chan struct{}, 1)}
	waiting := map[uint32]bool{}
	for range cap(c.reports) {
		waiting[h.in(1, 64)] = true
	}
	go c.run(waiting)
	return c
}

// run sorts the replies.
func (c *hostConn) run(waiting map[uint32]bool) {
	defer close(c.reports)
	for {
		r, err := readReply(c.h.conn, func(seq uint32) bool { return waiting[seq] })
		switch {
		case err != nil:
			return
		case waiting[r.seq]:
			b, _ := hex.DecodeString(r.data)
			c.reports <- b
		default:
			c.acks <- struct{}{}
		}
	}
}

func (c *hostConn) ReadReport(ctx context.Context) (hid.Report, error) {
	select {
	case r, ok := <-c.reports:
		if !ok {
			return nil, hid.ErrUnplugged
		}
		return r, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *hostConn) WriteReport(r hid.Report) error {
	c.h.out(1, hex.EncodeToString(r))
	<-c.acks
	return nil
}

func (c *hostConn) Sizes() (int, int) { return 64, 64 }
func (c *hostConn) Close() error      { return c.h.conn.Close() }
