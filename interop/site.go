package interop

import (
	"context"
	"errors"
	"slices"
	"time"

	"fido-emu/report"
	"fido-emu/rp/browser"
	"fido-emu/rp/web"
	"fido-emu/scenarios"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// site is a server as scenarios get at it.
type site struct {
	description *web.Description
	open        func(context.Context, web.Options) (web.Site, error) // nil for over HTTP
	timeout     time.Duration                                        // of a step; 0 for the runner's
	close       func() error
}

// describe reads the server's description, and starts Chromium where that is about pages:
// one for all scenarios, in which nobody shares cookies.
func (t Target) describe(ctx context.Context, root string) (*site, error) {
	if !t.Pages {
		d, err := web.Load(t.Site(root))
		return &site{description: d, close: func() error { return nil }}, err
	}
	d, err := browser.Load(t.Site(root))
	if err != nil {
		return nil, err
	}
	b, err := browser.Start(ctx, browser.Config{})
	if err != nil {
		return nil, err
	}
	open := func(ctx context.Context, o web.Options) (web.Site, error) {
		return d.Open(ctx, browser.Options{Web: o, Browser: b})
	}
	return &site{d.Description, open, 2 * time.Minute, b.Close}, nil
}

// settings adds those of a shipped description to what hosts are told.
func (t Target) settings(ours map[string]string) map[string]string {
	for name, is := range t.Settings {
		ours[name] = ours[is]
	}
	return ours
}

// chosen says of the scenarios that are not run at this server that they are left out:
// those of other profiles, and on pages those that meet an attestation conveyance again
// where the first has met it.
func (t Target) chosen(all []*language.Scenario, conveyance string) []*language.Scenario {
	if len(t.Profiles) > 0 {
		all = without(all, t.Others, func(s *language.Scenario) bool { return !slices.Contains(t.Profiles, profileOf(s)) })
	}
	if t.Pages && conveyance != t.Asks[0] {
		first := scenarioOf(all[0])
		all = without(all, "its pages take seconds where an API takes milliseconds: what it makes of attestation shows in "+first, func(s *language.Scenario) bool { return scenarioOf(s) != first })
	}
	return all
}

// without leaves out the scenarios that fit, for a reason, unless they are left out for
// another.
func without(all []*language.Scenario, why string, fits func(*language.Scenario) bool) []*language.Scenario {
	all = slices.Clone(all)
	for i, s := range all {
		if s.Skip == "" && fits(s) {
			skipped := *s
			skipped.Skip = why
			all[i] = &skipped
		}
	}
	return all
}

// through runs the scenarios at the site.
func (s *site) through(ctx context.Context, settings map[string]string, all []*language.Scenario) ([]Cell, error) {
	d := s.description
	if !d.Has("issue-pass") {
		all = without(all, "the library has no account recovery", func(s *language.Scenario) bool { return scenarioOf(s) == "recovery" })
	}
	k := &keeper{scenarios: map[string]*language.Scenario{}}
	for _, s := range all {
		k.scenarios[s.ID] = s
	}
	rp := &world.Elsewhere{Description: d, Getenv: func(name string) string { return settings[name] }, Open: s.open}
	stream := report.NewStream(time.Now, k)
	_, err := scenarios.Run(ctx, all, scenarios.Options{Title: d.Name, Timeout: s.timeout, RP: rp}, stream)
	return k.cells, errors.Join(err, stream.Close())
}
