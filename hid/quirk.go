package hid

import (
	"fmt"
	"slices"
)

// A Quirk is one way in which a device breaks the rules of CTAPHID, by name: a Device with
// the name among its Quirks has it.
type Quirk struct {
	Name    string // begins with hid-, such as hid-ping-cut
	Section string // of CTAP 2.3, such as 11.2.9.1.4
	Breaks  string // what the device does, against the rule
	Danger  string // what comes of it
	Needs   string // WINK, CBOR or MSG, where the device must have that for it to show
}

// Quirks returns the catalogue of what a device can do wrong, in the order of the
// specification's sections.
func Quirks() []Quirk {
	all := catalogue()
	public := make([]Quirk, len(all))
	for i, q := range all {
		public[i] = q.Quirk
	}
	return public
}

func catalogue() []quirk {
	return slices.Concat(channelQuirks(), transactionQuirks(), initQuirks(), commandQuirks(), cancelQuirks(), lockQuirks())
}

// quirk is a Quirk with what it does. All of it runs under the server's mutex.
type quirk struct {
	Quirk
	device func(*Device)                               // changes the device before it serves
	packet func(*server, Packet) (p Packet, done bool) // changes a packet from the host, or deals with it
	answer func(*server, Message) []Message            // what is sent in the place of a message
	report func(Message, []Report)                     // changes the reports of a message
}

func breach(name, section, breaks, danger, needs string, q quirk) quirk {
	q.Quirk = Quirk{Name: name, Section: section, Breaks: breaks, Danger: danger, Needs: needs}
	return q
}

// quirks are those that one device has.
type quirks []quirk

// adoptQuirks finds the quirks of a device and lets them change it.
func adoptQuirks(d *Device) (quirks, error) {
	var has quirks
	for _, name := range d.Quirks {
		all := catalogue()
		i := slices.IndexFunc(all, func(q quirk) bool { return q.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("quirks: %q is not known to CTAPHID", name)
		}
		has = append(has, all[i])
		if all[i].device != nil {
			all[i].device(d)
		}
	}
	return has, nil
}

// packet passes a packet from the host through the quirks. done means that there is
// nothing left to do.
func (q quirks) packet(s *server, p Packet) (_ Packet, done bool) {
	for i := range q {
		if q[i].packet != nil && !done {
			p, done = q[i].packet(s, p)
		}
	}
	return p, done
}

// answers returns what is sent for a message.
func (q quirks) answers(s *server, m Message) []Message {
	all := []Message{m}
	for i := range q {
		if q[i].answer == nil {
			continue
		}
		var changed []Message
		for _, m := range all {
			changed = append(changed, q[i].answer(s, m)...)
		}
		all = changed
	}
	return all
}

// spoil changes the reports of a message.
func (q quirks) spoil(m Message, reports []Report) {
	for i := range q {
		if q[i].report != nil {
			q[i].report(m, reports)
		}
	}
}

// onPacket deals with the packets that a condition holds for.
func onPacket(holds func(*server, Packet) bool, deal func(*server, Packet)) quirk {
	return quirk{packet: func(s *server, p Packet) (Packet, bool) {
		if !holds(s, p) {
			return p, false
		}
		deal(s, p)
		return p, true
	}}
}

// changePacket changes those packets and lets the server take them.
func changePacket(holds func(*server, Packet) bool, change func(*server, *Packet)) quirk {
	return quirk{packet: func(s *server, p Packet) (Packet, bool) {
		if holds(s, p) {
			change(s, &p)
		}
		return p, false
	}}
}

// changeAnswer changes copies of the answers with a command.
func changeAnswer(c Command, change func(*server, *Message)) quirk {
	return quirk{answer: func(s *server, m Message) []Message {
		if m.Command == c {
			m.Payload = slices.Clone(m.Payload)
			change(s, &m)
		}
		return []Message{m}
	}}
}

// changeCode answers with another error.
func changeCode(from, to Error) quirk {
	return changeAnswer(ErrorReply, func(_ *server, m *Message) {
		if m.Payload[0] == byte(from) {
			m.Payload[0] = byte(to)
		}
	})
}

// silence leaves out what a condition holds for.
func silence(holds func(Message) bool) quirk {
	return quirk{answer: func(_ *server, m Message) []Message {
		if holds(m) {
			return nil
		}
		return []Message{m}
	}}
}

// says tells whether a message is an error.
func says(code Error) func(Message) bool {
	return func(m Message) bool { return m.Command == ErrorReply && m.Payload[0] == byte(code) }
}
