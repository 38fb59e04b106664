package hid

import (
	"fmt"
	"strings"
)

// Command is a CTAPHID command (section 11.2.9) without the bit that marks an
// initialisation packet.
type Command byte

// The commands of section 11.2.9, and the range left to vendors (11.2.9.3).
const (
	Ping        Command = 0x01
	Msg         Command = 0x03 // a U2F message
	Lock        Command = 0x04
	Init        Command = 0x06
	Wink        Command = 0x08
	CBOR        Command = 0x10 // a CTAP2 message
	Cancel      Command = 0x11
	Keepalive   Command = 0x3B
	ErrorReply  Command = 0x3F
	VendorFirst Command = 0x40
	VendorLast  Command = 0x7F
)

// String returns the specification's name, such as CTAPHID_INIT.
func (c Command) String() string {
	switch c {
	case Ping:
		return "CTAPHID_PING"
	case Msg:
		return "CTAPHID_MSG"
	case Lock:
		return "CTAPHID_LOCK"
	case Init:
		return "CTAPHID_INIT"
	case Wink:
		return "CTAPHID_WINK"
	case CBOR:
		return "CTAPHID_CBOR"
	case Cancel:
		return "CTAPHID_CANCEL"
	case Keepalive:
		return "CTAPHID_KEEPALIVE"
	case ErrorReply:
		return "CTAPHID_ERROR"
	}
	if c >= VendorFirst {
		return fmt.Sprintf("CTAPHID vendor command 0x%02X", byte(c))
	}
	return fmt.Sprintf("CTAPHID command 0x%02X", byte(c))
}

// Capabilities are the capability flags in the answer to CTAPHID_INIT (section
// 11.2.9.1.3).
type Capabilities byte

// The capability flags.
const (
	CapWink Capabilities = 0x01 // CTAPHID_WINK is there
	CapCBOR Capabilities = 0x04 // CTAPHID_CBOR is there: it speaks CTAP2
	CapNMsg Capabilities = 0x08 // CTAPHID_MSG is not there: it does not speak U2F
)

// Has tells whether all of the flags are set.
func (c Capabilities) Has(flags Capabilities) bool { return c&flags == flags }

// String lists the flags that are set, such as "WINK CBOR".
func (c Capabilities) String() string {
	var names []string
	for _, f := range []struct {
		flag Capabilities
		name string
	}{{CapWink, "WINK"}, {CapCBOR, "CBOR"}, {CapNMsg, "NMSG"}} {
		if c.Has(f.flag) {
			names = append(names, f.name)
			c &^= f.flag
		}
	}
	if c != 0 {
		names = append(names, fmt.Sprintf("0x%02X", byte(c)))
	}
	return strings.Join(names, " ")
}

// Broadcast is the channel on which a host asks for a channel of its own (section
// 11.2.3). Channel 0 is reserved.
const Broadcast uint32 = 0xFFFFFFFF

// protocolVersion is the CTAPHID protocol version (section 11.2.7).
const protocolVersion = 2

// Lengths in bytes within CTAPHID_INIT.
const (
	nonceSize     = 8
	initReplySize = 17
)
