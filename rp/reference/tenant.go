package reference

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"fido-emu/ctap"
	"fido-emu/rp"
	"fido-emu/rp/reference/graph"
	"fido-emu/webauthn"
)

// tenant is a core as Microsoft Graph administers it. The id of a user is the first
// half of the user handle, that of a group follows from its name: neither changes.
type tenant struct{ *Core }

var _ graph.Tenant = tenant{}

// Users lists everybody.
func (t tenant) Users() []graph.User {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []graph.User
	for _, p := range t.roster {
		all = append(all, userOf(p))
	}
	return all
}

func userOf(p *person) graph.User {
	u := graph.User{ID: graph.GUID(p.handle), Name: p.name, DisplayName: p.displayName}
	for _, g := range p.groups {
		u.Groups = append(u.Groups, groupID(g))
	}
	return u
}

// groupID returns the id of the group of a name.
func groupID(name string) string {
	h := sha256.Sum256([]byte("group " + name))
	return graph.GUID(h[:])
}

// User finds somebody.
func (t tenant) User(key string) (graph.User, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, err := t.keyed(key)
	if err != nil {
		return graph.User{}, err
	}
	return userOf(p), nil
}

// keyed finds somebody by id or name; the caller holds the lock. The id comes first:
// nobody takes it over by signing up under it.
func (t tenant) keyed(key string) (*person, error) {
	if id, err := hex.DecodeString(strings.ReplaceAll(key, "-", "")); err == nil && len(id) == 16 {
		for _, p := range t.roster {
			if bytes.Equal(p.handle[:16], id) {
				return p, nil
			}
		}
	}
	p, err := t.find(key)
	return p, withStatus(err)
}

// withStatus gives a refusal the status that it has over HTTP.
func withStatus(err error) error {
	if no := (*rp.Refused)(nil); errors.As(err, &no) {
		return &rp.Refused{Code: no.Code, Reason: no.Reason, Status: statusOf(no.Code)}
	}
	return err
}

// name returns the user name of somebody.
func (t tenant) name(key string) (string, error) {
	u, err := t.User(key)
	return u.Name, err
}

// AddUser makes an account.
func (t tenant) AddUser(name, displayName string) (graph.User, error) {
	if err := t.AddPerson(rp.Person{Name: name, DisplayName: displayName}); err != nil {
		return graph.User{}, withStatus(err)
	}
	return t.User(name)
}

// RevokeSessions ends all sessions of a user.
func (t tenant) RevokeSessions(key string) error {
	name, err := t.name(key)
	if err != nil {
		return err
	}
	return withStatus(t.Core.RevokeSessions(name))
}

// Groups lists the groups that were made, and those that people and policies name.
func (t tenant) Groups() []graph.Group {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []graph.Group
	for _, name := range t.groupNames() {
		all = append(all, graph.Group{ID: groupID(name), Name: name})
	}
	return all
}

// groupNames lists all groups that there are, each once; the caller holds the lock.
func (c *Core) groupNames() []string {
	seen, names := map[string]bool{rp.Everybody: true}, []string{}
	enter := func(list ...string) {
		for _, g := range list {
			if !seen[g] {
				seen[g] = true
				names = append(names, g)
			}
		}
	}
	enter(c.groups...)
	for _, t := range c.book.profiles.Targets {
		enter(t.Group)
	}
	enter(c.book.profiles.Excluded...)
	for _, g := range c.book.own {
		enter(g.Group)
	}
	for _, p := range c.roster {
		enter(p.groups...)
	}
	return names
}

// GroupNames lists the groups that were made, and those that people and policies name.
func (c *Core) GroupNames() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.groupNames()
}

// AddGroup makes a group that nobody is in.
func (c *Core) AddGroup(name string) error {
	if err := checkText("group", name, 64); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == rp.Everybody || slices.Contains(c.groupNames(), name) {
		return refuse(GroupExists, "there is a group named %s", name)
	}
	c.groups = append(c.groups, name)
	c.changed(inSettings, settingGroups)
	c.note(Event{Action: "add-group", Outcome: Done, Detail: name})
	return nil
}

// AddGroup makes a group.
func (t tenant) AddGroup(name string) (graph.Group, error) {
	return graph.Group{ID: groupID(name), Name: name}, withStatus(t.Core.AddGroup(name))
}

// SetMember puts a user into a group or takes them out of it.
func (t tenant) SetMember(key, group string, member bool) error {
	u, err := t.User(key)
	if err != nil {
		return err
	}
	groups := []string{}
	for _, g := range t.Groups() {
		is := slices.Contains(u.Groups, g.ID)
		if g.ID == group {
			is = member
		}
		if is {
			groups = append(groups, g.Name)
		}
	}
	return withStatus(t.SetGroups(u.Name, groups))
}

