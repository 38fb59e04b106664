package hid

import (
	"context"
	"encoding/binary"
	"time"

	"fido-emu/ctap"
)

// initQuirks are about CTAPHID_INIT (section 11.2.9.1.3). What it answers is nonce(8) ‖
// channel(4) ‖ protocol version ‖ device version(3) ‖ capabilities.
func initQuirks() []quirk {
	const (
		version      = nonceSize + 4
		capabilities = initReplySize - 1
		misled       = "hosts choose what the device cannot do, or do not choose what it can"
	)
	answer := func(change func(*server, *Message)) quirk { return changeAnswer(Init, change) }
	flags := func(clear, set Capabilities) quirk {
		return answer(func(_ *server, m *Message) {
			m.Payload[capabilities] = m.Payload[capabilities]&^byte(clear) | byte(set)
		})
	}
	withoutWink := flags(0, CapWink)
	withoutWink.device = func(d *Device) { d.Wink = nil }
	return []quirk{
		breach("hid-nonce-changed", "11.2.9.1.3", "changes the nonce in every other answer to CTAPHID_INIT",
			"two programs that start at once take one channel", "", everyOtherNonce()),
		breach("hid-init-answer-short", "11.2.9.1.3", "leaves the capabilities out of its answer on a channel that is allocated",
			misled, "", answer(func(_ *server, m *Message) {
				if m.Channel != Broadcast {
					m.Payload = m.Payload[:capabilities]
				}
			})),
		breach("hid-protocol-version", "11.2.9.1.3", "states version 1 of CTAPHID",
			misled, "", answer(func(_ *server, m *Message) { m.Payload[version] = 1 })),
		breach("hid-one-channel-for-all", "11.2.9.1.3", "gives all hosts the same channel",
			"programs read each other's answers", "", oneChannel()),
		breach("hid-resync-changes-channel", "11.2.9.1.3", "gives another channel to CTAPHID_INIT on a channel that is allocated",
			"a program that starts anew loses its channel", "", answer(func(s *server, m *Message) {
				if m.Channel != Broadcast {
					binary.BigEndian.PutUint32(m.Payload[nonceSize:], s.channels.allocate(m.Channel))
				}
			})),
		breach("hid-init-length-unchecked", "11.2.9.1.3", "takes a nonce that is not of eight bytes",
			"messages of later editions are misread", "", changePacket(
				func(_ *server, p Packet) bool { return p.Initial && p.Command == Init },
				func(_ *server, p *Packet) { p.Length = nonceSize })),
		breach("hid-init-on-unknown-channel", "11.2.9.1.3", "takes CTAPHID_INIT on channels that it never allocated",
			"programs choose their own channels", "", changePacket(
				func(s *server, p Packet) bool { return strange(s, p) && p.Command == Init },
				func(s *server, p *Packet) { s.channels.ids = append(s.channels.ids, p.Channel) })),
		breach("hid-capability-wink-missing", "11.2.9.1.3", "does not say that it can wink", misled, "WINK", flags(CapWink, 0)),
		breach("hid-capability-wink-unearned", "11.2.9.1.3", "says that it can wink, and cannot", misled, "", withoutWink),
		breach("hid-capability-cbor-missing", "11.2.9.1.3", "does not say that it speaks CTAP2", misled, "CBOR", flags(CapCBOR, 0)),
		breach("hid-capability-nmsg-unearned", "11.2.9.1.3", "says that it does not speak U2F, and does", misled, "MSG", flags(0, CapNMsg)),
		breach("hid-capability-reserved", "11.2.9.1.3", "sets capability flags that are reserved", misled, "", flags(0, 0xF0)),
	}
}

// everyOtherNonce changes every second nonce, so that the device can be opened at all.
func everyOtherNonce() quirk {
	n := 0
	return changeAnswer(Init, func(_ *server, m *Message) {
		if n++; n%2 == 0 {
			m.Payload[0] ^= 1
		}
	})
}

func oneChannel() quirk {
	first := uint32(0)
	return changeAnswer(Init, func(_ *server, m *Message) {
		if m.Channel != Broadcast {
			return
		}
		if first == 0 {
			first = binary.BigEndian.Uint32(m.Payload[nonceSize:])
		}
		binary.BigEndian.PutUint32(m.Payload[nonceSize:], first)
	})
}

