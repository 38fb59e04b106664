package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/web/inbox"
)

// Options says with what a description is opened. All may be left out.
type Options struct {
	Settings  map[string]string                          // settings of the description, before their variables and defaults
	Getenv    func(string) string                        // reads environment variables; none are set when nil
	Transport http.RoundTripper                          // one without a proxy when nil
	Now       func() time.Time                           // time.Now when nil
	Sleep     func(context.Context, time.Duration) error // between repetitions; real when nil
	Observe   func(Exchange)                             // is told of each step, from the goroutine that does it
	Inbox     *inbox.Inbox                               // where mail arrives, beside the description's own listeners
	Staged    bool                                       // the origin is nowhere but in the browser that is driven: its pages are those of the first base
	Run       string                                     // ${run}: what tells this run from others in user names
}

// Site is a relying party that a description tells of. An operation for which the
// description has no section is an *[rp.Unsupported].
type Site interface {
	rp.RelyingParty
	rp.SessionManager
	rp.CredentialManager
	rp.Administration
	rp.Directory
	rp.Recovery
	rp.Stepwise
	rp.Wishing
	rp.Headed
	Origin() string                // of the page where the ceremonies happen
	RPID() string                  //
	UserName(person string) string // of somebody in a scenario
	Capabilities() Capabilities    //
	Tells(member string) bool      // whether its list of passkeys has a member, such as sign-count
	Close() error                  // closes the inbox and connections
}

var _ Site = (*Party)(nil)

// Party is the open site.
type Party struct {
	d        *Description
	options  Options
	settings map[string]string
	secrets  masker
	origin   string
	rpID     string
	bases    []base
	hosts    []string // scheme://host of the bases
	mail     *inbox.Inbox
	stops    []func() error

	turn sync.Mutex // held by what happens, where the site is serial

	mu      sync.Mutex
	admin   *actor
	people  map[string]*actor // by folded user name
	devices map[string]*actor // new ones, of people who are about to come back in
	single  string            // user name, where there is one account
}

type base struct {
	name string
	url  *url.URL
}

// Open prepares a site: it settles the settings and starts the inbox, and sends no
// request yet. Close it when done.
func (d *Description) Open(ctx context.Context, o Options) (Site, error) {
	p := &Party{d: d, options: o, people: map[string]*actor{}, devices: map[string]*actor{}, mail: o.Inbox}
	p.options.Run = cmp.Or(o.Run, "0")
	if o.Now == nil {
		p.options.Now = time.Now
	}
	if o.Sleep == nil {
		p.options.Sleep = sleep
	}
	if o.Transport == nil {
		p.options.Transport = transport()
	}
	for _, prepare := range []func(context.Context) error{p.settle, p.locate, p.listen} {
		if err := prepare(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", d.File, err), p.Close())
		}
	}
	p.admin = p.newActor(admin)
	return p, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle finds the value of every setting.
func (p *Party) settle(context.Context) error {
	p.settings = map[string]string{}
	var missing []string
	for _, s := range p.d.settings {
		v, ok := p.options.Settings[s.name]
		if !ok && s.env != "" && p.options.Getenv != nil {
			v = p.options.Getenv(s.env)
			ok = v != ""
		}
		if !ok && s.fallback != nil {
			v, ok = *s.fallback, true
		}
		if !ok {
			missing = append(missing, fmt.Sprintf("setting %s (%s): set the environment variable %s", s.name, cmp.Or(s.text, "no text"), cmp.Or(s.env, "that you give it under env")))
		}
		p.settings[s.name] = v
		if s.secret {
			p.secrets.add(v)
		}
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, "; "))
	}
	return nil
}

func (p *Party) setting(name string) any {
	if v, ok := p.settings[name]; ok {
		return v
	}
	return nil
}

