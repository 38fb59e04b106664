package reference

import (
	"net/http"
	"slices"
	"strings"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// peopleView is the list of people, or of those who were looked for.
type peopleView struct {
	People []personView
	Pager  pager
	Total  int    // of all people
	Query  string // part of a name
	Group  string
	Groups []string
}

// personView is a person with what rules them.
type personView struct {
	Account
	Passkeys  []passkeyView
	Rules     []string // titles of the rules of which they need to meet one
	Risk      string
	Fallbacks []methodView
}

// passkeyView is a passkey, and why it cannot be used now.
type passkeyView struct {
	credentialJSON
	Stopped string // reason for people; empty when it can be used
}

// personPage is everything that an administrator sees of one person.
type personPage struct {
	personView
	Standing   []sessionView
	Choices    []methods.Facts // of methods that can be added
	Identity   rp.Identity
	SignIns    []rp.SignInEntry   // the newest first
	Recoveries []rp.RecoveryEvent // the newest first
	Levels     []string           // of risk
}

// Title is what the page of a person is called.
func (p personPage) Title() string { return p.DisplayName }

func (s *server) peopleAdmin(r *http.Request) (any, error) {
	q := r.URL.Query()
	v := peopleView{Query: strings.TrimSpace(q.Get("q")), Group: q.Get("group"), Groups: s.core.GroupNames()}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	v.Total = len(c.roster)
	var found []*person
	found, v.Pager = cut(r, c.lookFor(v.Query, v.Group), shownPeople)
	for _, p := range found {
		v.People = append(v.People, c.personView(p))
	}
	return v, nil
}

// lookFor lists the people of a group whose name has this part; the caller holds the
// lock.
func (c *Core) lookFor(part, group string) (found []*person) {
	part = fold(part)
	for _, p := range c.roster {
		named := strings.Contains(fold(p.name), part) || strings.Contains(fold(p.displayName), part)
		if named && (group == "" || slices.Contains(p.groups, group)) {
			found = append(found, p)
		}
	}
	return found
}

func (s *server) personAdmin(r *http.Request) (any, error) {
	name, c := r.PathValue("name"), s.core
	v := personPage{Identity: c.Identity(name), Recoveries: newest(c.RecoveryLog(name), shownOfPerson), Levels: []string{rp.RiskNone, rp.RiskLow, rp.RiskMedium, rp.RiskHigh}}
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.find(name)
	if err != nil {
		return nil, err
	}
	v.personView = c.personView(p)
	v.Standing, v.Choices = c.sessionsOf(p, nil), c.enrollable()
	v.SignIns = newest(c.signInsOf(func(e rp.SignInEntry) bool { return e.UserPrincipalName == p.name }), shownOfPerson)
	return v, nil
}

// shownOfPerson is how many entries of a log the page of a person shows.
const shownOfPerson = 10

// newest returns the last of a list that is in the order of time, the newest first.
func newest[T any](list []T, most int) []T {
	list = slices.Clone(list[max(0, len(list)-most):])
	slices.Reverse(list)
	return list
}

func (c *Core) personView(p *person) personView {
	v := personView{Account: c.account(p), Risk: c.riskOf(p), Fallbacks: c.fallbacks(p)}
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
