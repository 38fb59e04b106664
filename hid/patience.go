package hid

import "time"

// looks is how often a host looks at a device within the silence that it allows.
const looks = 4

// patience is how long a host waits for an answer. It reads no clock when a packet
// comes, which where that is a system call would take longer than all else about a
// packet; it looks from time to time whether any has come.
type patience struct {
	next    *time.Timer
	step    time.Duration // from one look to the next
	limit   time.Duration // for the whole answer
	waited  time.Duration
	quiet   int    // looks without news, one after the other
	packets uint32 // at the last look
}

// newPatience begins to wait. A device may be silent for as long as allowed, or up to a
// quarter more, and may take as long as limit in all.
func newPatience(allowed, limit time.Duration) patience {
	step := allowed / looks
	return patience{next: time.NewTimer(step), step: step, limit: limit}
}

// look judges how it stands when next has run out. The error is nil, ErrNoReply or
// ErrEndless.
func (p *patience) look(packets uint32) error {
	p.waited += p.step
	p.quiet++
	if packets != p.packets {
		p.packets, p.quiet = packets, 0
	}
	switch {
	case p.quiet >= looks:
		return ErrNoReply
	case p.waited > p.limit:
		return ErrEndless
	}
	p.next.Reset(p.step)
	return nil
}

func (p *patience) allowed() time.Duration { return looks * p.step }
