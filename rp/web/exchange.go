package web

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"fido-emu/rp"
)

// Exchange is a step that was taken, as it may be shown: secrets are masked.
type Exchange struct {
	Section  string // such as sign-in
	Place    string // of the step: file:line:column
	Note     string // why the step is there
	Actor    string // person, admin or device
	Kind     string // request, create, get, mail, set, refuse or unsupported
	Proof    bool   // whether it is part of the proof
	Line     string // such as POST http://localhost:8080/api/signin/begin
	Request  []byte // body, or options of a ceremony
	Status   int    // of the answer; 0 for none
	Response []byte // body, or the authenticator's response
	Taken    []Taken
	Verdict  string // accepted, refused, broken, unsupported or failed
	Why      string // by what
	Picture  string // file of a screenshot; empty for none

	times   int
	cookies []*http.Cookie
}

// Taken is a variable that a step set.
type Taken struct{ Name, Value string }

// The verdicts on a step. Failed is what neither the site nor its description is
// to blame for, such as a device that does not answer.
const (
	Accepted    = "accepted"
	RefusedBy   = "refused"
	BrokenBy    = "broken"
	Unsupported = "unsupported"
	Failed      = "failed"
)

func (x *Exchange) took(p *Party, name string, v any, secret bool) {
	if secret || secretName.MatchString(name) {
		p.secrets.add(textOf(v))
	}
	x.Taken = append(x.Taken, Taken{name, textOf(v)})
}

// tell judges a step for the observer and masks what is secret.
func (r *run) tell(x Exchange, err error) {
	for _, c := range x.cookies {
		r.party.secrets.add(c.Value)
	}
	if r.party.options.Observe == nil {
		return
	}
	x.Verdict = verdictOf(err)
	switch {
	case err != nil && x.Why == "":
		x.Why = err.Error()
	case err == nil && x.Why == "":
		x.Why = r.grounds(x)
	}
	if x.times > 1 {
		x.Why += fmt.Sprintf(" (sent %d times)", x.times)
	}
	s := &r.party.secrets
	x.Line, x.Why = s.mask(x.Line), s.mask(x.Why)
	x.Request, x.Response = []byte(s.maskBody(x.Request)), []byte(s.maskBody(x.Response))
	for i := range x.Taken {
		x.Taken[i].Value = s.maskBody([]byte(x.Taken[i].Value))
	}
	r.party.options.Observe(x)
}

func verdictOf(err error) string {
	var no *rp.Refused
	var fault *rp.Broken
	var lacks *rp.Unsupported
	switch {
	case err == nil:
		return Accepted
	case errors.As(err, &no):
		return RefusedBy
	case errors.As(err, &fault):
		return BrokenBy
	case errors.As(err, &lacks):
		return Unsupported
	}
	return Failed
}

func (r *run) grounds(x Exchange) string {
	switch x.Kind {
	case "request":
		return fmt.Sprintf("status %d, and all that the step expects holds", x.Status)
	case "create", "get":
		return "the authenticator answered"
	case "mail":
		return "a message fits"
	}
	return ""
}

// masker knows what must not be shown.
type masker struct {
	mu      sync.Mutex
	secrets []string
}

// secretName are names of what is secret wherever it stands.
var secretName = regexp.MustCompile(`(?i)(token|secret|password|passwd|csrf|cookie|session-?id|authorization|api-?key|^pass$|temporaryAccessPass|^code$|one-?time)`)

// mark stands for a secret.
const mark = "•••"

// add makes a text secret. What is too short to be one is not looked for elsewhere.
func (m *masker) add(secret string) {
	if len(secret) < 4 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.secrets {
		if s == secret {
			return
		}
	}
	m.secrets = append(m.secrets, secret)
}

func (m *masker) mask(text string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.secrets {
		text = strings.ReplaceAll(text, s, mark)
	}
	return text
}

// masked is an error whose text holds no secrets, such as an address with a token in it.
type masked struct {
	text string
	err  error
}

func (m masked) Error() string { return m.text }
func (m masked) Unwrap() error { return m.err }

// maskBody masks secrets in a body, and members of JSON whose names are those of
// secrets.
func (m *masker) maskBody(body []byte) string {
	v, err := decodeJSON(body)
	if err != nil {
		return m.mask(string(body))
	}
	return m.mask(compact(hide(v)))
}

func hide(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if _, text := inner.(string); text && secretName.MatchString(name) {
				v[name] = mark
				continue
			}
			v[name] = hide(inner)
		}
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	}
	return v
}
