package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MethodUse sums up the sign-ins of a run with one method.
type MethodUse struct {
	Method  string
	Tries   int           // of those who may
	Success int           // per cent of the tries
	Median  time.Duration // of the tries that succeeded; 0 where none did
	Steps   int           // things to do, of one sign-in
	Attacks int           // tries of those who may not
	GotIn   int           // of the attacks
}

// Methods sums up the sign-ins of the last attempts by method, in alphabetical
// order.
func (m *Model) Methods() []MethodUse {
	by := map[string][]*SignIn{}
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

func sumUp(method string, list []*SignIn) MethodUse {
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
		}
		u.Tries++
	}
	if u.Tries > 0 {
		u.Success = 100 * len(took) / u.Tries
	}
	if slices.Sort(took); len(took) > 0 {
		u.Median = took[len(took)/2]
	}
	return u
}

// tenths writes a time that people spend.
func tenths(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
