package scenarios

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fido-emu/ctap/platform"
	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/health"
	"fido-emu/fixtures/slots/station"
	"fido-emu/fixtures/slots/strategy"
	"fido-emu/report"
)

// story is a scenario with a device key, which has a PIN.
type story struct{ name, pin, rest string }

// stories use different commands of a key, and between them all that change what is on
// one.
var stories = []story{
	{"plain", "4711", `people: {ada: }
steps:
  - {register: ada, with: key}
  - {power-cycle: key}
  - {sign-in: ada, with: key}
`},
	{"accounts", "4711", `people: {ada: , work: }
steps:
  - {register: ada, with: key, save: home}
  - {register: work, with: key}
  - {expect: key, passkeys: 2}
  - {sign-in: work, with: key, without-user-name: yes, offered: [ada, work]}
  - {delete: "${home}", on: key}
  - {sign-in: ada, with: key, expect: refused, reason: NotAllowedError}
`},
	{"pins", "4711", `people: {ada: }
steps:
  - {register: ada, with: key}
  - {fail-pin: key, times: 3, last-answer: CTAP2_ERR_PIN_AUTH_BLOCKED}
  - {sign-in: ada, with: key, expect: refused, reason: NotAllowedError}
  - {power-cycle: key}
  - {change-pin: key, to: "2718"}
  - {sign-in: ada, with: key}
`},
	{"reset", "4711", `people: {ada: }
steps:
  - {register: ada, with: key}
  - {power-cycle: key}
  - {reset: key}
  - {expect: key, pin-set: no}
  - {set-pin: key, to: "2718"}
  - {sign-in: ada, with: key, expect: refused, reason: NotAllowedError}
`},
	{"blobs", "4711", `people: {ada: }
steps:
  - {register: ada, with: key, large-blob: required, cred-blob: ada at work}
  - {sign-in: ada, with: key, write-large-blob: a certificate}
  - {power-cycle: key}
  - {sign-in: ada, with: key, large-blob: a certificate, cred-blob: ada at work}
`},
	{"spare", "4711", `people: {ada: }
steps:
  - {register: ada, with: key, save: old}
  - {register: ada, with: spare}
  - {lose: key}
  - {sign-in: ada, with: spare}
  - {remove-passkeys: ada, only: "${old}"}
  - {find: key}
  - {sign-in: ada, with: key, without-user-name: yes, expect: refused, reason: unknown-credential}
`},
}

// breakage is a way in which a slot breaks after so many requests, touches or switches.
type breakage struct {
	name, slot string // what it is, and the slot, with %d for how many
	most       int    // more than any story needs; 0 for one more than it has requests
}

var breakages = []breakage{
	{"key", "{emulate: {profile: security-key, dies: after %d}}", 0},
	{"finger", "{emulate: security-key, finger: {emulator: {fails: after %d}}}", 6},
	{"power", "{emulate: security-key, power: {emulator: {fails: after %d}}}", 6},
}

// TestChaos breaks a key, its finger and its switch at every moment of every story.
// Whatever breaks, and when: the run ends, the outcome is error and never failed, the slot
// is given back and not thought well of, and what is written down about its key is true.
func TestChaos(t *testing.T) {
	for _, b := range breakages {
		t.Run(b.name, func(t *testing.T) {
			for i, s := range stories {
				if underRace && i%3 != 0 {
					continue
				}
				t.Run(s.name, func(t *testing.T) { b.chaos(t, s) })
			}
		})
	}
}

// spares is how many keys are there for devices beside the one that breaks.
const spares = 2

