package mutation

import (
	"context"
	"sync"

	"fido-emu/ctap/conformance"
)

// controls are runs on faithful models, each done once.
type controls struct {
	mu   sync.Mutex
	runs map[selection]*control
}

// selection is a model and which cases are run on it; those outside the place where
// elsewhere.
type selection struct {
	model     string
	place     place
	elsewhere bool
}

func (s selection) takes(r conformance.Rule) bool { return s.place.holds(r) != s.elsewhere }

// control is what came of a selection's cases on the faithful model.
type control struct {
	once   sync.Once
	cases  []conformance.Case // chosen
	report *conformance.Report
	err    error
}

// control returns the run of a selection.
func (s *Survey) control(ctx context.Context, of selection) (*control, error) {
	s.controls.mu.Lock()
	c := s.controls.runs[of]
	if c == nil {
		c = &control{}
		if s.controls.runs == nil {
			s.controls.runs = map[selection]*control{}
		}
		s.controls.runs[of] = c
	}
	s.controls.mu.Unlock()
	c.once.Do(func() {
		for i := range s.Cases {
			if of.takes(s.Cases[i].Rule) {
				c.cases = append(c.cases, s.Cases[i])
			}
		}
		if len(c.cases) > 0 {
			c.report, c.err = s.execute(ctx, of.model, "", c.cases, nil)
		}
	})
	return c, c.err
}

// execute runs cases on an authenticator of its own.
func (s *Survey) execute(ctx context.Context, model, fault string, cases []conformance.Case, o conformance.Observer) (*conformance.Report, error) {
	target, err := s.Lab.Emulate(ctx, model, fault)
	if err != nil {
		return nil, err
	}
	report, err := conformance.Execute(ctx, target, cases, conformance.Options{
		Rand: s.Lab.Rand(), AllowDestructive: true, Timeout: s.Timeout, Observer: o,
	})
	if closed := target.Close(); err == nil {
		err = closed
	}
	return report, err
}
