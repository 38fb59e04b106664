package measure_test

import (
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/scenarios/measure"
)

// TestRequest: the time that a device waits for its user is not that of its signature.
func TestRequest(t *testing.T) {
	const ms = time.Millisecond
	zero := time.Unix(1_800_000_000, 0)
	at := func(n int) time.Time { return zero.Add(time.Duration(n) * ms) }
	for _, c := range []struct {
		name    string
		command ctap.Command
		happens func(*measure.Request)
		status  byte
		want    map[measure.Quantity]float64
	}{
		{"at once", ctap.GetInfo, func(*measure.Request) {}, 0, map[measure.Quantity]float64{}},
		{"touched by a finger", ctap.GetAssertion, func(r *measure.Request) {
			r.Keepalive(ctap.UPNeeded, at(40))
			r.Keepalive(ctap.UPNeeded, at(140))
			r.Touch(at(200))
			r.Keepalive(ctap.Processing, at(240))
		}, 0, map[measure.Quantity]float64{measure.FirstKeepalive: 40, measure.TouchToResponse: 100, measure.Retries: 0, measure.Signature: 140}},
		{"touched by nobody known", ctap.GetAssertion, func(r *measure.Request) {
			r.Keepalive(ctap.Processing, at(10))
			r.Keepalive(ctap.UPNeeded, at(20))
			r.Keepalive(ctap.Processing, at(220))
		}, 0, map[measure.Quantity]float64{measure.FirstKeepalive: 10, measure.Signature: 100}},
		{"never says that it works", ctap.MakeCredential, func(r *measure.Request) { r.Keepalive(ctap.UPNeeded, at(20)) }, 0,
			map[measure.Quantity]float64{measure.FirstKeepalive: 20}},
		{"touched twice", ctap.MakeCredential, func(r *measure.Request) {
			r.Keepalive(ctap.UPNeeded, at(20))
			r.Touch(at(50))
			r.Keepalive(ctap.UPNeeded, at(150))
			r.Touch(at(250))
		}, 0, map[measure.Quantity]float64{measure.FirstKeepalive: 20, measure.TouchToResponse: 50, measure.Retries: 1, measure.Signature: 170}},
		{"refused", ctap.MakeCredential, func(r *measure.Request) { r.Touch(at(100)) }, 0x27, map[measure.Quantity]float64{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := measure.Begin([]byte{byte(c.command)}, zero)
			c.happens(r)
			got := map[measure.Quantity]float64{}
			for _, reading := range r.End([]byte{c.status}, at(300)) {
				got[reading.Quantity] = reading.Value
			}
			for _, q := range measure.Quantities() {
				value, there := got[q]
				want, wanted := c.want[q]
				if value != want || there != wanted {
					t.Errorf("%s is %v (%v), want %v (%v)", q, value, there, want, wanted)
				}
			}
		})
	}
}

func TestJudge(t *testing.T) {
	limits := []measure.Limit{
		{Quantity: measure.Signature, Max: 100},
		{Quantity: measure.FirstKeepalive, Max: 100, Marginal: 50},
		{Quantity: measure.Retries, Max: 0},
	}
	for _, c := range []struct {
		q    measure.Quantity
		v    float64
		want measure.Verdict
	}{
		{measure.Signature, 80, measure.Within}, {measure.Signature, 80.1, measure.Marginal}, {measure.Signature, 100, measure.Marginal},
		{measure.Signature, 100.1, measure.Exceeded}, {measure.FirstKeepalive, 51, measure.Marginal}, {measure.Retries, 0, measure.Within},
		{measure.Retries, 1, measure.Exceeded}, {measure.Enumeration, 1e9, measure.Unlimited},
	} {
		if _, got := measure.Judge(limits, measure.Reading{Quantity: c.q, Value: c.v}); got != c.want {
			t.Errorf("%s %v is %q, want %q", c.q, c.v, got, c.want)
		}
	}
}