// chaos runs a story once for every moment, each time on a slot of its own.
func (b breakage) chaos(t *testing.T, s story) {
	if b.most == 0 {
		b.most = requests(t, s) + 1
	}
	var slotLines []string
	var sources []Source
	for n := range b.most {
		slotLines = append(slotLines, fmt.Sprintf("%s: "+b.slot[:len(b.slot)-1]+", tags: [n%d]}", b.on(n), n, n))
		sources = append(sources, s.on(n))
	}
	for n := range spares {
		slotLines = append(slotLines, fmt.Sprintf("spare-%d: {emulate: yubikey-5, tags: [spare]}", n))
	}
	bench := newTestBench(t, "  "+strings.Join(slotLines, "\n  ")+"\n")
	bench.blank()
	o := bench.options(nil)
	o.Parallel = 8
	events := runAll(t, sources, o)
	used, after := uses(events), bench.after()
	survived := b.most
	for n := range b.most {
		slot := after[b.on(n)]
		switch got := tries(events, sources[n].ID); {
		case got == "passed on slot "+b.on(n):
			survived = min(survived, n)
		case got != "error on slot "+b.on(n) || n > survived:
			t.Errorf("broken after %d: %s, and %d was enough", n, got, survived)
		}
		if broken := len(used[b.on(n)].Faults) > 0; broken != (slot.Health.Grade == health.Suspect) || broken && slot.Key.Known() || !broken && (n < survived || n < b.most-1 && b.name == "key") {
			t.Errorf("broken after %d: the slot is %s, with faults %q; its key is %s", n, slot.Health.Grade, used[b.on(n)].Faults, slot.Key)
		}
		if slot.Holder != nil {
			t.Errorf("broken after %d: the slot was not given back", n)
		}
		bench.verify(b.on(n), slot.Key, s.pin)
	}
	if survived == 0 && strings.Contains(s.rest, "power-cycle") || survived == b.most {
		t.Errorf("an error at %d of %d moments", survived, b.most)
	}
	for n := range spares {
		if s := used[fmt.Sprintf("spare-%d", n)]; len(s.Faults) > 0 {
			t.Errorf("the key beside it is blamed: %q", s.Faults)
		}
	}
	t.Logf("an error at each of %d moments", survived)
}

// on names the slot that breaks after n.
func (b breakage) on(n int) string { return fmt.Sprintf("%s-%d", b.name, n) }

// counted is a slot that counts requests.
type counted struct {
	Stand
	n    *atomic.Int64
	tell func() // of each, before it is made
}

func (c counted) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	c.n.Add(1)
	c.tell()
	return c.Stand.Exchange(ctx, request)
}

// requests is how many requests a story makes, with all that is done before and after.
func requests(t *testing.T, s story) int {
	t.Helper()
	b := newTestBench(t, "  only: {emulate: security-key, tags: [n0]}\n  spare: {emulate: yubikey-5, tags: [spare]}\n")
	b.blank()
	n, open := atomic.Int64{}, b.open
	b.open = func(ctx context.Context, slot string, heard reach.Ear) (Stand, error) {
		stand, err := open(ctx, slot, heard)
		if slot != "only" {
			return stand, err
		}
		return counted{stand, &n, func() {}}, err
	}
	if got := tries(runAll(t, []Source{s.on(0)}, b.options(nil)), s.on(0).ID); got != "passed on slot only" {
		t.Fatalf("undisturbed: %s", got)
	}
	return int(n.Load())
}

// on is the scenario for the slot with the tag of a number.
func (s story) on(n int) Source {
	id := fmt.Sprintf("%s-%d", s.name, n)
	text := fmt.Sprintf("title: %s\ndevices:\n  key: {profile: security-key, pin: '%s', tags: [n%d]}\n", s.name, s.pin, n)
	if strings.Contains(s.rest, "with: spare") {
		text += "  spare: {profile: yubikey-5, pin: '271828', tags: [spare]}\n"
	}
	return Source{File: id + ".yaml", ID: id, Text: []byte(text + s.rest)}
}

