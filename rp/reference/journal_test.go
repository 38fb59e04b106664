package reference_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference"
	"fido-emu/rp/reference/methods"
	"fido-emu/rp/reference/recovery"
)

// journal writes both logs, and what Ada was sent, with what is drawn left out.
func (o *office) journal(keys ...[]byte) string {
	o.t.Helper()
	var s strings.Builder
	at := func(t time.Time) string { return t.UTC().Format("15:04:05") }
	for _, e := range o.core.Audit(0, 10_000) {
		fmt.Fprintf(&s, "%d %s %s of %q, %s %s %s: %s", e.Seq, at(e.Time), e.Action, e.Person, strings.TrimSpace(e.Method+" "+e.Outcome), e.Reason, base64.RawURLEncoding.EncodeToString(e.Credential), e.Detail)
		s.WriteString("\n")
	}
	s.WriteString("\n")
	entries, err := o.core.SignIns("", "", 10_000)
	o.ok(err)
	for _, e := range entries {
		fmt.Fprintf(&s, "%s %s sign-in of %q from %q, compliant %v, risk %s, access %s %v", e.ID, at(e.Created), e.UserPrincipalName, e.Location.CountryOrRegion, e.DeviceDetail.IsCompliant, e.RiskLevel, e.Access, e.AppliedPolicies)
		if e.Status.FailureReason != "" {
			fmt.Fprintf(&s, ", refused %s: %s", e.Status.FailureReason, e.Status.AdditionalDetails)
		}
		s.WriteString("\n")
		for _, d := range e.Details {
			fmt.Fprintf(&s, "  %s %s (%s), succeeded %v: %s\n", at(d.StepTime), d.Method, d.Detail, d.Succeeded, d.Result)
		}
	}
	s.WriteString("\n")
	mail, err := o.core.Outbox(ada.Name)
	o.ok(err)
	for _, m := range mail {
		fmt.Fprintf(&s, "%s %s to %s at %s, read by %s, code %v, until %s: %s\n", at(m.Sent), m.Kind, m.Person, m.Address, m.Holder, m.Code != "", at(m.Expires), m.Text)
	}
	text := s.String()
	for i, key := range keys {
		text = strings.ReplaceAll(text, base64.RawURLEncoding.EncodeToString(key), fmt.Sprintf("passkey %d", i+1))
	}
	text = regexp.MustCompile(`your code is \d{6}`).ReplaceAllString(text, "your code is …")
	return regexp.MustCompile(`(?m)[ \t]+$`).ReplaceAllString(text, "")
}

// compare wants a text to be that of a file, and shows the first line that is not.
func compare(t *testing.T, got, file string) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wanted, gotten := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(gotten)) {
		if wanted[i] != gotten[i] {
			t.Fatalf("%s: line %d is\n%s\nwant\n%s", file, i+1, gotten[i], wanted[i])
		}
	}
	if len(wanted) != len(gotten) {
		t.Errorf("%s: %d lines, want %d", file, len(gotten), len(wanted))
	}
}

