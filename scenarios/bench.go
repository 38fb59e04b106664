package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fido-emu/ctap"
	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/health"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// Moves is how often a scenario is tried again on other slots when the bench was at
// fault, beyond the retries of the run.
const Moves = 2

// Stand is a slot that was opened: a key, with what touches it and switches its power.
type Stand interface {
	world.Slot
	strategy.Key
	Can() strategy.Needs // what the slot has
	Close() error
}

// Bench lends the slots of a bench to the scenarios of one run.
type Bench struct {
	places []*place // in the order of the file
	desk   *desk.Desk
	owner  desk.Owner
	open   func(ctx context.Context, slot string, ear reach.Ear) (Stand, error)
	rand   io.Reader
	harm   world.Harm
	told   []int // processes that had slots; guarded by the mutex of the pool
	news   int   // counts what makes slots suit, or not, that did not or did before
}

// BenchOptions says which slots of a bench a run uses, and how.
type BenchOptions struct {
	Spec   *slots.Bench
	Desk   *desk.Desk
	Owner  desk.Owner                                                           // who the run is
	Open   func(ctx context.Context, slot string, ear reach.Ear) (Stand, error) // opens a slot, with an ear at its wire that may be nil; an error is the bench's
	Rand   io.Reader                                                            // safe for concurrent use
	Getenv func(string) string                                                  // PINs
	Slots  []string                                                             // only these; all when empty
	Tags   string                                                               // only those whose tags fit, such as "usb-c && !nfc"
	Harm   world.Harm                                                           // of keys that are not emulated
}

// place is a slot as the run knows it. It is guarded by the mutex of the pool.
type place struct {
	slot      *slots.Slot
	platform  bool // a phone or computer is in it, and no key
	pin       string
	info      *ctap.Info // nil until it was asked
	busy      bool       // lent
	swept     bool       // what earlier scenarios left on its key was deleted
	elsewhere time.Time  // until then another program is believed to hold it
	aside     string     // why it is not used any more
	bad       bool       // it is set aside for its faults, and not because somebody wants it so
	news      *int       // of the bench
	use       report.SlotUse
	fits      map[*language.Scenario]map[string][]string // why not, by the name of the device; empty where it does
}

// NewBench prepares a bench for a run. The error is about what o says, or about the
// files of the bench.
func NewBench(ctx context.Context, o BenchOptions) (*Bench, error) {
	byTag, err := expression(o.Tags)
	if err != nil {
		return nil, fmt.Errorf("--tags %q: %w; write tags with &&, ||, ! and ( ), as in \"usb-c && !nfc\"", o.Tags, err)
	}
	for _, name := range o.Slots {
		if o.Spec.Slot(name) == nil {
			return nil, fmt.Errorf("%s has no slot %q; it has %s", o.Spec.File, name, strings.Join(o.Spec.Names(), ", "))
		}
	}
	known, err := o.Desk.Slots(ctx)
	if err != nil {
		return nil, err
	}
	b := &Bench{desk: o.Desk, owner: o.Owner, open: o.Open, rand: o.Rand, harm: o.Harm}
	for i := range o.Spec.Slots {
		s := &o.Spec.Slots[i]
		if len(o.Slots) > 0 && !slices.Contains(o.Slots, s.Name) || !byTag(s.Tags) {
			continue
		}
		p, err := newPlace(s, known[s.Name].Health, o.Getenv, &b.news)
		if err != nil {
			return nil, err
		}
		b.places = append(b.places, p)
	}
	if len(b.places) == 0 {
		return nil, o.none()
	}
	return b, nil
}

// none says that no slot was chosen, and what there is to choose from.
func (o BenchOptions) none() error {
	var have []string
	for _, s := range o.Spec.Slots {
		have = append(have, fmt.Sprintf("%s (%s)", s.Name, strings.Join(s.Tags, ", ")))
	}
	of := "of them"
	if len(o.Slots) > 0 {
		of = "of " + strings.Join(o.Slots, ", ")
	}
	return fmt.Errorf("%s: the slots are %s: none %s has tags that fit --tags %q", o.Spec.File, strings.Join(have, ", "), of, o.Tags)
}

