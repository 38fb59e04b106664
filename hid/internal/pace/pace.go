// Package pace keeps a writer of reports from overrunning a reader whose queue in
// the kernel is short and says nothing when it is full. On USB the bus does that: it
// carries one report in a millisecond. Between uhid and hidraw nothing does.
package pace

import (
	"sync"
	"time"
)

const (
	// interval is what a report takes on a full-speed bus.
	interval = time.Millisecond
	// lull is a pause after which a reader counts as having read everything.
	lull = 50 * time.Millisecond
)

// Pacer lets a burst of reports through at once, and more at the pace of USB. Time
// that a busy machine takes from the writer is not made up for: it may have been
// taken from the reader too. A Pacer is safe for concurrent use.
type Pacer struct {
	burst int
	mu    sync.Mutex
	count int // reports since the reader had read everything
	last  time.Time
}

// New returns a Pacer for a burst of some reports, fewer than the queue holds.
func New(burst int) *Pacer { return &Pacer{burst: burst} }

// Wait waits until one more report may be written.
func (p *Pacer) Wait() {
	if p.reserve(time.Now()) {
		time.Sleep(interval)
	}
}

// reserve counts a report and tells whether it has to wait.
func (p *Pacer) reserve(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.last) > lull {
		p.count = 0
	}
	p.last = now
	p.count++
	return p.count > p.burst
}

// Answered tells that the reader has answered: it has read what was written.
func (p *Pacer) Answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count = 0
}
