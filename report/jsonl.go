package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
)

// JSONL writes events as JSON, one object a line.
type JSONL struct {
	enc *json.Encoder
}

// NewJSONL returns a sink that writes to w, one write an event.
func NewJSONL(w io.Writer) *JSONL {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &JSONL{enc}
}

// Event writes e.
func (j *JSONL) Event(e *Event) error {
	if err := j.enc.Encode(e); err != nil {
		return fmt.Errorf("writing event %d: %w", e.Seq, err)
	}
	return nil
}

// SyntaxError is a line of JSONL that is no event.
type SyntaxError struct {
	Line int // counts from 1
	Err  error
}

// Error names the line and says what is wrong with it.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d is not an event: %v", e.Line, e.Err)
}

// Unwrap returns what is wrong.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Read reads what [JSONL] wrote, event by event; empty lines are passed over. It
// stops at the first error, a *[SyntaxError] or that of r.
func Read(r io.Reader) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		lines := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, readErr := lines.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				e, err := parseEvent(line)
				if err != nil {
					yield(nil, &SyntaxError{n, err})
					return
				}
				if !yield(e, nil) {
					return
				}
			}
			if readErr != nil {
				if readErr != io.EOF {
					yield(nil, fmt.Errorf("reading line %d: %w", n, readErr))
				}
				return
			}
		}
	}
}

// ReadAll reads all events of r. With an error it returns those before it.
func ReadAll(r io.Reader) ([]Event, error) {
	var events []Event
	for e, err := range Read(r) {
		if err != nil {
			return events, err
		}
		events = append(events, *e)
	}
	return events, nil
}

func parseEvent(line []byte) (*Event, error) {
	e := new(Event)
	if err := json.Unmarshal(line, e); err != nil {
		return nil, err
	}
	if e.Kind == "" {
		return nil, fmt.Errorf(`member "kind" is missing`)
	}
	return e, nil
}