// blank writes down of all keys that they are blank, as new ones are.
func (b *testBench) blank() {
	b.t.Helper()
	for _, name := range b.spec.Names() {
		lease, err := b.desk.Acquire(b.t.Context(), name, desk.Wish{})
		if err == nil {
			err = errors.Join(lease.Mark(strategy.State{Stage: strategy.Blank}), lease.Release())
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// verify mends a slot and looks what is really on its key, where something is written
// down about that.
func (b *testBench) verify(slot string, written strategy.State, pin string) {
	b.t.Helper()
	if !written.Known() {
		return
	}
	text := fmt.Sprintf("bench: {name: test, state: %s}\nslots:\n  %s: {emulate: security-key}\n", b.spec.State, slot)
	spec, err := slots.Parse(filepath.Join(b.t.TempDir(), "bench.yaml"), []byte(text))
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := station.Equip(spec, station.Env{Now: time.Now, Rand: rand.Reader, Getenv: os.Getenv}).Open(b.t.Context(), slot)
	if err != nil {
		b.t.Fatal(err)
	}
	defer s.Close()
	stage, err := strategy.Ask(b.t.Context(), s, rand.Reader, pin)
	if err != nil || stage != written.Stage {
		b.t.Errorf("the key of %s is written down as %s and is %s (%v)", slot, written, stage, err)
	}
	if stage != strategy.PINSet {
		return
	}
	host := platform.New(s, rand.Reader)
	token, err := host.ManagementToken(b.t.Context(), pin)
	if err != nil {
		b.t.Fatal(err)
	}
	if left, _, err := host.CredentialCounts(b.t.Context(), token); err != nil || left > 0 {
		b.t.Errorf("the key of %s is written down as %s, and %d passkeys were left on it (%v)", slot, written, left, err)
	}
}

// TestChaosInterrupted interrupts a run at one request after the other: that is the fault
// of no slot, all are given back, and what is written down about keys is true.
func TestChaosInterrupted(t *testing.T) {
	g, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	s := stories[0]
	all, err := Load([]Source{s.on(0)}, g)
	if err != nil {
		t.Fatal(err)
	}
	for at, most := int64(1), int64(requests(t, s)); at <= most; at++ {
		b := newTestBench(t, "  only: {emulate: security-key, tags: [n0]}\n")
		b.blank()
		ctx, interrupt := context.WithCancel(t.Context())
		n, open := atomic.Int64{}, b.open
		b.open = func(ctx context.Context, slot string, heard reach.Ear) (Stand, error) {
			stand, err := open(ctx, slot, heard)
			return counted{stand, &n, func() {
				if n.Load() == at {
					interrupt()
				}
			}}, err
		}
		var tape bytes.Buffer
		stream := report.NewStream(time.Now, report.NewJSONL(&tape))
		counts, err := Run(ctx, all, b.options(nil), stream)
		if err := errors.Join(err, stream.Close()); err != nil {
			t.Fatal(err)
		}
		interrupt()
		events, err := report.ReadAll(&tape)
		if err != nil {
			t.Fatal(err)
		}
		slot := b.after()["only"]
		if counts[report.Aborted]+counts[report.Passed] != 1 || len(uses(events)["only"].Faults) > 0 || slot.Health.Grade != health.Good || slot.Holder != nil {
			t.Errorf("interrupted at request %d of %d: %v, slot %s, held by %v", at, most, counts, slot.Health.Grade, slot.Holder)
		}
		b.verify("only", slot.Key, s.pin)
	}
}

// TestBenchReserved: a slot that somebody keeps for themselves is not waited for, which
// may be for days.
func TestBenchReserved(t *testing.T) {
	b := newTestBench(t, "  only: {emulate: security-key, tags: [n0]}\n")
	if err := b.desk.Reserve(t.Context(), "only", desk.Owner{Who: "mary", Host: "here"}); err != nil {
		t.Fatal(err)
	}
	events := runAll(t, []Source{stories[0].on(0)}, b.options(nil))
	if end := events[len(events)-2]; end.Outcome != report.Skipped || !strings.Contains(end.Text, "slot only is reserved by mary@here") {
		t.Errorf("%s: %s", end.Outcome, end.Text)
	}
	if s := uses(events)["only"]; !strings.Contains(s.SetAside, "mary") || s.Used != 0 {
		t.Errorf("%+v", s)
	}
}
