package world

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/platform/u2f"
	"fido-emu/fixtures/reach"
	"fido-emu/hid"
	"fido-emu/report"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/measure"
)

// connect puts the device behind the wire, where the run has one.
func (d *Device) connect(ctx context.Context) error {
	via := d.world.options.Via
	if via == nil {
		return nil
	}
	connect := via.Connect
	if d.world.disturbs(d.Name) {
		connect = via.ConnectFaulty
	}
	// A serial number is seen by all that runs on this computer: it is never seeded.
	id := reach.Identity{Name: d.Model.Title, Serial: rand.Text()[:serialLength]}
	d.cable = connect(d.device(), id, d.world.Random.Stream(d.Name+" wire"))
	d.cable.Hear(d.world.ear(d.Name))
	d.cable.Wait(d.world.wait)
	d.world.whenClosed(d.cable.Unplug)
	return d.plug(ctx)
}

// plug plugs the device in. What goes wrong is the bench's, even where the device did
// not answer, so that nothing of it is left that could be taken for a refusal.
func (d *Device) plug(ctx context.Context) error {
	began := time.Now()
	err := d.cable.Plug(ctx)
	switch {
	case errors.Is(err, reach.ErrFull):
		return &Missing{fmt.Sprintf("%s does not fit in: %v", d.Name, err)}
	case err != nil:
		return fmt.Errorf("%s cannot be plugged in: %v", d.Name, err)
	}
	d.read(measure.Enumerated(time.Since(began)))
	return nil
}

const serialLength = 12

// device is the emulated device as its end of the wire knows it.
func (d *Device) device() hid.Device {
	v := d.Model.FirmwareVersion
	h := hid.Device{
		Rand: d.world.Random.Stream(d.Name + " channels"), PowerCycle: served{d}.powerCycle, Wink: func() {},
		Version: [3]byte{byte(v >> 16), byte(v >> 8), byte(v)}, Quirks: d.Model.WireQuirks(),
		Inline: true,
	}
	if d.core.HasCTAP2() {
		h.Authenticator = served{d}
	}
	if d.core.HasU2F() {
		h.Message = served{d}.message
	}
	return h
}

// served is an emulated device as it works behind a wire, in whatever goroutine.
// The devices of a scenario take turns, among themselves and with its steps, which may
// change them between two requests.
type served struct{ *Device }

// Exchange answers with whatever authenticator the device is by now.
func (s served) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	s.world.turn.Lock()
	defer s.world.turn.Unlock()
	return s.core.Exchange(ctx, request)
}

// u2fFailed is the status word of a U2F message that could not be worked on.
const u2fFailed = "\x6F\x00"

func (s served) message(ctx context.Context, apdu []byte) []byte {
	s.world.turn.Lock()
	defer s.world.turn.Unlock()
	response, err := s.core.Message(ctx, apdu)
	if err != nil {
		return []byte(u2fFailed)
	}
	return response
}

func (s served) powerCycle() {
	s.world.turn.Lock()
	defer s.world.turn.Unlock()
	s.core.PowerCycle()
}

// pass makes what a step did known to the devices, and the other way round.
func (w *World) pass() {
	w.turn.Lock()
	defer w.turn.Unlock()
}

// ask takes a request to the authenticator by the way that leads there.
func (d *Device) ask(ctx context.Context, request []byte) ([]byte, error) {
	switch {
	case d.key != nil:
		response, err := d.metered(ctx, request, d.key.Exchange)
		d.key.noted(request, response)
		return response, d.blame(ctx, err)
	case d.cable == nil:
		return d.inside().Exchange(ctx, request)
	}
	d.world.pass()
	defer d.world.pass()
	return d.metered(ctx, request, d.cable.Exchange)
}

// inside is the authenticator as the computer in this process uses it.
func (d *Device) inside() ctap.Authenticator {
	if d.core.HasCTAP2() {
		return d.core
	}
	return u2f.New(d.core, d.world.wait)
}

// wait lets the scenario's time pass, while a device that speaks U2F alone is asked again
// and again whether it was touched.
func (w *World) wait(ctx context.Context, d time.Duration) error {
	w.Clock.Advance(d)
	return ctx.Err()
}

// replug takes the device out, has something done to it, and plugs it in again.
func (d *Device) replug(ctx context.Context, do func() error) error {
	defer d.Host.Forget()
	if d.cable == nil {
		return do()
	}
	if err := d.cable.Unplug(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return d.plug(ctx)
}

// Disturb has something go wrong on the wire of the device from now on.
func (d *Device) Disturb(f language.Fault) error {
	if d.cable == nil {
		return &Missing{fmt.Sprintf("%s is reached %s, where no wire can fail: harness run --via pipe, or another way", d.Name, d.Reached())}
	}
	d.world.emit(report.Event{Kind: report.Note, Device: d.Name, Text: "On the wire of " + d.Name + ": " + f.String() + "."})
	return d.cable.Inject(f.Fault)
}

// disturbs tells whether anything goes wrong on the wire of a device in the course of
// the scenario.
func (w *World) disturbs(device string) bool {
	for _, d := range w.Scenario.Devices {
		if d.Name == device && len(d.Faults) > 0 {
			return true
		}
	}
	for _, c := range w.Scenario.Steps {
		if c.Usage.Verb == DisturbVerb && c.Subject == device {
			return true
		}
	}
	return false
}

// DisturbVerb is the step that calls [Device.Disturb].
const DisturbVerb = "disturb"

// Reached says for reports how the device was reached.
func (d *Device) Reached() string {
	switch {
	case d.key != nil:
		return d.key.Where()
	case d.cable == nil:
		return InProcess
	}
	return d.cable.Where()
}

// Reached says of all devices how they were reached.
func (w *World) Reached() []report.Device {
	var all []report.Device
	for _, d := range w.devices {
		all = append(all, report.Device{Name: d.Name, Profile: d.Model.Name, Reached: d.Reached()})
	}
	return all
}

// Reached says of a device before it is reached how it will be.
func (o Options) Reached(d language.Device) string {
	bound, ok := o.Bound[d.Name]
	switch {
	case ok && bound.Name != "":
		return "slot " + bound.Name
	case ok:
		return bound.Address.String()
	case o.Via == nil:
		return InProcess
	}
	return o.Via.About()
}

// ear returns who listens at the wire of a device, nil for nobody.
func (w *World) ear(device string) reach.Ear {
	if w.options.Hear == nil {
		return nil
	}
	return w.options.Hear(device)
}
