package recovery

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestManyAtOnceEndInOne has the callbacks of several cases arrive in the same
// moment, each of them twice.
func TestManyAtOnceEndInOne(t *testing.T) {
	b := newBench(t, staff(nil))
	b.fresh = true
	var calls []Callback
	for range StartsPerAccount {
		started, err := b.Start(t.Context(), ada())
		wantCode(t, err, "")
		_, err = b.Status(t.Context(), started.ID, started.Secret)
		wantCode(t, err, "")
		c := b.callback(PresentationVerified)
		calls = append(calls, c, c)
	}
	var all sync.WaitGroup
	for _, c := range calls {
		all.Go(func() { _ = b.Desk.Callback(t.Context(), c) }) // all but one may be refused
	}
	all.Wait()
	states := map[string]int{}
	for _, r := range b.cases {
		states[r.state+" "+r.reason]++
	}
	if b.issued != 1 || states[Issued+" "] != 1 || states[Ended+" "+CaseSuperseded] != StartsPerAccount-1 {
		t.Errorf("%d passes, cases %v; want one pass and the others superseded", b.issued, states)
	}
}

// TestSequences does anything in any order and looks that no pass comes of anything
// but a good callback of an open case.
func TestSequences(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t, staff(nil))
		b.fresh = true
		var cases []Started
		won := 0
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			switch rapid.IntRange(0, 5).Draw(r, "step") {
			case 0:
				if s, err := b.Start(t.Context(), ada()); err == nil {
					cases = append(cases, s)
				}
			case 1:
				b.now = b.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(r, "minutes")) * time.Minute)
			case 2:
				b.invalid = nil
				if rapid.Bool().Draw(r, "forged") {
					b.invalid = refuse("presentation-bad-signature", "no")
				}
			case 3:
				b.proofed.Verified = rapid.Bool().Draw(r, "verified")
			case 4:
				for _, s := range cases {
					_, _ = b.Status(t.Context(), s.ID, s.Secret) // a case that is long over is forgotten
				}
			case 5:
				if len(b.requests) == 0 {
					continue
				}
				before, c := b.issued, b.callback(PresentationVerified)
				if rapid.Bool().Draw(r, "without key") {
					c.Key = ""
				}
				err := b.Desk.Callback(t.Context(), c)
				if got := b.issued - before; got > 0 && (err != nil || c.Key == "" || b.invalid != nil) {
					r.Fatalf("a pass was issued for %+v, %v", c, err)
				}
				won += b.issued - before
			}
		}
		if b.issued != won {
			r.Fatalf("%d passes were issued, %d by callbacks", b.issued, won)
		}
	})
}
