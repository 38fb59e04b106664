package reference

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
)

// desk is what an administrator sees on the page.
type desk struct {
	Profiles  []profileView
	Room      int // profiles that there can be beside these
	Disabled  bool
	NoSelf    bool
	Groups    []groupView
	People    []personView
	From, To  int // of the people shown, counted from 1
	Total     int
	Back      string // addresses of the people before and after; empty where there are none
	Next      string
	Policies  []GroupPolicy
	Metadata  metadataJSON
	Overdue   bool // the metadata should have been replaced by now
	Events    []eventJSON
	Everybody string // name of the target that is everybody
}

// profileView is a passkey profile with whom it is for.
type profileView struct {
	rp.PasskeyProfile
	Default bool
	Groups  []string
	People  int
	Models  []modelView
}

// modelView is a model of authenticator.
type modelView struct{ AAGUID, Name string }

// groupView is a group with what rules it.
type groupView struct {
	Name     string
	People   int
	Profiles []string // names
	Own      bool     // it has a policy of its own
}

// personView is a person with what rules them.
type personView struct {
	Account
	Passkeys []passkeyView
	Rules    []string // titles of the rules of which they need to meet one
}

// passkeyView is a passkey, and why it cannot be used now.
type passkeyView struct {
	credentialJSON
	Stopped string // reason for people; empty when it can be used
}

// The page shows so many people and events; the API gives the rest.
const (
	shownPeople = 50
	shownEvents = 30
)

func (s *server) admin(r *http.Request, p *page) string {
	if p.Admin = s.isAdminCookie(s.cookie(r, adminCookie)); !p.Admin {
		return ""
	}
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil {
		from = 0
	}
	p.Desk = s.core.desk(max(from, 0))
	events := s.core.Latest(shownEvents)
	for i := len(events) - 1; i >= 0; i-- { // newest first
		p.Desk.Events = append(p.Desk.Events, eventJSON{events[i], events[i].Credential})
	}
	p.Desk.Policies, p.Desk.Metadata = s.core.Policies(), s.core.metadataJSON()
	p.Desk.Overdue = p.Desk.Metadata.Number > 0 && p.Now.After(p.Desk.Metadata.NextUpdate.Add(24*time.Hour))
	return ""
}

// desk gathers what is shown of profiles, groups and people, from the one at from on.
func (c *Core) desk(from int) *desk {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := c.book.profiles
	d := &desk{
		Room: rp.MaxPasskeyProfiles - len(all.Profiles), Disabled: all.Disabled, NoSelf: all.NoSelfService,
		Total: len(c.roster), Everybody: rp.Everybody,
	}
	for _, p := range all.Profiles {
		d.Profiles = append(d.Profiles, c.profileView(p))
	}
	for _, name := range append([]string{rp.Everybody}, c.groupNames()...) {
		if g := c.groupView(name); name != rp.Everybody || len(g.Profiles) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
	from = min(from, d.Total)
	to := min(from+shownPeople, d.Total)
	d.From, d.To = from+1, to
	for _, p := range c.roster[from:to] {
		d.People = append(d.People, c.personView(p))
	}
	if from > 0 {
		d.Back = "/admin?from=" + strconv.Itoa(max(from-shownPeople, 0)) + "#people"
	}
	if to < d.Total {
		d.Next = "/admin?from=" + strconv.Itoa(to) + "#people"
	}
	return d
}

func (c *Core) profileView(p rp.PasskeyProfile) profileView {
	v := profileView{PasskeyProfile: p, Default: p.ID == c.book.profiles.Default}
	for _, t := range c.book.profiles.Targets {
		if slices.Contains(t.Profiles, p.ID) {
			v.Groups = append(v.Groups, t.Group)
		}
	}
	for _, text := range p.KeyRestrictions.AAGUIDs {
		v.Models = append(v.Models, modelView{text, c.modelName(text)})
	}
	title := profileTitle(p.Name)
	for _, who := range c.roster {
		if slices.ContainsFunc(c.rules(who.groups), func(r *rule) bool { return r.title == title }) {
			v.People++
		}
	}
	return v
}

// modelName names a model as the list of providers does, or else as metadata does; the
// caller holds the lock.
func (c *Core) modelName(aaguid string) string {
	name := c.ProviderName(aaguid)
	a, err := ctap.ParseAAGUID(aaguid)
	if name != "" || err != nil || c.metadata == nil {
		return name
	}
	if known := c.metadata.Model(a, nil); known != nil {
		return known.Title
	}
	return ""
}

func (c *Core) groupView(name string) groupView {
	v := groupView{Name: name}
	for _, who := range c.roster {
		if name == rp.Everybody || slices.Contains(who.groups, name) {
			v.People++
		}
	}
	for _, t := range c.book.profiles.Targets {
		if t.Group == name {
			v.Profiles = c.namesOf(t.Profiles)
		}
	}
	v.Own = slices.ContainsFunc(c.book.own, func(g GroupPolicy) bool { return g.Group == name })
	return v
}

// namesOf returns the names of profiles, or that of the default for none.
func (c *Core) namesOf(ids []string) (names []string) {
	for _, p := range c.book.profiles.Profiles {
		if slices.Contains(ids, p.ID) || len(ids) == 0 && p.ID == c.book.profiles.Default {
			names = append(names, p.Name)
		}
	}
	return names
}

func (c *Core) personView(p *person) personView {
	v := personView{Account: c.account(p)}
	rules := c.rules(p.groups)
	for _, r := range rules {
		v.Rules = append(v.Rules, strings.TrimPrefix(r.String(), profileTitle("")))
	}
	for i, shown := range c.wire(v.Credentials) {
		v.Passkeys = append(v.Passkeys, passkeyView{shown, stopped(rules, p.credentials[i])})
	}
	return v
}

// stopped tells why a passkey could not be used now, if its user were verified.
func stopped(rules []*rule, cr *credential) string {
	no := unmet(rules, facts{
		backupEligible: cr.record.Flags.BackupEligible, userVerified: true, aaguid: cr.aaguid, algorithm: cr.algorithm, trusted: cr.trusted,
	})
	if no == nil {
		return ""
	}
	return no.Reason
}
