package reference

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
)

// The pages show so many people and events at once.
const (
	shownPeople = 50
	shownEvents = 50
)

// routeAdminPages adds the pages of the administration.
func (s *server) routeAdminPages(mux *http.ServeMux) {
	for _, p := range []struct {
		path, file, title string
		fill              func(*http.Request) (any, error)
	}{
		{"/admin", "admin.html", "Passkey policies", s.passkeyAdmin},
		{"/admin/people", "admin-people.html", "People", s.peopleAdmin},
		{"/admin/people/{name}", "admin-person.html", "Person", s.personAdmin},
		{"/admin/methods", "admin-methods.html", "Methods", s.methodsAdmin},
		{"/admin/access", "admin-access.html", "Conditional Access", s.accessAdmin},
		{"/admin/recovery", "recover-admin.html", "Account recovery", s.recoveryAdmin},
		{"/admin/sign-ins", "admin-signins.html", "Sign-ins", s.signInsAdmin},
		{"/admin/log", "admin-log.html", "Audit log", s.logAdmin},
		{"/post", "post.html", "Phone and mailbox", s.postAdmin},
	} {
		mux.Handle("GET "+p.path, s.showAdmin(p.file, p.title, p.fill))
	}
	for _, script := range []string{"people.js", "rules.js"} {
		mux.Handle("GET /"+script, file(script, "text/javascript; charset=utf-8"))
	}
}

// tab is a page of the administration in its navigation.
type tab struct{ Path, Name string }

func tabs() []tab {
	return []tab{
		{"/admin", "Passkeys"}, {"/admin/people", "People"}, {"/admin/methods", "Methods"}, {"/admin/access", "Access"},
		{"/admin/recovery", "Recovery"}, {"/admin/sign-ins", "Sign-ins"}, {"/admin/log", "Audit log"}, {"/post", "Phone and mailbox"},
	}
}

// mark tells how the navigation marks a tab: as the page itself, or as the one above it.
func mark(path, here string) string {
	switch {
	case path == here:
		return "page"
	case path != "/admin" && strings.HasPrefix(here, path+"/"):
		return "true"
	}
	return ""
}

// showAdmin renders a page of the administration, or asks for the token.
func (s *server) showAdmin(name, title string, fill func(*http.Request) (any, error)) http.Handler {
	t, door, none := parse(name), parse("admin-token.html"), s.missing(parse("missing.html"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := s.page(r, title)
		if p.Admin = s.isAdminCookie(s.cookie(r, adminCookie)); !p.Admin {
			render(w, door(), p, http.StatusOK)
			return
		}
		var err error
		if p.Desk, err = fill(r); err != nil {
			none.ServeHTTP(w, r)
			return
		}
		if named, ok := p.Desk.(interface{ Title() string }); ok {
			p.Title = named.Title()
		}
		render(w, t(), p, http.StatusOK)
	})
}

// pager is where a list goes on that is shown in parts.
type pager struct {
	From, To, Total int    // of what is shown, counted from 1
	Back, Next      string // addresses; empty where there is nothing more
}

// cut returns the part of a list that the query asks for.
func cut[T any](r *http.Request, all []T, size int) ([]T, pager) {
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil {
		from = 0
	}
	from = min(max(from, 0), len(all))
	to := min(from+size, len(all))
	p := pager{From: min(from+1, to), To: to, Total: len(all)}
	if from > 0 {
		p.Back = at(r, max(from-size, 0))
	}
	if to < len(all) {
		p.Next = at(r, to)
	}
	return all[from:to], p
}

// at returns the address of a page, with its list from another place on.
func at(r *http.Request, from int) string {
	query := url.Values{}
	for _, name := range []string{"q", "group", "outcome"} {
		if v := r.URL.Query().Get(name); v != "" {
			query.Set(name, v)
		}
	}
	query.Set("from", strconv.Itoa(from))
	return r.URL.EscapedPath() + "?" + query.Encode()
}

// desk is what an administrator sees of what rules passkeys.
type desk struct {
	Profiles  []profileView
	Room      int // profiles that there can be beside these
	Disabled  bool
	NoSelf    bool
	Groups    []groupView
	Policies  []GroupPolicy
	Metadata  metadataJSON
	Overdue   bool   // the metadata should have been replaced by now
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

func (s *server) passkeyAdmin(*http.Request) (any, error) {
	d := s.core.desk()
	d.Policies, d.Metadata = s.core.Policies(), s.core.metadataJSON()
	d.Overdue = d.Metadata.Number > 0 && s.core.now().After(d.Metadata.NextUpdate.Add(24*time.Hour))
	return d, nil
}

// desk gathers what is shown of profiles and groups.
func (c *Core) desk() *desk {
	c.mu.RLock()
	defer c.mu.RUnlock()
	all := c.book.profiles
	d := &desk{
		Room: rp.MaxPasskeyProfiles - len(all.Profiles), Disabled: all.Disabled, NoSelf: all.NoSelfService, Everybody: rp.Everybody,
	}
	for _, p := range all.Profiles {
		d.Profiles = append(d.Profiles, c.profileView(p))
	}
	for _, name := range append([]string{rp.Everybody}, c.groupNames()...) {
		if g := c.groupView(name); name != rp.Everybody || len(g.Profiles) > 0 {
			d.Groups = append(d.Groups, g)
		}
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
