package hid

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
)

// scripted is a device that answers each message with those that a function returns,
// until the connection ends. It gives out channel 0x11223344 by itself, as long as the
// function does not answer CTAPHID_INIT.
func scripted(t *testing.T, conn Conn, answer func(m Message) []Message) {
	t.Helper()
	go func() {
		var a Assembler
		for {
			r, err := conn.ReadReport(context.Background())
			if err != nil {
				return
			}
			p, _ := ParsePacket(r)
			complete := p.Initial && a.Begin(p)
			if !p.Initial && a.Pending() {
				complete, _ = a.Continue(p)
			}
			if !complete {
				continue
			}
			answers := answer(a.Message)
			if answers == nil && a.Command == Init {
				answers = []Message{initAnswer(a.Message, 0x11223344)}
			}
			for _, m := range answers {
				reports, err := m.Reports(ReportSize)
				if err != nil {
					t.Error(err)
				}
				for _, r := range reports {
					conn.WriteReport(r)
				}
			}
		}
	}()
}

// initAnswer answers a CTAPHID_INIT with a channel.
func initAnswer(m Message, channel uint32) Message {
	reply := binary.BigEndian.AppendUint32(bytes.Clone(m.Payload), channel)
	return Message{m.Channel, Init, append(reply, 2, 1, 2, 3, byte(CapCBOR))}
}

// dialScripted opens a channel to a scripted device.
func dialScripted(t *testing.T, d Dialer, answer func(m Message) []Message) (*Channel, error) {
	t.Helper()
	device, host := Pipe()
	scripted(t, device, answer)
	d.Rand = seed()
	c, err := d.Dial(t.Context(), host)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

func TestChannelTellsOfTheDevice(t *testing.T) {
	c, err := dialScripted(t, Dialer{}, func(Message) []Message { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if c.ID() != 0x11223344 || c.Protocol() != 2 || c.Version() != [3]byte{1, 2, 3} || c.Capabilities() != CapCBOR {
		t.Errorf("%08x, protocol %d, version %v, %v", c.ID(), c.Protocol(), c.Version(), c.Capabilities())
	}
}

// TestWaitingForTheUser has a caller give up while the device waits for a touch.
func TestWaitingForTheUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, Device{Authenticator: waitForUser, Message: busy().Message})
		var seen []ctap.Progress
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ctx = ctap.WithProgress(ctx, func(p ctap.Progress) { seen = append(seen, p) })
		response, err := c.Exchange(ctx, []byte{byte(ctap.Selection)})
		if err != nil || !bytes.Equal(response, []byte{byte(ctap.ErrKeepaliveCancel)}) {
			t.Errorf("% x, %v", response, err)
		}
		if len(seen) < 100 || seen[0] != ctap.UPNeeded {
			t.Errorf("%d keepalives were reported", len(seen))
		}
		if answer, err := c.Message(t.Context(), []byte{1}); err != nil || !bytes.Equal(answer, []byte{1, 0x90, 0}) {
			t.Errorf("after that: % x, %v", answer, err)
		}
	})
}

// TestCancelIsIgnored has a device that goes on working when it is cancelled.
func TestCancelIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancels := 0
		c, err := dialScripted(t, Dialer{}, func(m Message) []Message {
			switch m.Command {
			case Cancel:
				cancels++
			case Ping:
				return []Message{m}
			case CBOR:
				return []Message{{m.Channel, Keepalive, []byte{2}}}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Exchange(ctx, []byte{1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Exchange returned %v", err)
		}
		if took := time.Since(start); took != time.Second+DefaultCancelTimeout || cancels != 1 {
			t.Errorf("it took %v and %d cancels", took, cancels)
		}
		if _, err := c.Ping(t.Context(), []byte{1}); err != nil {
			t.Errorf("after that: %v", err)
		}
	})
}

func TestNothingIsSentForACallerWhoIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c, err := dialScripted(t, Dialer{}, func(Message) []Message { sent++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Exchange(ctx, []byte{4}); !errors.Is(err, context.Canceled) || sent != 1 {
			t.Errorf("Exchange returned %v, and the device saw %d messages", err, sent)
		}
	})
}

// TestBusy has another host keep the device for a time.
func TestBusy(t *testing.T) {
	for _, test := range []struct {
		name string
		busy time.Duration
		ctx  time.Duration
		want error
	}{
		{"for a while", 2 * time.Second, time.Minute, nil},
		{"for too long", DefaultBusyTimeout + time.Second, time.Minute, ErrChannelBusy},
		{"longer than the caller waits", 2 * time.Second, time.Second, context.DeadlineExceeded},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c, err := dialScripted(t, Dialer{}, func(m Message) []Message {
					if m.Command != Init && time.Since(start) < test.busy {
						return []Message{{m.Channel, ErrorReply, []byte{byte(ErrChannelBusy)}}}
					}
					if m.Command == Ping {
						return []Message{m}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.ctx)
				defer cancel()
				if _, err := c.Ping(ctx, []byte{1}); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
			})
		})
	}
}

