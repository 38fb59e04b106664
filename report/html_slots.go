package report

import "strings"

// slotView is a slot of a bench as the page shows it.
type slotView struct {
	SlotUse
	Anchor string
	Runs   []slotRunView
	Marred []fault
}

// slotRunView is a dot: an attempt that the slot took part in.
type slotRunView struct {
	slotRun
	Anchor string // of the scenario
}

// fault is what a slot did to scenarios, and how often.
type fault struct {
	Text  string
	Times int
}

// slotAnchor is where the page tells of a slot. Its colon keeps it apart from the anchors
// of scenarios.
func slotAnchor(name string) string { return "slot:" + anchor(name, map[string]int{}) }

func slotViews(m *Model, scenarios []*scenarioView) (all []slotView) {
	anchors := map[*ScenarioResult]string{}
	for _, s := range scenarios {
		anchors[s.ScenarioResult] = s.Anchor
	}
	runs := m.runsOn()
	for _, u := range m.Run.Slots {
		v := slotView{SlotUse: u, Anchor: slotAnchor(u.Name), Marred: faultsOf(u)}
		for _, r := range runs[u.Name] {
			v.Runs = append(v.Runs, slotRunView{r, anchors[r.Scenario]})
		}
		all = append(all, v)
	}
	return all
}

// faultsOf counts faults that are the same, in the order in which they came first. That
// they are the slot's need not be said where the slot is shown.
func faultsOf(u SlotUse) (all []fault) {
	at := map[string]int{}
	for _, text := range u.Faults {
		text = strings.ReplaceAll(text, "slot "+u.Name+": ", "")
		i, known := at[text]
		if !known {
			i = len(all)
			at[text] = i
			all = append(all, fault{Text: text})
		}
		all[i].Times++
	}
	return all
}
