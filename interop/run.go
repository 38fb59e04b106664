package interop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"fido-emu/report"
	"fido-emu/scenarios/language"
)

// Cell is what came of one scenario with one profile at one server.
type Cell struct {
	Target      string         `json:"target"`
	Attestation string         `json:"attestation"` // conveyance that the server asked for
	Profile     string         `json:"profile"`
	Scenario    string         `json:"scenario"`
	Outcome     report.Outcome `json:"outcome"`
	Reason      string         `json:"reason,omitempty"` // of anything but passed
	Line        int            `json:"line,omitempty"`   // of the scenario's file, where it did not pass
	Known       string         `json:"known,omitempty"`  // why it is as it must be, where it did not pass
}

// Matrix is a run: relying party × authenticator profile × scenario.
type Matrix struct {
	Begun     time.Time  `json:"begun"`
	Targets   []Standing `json:"targets"`
	Scenarios []Title    `json:"scenarios"`
	Profiles  []string   `json:"profiles"`
	Cells     []Cell     `json:"cells"`
}

// Standing is a server in a run.
type Standing struct {
	Name     string   `json:"name"`
	Library  string   `json:"library"`
	Version  string   `json:"version"`
	Registry string   `json:"registry"`
	Asks     []string `json:"asks"`
	Absent   string   `json:"absent,omitempty"` // why it was left out
}

// Title is what a scenario is called.
type Title struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Options says what to run, and where.
type Options struct {
	Root     string    // folder of the module
	Cache    string    // folder for what is fetched
	Targets  []Target  //
	Profiles []string  // empty for all
	Now      time.Time // when it begins
	Progress func(Standing, string)
}

// Run takes every profile through every scenario at every server, asking for each of
// its attestation conveyances. A server that is [Absent] is left out and said so; any
// other error is the bench's.
func Run(ctx context.Context, o Options) (*Matrix, error) {
	all, err := Scenarios()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s *language.Scenario) bool {
		return len(o.Profiles) > 0 && !slices.Contains(o.Profiles, profileOf(s))
	})
	m := &Matrix{Begun: o.Now}
	for _, s := range all {
		m.plan(s)
	}
	for _, t := range o.Targets {
		if err := m.target(ctx, o, t, all); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func profileOf(s *language.Scenario) string {
	for _, c := range s.Matrix {
		if c.Name == "model" {
			return c.Value
		}
	}
	return ""
}

func scenarioOf(s *language.Scenario) string {
	id, _, _ := strings.Cut(s.ID, "[")
	return id
}

func (m *Matrix) plan(s *language.Scenario) {
	if t := (Title{scenarioOf(s), s.Title}); !slices.Contains(m.Scenarios, t) {
		m.Scenarios = append(m.Scenarios, t)
	}
	if p := profileOf(s); !slices.Contains(m.Profiles, p) {
		m.Profiles = append(m.Profiles, p)
	}
}

// target runs everything at one server.
func (m *Matrix) target(ctx context.Context, o Options, t Target, all []*language.Scenario) (err error) {
	standing := Standing{Name: t.Name, Library: t.Library, Version: t.Version, Registry: t.Registry, Asks: t.Asks}
	mail, err := freeAddress()
	if err != nil {
		return err
	}
	h, err := t.Start(ctx, o.Root, o.Cache, "INTEROP_MAIL=http://"+mail+"/messages")
	if absent, ok := errors.AsType[*Absent](err); ok {
		standing.Absent = absent.Why
	} else if err != nil {
		return err
	}
	m.Targets = append(m.Targets, standing)
	if h == nil {
		return nil
	}
	defer h.Stop()
	site, err := t.describe(ctx, o.Root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.close()) }()
	for _, conveyance := range t.Asks {
		if o.Progress != nil {
			o.Progress(standing, conveyance)
		}
		settings := map[string]string{"INTEROP_ADDRESS": h.Address, "INTEROP_MAIL": mail, "INTEROP_ATTESTATION": conveyance}
		cells, err := site.through(ctx, t.settings(settings), t.chosen(all, conveyance))
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", t.Library, err, h.Said())
		}
		for _, c := range cells {
			c.Target, c.Attestation = t.Name, conveyance
			c.Known = known(c)
			m.Cells = append(m.Cells, c)
		}
	}
	return nil
}

// freeAddress returns an address on loopback where nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// keeper makes cells of the events of a run.
type keeper struct {
	scenarios map[string]*language.Scenario
	cells     []Cell
}

// Event keeps the end of a scenario.
func (k *keeper) Event(e *report.Event) error {
	if e.Kind != report.ScenarioEnd {
		return nil
	}
	s := k.scenarios[e.ScenarioID]
	c := Cell{Profile: profileOf(s), Scenario: scenarioOf(s), Outcome: e.Outcome, Reason: e.Text}
	if f := e.Failure; f != nil {
		c.Reason, c.Line = cmp.Or(f.Message, c.Reason), f.Location.Line
	}
	k.cells = append(k.cells, c)
	return nil
}
