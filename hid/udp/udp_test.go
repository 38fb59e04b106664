package udp

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"testing"

	"fido-emu/ctap"
	"fido-emu/hid"
)

type authenticatorFunc func(ctx context.Context, request []byte) ([]byte, error)

func (f authenticatorFunc) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	return f(ctx, request)
}

// waitForUser is an authenticator whose user never comes.
var waitForUser = authenticatorFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
	ctap.ReportProgress(ctx, ctap.UPNeeded)
	<-ctx.Done()
	return []byte{byte(ctap.ErrKeepaliveCancel)}, nil
})

// listen serves a device on a port of its own until the test ends.
func listen(t testing.TB, d hid.Device) (address string) {
	t.Helper()
	conn, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- hid.Serve(ctx, conn, d) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve ended with %v", err)
		}
	})
	return conn.Addr().String()
}

// open opens a channel to the device at an address.
func open(t testing.TB, address string) (*hid.Channel, *Host) {
	t.Helper()
	host, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := hid.Dial(t.Context(), host, rand.NewChaCha8([32]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c, host
}

func TestPing(t *testing.T) {
	c, _ := open(t, listen(t, hid.Device{}))
	data := bytes.Repeat([]byte{1, 2, 3}, hid.MaxMessage/3)
	if echo, err := c.Ping(t.Context(), data); err != nil || !bytes.Equal(echo, data) {
		t.Errorf("%d bytes came back of %d (%v)", len(echo), len(data), err)
	}
}

// TestClientsGetTheirOwnAnswers has a client wait for a touch while another finds the
// device busy.
func TestClientsGetTheirOwnAnswers(t *testing.T) {
	address := listen(t, hid.Device{Authenticator: waitForUser})
	one, _ := open(t, address)
	host, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	two, err := hid.Dialer{Rand: rand.NewChaCha8([32]byte{2}), BusyTimeout: 1}.Dial(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{}, 100)
	answered := make(chan []byte)
	go func() {
		response, _ := one.Exchange(ctap.WithProgress(ctx, func(ctap.Progress) { begun <- struct{}{} }), []byte{0x0B})
		answered <- response
	}()
	<-begun
	if _, err := two.Ping(t.Context(), nil); !errors.Is(err, hid.ErrChannelBusy) {
		t.Errorf("the other client was told %v", err)
	}
	cancel()
	if response := <-answered; !bytes.Equal(response, []byte{byte(ctap.ErrKeepaliveCancel)}) {
		t.Errorf("the cancelled request was answered % x", response)
	}
}

func TestRebootDatagramIsAPowerCycle(t *testing.T) {
	cycles := make(chan struct{}, 1)
	c, host := open(t, listen(t, hid.Device{PowerCycle: func() { cycles <- struct{}{} }}))
	if err := host.PowerCycle(); err != nil {
		t.Fatal(err)
	}
	<-cycles
	if _, err := c.Ping(t.Context(), nil); !errors.Is(err, hid.ErrInvalidChannel) {
		t.Errorf("the old channel: %v", err)
	}
	if err := c.Resync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ping(t.Context(), nil); err != nil {
		t.Errorf("the new channel: %v", err)
	}
}

func TestOtherSizesAreIgnored(t *testing.T) {
	c, host := open(t, listen(t, hid.Device{}))
	for _, size := range []int{0, 1, 63, 65, 1000} {
		if _, err := host.conn.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Ping(t.Context(), []byte{1}); err != nil {
		t.Error(err)
	}
}

func TestNobodyListens(t *testing.T) {
	taken, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	address := taken.LocalAddr().String()
	if _, err := Listen(address); err == nil {
		t.Error("a port was taken twice")
	}
	taken.Close()
	host, err := Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hid.Dial(t.Context(), host, rand.NewChaCha8([32]byte{})); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("opening a channel: %v", err)
	}
}

// TestManyMadeUpChannels pushes nobody out who uses the device meanwhile.
func TestManyMadeUpChannels(t *testing.T) {
	c, host := open(t, listen(t, hid.Device{}))
	for i := range 3 * maxPeers {
		r := hid.Report(make([]byte, hid.ReportSize))
		r[0], r[1], r[2], r[4] = 0x77, byte(i>>8), byte(i), 0x81
		if err := host.WriteReport(r); err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 {
			if _, err := c.Ping(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := c.Ping(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// FuzzDatagram sends a datagram, and then wants a ping answered.
func FuzzDatagram(f *testing.F) {
	f.Add(reboot[:])
	f.Add([]byte("\xff\xff\xff\xff\x86\x00\x08"))
	f.Add(make([]byte, hid.ReportSize))
	c, host := open(f, listen(f, hid.Device{PacketTimeout: 1}))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		if _, err := host.conn.Write(datagram[:min(len(datagram), 60000)]); err != nil {
			t.Fatal(err)
		}
		if err := c.Resync(t.Context()); err != nil {
			t.Fatalf("% x: %v", datagram, err)
		}
		if _, err := c.Ping(t.Context(), datagram[:min(len(datagram), 57)]); err != nil {
			t.Fatalf("% x: %v", datagram, err)
		}
	})
}
