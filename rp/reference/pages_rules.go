package reference

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// methodsView is what an administrator sees of methods beside passkeys.
type methodsView struct {
	Policy  rp.MethodPolicy
	Kinds   []kindView
	Dormant []rp.Dormant
	Days    int // without use that count as dormant
	Group   string
	Groups  []string
}

// kindView is a kind of method, and whether it is switched off.
type kindView struct {
	methods.Facts
	Off bool
}

// dormantDays is how long a method was not used that counts as dormant, unless the page is
// asked for another time.
const dormantDays = 90

func (s *server) methodsAdmin(r *http.Request) (any, error) {
	v := methodsView{Policy: s.core.MethodPolicy(), Days: dormantDays, Group: r.URL.Query().Get("group"), Groups: s.core.GroupNames()}
	if days, err := strconv.Atoi(r.URL.Query().Get("days")); err == nil && days >= 0 && days <= maxDormant/24 {
		v.Days = days
	}
	for _, f := range methods.Table() {
		v.Kinds = append(v.Kinds, kindView{f, slices.Contains(v.Policy.Disabled, f.Kind)})
	}
	slices.Reverse(v.Kinds) // the strongest first
	var err error
	v.Dormant, err = s.core.DormantMethods(time.Duration(v.Days)*24*time.Hour, v.Group)
	return v, err
}

// accessView is what an administrator sees of Conditional Access.
type accessView struct {
	Rules  []rp.AccessRule
	Groups []string
}

func (s *server) accessAdmin(*http.Request) (any, error) {
	return accessView{s.core.AccessRules(), s.core.GroupNames()}, nil
}

// applied says in words what rules of access made of a sign-in, without those that were
// not about it.
func applied(list []rp.AppliedPolicy) (words []string) {
	for _, p := range list {
		if how := map[string]string{
			"success": "met", "failure": "not met", "reportOnlySuccess": "would be met", "reportOnlyFailure": "would not be met",
		}[p.Result]; how != "" {
			words = append(words, p.DisplayName+": "+how)
		}
	}
	return words
}

// logView is a log, the newest entry first.
type logView struct {
	SignIns []rp.SignInEntry
	Events  []eventJSON
	Pager   pager
	Query   string // part of a user name
	Outcome string // failed, or empty for all
}

func logOf(r *http.Request) logView {
	return logView{Query: r.URL.Query().Get("q"), Outcome: r.URL.Query().Get("outcome")}
}

// has tells whether a log of this view shows an entry.
func (v logView) has(name string, failed bool) bool {
	return strings.Contains(fold(name), fold(strings.TrimSpace(v.Query))) && (failed || v.Outcome != "failed")
}

func (s *server) signInsAdmin(r *http.Request) (any, error) {
	v := logOf(r)
	s.core.mu.RLock()
	list := s.core.signInsOf(func(e rp.SignInEntry) bool { return v.has(e.UserPrincipalName, e.Status.FailureReason != "") })
	s.core.mu.RUnlock()
	slices.Reverse(list)
	v.SignIns, v.Pager = cut(r, list, shownEvents)
	return v, nil
}

// signInsOf returns the sign-ins that are wanted, oldest first; the caller holds the lock.
func (c *Core) signInsOf(wanted func(rp.SignInEntry) bool) (list []rp.SignInEntry) {
	for _, e := range c.doors.log.entries {
		if wanted(e) {
			list = append(list, e)
		}
	}
	return list
}

func (s *server) logAdmin(r *http.Request) (any, error) {
	v := logOf(r)
	var list []eventJSON
	for _, e := range slices.Backward(s.core.Latest(s.core.config.AuditCapacity)) {
		if v.has(e.Person, e.Outcome == Refused) {
			list = append(list, eventJSON{e, e.Credential})
		}
	}
	v.Events, v.Pager = cut(r, list, shownEvents)
	return v, nil
}

// postAdmin shows the phones and mailboxes; a script reads them.
func (s *server) postAdmin(r *http.Request) (any, error) { return r.URL.Query().Get("name"), nil }
