package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"fido-emu/grammar"
	"fido-emu/scenarios/coverage"
	"fido-emu/scenarios/language"
)

// Selection says which scenarios to run.
type Selection struct {
	Filter string   // a label expression such as "loss && !sync", or part of an id or title
	Focus  string   // part of an id or title
	Covers []string // rows of the coverage table, of which a scenario shows one; none for all
}

// Select returns the scenarios that s chooses, in their order. Where any of them
// has focus: true, only such are chosen.
func Select(all []*language.Scenario, s Selection) ([]*language.Scenario, error) {
	byLabel, err := expression(s.Filter)
	if err != nil {
		return nil, fmt.Errorf("--filter %q: %w; write labels with &&, ||, ! and ( ), as in \"loss && !sync\"", s.Filter, err)
	}
	if err := knownRows(s.Covers); err != nil {
		return nil, err
	}
	var chosen, focused []*language.Scenario
	for _, sc := range all {
		if !byLabel(sc.Labels) && !within(sc, s.Filter) || !within(sc, s.Focus) || !shows(sc, s.Covers) {
			continue
		}
		chosen = append(chosen, sc)
		if sc.Focus {
			focused = append(focused, sc)
		}
	}
	if len(focused) > 0 {
		return focused, nil
	}
	return chosen, nil
}

// knownRows refuses rows that are not in the coverage table.
func knownRows(rows []string) error {
	ids := coverage.IDs()
	for _, row := range rows {
		if slices.Contains(ids, row) {
			continue
		}
		hint := "harness explain covers lists the rows"
		if near := grammar.Nearest(row, ids); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return fmt.Errorf("--covers %q: the coverage table has no such row; %s", row, hint)
	}
	return nil
}

// shows tells whether the scenario shows one of the rows, or whether none is asked for.
func shows(sc *language.Scenario, rows []string) bool {
	return len(rows) == 0 || slices.ContainsFunc(rows, func(r string) bool { return slices.Contains(sc.Covers, r) })
}

// expression reads an expression of labels or tags. The error is one line.
func expression(text string) (types.LabelFilter, error) {
	f, err := types.ParseLabelFilter(text)
	if broken, ok := errors.AsType[types.GinkgoError](err); ok { // it shows the expression first, painted
		_, why, _ := strings.Cut(broken.Message, "\n")
		err = errors.New(strings.TrimRight(why, ". \n"))
	}
	return f, err
}

// within tells whether text is part of the id or the title.
func within(sc *language.Scenario, text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(strings.ToLower(sc.ID), text) || strings.Contains(strings.ToLower(sc.Title), text)
}
