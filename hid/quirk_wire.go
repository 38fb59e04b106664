package hid

import (
	"slices"
	"time"
)

// channelQuirks are about channels and packets (sections 11.2.3 and 11.2.4).
func channelQuirks() []quirk {
	return []quirk{
		breach("hid-unknown-channel-accepted", "11.2.3", "takes messages on channels that it never allocated",
			"programs guess their way into each other's channels", "", changePacket(
				func(s *server, p Packet) bool { return strange(s, p) && p.Command != Init },
				func(s *server, p *Packet) { s.channels.ids = append(s.channels.ids, p.Channel) })),
		breach("hid-channel-zero-accepted", "11.2.3", "takes messages on channel 0",
			"a host that has no channel reads another one's answers", "", onPacket(begins(0), (*server).takeAnyway)),
		breach("hid-broadcast-accepted", "11.2.3", "takes other messages than CTAPHID_INIT on the broadcast channel",
			"every program on the host reads the answer", "", onPacket(begins(Broadcast), (*server).takeAnyway)),
		breach("hid-length-unchecked", "11.2.4", "takes a message of more than 7609 bytes",
			"a buffer overflows", "", onPacket(
				func(s *server, p Packet) bool { return idle(s, p) && p.Length > Capacity(s.readSize) }, (*server).takeAnyway)),
		breach("hid-answer-on-another-channel", "11.2.4", "answers CTAPHID_PING on another channel than it came from",
			"one program reads another one's answers", "", changeAnswer(Ping, func(_ *server, m *Message) { m.Channel++ })),
		breach("hid-answer-sequence", "11.2.4", "numbers the continuation packets of a CTAPHID_PING answer from 1",
			"hosts refuse every long answer", "", quirk{report: func(m Message, reports []Report) {
				for _, r := range reports[1:] {
					if m.Command == Ping {
						r[4]++
					}
				}
			}}),
		breach("hid-answer-length", "11.2.4", "states one byte more than a CTAPHID_PING answer has",
			"hosts read what was in the buffer before", "", quirk{report: func(m Message, reports []Report) {
				if m.Command == Ping {
					reports[0][6]++
				}
			}}),
	}
}

// strange tells whether a packet begins a message on a channel that was never allocated.
func strange(s *server, p Packet) bool {
	return p.Initial && p.Channel != 0 && p.Channel != Broadcast && !slices.Contains(s.channels.ids, p.Channel)
}

// begins tells whether a packet begins a message other than CTAPHID_INIT on a channel
// while nothing is under way.
func begins(channel uint32) func(*server, Packet) bool {
	return func(s *server, p Packet) bool { return p.Channel == channel && idle(s, p) }
}

func idle(s *server, p Packet) bool {
	return p.Initial && p.Command != Init && p.Command != Cancel && s.busyChannel() == 0 && !s.message.Pending() && s.current == nil && s.knows(p.Command)
}

// takeAnyway begins a transaction without asking whether it may.
func (s *server) takeAnyway(p Packet) {
	if s.message.Begin(p) {
		s.complete()
		return
	}
	s.await()
}

