package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"fido-emu/rp"
	"fido-emu/rp/web"
)

// Options says with what a description is opened. All may be left out.
type Options struct {
	Web         web.Options
	Browser     *Browser     // one that runs, which stays open; one is started for the site when nil
	Config      Config       // of one that is started; the description's hosts are added
	NoShim      bool         // whatever the description says
	Screenshots string       // folder for a picture of each step, made when needed; empty for none
	PicturesAs  string       // folder from which pictures are named in what is observed; empty for as they are
	OnSignal    func(Signal) // is told what pages say of the passkeys that they know
}

// party is what a site does over HTTP, and what it knows.
type party interface {
	web.Site
	Setting(name string) any
	Base(name string) (string, bool)
	ExpectPerson(ctx context.Context, who rp.Person) error
}

// site drives pages. It has the optional interfaces for what people do; what
// administrators do is added where the description says how.
type site struct {
	party
	d       *Description
	options Options
	web     web.Options
	browser *Browser
	own     bool   // the browser was started for the site
	stage   *stage // of pages elsewhere; nil in a browser that is not its own

	mu     sync.Mutex
	people map[string]*Tab // of those who have been here, by folded user name
	inside map[*Tab]bool   // whose person signed in and did not sign out
	shots  int
}

var _ interface {
	rp.SessionManager
	rp.CredentialManager
	rp.Recovery
} = (*site)(nil)

// Open starts Chromium, where none is given, and prepares the site. Close it when done.
// An operation that the description lacks is an *[rp.Unsupported].
func (d *Description) Open(ctx context.Context, o Options) (web.Site, error) {
	overHTTP, err := d.Description.Open(ctx, o.Web)
	if err != nil {
		return nil, err
	}
	p, ok := overHTTP.(party)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s: a site over HTTP that tells no settings", d.File), overHTTP.Close())
	}
	s := &site{party: p, d: d, options: o, web: o.Web, browser: o.Browser, people: map[string]*Tab{}, inside: map[*Tab]bool{}}
	if s.browser == nil {
		if err := s.start(ctx, o.Config); err != nil {
			return nil, errors.Join(err, overHTTP.Close())
		}
	}
	return s, nil
}

// start starts a browser for the site, with a stage.
func (s *site) start(ctx context.Context, c Config) (err error) {
	base := s.Origin()
	if s.web.Staged {
		base, _ = s.party.Base("")
	}
	if s.stage, err = openStage(s.Origin(), base); err != nil {
		return err
	}
	c.Only = append(append(c.Only, s.hostNames()...), s.d.hosts...)
	if s.browser, err = Start(context.WithoutCancel(ctx), s.stage.set(c, s.web.Staged)); err != nil {
		return errors.Join(err, s.stage.Close())
	}
	s.own = true
	return nil
}

// hostNames lists the hosts of the bases and of the origin.
func (s *site) hostNames() (names []string) {
	for _, f := range s.d.Section("bases").Fields {
		if base, ok := s.party.Base(f.Name); ok {
			if u, err := url.Parse(base); err == nil {
				names = append(names, u.Hostname())
			}
		}
	}
	if u, err := url.Parse(s.Origin()); err == nil && !s.web.Staged {
		names = append(names, u.Hostname())
	}
	return names
}

func (s *site) setting(name string) any { return s.party.Setting(name) }

func (s *site) nextShot() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shots++
	return s.shots
}

// Tells tells whether a list of passkeys says something of them: the administrators',
// where there is one, or else that of the pages.
func (s *site) Tells(member string) bool {
	section := s.d.sections["credentials"]
	if section == nil || s.d.Has("person-credentials") {
		return s.party.Tells(member)
	}
	for _, p := range section.record {
		if p.name == member || member == "type" && p.name == "backup-eligible" {
			return true
		}
	}
	return false
}

// Close closes the tabs, and the browser where it was started for the site.
func (s *site) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, t := range s.people {
		errs = append(errs, t.Close())
	}
	s.people = map[string]*Tab{}
	if s.own {
		errs = append(errs, s.browser.Close(), s.stage.Close())
	}
	return errors.Join(append(errs, s.party.Close())...)
}

func fold(name string) string { return strings.ToLower(name) }

// shimmed tells whether pages are answered by our authenticators.
func (s *site) shimmed() bool { return !s.options.NoShim && s.d.shim }

func (s *site) newTab(ctx context.Context) (*Tab, error) {
	return s.browser.NewTab(ctx, TabOptions{NoShim: !s.shimmed(), NoPlatform: !s.d.platform, Related: s.web.Staged, OnSignal: s.options.OnSignal})
}

// tabOf returns the tab of a person, a new one for somebody new.
func (s *site) tabOf(ctx context.Context, name string) (*Tab, error) {
	s.mu.Lock()
	t := s.people[fold(name)]
	s.mu.Unlock()
	if t != nil {
		return t, nil
	}
	t, err := s.newTab(ctx)
	if err != nil {
		return nil, err
	}
	return t, s.keep(name, t, false)
}

// keep makes a tab that of a person, in place of an older one.
func (s *site) keep(name string, t *Tab, inside bool) error {
	s.mu.Lock()
	old := s.people[fold(name)]
	s.people[fold(name)] = t
	s.inside[t] = inside
	s.mu.Unlock()
	if old == nil || old == t {
		return nil
	}
	return s.drop(old)
}

func (s *site) drop(t *Tab) error {
	s.mu.Lock()
	delete(s.inside, t)
	s.mu.Unlock()
	return t.Close()
}

// begin prepares a passage through a section in a tab.
func (s *site) begin(section, what string, who rp.Person, given map[string]any) (*run, error) {
	found := s.d.sections[section]
	if found == nil {
		return nil, &rp.Unsupported{What: what}
	}
	r := &run{site: s, section: found, who: who, vars: map[string]any{
		"origin": s.Origin(), "rp-id": s.RPID(), "run": cmp.Or(s.web.Run, "0"),
		"person": who.Name, "person.name": who.Name, "person.display-name": who.DisplayName, "signed-in": false,
		"shim": s.shimmed(), "suggested": who.Name == "" && s.shimmed(),
	}}
	for name, v := range given {
		r.vars[name] = v
	}
	return r, nil
}

// perform goes through a section in the tab of a person.
func (s *site) perform(ctx context.Context, section, what string, who rp.Person, given map[string]any) (*run, error) {
	r, err := s.begin(section, what, who, given)
	if err != nil {
		return nil, err
	}
	if r.tab, err = s.tabOf(ctx, who.Name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	r.vars["signed-in"] = s.inside[r.tab]
	s.mu.Unlock()
	return r, r.take(ctx)
}
