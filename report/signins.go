package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SignInResult is a sign-in and what the scenario wants of it.
type SignInResult struct {
	*SignIn
	Meant bool // it is to be refused
}

// MethodUse sums up the sign-ins of a run with one method.
type MethodUse struct {
	Method  string
	Tries   int           // of those who may
	Meant   int           // of the tries: refused, as the scenario wants it
	Success int           // per cent of the other tries
	Median  time.Duration // of the tries that succeeded; 0 where none did
	Steps   int           // things to do, of one sign-in
	Attacks int           // tries of those who may not
	GotIn   int           // of the attacks
}

// Methods sums up the sign-ins of the last attempts by method, in alphabetical
// order.
func (m *Model) Methods() []MethodUse {
	by := map[string][]SignInResult{}
	for _, sc := range m.Scenarios {
		if len(sc.Attempts) == 0 {
			continue
		}
		for _, s := range sc.Last().SignIns {
			by[s.Method] = append(by[s.Method], s)
		}
	}
	var all []MethodUse
	for method, list := range by {
		all = append(all, sumUp(method, list))
	}
	slices.SortFunc(all, func(a, b MethodUse) int { return strings.Compare(a.Method, b.Method) })
	return all
}

func sumUp(method string, list []SignInResult) MethodUse {
	u := MethodUse{Method: method, Steps: list[0].Steps}
	var took []time.Duration
	for _, s := range list {
		in := s.Refused == ""
		switch {
		case s.Attacker && in:
			u.GotIn++
			fallthrough
		case s.Attacker:
			u.Attacks++
			continue
		case in:
			took = append(took, s.Took)
		case s.Meant:
			u.Meant++
		}
		u.Tries++
	}
	if others := u.Tries - u.Meant; others > 0 {
		u.Success = 100 * len(took) / others
	}
	if slices.Sort(took); len(took) > 0 {
		u.Median = took[len(took)/2]
	}
	return u
}

// tenths writes a time that people spend.
func tenths(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
