package report

// Rule is something that a run shows to hold or not, by its scenarios.
type Rule struct {
	ID     string `json:"id"`    // as Scenario.Covers names it
	Group  string `json:"group"` // heading under which it is listed
	Text   string `json:"text"`
	NotYet string `json:"notYet,omitempty"` // why no scenario shows it
}

// ruleGroup is the rules under one heading.
type ruleGroup struct {
	Name  string
	Rules []ruleView
}

// ruleView is a rule with the scenarios that show it.
type ruleView struct {
	Rule
	Outcome   Outcome // the worst of its scenarios; skipped where all are, or there are none
	Scenarios []*scenarioView
}

// coverage groups the rules of a run with their scenarios, and is nil where no
// scenario shows any.
func coverage(rules []Rule, scenarios []*scenarioView) []ruleGroup {
	var groups []ruleGroup
	shown := 0
	for _, r := range rules {
		v := ruleView{Rule: r, Outcome: Skipped}
		counts := map[Outcome]int{}
		for _, s := range scenarios {
			if s.covers(r.ID) {
				v.Scenarios = append(v.Scenarios, s)
				counts[s.Outcome()]++
			}
		}
		if len(v.Scenarios) > 0 {
			v.Outcome = overall(counts)
			shown++
		}
		if n := len(groups); n == 0 || groups[n-1].Name != r.Group {
			groups = append(groups, ruleGroup{Name: r.Group})
		}
		last := &groups[len(groups)-1]
		last.Rules = append(last.Rules, v)
	}
	if shown == 0 {
		return nil
	}
	return groups
}

func (v *scenarioView) covers(rule string) bool {
	for _, c := range v.Covers {
		if c == rule {
			return true
		}
	}
	return false
}
