package hid

import (
	"context"
	"encoding/binary"
	"time"
)

// handle takes one report from the host. A report that is no packet is ignored.
func (s *server) handle(r Report) {
	p, ok := ParsePacket(r)
	if !ok || len(r) != s.readSize {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, done := s.quirks.packet(s, p)
	switch {
	case done:
	case !p.Initial:
		s.continuation(p)
	case p.Command == Init:
		s.initialise(p)
	case p.Command == Cancel:
		s.cancelled(p.Channel)
	default:
		s.begin(p)
	}
}

// continuation adds to the request that is coming in. A packet of any other channel
// is the rest of a message that was refused: it is ignored (section 11.2.5.4).
func (s *server) continuation(p Packet) {
	if !s.message.Pending() || p.Channel != s.message.Channel {
		return
	}
	complete, err := s.message.Continue(p)
	switch {
	case err != nil:
		s.dropMessage()
		s.fail(p.Channel, ErrInvalidSeq)
	case complete:
		s.complete()
	default:
		s.overdue.Reset(s.packetTimeout())
	}
}

func (s *server) packetTimeout() time.Duration {
	return orElse(s.device.PacketTimeout, DefaultPacketTimeout)
}

// begin starts a transaction (section 11.2.5.1).
func (s *server) begin(p Packet) {
	if code := s.refuses(p); code != 0 {
		s.fail(p.Channel, code)
		return
	}
	if s.message.Begin(p) {
		s.complete()
		return
	}
	s.await()
}

// refuses tells why a transaction cannot begin now, 0 when it can.
func (s *server) refuses(p Packet) Error {
	switch {
	case p.Channel == 0 || p.Channel == Broadcast:
		return ErrInvalidChannel
	case s.message.Pending() && s.message.Channel == p.Channel:
		s.dropMessage()
		return ErrInvalidSeq
	case s.message.Pending() || s.current != nil:
		return ErrChannelBusy
	case !s.channels.touch(p.Channel):
		return ErrInvalidChannel
	case s.lock.owned() != 0 && s.lock.owner != p.Channel:
		return ErrChannelBusy
	case p.Length > Capacity(s.readSize):
		return ErrInvalidLen
	case !s.knows(p.Command):
		return ErrInvalidCmd
	}
	return 0
}

// knows tells whether the device has a command.
func (s *server) knows(c Command) bool {
	switch c {
	case Ping:
		return true
	case Msg:
		return s.device.Message != nil
	case CBOR:
		return s.device.Authenticator != nil
	case Lock:
		return !s.device.NoLock
	case Wink:
		return s.device.Wink != nil
	}
	return c >= VendorFirst && s.device.Vendor != nil
}

// await starts the time within which the next packet must come (section 11.2.5.2).
func (s *server) await() {
	var t *time.Timer
	t = time.AfterFunc(s.packetTimeout(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.overdue == t {
			channel := s.message.Channel
			s.dropMessage()
			s.fail(channel, ErrMsgTimeout)
		}
	})
	s.overdue = t
}

// complete answers a request that is all there.
func (s *server) complete() {
	m := s.message.Message
	s.dropMessage()
	switch m.Command {
	case Ping: // section 11.2.9.1.4
		s.send(m)
	case Lock:
		s.lockRequest(m)
	case Wink: // section 11.2.9.2.1
		if len(m.Payload) != 0 {
			s.fail(m.Channel, ErrInvalidLen)
			return
		}
		s.run(m, func(context.Context) ([]byte, error) { s.device.Wink(); return nil, nil })
	case Msg: // section 11.2.9.1.1
		if len(m.Payload) == 0 {
			s.fail(m.Channel, ErrInvalidLen)
			return
		}
		s.run(m, func(ctx context.Context) ([]byte, error) { return s.device.Message(ctx, m.Payload), nil })
	case CBOR: // section 11.2.9.1.2
		if len(m.Payload) == 0 {
			s.fail(m.Channel, ErrInvalidLen)
			return
		}
		s.run(m, func(ctx context.Context) ([]byte, error) { return s.device.Authenticator.Exchange(ctx, m.Payload) })
	default: // section 11.2.9.3
		s.run(m, func(ctx context.Context) ([]byte, error) { return s.device.Vendor(ctx, m.Command, m.Payload) })
	}
}

// lockRequest is CTAPHID_LOCK (section 11.2.9.2.2).
func (s *server) lockRequest(m Message) {
	switch {
	case len(m.Payload) != 1:
		s.fail(m.Channel, ErrInvalidLen)
		return
	case time.Duration(m.Payload[0])*time.Second > maxLock:
		s.fail(m.Channel, ErrInvalidPar)
		return
	}
	s.lock.hold(m.Channel, time.Duration(m.Payload[0])*time.Second)
	s.send(Message{Channel: m.Channel, Command: Lock})
}

// initialise is CTAPHID_INIT (section 11.2.9.1.3). On the broadcast channel it
// allocates one, also while a transaction runs: that disturbs nobody. On an
// allocated channel it ends what that channel has under way.
func (s *server) initialise(p Packet) {
	if p.Channel != Broadcast && !s.channels.touch(p.Channel) {
		s.fail(p.Channel, ErrInvalidChannel)
		return
	}
	if p.Length != nonceSize {
		s.fail(p.Channel, ErrInvalidLen)
		return
	}
	id := p.Channel
	if id == Broadcast {
		id = s.channels.allocate(s.busyChannel(), s.lock.owned())
	} else if id == s.busyChannel() {
		s.abort()
	}
	reply := make([]byte, 0, initReplySize)
	reply = append(reply, p.Data[:nonceSize]...)
	reply = binary.BigEndian.AppendUint32(reply, id)
	reply = append(reply, protocolVersion)
	reply = append(reply, s.device.Version[:]...)
	reply = append(reply, byte(s.device.capabilities()))
	s.send(Message{Channel: p.Channel, Command: Init, Payload: reply})
}

// busyChannel returns the channel whose transaction is under way, 0 when none is.
func (s *server) busyChannel() uint32 {
	switch {
	case s.message.Pending():
		return s.message.Channel
	case s.current != nil:
		return s.current.request.Channel
	}
	return 0
}

// cancelled is CTAPHID_CANCEL (section 11.2.9.1.5): it is never answered itself, and
// counts only for a CTAPHID_CBOR of its channel that is being answered.
func (s *server) cancelled(channel uint32) {
	if t := s.current; t != nil && t.request.Channel == channel && t.request.Command == CBOR {
		t.cancel()
		if !t.started {
			s.waiting = nil
			t.finish(nil, context.Canceled)
		}
	}
}
