package methods_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

var start = time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)

const secret = "correct horse battery"

func random(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// everything returns an account that has every method.
func everything(t interface{ Fatal(...any) }) *methods.Account {
	a := methods.NewAccount("ada@example.com", []byte("key"))
	for _, e := range []rp.Enrolment{
		{Kind: rp.Password, Secret: secret}, {Kind: rp.SMS, Address: "+49 30 123456"}, {Kind: rp.Voice, Address: "+49 30 123456"},
		{Kind: rp.Email, Address: "ada@mail.example"}, {Kind: rp.Push, Address: "Ada's phone"},
		{Kind: rp.SecurityQuestions, Answers: map[string]string{"Pet?": "Rex", "Street?": "Elm  Street", "School?": "North"}},
	} {
		if err := a.Enrol(e, start); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func code(err error) string {
	var no *rp.Refused
	if errors.As(err, &no) {
		return no.Code
	}
	if err != nil {
		return "error: " + err.Error()
	}
	return ""
}

func TestEnrolmentRefusesWhatCannotWork(t *testing.T) {
	for _, e := range []rp.Enrolment{
		{Kind: "smoke-signals"}, {Kind: rp.PasskeySynced}, {Kind: rp.AccessPass},
		{Kind: rp.SMS}, {Kind: rp.SMS, Address: "call me"}, {Kind: rp.SMS, Address: "+1\r\n2345678"},
		{Kind: rp.Email, Address: "ada"}, {Kind: rp.Email, Address: "Ada <a@b.c>"}, {Kind: rp.Push},
		{Kind: rp.Password, Secret: "short"}, {Kind: rp.Password, Secret: "ADA@example.com"},
		{Kind: rp.SecurityQuestions, Answers: map[string]string{"Pet?": "Rex"}},
		{Kind: rp.SecurityQuestions, Answers: map[string]string{"a": "x", "b": " ", "c": "z"}},
	} {
		a := methods.NewAccount("ada@example.com", nil)
		if got := code(a.Enrol(e, start)); got != methods.BadMethod && got != methods.WeakPassword {
			t.Errorf("%+v: %q", e, got)
		}
		if len(a.List()) != 0 {
			t.Errorf("%+v was enrolled", e)
		}
	}
}

func TestFinish(t *testing.T) {
	right := func(c *methods.Challenge) string { return c.Code }
	text := func(s string) func(*methods.Challenge) string { return func(*methods.Challenge) string { return s } }
	for _, tt := range []struct {
		name, kind string
		typed      func(*methods.Challenge) string
		after      time.Duration
		policy     rp.MethodPolicy
		want       string
	}{
		{name: "password", kind: rp.Password, typed: text(secret)},
		{name: "another password", kind: rp.Password, typed: text(secret + "?"), want: methods.PasswordWrong},
		{name: "no password", kind: rp.Password, typed: text(""), want: methods.PasswordWrong},
		{name: "code", kind: rp.SMS, typed: right, after: 3*time.Minute - 1},
		{name: "code with spaces around", kind: rp.SMS, typed: func(c *methods.Challenge) string { return " " + c.Code + "\n" }},
		{name: "wrong code", kind: rp.SMS, typed: text("12345x"), want: methods.CodeWrong},
		{name: "empty code", kind: rp.Email, typed: text(""), want: methods.CodeWrong},
		{name: "late code", kind: rp.SMS, typed: right, after: 3 * time.Minute, want: methods.CodeExpired},
		{name: "mail lasts longer", kind: rp.Email, typed: right, after: 29 * time.Minute},
		{name: "answers in any case", kind: rp.SecurityQuestions, typed: text("rex\nNORTH\nelm street")},
		{name: "one answer wrong", kind: rp.SecurityQuestions, typed: text("rex\nsouth\nelm street"), want: methods.AnswersWrong},
		{name: "one answer missing", kind: rp.SecurityQuestions, typed: text("rex\nnorth"), want: methods.AnswersWrong},
		{name: "one answer too many", kind: rp.SecurityQuestions, typed: text("rex\nnorth\nelm street\n"), want: methods.AnswersWrong},
		{name: "retired while they were typed", kind: rp.SecurityQuestions, typed: text("rex\nnorth\nelm street"), after: time.Hour, policy: rp.MethodPolicy{QuestionsUntil: start.Add(time.Hour)}, want: methods.QuestionsRetired},
		{name: "push without an answer", kind: rp.Push, typed: text(""), want: methods.PushWaiting},
		{name: "push nobody saw", kind: rp.Push, typed: text(""), after: time.Minute, want: methods.PushExpired},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := everything(t)
			c, err := a.Begin(tt.kind, tt.policy, random(1), start)
			if err != nil {
				t.Fatal(err)
			}
			now := start.Add(tt.after)
			if got := code(a.Finish(c, tt.typed(c), tt.policy, now)); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			if tt.want != "" {
				return
			}
			if got := code(a.Finish(c, tt.typed(c), tt.policy, now)); got != methods.CodeUsed {
				t.Errorf("a second time: %q", got)
			}
		})
	}
}

func TestAnswer(t *testing.T) {
	for _, tt := range []struct {
		name, answer, number string
		policy               rp.MethodPolicy
		answered, finished   string
	}{
		{name: "the number", answer: rp.Approve, number: "right"},
		{name: "no number", answer: rp.Approve, answered: methods.PushNumberWrong, finished: methods.PushDenied},
		{name: "another number", answer: rp.Approve, number: "x", answered: methods.PushNumberWrong, finished: methods.PushDenied},
		{name: "denied", answer: rp.Deny, finished: methods.PushDenied},
		{name: "reported", answer: rp.Report, finished: methods.PushDenied},
		{name: "nonsense", answer: "maybe", answered: methods.BadMethod, finished: methods.PushWaiting},
		{name: "without number matching a tap is enough", answer: rp.Approve, policy: rp.MethodPolicy{NoNumberMatching: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := everything(t)
			c, err := a.Begin(rp.Push, tt.policy, random(2), start)
			if err != nil {
				t.Fatal(err)
			}
			if tt.number == "right" {
				tt.number = c.Code
			}
			if got := code(a.Answer(c, tt.answer, tt.number, start)); got != tt.answered {
				t.Errorf("answered %q, want %q", got, tt.answered)
			}
			if got := code(a.Finish(c, "", tt.policy, start)); got != tt.finished {
				t.Errorf("finished %q, want %q", got, tt.finished)
			}
			if again := code(a.Answer(c, rp.Approve, tt.number, start)); tt.answered != methods.BadMethod && again != methods.PushAnswered {
				t.Errorf("answered again: %q", again)
			}
		})
	}
}

// Guessing ends a code after three tries and a method after ten, and time opens it.
func TestLock(t *testing.T) {
	a := everything(t)
	policy := rp.MethodPolicy{}
	for i := range 10 {
		c, err := a.Begin(rp.SMS, policy, random(byte(i)), start)
		if err != nil {
			t.Fatal(err)
		}
		if got := code(a.Finish(c, "none", policy, start)); got != methods.CodeWrong {
			t.Fatalf("guess %d: %q", i, got)
		}
	}
	if _, err := a.Begin(rp.SMS, policy, random(1), start.Add(30*time.Minute-1)); code(err) != methods.MethodLocked {
		t.Errorf("not locked: %v", err)
	}
	c, err := a.Begin(rp.SMS, policy, random(1), start.Add(30*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_ = a.Finish(c, "none", policy, start.Add(30*time.Minute)) // refused, as above
	}
	if got := code(a.Finish(c, c.Code, policy, start.Add(30*time.Minute))); got != methods.CodeUsed {
		t.Errorf("the right code after three wrong ones: %q", got)
	}
}

func TestEnough(t *testing.T) {
	all := everything(t).List()
	only := func(kinds ...string) []rp.Method {
		return slices.DeleteFunc(slices.Clone(all), func(m rp.Method) bool { return !slices.Contains(kinds, m.Kind) })
	}
	for _, tt := range []struct {
		name, purpose string
		proven        []string
		has           []rp.Method
		policy        rp.MethodPolicy
		done          bool
		next          []string
		want          string
	}{
		{name: "a password asks for more, strongest first", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: all, next: []string{rp.Push, rp.SMS, rp.Voice}},
		{name: "switched off", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: all, policy: rp.MethodPolicy{Disabled: []string{rp.SMS, rp.Voice}}, next: []string{rp.Push}},
		{name: "a text asks for the password", purpose: rp.ToSignIn, proven: []string{rp.SMS}, has: all, next: []string{rp.Password}},
		{name: "both", purpose: rp.ToSignIn, proven: []string{rp.Password, rp.SMS}, has: all, done: true},
		{name: "one will do", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: all, policy: rp.MethodPolicy{SingleFactor: true}, done: true},
		{name: "no second", purpose: rp.ToSignIn, proven: []string{rp.Password}, has: only(rp.Password, rp.Email), want: methods.SecondMissing},
		{name: "reset by one", purpose: rp.ToReset, proven: []string{rp.Email}, has: all, done: true},
		{name: "reset by two", purpose: rp.ToReset, proven: []string{rp.Email}, has: only(rp.Email, rp.SecurityQuestions, rp.Password), policy: rp.MethodPolicy{ResetMethods: 2}, next: []string{rp.SecurityQuestions}},
		{name: "reset with a passkey alone", purpose: rp.ToReset, has: []rp.Method{methods.Describe(rp.PasskeySynced, "")}, want: methods.ResetNeedsMethods},
	} {
		t.Run(tt.name, func(t *testing.T) {
			done, next, err := methods.Enough(tt.purpose, tt.proven, tt.has, tt.policy)
			if done != tt.done || !slices.Equal(next, tt.next) || code(err) != tt.want {
				t.Errorf("got %v %v %v", done, next, err)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	has := append(everything(t).List(), methods.Describe(rp.PasskeySynced, ""), methods.Describe(rp.PasskeyDeviceBound, ""))
	for i := range has {
		if has[i].Kind == rp.Password {
			has[i].LastUsedAt = start
		}
	}
	strongest := []string{rp.PasskeyDeviceBound, rp.PasskeySynced, rp.SMS, rp.Password}
	for _, tt := range []struct {
		name       string
		preference rp.SystemPreference
		want       string
	}{
		{"left alone", rp.SystemPreference{}, strongest[0]},
		{"enabled", rp.SystemPreference{State: "enabled", Include: []string{"staff"}}, strongest[0]},
		{"for others", rp.SystemPreference{State: "enabled", Include: []string{"admins"}}, rp.Password},
		{"but not for these", rp.SystemPreference{State: "enabled", Include: []string{"staff"}, Exclude: []string{"staff"}}, rp.Password},
		{"disabled", rp.SystemPreference{State: "disabled"}, rp.Password},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := methods.Offer(has, []string{"staff"}, rp.MethodPolicy{SystemPreferences: tt.preference}, start)
			if len(got) != len(strongest) || got[0].Kind != tt.want || !got[0].Default || got[1].Default {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestUnneeded(t *testing.T) {
	has := everything(t).List()
	if got := methods.Unneeded(has, start); got != nil {
		t.Errorf("without a passkey: %v", got)
	}
	has = append(has, methods.Describe(rp.PasskeySynced, ""))
	has[0].LastUsedAt = start.Add(time.Hour)
	if got := methods.Unneeded(has, start); len(got) != len(has)-2 {
		t.Errorf("got %d of %d", len(got), len(has))
	}
}

// A sequence of right and wrong answers agrees with a model that counts them.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, now := everything(t), start
		kind := rapid.SampledFrom([]string{rp.Password, rp.SMS, rp.Voice, rp.Email}).Draw(t, "kind")
		facts, _ := methods.About(kind)
		wrong, lockedUntil := 0, time.Time{}
		var c *methods.Challenge
		misses, used := 0, false
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				fresh, err := a.Begin(kind, rp.MethodPolicy{}, random(3), now)
				if locked := now.Before(lockedUntil); locked != (code(err) == methods.MethodLocked) {
					t.Fatalf("begin: locked %v, got %v", locked, err)
				}
				if err == nil {
					c, misses, used = fresh, 0, false
				}
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			},
			"answer": func(t *rapid.T) {
				if c == nil {
					t.Skip("nothing to answer")
				}
				right := rapid.Bool().Draw(t, "right")
				typed := map[bool]string{true: c.Code + map[bool]string{true: secret}[kind == rp.Password], false: "wrong"}[right]
				want := ""
				switch {
				case now.Before(lockedUntil):
					want = methods.MethodLocked
				case used || kind != rp.Password && misses >= 3:
					want = methods.CodeUsed
				case kind != rp.Password && !now.Before(c.Expires):
					want = methods.CodeExpired
				case right:
					wrong, used = 0, true
				default:
					want = methods.CodeWrong
					if kind == rp.Password {
						want = methods.PasswordWrong
					}
					wrong++
					misses++
					if wrong == facts.Tries {
						wrong, lockedUntil = 0, now.Add(facts.Lock)
					}
				}
				if got := code(a.Finish(c, typed, rp.MethodPolicy{}, now)); got != want {
					t.Fatalf("got %q, want %q", got, want)
				}
			},
		})
	})
}

func FuzzAddress(f *testing.F) {
	f.Add("+49 30 123456")
	f.Add("ada@example.com")
	f.Fuzz(func(t *testing.T, address string) {
		for _, kind := range []string{rp.SMS, rp.Email, rp.Push} {
			a := methods.NewAccount("ada", nil)
			if a.Enrol(rp.Enrolment{Kind: kind, Address: address}, start) == nil && kind != rp.Push && methods.Mask(address) == address {
				t.Errorf("%s address %q is not masked", kind, address)
			}
		}
	})
}
