package conformance

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/trace"
)

// exchangeView is an exchange, decoded.
type exchangeView struct {
	*conformance.Exchange
	Number   int
	Proto    string
	What     string // such as authenticatorClientPIN setPIN
	Status   string // such as CTAP2_OK
	Good     bool
	Asked    []trace.Field
	Came     []trace.Field
	States   string // keepalives
	At       time.Duration
	Failures []conformance.Failure // that are about this exchange
}

var protos = map[conformance.Medium]string{
	conformance.OverCBOR: "CTAP2", conformance.OverU2F: "U2F", conformance.OverReport: "packet", conformance.OverBench: "bench",
}

func newExchangeView(r *conformance.Result, i int) exchangeView {
	x := &r.Exchanges[i]
	v := exchangeView{Exchange: x, Number: i + 1, Proto: protos[x.Medium], What: x.Note, At: x.At, States: strings.Join(x.Keepalives, ", ")}
	switch x.Medium {
	case conformance.OverCBOR:
		d := trace.Decode(x.Request, x.Response)
		v.What, v.Status, v.Asked, v.Came = d.Command, d.Status, d.Request, d.Response
		v.Good = d.Status == "CTAP2_OK"
	case conformance.OverU2F:
		v.What, v.Status = u2fCommand(x.Request), statusWord(x.Response)
		v.Good = v.Status == "9000"
	}
	if x.Medium == conformance.OverReport {
		v.What = "→ " + packetName(x.Request)
		if x.Request == nil {
			v.What = "← " + packetName(x.Response)
		}
	}
	for _, f := range r.Failures {
		if f.Exchange == v.Number {
			v.Failures = append(v.Failures, f)
		}
	}
	return v
}

// u2fCommand names the instruction of an APDU (U2F Raw Message Formats 1.2,
// section 3.1).
func u2fCommand(apdu []byte) string {
	if len(apdu) < 2 {
		return "APDU"
	}
	switch apdu[1] {
	case 1:
		return "U2F_REGISTER"
	case 2:
		return "U2F_AUTHENTICATE"
	case 3:
		return "U2F_VERSION"
	}
	return fmt.Sprintf("APDU INS %02x", apdu[1])
}

// statusWord is what an answer over U2F ends with.
func statusWord(answer []byte) string {
	if len(answer) < 2 {
		return ""
	}
	return fmt.Sprintf("%04x", binary.BigEndian.Uint16(answer[len(answer)-2:]))
}

// hex writes bytes in groups of eight, which can be broken into lines.
func hex(b conformance.Hex) string {
	var out strings.Builder
	for i := 0; i < len(b); i += 8 {
		if i > 0 {
			out.WriteByte(' ')
		}
		fmt.Fprintf(&out, "%x", []byte(b[i:min(i+8, len(b))]))
	}
	return out.String()
}
