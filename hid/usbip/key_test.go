package usbip_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"fido-emu/hid"
	"fido-emu/hid/usbip"
)

const (
	done     = 0
	stall    = -32
	unlinked = -104
	overflow = -75
)

const (
	deviceDescriptor = "120100020000004009 12 d0f1 0201 01020301"
	hidDescriptor    = "092111010001222200"
	configuration    = "0902290001010080 32" + "090400000203000000" + hidDescriptor + "07058103400005" + "07050103400005"
	reportDescriptor = "06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0"
)

func TestControlRequests(t *testing.T) {
	_, zeros := report(0)
	for _, c := range []struct {
		name, setup, data string
		status            int32
		want              string
	}{
		{"device descriptor", "8006 0001 0000 1200", "", done, deviceDescriptor},
		{"device descriptor, first 8 bytes", "8006 0001 0000 0800", "", done, deviceDescriptor[:16]},
		{"configuration, header", "8006 0002 0000 0900", "", done, "090229000101008032"},
		{"configuration, room for more", "8006 0002 0000 ff00", "", done, configuration},
		{"configuration 1", "8006 0102 0000 ff00", "", stall, ""},
		{"languages", "8006 0003 0000 ff00", "", done, "04030904"},
		{"manufacturer", "8006 0103 0904 ff00", "", done, "12036600690064006f002d0065006d007500"},
		{"product", "8006 0203 0904 ff00", "", done, "0c034b0065007900200013 27"},
		{"serial number", "8006 0303 0904 ff00", "", done, "0a033000300030003100"},
		{"no such string", "8006 0403 0904 ff00", "", stall, ""},
		{"qualifier", "8006 0006 0000 0a00", "", stall, ""},
		{"BOS", "8006 000f 0000 0500", "", stall, ""},
		{"HID descriptor", "8106 0021 0000 0900", "", done, hidDescriptor},
		{"report descriptor", "8106 0022 0000 2200", "", done, reportDescriptor},
		{"report descriptor of interface 1", "8106 0022 0100 2200", "", stall, ""},
		{"physical descriptor", "8106 0023 0000 2200", "", stall, ""},
		{"status of the device", "8000 0000 0000 0200", "", done, "0000"},
		{"status of the interface", "8100 0000 0000 0200", "", done, "0000"},
		{"status of endpoint 0", "8200 0000 0000 0200", "", done, "0000"},
		{"status of endpoint 81", "8200 0000 8100 0200", "", done, "0000"},
		{"status of endpoint 82", "8200 0000 8200 0200", "", stall, ""},
		{"halt endpoint 0", "0203 0000 0000 0000", "", stall, ""},
		{"another feature of an endpoint", "0203 0100 8100 0000", "", stall, ""},
		{"remote wake-up", "0003 0100 0000 0000", "", stall, ""},
		{"address", "0005 0700 0000 0000", "", done, ""},
		{"get configuration", "8008 0000 0000 0100", "", done, "01"},
		{"configuration 2", "0009 0200 0000 0000", "", stall, ""},
		{"get interface", "810a 0000 0000 0100", "", done, "00"},
		{"set interface 0", "010b 0000 0000 0000", "", done, ""},
		{"set alternate setting 1", "010b 0100 0000 0000", "", stall, ""},
		{"set interface 1", "010b 0000 0100 0000", "", stall, ""},
		{"set idle", "210a 007d 0000 0000", "", done, ""},
		{"get input report", "a101 0001 0000 4000", "", done, zeros},
		{"get feature report", "a101 0003 0000 4000", "", stall, ""},
		{"set feature report", "2109 0003 0000 0100", "ff", stall, ""},
		{"get protocol", "a103 0000 0000 0100", "", stall, ""},
		{"set protocol", "210b 0000 0000 0000", "", stall, ""},
		{"vendor request", "c000 0000 0000 4000", "", stall, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := plug(t, newKey(t))
			status, answer := h.control(c.setup, c.data)
			if want := strings.ReplaceAll(c.want, " ", ""); status != c.status || answer != want {
				t.Errorf("status %d, %s\nwant   %d, %s", status, answer, c.status, want)
			}
		})
	}
}