// TestJournal lives a life and holds what was logged of it, and what was sent, against
// testdata/journal.txt.
func TestJournal(t *testing.T) {
	o := newOffice(t, nil)
	refused := func(err error, code string) {
		t.Helper()
		o.refused(err, code)
		o.clock.pass(time.Second)
	}
	ok := func(err error) {
		t.Helper()
		o.ok(err)
		o.clock.pass(time.Second)
	}
	home := func(location string, compliant bool) context.Context {
		return rp.WithSignals(o.ctx, rp.Signals{Location: location, Compliant: compliant})
	}
	// Administration.
	ok(o.core.AddGroup("admins"))
	ok(o.core.SetGroups(ada.Name, []string{"staff", "admins"}))
	ok(o.core.Expect("bob@example.com", []string{"guests"}))
	ok(o.core.SetPolicy("admins", rp.Policy{UserVerification: "required"}))
	ok(o.core.SetPolicy("admins", rp.Policy{}))
	ok(o.core.SetMethodPolicy(rp.MethodPolicy{ResetMethods: 1}))
	ok(o.core.SetAccessRules([]rp.AccessRule{
		{Name: "not from there", Block: true, Locations: []string{"XX"}}, {Name: "two factors", Strength: rp.Multifactor},
		{Name: "an hour", SessionLifetime: time.Hour, State: "reportOnly"},
	}))
	for _, e := range []rp.Enrolment{
		{Kind: rp.Password, Secret: password}, {Kind: rp.SMS, Address: "+49 30 901820123456"}, {Kind: rp.Email, Address: "ada@mail.example"}, {Kind: rp.Push, Address: "Ada's phone"},
	} {
		ok(o.core.EnrolMethod(ada.Name, e))
	}
	// Passes.
	pass, err := o.core.IssuePass(reference.PassRequest{Person: "ADA@example.com", Lifetime: time.Hour})
	ok(err)
	if !regexp.MustCompile(`^[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}$`).MatchString(pass) {
		t.Errorf("a pass is %q", pass)
	}
	_, err = o.RedeemPass(o.ctx, rp.Person{Name: "nobody"}, pass)
	refused(err, reference.PassWrong)
	_, err = o.RedeemPass(home("XX", false), ada, pass)
	refused(err, "access-blocked")
	_, err = o.RedeemPass(home("DE", true), ada, pass)
	ok(err)
	// Passkeys.
	first, second := newToy(t), newToy(t)
	one, err := o.Register(o.ctx, ada, first)
	ok(err)
	_, err = o.SignIn(home("XX", false), ada, first)
	refused(err, "access-blocked")
	_, err = o.SignIn(home("DE", true), ada, first)
	ok(err)
	two, err := o.Register(o.ctx, ada, second)
	ok(err)
	ok(o.RenameCredential(o.ctx, ada, two.ID, "Spare key"))
	ok(o.DeleteCredential(o.ctx, ada, two.ID))
	_, err = o.SignIn(o.ctx, ada, clientFunc(func(ctx context.Context, origin string, options []byte) ([]byte, error) { return []byte("{"), nil }))
	refused(err, reference.BadRequest)
	ok(o.SignOut(o.ctx, ada))
	// Methods.
	site := o.site
	ok(site.byCode(home("DE", false)))
	attempt := site.typed(o.ctx)
	_, err = o.BeginMethod(o.ctx, ada, "", attempt, rp.Push)
	ok(err)
	_, err = o.FinishMethod(o.ctx, ada, attempt, "")
	refused(err, methods.PushWaiting)
	ok(o.AnswerPush(o.ctx, site.sent(rp.Push).ID, rp.Report, ""))
	_, err = o.FinishMethod(o.ctx, ada, attempt, "")
	refused(err, methods.PushDenied)
	err = site.byCode(o.ctx)
	refused(err, "risk-needs-passkey")
	_, err = o.SignIn(o.ctx, ada, first)
	ok(err)
	prompt, err := o.BeginMethod(o.ctx, ada, rp.ToSignIn, "", rp.Password)
	ok(err)
	_, err = o.FinishMethod(o.ctx, ada, prompt.Attempt, "wrong")
	refused(err, methods.PasswordWrong)
	_, err = o.BeginMethod(o.ctx, ada, rp.ToSignIn, "", rp.Push)
	refused(err, methods.MethodUnfit)
	prompt, err = o.BeginMethod(o.ctx, ada, rp.ToReset, "", rp.Email)
	ok(err)
	_, err = o.FinishMethod(o.ctx, ada, prompt.Attempt, site.sent(rp.Email).Code)
	ok(err)
	ok(o.ResetPassword(o.ctx, ada, prompt.Attempt, "another horse battery"))
	ok(o.core.RemoveMethods(ada.Name, rp.Password, rp.Push))
	// Recovery.
	ok(o.core.SetRisk(ada.Name, rp.RiskMedium))
	status := o.recover(rp.RecoveryAsk{RevokeOld: true})
	if status.State != recovery.Issued {
		t.Fatalf("%+v", status)
	}
	_, err = o.RedeemPass(o.ctx, ada, status.Pass)
	ok(err)
	three, err := o.Register(o.ctx, ada, newToy(t))
	ok(err)
	ok(o.core.RevokeSessions(ada.Name))
	if _, err = o.core.IssuePass(reference.PassRequest{Person: ada.Name, Lifetime: time.Hour}); err != nil {
		t.Fatal(err)
	}
	ok(o.core.DeletePass(ada.Name))
	refused(o.core.DeletePass("nobody"), reference.UnknownPerson)
	if a, err := o.core.Account(ada.Name); err != nil || a.Pass != nil {
		t.Errorf("a pass that was deleted is %+v, %v", a.Pass, err)
	}
	ok(o.core.RevokeCredentials(ada.Name))
	compare(t, o.journal(one.ID, two.ID, three.ID), "testdata/journal.txt")
	for i, want := range o.core.Audit(3, 2) {
		if want.Seq != uint64(4+i) {
			t.Errorf("after the third comes %+v", want)
		}
	}
}