// Passkeys lists the passkeys of a user.
func (t tenant) Passkeys(key string) ([]graph.Passkey, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, err := t.keyed(key)
	if err != nil {
		return nil, err
	}
	var all []graph.Passkey
	for _, cr := range p.credentials {
		all = append(all, t.passkey(cr))
	}
	return all, nil
}

func (t tenant) passkey(cr *credential) graph.Passkey {
	p := graph.Passkey{Credential: cr.describe(), Model: t.ProviderName(cr.aaguid.String())}
	object, err := webauthn.ParseAttestationObject(cr.record.Attestation.Object)
	if err != nil {
		return p // it was verified when it came
	}
	var statement struct {
		X5C [][]byte `cbor:"x5c"`
	}
	if ctap.DecodeLoose(object.Statement, &statement) == nil { // formats without a chain have none to show
		p.Certificates = statement.X5C
	}
	return p
}

// BeginPasskey begins to provision a passkey.
func (t tenant) BeginPasskey(key string, lifetime time.Duration) (graph.Options, error) {
	name, err := t.name(key)
	if err != nil {
		return graph.Options{}, err
	}
	begun, err := t.BeginProvisioning(name, lifetime)
	return graph.Options{PublicKey: begun.Options, Expires: begun.Expires}, withStatus(err)
}

// FinishPasskey adds the passkey that was provisioned.
func (t tenant) FinishPasskey(key, displayName string, response []byte) (graph.Passkey, error) {
	name, err := t.name(key)
	if err != nil {
		return graph.Passkey{}, err
	}
	made, err := t.FinishProvisioning(name, displayName, response)
	if err != nil {
		return graph.Passkey{}, withStatus(err)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	cr := t.credentials[string(made.ID)]
	if cr == nil {
		return graph.Passkey{Credential: made}, nil // somebody has just removed it
	}
	return t.passkey(cr), nil
}

// DeletePasskey removes a passkey.
func (t tenant) DeletePasskey(key string, id []byte) error {
	name, err := t.name(key)
	if err != nil {
		return err
	}
	return withStatus(t.RevokeCredentials(name, id))
}

// Pass returns the pass of a user.
func (t tenant) Pass(key string) (*graph.Pass, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	p, err := t.keyed(key)
	if err != nil || p.pass == nil {
		return nil, err
	}
	state, id := p.pass.state(t.now()), sha256.Sum256(append([]byte("pass "), p.pass.hash[:]...))
	return &graph.Pass{
		ID: graph.GUID(id[:]), Created: p.pass.issued, Start: state.Start, Lifetime: state.Expires.Sub(state.Start),
		Once: state.Once, Usable: state.Usable, Usability: state.Usability,
	}, nil
}

// IssuePass issues a pass, which takes the place of an older one.
func (t tenant) IssuePass(key string, start time.Time, lifetime time.Duration, once bool) (*graph.Pass, error) {
	name, err := t.name(key)
	if err != nil {
		return nil, err
	}
	text, err := t.Core.IssuePass(PassRequest{Person: name, Start: start, Lifetime: lifetime, Once: once})
	if err != nil {
		return nil, withStatus(err)
	}
	issued, err := t.Pass(key)
	if err == nil && issued != nil {
		issued.Text = text
	}
	return issued, err
}

// DeletePass takes the pass of a user away.
func (t tenant) DeletePass(key string) error {
	name, err := t.name(key)
	if err != nil {
		return err
	}
	return withStatus(t.Core.DeletePass(name))
}

// SetPasskeyProfiles sets the profiles and their targets.
func (t tenant) SetPasskeyProfiles(all rp.PasskeyProfiles) error {
	return withStatus(t.Core.SetPasskeyProfiles(all))
}

// CredentialPreferences tells who is asked for their strongest method.
func (t tenant) CredentialPreferences() rp.SystemPreference {
	return t.MethodPolicy().SystemPreferences
}

// SetCredentialPreferences says who is asked for their strongest method.
func (t tenant) SetCredentialPreferences(p rp.SystemPreference) error {
	policy := t.MethodPolicy()
	policy.SystemPreferences = p
	return withStatus(t.SetMethodPolicy(policy))
}

// SignIns lists sign-ins.
func (t tenant) SignIns(name string) ([]rp.SignInEntry, error) {
	all, err := t.Core.SignIns(name, "", math.MaxInt)
	return all, withStatus(err)
}

// ConfirmCompromised says that somebody else has the account: all sessions end, and
// only a passkey signs in.
func (t tenant) ConfirmCompromised(key string) error {
	name, err := t.name(key)
	if err != nil {
		return err
	}
	return withStatus(t.SetRisk(name, rp.RiskHigh))
}
