package reference_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"fido-emu/ctap"
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

// TestAttemptsEnd: a sign-in that is complete goes on no more.
func TestAttemptsEnd(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		attempt := s.typed(s.ctx)
		_, err := s.BeginMethod(s.ctx, ada, "", attempt, rp.SMS)
		s.ok(err)
		_, err = s.FinishMethod(s.ctx, ada, attempt, s.sent(rp.SMS).Code)
		s.ok(err)
		_, err = s.BeginMethod(s.ctx, ada, "", attempt, rp.Push)
		s.refused(err, reference.AttemptUnknown)
		_, err = s.FinishMethod(s.ctx, ada, attempt, "")
		s.refused(err, reference.AttemptUnknown)
	})
}

// TestMethodsAreChangedSoon after a sign-in, and not later.
func TestMethodsAreChangedSoon(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		s.ok(s.byCode(s.ctx))
		s.clock.pass(10 * time.Minute)
		s.ok(s.AddMethod(s.ctx, ada, rp.Enrolment{Kind: rp.Email, Address: "ada@mail.example"}))
		s.clock.pass(1)
		s.refused(s.AddMethod(s.ctx, ada, rp.Enrolment{Kind: rp.Email, Address: "eve@mail.example"}), reference.SignInTooOld)
		list, err := s.PersonMethods(s.ctx, ada)
		s.ok(err)
		if last := list[len(list)-1]; last.Address != "ada@mail.example" {
			t.Errorf("the last method is %+v", last)
		}
	})
}

// TestOffersTellLittle: nobody learns from what is offered whether somebody has an
// account, or what their passkeys are called.
func TestOffersTellLittle(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.AddPerson(s.ctx, ada)) // without any method
		bob := rp.Person{Name: "bob"}
		s.register(bob, newToy(t))
		for _, p := range []rp.Person{ada, bob, {Name: "nobody"}} {
			list, err := s.SignInMethods(s.ctx, p)
			s.ok(err)
			if len(list) != 1 || list[0].Kind != rp.PasskeyDeviceBound || list[0].Address != "" || !list[0].AddedAt.IsZero() || !list[0].LastUsedAt.IsZero() {
				t.Errorf("%s is offered %+v", p.Name, list)
			}
		}
		_, err := s.SignInMethods(s.ctx, rp.Person{Name: "\u202eada"})
		s.refused(err, reference.BadName)
	})
}

// TestPolicyOfThatMoment: a sign-in is judged by the rules that hold when it ends.
func TestPolicyOfThatMoment(t *testing.T) {
	each(t, func(s site) {
		key := newToy(t)
		s.register(ada, key)
		s.ok(s.SignOut(s.ctx, ada))
		key.flags &^= ctap.FlagUV
		_, err := s.SignIn(s.ctx, ada, key) // preferred, and not demanded
		s.ok(err)
		s.ok(s.SignOut(s.ctx, ada))
		_, err = s.SignIn(s.ctx, ada, clientFunc(func(ctx context.Context, origin string, options []byte) ([]byte, error) {
			s.ok(s.SetPolicy(s.ctx, "", rp.Policy{UserVerification: "required"}))
			return key.Get(ctx, origin, options)
		}))
		s.refused(err, reference.UserVerificationRequired)
		s.signedIn(ada, false)
	})
}
