package world

import (
	"context"
	"sync"
	"time"

	"fido-emu/ctap"
	"fido-emu/report"
	"fido-emu/scenarios/measure"
)

// meter watches the requests to a device behind a wire. Times are real ones.
type meter struct {
	mu      sync.Mutex
	request *measure.Request // under way; nil between requests
}

// begin watches a request and returns a context through which its keepalives come.
func (m *meter) begin(ctx context.Context, request []byte) context.Context {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.request = measure.Begin(request, time.Now())
	return ctap.WithProgress(ctx, func(p ctap.Progress) {
		m.note(func(r *measure.Request) { r.Keepalive(p, time.Now()) })
	})
}

// touched notes a touch.
func (m *meter) touched() {
	m.note(func(r *measure.Request) { r.Touch(time.Now()) })
}

func (m *meter) note(what func(*measure.Request)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.request != nil {
		what(m.request)
	}
}

// end notes the answer and returns what was measured.
func (m *meter) end(response []byte) []measure.Reading {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.request
	m.request = nil
	return r.End(response, time.Now())
}

// metered takes a request over a wire, and reads the meter.
func (d *Device) metered(ctx context.Context, request []byte, exchange func(context.Context, []byte) ([]byte, error)) ([]byte, error) {
	response, err := exchange(d.meter.begin(ctx, request), request)
	for _, r := range d.meter.end(response) {
		d.read(r)
	}
	return response, err
}

// read tells of a reading, and remembers one that exceeds its limit.
func (d *Device) read(r measure.Reading) {
	w := d.world
	limit, verdict := measure.Judge(w.Scenario.Limits, r)
	m := &report.Measurement{Quantity: string(r.Quantity), Value: r.Value, Unit: r.Quantity.Unit(), Verdict: string(verdict), Model: d.Model.Name}
	if verdict != measure.Unlimited {
		from := limit.From()
		m.Max, m.Marginal = &limit.Max, &from
	}
	w.emit(report.Event{Kind: report.Measured, Device: d.Name, Measurement: m})
	if verdict == measure.Exceeded {
		w.excess = append(w.excess, Excess{d.Name, limit.Excess(d.Name, r)})
	}
}

// Excess is a reading that exceeds its limit.
type Excess struct{ Device, Text string }

// TakeExcess returns what exceeded its limit since it was last called.
func (w *World) TakeExcess() []Excess {
	all := w.excess
	w.excess = nil
	return all
}