// TestStrangeTraffic has all kinds of reports around the answer.
func TestStrangeTraffic(t *testing.T) {
	for _, test := range []struct {
		name   string
		before []Message
	}{
		{"another channel's answer", []Message{{0x55, Ping, []byte{9}}}},
		{"another channel's error", []Message{{0x55, ErrorReply, []byte{6}}}},
		{"another host's channel", []Message{{Broadcast, Init, make([]byte, 17)}}},
		{"keepalives where none belong", []Message{{0x11223344, Keepalive, []byte{1}}, {0x11223344, Keepalive, nil}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := dialScripted(t, Dialer{}, func(m Message) []Message {
				if m.Command == Ping {
					return append(test.before, m)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if echo, err := c.Ping(t.Context(), []byte{1}); err != nil || !bytes.Equal(echo, []byte{1}) {
				t.Errorf("% x, %v", echo, err)
			}
		})
	}
}

// TestStaleAnswersAreThrownAway has answers come when nobody waits.
func TestStaleAnswersAreThrownAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, host := Pipe()
		var stale []Report
		for range 40 {
			r, _ := Message{0x11223344, Ping, []byte{9}}.Reports(ReportSize)
			stale = append(stale, r...)
		}
		scripted(t, device, func(m Message) []Message {
			if m.Command == Ping {
				return []Message{m}
			}
			return nil
		})
		c, err := Dial(t.Context(), host, seed())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, r := range stale {
			device.WriteReport(r)
		}
		synctest.Wait()
		if echo, err := c.Ping(t.Context(), []byte{1}); err != nil || !bytes.Equal(echo, []byte{1}) {
			t.Errorf("% x, %v", echo, err)
		}
	})
}

func TestOtherReportSizes(t *testing.T) {
	for _, size := range []struct{ output, input int }{{minReport, minReport}, {32, 64}, {64, 32}, {1024, 512}} {
		device, host := PipeSize(size.output, size.input)
		serve(t, device, Device{Authenticator: echo})
		c, err := Dial(t.Context(), host, seed())
		if err != nil {
			t.Fatalf("%v: %v", size, err)
		}
		request := bytes.Repeat([]byte{0xA5}, min(Capacity(size.output), Capacity(size.input)-1))
		response, err := c.Exchange(t.Context(), request)
		if err != nil || !bytes.Equal(response[1:], request) {
			t.Errorf("%v: %d bytes came back of %d (%v)", size, len(response), len(request), err)
		}
		if _, err := c.Exchange(t.Context(), make([]byte, Capacity(size.output)+1)); err == nil {
			t.Errorf("%v: a message longer than possible was sent", size)
		}
		c.Close()
	}
}

func TestCommandsOfTheHost(t *testing.T) {
	winks, d := 0, busy()
	d.Wink = func() { winks++ }
	c := connect(t, d)
	if err := c.Wink(t.Context()); err != nil || winks != 1 {
		t.Errorf("wink: %v, %d winks", err, winks)
	}
	if err := c.Lock(t.Context(), 2*time.Second); err != nil {
		t.Errorf("lock: %v", err)
	}
	for _, d := range []time.Duration{-time.Second, 11 * time.Second, time.Millisecond} {
		if err := c.Lock(t.Context(), d); err == nil {
			t.Errorf("lock for %v was sent", d)
		}
	}
	if answer, err := c.Send(t.Context(), VendorFirst, []byte{5}); err != nil || !bytes.Equal(answer, []byte{0x40, 5}) {
		t.Errorf("vendor command: % x, %v", answer, err)
	}
	if _, err := c.Send(t.Context(), VendorLast, nil); !errors.Is(err, ErrLockRequired) {
		t.Errorf("vendor command that is refused: %v", err)
	}
}

func TestAnswersWithoutStatus(t *testing.T) {
	c, err := dialScripted(t, Dialer{}, func(m Message) []Message {
		if m.Command == Init {
			return nil
		}
		return []Message{{m.Channel, m.Command, nil}}
	})
	if err != nil {
		t.Fatal(err)
	}
	var broken *ProtocolError
	if _, err := c.Exchange(t.Context(), []byte{4}); !errors.As(err, &broken) {
		t.Errorf("CTAPHID_CBOR: %v", err)
	}
	if _, err := c.Message(t.Context(), []byte{4}); !errors.As(err, &broken) {
		t.Errorf("CTAPHID_MSG: %v", err)
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, busy())
		go func() {
			time.Sleep(time.Second)
			c.Close()
		}()
		if _, err := c.Exchange(t.Context(), []byte{byte(ctap.Selection)}); !errors.Is(err, ErrClosed) {
			t.Errorf("what ran: %v", err)
		}
		if _, err := c.Ping(t.Context(), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("what came after: %v", err)
		}
		select {
		case <-c.Done():
		default:
			t.Error("Done is open")
		}
		c.Close()
	})
}

// TestOneAfterTheOther has several callers use one channel.
func TestOneAfterTheOther(t *testing.T) {
	c := connect(t, Device{Authenticator: echo})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				request := bytes.Repeat([]byte{byte(i), byte(j)}, 100)
				if response, err := c.Exchange(t.Context(), request); err != nil || !bytes.Equal(response[1:], request) {
					t.Errorf("caller %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
}

// TestRecycledChannel has so many hosts that the first loses its channel.
func TestRecycledChannel(t *testing.T) {
	device, host := Pipe()
	serve(t, device, Device{Channels: 1, Authenticator: echo})
	c, err := Dial(t.Context(), host, seed())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reports, _ := Message{Broadcast, Init, nonce}.Reports(ReportSize)
	if err := host.WriteReport(reports[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exchange(t.Context(), []byte{4}); !errors.Is(err, ErrInvalidChannel) {
		t.Errorf("the lost channel: %v", err)
	}
	old := c.ID()
	if err := c.Resync(t.Context()); err != nil || c.ID() == old {
		t.Errorf("Resync: %v, channel %08x after %08x", err, c.ID(), old)
	}
	if _, err := c.Exchange(t.Context(), []byte{4}); err != nil {
		t.Errorf("the new channel: %v", err)
	}
}
