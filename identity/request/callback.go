package request

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// delivery is an event on its way.
type delivery struct {
	RequestID string            `json:"requestId"`
	Status    Status            `json:"status"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers,omitempty"`
	Body      json.RawMessage   `json:"body"`
	Tries     int               `json:"tries"`
	Due       time.Time         `json:"due"`
	GivenUp   bool              `json:"givenUp,omitempty"`
	LastError string            `json:"lastError,omitempty"`

	inFlight bool
}

// Undelivered is an event that the relying party has not taken.
type Undelivered struct {
	RequestID string
	Status    Status
	Tries     int
	Due       time.Time // of the next try
	GivenUp   bool      // there will be none
	LastError string
}

// enqueue puts an event in the outbox; s.mu is held.
func (s *Service) enqueue(x *session, e Event) {
	e.RequestID, e.State = x.ID, x.Request.Callback.State
	body, err := json.Marshal(e)
	if err != nil { // of these types there is none
		body = []byte("null")
	}
	s.outbox = append(s.outbox, &delivery{
		RequestID: x.ID, Status: e.RequestStatus, URL: x.Request.Callback.URL, Headers: x.Request.Callback.Headers,
		Body: body, Due: s.config.Now(),
	})
}

// deliverNow sends what is due. What fails stays in the outbox, so there is nothing to
// tell whoever caused it.
func (s *Service) deliverNow(ctx context.Context) { _, _ = s.Deliver(context.WithoutCancel(ctx)) }

// Deliver sends all callbacks that are due, those of one request in their order. It
// returns when the next one is due, the zero time if none is left, and the error of a
// snapshot that could not be saved. A callback counts as taken when it is answered with
// a status from 200 to 299; any other is sent again after the waits of the
// configuration, the last of which is followed by giving up.
func (s *Service) Deliver(ctx context.Context) (next time.Time, err error) {
	for d := s.take(); d != nil; d = s.take() {
		sent := s.send(ctx, d)
		if err = s.settle(d, sent); err != nil {
			break
		}
	}
	return s.nextDue(), err
}

// take returns a callback that is due and that no other of its request comes before.
func (s *Service) take() *delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := map[string]bool{}
	for _, d := range s.outbox {
		if d.GivenUp {
			continue
		}
		if !waiting[d.RequestID] && !d.inFlight && !s.config.Now().Before(d.Due) {
			d.inFlight = true
			return d
		}
		waiting[d.RequestID] = true
	}
	return nil
}

// send posts an event. No lock is held: the receiver may ask this service something.
func (s *Service) send(ctx context.Context, d *delivery) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range d.Headers {
		req.Header.Set(name, value)
	}
	resp, err := s.config.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, bodyLimit)) //nolint:errcheck // the status is all that counts
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("%s answers %s", d.URL, resp.Status)
	}
	return nil
}

// settle notes how a try went.
func (s *Service) settle(d *delivery, sent error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.inFlight = false
	if sent == nil {
		for i := range s.outbox {
			if s.outbox[i] == d {
				s.outbox = append(s.outbox[:i:i], s.outbox[i+1:]...)
				break
			}
		}
		return s.save()
	}
	d.LastError = sent.Error()
	if d.Tries >= len(s.config.Retries) {
		d.GivenUp = true
	} else {
		d.Due = s.config.Now().Add(s.config.Retries[d.Tries])
	}
	d.Tries++
	return s.save()
}

// nextDue returns when there is something to send again: of each request, its first.
func (s *Service) nextDue() (next time.Time) {
	waiting := map[string]bool{}
	for _, u := range s.Undelivered() {
		if u.GivenUp || waiting[u.RequestID] {
			continue
		}
		waiting[u.RequestID] = true
		if next.IsZero() || u.Due.Before(next) {
			next = u.Due
		}
	}
	return next
}

// Undelivered returns the events that were not taken yet, oldest first.
func (s *Service) Undelivered() []Undelivered {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Undelivered, 0, len(s.outbox))
	for _, d := range s.outbox {
		all = append(all, Undelivered{d.RequestID, d.Status, d.Tries, d.Due, d.GivenUp, d.LastError})
	}
	return all
}
