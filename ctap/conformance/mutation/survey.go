package mutation

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"fido-emu/ctap/conformance"
)

// Survey runs a suite on mutants. Its fields are not changed while it runs.
type Survey struct {
	Lab     Lab
	Cases   []conformance.Case
	Timeout time.Duration // real time that a case may take; two seconds when zero
	// All asks for every case that notices a mutant. Otherwise a mutant is done with
	// when the first case of its section fails.
	All     bool
	Workers int            // mutants at a time; one when zero
	Done    func(*Verdict) // told of each as it is done, from one goroutine at a time; may be nil

	controls controls
}

// DefaultTimeout is what a case may take where an authenticator never answers; an
// emulated one answers in milliseconds.
const DefaultTimeout = 2 * time.Second

// Run judges the suite by mutants, and returns a verdict for each, in their order. The
// error is that a faithful model could not be emulated, or ctx's.
func (s *Survey) Run(ctx context.Context, mutants []Mutant) ([]Verdict, error) {
	s.Timeout = cmp.Or(s.Timeout, DefaultTimeout)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	verdicts := make([]Verdict, len(mutants))
	queue := make(chan int)
	var workers sync.WaitGroup
	var telling sync.Mutex
	for range max(1, s.Workers) {
		workers.Go(func() {
			for i := range queue {
				v, err := s.judge(ctx, &mutants[i])
				if err != nil {
					cancel(fmt.Errorf("%s: %w", mutants[i].Name, err))
					continue
				}
				verdicts[i] = v
				telling.Lock()
				if s.Done != nil {
					s.Done(&v)
				}
				telling.Unlock()
			}
		})
	}
	for i := range mutants {
		if ctx.Err() == nil {
			queue <- i
		}
	}
	close(queue)
	workers.Wait()
	return verdicts, context.Cause(ctx)
}

// judge tries a mutant on its models until a case of its section fails; when none does,
// it looks who else noticed.
func (s *Survey) judge(ctx context.Context, m *Mutant) (Verdict, error) {
	v := Verdict{Name: m.Name, Section: m.Section, Breaks: m.Breaks}
	for _, model := range m.Models {
		by, err := s.notice(ctx, m, selection{model: model, place: placeOf(m.Section)}, 1, &v)
		if err != nil {
			return v, err
		}
		if len(by) > 0 && (!v.Killed || v.Tolerated()) {
			v.Killed, v.By, v.Model = true, by, model
		}
		if v.Killed && !v.Tolerated() {
			break
		}
	}
	if v.Killed && !s.All || len(m.Models) == 0 {
		return v, nil
	}
	v.Model = cmp.Or(v.Model, m.Models[0])
	var err error
	v.Elsewhere, err = s.notice(ctx, m, selection{v.Model, placeOf(m.Section), true}, enoughElsewhere, &v)
	return v, err
}

// enoughElsewhere is how many cases of other sections are looked for.
const enoughElsewhere = 3

// notice runs the cases of a selection on a mutant and returns those that noticed; it
// stops when enough of them failed, unless all are asked for.
func (s *Survey) notice(ctx context.Context, m *Mutant, of selection, enough int, v *Verdict) ([]Kill, error) {
	faithful, err := s.control(ctx, of)
	if err != nil || len(faithful.cases) == 0 {
		return nil, err
	}
	w := &watch{faithful: faithful.report, enough: enough, all: s.All}
	ctx, w.stop = context.WithCancel(ctx)
	defer w.stop()
	report, err := s.execute(ctx, of.model, m.Name, faithful.cases, w)
	switch {
	case err != nil && len(w.kills) == 0:
		v.Troubles = append(v.Troubles, trouble(of.model, err.Error()))
	case err == nil && report.Stopped != "" && !w.stopped:
		v.Troubles = append(v.Troubles, trouble(of.model, report.Stopped))
	}
	v.Troubles = append(v.Troubles, w.troubles...)
	return w.kills, nil
}

// longestTrouble is how much of a trouble is told, in bytes: it may quote a message.
const longestTrouble = 100

func trouble(model, what string) string {
	if len(what) > longestTrouble {
		what = strings.ToValidUTF8(what[:longestTrouble], "") + "…"
	}
	return "on " + model + ": " + what
}
