package methods

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fido-emu/rp"
)

// Account holds the methods of one person that are no passkeys and no pass. It is
// not safe for concurrent use.
type Account struct {
	person   string
	key      []byte // of the hashes of its secrets
	enrolled []*method
}

// method is one method of an account.
type method struct {
	facts     Facts
	address   string
	secret    [32]byte            // of a password
	questions []string            // in alphabetical order
	answers   map[string][32]byte // by question
	added     time.Time
	used      time.Time
	wrong     int       // answers in a row
	locked    time.Time // until when
}

// NewAccount returns the methods of a person, of which there are none. Secrets are
// held as hashes under key, which nobody else should have.
func NewAccount(person string, key []byte) *Account { return &Account{person: person, key: key} }

// Enrol adds a method, or puts another secret or address in its place.
func (a *Account) Enrol(e rp.Enrolment, now time.Time) error {
	f, ok := About(e.Kind)
	if !ok || f.Factor == Both {
		return refuse(BadMethod, "there is no method %q to enrol: want one of %s", e.Kind, strings.Join(Kinds(), ", "))
	}
	m := &method{facts: f, address: e.Address, added: now}
	var err error
	switch {
	case f.Addressed:
		err = checkAddress(e)
	case e.Kind == rp.Password:
		if err = a.checkPassword(e.Secret); err == nil {
			m.secret = a.hash(e.Kind, e.Secret)
		}
	default:
		err = a.keepAnswers(m, e.Answers)
	}
	if err != nil {
		return err
	}
	if old := a.find(e.Kind); old != nil {
		*old = *m
		return nil
	}
	a.enrolled = append(a.enrolled, m)
	return nil
}

func checkAddress(e rp.Enrolment) error {
	wrong := refuse(BadMethod, "%q is no address for %s: want a number such as +49 30 123456, a mailbox, or the name of a device", e.Address, e.Kind)
	if e.Address == "" || utf8.RuneCountInString(e.Address) > 128 || strings.ContainsAny(e.Address, "\r\n\x00") || !utf8.ValidString(e.Address) {
		return wrong
	}
	switch e.Kind {
	case rp.Email:
		if at, err := mail.ParseAddress(e.Address); err != nil || at.Address != e.Address {
			return wrong
		}
	case rp.SMS, rp.Voice:
		if !strings.HasPrefix(e.Address, "+") || len(digits(e.Address)) < 5 || strings.Trim(e.Address, "+0123456789 -()") != "" {
			return wrong
		}
	}
	return nil
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func (a *Account) checkPassword(text string) error {
	switch {
	case utf8.RuneCountInString(text) < 8 || len(text) > 256:
		return refuse(WeakPassword, "a password has 8 to 256 characters")
	case strings.EqualFold(text, a.person):
		return refuse(WeakPassword, "the user name is no password")
	}
	return nil
}

func (a *Account) keepAnswers(m *method, answers map[string]string) error {
	if len(answers) < 3 || len(answers) > 5 {
		return refuse(BadMethod, "3 to 5 security questions are asked, %d are answered", len(answers))
	}
	m.answers = map[string][32]byte{}
	for question, answer := range answers {
		if strings.TrimSpace(question) == "" || normal(answer) == "" || len(question)+len(answer) > 512 {
			return refuse(BadMethod, "a security question or its answer is empty or too long")
		}
		m.questions = append(m.questions, question)
		m.answers[question] = a.hash(question, normal(answer))
	}
	slices.Sort(m.questions)
	return nil
}

// normal makes answers that people take for the same the same.
func normal(answer string) string { return strings.ToLower(strings.Join(strings.Fields(answer), " ")) }

// Remove takes a method out and tells whether it was there.
func (a *Account) Remove(kind string) bool {
	before := len(a.enrolled)
	a.enrolled = slices.DeleteFunc(a.enrolled, func(m *method) bool { return m.facts.Kind == kind })
	return len(a.enrolled) < before
}

// List describes the methods in the order in which they were enrolled.
func (a *Account) List() []rp.Method {
	list := []rp.Method{}
	for _, m := range a.enrolled {
		d := Describe(m.facts.Kind, m.address)
		d.AddedAt, d.LastUsedAt = m.added, m.used
		list = append(list, d)
	}
	return list
}

// Describe returns a method of a kind as lists show it.
func Describe(kind, address string) rp.Method {
	f, _ := About(kind)
	return rp.Method{Kind: kind, Address: address, Phishable: f.Phishable, Strength: f.Strength, Uses: f.Uses}
}

func (a *Account) find(kind string) *method {
	i := slices.IndexFunc(a.enrolled, func(m *method) bool { return m.facts.Kind == kind })
	if i < 0 {
		return nil
	}
	return a.enrolled[i]
}

// hash binds a secret to its person and to what it is for.
func (a *Account) hash(what, text string) (h [32]byte) {
	mac := hmac.New(sha256.New, a.key)
	for _, part := range []string{strings.ToLower(a.person), what, text} {
		sum := sha256.Sum256([]byte(part))
		mac.Write(sum[:])
	}
	mac.Sum(h[:0])
	return h
}

// Mask hides most of an address from whoever has not proved who they are.
func Mask(address string) string {
	if name, domain, ok := strings.Cut(address, "@"); ok {
		r := []rune(name)
		return string(r[:min(1, len(r))]) + "•••@" + domain
	}
	if d := digits(address); strings.HasPrefix(address, "+") && len(d) > 2 {
		return "+••• " + d[len(d)-2:]
	}
	return address
}
