package hid

import (
	"encoding/binary"
	"fmt"
)

// Sizes in bytes of what precedes the data in the two kinds of packet (section
// 11.2.4).
const (
	initHeader = 7 // CID, CMD, BCNT
	contHeader = 5 // CID, SEQ
	maxPackets = 128
)

// initBit marks an initialisation packet, in the byte that a continuation packet
// has its sequence number in.
const initBit = 0x80

// Packet is a report taken apart (section 11.2.4).
type Packet struct {
	Channel uint32
	Initial bool    // an initialisation packet; otherwise a continuation
	Command Command // of an initialisation packet
	Length  int     // BCNT of an initialisation packet: bytes of the whole message
	Seq     byte    // of a continuation packet
	Data    []byte  // what the report holds of the message, padding included
}

// ParsePacket takes a report apart. ok is false when it is too short to be a
// packet. Data is part of r.
func ParsePacket(r Report) (p Packet, ok bool) {
	if len(r) < initHeader {
		return p, false
	}
	p.Channel = binary.BigEndian.Uint32(r)
	if r[4]&initBit == 0 {
		p.Seq, p.Data = r[4], r[contHeader:]
		return p, true
	}
	p.Initial, p.Command = true, Command(r[4]&^initBit)
	p.Length, p.Data = int(binary.BigEndian.Uint16(r[5:])), r[initHeader:]
	return p, true
}

// Message is a whole CTAPHID message, a request or an answer.
type Message struct {
	Channel uint32
	Command Command
	Payload []byte
}

// Capacity returns the most bytes that a message can have with reports of size
// bytes: 7609 with 64.
func Capacity(size int) int {
	return min(size-initHeader+maxPackets*(size-contHeader), 0xFFFF)
}

// Reports cuts the message into reports of size bytes. The error says that it is
// longer than [Capacity].
func (m Message) Reports(size int) ([]Report, error) {
	if len(m.Payload) > Capacity(size) {
		return nil, fmt.Errorf("message of %d bytes does not fit into reports of %d bytes: at most %d",
			len(m.Payload), size, Capacity(size))
	}
	count := 1 + max(0, len(m.Payload)-(size-initHeader)+size-contHeader-1)/(size-contHeader)
	buf, reports := make([]byte, count*size), make([]Report, count)
	rest := m.Payload
	for i := range reports {
		r := buf[i*size : (i+1)*size : (i+1)*size]
		binary.BigEndian.PutUint32(r, m.Channel)
		if i == 0 {
			r[4] = byte(m.Command) | initBit
			binary.BigEndian.PutUint16(r[5:], uint16(len(m.Payload)))
			rest = rest[copy(r[initHeader:], rest):]
		} else {
			r[4] = byte(i - 1)
			rest = rest[copy(r[contHeader:], rest):]
		}
		reports[i] = r
	}
	return reports, nil
}

// An Assembler puts the packets of one message together again. The zero Assembler
// holds no message.
type Assembler struct {
	Message
	want int
	seq  byte
	busy bool
}

// Begin starts a message with its initialisation packet and tells whether that was
// all of it. What was there of another message is dropped.
func (a *Assembler) Begin(p Packet) (complete bool) {
	a.Message = Message{Channel: p.Channel, Command: p.Command, Payload: make([]byte, 0, p.Length)}
	a.want, a.seq, a.busy = p.Length, 0, true
	return a.take(p.Data)
}

// Continue adds a continuation packet and tells whether the message is complete.
// The error is ErrInvalidSeq for a packet out of order, after which nothing is left.
func (a *Assembler) Continue(p Packet) (complete bool, err error) {
	if p.Seq != a.seq {
		a.Drop()
		return false, ErrInvalidSeq
	}
	a.seq++
	return a.take(p.Data), nil
}

// Pending tells whether the rest of a message is awaited.
func (a *Assembler) Pending() bool { return a.busy }

// Drop forgets what is there of a message.
func (a *Assembler) Drop() { *a = Assembler{} }

func (a *Assembler) take(data []byte) bool {
	a.Payload = append(a.Payload, data[:min(len(data), a.want-len(a.Payload))]...)
	a.busy = len(a.Payload) < a.want
	return !a.busy
}
