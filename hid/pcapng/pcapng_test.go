package pcapng

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fido-emu/hid"
)

func capture(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, "yubikey-5")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 123_456_789)
	for i, way := range []hid.Direction{hid.ToDevice, hid.ToHost} {
		r := make(hid.Report, hid.ReportSize)
		r[0] = byte(0xA0 + i)
		if err := w.Report(at.Add(time.Duration(i)*time.Millisecond), way, r, []string{"CTAPHID_INIT", ""}[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// The blocks of a capture are well formed: lengths at both ends, multiples of four.
func TestBlocks(t *testing.T) {
	b := capture(t)
	var kinds []uint32
	for len(b) > 0 {
		kind, length := order.Uint32(b), order.Uint32(b[4:])
		if length%4 != 0 || int(length) > len(b) || order.Uint32(b[length-4:]) != length {
			t.Fatalf("block %d of type %#x has length %d", len(kinds), kind, length)
		}
		kinds = append(kinds, kind)
		b = b[length:]
	}
	if len(kinds) != 2+6+2 || kinds[0] != sectionHeader || kinds[1] != interfaceHeader {
		t.Errorf("blocks %#x", kinds)
	}
}

// Wireshark reads the capture, knows the device for a HID device and shows what the
// packets are.
func TestWiresharkReadsIt(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed: apt-get install tshark")
	}
	path := filepath.Join(t.TempDir(), "key.pcapng")
	if err := os.WriteFile(path, capture(t), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tshark, "-r", path, "-T", "fields", "-e", "frame.time_epoch", "-e", "usb.endpoint_address",
		"-e", "usb.bInterfaceClass", "-e", "usbhid.data", "-e", "frame.comment", "-e", "_ws.malformed").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if len(lines) != 8 {
		t.Fatalf("%d packets: %s", len(lines), out)
	}
	for i, want := range map[int][]string{
		6: {"1700000000.123456789", "0x01", "0x03", "a000", "CTAPHID_INIT"},
		7: {"1700000000.124456789", "0x81", "0x03", "a100"},
	} {
		for _, w := range want {
			if !strings.Contains(lines[i], w) {
				t.Errorf("packet %d lacks %s: %q", i, w, lines[i])
			}
		}
	}
	if strings.Contains(string(out), "Malformed") {
		t.Errorf("malformed: %s", out)
	}
}
