package hid

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
)

func TestInitReplyTellsTheDevice(t *testing.T) {
	for _, test := range []struct {
		name   string
		device Device
		want   Capabilities
	}{
		{"everything", busy(), CapWink | CapCBOR},
		{"CTAP2 alone", Device{Authenticator: echo}, CapCBOR | CapNMsg},
		{"U2F alone", Device{Message: busy().Message}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.device.Version, test.device.Rand = [3]byte{5, 7, 1}, bytes.NewReader([]byte{0x61, 0x28, 0x91, 0xB1})
			onWire(t, test.device, func(w *wire) {
				w.send(Broadcast, Init, nonce...)
				w.want(Broadcast, Init, append(nonce, 0x61, 0x28, 0x91, 0xB1, 2, 5, 7, 1, byte(test.want))...)
			})
		})
	}
}

func TestCommandsThatAreNotThere(t *testing.T) {
	onWire(t, Device{NoLock: true}, func(w *wire) {
		one := w.open()
		for _, c := range []Command{Msg, CBOR, Wink, Lock, VendorFirst, VendorLast} {
			w.send(one, c, 1)
			w.wantError(one, ErrInvalidCmd)
		}
	})
}

func TestChannelsAreRecycled(t *testing.T) {
	d := busy()
	d.Channels = 3
	onWire(t, d, func(w *wire) {
		locked, used, unused := w.open(), w.open(), w.open()
		w.send(locked, Lock, 10)
		w.want(locked, Lock)
		w.resync(used)
		w.open() // the least recently used that is not locked goes: unused
		w.send(unused, Init, nonce...)
		w.wantError(unused, ErrInvalidChannel)
		w.resync(used)
		w.resync(locked)
		w.open()
		w.open()
		w.resync(locked)
		w.send(used, Init, nonce...)
		w.wantError(used, ErrInvalidChannel)
	})
}

func TestChannelIdentifiersAreNeverReserved(t *testing.T) {
	onWire(t, Device{Rand: bytes.NewReader([]byte{0xFF, 0xFF, 0xFF, 0xFE})}, func(w *wire) {
		for _, want := range []uint32{0xFFFFFFFE, 1, 2} {
			if got := w.open(); got != want {
				t.Errorf("channel %08x, want %08x", got, want)
			}
		}
	})
}

// TestStatusChangesAreAllSent has an authenticator that goes through its states
// without waiting for anybody.
func TestStatusChangesAreAllSent(t *testing.T) {
	d := Device{Authenticator: authenticatorFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		for _, p := range []ctap.Progress{ctap.Processing, ctap.UPNeeded, ctap.UPNeeded, ctap.Processing} {
			ctap.ReportProgress(ctx, p)
		}
		if ctap.Channel(ctx) == 0 {
			return nil, errors.New("no channel in the context")
		}
		return []byte{0}, nil
	})}
	onWire(t, d, func(w *wire) {
		one := w.open()
		w.send(one, CBOR, 4)
		w.want(one, Keepalive, byte(ctap.UPNeeded))
		w.want(one, Keepalive, byte(ctap.Processing))
		w.want(one, CBOR, 0)
		w.quiet(time.Second)
	})
}

func TestAuthenticatorFails(t *testing.T) {
	for _, test := range []struct {
		name     string
		response []byte
		err      error
		want     Error
	}{
		{"error of a transport", nil, errors.New("gone"), ErrOther},
		{"error of CTAPHID", nil, ErrInvalidLen, ErrInvalidLen},
		{"no status byte", nil, nil, ErrOther},
		{"longer than possible", make([]byte, MaxMessage+1), nil, ErrOther},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := Device{Authenticator: authenticatorFunc(func(context.Context, []byte) ([]byte, error) {
				return test.response, test.err
			})}
			onWire(t, d, func(w *wire) {
				one := w.open()
				w.send(one, CBOR, 4)
				w.wantError(one, test.want)
				w.send(one, Ping)
				w.want(one, Ping)
			})
		})
	}
}

// TestAbortedWorkIsNotOvertaken has an authenticator that takes its time to stop. The
// next request waits for it, with keepalives, and can be cancelled meanwhile.
func TestAbortedWorkIsNotOvertaken(t *testing.T) {
	var at, most int
	d := Device{Authenticator: authenticatorFunc(func(ctx context.Context, request []byte) ([]byte, error) {
		at++
		most = max(most, at)
		time.Sleep(240 * time.Millisecond)
		at--
		return append([]byte{0}, request...), nil
	})}
	onWire(t, d, func(w *wire) {
		one := w.open()
		w.send(one, CBOR, 1)
		synctest.Wait()
		w.resync(one)
		w.send(one, CBOR, 2)
		w.send(one, Cancel)
		w.want(one, CBOR, byte(ctap.ErrKeepaliveCancel))
		w.send(one, CBOR, 3)
		for range 4 {
			time.Sleep(100 * time.Millisecond)
			w.want(one, Keepalive, byte(ctap.Processing))
		}
		time.Sleep(80 * time.Millisecond)
		w.want(one, CBOR, 0, 3)
	})
	if most != 1 {
		t.Errorf("%d requests at a time", most)
	}
}