// locate finds the addresses, the origin and the RP ID.
func (p *Party) locate(context.Context) error {
	for _, b := range p.d.bases {
		text, err := b.value.text(p.setting)
		if err != nil {
			return err
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
			return fmt.Errorf("base %s: %q is no address such as https://login.example.com", b.name, text)
		}
		p.bases = append(p.bases, base{b.name, u})
		p.hosts = append(p.hosts, u.Scheme+"://"+u.Host)
	}
	p.origin = p.hosts[0]
	if p.d.origin != nil {
		text, err := p.d.origin.text(p.setting)
		if err != nil {
			return err
		}
		p.origin = text
	}
	u, err := url.Parse(p.origin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != p.origin {
		return fmt.Errorf("origin %q: scheme, host and port are expected, such as https://login.example.com", p.origin)
	}
	p.rpID = u.Hostname()
	if p.d.rpID != nil {
		p.rpID, err = p.d.rpID.text(p.setting)
	}
	return err
}

// listen starts the inbox.
func (p *Party) listen(ctx context.Context) error {
	if p.mail == nil {
		p.mail = &inbox.Inbox{}
	}
	for _, way := range []struct {
		at    *template
		serve func(net.Listener) func() error
	}{{p.d.smtp, p.mail.ServeSMTP}, {p.d.mailbox, p.mail.ServeMailbox}} {
		if way.at == nil {
			continue
		}
		text, err := way.at.text(p.setting)
		if err != nil {
			return err
		}
		if text == "" { // a setting that was left empty
			continue
		}
		l, err := inbox.Listen(ctx, text)
		if err != nil {
			return err
		}
		p.stops = append(p.stops, way.serve(l))
	}
	return nil
}

// Close stops the inbox and closes idle connections.
func (p *Party) Close() error {
	var errs []error
	for _, stop := range p.stops {
		errs = append(errs, stop())
	}
	p.stops = nil
	if t, ok := p.options.Transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

// Origin returns the origin of the page where the ceremonies happen.
func (p *Party) Origin() string { return p.origin }

// RPID returns the RP ID of the site.
func (p *Party) RPID() string { return p.rpID }

// Starts returns which relying party the harness is to start for the description;
// empty where there is none, or where an environment variable gives the address of one
// that runs.
func (d *Description) Starts(getenv func(string) string) string {
	for _, s := range d.settings {
		if s.name == "address" && s.env != "" && getenv(s.env) != "" {
			return ""
		}
	}
	return d.Server
}

// Capabilities returns what the site can do, as its description says.
func (p *Party) Capabilities() Capabilities { return p.d.Capabilities }

// UserName returns the user name of somebody who is called person in a scenario.
func (p *Party) UserName(person string) string {
	vars := func(name string) any {
		switch name {
		case "person":
			return person
		case "run":
			return p.options.Run
		case "rp-id":
			return p.rpID
		}
		return p.setting(name)
	}
	if p.d.userName != nil {
		if text, err := p.d.userName.text(vars); err == nil && text != "" {
			return text
		}
	}
	return person + "." + p.options.Run + "@" + p.rpID
}

// Tells tells whether the site's list of passkeys says something of them, by the
// member's name in a record, such as sign-count.
func (p *Party) Tells(member string) bool {
	for _, name := range []string{"person-credentials", "credentials"} {
		if s := p.d.sections[name]; s != nil {
			for _, b := range s.record {
				if b.name == member || member == "type" && b.name == "backup-eligible" {
					return true
				}
			}
			return false
		}
	}
	return false
}

// Code returns what a refusal is called in scenarios, by the description's codes: those
// for the site's own code, or for text that is part of its reason. It is the site's code
// where the description says nothing.
func (p *Party) Code(code, reason string) string {
	for _, c := range p.d.codes {
		if c.theirs == code || strings.Contains(strings.ToLower(reason), strings.ToLower(c.theirs)) {
			return c.ours
		}
	}
	return code
}

// enter makes an actor, who signed in, that of a person.
func (p *Party) enter(name string, a *actor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.signedIn = true
	p.people[fold(name)] = a
}

// isSignedIn tells whether a person signed in here and did not sign out.
func (p *Party) isSignedIn(name string) bool {
	a := p.actorOf(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.signedIn
}

// actorOf returns the actor of a person, a new one for somebody new.
func (p *Party) actorOf(name string) *actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.people[fold(name)]
	if a == nil {
		a = p.newActor(person)
		p.people[fold(name)] = a
	}
	return a
}

// deviceOf returns the new device of a person.
func (p *Party) deviceOf(name string) *actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.devices[fold(name)]
	if a == nil {
		a = p.newActor(device)
		p.devices[fold(name)] = a
	}
	return a
}

func fold(name string) string { return strings.ToLower(name) }