// Idle says why no slot of the bench can be used; nil where one can.
func (b *Bench) Idle() error {
	var why []string
	for _, p := range b.places {
		if p.aside == "" {
			return nil
		}
		why = append(why, p.slot.Name+" ("+p.aside+")")
	}
	return errors.New("no slot can be used: " + strings.Join(why, ", "))
}

func newPlace(s *slots.Slot, h health.Record, getenv func(string) string, news *int) (*place, error) {
	pin, err := s.PIN.Read(getenv)
	if err != nil {
		return nil, err
	}
	p := &place{slot: s, platform: isPlatform(s), pin: pin, news: news, fits: map[*language.Scenario]map[string][]string{}, use: report.SlotUse{
		Seat: report.Seat{Name: s.Name, Kind: string(s.Kind()), Model: s.Profile()}, Tags: s.Tags, Before: string(grade(h)),
	}}
	p.grade(h)
	return p, nil
}

// grade is what is thought of a slot, good where nothing is known.
func grade(h health.Record) health.Grade { return cmp.Or(h.Grade, health.Good) }

// grade takes over what is thought of the slot by now.
func (p *place) grade(h health.Record) {
	p.use.After = string(grade(h))
	if h.Grade != "" && !h.Usable() {
		p.use.SetAside = cmp.Or(h.Reason, "it was set aside")
		p.bad = h.Grade == health.Bad
		p.putAside(fmt.Sprintf("set aside (%s): %s", h.Grade, p.use.SetAside))
	}
}

// putAside has the slot not be used any more.
func (p *place) putAside(why string) {
	p.aside = why
	*p.news++
}

// elsewhere tells of slots that other programs are believed to hold, or were a moment
// ago, when somebody looked last.
func (b *Bench) elsewhere() bool {
	recently := time.Now().Add(-busyAgain)
	return slices.ContainsFunc(b.places, func(p *place) bool { return p.elsewhere.After(recently) })
}

// Size returns how many slots the run may use.
func (b *Bench) Size() int { return len(b.places) }

// uses tells how every slot fared.
func (b *Bench) uses() (all []report.SlotUse) {
	for _, p := range b.places {
		all = append(all, p.use)
	}
	return all
}

// unfit lists why a slot will never do for a device, and remembers it.
func (p *place) unfit(sc *language.Scenario, d language.Device) []string {
	known, ok := p.fits[sc]
	if !ok {
		known = map[string][]string{}
		p.fits[sc] = known
	}
	reasons, ok := known[d.Name]
	if !ok {
		reasons = p.judge(sc, d)
		known[d.Name] = reasons
	}
	return reasons
}

// tell takes over what the key says of itself.
func (p *place) tell(info *ctap.Info) {
	p.info, p.use.Firmware = info, slots.FirmwareText(info.FirmwareVersion)
	clear(p.fits)
	*p.news++
}

func (p *place) judge(sc *language.Scenario, d language.Device) []string {
	switch {
	case p.platform == world.ForSlot(d):
		return []string{"it is a phone or computer, or the device is one"}
	case !p.slot.Tagged(d.Tags...):
		return []string{"it has not the tags " + strings.Join(d.Tags, ", ")}
	case p.platform:
		return p.unlike(sc, d)
	}
	reasons := world.Unfit(sc, d, p.info, p.trusted(d))
	if p.info != nil && p.expendable() && d.PIN != "" && uint(utf8.RuneCountInString(d.PIN)) < p.info.MinPINLength {
		reasons = append(reasons, fmt.Sprintf("its PIN has at least %d characters, and that of the scenario fewer", p.info.MinPINLength))
	}
	if p.info != nil && !p.expendable() && d.PIN != "" && p.pin == "" {
		reasons = append(reasons, "the scenario needs a PIN on it, and the slot has none")
	}
	return reasons
}

// trusted tells whether the relying party of a scenario can be told to trust the
// attestation of the slot for that of a device: it is emulated, and of its model.
func (p *place) trusted(d language.Device) bool {
	return p.slot.Kind() != slots.RealKey && p.slot.Profile() == d.Profile
}

