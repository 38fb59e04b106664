package methods

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"fido-emu/rp"
)

// triesOfOne is how many wrong answers one challenge takes before it is given up.
const triesOfOne = 3

// Challenge is one proof under way. Its code counts once, and for this proof alone.
type Challenge struct {
	Kind      string
	Address   string   // where it was sent; empty where nothing was
	Code      string   // to be typed on the page; of a push, the number to be typed in the app, empty without number matching
	Questions []string // to be answered, in this order
	Expires   time.Time

	wrong  int
	over   bool   // proved, or given up
	answer string // of a push: rp.Approve, rp.Deny or rp.Report
}

// Begin begins a proof with a method. What is in Code has then to be sent, or, of a
// push, to be shown on the page.
func (a *Account) Begin(kind string, policy rp.MethodPolicy, random io.Reader, now time.Time) (*Challenge, error) {
	m, err := a.usable(kind, policy, now)
	if err != nil {
		return nil, err
	}
	c := &Challenge{Kind: kind, Address: m.address, Questions: m.questions}
	if m.facts.Lifetime > 0 {
		c.Expires = now.Add(m.facts.Lifetime)
	}
	if m.facts.Digits > 0 && (kind != rp.Push || !policy.NoNumberMatching) {
		c.Code, err = number(random, m.facts.Digits)
	}
	return c, err
}

// usable returns a method that may be used now.
func (a *Account) usable(kind string, policy rp.MethodPolicy, now time.Time) (*method, error) {
	if err := Allowed(kind, policy, now); err != nil {
		return nil, err
	}
	m := a.find(kind)
	switch {
	case m == nil:
		return nil, refuse(MethodMissing, "%s has no %s", a.person, kind)
	case now.Before(m.locked):
		return nil, refuse(MethodLocked, "too many wrong answers: wait until %s", m.locked.UTC().Format(time.RFC3339))
	}
	return m, nil
}

// Allowed tells why a policy does not take a kind of method, nil when it does.
func Allowed(kind string, policy rp.MethodPolicy, now time.Time) error {
	for _, d := range policy.Disabled {
		if d == kind {
			return refuse(MethodNotAllowed, "%s is switched off here", kind)
		}
	}
	if u := policy.QuestionsUntil; kind == rp.SecurityQuestions && !u.IsZero() && !now.Before(u) {
		return refuse(QuestionsRetired, "security questions are no longer taken since %s", u.UTC().Format(time.DateOnly))
	}
	return nil
}

// Finish takes what was typed for a challenge: a password, a code, or answers, one
// a line, in the order of Questions; for a push, what the app said counts. A try is
// counted before the comparison.
func (a *Account) Finish(c *Challenge, typed string, policy rp.MethodPolicy, now time.Time) error {
	m, err := a.usable(c.Kind, policy, now)
	switch {
	case err != nil:
		return err
	case c.over:
		return refuse(CodeUsed, "this was used, or given up after too many wrong answers")
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return c.expired()
	case c.Kind == rp.Push:
		err = c.pushed()
	default:
		err = a.compare(m, c, typed, now)
	}
	if err == nil {
		c.over, m.wrong, m.locked, m.used = true, 0, time.Time{}, now
	}
	return err
}

func (c *Challenge) expired() error {
	if c.Kind == rp.Push {
		return refuse(PushExpired, "nobody answered the request in time")
	}
	return refuse(CodeExpired, "this code was good until %s", c.Expires.UTC().Format(time.RFC3339))
}

func (a *Account) compare(m *method, c *Challenge, typed string, now time.Time) error {
	m.miss(now)
	if c.wrong++; c.wrong >= triesOfOne && c.Code != "" {
		c.over = true
	}
	code, what, right := CodeWrong, "this is not the code that was sent", hmac.Equal([]byte(strings.TrimSpace(typed)), []byte(c.Code))
	switch c.Kind {
	case rp.Password:
		given := a.hash(c.Kind, typed)
		code, what, right = PasswordWrong, "this is not the password", hmac.Equal(given[:], m.secret[:])
	case rp.SecurityQuestions:
		code, what, right = AnswersWrong, "these are not the answers", a.answered(m, c, typed)
	}
	if !right {
		return refuse(code, "%s", what)
	}
	return nil
}

// answered compares all answers, also behind a wrong one.
func (a *Account) answered(m *method, c *Challenge, typed string) bool {
	lines := strings.Split(typed, "\n")
	right := len(lines) == len(c.Questions)
	for i, question := range c.Questions {
		want, known := m.answers[question]
		if i >= len(lines) || !known {
			return false
		}
		given := a.hash(question, normal(lines[i]))
		right = hmac.Equal(given[:], want[:]) && right
	}
	return right
}

// miss counts a try, and locks the method when there were too many.
func (m *method) miss(now time.Time) {
	m.wrong++
	if m.wrong >= m.facts.Tries {
		m.wrong, m.locked = 0, now.Add(m.facts.Lock)
	}
}

func (c *Challenge) pushed() error {
	switch c.answer {
	case rp.Approve:
		return nil
	case "":
		return refuse(PushWaiting, "the request in the app is not answered yet")
	}
	c.over = true
	return refuse(PushDenied, "the request in the app was denied")
}

// Answer takes what whoever holds the phone taps: rp.Approve with the number that
// is on the page, rp.Deny or rp.Report. A request is answered once; a wrong number
// denies it.
func (a *Account) Answer(c *Challenge, answer, typed string, now time.Time) error {
	m := a.find(c.Kind)
	switch {
	case c.Kind != rp.Push || m == nil:
		return refuse(BadMethod, "%s is not answered in an app", c.Kind)
	case c.answer != "" || c.over:
		return refuse(PushAnswered, "this request was answered before")
	case !now.Before(c.Expires):
		return c.expired()
	case answer == rp.Approve && c.Code != "" && !hmac.Equal([]byte(typed), []byte(c.Code)):
		c.answer = rp.Deny
		m.miss(now)
		return refuse(PushNumberWrong, "this is not the number on the page: the request is denied")
	case answer == rp.Deny || answer == rp.Report:
		m.miss(now)
	case answer != rp.Approve:
		return refuse(BadMethod, "a request is answered with %s, %s or %s, not %q", rp.Approve, rp.Deny, rp.Report, answer)
	}
	c.answer = answer
	return nil
}

// number draws a number of n digits. That some come more often than others by one
// in 2^60 does not matter.
func number(random io.Reader, n int) (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", &rp.Broken{Doing: "drawing a code", Err: err}
	}
	limit := uint64(1)
	for range n {
		limit *= 10
	}
	return fmt.Sprintf("%0*d", n, binary.BigEndian.Uint64(b[:])%limit), nil
}
