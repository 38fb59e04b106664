package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"github.com/onsi/ginkgo/v2/types"

	"fido-emu/scenarios/language"
)

// Selection says which scenarios to run.
type Selection struct {
	Filter string // a label expression such as "loss && !slow", or part of an id or title
	Focus  string // part of an id or title
}

// Select returns the scenarios that s chooses, in their order. Where any of them
// has focus: true, only such are chosen.
func Select(all []*language.Scenario, s Selection) ([]*language.Scenario, error) {
	byLabel, err := expression(s.Filter)
	if err != nil {
		return nil, fmt.Errorf("--filter %q: %w; write labels with &&, ||, ! and ( ), as in \"loss && !slow\"", s.Filter, err)
	}
	var chosen, focused []*language.Scenario
	for _, sc := range all {
		if !byLabel(sc.Labels) && !within(sc, s.Filter) || !within(sc, s.Focus) {
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
