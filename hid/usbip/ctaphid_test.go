package usbip_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fido-emu/hid"
	"fido-emu/hid/usbip"
)

// CTAPHID goes over a key's URBs as over a pipe.
func TestPingOverURBs(t *testing.T) {
	var s usbip.Server
	k := export(t, &s, "1-1")
	address := serve(t, &s)
	ended := make(chan error)
	go func() { ended <- hid.Serve(context.Background(), k, hid.Device{}) }()
	for range 2 { // the second time after detaching
		conn := dial(t, address)
		for {
			_, err := usbip.Import(t.Context(), conn, "1-1")
			if err == nil {
				break
			} else if !errors.Is(err, usbip.StatusDevBusy) {
				t.Fatal(err)
			}
			conn = dial(t, address) // the first host has not quite gone
		}
		h := &host{t: t, conn: conn}
		h.configure()
		channel, err := hid.Dial(t.Context(), newHostConn(h), strings.NewReader("12345678"))
		if err != nil {
			t.Fatal(err)
		}
		sent := bytes.Repeat([]byte("ping"), 200)
		if got, err := channel.Ping(t.Context(), sent); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("Ping: %d bytes, %v", len(got), err)
		}
		channel.Close()
	}
	k.Close()
	if err := <-ended; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("Serve: %v", err)
	}
}

// Whatever a host and a device do in turn, each transfer from the device is answered
// once, by its report or by having been unlinked, in order, and no report is lost.
func TestTransfersInAnySequence(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := newKey(t)
		h := plug(t, k)
		var waiting []uint32
		var written, read byte
		answer := func() {
			for ; len(waiting) > 0 && read != written; waiting, read = waiting[1:], read+1 {
				if _, text := report(read); h.read(true) != (reply{command: 3, seq: waiting[0], data: text, actual: 64}) {
					r.Fatalf("transfer %d is not answered by report %d", waiting[0], read)
				}
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"submit": func(*rapid.T) { waiting = append(waiting, h.in(1, 64)); answer() },
			"write": func(r *rapid.T) {
				if written-read == 200 {
					r.Skip("enough reports wait")
				}
				h.control("8000 0000 0000 0200", "") // what was submitted has arrived
				b, _ := report(written)
				k.WriteReport(b)
				written++
				answer()
			},
			"unlink": func(r *rapid.T) {
				if len(waiting) == 0 {
					r.Skip("nothing waits")
				}
				i := rapid.IntRange(0, len(waiting)-1).Draw(r, "which")
				if seq := h.unlink(waiting[i]); h.read(false) != (reply{command: 4, seq: seq, status: unlinked}) {
					r.Fatalf("transfer %d was not unlinked", waiting[i])
				}
				waiting = append(waiting[:i:i], waiting[i+1:]...)
			},
		})
		k.Unplug()
	})
}