func TestIdleIsKept(t *testing.T) {
	h := plug(t, newKey(t))
	h.control("210a 007d 0000 0000", "")
	if _, got := h.control("a102 0000 0000 0100", ""); got != "7d" {
		t.Errorf("idle rate %s, want 7d", got)
	}
}

func TestUnconfiguredKeyHasNoEndpoints(t *testing.T) {
	h := plug(t, newKey(t))
	h.control("0009 0000 0000 0000", "")
	h.in(1, 64)
	if r := h.read(true); r.status != stall {
		t.Errorf("IN: %+v, want a stall", r)
	}
	if status, _ := h.control("210a 0000 0000 0000", ""); status != stall {
		t.Errorf("SET_IDLE: status %d, want a stall", status)
	}
}

func TestInTransfersWaitAndKeepTheirOrder(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	first, second := h.in(1, 64), h.in(1, 64)
	h.control("8000 0000 0000 0200", "") // both are parked by now
	for i, seq := range []uint32{first, second} {
		r, text := report(byte(i + 1))
		if err := k.WriteReport(r); err != nil {
			t.Fatal(err)
		}
		if got := h.read(true); got != (reply{command: 3, seq: seq, data: text, actual: 64}) {
			t.Errorf("answer %d: %+v", i, got)
		}
	}
}

func TestReportsWaitForTheHost(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	for i := range 300 { // 258 are kept
		r, _ := report(byte(i))
		if err := k.WriteReport(r); err != nil {
			t.Fatal(err)
		}
	}
	_, text := report(300 - 258)
	h.in(1, 512)
	if got := h.read(true); got.data != text {
		t.Errorf("the oldest report that is left: %s, want %s", got.data, text)
	}
}

func TestOutTransfersWaitForTheDevice(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	_, one := report(1)
	_, two := report(2)
	first := h.out(1, one)
	second := h.write(1, 0, 0, 64, "2109 0002 0000 4000", two) // SET_REPORT joins the queue
	for i, seq := range []uint32{first, second} {
		got, err := k.ReadReport(t.Context())
		if err != nil || len(got) != 64 || got[0] != byte(i+1) {
			t.Fatalf("report %d: %x, %v", i, got, err)
		}
		if r := h.read(false); r != (reply{command: 3, seq: seq, actual: 64}) {
			t.Errorf("answer %d: %+v", i, r)
		}
	}
}

func TestWhatIsNoReportIsTakenAndIgnored(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	_, good := report(9)
	for _, data := range []string{"", "01", good + "00"} {
		h.out(1, data)
		if r := h.read(false); r.status != done || int(r.actual) != len(data)/2 {
			t.Errorf("%d bytes: %+v", len(data)/2, r)
		}
	}
	h.out(1, good)
	if r, err := k.ReadReport(t.Context()); err != nil || r[0] != 9 {
		t.Errorf("the report after them: %x, %v", r, err)
	}
	h.read(false)
}

func TestTransfersThatCannotBe(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	r, _ := report(1)
	for _, c := range []struct {
		name             string
		endpoint, length uint32
		status           int32
	}{
		{"endpoint 2", 2, 64, stall},
		{"endpoint 257", 257, 64, stall},
		{"short buffer", 1, 63, overflow},
		{"no buffer", 1, 0, overflow},
	} {
		k.WriteReport(r)
		h.in(c.endpoint, c.length)
		if got := h.read(true); got.status != c.status {
			t.Errorf("%s: status %d, want %d", c.name, got.status, c.status)
		}
	}
}

func TestUnlink(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	r, text := report(1)
	first, second := h.in(1, 64), h.in(1, 64)
	if seq := h.unlink(first); h.read(false) != (reply{command: 4, seq: seq, status: unlinked}) {
		t.Error("a transfer that waits was not unlinked")
	}
	k.WriteReport(r)
	if got := h.read(true); got.seq != second || got.data != text {
		t.Errorf("the report went to %+v, want transfer %d", got, second)
	}
	for _, ended := range []uint32{first, second, 12345} {
		if seq := h.unlink(ended); h.read(false) != (reply{command: 4, seq: seq, status: done}) {
			t.Errorf("unlinking %d, which does not wait, was not answered with 0", ended)
		}
	}
	out := h.out(1, text)
	if seq := h.unlink(out); h.read(false) != (reply{command: 4, seq: seq, status: unlinked}) {
		t.Error("a transfer to the device was not unlinked")
	}
}

