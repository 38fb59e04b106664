package reference

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"fido-emu/attestation/metadata"
	"fido-emu/rp"
	"fido-emu/rp/reference/access"
	"fido-emu/rp/reference/methods"
	"fido-emu/state"
)

// loading fills a new core, which nobody uses yet, with the records of a [State].
type loading struct {
	*Core
	path     string // of the file
	begun    bool   // there is a record of whose it all is
	sessions []*session
}

// takeUp fills a new core with what is kept in a state, nil for nothing.
func (c *Core) takeUp(s *State) error {
	if s == nil {
		return nil
	}
	l, empty := &loading{Core: c, path: s.Path()}, true
	err := s.each(func(p place, value []byte) error {
		empty = false
		err := l.take(p, value)
		if _, known := errors.AsType[*state.Error](err); err == nil || known {
			return err
		}
		return s.file.Unreadable(p.String(), err)
	})
	switch {
	case err != nil:
		return err
	case empty:
		c.changed(inSettings, settingSite)
		return nil
	}
	if err := l.settle(); err != nil {
		return s.file.Unreadable("the whole", err)
	}
	return nil
}

// String names a record for people.
func (p place) String() string {
	if len(p.key) == 8 && p.bucket != inNames && p.bucket != inSettings {
		return fmt.Sprintf("record %d of %s", binary.BigEndian.Uint64([]byte(p.key)), p.bucket)
	}
	return fmt.Sprintf("record %q of %s", p.key, p.bucket)
}

// take takes up one record.
func (l *loading) take(p place, value []byte) error {
	if len(value) < checksumSize || binary.BigEndian.Uint32(value) != checksum(p, value[checksumSize:]) {
		return errors.New("its checksum is not that of its bytes")
	}
	value = value[checksumSize:]
	capacity := l.config.AuditCapacity
	switch p.bucket {
	case inSettings:
		return l.setting(p.key, value)
	case inNames:
		return l.name(p.key, value)
	case inSessions:
		return l.session(p.key, value)
	case inAudit:
		return takeEntry(l.Core, p, &l.audit, capacity, value)
	case inSignIns:
		return takeEntry(l.Core, p, &l.doors.log, capacity, value)
	case inRecoveries:
		return takeEntry(l.Core, p, &l.office.log, capacity, value)
	case inMessages:
		return takeEntry(l.Core, p, &l.doors.post.sent, maxPost, value)
	}
	return errors.New("there is no such bucket")
}

// exactly reads JSON that holds a value and nothing else.
func exactly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after its end")
	}
	return nil
}

// takeEntry takes up an entry of a log. The oldest make room where there may be fewer than
// there were.
func takeEntry[E any](c *Core, p place, j *journal[E], limit int, value []byte) error {
	if len(p.key) != 8 {
		return errors.New("its key is no number")
	}
	n := binary.BigEndian.Uint64([]byte(p.key))
	if n == 0 || n > math.MaxInt64 || len(j.entries) > 0 && n != j.last+1 {
		return errors.New("it is out of order")
	}
	var e E
	if err := exactly(value, &e); err != nil {
		return err
	}
	j.last = n - 1
	enter(c, j, p.bucket, limit, e)
	delete(c.changes, p) // it is in the file
	return nil
}

func (l *loading) setting(name string, value []byte) (err error) {
	switch name {
	case settingSite:
		return l.site(value)
	case settingPolicies:
		return l.policies(value)
	case settingMetadata:
		return l.blob(value)
	case settingGroups:
		if err = exactly(value, &l.groups); err == nil {
			err = checkGroups(l.groups)
		}
	case settingMethods:
		if err = exactly(value, &l.doors.policy); err == nil {
			err = methods.CheckPolicy(l.doors.policy)
		}
	case settingAccess:
		if err = exactly(value, &l.doors.rules); err == nil {
			err = access.Check(l.doors.rules)
		}
	case settingHolders:
		err = exactly(value, &l.doors.post.holders)
	case settingRecovery:
		if err = exactly(value, l.office.kept); err == nil {
			err = l.office.kept.Check()
		}
	default:
		err = errors.New("there is no such setting")
	}
	return err
}

func (l *loading) site(value []byte) error {
	var r siteRecord
	if err := exactly(value, &r); err != nil {
		return err
	}
	if r.RPID != l.config.RPID {
		return &state.Error{
			Path: l.path, Problem: state.OtherKind, Detail: fmt.Sprintf("it is of the relying party %q, not of %q", r.RPID, l.config.RPID),
			Hint: "name another directory, or that relying party",
		}
	}
	if len(r.Key) != len(l.key) {
		return fmt.Errorf("its key has %d bytes", len(r.Key))
	}
	l.key, l.begun = [32]byte(r.Key), true
	return nil
}

func (l *loading) policies(value []byte) (err error) {
	var r policiesRecord
	if err := exactly(value, &r); err != nil {
		return err
	}
	otherwise := l.config.DefaultPolicy
	if r.Otherwise != nil {
		otherwise = *r.Otherwise
	}
	l.book, err = newBook(otherwise, r.Own, cloneProfiles(r.Profiles))
	return err
}

// blob takes up a metadata BLOB as of when it was given: one that a running relying party
// would go on with is good after its restart, too.
func (l *loading) blob(value []byte) (err error) {
	var r metadataRecord
	if err := exactly(value, &r); err != nil {
		return err
	}
	if l.metadata, err = metadata.Read([]byte(r.BLOB), l.config.MetadataRoots, r.Taken); err != nil {
		return &state.Error{
			Path: l.path, Problem: state.Failed, Detail: "its metadata BLOB is not trusted",
			Hint: "trust the authority that signed it, as before (--metadata-root)", Err: err,
		}
	}
	l.uploaded = &r
	return nil
}

func (l *loading) session(hash string, value []byte) error {
	var r sessionRecord
	if err := exactly(value, &r); err != nil {
		return err
	}
	owner := l.people[r.Owner]
	if owner == nil || len(hash) != 32 {
		return errors.New("it is nobody's, or its key is no hash")
	}
	l.sessions = append(l.sessions, &session{hash, owner, r.What, r.Limited, r.Began, r.Expires, r.Signals, r.Proven})
	return nil
}

// settle puts in order what was taken up.
func (l *loading) settle() error {
	if !l.begun {
		return errors.New("there is no record of whose it is")
	}
	slices.SortFunc(l.roster, func(a, b *person) int { return cmp.Compare(a.order, b.order) })
	for i, p := range l.roster {
		if p.order != i {
			return fmt.Errorf("account %d is missing, or there twice", i+1)
		}
	}
	slices.SortStableFunc(l.sessions, func(a, b *session) int { return a.expires.Compare(b.expires) })
	for _, s := range l.sessions {
		if now := l.now(); now.Before(s.expires) {
			l.Core.sessions.put(s.hash, s, now, s.expires)
			s.owner.sessions[s.hash] = s
		} else {
			l.changed(inSessions, s.hash)
		}
	}
	return nil
}

// checkGroups refuses names that no group can have.
func checkGroups(names []string) error {
	return checkPerson(rp.Person{Name: "somebody", Groups: names})
}
