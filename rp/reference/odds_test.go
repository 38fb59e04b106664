package reference_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/recovery"
)

// TestOnePassOnce has many redeem a pass that is good for one use in the same moment.
func TestOnePassOnce(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.AddPerson(s.ctx, ada))
		pass, err := s.IssuePass(s.ctx, ada, time.Hour, true)
		s.ok(err)
		codes := make([]string, 20)
		var wg sync.WaitGroup
		for i := range codes {
			wg.Go(func() {
				var no *rp.Refused
				if _, err := s.RedeemPass(s.ctx, ada, pass); errors.As(err, &no) {
					codes[i] = no.Code
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		won, logged := 0, 0
		for _, code := range codes {
			if code == "" {
				won++
			} else if code != reference.PassUsed {
				t.Errorf("refused with %s", code)
			}
		}
		for _, e := range s.core.Audit(0, 100) {
			if e.Action == "redeem-pass" && (e.Outcome == reference.Done || e.Reason == reference.PassUsed) {
				logged++
			}
		}
		if won != 1 || logged != len(codes) {
			t.Errorf("%d redeemed it and %d tries are logged, want 1 and %d", won, logged, len(codes))
		}
	})
}

// TestClockGoesBack: what was used, revoked or refused stays so when the clock is set
// back, and what stands goes on.
func TestClockGoesBack(t *testing.T) {
	o := newOffice(t, nil)
	signedIn(t, o.core)
	status := o.recover(rp.RecoveryAsk{})
	if status.State != recovery.Issued {
		t.Fatalf("%+v", status)
	}
	begun, err := o.core.BeginSignIn(ada.Name)
	o.ok(err)
	_, err = o.core.FinishSignIn(begun.Ceremony, []byte("{}"))
	o.refused(err, reference.BadRequest)
	for range 5 {
		_, err := o.RedeemPass(o.ctx, rp.Person{Name: "eve"}, "AAAA-AAAA-AAAA")
		o.refused(err, reference.PassWrong)
	}
	_, err = o.RedeemPass(o.ctx, ada, status.Pass)
	o.ok(err)
	o.clock.pass(-24 * time.Hour)
	_, err = o.core.FinishSignIn(begun.Ceremony, []byte("{}"))
	o.refused(err, reference.ChallengeUnknown)
	_, err = o.RedeemPass(o.ctx, rp.Person{Name: "eve"}, "AAAA-AAAA-AAAA")
	o.refused(err, reference.TooManyTries)
	_, err = o.RedeemPass(o.ctx, ada, status.Pass)
	o.refused(err, reference.PassUsed)
	o.signedIn(ada, true)
	for range recovery.StartsPerAccount - 1 {
		_, err = o.StartRecovery(o.ctx, ada, rp.RecoveryAsk{Reuse: true})
		o.ok(err)
	}
	_, err = o.StartRecovery(o.ctx, ada, rp.RecoveryAsk{Reuse: true})
	o.refused(err, recovery.TooManyStarts)
	events := o.core.Audit(0, 1000)
	for i, e := range events {
		if e.Seq != uint64(i+1) {
			t.Errorf("entry %d has number %d", i+1, e.Seq)
		}
	}
}
