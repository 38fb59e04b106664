package conformance_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/hid"
)

// scripted is a target whose authenticator answers as a function does.
type scripted struct {
	answer  func(ctx context.Context, request []byte) []byte // nil keeps silent
	cannot  conformance.Gesture
	pinInfo bool   // getInfo says that a PIN is set
	info    []byte // what getInfo answers instead; nil for what can be read

	served sync.WaitGroup
	dead   bool
	cycles int
}

func (s *scripted) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	if ctap.Command(request[0]) == ctap.GetInfo && !s.dead {
		if s.info != nil {
			return s.info, nil
		}
		info := ctap.Info{Versions: []string{"FIDO_2_0"}, AAGUID: make([]byte, 16), Options: map[string]bool{"clientPin": s.pinInfo}}
		body, err := ctap.Encode(info)
		return append([]byte{0}, body...), err
	}
	if response := s.answer(ctx, request); response != nil && !s.dead {
		return response, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *scripted) Connect(context.Context) (hid.Conn, error) {
	s.served.Wait()
	device, host := hid.Pipe()
	keepalive := time.Hour // it does not say that it is alive
	s.served.Go(func() {
		_ = hid.Serve(context.Background(), device, hid.Device{Authenticator: s, KeepaliveInterval: keepalive})
	})
	return host, nil
}

func (s *scripted) PowerCycle(context.Context) error                { s.cycles++; return nil }
func (s *scripted) Can(g conformance.Gesture) bool                  { return s.cannot&g == 0 }
func (s *scripted) Plan(context.Context, conformance.Gesture) error { return nil }
func (s *scripted) Asked() func()                                   { return func() {} }
func (s *scripted) Now() time.Time                                  { return time.Unix(0, 0) }
func (s *scripted) Sleep(context.Context, time.Duration) error      { return nil }
func (s *scripted) WireTime(d time.Duration) time.Duration          { return d }
func (s *scripted) About() string                                   { return "a test" }

func execute(t *testing.T, s *scripted, o conformance.Options, cases ...conformance.Case) *conformance.Report {
	t.Helper()
	o.Rand = rand.NewChaCha8([32]byte{})
	report, err := conformance.Execute(t.Context(), s, cases, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func plain(id string, run func(r *conformance.Run)) conformance.Case {
	return conformance.Case{ID: "try." + id, Rule: conformance.Since20("6"), Why: "it works", Run: run}
}

// denies is an authenticator that denies everything.
func denies(context.Context, []byte) []byte { return []byte{byte(ctap.ErrOperationDenied)} }

func TestOutcomes(t *testing.T) {
	selection := func(r *conformance.Run) *conformance.Reply { return r.Send(ctap.Selection, nil) }
	for _, c := range []struct {
		name    string
		c       conformance.Case
		outcome conformance.Outcome
		says    string
	}{
		{"as asked for", plain("a", func(r *conformance.Run) { selection(r).Want(ctap.ErrOperationDenied).Empty().Untouched() }), conformance.Passed, ""},
		{"another status", plain("a", func(r *conformance.Run) { selection(r).OK() }), conformance.Failed, "CTAP2_ERR_OPERATION_DENIED"},
		{"tolerated", plain("a", func(r *conformance.Run) {
			selection(r).Tolerate(conformance.Deviates("old keys", ctap.ErrOperationDenied)).OK()
		}), conformance.Tolerated, "old keys"},
		{"no touch", plain("a", func(r *conformance.Run) { selection(r).Touched() }), conformance.Failed, "STATUS_UPNEEDED"},
		{"a check and more", plain("a", func(r *conformance.Run) { r.Check(false, "this is wrong"); selection(r) }), conformance.Failed, "this is wrong"},
		{"not equal", plain("a", func(r *conformance.Run) { conformance.Equal(r, "a number", 1, 2) }), conformance.Failed, "a number"},
		{"a case that panics", plain("a", func(*conformance.Run) { panic("oh") }), conformance.Errored, "oh"},
		{"a plan that was not announced", plain("a", func(r *conformance.Run) { r.Plan(conformance.Deny) }), conformance.Errored, "decline"},
		{"what the key has not", conformance.Case{ID: "try.a", Rule: conformance.Since21("6"), Why: "no"}, conformance.NotApplicable, "FIDO_2_0"},
		{"nobody to decline", conformance.Case{ID: "try.a", Rule: conformance.Since20("6"), Hands: conformance.Deny}, conformance.NotRun, "decline"},
		{"destructive", conformance.Case{ID: "try.a", Rule: conformance.Since20("6"), Destructive: true}, conformance.NotRun, "--allow-destructive"},
		{"a reset before it", conformance.Case{ID: "try.a", Rule: conformance.Since20("6"), Start: conformance.Blank}, conformance.NotRun, "--allow-destructive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &scripted{answer: denies, cannot: conformance.Deny}
			r := execute(t, s, conformance.Options{}, c.c).Results[0]
			var line bytes.Buffer
			if err := conformance.WriteResult(&line, &r); err != nil {
				t.Fatal(err)
			}
			if r.Outcome != c.outcome || !strings.Contains(line.String(), c.says) {
				t.Errorf("%s, want %s with %q", line.String(), c.outcome, c.says)
			}
		})
	}
}

func TestSilenceIsAFindingAndEndsTheRunOfADeadKey(t *testing.T) {
	hang := plain("hang", func(r *conformance.Run) { r.Send(ctap.Selection, nil) })
	next := plain("next", func(r *conformance.Run) { r.Send(ctap.GetInfo, nil).OK() })
	for _, dies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { silence(t, dies, hang, next) })
	}
}

