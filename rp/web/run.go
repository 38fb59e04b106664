package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// run is one passage through a section.
type run struct {
	party   *Party
	section *section
	who     rp.Person
	main    *actor // whose cookies go along where a step does not say
	client  webauthn.Client

	given   map[string]any // what the caller gives, and the harness sets
	vars    map[string]any // what steps took
	current *actor         // of the step under way
	last    *answer
	steps   int   // taken
	now     *step // under way
	next    int   // of the same steps, the one after it

	wishes map[string]string // what the client asks for beyond what its page does
	wished []*call           // in which requests

	headers map[string]string // of requests once the browser was asked
	proving bool              // the steps under way are those of the proof

	response []byte // the authenticator's latest
	used     []byte // ID of its passkey
}

// begin prepares a passage through a section. End it.
func (p *Party) begin(section, what string, who rp.Person) (*run, error) {
	s := p.d.sections[section]
	if s == nil {
		return nil, &rp.Unsupported{What: what}
	}
	if err := p.alone(who); err != nil {
		return nil, err
	}
	if p.d.Capabilities.Serial {
		p.turn.Lock()
	}
	groups := []any{}
	for _, g := range who.Groups {
		groups = append(groups, g)
	}
	r := &run{party: p, section: s, who: who, vars: map[string]any{}, given: map[string]any{
		"origin": p.origin, "rp-id": p.rpID, "run": p.options.Run, "now": p.options.Now().UTC().Format(time.RFC3339),
		"person": who.Name, "person.name": who.Name, "person.display-name": who.DisplayName, "person.groups": groups,
	}}
	switch s.kind.as {
	case admin:
		r.main = p.admin
	case person:
		r.main = p.actorOf(who.Name)
	case device:
		r.main = p.deviceOf(who.Name)
	}
	r.current = r.main
	return r, nil
}

func (r *run) end() {
	if r.party.d.Capabilities.Serial {
		r.party.turn.Unlock()
	}
}

// alone holds a site with one account to one person.
func (p *Party) alone(who rp.Person) error {
	if !p.d.Capabilities.SingleUser || who.Name == "" {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.single != "" && p.single != fold(who.Name) {
		return &rp.Unsupported{What: "more than one account"}
	}
	p.single = fold(who.Name)
	return nil
}

// perform goes through a section.
func (p *Party) perform(ctx context.Context, section, what string, who rp.Person, given map[string]any) (*run, error) {
	r, err := p.begin(section, what, who)
	if err != nil {
		return nil, err
	}
	defer r.end()
	for name, v := range given {
		r.given[name] = v
	}
	return r, r.through(ctx)
}

// through takes the steps of the section, and those of its proof. A proof that fails
// after all was accepted is a site that contradicts itself.
func (r *run) through(ctx context.Context) error {
	if err := r.take(ctx, r.section.steps, 0, false); err != nil {
		return err
	}
	return r.prove(ctx)
}

// prove takes the steps of the section's proof.
func (r *run) prove(ctx context.Context) error {
	if len(r.section.proof) == 0 {
		return nil
	}
	r.proving = true
	err := r.take(ctx, r.section.proof, 0, true)
	if _, away := errors.AsType[*rp.Unreachable](err); err == nil || away || ctx.Err() != nil {
		return err
	}
	if inner, ok := errors.AsType[*rp.Broken](err); ok { // broken is said once
		err = fmt.Errorf("%s: %w", inner.Doing, inner.Err)
	}
	return broken(r.section.kind.name, fmt.Errorf("accepted, but a follow-up call does not show it: %w", err))
}

// take takes steps from one on, in order but for jumps.
func (r *run) take(ctx context.Context, steps []step, first int, proof bool) error {
	for i := first; i < len(steps); {
		if r.steps++; r.steps > r.party.d.limits.steps {
			return broken(r.section.kind.name, fmt.Errorf("more than %d steps: it goes round in circles (see limits)", r.party.d.limits.steps))
		}
		s := &steps[i]
		i++
		if s.when != nil {
			is, err := s.when.holds(r.lookup)
			if err != nil {
				return fmt.Errorf("%s: when: %w", s.at, err)
			}
			if !is {
				continue
			}
		}
		if s.jump != "" {
			i = slices.IndexFunc(steps, func(t step) bool { return t.label == s.jump })
		}
		r.now, r.next = s, i
		if err := r.step(ctx, s, proof); err != nil {
			return err
		}
	}
	return nil
}

// step takes one step and tells the observer of it.
func (r *run) step(ctx context.Context, s *step, proof bool) error {
	r.current = r.main
	switch s.as {
	case admin:
		r.current = r.party.admin
	case device:
		r.current = r.party.deviceOf(r.who.Name)
	case person:
		if r.section.kind.as != person { // a sign-in has a browser of its own
			r.current = r.party.actorOf(r.who.Name)
		}
	}
	x := r.exchange(s, proof)
	err := r.act(ctx, s, &x)
	if !errors.Is(err, errPaused) {
		r.tell(x, err)
	}
	return err
}

func (r *run) exchange(s *step, proof bool) Exchange {
	return Exchange{Section: r.section.kind.name, Place: s.at.String(), Note: s.note, Actor: r.current.role, Kind: s.verb, Proof: proof}
}

func (r *run) act(ctx context.Context, s *step, x *Exchange) error {
	switch s.verb {
	case "request":
		return r.request(ctx, s, x)
	case "create", "get":
		return r.ceremony(ctx, s, x)
	case "mail":
		return r.mail(ctx, s.mail, x)
	case "set":
		return r.set(s, x)
	case "refuse", "unsupported":
		text, err := s.reason.text(r.lookup)
		if err != nil {
			return err
		}
		if s.verb == "unsupported" {
			return &rp.Unsupported{What: text}
		}
		return &rp.Refused{Code: "refused", Reason: text}
	}
	return nil
}

// lookup finds a variable: of the section, of the actors, of the harness, a setting.
func (r *run) lookup(name string) any {
	if v, ok := r.vars[name]; ok {
		return v
	}
	if v, ok := r.kept(name); ok {
		return v
	}
	if name == "body" {
		if r.last == nil {
			return nil
		}
		v, _ := r.last.json() // nothing where the answer is no JSON
		return v
	}
	if v, ok := r.given[name]; ok {
		return v
	}
	return r.party.setting(name)
}

func (r *run) kept(name string) (any, bool) {
	r.party.mu.Lock()
	defer r.party.mu.Unlock()
	if name == "signed-in" {
		return r.main.signedIn, true
	}
	for _, a := range []*actor{r.current, r.main, r.party.admin} {
		if v, ok := a.vars[name]; ok {
			return v, true
		}
	}
	return nil, false
}

func (r *run) source() source {
	return source{answer: r.last, jar: r.cookie}
}

// cookie returns a cookie that the actor would send to any of the bases.
func (r *run) cookie(name string) string {
	for _, b := range r.party.bases {
		for _, c := range r.current.jar.Cookies(b.url) {
			if c.Name == name {
				return c.Value
			}
		}
	}
	return ""
}

func (r *run) set(s *step, x *Exchange) error {
	for _, a := range s.set {
		v, err := fill(&a.value, r.lookup)
		if err != nil {
			return fmt.Errorf("%s: set %s: %w", s.at, a.name, err)
		}
		r.vars[a.name] = v
		x.took(r.party, a.name, v, false)
	}
	return nil
}

func (r *run) mail(ctx context.Context, m *mail, x *Exchange) error {
	to, err := m.to.text(r.lookup)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, m.within)
	defer cancel()
	found, err := r.party.mail.Take(ctx, to, m.pattern)
	if err != nil {
		return broken("mail", err)
	}
	x.Line = "mail to " + to
	r.vars[m.save] = found
	x.took(r.party, m.save, found, true)
	return nil
}

