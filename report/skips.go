package report

import "slices"

// skip is why scenarios were skipped, and how many.
type skip struct {
	Reason string
	Count  int
}

// skips counts the reasons for which scenarios were skipped, the most frequent first.
func skips(m *Model) (all []skip) {
	at := map[string]int{}
	for _, sc := range m.Scenarios {
		last := sc.Last()
		if last.Outcome != Skipped {
			continue
		}
		i, known := at[last.Reason]
		if !known {
			i = len(all)
			at[last.Reason] = i
			all = append(all, skip{Reason: last.Reason})
		}
		all[i].Count++
	}
	slices.SortStableFunc(all, func(a, b skip) int { return b.Count - a.Count })
	return all
}
