package reference

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"fido-emu/rp"
)

// person is an account. Core.mu guards everything but name and handle.
type person struct {
	order       int // of who came when
	name        string
	handle      []byte // user.id: 32 random bytes
	displayName string
	groups      []string
	credentials []*credential // in the order of registration
	sessions    map[string]*session
	pass        *pass
}

// Account is what an administrator sees of a person.
type Account struct {
	Name        string          `json:"name"`
	DisplayName string          `json:"displayName"`
	Groups      []string        `json:"groups"`
	Credentials []rp.Credential `json:"credentials"`
	Sessions    int             `json:"sessions"`
	Pass        *PassState      `json:"pass,omitempty"`
}

// AddPerson makes an account that has no way to sign in yet.
func (c *Core) AddPerson(p rp.Person) error {
	if err := checkPerson(p); err != nil {
		return err
	}
	handle, err := c.random(32)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.people[fold(p.Name)] != nil {
		return refuse(PersonExists, "there is an account named %s", p.Name)
	}
	c.add(newPerson(p, handle))
	c.note(Event{Action: "add-person", Person: p.Name, Outcome: Done})
	return nil
}

// SetGroups puts an account into these groups and out of all others.
func (c *Core) SetGroups(name string, groups []string) error {
	if err := checkPerson(rp.Person{Name: name, Groups: groups}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.find(name)
	if err != nil {
		return err
	}
	p.groups = slices.Clone(groups)
	c.note(Event{Action: "set-groups", Person: p.name, Outcome: Done, Detail: strings.Join(groups, " ")})
	return nil
}

// Expect says to which groups somebody will belong who has no account yet: signing
// up under that name takes them over, as from a directory of employees. Of
// somebody with an account it is refused with [PersonExists].
func (c *Core) Expect(name string, groups []string) error {
	if err := checkPerson(rp.Person{Name: name, Groups: groups}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.people[fold(name)] != nil {
		return refuse(PersonExists, "there is an account named %s", name)
	}
	c.directory[fold(name)] = slices.Clone(groups)
	c.note(Event{Action: "expect-person", Person: name, Outcome: Done, Detail: strings.Join(groups, " ")})
	return nil
}

// People returns at most limit accounts, from the one at offset on, in the order
// in which they were made, and how many there are.
func (c *Core) People(offset, limit int) (accounts []Account, total int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	total = len(c.roster)
	from := min(max(offset, 0), total)
	to := min(from+max(limit, 0), total)
	accounts = []Account{}
	for _, p := range c.roster[from:to] {
		accounts = append(accounts, c.account(p))
	}
	return accounts, total
}

// Account returns one account.
func (c *Core) Account(name string) (Account, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p, err := c.find(name)
	if err != nil {
		return Account{}, err
	}
	return c.account(p), nil
}

func (c *Core) account(p *person) Account {
	a := Account{Name: p.name, DisplayName: p.displayName, Groups: append([]string{}, p.groups...), Credentials: p.listing()}
	now := c.now()
	for _, s := range p.sessions {
		if now.Before(s.expires) {
			a.Sessions++
		}
	}
	if p.pass != nil {
		state := p.pass.state(now)
		a.Pass = &state
	}
	return a
}

// find returns the person of a name; the caller holds the lock.
func (c *Core) find(name string) (*person, error) {
	if p := c.people[fold(name)]; p != nil {
		return p, nil
	}
	return nil, refuse(UnknownPerson, "there is no account named %q", name)
}

// add enters a new person; the caller holds the lock and has seen that the name is
// free.
func (c *Core) add(p *person) {
	key := fold(p.name)
	if groups := c.directory[key]; groups != nil {
		p.groups = groups
		delete(c.directory, key)
	}
	p.order = len(c.roster)
	c.people[key] = p
	c.handles[string(p.handle)] = p
	c.roster = append(c.roster, p)
}

func newPerson(p rp.Person, handle []byte) *person {
	display := p.DisplayName
	if display == "" {
		display = p.Name
	}
	return &person{
		name: p.Name, displayName: display, handle: handle,
		groups: slices.Clone(p.Groups), sessions: map[string]*session{},
	}
}

func checkPerson(p rp.Person) error {
	if err := checkText("user name", p.Name, 128); err != nil {
		return err
	}
	if p.Name == "." || p.Name == ".." {
		return refuse(BadName, "user name %q means something else in addresses", p.Name)
	}
	for _, g := range p.Groups {
		if err := checkText("group", g, 64); err != nil {
			return err
		}
	}
	if p.DisplayName == "" {
		return nil
	}
	return checkText("display name", p.DisplayName, 128)
}

// checkText refuses what people could not read back: nothing, too much, or
// characters that do not show.
func checkText(what, s string, limit int) error {
	switch {
	case s == "" || strings.TrimSpace(s) != s:
		return refuse(BadName, "%s is empty or has spaces around it", what)
	case !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit:
		return refuse(BadName, "%s has more than %d characters or is not UTF-8", what, limit)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return refuse(BadName, "%s has characters that cannot be seen", what)
	}
	return nil
}

// fold makes names the same that differ only in case or in how letters are composed:
// nobody can tell them apart.
func fold(name string) string { return strings.ToLower(norm.NFC.String(name)) }