// ceremony asks the browser.
func (r *run) ceremony(ctx context.Context, s *step, x *Exchange) error {
	if r.client == nil {
		return fmt.Errorf("%s: no browser takes part in %s", s.at, r.section.kind.name)
	}
	options, err := r.ceremonyOptions(s.ceremony)
	if err != nil {
		return broken("options", fmt.Errorf("%s: %w", s.at, err))
	}
	ask := r.client.Get
	if s.verb == "create" {
		ask = r.client.Create
	}
	x.Line, x.Request = "navigator.credentials."+s.verb+" at "+r.party.origin, options
	x.Response, err = ask(ctx, r.party.origin, options)
	if err == nil {
		r.answered(s.ceremony, x.Response)
	}
	return err
}

// answered takes over what the browser's authenticator responded.
func (r *run) answered(c *ceremony, response []byte) {
	v, err := decodeJSON(response)
	if err != nil {
		v = string(response) // an audit may send what is none; it goes as text
	}
	r.response, r.vars[c.save], r.given["response"] = response, v, v
	if id, ok := at(v, "/rawId"); ok {
		r.used, _ = anyBase64(textOf(id)) // what is no ID is refused by the site
		r.given["credential"] = idText(r.used)
	}
}

// request sends a request, again where repeat says so, and judges the answer.
func (r *run) request(ctx context.Context, s *step, x *Exchange) error {
	rep := cmp.Or(s.repeat, r.party.d.repeat)
	for n := 1; ; n++ {
		if err := r.send(ctx, s, x); err != nil {
			return err
		}
		again, err := r.again(rep, n)
		if err != nil {
			return err
		}
		if !again {
			return r.judge(s, x)
		}
		if err := r.party.options.Sleep(ctx, r.pause(rep)); err != nil {
			return err
		}
	}
}

func (r *run) send(ctx context.Context, s *step, x *Exchange) error {
	request, body, err := r.build(ctx, s.call)
	if err != nil {
		return fmt.Errorf("%s: %w", s.at, err)
	}
	x.Line, x.Request, x.Status, x.Response = request.Method+" "+request.URL.String(), body, 0, nil
	x.times++
	r.last = nil
	got, err := r.party.do(request, r.current, s.call.follow)
	if err != nil {
		s := &r.party.secrets
		if away := rp.ReachError(request.URL.Host, err); away != nil {
			away.Err = masked{s.mask(err.Error()), err}
			return away
		}
		return broken(s.mask(request.Method+" "+request.URL.Redacted()), masked{s.mask(err.Error()), err})
	}
	r.last = got
	r.given["status"], r.given["url"] = json.Number(strconv.Itoa(got.status)), got.url.String()
	x.Status, x.Response, x.cookies = got.status, got.body, (&http.Response{Header: got.header}).Cookies()
	return nil
}

func (r *run) again(rep *repeat, n int) (bool, error) {
	if rep == nil || n >= rep.times {
		return false, nil
	}
	return rep.while.holds(r.lookup)
}

// maxPause is the longest that a site may ask us to wait.
const maxPause = time.Minute

// pause is how long to wait: as the description says, or longer where Retry-After (RFC
// 9110, section 10.2.3) asks for it.
func (r *run) pause(rep *repeat) time.Duration {
	wait := rep.pause
	after := r.last.header.Get("Retry-After")
	if n, err := strconv.Atoi(after); err == nil && n > 0 {
		wait = max(wait, time.Duration(min(n, 3600))*time.Second)
	} else if t, err := http.ParseTime(after); err == nil {
		wait = max(wait, t.Sub(r.party.options.Now()))
	}
	return min(wait, maxPause)
}
