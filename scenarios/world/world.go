package world

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fido-emu/attestation"
	"fido-emu/fixtures/reach"
	"fido-emu/identity/document"
	"fido-emu/keychain"
	"fido-emu/report"
	"fido-emu/rp"
	"fido-emu/scenarios/language"
)

// Options says how a world is made.
type Options struct {
	Seed   *uint64                       // nil for real randomness and the real date
	Via    *reach.Way                    // how emulated devices are reached; nil for within this process
	TPM    string                        // node of the TPM that devices with one have; empty for simulated ones
	Bound  map[string]Bound              // keys that stand for devices, by the name of the device
	Hand   reach.Hand                    // serves the bound keys; required with any
	Harm   Harm                          // which bound keys may be harmed
	Harmed []string                      // devices that the scenario would harm
	RP     *Elsewhere                    // the relying party, where it is not the reference one in this process
	Hear   func(device string) reach.Ear // listens at the wire of a device; nil when nobody does
	Emit   func(report.Event)            // takes what happens; the step that it belongs to is filled in by whoever runs it

	Archive *document.Archive // remembers documents and faces for all worlds of a run; may be nil
}

// World is what one attempt at a scenario happens in. Steps run one after the
// other; what they call may run concurrently.
type World struct {
	Scenario *language.Scenario
	Clock    *Clock
	Random   *Random
	Site     *Site

	options   Options
	emit      func(report.Event)
	authority *attestation.Authority // attests to the devices; the relying party trusts it
	people    []*Person
	devices   []*Device
	accounts  []*Account
	rules     []rp.AccessRule // of Conditional Access

	metadata published // what the metadata service says
	chip     *chip     // whose TPM is the reference simulator now
	proof    *proof    // services that prove who people are; nil for none
	ways     ways      // back into accounts, for the report

	turn sync.Mutex // held by a device behind a wire while it works

	mu     sync.Mutex
	clouds map[string]*keychain.Service // by provider
	sent   keychain.Message             // what a sync provider last sent to an owner
	saved  map[string]Saved
	undo   []func() error
	faults []Fault  // of the bench
	excess []Excess // readings that exceed their limits
}

// New makes the world of a scenario: its relying party, its people, and its
// devices as they are at the start, with their PINs set and their accounts
// joined. Close it when the attempt is over, also after an error.
func New(ctx context.Context, s *language.Scenario, o Options) (*World, error) {
	start := seededStart()
	if o.Seed == nil {
		start = time.Now()
	}
	w := &World{
		Scenario: s, Clock: NewClock(start), Random: NewRandom(o.Seed, s.ID),
		options: o, emit: o.Emit, saved: map[string]Saved{}, clouds: map[string]*keychain.Service{},
	}
	if w.emit == nil {
		w.emit = func(report.Event) {}
	}
	for _, p := range s.People {
		w.people = append(w.people, newPerson(p, s.Site.Origin))
	}
	for _, prepare := range []func(context.Context) error{w.openSite, w.openAccounts, w.openDevices} {
		if err := prepare(ctx); err != nil {
			return w, err
		}
	}
	return w, nil
}

// Close gives back what the world holds, such as a TPM simulator.
func (w *World) Close() error {
	w.mu.Lock()
	undo := w.undo
	w.undo = nil
	w.mu.Unlock()
	var errs []error
	for i := len(undo) - 1; i >= 0; i-- {
		errs = append(errs, undo[i]())
	}
	return errors.Join(errs...)
}

// whenClosed has f called when the world is closed, the latest first.
func (w *World) whenClosed(f func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.undo = append(w.undo, f)
}

// Note tells the report something worth knowing about the step under way.
func (w *World) Note(format string, args ...any) {
	w.emit(report.Event{Kind: report.Note, Text: fmt.Sprintf(format, args...)})
}

// Wait lets time pass in the scenario.
func (w *World) Wait(d time.Duration) { w.Clock.Advance(d) }

// realWait is the longest time that a scenario really waits for: longer than the ten
// seconds in which a key takes a reset (CTAP 2.3, section 6.6), and less than a step has.
const realWait = 12 * time.Second

// Pause lets time pass in the scenario, and some of it really where a key takes part
// that is in nobody's hands here, which has a clock of its own. Phones and computers in
// slots do not mind how much time passes.
func (w *World) Pause(ctx context.Context, d time.Duration) error {
	w.Wait(d)
	if !slices.ContainsFunc(w.devices, func(d *Device) bool { return d.key != nil && d.key.store == nil }) {
		return nil
	}
	select {
	case <-time.After(min(d, realWait)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Person returns somebody by the name that the scenario gives.
func (w *World) Person(name string) (*Person, error) {
	for _, p := range w.people {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("nobody in the scenario is called %q", name)
}

// Device returns a device by the name that the scenario gives.
func (w *World) Device(name string) (*Device, error) {
	for _, d := range w.devices {
		if d.Name == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("no device in the scenario is called %q", name)
}

// Account returns a sync account by the name that the scenario gives.
func (w *World) Account(name string) (*Account, error) {
	for _, a := range w.accounts {
		if a.Name == name {
			return a, nil
		}
	}
	return nil, fmt.Errorf("no account in the scenario is called %q", name)
}

// KindOf tells what the subject of a claim names.
func (w *World) KindOf(text string) language.Kind {
	if _, err := w.Device(text); err == nil {
		return language.DeviceName
	}
	return w.Scenario.KindOfSubject(text)
}

// Lookup answers a reference ${ref} with text.
func (w *World) Lookup(ref string) (string, error) {
	name, member, _ := strings.Cut(ref, ".")
	s, err := w.SavedAs(name)
	if err != nil {
		return "", err
	}
	return s.Member(member)
}