// TestNobody: what is asked or said of somebody who is not there is refused.
func TestNobody(t *testing.T) {
	o := newOffice(t, nil)
	for name, do := range map[string]func() error{
		"set-risk": func() error { return o.core.SetRisk("nobody", rp.RiskLow) },
		"risk":     func() error { _, err := o.core.Risk("nobody"); return err },
		"methods":  func() error { _, err := o.core.PersonMethods("nobody"); return err },
		"enrol":    func() error { return o.core.EnrolMethod("nobody", rp.Enrolment{Kind: rp.Password, Secret: password}) },
		"remove":   func() error { return o.core.RemoveMethods("nobody", rp.Password) },
		"outbox":   func() error { _, err := o.core.Outbox("nobody"); return err },
		"groups":   func() error { return o.core.SetGroups("nobody", nil) },
		"sessions": func() error { return o.core.RevokeSessions("nobody") },
		"sign-ins": func() error { _, err := o.core.SignIns("nobody", "", 1); return err },
		"notices":  func() error { _, err := o.core.RecoveryNotices("nobody"); return err },
		"pass": func() error {
			_, err := o.core.IssuePass(reference.PassRequest{Person: "nobody", Lifetime: time.Hour})
			return err
		},
		"credentials": func() error { return o.core.RevokeCredentials("nobody") },
		"provision":   func() error { _, err := o.core.BeginProvisioning("nobody", 0); return err },
	} {
		var no *rp.Refused
		if err := do(); !asRefused(err, &no) || no.Code != reference.UnknownPerson {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPassTriesCountGuesses and nothing else.
func TestPassTriesCountGuesses(t *testing.T) {
	each(t, func(s site) {
		s.ok(s.AddPerson(s.ctx, ada))
		try := func(pass, code string) {
			s.t.Helper()
			if _, err := s.RedeemPass(s.ctx, ada, pass); code != "" {
				s.refused(err, code)
			} else {
				s.ok(err)
			}
		}
		used, err := s.IssuePass(s.ctx, ada, time.Hour, true)
		s.ok(err)
		try(used, "")
		for range 7 { // whoever has the pass does not guess
			try(used, reference.PassUsed)
		}
		fresh, err := s.IssuePass(s.ctx, ada, time.Hour, false)
		s.ok(err)
		for range 3 { // a right one begins the count anew
			for range 4 {
				try("AAAA-AAAA-AAAA", reference.PassWrong)
			}
			try(fresh, "")
		}
		_, err = s.RedeemPass(s.ctx, rp.Person{Name: "ada\n"}, fresh)
		s.refused(err, reference.BadName)
	})
}

// TestRulesForPasses: rules about groups, places and risk hold for passes, strengths do
// not, and no session outlives what a rule says.
func TestRulesForPasses(t *testing.T) {
	core, clk := newCore(t)
	s := site{reference.InProcess(core, origin), t, t.Context(), core, clk}
	s.ok(core.AddPerson(rp.Person{Name: ada.Name, Groups: []string{"staff"}}))
	pass, err := core.IssuePass(reference.PassRequest{Person: ada.Name, Lifetime: time.Hour})
	s.ok(err)
	for _, test := range []struct {
		rule rp.AccessRule
		risk string
		code string
	}{
		{rp.AccessRule{Name: "a", Strength: rp.PhishingResistant}, rp.RiskHigh, ""},
		{rp.AccessRule{Name: "a", Block: true, Groups: []string{"staff"}}, rp.RiskNone, "access-blocked"},
		{rp.AccessRule{Name: "a", Block: true, Groups: []string{"guests"}}, rp.RiskNone, ""},
		{rp.AccessRule{Name: "a", Block: true, Risk: []string{rp.RiskLow}}, rp.RiskLow, "access-blocked"},
		{rp.AccessRule{Name: "a", Compliant: true}, rp.RiskNone, "compliant-device-required"},
	} {
		s.ok(core.SetRisk(ada.Name, test.risk))
		s.ok(core.SetAccessRules([]rp.AccessRule{test.rule}))
		if _, err := s.RedeemPass(s.ctx, ada, pass); test.code != "" {
			s.refused(err, test.code)
		} else {
			s.ok(err)
		}
		if rules := core.AccessRules(); rules[0].Strength != test.rule.Strength {
			t.Errorf("the rules are %+v", rules)
		}
	}
	s.ok(core.SetRisk(ada.Name, rp.RiskNone))
	s.ok(core.SetAccessRules(nil))
	_, err = s.RedeemPass(s.ctx, ada, pass)
	s.ok(err)
	key := newToy(t)
	_, err = s.Register(s.ctx, ada, key)
	s.ok(err)
	for _, life := range []time.Duration{time.Minute, 1000 * time.Hour} { // a rule makes it shorter, never longer
		s.ok(core.SetAccessRules([]rp.AccessRule{{Name: "a", SessionLifetime: life}}))
		_, err = s.SignIn(s.ctx, ada, key)
		s.ok(err)
		clk.pass(time.Minute - 1)
		s.signedIn(ada, true)
		clk.pass(1)
		s.signedIn(ada, life != time.Minute)
		clk.pass(999 * time.Hour)
		s.signedIn(ada, false)
	}
	for name, change := range map[string]func(){
		"group": func() { s.ok(core.SetGroups(ada.Name, []string{"guests"})) },
		"risk":  func() { s.ok(core.SetRisk(ada.Name, rp.RiskMedium)) },
		"rule": func() {
			s.ok(core.SetAccessRules([]rp.AccessRule{{Name: "a", Compliant: true}}))
		},
	} {
		s.ok(core.SetGroups(ada.Name, []string{"staff"}))
		s.ok(core.SetRisk(ada.Name, rp.RiskNone))
		s.ok(core.SetAccessRules([]rp.AccessRule{{Name: "g", Block: true, Groups: []string{"guests"}}, {Name: "r", Block: true, Risk: []string{rp.RiskMedium}}, {Name: "p", Strength: rp.PhishingResistant}}))
		_, err = s.SignIn(s.ctx, ada, key)
		s.ok(err)
		s.signedIn(ada, true)
		change()
		if in, err := s.SignedIn(s.ctx, ada); err != nil || in {
			t.Errorf("%s: the session stands, %v", name, err)
		}
	}
}

func asRefused(err error, no **rp.Refused) (ok bool) {
	*no, ok = err.(*rp.Refused)
	return ok
}
