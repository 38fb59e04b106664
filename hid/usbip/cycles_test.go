package usbip_test

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"fido-emu/hid/usbip"
)

func openFiles(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("counts file descriptors in /proc")
	}
	return len(open)
}

// A thousand hosts that come, use the key and go leave nothing behind.
func TestThousandHosts(t *testing.T) {
	var s usbip.Server
	k := export(t, &s, "1-1")
	address := serve(t, &s)
	r, text := report(1)
	visit := func(leave func(h *host)) {
		h := &host{t: t}
		for h.conn == nil {
			conn := dial(t, address)
			if _, err := usbip.Import(t.Context(), conn, "1-1"); err == nil {
				h.conn = conn
			} else if !errors.Is(err, usbip.StatusDevBusy) { // the last one has not quite gone
				t.Fatal(err)
			} else {
				conn.Close()
			}
		}
		defer h.conn.Close()
		h.configure()
		k.WriteReport(r)
		h.in(1, 64)
		if got := h.read(true); got.data != text {
			t.Fatalf("report %+v", got)
		}
		h.in(1, 64) // stays open
		leave(h)
	}
	visit(func(*host) {})
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for i := range 1000 {
		visit(func(h *host) {
			if i%2 == 0 {
				k.Unplug()
				h.conn.Read(make([]byte, 1))
			}
		})
	}
	k.Unplug()
	for runtime.NumGoroutine() > goroutines || openFiles(t) > files {
		runtime.Gosched() // the last ones are on their way out; a leak is a time-out here
	}
}