// commandQuirks are about the other commands (section 11.2.9).
func commandQuirks() []quirk {
	keepalive := func(m Message) bool { return m.Command == Keepalive }
	return []quirk{
		breach("hid-unknown-command-status", "11.2.9.1.6", "answers ERR_OTHER to commands that it has not",
			"hosts cannot tell what is missing from what failed", "", changeCode(ErrInvalidCmd, ErrOther)),
		breach("hid-unknown-command-echoed", "11.2.9", "echoes commands that it has not",
			"hosts believe that something was done", "", onPacket(
				func(s *server, p Packet) bool {
					return p.Initial && s.current == nil && !s.message.Pending() && p.Command != Init && p.Command != Cancel && !s.knows(p.Command)
				},
				func(s *server, p Packet) { s.send(Message{Channel: p.Channel, Command: p.Command}) })),
		breach("hid-error-long", "11.2.9.1.6", "sends two bytes with CTAPHID_ERROR",
			"hosts refuse the answer", "", changeAnswer(ErrorReply, func(_ *server, m *Message) { m.Payload = append(m.Payload, 0) })),
		breach("hid-channel-status", "11.2.9.1.6", "answers ERR_INVALID_CMD on channels that it never allocated",
			"hosts do not ask for a channel again", "", changeCode(ErrInvalidChannel, ErrInvalidCmd)),
		breach("hid-length-status", "11.2.9.1.6", "answers ERR_OTHER to messages of a wrong length",
			"hosts cannot tell their own mistake from a failure of the device", "", changeCode(ErrInvalidLen, ErrOther)),
		breach("hid-cbor-empty-accepted", "11.2.9.1.2", "takes CTAPHID_CBOR without a command",
			"the authenticator reads what was in the buffer before", "CBOR", onPacket(
				func(s *server, p Packet) bool {
					return p.Initial && p.Command == CBOR && p.Length == 0 && s.current == nil && !strange(s, p)
				},
				func(s *server, p Packet) {
					s.send(Message{Channel: p.Channel, Command: CBOR, Payload: []byte{byte(ctap.ErrInvalidLength)}})
				})),
		breach("hid-ping-cut", "11.2.9.1.4", "answers CTAPHID_PING with the first packet alone",
			"hosts cannot tell whether the connection holds", "", changeAnswer(Ping, func(s *server, m *Message) {
				m.Payload = m.Payload[:min(len(m.Payload), s.writeSize-initHeader)]
			})),
		breach("hid-ping-changed", "11.2.9.1.4", "changes the last byte of CTAPHID_PING",
			"hosts cannot tell whether the connection holds", "", changeAnswer(Ping, func(_ *server, m *Message) {
				if n := len(m.Payload); n > 0 {
					m.Payload[n-1] ^= 1
				}
			})),
		breach("hid-keepalive-missing", "11.2.9.1.7", "sends no keepalives",
			"hosts give up while the user reaches for the key", "CBOR", silence(keepalive)),
		breach("hid-keepalive-slow", "11.2.9.1.7", "sends a keepalive every two seconds",
			"hosts give up while the user reaches for the key", "CBOR", quirk{device: func(d *Device) { d.KeepaliveInterval = 2 * time.Second }}),
		breach("hid-keepalive-no-touch", "11.2.9.1.7", "says STATUS_PROCESSING while it waits for the user",
			"nobody tells the user to touch it", "CBOR", changeAnswer(Keepalive, func(_ *server, m *Message) { m.Payload[0] = byte(ctap.Processing) })),
		breach("hid-keepalive-status-unknown", "11.2.9.1.7", "sends keepalives with a status that there is not",
			"nobody tells the user to touch it", "CBOR", changeAnswer(Keepalive, func(_ *server, m *Message) { m.Payload[0] = 9 })),
	}
}

// cancelQuirks are about CTAPHID_CANCEL (section 11.2.9.1.5).
func cancelQuirks() []quirk {
	cancels := func(_ *server, p Packet) bool { return p.Initial && p.Command == Cancel }
	return []quirk{
		breach("hid-cancel-ignored", "11.2.9.1.5", "does not end a request that is cancelled",
			"a key that the user did not choose goes on blinking", "CBOR", onPacket(cancels, func(*server, Packet) {})),
		breach("hid-cancel-answered", "11.2.9.1.5", "answers CTAPHID_CANCEL itself",
			"hosts take it for the answer to the request", "CBOR", quirk{packet: func(s *server, p Packet) (Packet, bool) {
				if cancels(s, p) {
					s.send(Message{Channel: p.Channel, Command: Cancel})
				}
				return p, false
			}}),
		breach("hid-cancel-of-another-channel", "11.2.9.1.5", "ends a request when another channel cancels",
			"one program ends what another one began", "CBOR", changePacket(cancels, func(s *server, p *Packet) {
				if s.current != nil {
					p.Channel = s.current.request.Channel
				}
			})),
		breach("hid-cancel-remembered", "11.2.9.1.5", "ends the next request when there was none to cancel",
			"a request fails that nobody cancelled", "CBOR", rememberCancel()),
	}
}

// cancelled answers a request as one that was cancelled, once, when it is told to.
type cancelled struct {
	ctap.Authenticator
	once chan struct{}
}

func (c cancelled) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	select {
	case <-c.once:
		return []byte{byte(ctap.ErrKeepaliveCancel)}, nil
	default:
		return c.Authenticator.Exchange(ctx, request)
	}
}

func rememberCancel() quirk {
	once := make(chan struct{}, 1)
	return quirk{
		device: func(d *Device) {
			if d.Authenticator != nil {
				d.Authenticator = cancelled{d.Authenticator, once}
			}
		},
		packet: func(s *server, p Packet) (Packet, bool) {
			if p.Initial && p.Command == Cancel && s.current == nil {
				signal(once)
			}
			return p, false
		},
	}
}
