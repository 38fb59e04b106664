package reference_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/access"
	"fido-emu/rp/reference/methods"
)

const password = "correct horse battery"

// furnished returns a site where Ada has a password, a phone and the app.
func (s site) furnished() site {
	s.t.Helper()
	s.ok(s.AddPerson(s.ctx, ada))
	for _, e := range []rp.Enrolment{
		{Kind: rp.Password, Secret: password}, {Kind: rp.SMS, Address: "+49 30 901820123456"}, {Kind: rp.Push, Address: "Ada's phone"},
	} {
		s.ok(s.EnrolMethod(s.ctx, ada, e))
	}
	return s
}

// sent returns the last message of a kind.
func (s site) sent(kind string) (last rp.Message) {
	s.t.Helper()
	all, err := s.Outbox(s.ctx, ada)
	s.ok(err)
	for _, m := range all {
		if m.Kind == kind {
			last = m
		}
	}
	return last
}

// typed begins the password and types it.
func (s site) typed(ctx context.Context) string {
	s.t.Helper()
	prompt, err := s.BeginMethod(ctx, ada, rp.ToSignIn, "", rp.Password)
	s.ok(err)
	_, err = s.FinishMethod(ctx, ada, prompt.Attempt, password)
	s.ok(err)
	return prompt.Attempt
}

// byCode signs in with password and code.
func (s site) byCode(ctx context.Context) error {
	s.t.Helper()
	attempt := s.typed(ctx)
	_, err := s.BeginMethod(ctx, ada, "", attempt, rp.SMS)
	s.ok(err)
	_, err = s.FinishMethod(ctx, ada, attempt, s.sent(rp.SMS).Code)
	return err
}

func TestPasswordAndCode(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		s.ok(s.byCode(s.ctx))
		s.signedIn(ada, true)
		entries, err := s.SignIns(s.ctx, ada)
		s.ok(err)
		if len(entries) != 1 || len(entries[0].Details) != 2 || entries[0].Details[1].Method != rp.SMS || entries[0].Details[1].Detail != "+••• 56" || entries[0].Status.FailureReason != "" {
			t.Errorf("log %+v", entries)
		}

		// The attempt is over, and its code with it.
		attempt := s.typed(s.ctx)
		_, err = s.BeginMethod(s.ctx, ada, "", attempt, rp.SMS)
		s.ok(err)
		code := s.sent(rp.SMS).Code
		s.clock.pass(3 * time.Minute)
		_, err = s.FinishMethod(s.ctx, ada, attempt, code)
		s.refused(err, methods.CodeExpired)
		s.clock.pass(12 * time.Minute)
		_, err = s.FinishMethod(s.ctx, ada, attempt, code)
		s.refused(err, reference.AttemptUnknown)
		_, err = s.FinishMethod(s.ctx, ada, "forged", code)
		s.refused(err, reference.AttemptUnknown)
		entries, err = s.SignIns(s.ctx, ada)
		s.ok(err)
		if last := entries[len(entries)-1]; last.Status.FailureReason != methods.CodeExpired {
			t.Errorf("log %+v", last)
		}
	})
}

// A code that was sent for one sign-in is of no use for another.
func TestCodeBelongsToItsSignIn(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		mine, theirs := s.typed(s.ctx), s.typed(s.ctx)
		for _, attempt := range []string{mine, theirs} {
			_, err := s.BeginMethod(s.ctx, ada, "", attempt, rp.SMS)
			s.ok(err)
		}
		code := s.sent(rp.SMS).Code
		_, err := s.FinishMethod(s.ctx, ada, mine, code)
		s.refused(err, methods.CodeWrong)
		_, err = s.FinishMethod(s.ctx, ada, theirs, code)
		s.ok(err)
	})
}

