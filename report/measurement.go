package report

import (
	"fmt"
	"slices"
	"strconv"
)

// Measurement is something that was measured about a device, once.
type Measurement struct {
	Quantity string   `json:"quantity"` // such as touch-to-response
	Value    float64  `json:"value"`
	Unit     string   `json:"unit,omitempty"` // ms; empty for a count
	Model    string   `json:"model,omitempty"`
	Max      *float64 `json:"max,omitempty"`      // the limit; nil where there is none
	Marginal *float64 `json:"marginal,omitempty"` // from where on it is worth looking at
	Verdict  string   `json:"verdict,omitempty"`  // within, marginal or exceeded
}

// String says what was measured.
func (m *Measurement) String() string { return m.Quantity + " " + m.format(m.Value) }

func (m *Measurement) format(v float64) string {
	switch {
	case m.Unit == "":
		return strconv.FormatFloat(v, 'f', -1, 64)
	case m.Unit == "ms" && v >= 1000:
		return fmt.Sprintf("%.2f s", v/1000)
	}
	return fmt.Sprintf("%.1f %s", v, m.Unit)
}

// measured is all readings of a quantity with devices of one model.
type measured struct {
	Quantity, Model            string
	Count                      int
	Least, Median, Most, Limit string
	Marginal, Exceeded         int
	first                      *Measurement
	values                     []float64
}

// measurements gathers the readings of a run by quantity and model, in the order in
// which they first came.
func measurements(scenarios []*ScenarioResult) []*measured {
	var all []*measured
	for _, sc := range scenarios {
		for _, a := range sc.Attempts {
			for _, s := range a.Steps {
				for _, e := range s.Events {
					if e.Measurement != nil {
						all = gather(all, e.Measurement)
					}
				}
			}
		}
	}
	for _, m := range all {
		m.sum()
	}
	slices.SortStableFunc(all, func(a, b *measured) int {
		return slices.Compare([]string{a.Quantity, a.Model}, []string{b.Quantity, b.Model})
	})
	return all
}

func gather(all []*measured, m *Measurement) []*measured {
	i := slices.IndexFunc(all, func(x *measured) bool { return x.Quantity == m.Quantity && x.Model == m.Model })
	if i < 0 {
		i = len(all)
		all = append(all, &measured{Quantity: m.Quantity, Model: m.Model, first: m})
	}
	x := all[i]
	x.values = append(x.values, m.Value)
	switch m.Verdict {
	case "marginal":
		x.Marginal++
	case "exceeded":
		x.Exceeded++
	}
	if m.Max != nil {
		x.Limit = m.format(*m.Max)
	}
	return all
}

func (x *measured) sum() {
	slices.Sort(x.values)
	n := len(x.values)
	x.Count = n
	x.Least, x.Median, x.Most = x.first.format(x.values[0]), x.first.format(x.values[n/2]), x.first.format(x.values[n-1])
}
