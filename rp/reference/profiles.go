package reference

import (
	"encoding/json"
	"regexp"
	"slices"

	"fido-emu/rp"
)

// This file is the model behind all that is said of passkeys. A group is ruled by one
// thing at a time: a policy of its own ([Core.SetPolicy]), or the passkey profiles that
// it is a target of ([Core.SetPasskeyProfiles]); setting one ends the other. So are
// people whom neither names: by the default policy or by the default profile.
// Everything becomes rules, and one judge applies them.

// book is everything that is said of passkeys, made ready for use. It is never
// changed: a change makes another.
type book struct {
	profiles  rp.PasskeyProfiles
	own       []GroupPolicy // policies of groups of their own, in the order in which they were first set
	otherwise rp.Policy     // the default policy

	closed    bool
	groups    map[string][]*rule
	everybody []*rule // of the target Everybody
	standard  []*rule // of people whom nothing else names
	all       []*rule // each once, the standard ones first
}

// newBook checks what is given and makes rules of it.
func newBook(otherwise rp.Policy, own []GroupPolicy, profiles rp.PasskeyProfiles) (*book, error) {
	b := &book{profiles: profiles, own: own, otherwise: otherwise, closed: profiles.Disabled, groups: map[string][]*rule{}}
	named, err := profileRules(profiles)
	if err != nil {
		return nil, err
	}
	standard, err := newRule(defaultPolicy, otherwise)
	if err != nil {
		return nil, err
	}
	if profiles.Default != "" {
		standard = named[profiles.Default]
	}
	b.standard = []*rule{standard}
	b.enter(b.standard)
	for _, g := range own {
		r, err := newRule("the policy of group "+g.Group, g.Policy)
		if err != nil {
			return nil, err
		}
		b.groups[g.Group] = []*rule{r}
		b.enter(b.groups[g.Group])
	}
	return b, b.aim(named)
}

// aim gives each target the rules of its profiles.
func (b *book) aim(named map[string]*rule) error {
	for _, t := range b.profiles.Targets {
		if t.Group != rp.Everybody {
			if err := checkText("group", t.Group, 64); err != nil {
				return err
			}
		}
		rules := b.standard
		if len(t.Profiles) > 0 {
			rules = nil
		}
		for _, id := range t.Profiles {
			r := named[id]
			if r == nil {
				return refuse(BadPolicy, "group %s is allowed profile %s, which is not among the profiles", t.Group, id)
			}
			rules = append(rules, r)
		}
		if t.Group == rp.Everybody {
			b.everybody = rules
		} else {
			b.groups[t.Group] = rules
		}
		b.enter(rules)
	}
	return nil
}

func (b *book) enter(rules []*rule) {
	for _, r := range rules {
		if !slices.Contains(b.all, r) {
			b.all = append(b.all, r)
		}
	}
}

// of returns the rules of somebody in these groups, of which one must be met.
func (b *book) of(groups []string) []*rule {
	if b.closed || slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(b.profiles.Excluded, g) }) {
		return []*rule{noPasskeys}
	}
	rules := slices.Clone(b.everybody)
	for _, g := range groups {
		for _, r := range b.groups[g] {
			if !slices.Contains(rules, r) {
				rules = append(rules, r)
			}
		}
	}
	if len(rules) == 0 {
		return b.standard
	}
	return rules
}

// guidForm is how Graph writes identifiers.
var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// profileRules checks a configuration against its limits, and returns the rule of each
// profile by ID.
func profileRules(all rp.PasskeyProfiles) (map[string]*rule, error) {
	if n := len(all.Profiles); n > rp.MaxPasskeyProfiles {
		return nil, refuse(TooManyProfiles, "%d passkey profiles: there can be %d", n, rp.MaxPasskeyProfiles)
	}
	if b, err := json.Marshal(all); err != nil || len(b) > rp.MaxProfilesSize {
		return nil, refuse(PolicyTooLarge, "the passkey profiles are %d bytes of JSON: there can be %d", len(b), rp.MaxProfilesSize)
	}
	named := map[string]*rule{}
	for i, p := range all.Profiles {
		same := func(o rp.PasskeyProfile) bool { return o.ID == p.ID || o.Name == p.Name }
		if slices.ContainsFunc(all.Profiles[:i], same) {
			return nil, refuse(BadPolicy, "two passkey profiles are named %q or have the id %s", p.Name, p.ID)
		}
		r, err := profileRule(p)
		if err != nil {
			return nil, err
		}
		named[p.ID] = r
	}
	if all.Default != "" && named[all.Default] == nil {
		return nil, refuse(BadPolicy, "the default profile %s is not among the profiles", all.Default)
	}
	for i, t := range all.Targets {
		if slices.ContainsFunc(all.Targets[:i], func(o rp.ProfileTarget) bool { return o.Group == t.Group }) {
			return nil, refuse(BadPolicy, "group %s is a target twice", t.Group)
		}
	}
	return named, nil
}