func silence(t *testing.T, dies bool, hang, next conformance.Case) {
	s := &scripted{}
	s.answer = func(context.Context, []byte) []byte { s.dead = dies; return nil }
	report := execute(t, s, conformance.Options{Timeout: 50 * time.Millisecond}, hang, next)
	if got := report.Results[0]; got.Outcome != conformance.Failed {
		t.Errorf("the hang is %s", got.Outcome)
	}
	want := conformance.Passed
	if dies {
		want = conformance.NotRun
	}
	if got := report.Results[1]; got.Outcome != want || (report.Stopped != "") != dies {
		t.Errorf("dies %v: what follows is %s %q; stopped: %q", dies, got.Outcome, got.Reason, report.Stopped)
	}
}

func TestWhatWaitsForLongIsLeftOut(t *testing.T) {
	c := plain("waits", func(*conformance.Run) {})
	c.Waits = time.Minute
	s := &scripted{answer: denies}
	for limit, want := range map[time.Duration]conformance.Outcome{0: conformance.Passed, time.Minute: conformance.Passed, time.Second: conformance.NotRun} {
		if r := execute(t, s, conformance.Options{MaxWait: limit}, c).Results[0]; r.Outcome != want {
			t.Errorf("at most %v: %s %q, want %s", limit, r.Outcome, r.Reason, want)
		}
	}
}

func TestResultsAreTakenUp(t *testing.T) {
	ran := 0
	cases := []conformance.Case{
		plain("one", func(*conformance.Run) { ran++ }),
		plain("two", func(r *conformance.Run) { ran++; r.Fail("no") }),
	}
	report := execute(t, &scripted{answer: denies}, conformance.Options{}, cases...)
	var file bytes.Buffer
	if err := conformance.WriteResult(&file, &report.Results[1]); err != nil {
		t.Fatal(err)
	}
	file.WriteString(`{"id": "try.one", "outc`) // the power failed here
	done, err := conformance.ReadResults(&file)
	if err != nil {
		t.Fatal(err)
	}
	again := execute(t, &scripted{answer: denies}, conformance.Options{Done: done}, cases...)
	if ran != 3 || again.Results[1].Outcome != conformance.Failed || len(again.Results[1].Failures) != 1 {
		t.Errorf("%d ran; %+v", ran, again.Results)
	}
}

func TestSectionsAreInOrder(t *testing.T) {
	report := &conformance.Report{}
	for _, s := range []string{"6.10", "6.2.2", "12.4", "6.2", "6.2.10", "9"} {
		report.Results = append(report.Results, conformance.Result{ID: "a." + s, Document: conformance.CTAP, Section: s})
	}
	var got []string
	for _, c := range report.Sections() {
		got = append(got, c.Section)
	}
	if want := []string{"6.2", "6.2.2", "6.2.10", "6.10", "9", "12.4"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzReadResults(f *testing.F) {
	f.Add([]byte(`{"id":"a.b","outcome":"passed"}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		results, err := conformance.ReadResults(bytes.NewReader(b))
		if _, ok := results[""]; ok || err != nil && results != nil {
			t.Errorf("%v, %v", results, err)
		}
	})
}
