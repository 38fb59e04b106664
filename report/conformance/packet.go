package conformance

import (
	"encoding/binary"
	"fmt"
)

// packetName says what a CTAPHID report is (section 11.2.4): its channel, and the
// command with the length of its message, or the number of a continuation.
func packetName(report []byte) string {
	if len(report) < 7 {
		return fmt.Sprintf("%d bytes, too few for a packet", len(report))
	}
	channel := fmt.Sprintf("channel %x", report[:4])
	if report[4]&0x80 == 0 {
		return fmt.Sprintf("%s continuation %d", channel, report[4])
	}
	name, ok := packetCommands[report[4]&0x7F]
	if !ok {
		name = fmt.Sprintf("command %02x", report[4]&0x7F)
	}
	return fmt.Sprintf("%s %s, length %d", channel, name, binary.BigEndian.Uint16(report[5:7]))
}

// packetCommands are the commands of section 11.2.9.
var packetCommands = map[byte]string{
	0x01: "CTAPHID_PING", 0x03: "CTAPHID_MSG", 0x04: "CTAPHID_LOCK", 0x06: "CTAPHID_INIT", 0x08: "CTAPHID_WINK",
	0x10: "CTAPHID_CBOR", 0x11: "CTAPHID_CANCEL", 0x3B: "CTAPHID_KEEPALIVE", 0x3F: "CTAPHID_ERROR",
}
