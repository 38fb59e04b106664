package report

import "fmt"

// chart shows an attempt at a glance: a lane for each device and one for the pages
// of the relying party, a column for each step, a dot where the one takes part in
// the other. Lengths are in pixels.
type chart struct {
	Width, Height int
	Lanes         []chartLane
	Columns       []chartColumn
}

type chartLane struct {
	Y      int
	Name   string
	Colour int // -1 for the relying party
}

type chartColumn struct {
	X, Top, Bottom int // the middle, and where the dots begin and end
	Index          int
	Outcome        Outcome
	Anchor         string
	Text           string
	Dots           []chartDot
}

type chartDot struct {
	Y, Colour int
	Count     int // messages; 0 when the step is about the device and sent none
}

const (
	chartLabels = 124 // width of the names
	chartName   = 18  // characters of a name
	chartStep   = 34
	chartLaneH  = 26
	chartTop    = 26 // height of the step numbers
)

func newChart(s *scenarioView, a *attemptView) chart {
	c := chart{}
	rows := map[string]int{}
	if a.hasCeremonies() {
		c.addLane("web page", -1)
	}
	for _, l := range s.Lanes {
		rows[l.Name] = len(c.Lanes)
		c.addLane(l.Name, l.Colour)
	}
	for _, st := range a.Steps {
		if st.Index > 0 {
			c.Columns = append(c.Columns, c.column(st, rows))
		}
	}
	c.Width = chartLabels + chartStep*len(c.Columns) + 8
	c.Height = chartTop + chartLaneH*len(c.Lanes) + 4
	return c
}

func (c *chart) addLane(name string, colour int) {
	if r := []rune(name); len(r) > chartName {
		name = string(r[:chartName-1]) + "…"
	}
	c.Lanes = append(c.Lanes, chartLane{chartTop + chartLaneH*len(c.Lanes) + chartLaneH/2, visible(name), colour})
}

func (a *attemptView) hasCeremonies() bool {
	for _, s := range a.Steps {
		for _, e := range s.Events {
			if e.Kind == WebAuthn {
				return true
			}
		}
	}
	return false
}

func (c *chart) column(s *stepView, rows map[string]int) chartColumn {
	col := chartColumn{
		X: chartLabels + chartStep*len(c.Columns) + chartStep/2, Index: s.Index, Outcome: s.Outcome, Anchor: s.Anchor,
		Text: fmt.Sprintf("%d. %s: %s", s.Index, visible(s.Text), s.Outcome),
	}
	counts := make([]int, len(c.Lanes))
	touched := make([]bool, len(c.Lanes))
	if row, ok := rows[s.Device]; ok {
		touched[row] = true
	}
	for _, e := range s.Events {
		row, ok := rows[e.Device]
		switch {
		case e.Kind == WebAuthn:
			counts[0]++
		case ok && e.Kind == CTAP:
			counts[row]++
		case ok:
			touched[row] = true
		}
	}
	for i, l := range c.Lanes {
		if counts[i] > 0 || touched[i] {
			col.Dots = append(col.Dots, chartDot{l.Y, l.Colour, counts[i]})
		}
	}
	if n := len(col.Dots); n > 0 {
		col.Top, col.Bottom = col.Dots[0].Y, col.Dots[n-1].Y
	}
	return col
}
