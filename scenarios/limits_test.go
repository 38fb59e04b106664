package scenarios

import (
	"strings"
	"testing"

	"fido-emu/fixtures/reach"
	"fido-emu/report"
)

// TestLimits: behind a wire times are measured, and one above its limit fails the step;
// in process there is no wire to measure.
func TestLimits(t *testing.T) {
	pipe, err := reach.ParseWay("pipe")
	if err != nil {
		t.Fatal(err)
	}
	source := func(limit string) []Source {
		return []Source{{File: "l.yaml", ID: "l", Text: []byte("title: Limits\nlimits: {" + limit + "}\npeople: {ada: }\ndevices: {key: {profile: security-key}}\nsteps:\n  - register: ada\n    with: key\n")}}
	}
	run := func(limit string, via *reach.Way) (end report.Event, readings []string) {
		for _, e := range runAll(t, source(limit), Options{Title: "limits", Via: via}) {
			if e.Kind == report.ScenarioEnd {
				end = e
			}
			if e.Kind == report.Measured {
				readings = append(readings, e.Measurement.Quantity+" "+e.Measurement.Verdict)
			}
		}
		return end, readings
	}
	end, readings := run("signature: {max: 1 hour}, retries: {max: 0}", &pipe)
	all := strings.Join(readings, "\n")
	if end.Outcome != report.Passed {
		t.Errorf("ended as %s: %+v", end.Outcome, end.Failure)
	}
	for _, want := range []string{"enumeration ", "touch-to-response ", "signature within", "retries within"} {
		if !strings.Contains(all, want) {
			t.Errorf("the readings lack %q:\n%s", want, all)
		}
	}
	end, _ = run("signature: {max: 0 s}", &pipe)
	if end.Outcome != report.Failed || !strings.Contains(end.Failure.Message, "signature of key is ") {
		t.Errorf("ended as %s: %+v", end.Outcome, end.Failure)
	}
	if end, readings = run("signature: {max: 0 s}", nil); end.Outcome != report.Passed || readings != nil {
		t.Errorf("in process it ended as %s with %v", end.Outcome, readings)
	}
}
