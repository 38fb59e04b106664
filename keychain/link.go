package keychain

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Link is the way from a device to a cloud, with faults that are set and
// released by hand. Nothing about it is random: the same calls in the same order
// end the same. It is safe for concurrent use.
//
// An operation that gets no answer fails on the device, with [Partitioned],
// [Lost] or [Delayed]. A delayed operation still reaches the service, later, and
// its answer finds nobody.
type Link struct {
	cloud Cloud
	now   func() time.Time

	mu          sync.Mutex
	partitioned bool
	loseNext    int
	muteNext    int
	delaying    bool
	delay       time.Duration // of each message while delaying; 0 until Release
	reversed    bool
	held        []heldCall
}

type heldCall struct {
	op              Operation
	bearer, request []byte
	due             time.Time // zero: not before Release
}

// NewLink returns a link to cloud without faults. now tells the time for
// [Link.DelayBy].
func NewLink(cloud Cloud, now func() time.Time) *Link { return &Link{cloud: cloud, now: now} }

// Partition cuts the link until Heal. What is held stays held.
func (l *Link) Partition() { l.set(func() { l.partitioned = true }) }

// Heal ends every fault that would meet the next operation. What is held stays
// held until Release, or until it is due.
func (l *Link) Heal() {
	l.set(func() { l.partitioned, l.loseNext, l.muteNext, l.delaying, l.delay = false, 0, 0, false, 0 })
}

// Lose loses the next n operations on their way to the service.
func (l *Link) Lose(n int) { l.set(func() { l.loseNext = n }) }

// LoseAnswers loses the answers to the next n operations: the service did what
// it was asked, and the device does not know.
func (l *Link) LoseAnswers(n int) { l.set(func() { l.muteNext = n }) }

// Delay holds all operations from now on until Release.
func (l *Link) Delay() { l.set(func() { l.delaying, l.delay = true, 0 }) }

// DelayBy holds each operation from now on for a time. It reaches the service
// with the first operation or Release after that, before it.
func (l *Link) DelayBy(t time.Duration) { l.set(func() { l.delaying, l.delay = true, t }) }

// Reorder makes Release deliver what is held in reverse.
func (l *Link) Reorder() { l.set(func() { l.reversed = true }) }

// Release delivers what is held, in the order in which it was sent or, after
// Reorder, in reverse, and ends the delay. It returns how many operations those
// were. A partition does not hold them up: they are past it.
func (l *Link) Release(ctx context.Context) int {
	l.mu.Lock()
	held := l.held
	if l.reversed {
		slices.Reverse(held)
	}
	l.held, l.delaying, l.reversed = nil, false, false
	l.mu.Unlock()
	return l.deliver(ctx, held)
}

// Held returns how many operations are held.
func (l *Link) Held() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

func (l *Link) set(do func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	do()
}

// deliver brings held operations to the service. Nobody waits for the answers,
// and a refusal is one.
func (l *Link) deliver(ctx context.Context, held []heldCall) int {
	for _, h := range held {
		_, _ = l.cloud.Call(ctx, h.op, h.bearer, h.request)
	}
	return len(held)
}

// due takes what has been held long enough.
func (l *Link) due() (due []heldCall) {
	now := l.now()
	l.held = slices.DeleteFunc(l.held, func(h heldCall) bool {
		if h.due.IsZero() || h.due.After(now) {
			return false
		}
		due = append(due, h)
		return true
	})
	return due
}

// Call implements [Cloud].
func (l *Link) Call(ctx context.Context, op Operation, bearer, request []byte) ([]byte, error) {
	mute, due, err := l.meet(op, bearer, request)
	l.deliver(ctx, due)
	if err != nil {
		return nil, err
	}
	answer, err := l.cloud.Call(ctx, op, bearer, request)
	if mute {
		return nil, failure(Lost, "try again: what was done twice is noticed", "no answer to %s came", op)
	}
	return answer, err
}

// meet decides what happens to an operation.
func (l *Link) meet(op Operation, bearer, request []byte) (mute bool, due []heldCall, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	due = l.due()
	switch {
	case l.partitioned:
		return false, due, failure(Partitioned, "heal the link and try again", "%s cannot reach the service", op)
	case l.loseNext > 0:
		l.loseNext--
		return false, due, failure(Lost, "try again", "%s was lost on its way", op)
	case l.delaying:
		h := heldCall{op: op, bearer: slices.Clone(bearer), request: slices.Clone(request)}
		if l.delay > 0 {
			h.due = l.now().Add(l.delay)
		}
		l.held = append(l.held, h)
		return false, due, failure(Delayed, "release the link and try again", "%s is on its way", op)
	case l.muteNext > 0:
		l.muteNext--
		return true, due, nil
	}
	return false, due, nil
}
