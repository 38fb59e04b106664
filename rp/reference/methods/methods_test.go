package methods_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
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

// questions returns n questions with answers, the first of which takes size bytes.
func questions(n, size int) map[string]string {
	all := map[string]string{"0": strings.Repeat("x", size-1)}
	for i := 1; i < n; i++ {
		all[strconv.Itoa(i)] = "x"
	}
	return all
}

func TestEnrolmentRefusesWhatCannotWork(t *testing.T) {
	for _, e := range []rp.Enrolment{
		{Kind: "smoke-signals"}, {Kind: rp.PasskeySynced, Answers: questions(3, 2)}, {Kind: rp.AccessPass},
		{Kind: rp.SMS}, {Kind: rp.SMS, Address: "call me"}, {Kind: rp.SMS, Address: "+1\r\n2345678"},
		{Kind: rp.SMS, Address: "+1 (2) 34"}, {Kind: rp.Voice, Address: "+49 30 12345x"}, {Kind: rp.Voice, Address: "0049 30 12345"},
		{Kind: rp.Email, Address: "ada"}, {Kind: rp.Email, Address: "Ada <a@b.c>"}, {Kind: rp.Push},
		{Kind: rp.Push, Address: strings.Repeat("x", 129)}, {Kind: rp.Push, Address: "\xff"},
		{Kind: rp.Password, Secret: "seven77"}, {Kind: rp.Password, Secret: strings.Repeat("x", 257)}, {Kind: rp.Password, Secret: "ADA@example.com"},
		{Kind: rp.SecurityQuestions, Answers: map[string]string{"Pet?": "Rex"}}, {Kind: rp.SecurityQuestions, Answers: questions(6, 2)},
		{Kind: rp.SecurityQuestions, Answers: questions(3, 513)},
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

// What is just good enough is enrolled, takes the place of what was there, and can be
// removed once.
func TestEnrol(t *testing.T) {
	for _, e := range []rp.Enrolment{
		{Kind: rp.SMS, Address: "+90 123"}, {Kind: rp.Voice, Address: "+(10) 0-99"}, {Kind: rp.Push, Address: strings.Repeat("ä", 128)},
		{Kind: rp.Password, Secret: "eight888"}, {Kind: rp.Password, Secret: strings.Repeat("x", 256)},
		{Kind: rp.SecurityQuestions, Answers: questions(5, 512)},
	} {
		a, now := everything(t), start.Add(time.Hour)
		before := len(a.List())
		if err := a.Enrol(e, now); err != nil {
			t.Errorf("%+v: %v", e, err)
		}
		list := a.List()
		i := slices.IndexFunc(list, func(m rp.Method) bool { return m.Kind == e.Kind })
		if len(list) != before || list[i].Address != e.Address || !list[i].AddedAt.Equal(now) {
			t.Errorf("%+v: %d methods, it is %+v", e, len(list), list[i])
		}
		if !a.Remove(e.Kind) || a.Remove(e.Kind) || len(a.List()) != before-1 {
			t.Errorf("%s was not removed once", e.Kind)
		}
	}
}

func TestMask(t *testing.T) {
	for address, want := range map[string]string{
		"+49 30 123456": "+••• 56", "+123": "+••• 23", "+12": "+12", "Ada's phone": "Ada's phone", "phone 12345": "phone 12345",
		"ada@mail.example": "a•••@mail.example", "é@x.example": "é•••@x.example",
	} {
		if got := methods.Mask(address); got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
	}
}

func TestBegin(t *testing.T) {
	until := rp.MethodPolicy{QuestionsUntil: start}
	for _, tt := range []struct {
		name, kind string
		policy     rp.MethodPolicy
		random     io.Reader
		want       string
	}{
		{name: "it is theirs", kind: rp.SMS, policy: rp.MethodPolicy{Disabled: []string{rp.Voice}}, random: random(1)},
		{name: "switched off", kind: rp.SMS, policy: rp.MethodPolicy{Disabled: []string{rp.Voice, rp.SMS}}, random: random(1), want: methods.MethodNotAllowed},
		{name: "not theirs", kind: rp.PasskeySynced, random: random(1), want: methods.MethodMissing},
		{name: "retired at that moment", kind: rp.SecurityQuestions, policy: until, want: methods.QuestionsRetired},
		{name: "only questions retire", kind: rp.Password, policy: until},
		{name: "no randomness", kind: rp.SMS, random: strings.NewReader("short"), want: "error: relying party broken: drawing a code: unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := everything(t).Begin(tt.kind, tt.policy, tt.random, start); code(err) != tt.want {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A code has as many digits as its kind says, whatever is drawn.
func TestCodesHaveTheirDigits(t *testing.T) {
	a := everything(t)
	for seed := range byte(50) {
		for kind, digits := range map[string]int{rp.SMS: 6, rp.Push: 2} {
			c, err := a.Begin(kind, rp.MethodPolicy{}, random(seed), start)
			if err != nil || len(c.Code) != digits || strings.Trim(c.Code, "0123456789") != "" {
				t.Fatalf("%s %q, %v", kind, c.Code, err)
			}
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
			if again := code(a.Finish(c, "", tt.policy, start)); tt.finished == methods.PushDenied && again != methods.CodeUsed {
				t.Errorf("finished again: %q", again)
			}
			if again := code(a.Answer(c, rp.Approve, tt.number, start)); tt.answered != methods.BadMethod && again != methods.PushAnswered {
				t.Errorf("answered again: %q", again)
			}
		})
	}
}

func TestAnswerOfNothing(t *testing.T) {
	a := everything(t)
	text, _ := a.Begin(rp.SMS, rp.MethodPolicy{}, random(1), start)
	push, _ := a.Begin(rp.Push, rp.MethodPolicy{}, random(1), start)
	if got := code(a.Answer(text, rp.Approve, text.Code, start)); got != methods.BadMethod {
		t.Errorf("a text: %q", got)
	}
	if got := code(a.Answer(push, rp.Approve, push.Code, start.Add(time.Minute))); got != methods.PushExpired {
		t.Errorf("too late: %q", got)
	}
	a.Remove(rp.Push)
	if got := code(a.Answer(push, rp.Approve, push.Code, start)); got != methods.BadMethod {
		t.Errorf("of a method that was removed: %q", got)
	}
}

// Whoever says no three times is asked no more: nobody tires somebody into saying yes.
func TestDenials(t *testing.T) {
	for _, answer := range []string{rp.Deny, rp.Report} {
		a := everything(t)
		for range 3 {
			c, err := a.Begin(rp.Push, rp.MethodPolicy{}, random(1), start)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Answer(c, answer, "", start); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := a.Begin(rp.Push, rp.MethodPolicy{}, random(1), start); code(err) != methods.MethodLocked {
			t.Errorf("%s: %v", answer, err)
		}
	}
}

// A method is locked at its last try, each time anew, and a right answer counts as
// none.
func TestTries(t *testing.T) {
	wrong := func(a *methods.Account, kind string, now time.Time) string {
		c, err := a.Begin(kind, rp.MethodPolicy{}, random(1), now)
		switch {
		case err != nil:
			return code(err)
		case kind != rp.Push:
			return code(a.Finish(c, "wrong", rp.MethodPolicy{}, now))
		}
		return code(a.Answer(c, rp.Approve, "wrong", now))
	}
	answers := map[string]string{rp.Password: secret, rp.SecurityQuestions: "rex\nnorth\nelm street"}
	for _, kind := range methods.Kinds() {
		t.Run(kind, func(t *testing.T) {
			facts, _ := methods.About(kind)
			a, now := everything(t), start
			for range 2 { // the second lock needs as many
				for range facts.Tries {
					if got := wrong(a, kind, now); got == methods.MethodLocked {
						t.Fatal("locked too early")
					}
				}
				if got := wrong(a, kind, now.Add(facts.Lock-1)); got != methods.MethodLocked {
					t.Fatalf("not locked after %d: %q", facts.Tries, got)
				}
				now = now.Add(facts.Lock)
			}
			for range 2 { // one try is left, and it is right
				for range facts.Tries - 1 {
					wrong(a, kind, now)
				}
				c, err := a.Begin(kind, rp.MethodPolicy{}, random(1), now)
				if err != nil {
					t.Fatal(err)
				}
				if kind == rp.Push {
					err = a.Answer(c, rp.Approve, c.Code, now)
				}
				if err = errors.Join(err, a.Finish(c, c.Code+answers[kind], rp.MethodPolicy{}, now)); err != nil {
					t.Fatal(err)
				}
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
