package web

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fido-emu/rp"
)

// judge tells accepted, refused and broken apart, and takes variables out of what was
// accepted.
func (r *run) judge(s *step, x *Exchange) error {
	no, why, err := r.isRefusal(s)
	if err != nil {
		return fmt.Errorf("%s: refused: %w", s.at, err)
	}
	if no != nil {
		x.Why = why
		return no
	}
	if why, err := r.unexpected(s); err != nil {
		return fmt.Errorf("%s: expect: %w", s.at, err)
	} else if why != "" {
		return broken(r.party.secrets.mask(x.Line), errors.New(r.party.secrets.mask(why)))
	}
	if err := r.takeAll(s, x); err != nil {
		return broken(r.party.secrets.mask(x.Line), err)
	}
	for _, c := range s.expect.that {
		is, err := c.holds(r.lookup)
		if err != nil {
			return fmt.Errorf("%s: expect: %w", s.at, err)
		}
		if !is {
			return broken(r.party.secrets.mask(x.Line), fmt.Errorf("%s does not hold", c.source))
		}
	}
	return nil
}

func (r *run) takeAll(s *step, x *Exchange) error {
	for _, t := range s.take {
		v, err := t.from.find(r.source(), r.lookup)
		if err != nil {
			return fmt.Errorf("take %s: %w", t.name, err)
		}
		r.vars[t.name] = v
		x.took(r.party, t.name, v, t.from.secret || t.from.kind == "cookie")
	}
	for _, t := range s.keep {
		v, err := t.from.find(r.source(), r.lookup)
		if err != nil {
			return fmt.Errorf("keep %s: %w", t.name, err)
		}
		r.party.mu.Lock()
		r.current.vars[t.name] = v
		r.party.mu.Unlock()
		x.took(r.party, t.name, v, t.from.secret || t.from.kind == "cookie")
	}
	return nil
}

// isRefusal tells whether the answer is a no, and by what.
func (r *run) isRefusal(s *step) (*rp.Refused, string, error) {
	of := r.party.d.refused
	if s.refused != nil {
		if s.refused.says() {
			of.statuses, of.json, of.text = s.refused.statuses, s.refused.json, s.refused.text
		}
		if s.refused.code != nil {
			of.code = s.refused.code
		}
		if s.refused.reason != nil {
			of.reason = s.refused.reason
		}
	}
	why, err := r.says(of, s.expect.statuses)
	if err != nil || why == "" {
		return nil, "", err
	}
	no := &rp.Refused{Status: r.last.status, Code: r.say(of.code), Reason: r.say(of.reason)}
	if no.Code == "" {
		no.Code = fmt.Sprintf("status-%d", r.last.status)
	}
	if no.Reason == "" {
		no.Reason = "the site said no, and not why"
		if text := strings.TrimSpace(string(r.last.body)); text != "" {
			no.Reason = r.party.secrets.mask(clip(text, 200))
		}
	}
	no.Code = r.party.Code(no.Code, no.Reason)
	return no, why, nil
}

// says tells by what an answer is a no; empty when it is none. A status that the step
// expects is no refusal.
func (r *run) says(of refusal, expected []int) (why string, err error) {
	status := r.last.status
	if !slices.Contains(expected, status) {
		if slices.Contains(of.statuses, status) {
			return fmt.Sprintf("status %d is listed under refused", status), nil
		}
		if !of.says() && status >= 400 && status < 500 {
			return fmt.Sprintf("status %d is one of 400 to 499", status), nil
		}
	}
	if of.text != nil && of.text.Match(r.last.body) {
		return fmt.Sprintf("the body fits %s, which is under refused", of.text), nil
	}
	if len(of.json) == 0 {
		return "", nil
	}
	v, err := r.last.json()
	if err != nil {
		return "", nil // no JSON, so nothing is in it
	}
	for _, m := range of.json {
		differs, err := m.differs(v, r.lookup)
		if err != nil {
			return "", err
		}
		if differs == "" {
			return fmt.Sprintf("%s is what refused says", m.pointer), nil
		}
	}
	return "", nil
}

func (r *run) say(e *extraction) string {
	if e == nil {
		return ""
	}
	v, err := e.find(r.source(), r.lookup)
	if err != nil {
		return "" // a no without a reason is a no
	}
	return textOf(v)
}

// unexpected says how the answer is not what the step expects; empty when it is.
func (r *run) unexpected(s *step) (string, error) {
	e, status := s.expect, r.last.status
	switch {
	case len(e.statuses) > 0 && !slices.Contains(e.statuses, status):
		return fmt.Sprintf("status %d, want %s", status, strings.Join(strings.Fields(strings.Trim(fmt.Sprint(e.statuses), "[]")), " or ")), nil
	case len(e.statuses) == 0 && (status < 200 || status > 299) && (s.call.follow || status < 300 || status > 399):
		return fmt.Sprintf("status %d, want one of 200 to 299", status), nil
	case e.text != nil && !e.text.Match(r.last.body):
		return fmt.Sprintf("the body does not fit %s", e.text), nil
	case len(e.json)+len(e.not) == 0:
		return "", nil
	}
	v, err := r.last.json()
	if err != nil {
		return err.Error(), nil
	}
	for _, m := range e.json {
		if why, err := m.differs(v, r.lookup); err != nil || why != "" {
			return why, err
		}
	}
	for _, m := range e.not {
		if why, err := m.differs(v, r.lookup); err != nil {
			return "", err
		} else if why == "" {
			return m.pointer + " is there, and must not be", nil
		}
	}
	return "", nil
}
