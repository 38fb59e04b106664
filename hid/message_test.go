package hid

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"pgregory.net/rapid"
)

// TestFrames cuts messages into reports and puts them together again, as
// testdata/ctaphid.json has them.
func TestFrames(t *testing.T) {
	b, err := os.ReadFile("testdata/ctaphid.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Frames []struct {
			Name, Channel, Payload string
			Command                Command
			Reports                []string
		}
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Frames) != 8 {
		t.Fatalf("%d vectors", len(vectors.Frames))
	}
	for _, v := range vectors.Frames {
		t.Run(v.Name, func(t *testing.T) {
			m := Message{Command: v.Command, Payload: unhex(t, v.Payload)}
			fmt.Sscanf(v.Channel, "%08x", &m.Channel)
			reports, err := m.Reports(ReportSize)
			if err != nil {
				t.Fatal(err)
			}
			if len(reports) != len(v.Reports) {
				t.Fatalf("%d reports, want %d", len(reports), len(v.Reports))
			}
			for i, r := range reports {
				if got := hex.EncodeToString(r); got != v.Reports[i] {
					t.Errorf("report %d:\ngot  %s\nwant %s", i, got, v.Reports[i])
				}
			}
			if again := assemble(t, reports); again.Channel != m.Channel || again.Command != m.Command ||
				!bytes.Equal(again.Payload, m.Payload) {
				t.Errorf("assembled %+v", again)
			}
		})
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// assemble puts reports together, of which the last completes the message.
func assemble(t interface{ Fatalf(string, ...any) }, reports []Report) Message {
	var a Assembler
	for i, r := range reports {
		p, ok := ParsePacket(r)
		if !ok || p.Initial != (i == 0) {
			t.Fatalf("report %d is %+v", i, p)
		}
		complete, err := false, error(nil)
		if i == 0 {
			complete = a.Begin(p)
		} else {
			complete, err = a.Continue(p)
		}
		if err != nil || complete != (i == len(reports)-1) || a.Pending() == complete {
			t.Fatalf("report %d of %d: complete %v, %v", i, len(reports), complete, err)
		}
	}
	return a.Message
}

func TestMessagesOfAnyLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(minReport, 1024).Draw(t, "report size")
		m := Message{
			Channel: rapid.Uint32().Draw(t, "channel"),
			Command: Command(rapid.ByteMax(0x7F).Draw(t, "command")),
			Payload: make([]byte, rapid.IntRange(0, Capacity(size)).Draw(t, "length")),
		}
		for i := range m.Payload {
			m.Payload[i] = byte(i * 7)
		}
		reports, err := m.Reports(size)
		if err != nil {
			t.Fatal(err)
		}
		if again := assemble(t, reports); again.Channel != m.Channel || again.Command != m.Command || !bytes.Equal(again.Payload, m.Payload) {
			t.Fatalf("%08x %s, %d bytes came back", again.Channel, again.Command, len(again.Payload))
		}
	})
}

func TestCapacity(t *testing.T) {
	if Capacity(ReportSize) != 7609 || MaxMessage != 7609 || Capacity(1024) != 0xFFFF {
		t.Errorf("%d, %d, %d", Capacity(ReportSize), MaxMessage, Capacity(1024))
	}
	if _, err := (Message{Payload: make([]byte, 7610)}).Reports(ReportSize); err == nil {
		t.Error("7610 bytes were cut into reports")
	}
	if _, ok := ParsePacket(make(Report, initHeader-1)); ok {
		t.Error("6 bytes were taken for a packet")
	}
}

func TestNames(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{ErrInvalidCmd.Error(), "ERR_INVALID_CMD (0x01)"},
		{ErrInvalidPar.Error(), "ERR_INVALID_PAR (0x02)"},
		{ErrInvalidLen.Error(), "ERR_INVALID_LEN (0x03)"},
		{ErrInvalidSeq.Error(), "ERR_INVALID_SEQ (0x04)"},
		{ErrMsgTimeout.Error(), "ERR_MSG_TIMEOUT (0x05)"},
		{ErrChannelBusy.Error(), "ERR_CHANNEL_BUSY (0x06)"},
		{ErrLockRequired.Error(), "ERR_LOCK_REQUIRED (0x0A)"},
		{ErrInvalidChannel.Error(), "ERR_INVALID_CHANNEL (0x0B)"},
		{ErrOther.Error(), "ERR_OTHER (0x7F)"},
		{Error(0x42).Error(), "unknown error (0x42)"},
		{Command(0x41).String(), "CTAPHID vendor command 0x41"},
		{Command(0x2A).String(), "CTAPHID command 0x2A"},
		{Capabilities(0x0F).String(), "WINK CBOR NMSG 0x02"},
		{Capabilities(0).String(), ""},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