func TestHalt(t *testing.T) {
	h := plug(t, newKey(t))
	parked := h.in(1, 64)
	seq := h.write(1, 0, 0, 0, "0203 0000 8100 0000", "")
	if r := h.read(true); r.seq != parked || r.status != stall {
		t.Errorf("the transfer that waited: %+v, want a stall", r)
	}
	if r := h.read(false); r.seq != seq || r.status != done {
		t.Errorf("SET_FEATURE: %+v", r)
	}
	if _, status := h.control("8200 0000 8100 0200", ""); status != "0100" {
		t.Errorf("GET_STATUS = %s, want 0100", status)
	}
	h.in(1, 64)
	if r := h.read(true); r.status != stall {
		t.Errorf("a transfer to the halted endpoint: %+v", r)
	}
	h.control("0201 0000 8100 0000", "")
	if _, status := h.control("8200 0000 8100 0200", ""); status != "0000" {
		t.Errorf("GET_STATUS = %s after CLEAR_FEATURE, want 0000", status)
	}
}

func TestPluggedInAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKey(t)
		r, _ := report(1)
		if err := k.WriteReport(r); err != nil {
			t.Errorf("without a host: %v", err)
		}
		h := plug(t, k)
		k.WriteReport(r) // waits for the host, which goes away
		k.Unplug()
		if _, err := h.conn.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the host reads %v, want EOF", err)
		}
		synctest.Wait()
		h = plug(t, k)
		h.in(1, 64)
		synctest.Wait()
		fresh, text := report(2)
		k.WriteReport(fresh)
		if got := h.read(true); got.data != text {
			t.Errorf("after plugging in: %+v, want the fresh report", got)
		}
	})
}

func TestOneHostAtATime(t *testing.T) {
	k := newKey(t)
	plug(t, k)
	far, near := net.Pipe()
	defer near.Close()
	if err := k.ServeURBs(t.Context(), far); !errors.Is(err, usbip.ErrInUse) {
		t.Errorf("a second host: %v", err)
	}
}

func TestClosedKey(t *testing.T) {
	k := newKey(t)
	h := plug(t, k)
	read := make(chan error)
	go func() { _, err := k.ReadReport(context.Background()); read <- err }()
	k.Close()
	k.Close()
	if err := <-read; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ReadReport: %v", err)
	}
	r, _ := report(1)
	if err := k.WriteReport(r); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("WriteReport: %v", err)
	}
	if _, err := h.conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the host reads %v, want EOF", err)
	}
	if err := k.ServeURBs(t.Context(), h.conn); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ServeURBs: %v", err)
	}
}

func TestReadReportEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newKey(t).ReadReport(ctx); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

func TestWriteReportOfAnotherLength(t *testing.T) {
	for _, n := range []int{0, 63, 65} {
		if err := newKey(t).WriteReport(make(hid.Report, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}

func TestNewKeyRefusesLongStrings(t *testing.T) {
	if _, err := usbip.NewKey(usbip.Identity{Serial: strings.Repeat("é", 126)}); err != nil {
		t.Errorf("126 units: %v", err)
	}
	if _, err := usbip.NewKey(usbip.Identity{Serial: strings.Repeat("𝄞", 64)}); err == nil {
		t.Error("128 units were taken")
	}
}

func TestKeyWithoutStrings(t *testing.T) {
	k, err := usbip.NewKey(usbip.Identity{Vendor: 1, Product: 2})
	if err != nil {
		t.Fatal(err)
	}
	h := plug(t, k)
	if _, d := h.control("8006 0001 0000 1200", ""); !strings.HasSuffix(d, "00000001") {
		t.Errorf("device descriptor %s names strings", d)
	}
}

// A host that sends and never reads holds up neither the device nor a later host.
func TestHostThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKey(t)
		h := plug(t, k)
		go func() {
			b := make([]byte, 48) // GET_STATUS, for ever
			b[3], b[15], b[27], b[40], b[46] = 1, 1, 2, 0x80, 2
			for {
				if _, err := h.conn.Write(b); err != nil {
					return
				}
			}
		}()
		synctest.Wait()
		r, _ := report(1)
		if err := k.WriteReport(r); err != nil {
			t.Error(err)
		}
		k.Unplug()
		synctest.Wait()
		plug(t, k)
	})
}
