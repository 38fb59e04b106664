package reference

import (
	"encoding/binary"
	"reflect"
	"time"

	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
	"fido-emu/rp/reference/recovery"
)

// The records of a [State]. A member keeps its meaning for ever.
type (
	siteRecord struct {
		RPID string `json:"rpId"`
		Key  []byte `json:"key"` // of the hashes of passes and secrets
	}
	policiesRecord struct {
		Profiles  rp.PasskeyProfiles `json:"profiles"`
		Own       []GroupPolicy      `json:"own"`
		Otherwise *rp.Policy         `json:"otherwise,omitempty"` // nil for that of the configuration
	}
	metadataRecord struct {
		Taken time.Time `json:"taken"` // when it was looked at
		BLOB  string    `json:"blob"`
	}
	// nameRecord is all that is kept under a user name, whether or not there is an
	// account.
	nameRecord struct {
		Account  *accountRecord `json:"account,omitempty"`
		Expected []string       `json:"expected,omitzero"` // groups of somebody who has no account yet
		Identity *rp.Identity   `json:"identity,omitempty"`
		Tries    *triesRecord   `json:"tries,omitempty"`
	}
	accountRecord struct {
		Order       int                 `json:"order"` // 0 for the first account that was made
		Name        string              `json:"name"`
		DisplayName string              `json:"displayName"`
		Handle      []byte              `json:"handle"`
		Groups      []string            `json:"groups"`
		Credentials []credentialRecord  `json:"credentials,omitempty"`
		Pass        *passRecord         `json:"pass,omitempty"`
		Methods     []methods.Saved     `json:"methods,omitempty"`
		Risk        string              `json:"risk,omitempty"`
		LastSeen    time.Time           `json:"lastSeen,omitzero"`
		Notices     []rp.RecoveryNotice `json:"notices,omitempty"`
	}
	credentialRecord struct {
		Record   lib.Credential `json:"record"`
		Name     string         `json:"name"`
		Trusted  bool           `json:"trusted,omitempty"`
		Created  time.Time      `json:"created"`
		LastUsed time.Time      `json:"lastUsed,omitzero"`
	}
	passRecord struct {
		Hash    []byte    `json:"hash"`
		Issued  time.Time `json:"issued"`
		Start   time.Time `json:"start"`
		Expires time.Time `json:"expires"`
		Once    bool      `json:"once,omitempty"`
		Used    bool      `json:"used,omitempty"`
	}
	triesRecord struct {
		Wrong int       `json:"wrong"`
		Until time.Time `json:"until"`
	}
	sessionRecord struct {
		Owner   string     `json:"owner"` // folded user name
		What    rp.Session `json:"what"`
		Limited bool       `json:"limited,omitempty"`
		Began   time.Time  `json:"began"`
		Expires time.Time  `json:"expires"`
		Signals rp.Signals `json:"signals"`
		Proven  []string   `json:"proven"`
	}
)

// record returns what is to be at a place, nil for nothing; the caller holds the lock.
func (c *Core) record(p place, desk func() recovery.Snapshot) any {
	switch p.bucket {
	case inSettings:
		return c.setting(p.key, desk)
	case inNames:
		return c.named(p.key)
	case inSessions:
		if s, ok := c.sessions.get(p.key); ok {
			return sessionRecord{fold(s.owner.name), s.what, s.limited, s.began, s.expires, s.signals, s.proven}
		}
	case inAudit:
		return entry(&c.audit, p.key)
	case inSignIns:
		return entry(&c.doors.log, p.key)
	case inRecoveries:
		return entry(&c.office.log, p.key)
	case inMessages:
		return entry(&c.doors.post.sent, p.key)
	}
	return nil
}

func entry[E any](j *journal[E], key string) any {
	if e, ok := j.at(binary.BigEndian.Uint64([]byte(key))); ok {
		return e
	}
	return nil
}

func (c *Core) setting(name string, desk func() recovery.Snapshot) any {
	switch name {
	case settingSite:
		return siteRecord{c.config.RPID, c.key[:]}
	case settingPolicies:
		r := policiesRecord{Profiles: c.book.profiles, Own: c.book.own}
		if !reflect.DeepEqual(c.book.otherwise, c.config.DefaultPolicy) {
			r.Otherwise = &c.book.otherwise
		}
		return r
	case settingGroups:
		return c.groups
	case settingMethods:
		return c.doors.policy
	case settingAccess:
		return c.doors.rules
	case settingHolders:
		return c.doors.post.holders
	case settingRecovery:
		return desk()
	}
	if name == settingMetadata && c.uploaded != nil {
		return c.uploaded
	}
	return nil
}

func (c *Core) named(key string) any {
	r := nameRecord{Expected: c.directory[key]}
	if p := c.people[key]; p != nil {
		r.Account = c.accountRecord(p)
	}
	if id, ok := c.office.identities[key]; ok {
		r.Identity = &id
	}
	if t, ok := c.tries.get(key); ok && t.wrong > 0 {
		r.Tries = &triesRecord{t.wrong, t.until}
	}
	if reflect.ValueOf(r).IsZero() {
		return nil
	}
	return r
}

func (c *Core) accountRecord(p *person) *accountRecord {
	r := &accountRecord{
		Order: p.order, Name: p.name, DisplayName: p.displayName, Handle: p.handle, Groups: p.groups,
		Risk: c.doors.risk[string(p.handle)], LastSeen: c.office.lastSeen[string(p.handle)], Notices: c.office.notices[string(p.handle)],
	}
	for _, cr := range p.credentials {
		r.Credentials = append(r.Credentials, credentialRecord{cr.record, cr.name, cr.trusted, cr.created, cr.lastUsed})
	}
	if p := p.pass; p != nil {
		r.Pass = &passRecord{p.hash[:], p.issued, p.start, p.expires, p.once, p.used}
	}
	if a := c.doors.accounts[string(p.handle)]; a != nil {
		r.Methods = a.Save()
	}
	return r
}
