package uhid

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"fido-emu/hid"
)

// output is an OUTPUT event as the kernel writes it.
func output(kind byte, data ...byte) []byte {
	b := make([]byte, eventSize)
	b[0] = byte(eventOutput)
	copy(b[4:], data)
	binary.LittleEndian.PutUint16(b[4100:], uint16(len(data)))
	b[4102] = kind
	return b
}

func TestParseEvent(t *testing.T) {
	report := bytes.Repeat([]byte{0xAB}, 64)
	request := make([]byte, eventSize)
	copy(request, []byte{13, 0, 0, 0, 0x78, 0x56, 0x34, 0x12})
	for name, c := range map[string]struct {
		bytes []byte
		want  event
		ok    bool
	}{
		"start":                {append([]byte{2, 0, 0, 0}, make([]byte, 4376)...), event{kind: eventStart}, true},
		"output":               {output(1, report...), event{kind: eventOutput, report: report}, true},
		"feature report":       {output(0, report...), event{kind: eventOutput}, true},
		"set report":           {request, event{kind: eventSetReport, id: 0x12345678}, true},
		"nothing":              {nil, event{}, false},
		"cut request":          {request[:6], event{}, false},
		"cut output":           {output(1, report...)[:4102], event{}, false},
		"of a later kernel":    {[]byte{99, 0, 0, 0}, event{kind: 99}, true},
		"longer than an event": {append(output(1)[:4100], 0xFF, 0xFF, 1), event{kind: eventOutput}, true},
	} {
		got, err := parseEvent(c.bytes)
		if (err == nil) != c.ok || got.kind != c.want.kind || got.id != c.want.id || !bytes.Equal(got.report, c.want.report) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestOutputReport(t *testing.T) {
	for name, c := range map[string]struct {
		bytes []byte
		ok    bool
	}{
		"with report number":  {append([]byte{0}, bytes.Repeat([]byte{1}, 64)...), true},
		"without":             {bytes.Repeat([]byte{1}, 64), true},
		"with another number": {bytes.Repeat([]byte{1}, 65), false},
		"too short":           {bytes.Repeat([]byte{1}, 63), false},
		"too long":            {bytes.Repeat([]byte{0}, 66), false},
		"empty":               {nil, false},
	} {
		r, ok := outputReport(c.bytes, 64)
		if ok != c.ok || ok && !bytes.Equal(r, bytes.Repeat([]byte{1}, 64)) {
			t.Errorf("%s: %x, %v", name, r, ok)
		}
	}
}

// The offsets are those that a C compiler gives to struct uhid_event.
func TestEventsAreLaidOutAsTheKernelReadsThem(t *testing.T) {
	b := createEvent(Config{Name: "N", Phys: "P", Uniq: "U", Vendor: 0x1209, Product: 0xF1D0, Version: 0x0504}, []byte{6, 0xD0})
	for at, want := range map[int]string{
		0: "\x0b\x00\x00\x00", 4: "N\x00", 132: "P\x00", 196: "U\x00", 260: "\x02\x00\x03\x00",
		264: "\x09\x12\x00\x00", 268: "\xd0\xf1\x00\x00", 272: "\x04\x05\x00\x00", 276: "\x00\x00\x00\x00", 280: "\x06\xd0",
	} {
		if got := string(b[at : at+len(want)]); got != want {
			t.Errorf("CREATE2 at %d: %x, want %x", at, got, want)
		}
	}
	if got, want := inputEvent(hid.Report{1, 2, 3}), []byte{12, 0, 0, 0, 3, 0, 1, 2, 3}; !bytes.Equal(got, want) {
		t.Errorf("INPUT2: %x, want %x", got, want)
	}
	if got, want := refusal(eventGetReportReply, 7), []byte{10, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("GET_REPORT_REPLY: %x, want %x", got, want)
	}
}

func TestCreateSaysWhatToDo(t *testing.T) {
	_, err := Create(t.Context(), Config{Path: t.TempDir() + "/uhid"})
	if err == nil || !strings.Contains(err.Error(), "modprobe uhid") {
		t.Errorf("no node: %v", err)
	}
	for name, c := range map[string]Config{
		"name":   {Name: strings.Repeat("n", 128), Path: "/dev/null"},
		"phys":   {Phys: strings.Repeat("p", 64), Path: "/dev/null"},
		"serial": {Uniq: "a\nb", Path: "/dev/null"},
	} {
		if _, err := Create(t.Context(), c); err == nil || !strings.Contains(err.Error(), "cannot be used") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(output(1, make([]byte, 65)...))
	f.Add([]byte{9, 0, 0, 0, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := parseEvent(b); err == nil {
			if r, ok := outputReport(e.report, hid.ReportSize); ok && len(r) != hid.ReportSize {
				t.Errorf("a report of %d bytes", len(r))
			}
		}
	})
}