// expendable tells of a key that the run may reset as it likes: an emulated one without a
// PIN of its own. One with fingers enrolled would lose them.
func (p *place) expendable() bool {
	return p.slot.Kind() == slots.EmulatedKey && !p.platform && !p.slot.PIN.Set() && !p.info.Options["uv"]
}

// cleared tells of a slot in which the run may delete all passkeys, and nothing else:
// that of a phone or computer, and that of an emulated key with fingers enrolled.
func (p *place) cleared() bool {
	return p.platform || p.slot.Kind() == slots.EmulatedKey && !p.slot.PIN.Set() && p.info != nil && !p.expendable()
}

// match finds a place for every device among those that may be used, nil when there is
// none. Slots of the model come before others, and those that were used less before
// those that were used more.
func (b *Bench) match(sc *language.Scenario, devices []language.Device, may func(*place) bool) []*place {
	if len(devices) == 0 {
		return []*place{}
	}
	d := devices[0]
	candidates := slices.DeleteFunc(slices.Clone(b.places), func(p *place) bool { return !may(p) || len(p.unfit(sc, d)) > 0 })
	slices.SortStableFunc(candidates, func(x, y *place) int {
		return cmp.Or(-compareBool(x.slot.Profile() == d.Profile, y.slot.Profile() == d.Profile), x.use.Used-y.use.Used)
	})
	for _, p := range candidates {
		rest := b.match(sc, devices[1:], func(o *place) bool { return o != p && may(o) })
		if rest != nil {
			return append([]*place{p}, rest...)
		}
	}
	return nil
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	}
	return -1
}

// never says why no slots will ever do for a scenario.
func (b *Bench) never(sc *language.Scenario, devices []language.Device, may func(*place) bool) string {
	if len(devices) == 0 {
		return b.noneIn(sc, may)
	}
	for _, d := range devices { // keys all: phones and computers are only wanted where there is a slot
		if common := world.Unfit(sc, d, nil, true); len(common) > 0 {
			return fmt.Sprintf("no slot suits %s: %s", d.Name, strings.Join(common, "; "))
		}
	}
	var reasons []string
	slots := map[string][]string{} // by the reason
	for _, p := range b.places {
		if p.platform {
			continue
		}
		why := p.aside
		for _, d := range devices {
			if found := p.unfit(sc, d); len(found) > 0 && why == "" {
				why = d.Name + ": " + strings.Join(found, "; ")
			}
		}
		why = cmp.Or(why, "it is one only")
		if slots[why] == nil {
			reasons = append(reasons, why)
		}
		slots[why] = append(slots[why], p.slot.Name)
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(slots[why], ", ") + " (" + why + ")"
	}
	return fmt.Sprintf("no slots suit %s: %s", names(devices), strings.Join(reasons, ", "))
}

// broken names the slots that are set aside for their faults and that a scenario would
// need; none where it cannot be run on the bench in any case. Of a key that was not asked
// in this run, only the model is known.
func (b *Bench) broken(j *job, bound map[string]world.Bound) (names []string) {
	known := func(o *place) bool {
		return o.info != nil || slices.ContainsFunc(j.scenario.Devices, func(d language.Device) bool { return d.Profile == o.slot.Profile() })
	}
	may := func(o *place) bool {
		return (o.aside == "" || o.bad && known(o)) && !slices.Contains(j.avoid, o.slot.Name)
	}
	devices := b.wanted(j.scenario, bound, may)
	for _, p := range b.match(j.scenario, devices, may) {
		if p.bad {
			names = append(names, p.slot.Name)
		}
	}
	return names
}

// noneIn says why no device of a scenario is in a slot.
func (b *Bench) noneIn(sc *language.Scenario, may func(*place) bool) string {
	var reasons []string
	for _, d := range sc.Devices {
		reasons = append(reasons, d.Name+": "+b.whyBeside(sc, d, may))
	}
	why := "no device of it is a key for a slot of the bench"
	if len(reasons) > 0 {
		why += " (" + strings.Join(reasons, ", ") + ")"
	}
	return why + "; harness run without --bench runs it"
}

func names(devices []language.Device) string {
	var all []string
	for _, d := range devices {
		all = append(all, d.Name)
	}
	return strings.Join(all, " and ")
}
