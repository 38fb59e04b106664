package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// row is one line of the table. Times are nanoseconds for one operation, sizes are
// bytes for one thing.
type row struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"` // ns or B
	Ours   float64 `json:"ours"`
	Floor  float64 `json:"floor,omitempty"` // 0: there is none
	Ratio  float64 `json:"ratio,omitempty"`
	Target float64 `json:"target,omitempty"` // for the ratio, or for Ours where there is no floor; 0: none was set
	Note   string  `json:"note"`             // what the floor is
}

// met tells whether the row reaches its target.
func (r row) met() string {
	value := r.Ratio
	if r.Floor == 0 {
		value = r.Ours
	}
	switch {
	case r.Target == 0:
		return ""
	case value <= r.Target:
		return "met"
	}
	return "missed"
}

func printTable(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "name\tours\tfloor\tratio\ttarget\t\t")
	for _, r := range rows {
		floor, ratio, target := "-", "-", "-"
		if r.Floor != 0 {
			floor, ratio = amount(r.Floor, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		if r.Target != 0 {
			target = fmt.Sprintf("≤ %.2f", r.Target)
			if r.Floor == 0 {
				target = "≤ " + amount(r.Target, r.Unit)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Name, amount(r.Ours, r.Unit), floor, ratio, target, r.met())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "%s: %s\n", r.Name, r.Note)
	}
	return nil
}

func amount(v float64, unit string) string {
	if unit == "B" {
		return fmt.Sprintf("%.0f B", v)
	}
	return time.Duration(v).Round(100 * time.Nanosecond).String()
}

// effort is how long to measure.
type effort struct{ quick bool }

func (e effort) rounds() int {
	if e.quick {
		return 3
	}
	return 15
}

// perRound is how long one side runs in one round.
func (e effort) perRound() time.Duration {
	if e.quick {
		return 20 * time.Millisecond
	}
	return 100 * time.Millisecond
}

// turn is how long one side runs until it is the other's turn: so short that whatever
// else the machine does meets both alike.
const turn = 5 * time.Millisecond

// against runs ours and floor in turn, many times, and returns a row with the
// median time of each and the median of the ratios of the rounds.
func against(e effort, name, note string, target float64, ours, floor func() error) (row, error) {
	var mine, least, ratios []float64
	began := time.Now()
	for len(ratios) < e.rounds() || time.Since(began) < 2*time.Duration(e.rounds())*e.perRound() {
		a, err := timeOf(turn, ours)
		if err != nil {
			return row{}, fmt.Errorf("%s: %w", name, err)
		}
		b, err := timeOf(turn, floor)
		if err != nil {
			return row{}, fmt.Errorf("%s: floor: %w", name, err)
		}
		mine, least, ratios = append(mine, a), append(least, b), append(ratios, a/b)
	}
	return row{
		Name: name, Unit: "ns", Ours: median(mine), Floor: median(least), Ratio: median(ratios),
		Target: target, Note: note,
	}, nil
}

// timeOf returns the nanoseconds that f takes, over as many calls as fit into a time.
func timeOf(d time.Duration, f func() error) (float64, error) {
	n, start := 0, time.Now()
	for n == 0 || time.Since(start) < d {
		if err := f(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n), nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