// Of two answers at once one signs in.
func TestTwoAtOnce(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		attempt := s.typed(s.ctx)
		prompt, err := s.BeginMethod(s.ctx, ada, "", attempt, rp.Push)
		s.ok(err)
		s.refused(s.AnswerPush(s.ctx, "m999", rp.Approve, prompt.Number), reference.NotFound)
		_, err = s.FinishMethod(s.ctx, ada, attempt, "")
		s.refused(err, methods.PushWaiting)
		s.ok(s.AnswerPush(s.ctx, s.sent(rp.Push).ID, rp.Approve, prompt.Number))
		s.refused(s.AnswerPush(s.ctx, s.sent(rp.Push).ID, rp.Deny, ""), methods.PushAnswered)
		var wait sync.WaitGroup
		in := make(chan bool, 8)
		for range cap(in) {
			wait.Go(func() {
				p, err := s.FinishMethod(s.ctx, ada, attempt, "")
				in <- err == nil && p.Session != nil
			})
		}
		wait.Wait()
		close(in)
		n := 0
		for ok := range in {
			if ok {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestRulesHoldForStandingSessions(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		home := rp.WithSignals(s.ctx, rp.Signals{Location: "DE", Compliant: true})
		abroad := rp.WithSignals(s.ctx, rp.Signals{Location: "XX", Stranger: true})
		s.ok(s.byCode(home))
		s.ok(s.byCode(abroad))
		s.ok(s.SetAccessRules(s.ctx, []rp.AccessRule{{Name: "home", Block: true, ExceptLocations: []string{"DE"}}}))
		s.signedIn(ada, true)
		if in, err := s.SignedIn(abroad, ada); in || err != nil {
			t.Errorf("abroad %v %v", in, err)
		}
		s.refused(s.byCode(abroad), access.Blocked)
		s.refused(s.SetAccessRules(s.ctx, []rp.AccessRule{{Name: "x", State: "on"}}), access.BadRule)
	})
}

func TestRisk(t *testing.T) {
	each(t, func(s site) {
		toy := newToy(t)
		s.register(ada, toy)
		s.ok(s.EnrolMethod(s.ctx, ada, rp.Enrolment{Kind: rp.Password, Secret: password}))
		s.ok(s.EnrolMethod(s.ctx, ada, rp.Enrolment{Kind: rp.SMS, Address: "+49 30 901820123456"}))
		s.signedIn(ada, true)
		s.refused(s.SetRisk(s.ctx, ada, "extreme"), access.BadRule)
		s.ok(s.SetRisk(s.ctx, ada, rp.RiskHigh))
		s.signedIn(ada, false)
		s.refused(s.byCode(s.ctx), access.PasskeyRequired)
		s.signIn(ada, toy)
		if risk, err := s.core.Risk(ada.Name); risk != rp.RiskNone || err != nil {
			t.Errorf("risk %s %v", risk, err)
		}
		s.ok(s.byCode(s.ctx))
	})
}

func TestResetAndAudit(t *testing.T) {
	each(t, func(s site) {
		s.furnished()
		s.ok(s.byCode(s.ctx))
		prompt, err := s.BeginMethod(s.ctx, ada, rp.ToReset, "", rp.SMS)
		s.ok(err)
		s.refused(s.ResetPassword(s.ctx, ada, prompt.Attempt, "a new battery staple"), methods.ResetNeedsMethods)
		p, err := s.FinishMethod(s.ctx, ada, prompt.Attempt, s.sent(rp.SMS).Code)
		s.ok(err)
		if !p.Ready || p.Session != nil {
			t.Errorf("progress %+v", p)
		}
		s.refused(s.ResetPassword(s.ctx, ada, prompt.Attempt, "short"), methods.WeakPassword)
		s.ok(s.ResetPassword(s.ctx, ada, prompt.Attempt, "a new battery staple"))
		s.refused(s.ResetPassword(s.ctx, ada, prompt.Attempt, "another battery staple"), reference.AttemptUnknown)
		s.signedIn(ada, false)
		if got := s.sent(rp.Notice); got.Text == "" || got.Holder != rp.Owner {
			t.Errorf("notice %+v", got)
		}

		bob := rp.Person{Name: "bob@example.com", Groups: []string{"staff"}}
		s.register(bob, newToy(t))
		s.ok(s.AddMethod(s.ctx, bob, rp.Enrolment{Kind: rp.Email, Address: "bob@mail.example"}))
		s.clock.pass(100 * 24 * time.Hour)
		s.refused(s.AddMethod(s.ctx, bob, rp.Enrolment{Kind: rp.Email, Address: "eve@mail.example"}), reference.SignInRequired)
		dormant, err := s.DormantMethods(s.ctx, 90*24*time.Hour, "staff")
		s.ok(err)
		if len(dormant) != 1 || dormant[0].Kind != rp.Email || dormant[0].Address != "b•••@mail.example" {
			t.Errorf("dormant %+v", dormant)
		}
		s.refused(s.RemoveMethods(s.ctx, bob, rp.Email, rp.SMS), methods.MethodMissing)
		s.ok(s.RemoveMethods(s.ctx, bob, rp.Email))
		left, err := s.PersonMethods(s.ctx, bob)
		s.ok(err)
		if len(left) != 1 || !methods.IsPasskey(left[0].Kind) {
			t.Errorf("left %+v", left)
		}
	})
}

// Names that nobody has look like those of people who have a passkey alone.
func TestUnknownNamesHaveAPasskey(t *testing.T) {
	each(t, func(s site) {
		s.register(ada, newToy(t))
		nobody := rp.Person{Name: "nobody@example.com"}
		for _, p := range []rp.Person{ada, nobody} {
			list, err := s.SignInMethods(s.ctx, p)
			s.ok(err)
			if len(list) != 1 || !methods.IsPasskey(list[0].Kind) || !list[0].Default {
				t.Errorf("%s: %+v", p.Name, list)
			}
			_, err = s.BeginMethod(s.ctx, p, rp.ToSignIn, "", rp.Password)
			s.refused(err, methods.MethodMissing)
			_, err = s.BeginMethod(s.ctx, p, rp.ToReset, "", rp.SMS)
			s.refused(err, methods.ResetNeedsMethods)
		}
	})
}

func TestMethodsOverHTTPRefuse(t *testing.T) {
	core, _ := newCore(t)
	h := reference.Handler(core)
	for _, tt := range []struct {
		method, path, body, header string
		status                     int
	}{
		{"POST", "/api/prove/begin", `{"purpose":"steal","name":"ada","kind":"sms"}`, "", 400},
		{"POST", "/api/prove/finish", `{"attempt":"x","answer":"y"}`, "", 400},
		{"POST", "/api/methods", `{"kind":"sms","address":"+4930123456"}`, "", 401},
		{"GET", "/api/admin/people/ada/outbox", "", "", 401},
		{"POST", "/api/admin/pushes/m1", `{"answer":"approve"}`, "", 401},
		{"PUT", "/api/admin/access", `{"rules":[{"name":""}]}`, bearer, 403},
		{"PUT", "/api/admin/method-policy", `{"resetMethods":9}`, bearer, 400},
		{"PUT", "/api/admin/holders", `{"address":"x","holder":"nobody"}`, bearer, 400},
		{"GET", "/api/admin/dormant?hours=-1", "", bearer, 400},
	} {
		if answer, body := visit(t, h, tt.method, tt.path, tt.body, "Authorization", tt.header); answer.StatusCode != tt.status {
			t.Errorf("%s %s: %s %s, want %s", tt.method, tt.path, answer.Status, body, http.StatusText(tt.status))
		}
	}
}

func TestPagesOfMethods(t *testing.T) {
	core, _ := newCore(t)
	h := reference.Handler(core)
	for path, holds := range map[string]string{
		"/": `data-do="other-ways"`, "/reset": `data-do="begin-reset"`, "/post": "Administrator's token",
		"/signin.js": "/api/signin/methods", "/post.js": "/api/admin/pushes/", "/signin.css": ".tomatch",
	} {
		if answer, body := visit(t, h, "GET", path, ""); answer.StatusCode != http.StatusOK || !strings.Contains(body, holds) {
			t.Errorf("%s: %s without %s", path, answer.Status, holds)
		}
	}
}