// powered is a Conn whose host cuts the power.
type powered struct {
	Conn
	cut chan struct{}
}

func (p *powered) ReadReport(ctx context.Context) (Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	lost := false
	go func() {
		select {
		case <-p.cut:
			lost = true
			cancel()
		case <-stop:
		}
	}()
	r, err := p.Conn.ReadReport(ctx)
	if lost {
		return nil, ErrPowerCycle
	}
	return r, err
}

func TestPowerCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, host := Pipe()
		cycles, d := 0, busy()
		d.PowerCycle = func() { cycles++ }
		p := &powered{Conn: device, cut: make(chan struct{})}
		serve(t, p, d)
		w := &wire{t: t, conn: host}
		one, two := w.open(), w.open()
		w.send(two, Lock, 10)
		w.want(two, Lock)
		w.keptWaiting(two)
		synctest.Wait()
		p.cut <- struct{}{}
		w.quiet(time.Second)
		synctest.Wait()
		if cycles != 1 {
			t.Errorf("the device was told of %d power cycles", cycles)
		}
		w.send(one, Ping)
		w.wantError(one, ErrInvalidChannel)
		three := w.open()
		w.send(three, Ping)
		w.want(three, Ping)
	})
}

func TestServeEnds(t *testing.T) {
	stop := errors.New("stop")
	for _, test := range []struct {
		name string
		end  func(cancel context.CancelCauseFunc, host Conn)
		want error
	}{
		{"with its context", func(cancel context.CancelCauseFunc, _ Conn) { cancel(stop) }, stop},
		{"when unplugged", func(_ context.CancelCauseFunc, host Conn) { host.Close() }, ErrUnplugged},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				device, host := Pipe()
				served := make(chan error)
				go func() { served <- Serve(ctx, device, busy()) }()
				w := &wire{t: t, conn: host}
				w.keptWaiting(w.open())
				test.end(cancel, host)
				if err := <-served; !errors.Is(err, test.want) {
					t.Errorf("Serve returned %v, want %v", err, test.want)
				}
				if err := host.WriteReport(make(Report, ReportSize)); !errors.Is(err, ErrUnplugged) {
					t.Errorf("the host writes after that: %v", err)
				}
			})
		})
	}
}

// TestServeEndsWhileNobodyReads has a device that is stuck in writing.
func TestServeEndsWhileNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		device, host := Pipe()
		served := make(chan error)
		go func() { served <- Serve(ctx, device, Device{}) }()
		written := make(chan error)
		go func() {
			for {
				r := Report(make([]byte, ReportSize))
				r[4] = initBit | byte(Ping)
				if err := host.WriteReport(r); err != nil {
					written <- err
					return
				}
			}
		}()
		synctest.Wait()
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve returned %v", err)
		}
		if err := <-written; !errors.Is(err, ErrUnplugged) {
			t.Errorf("the host was told %v", err)
		}
	})
}

func TestServeRefusesShortReports(t *testing.T) {
	device, _ := PipeSize(ReportSize, minReport-1)
	if err := Serve(t.Context(), device, Device{}); err == nil || errors.Is(err, ErrUnplugged) {
		t.Errorf("Serve returned %v", err)
	}
}

// TestPlugAndUnplugLeavesNothing plugs a thousand keys in and out, in the middle of a
// transaction.
func TestPlugAndUnplugLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 1000 {
		device, host := Pipe()
		served := make(chan error)
		go func() { served <- Serve(context.Background(), device, busy()) }()
		c, err := Dial(context.Background(), host, seed())
		if err != nil {
			t.Fatal(err)
		}
		begun := make(chan struct{}, 1)
		ctx := ctap.WithProgress(context.Background(), func(ctap.Progress) { begun <- struct{}{} })
		answered := make(chan error)
		go func() {
			_, err := c.Exchange(ctx, []byte{byte(ctap.Selection)})
			answered <- err
		}()
		<-begun
		device.Close()
		if err := <-answered; !errors.Is(err, ErrUnplugged) {
			t.Fatalf("the host was told %v", err)
		}
		<-served
		c.Close()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		runtime.GC()
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
