// Package measure takes the times of requests to authenticators and holds them against
// limits. It keeps no clock: whoever watches a request says when what happened.
package measure

import (
	"fmt"
	"strconv"
	"time"

	"fido-emu/ctap"
)

// Quantity is something that is measured.
type Quantity string

// The quantities. Times are real ones, as the host sees them: its own and those of the
// wire are part of them.
const (
	// TouchToResponse is from a touch to the answer to the request that asked for it.
	TouchToResponse Quantity = "touch-to-response"
	// FirstKeepalive is from a request to its first keepalive (section 11.2.9.1.7); it
	// should come within 100 ms.
	FirstKeepalive Quantity = "first-keepalive"
	// Signature is how long a device works on a request that makes or uses a
	// credential, without the time that it waited for its user.
	Signature Quantity = "signature"
	// Enumeration is from giving a device power to its first answer.
	Enumeration Quantity = "enumeration"
	// Retries is how many touches a request took beyond the first.
	Retries Quantity = "retries"
)

// Quantities lists all, in the order in which they are shown.
func Quantities() []Quantity {
	return []Quantity{TouchToResponse, FirstKeepalive, Signature, Enumeration, Retries}
}

// Counted tells of a quantity that is a number and no time.
func (q Quantity) Counted() bool { return q == Retries }

// Unit is in what values are given.
func (q Quantity) Unit() string {
	if q.Counted() {
		return ""
	}
	return "ms"
}

// Reading is what was measured, once.
type Reading struct {
	Quantity Quantity
	Value    float64 // in the unit of the quantity
}

func elapsed(q Quantity, d time.Duration) Reading {
	return Reading{q, float64(d.Microseconds()) / 1000}
}

// Enumerated is the reading of a device that answered after it had got power.
func Enumerated(d time.Duration) Reading { return elapsed(Enumeration, d) }

// Format writes a value with its unit.
func (q Quantity) Format(v float64) string {
	if q.Counted() {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	if v >= 1000 {
		return fmt.Sprintf("%.2f s", v/1000)
	}
	return fmt.Sprintf("%.1f ms", v)
}

// String says what was measured.
func (r Reading) String() string { return string(r.Quantity) + " " + r.Quantity.Format(r.Value) }

// Request watches a request from its start to its answer.
type Request struct {
	command ctap.Command
	began   time.Time
	first   time.Time // keepalive
	waits   time.Time // since when it waits for its user; zero while it works
	waited  time.Duration
	touched time.Time
	touches int
}

// Begin begins to watch a request.
func Begin(request []byte, now time.Time) *Request {
	r := &Request{began: now}
	if len(request) > 0 {
		r.command = ctap.Command(request[0])
	}
	return r
}

// Keepalive notes a keepalive.
func (r *Request) Keepalive(p ctap.Progress, now time.Time) {
	if r.first.IsZero() {
		r.first = now
	}
	switch {
	case p == ctap.UPNeeded && r.waits.IsZero():
		r.waits = now
	case p != ctap.UPNeeded:
		r.works(now)
	}
}

// Touch notes that a finger went down.
func (r *Request) Touch(now time.Time) {
	r.touches++
	r.touched = now
	r.works(now)
}

// works ends the wait for the user.
func (r *Request) works(now time.Time) {
	if !r.waits.IsZero() {
		r.waited += now.Sub(r.waits)
		r.waits = time.Time{}
	}
}

// End notes the answer and returns what was measured.
func (r *Request) End(response []byte, now time.Time) []Reading {
	var all []Reading
	succeeded := len(response) > 0 && response[0] == byte(ctap.OK)
	waitsStill := !r.waits.IsZero()
	if r.touches > 0 && succeeded {
		all = append(all, elapsed(TouchToResponse, now.Sub(r.touched)), Reading{Retries, float64(r.touches - 1)})
	}
	if !r.first.IsZero() {
		all = append(all, elapsed(FirstKeepalive, r.first.Sub(r.began)))
	}
	// A device that says until the end that it waits for its user does not tell when
	// it began to work.
	if succeeded && !waitsStill && (r.command == ctap.MakeCredential || r.command == ctap.GetAssertion) {
		all = append(all, elapsed(Signature, now.Sub(r.began)-r.waited))
	}
	return all
}
