package hid

import "time"

// looks is how often a host looks at a device within the silence that it allows.
const looks = 4

// patience is how long a host waits for answers, one after the other. It reads no clock
// when a packet comes or a request goes out, which where that is a system call would
// take longer than all else about it; it looks from time to time whether anything came.
type patience struct {
	timer   *time.Timer   // for the next look; it is left running when an answer is there
	running bool          //
	step    time.Duration // from one look to the next
	limit   time.Duration // for the whole answer
	waited  time.Duration
	quiet   int    // looks without news, one after the other
	packets uint32 // at the last look
}

// begin begins to wait for an answer. A device may be silent for as long as allowed, or
// up to a quarter more, and may take as long as limit in all.
func (p *patience) begin(allowed, limit time.Duration) {
	step := allowed / looks
	p.limit, p.waited, p.quiet, p.packets = limit, 0, 0, 0
	switch {
	case p.running && p.step == step:
		p.quiet = -1 // the first look comes too soon to count
	case p.timer == nil:
		p.timer = time.NewTimer(step)
	default:
		p.timer.Reset(step)
	}
	p.step, p.running = step, true
}

// look judges how it stands when the timer has run out. The error is nil, ErrNoReply or
// ErrEndless.
func (p *patience) look(packets uint32) error {
	p.running = false
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
	p.timer.Reset(p.step)
	p.running = true
	return nil
}

func (p *patience) allowed() time.Duration { return looks * p.step }