// profileRule makes a rule of a profile: that of the policy which says the same.
func profileRule(p rp.PasskeyProfile) (*rule, error) {
	if err := checkText("name of a passkey profile", p.Name, 64); err != nil {
		return nil, err
	}
	keys := p.KeyRestrictions
	switch {
	case !guidForm.MatchString(p.ID):
		return nil, refuse(BadPolicy, "passkey profile %s: id %q is no GUID in lower case", p.Name, p.ID)
	case len(p.Types) == 0:
		return nil, refuse(BadPolicy, "passkey profile %s allows no type of passkey: name %s, %s or both", p.Name, rp.DeviceBound, rp.Synced)
	case p.Attestation != rp.AttestationDisabled && p.Attestation != rp.AttestationAtRegistration:
		return nil, refuse(BadPolicy, "passkey profile %s: attestation %q: want %s or %s", p.Name, p.Attestation, rp.AttestationDisabled, rp.AttestationAtRegistration)
	case keys.Kind != rp.AllowModels && keys.Kind != rp.BlockModels:
		return nil, refuse(BadPolicy, "passkey profile %s: key restrictions of kind %q: want %s or %s", p.Name, keys.Kind, rp.AllowModels, rp.BlockModels)
	}
	r, err := newRule(profileTitle(p.Name), rp.Policy{Types: p.Types, RequireAttestation: p.Attestation == rp.AttestationAtRegistration})
	if err != nil {
		return nil, err
	}
	listed, err := aaguidSet(keys.AAGUIDs) // also where they are not enforced, so that they can be
	switch {
	case err != nil || !keys.Enforced:
		return r, err
	case keys.Kind == rp.AllowModels:
		r.allowed, r.allowsListed = listed, true
	default:
		r.blocked = listed
	}
	return r, nil
}

// profileTitle is how the rule of a profile is called.
func profileTitle(name string) string { return "the passkey profile " + name }

// PasskeyProfiles returns the passkey profiles and their targets.
func (c *Core) PasskeyProfiles() rp.PasskeyProfiles {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return cloneProfiles(c.book.profiles)
}

// SetPasskeyProfiles sets the passkey profiles and their targets; they take the place
// of those that were, and of policies of their own that the groups had. They hold from
// the next ceremony on, also for passkeys that were registered before. Nothing is
// deleted by them.
func (c *Core) SetPasskeyProfiles(all rp.PasskeyProfiles) error {
	all = cloneProfiles(all)
	c.mu.Lock()
	defer c.mu.Unlock()
	own := slices.DeleteFunc(slices.Clone(c.book.own), func(g GroupPolicy) bool { return targets(all, g.Group) })
	next, err := newBook(c.book.otherwise, own, all)
	if err != nil {
		return err
	}
	c.book = next
	c.changed(inSettings, settingPolicies)
	c.note(Event{Action: "set-passkey-profiles", Outcome: Done, Detail: profileNames(all)})
	return nil
}

func targets(all rp.PasskeyProfiles, group string) bool {
	return slices.ContainsFunc(all.Targets, func(t rp.ProfileTarget) bool { return t.Group == group })
}

func profileNames(all rp.PasskeyProfiles) string {
	text := ""
	for i, p := range all.Profiles {
		if i > 0 {
			text += ", "
		}
		text += p.Name
	}
	return text
}

// cloneProfiles copies what callers could change, with empty lists for nil ones.
func cloneProfiles(all rp.PasskeyProfiles) rp.PasskeyProfiles {
	all.Profiles = append([]rp.PasskeyProfile{}, all.Profiles...)
	for i := range all.Profiles {
		p := &all.Profiles[i]
		p.Types = append([]string{}, p.Types...)
		p.KeyRestrictions.AAGUIDs = append([]string{}, p.KeyRestrictions.AAGUIDs...)
	}
	all.Excluded = append([]string{}, all.Excluded...)
	all.Targets = append([]rp.ProfileTarget{}, all.Targets...)
	for i := range all.Targets {
		all.Targets[i].Profiles = append([]string{}, all.Targets[i].Profiles...)
	}
	return all
}