// transactionQuirks are about transactions (section 11.2.5).
func transactionQuirks() []quirk {
	busy := func(s *server, p Packet) bool {
		return s.busyChannel() != 0 && p.Initial && p.Channel != s.busyChannel() && p.Command != Init && p.Command != Cancel
	}
	return []quirk{
		breach("hid-busy-not-told", "11.2.5.1", "does not answer other channels while it is busy",
			"programs hang that would try again", "CBOR", silence(says(ErrChannelBusy))),
		breach("hid-busy-status", "11.2.5.1", "answers ERR_OTHER to other channels while it is busy",
			"programs give up that would try again", "CBOR", changeCode(ErrChannelBusy, ErrOther)),
		breach("hid-two-at-once", "11.2.5.1", "answers CTAPHID_PING of another channel while it is busy",
			"two programs' messages mix", "CBOR", onPacket(
				func(s *server, p Packet) bool { return busy(s, p) && p.Command == Ping && p.Length <= len(p.Data) },
				func(s *server, p Packet) {
					s.send(Message{Channel: p.Channel, Command: Ping, Payload: slices.Clone(p.Data[:p.Length])})
				})),
		breach("hid-timeout-never", "11.2.5.2", "waits for the rest of a message for ever",
			"one program that crashes locks all others out", "", quirk{device: func(d *Device) { d.PacketTimeout = 1000 * time.Hour }}),
		breach("hid-timeout-not-told", "11.2.5.2", "does not say that the rest of a message came too late",
			"programs hang", "", silence(says(ErrMsgTimeout))),
		breach("hid-timeout-status", "11.2.5.2", "answers ERR_OTHER when the rest of a message comes too late",
			"programs do not send it again", "", changeCode(ErrMsgTimeout, ErrOther)),
		breach("hid-init-does-not-abort", "11.2.5.3", "goes on with what its channel has under way after CTAPHID_INIT",
			"a program that starts anew gets old answers", "CBOR", onPacket(
				func(s *server, p Packet) bool {
					return p.Initial && p.Command == Init && p.Channel == s.busyChannel() && p.Channel != 0
				},
				func(s *server, p Packet) {
					message, current := s.message, s.current
					s.message, s.current = Assembler{}, nil
					s.initialise(p)
					s.message, s.current = message, current
				})),
		breach("hid-sequence-ignored", "11.2.5.4", "takes continuation packets in any order",
			"messages are put together wrongly", "", changePacket(
				func(s *server, p Packet) bool { return !p.Initial && s.message.Pending() },
				func(s *server, p *Packet) { p.Seq = s.message.seq })),
		breach("hid-sequence-status", "11.2.5.4", "answers ERR_OTHER to packets out of order",
			"programs do not send the message again", "", changeCode(ErrInvalidSeq, ErrOther)),
		breach("hid-stray-continuation-answered", "11.2.5.4", "answers continuation packets that belong to nothing",
			"programs take the error for the answer to something else", "", onPacket(
				func(s *server, p Packet) bool { return !p.Initial && !s.message.Pending() },
				func(s *server, p Packet) { s.fail(p.Channel, ErrInvalidSeq) })),
		breach("hid-message-within-message", "11.2.5.4", "begins a new message within one, without a word",
			"messages are put together wrongly", "", changePacket(
				func(s *server, p Packet) bool {
					return p.Initial && p.Command != Init && p.Command != Cancel && s.message.Pending() && s.message.Channel == p.Channel
				},
				func(s *server, _ *Packet) { s.dropMessage() })),
	}
}

// lockQuirks are about CTAPHID_LOCK and CTAPHID_WINK (sections 11.2.6 and 11.2.9.2).
func lockQuirks() []quirk {
	return []quirk{
		breach("hid-lock-ignored", "11.2.6", "answers CTAPHID_LOCK and does not lock",
			"another program comes between two commands", "", changeAnswer(Lock, func(s *server, _ *Message) { s.lock = lock{} })),
		breach("hid-lock-for-ever", "11.2.6", "keeps its lock for longer than was asked for",
			"one program locks all others out", "", changeAnswer(Lock, func(s *server, _ *Message) {
				if s.lock.owner != 0 {
					s.lock.until = s.lock.until.Add(time.Hour)
				}
			})),
		breach("hid-lock-time-unchecked", "11.2.9.2.2", "takes a lock for more than ten seconds",
			"one program locks all others out", "", changePacket(
				func(_ *server, p Packet) bool {
					return p.Initial && p.Command == Lock && p.Length == 1 && time.Duration(p.Data[0])*time.Second > maxLock
				},
				func(_ *server, p *Packet) { p.Data = []byte{byte(maxLock / time.Second)} })),
		breach("hid-wink-answer", "11.2.9.2.1", "answers CTAPHID_WINK with a byte",
			"hosts refuse the answer", "WINK", changeAnswer(Wink, func(_ *server, m *Message) { m.Payload = []byte{0} })),
		breach("hid-wink-payload-accepted", "11.2.9.2.1", "takes CTAPHID_WINK with a payload",
			"messages of later editions are misread", "WINK", changePacket(
				func(_ *server, p Packet) bool { return p.Initial && p.Command == Wink && p.Length <= len(p.Data) },
				func(_ *server, p *Packet) { p.Length = 0 })),
	}
}
