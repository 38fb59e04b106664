package scenarios

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"fido-emu/fixtures/reach"
	"fido-emu/hid"
	"fido-emu/hid/pcapng"
	"fido-emu/report"
)

// evidenceFolder is where the evidence is, beneath the reports.
const evidenceFolder = "evidence"

// maxReports is how many reports of each device are kept, the newest.
const maxReports = 20_000

// evidence gathers what was said in an attempt, to be kept should it go wrong.
type evidence struct {
	mu     sync.Mutex
	before []spoken // while slots were made ready
	events []report.Event
	wires  map[string]*capture // by device
}

// capture is what was heard at the wire of a device.
type capture struct {
	reports []heard
	dropped int
}

type heard struct {
	at  time.Time
	way hid.Direction
	hid.Report
}

// spoken is an exchange that belongs to no step. It is decoded when it is kept.
type spoken struct {
	device            string
	request, response []byte
	err               error
}

// said keeps an exchange with a device before the first step.
func (v *evidence) said(s spoken) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.before = append(v.before, s)
}

// all returns what happened, what was before the first step at the front.
func (v *evidence) all() []report.Event {
	if len(v.before) == 0 {
		return v.events
	}
	all := []report.Event{{Kind: report.Note, Text: "Slots are made ready."}}
	for _, s := range v.before {
		all = append(all, report.Event{Kind: report.CTAP, Device: s.device, Exchange: report.NewExchange(s.request, s.response)})
		if s.err != nil {
			all = append(all, report.Event{Kind: report.Note, Text: fmt.Sprintf("No answer from %s: %v.", s.device, s.err)})
		}
	}
	return append(all, v.events...)
}

// note keeps an event.
func (v *evidence) note(e report.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events = append(v.events, e)
}

// hear returns an ear for the wire of a device; nil where no evidence is kept.
func (v *evidence) hear(device string) reach.Ear {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wires == nil {
		v.wires = map[string]*capture{}
	}
	c := v.wires[device]
	if c == nil {
		c = &capture{}
		v.wires[device] = c
	}
	return func(way hid.Direction, r hid.Report) {
		v.mu.Lock()
		defer v.mu.Unlock()
		c.reports = append(c.reports, heard{time.Now(), way, slices.Clone(r)})
		if len(c.reports) > maxReports {
			c.reports, c.dropped = c.reports[1:], c.dropped+1
		}
	}
}

var unsafeInNames = regexp.MustCompile(`[^A-Za-z0-9_.=-]+`)

// keep writes the evidence beneath the folder of the reports, and returns notes that
// name the files.
func (v *evidence) keep(reports, scenario string, attempt int) (notes []report.Event, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	name := path.Join(evidenceFolder, fmt.Sprintf("%s-%d", unsafeInNames.ReplaceAllString(scenario, "-"), attempt))
	if err := os.MkdirAll(filepath.Join(reports, name), 0o700); err != nil {
		return nil, fmt.Errorf("folder for evidence: %w", err)
	}
	add := func(file, device, says string, write func(io.Writer) error) error {
		file = path.Join(name, file)
		if err := report.WriteFile(filepath.Join(reports, file), write); err != nil {
			return err
		}
		notes = append(notes, report.Event{Kind: report.Note, Device: device, Text: says, File: file})
		return nil
	}
	err = add("messages.txt", "", "All messages of this attempt.", func(w io.Writer) error { return report.WriteExchanges(w, v.all()) })
	for _, device := range slices.Sorted(maps.Keys(v.wires)) {
		c := v.wires[device]
		if err != nil || len(c.reports) == 0 {
			continue
		}
		says := fmt.Sprintf("Its wire: %d reports.", len(c.reports))
		if c.dropped > 0 {
			says = fmt.Sprintf("Its wire: the last %d reports; %d before them were not kept.", len(c.reports), c.dropped)
		}
		err = add(device+".pcapng", device, says, func(w io.Writer) error { return c.write(w, device) })
	}
	return notes, err
}

func (c *capture) write(w io.Writer, device string) error {
	p, err := pcapng.NewWriter(w, device)
	if err != nil {
		return err
	}
	for _, r := range c.reports {
		if err := p.Report(r.at, r.way, r.Report, comment(r.Report)); err != nil {
			return err
		}
	}
	return nil
}

// comment names the command of an initialization packet (section 11.2.4).
func comment(r hid.Report) string {
	const commandAt, initialization = 4, 0x80
	if len(r) <= commandAt || r[commandAt]&initialization == 0 {
		return ""
	}
	return hid.Command(r[commandAt] &^ initialization).String()
}
