package report

import (
	"errors"
	"io"
	"sync"
	"time"
)

// Stream numbers events, stamps them with the time and hands them to its sinks.
// It is safe for concurrent use; sinks are called one event at a time.
type Stream struct {
	mu     sync.Mutex
	now    func() time.Time
	sinks  []Sink
	failed []error // by sink; a sink that failed gets no more events
	ledger ledger
	seq    int
	start  time.Time
	closed bool
}

// NewStream returns a stream to sinks, which it calls in the order given.
func NewStream(now func() time.Time, sinks ...Sink) *Stream {
	return &Stream{now: now, sinks: sinks, failed: make([]error, len(sinks))}
}

// Emit sends e on its way. It sets Seq and Time and takes over what e points to,
// which must not change afterwards. A RunEnd first ends what is still open and
// lists as aborted what was planned and did not start; its Outcome, Counts and
// Duration are filled in where they are missing. After the end of the run and
// after Close events are dropped.
func (s *Stream) Emit(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.ledger.ended {
		return
	}
	if e.Kind == RunEnd {
		s.end(e)
		return
	}
	s.send(e)
}

// Close ends the run, as aborted, if no RunEnd came, and closes the sinks that
// are an io.Closer. It returns what went wrong in any sink.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	if s.ledger.run != nil && !s.ledger.ended {
		s.end(Event{Kind: RunEnd, Outcome: Aborted})
	}
	s.closed = true
	for i, sink := range s.sinks {
		if c, ok := sink.(io.Closer); ok {
			s.failed[i] = errors.Join(s.failed[i], c.Close())
		}
	}
	return errors.Join(s.failed...)
}

func (s *Stream) end(e Event) {
	for _, missing := range s.ledger.missing() {
		s.send(missing)
	}
	s.ledger.complete(&e)
	if e.Duration == 0 {
		e.Duration = s.now().Sub(s.start)
	}
	s.send(e)
}

func (s *Stream) send(e Event) {
	s.seq++
	e.Seq, e.Time = s.seq, s.now()
	if e.Kind == RunStart {
		s.start = e.Time
	}
	s.ledger.add(&e)
	for i, sink := range s.sinks {
		if s.failed[i] == nil {
			s.failed[i] = sink.Event(&e)
		}
	}
}
