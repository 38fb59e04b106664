package hid

import (
	"context"
	"fmt"
	"sync"
)

// pipeDepth is how many reports may wait in one direction of a pipe before a writer
// has to: more than a message has.
const pipeDepth = 256

// Pipe returns the two ends of a connection in memory with reports of 64 bytes. A
// writer waits while 256 reports are unread. Closing either end unplugs the device:
// both ends then return ErrUnplugged.
func Pipe() (device, host Conn) { return PipeSize(ReportSize, ReportSize) }

// PipeSize is [Pipe] with reports of other sizes in bytes: output from host to
// device, input from device to host.
func PipeSize(output, input int) (device, host Conn) {
	cord := &cord{cut: make(chan struct{})}
	down, up := newQueue(cord, output), newQueue(cord, input)
	return &pipeEnd{in: down, out: up, cord: cord}, &pipeEnd{in: up, out: down, cord: cord}
}

// cord is what both ends of a pipe hang on.
type cord struct {
	once sync.Once
	cut  chan struct{}
}

// queue is one direction of a pipe.
type queue struct {
	cord    *cord
	size    int           // of a report
	filled  chan struct{} // holds a token when reports came
	drained chan struct{} // holds a token when there is room again

	mu      sync.Mutex
	reports []Report
	first   int          // index of the oldest
	taker   func(Report) // takes reports at once; nil while they are queued
	helps   bool         // whoever writes at the moment does work that is left to them
	left    func()       // that work
}

func newQueue(c *cord, size int) *queue {
	return &queue{cord: c, size: size, filled: make(chan struct{}, 1), drained: make(chan struct{}, 1)}
}

// signal leaves a token, unless there is one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// push adds reports, all at once, and tells whether there was room. work is what the
// reader has left to a writer who helps.
func (q *queue) push(reports []Report, helps bool) (work func(), ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taker != nil {
		return q.give(reports, helps), true
	}
	if len(q.reports)-q.first >= pipeDepth {
		return nil, false
	}
	q.reports = append(q.reports, reports...)
	signal(q.filled)
	return nil, true
}

// give has the taker take reports.
func (q *queue) give(reports []Report, helps bool) (work func()) {
	q.helps, q.left = helps, nil
	for _, r := range reports {
		q.taker(r)
	}
	work = q.left
	q.helps, q.left = false, nil
	return work
}

// pop takes the oldest report, nil when there is none.
func (q *queue) pop() Report {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first == len(q.reports) {
		return nil
	}
	r := q.reports[q.first]
	q.reports[q.first] = nil
	q.first++
	if q.first == len(q.reports) {
		q.reports, q.first = q.reports[:0], 0
	}
	signal(q.drained)
	return r
}

// deliverTo has reports taken by the goroutine that writes them, instead of being queued:
// handing each to another goroutine costs more than all the rest.
func (q *queue) deliverTo(take func(Report)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.reports[q.first:] {
		take(r)
	}
	q.reports, q.first, q.taker = nil, 0, take
	signal(q.drained)
}

// pipeEnd is one end of a pipe.
type pipeEnd struct {
	in, out *queue
	cord    *cord
}

func (p *pipeEnd) ReadReport(ctx context.Context) (Report, error) {
	for {
		select {
		case <-p.cord.cut:
			return nil, ErrUnplugged
		default:
		}
		if r := p.in.pop(); r != nil {
			return r, nil
		}
		select {
		case <-p.in.filled:
		case <-p.cord.cut:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (p *pipeEnd) WriteReport(r Report) error { return p.writeReports([]Report{r}) }

// writeReports writes the reports of a message, for which the reader wakes only once.
func (p *pipeEnd) writeReports(reports []Report) error {
	_, err := p.push(reports, false)
	return err
}

func (p *pipeEnd) writeHelping(reports []Report) (work func(), err error) {
	return p.push(reports, true)
}

// leave is called by the taker, while the writer holds the lock of its queue.
func (p *pipeEnd) leave(work func()) bool {
	if !p.in.helps {
		return false
	}
	p.in.left = work
	return true
}

func (p *pipeEnd) push(reports []Report, helps bool) (work func(), err error) {
	for _, r := range reports {
		if len(r) != p.out.size {
			return nil, fmt.Errorf("report of %d bytes, want %d", len(r), p.out.size)
		}
	}
	for {
		select {
		case <-p.cord.cut:
			return nil, ErrUnplugged
		default:
		}
		if work, ok := p.out.push(reports, helps); ok {
			return work, nil
		}
		select {
		case <-p.out.drained:
		case <-p.cord.cut:
		}
	}
}

// DeliverTo has take called with every report by whoever writes it.
func (p *pipeEnd) DeliverTo(ctx context.Context, take func(Report)) error {
	p.in.deliverTo(take)
	select {
	case <-p.cord.cut:
		return ErrUnplugged
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pipeEnd) Sizes() (read, write int) { return p.in.size, p.out.size }

func (p *pipeEnd) Close() error {
	p.cord.once.Do(func() { close(p.cord.cut) })
	return nil
}
