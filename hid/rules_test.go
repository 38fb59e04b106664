package hid

import (
	"bytes"
	"testing"
	"time"

	"fido-emu/ctap"
)

const packetTimeout = DefaultPacketTimeout

// TestRules holds the device against the rules of section 11.2, one at a time. one and
// two are allocated channels.
func TestRules(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(w *wire, one, two uint32)
	}{
		{"ping echoes", func(w *wire, one, _ uint32) {
			w.send(one, Ping, 1, 2, 3)
			w.want(one, Ping, 1, 2, 3)
		}},
		{"ping of nothing", func(w *wire, one, _ uint32) {
			w.send(one, Ping)
			w.want(one, Ping)
		}},
		{"ping of the longest message", func(w *wire, one, _ uint32) {
			data := bytes.Repeat([]byte{7, 6, 0, 9}, MaxMessage/4+1)[:MaxMessage]
			w.send(one, Ping, data...)
			w.want(one, Ping, data...)
		}},
		{"message longer than possible", func(w *wire, one, _ uint32) {
			w.begin(one, Ping, MaxMessage+1)
			w.wantError(one, ErrInvalidLen)
			w.more(one, 0)
			w.quiet(packetTimeout)
		}},
		{"unknown command", func(w *wire, one, _ uint32) {
			w.send(one, 0x2A)
			w.wantError(one, ErrInvalidCmd)
		}},
		{"commands of a device from the host", func(w *wire, one, _ uint32) {
			w.send(one, Keepalive, 1)
			w.wantError(one, ErrInvalidCmd)
			w.send(one, ErrorReply, 1)
			w.wantError(one, ErrInvalidCmd)
		}},
		{"channel zero", func(w *wire, _, _ uint32) {
			w.send(0, Init, nonce...)
			w.wantError(0, ErrInvalidChannel)
			w.send(0, Ping)
			w.wantError(0, ErrInvalidChannel)
		}},
		{"only init on the broadcast channel", func(w *wire, _, _ uint32) {
			w.send(Broadcast, Ping)
			w.wantError(Broadcast, ErrInvalidChannel)
		}},
		{"channel that was never allocated", func(w *wire, _, two uint32) {
			w.send(two+1, Ping)
			w.wantError(two+1, ErrInvalidChannel)
			w.send(two+1, Init, nonce...)
			w.wantError(two+1, ErrInvalidChannel)
		}},
		{"init with a nonce of another length", func(w *wire, one, _ uint32) {
			w.send(one, Init, nonce[:7]...)
			w.wantError(one, ErrInvalidLen)
			w.send(Broadcast, Init, append(nonce, 9)...)
			w.wantError(Broadcast, ErrInvalidLen)
		}},
		{"stray continuation is ignored", func(w *wire, one, _ uint32) {
			w.more(one, 0)
			w.quiet(time.Second)
		}},
		{"report that is no packet is ignored", func(w *wire, one, _ uint32) {
			w.send(one, Ping, 5)
			w.want(one, Ping, 5)
		}},
		{"continuation out of order", func(w *wire, one, _ uint32) {
			w.begin(one, Ping, 200)
			w.more(one, 0)
			w.more(one, 2)
			w.wantError(one, ErrInvalidSeq)
			w.more(one, 3)
			w.quiet(packetTimeout)
		}},
		{"new message within a message", func(w *wire, one, _ uint32) {
			w.begin(one, Ping, 200)
			w.begin(one, Ping, 200)
			w.wantError(one, ErrInvalidSeq)
			w.send(one, Ping, 1)
			w.want(one, Ping, 1)
		}},
		{"rest of the message does not come", func(w *wire, one, two uint32) {
			w.begin(one, Ping, 200)
			w.quiet(packetTimeout - time.Millisecond)
			w.more(one, 0)
			w.quiet(packetTimeout - time.Millisecond)
			time.Sleep(time.Millisecond)
			w.wantError(one, ErrMsgTimeout)
			w.send(two, Ping)
			w.want(two, Ping)
		}},
		{"another channel while a message comes in", func(w *wire, one, two uint32) {
			w.begin(one, Ping, 99)
			w.begin(two, Ping, 99)
			w.wantError(two, ErrChannelBusy)
			w.more(two, 0)
			w.quiet(time.Millisecond)
			w.more(one, 0)
			w.want(one, Ping, make([]byte, 99)...)
		}},
		{"init of a new channel while a message comes in", func(w *wire, one, _ uint32) {
			w.begin(one, Ping, 99)
			w.open()
			w.more(one, 0)
			w.want(one, Ping, make([]byte, 99)...)
		}},
		{"init of another channel while a message comes in", func(w *wire, one, two uint32) {
			w.begin(one, Ping, 99)
			w.resync(two)
			w.more(one, 0)
			w.want(one, Ping, make([]byte, 99)...)
		}},
		{"init drops a message that comes in", func(w *wire, one, _ uint32) {
			w.begin(one, Ping, 99)
			w.resync(one)
			w.more(one, 0)
			w.quiet(packetTimeout)
		}},
		{"init drops a transaction", func(w *wire, one, two uint32) {
			w.keptWaiting(one)
			w.resync(one)
			w.quiet(time.Second)
			w.send(two, Ping)
			w.want(two, Ping)
		}},
		{"another channel while a transaction runs", func(w *wire, one, two uint32) {
			w.keptWaiting(one)
			w.send(two, Ping)
			w.wantError(two, ErrChannelBusy)
			w.send(one, Ping)
			w.wantError(one, ErrChannelBusy)
			w.open()
		}},
		{"cancel", func(w *wire, one, _ uint32) {
			w.keptWaiting(one)
			w.send(one, Cancel)
			w.want(one, CBOR, byte(ctap.ErrKeepaliveCancel))
			w.quiet(time.Second)
		}},
		{"cancel of nothing has no answer and is not kept", func(w *wire, one, _ uint32) {
			w.send(one, Cancel)
			w.quiet(time.Second)
			w.keptWaiting(one)
			w.quiet(99 * time.Millisecond)
		}},
		{"cancel of another channel", func(w *wire, one, two uint32) {
			w.keptWaiting(one)
			w.send(two, Cancel)
			w.send(two+1, Cancel)
			w.quiet(99 * time.Millisecond)
		}},
		{"cancel while a message comes in", func(w *wire, one, _ uint32) {
			w.begin(one, Ping, 99)
			w.send(one, Cancel)
			w.more(one, 0)
			w.want(one, Ping, make([]byte, 99)...)
		}},
		{"keepalives", func(w *wire, one, _ uint32) {
			w.keptWaiting(one)
			for range 3 {
				w.quiet(100*time.Millisecond - time.Nanosecond)
				time.Sleep(time.Nanosecond)
				w.want(one, Keepalive, byte(ctap.UPNeeded))
			}
		}},
		{"cbor of nothing", func(w *wire, one, _ uint32) {
			w.send(one, CBOR)
			w.wantError(one, ErrInvalidLen)
		}},
		{"u2f message", func(w *wire, one, _ uint32) {
			w.send(one, Msg, 0, 3)
			w.want(one, Msg, 0, 3, 0x90, 0)
			w.send(one, Msg)
			w.wantError(one, ErrInvalidLen)
		}},
		{"wink", func(w *wire, one, _ uint32) {
			w.send(one, Wink)
			w.want(one, Wink)
			w.send(one, Wink, 1)
			w.wantError(one, ErrInvalidLen)
		}},
		{"vendor command", func(w *wire, one, _ uint32) {
			w.send(one, 0x41, 9)
			w.want(one, 0x41, 0x41, 9)
			w.send(one, 0x7F)
			w.wantError(one, ErrLockRequired)
		}},
		{"lock keeps others out until it is released", func(w *wire, one, two uint32) {
			w.send(one, Lock, 10)
			w.want(one, Lock)
			w.send(two, Ping)
			w.wantError(two, ErrChannelBusy)
			w.send(one, Ping)
			w.want(one, Ping)
			w.send(one, Lock, 0)
			w.want(one, Lock)
			w.send(two, Ping)
			w.want(two, Ping)
		}},
		{"lock runs out", func(w *wire, one, two uint32) {
			w.send(one, Lock, 3)
			w.want(one, Lock)
			time.Sleep(3*time.Second - time.Nanosecond)
			w.send(two, Lock, 0)
			w.wantError(two, ErrChannelBusy)
			time.Sleep(time.Nanosecond)
			w.send(two, Ping)
			w.want(two, Ping)
		}},
		{"lock for too long", func(w *wire, one, two uint32) {
			w.send(one, Lock, 11)
			w.wantError(one, ErrInvalidPar)
			w.send(one, Lock)
			w.wantError(one, ErrInvalidLen)
			w.send(two, Ping)
			w.want(two, Ping)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			onWire(t, busy(), func(w *wire) { test.run(w, w.open(), w.open()) })
		})
	}
}
