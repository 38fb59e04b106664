package double_test

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"fido-emu/rp/audit"
	"fido-emu/rp/audit/double"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func now() time.Time { return at }

func random() io.Reader { return rand.NewChaCha8([32]byte{3}) }

// With nothing left out, nothing gets through but what the standard allows.
func TestWhole(t *testing.T) {
	r, err := double.Audit(t.Context(), nil, random(), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range r.Results {
		switch one.Verdict {
		case audit.Accepted, audit.Broken, audit.NotApplicable:
			t.Errorf("%s %s (%s): %s", one.Verdict, one.ID, one.Rule(), one.Why)
		}
	}
}

func TestMutants(t *testing.T) {
	all, err := double.Score(t.Context(), random, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	tolerated := 0
	for _, f := range all {
		if f.Tolerated {
			tolerated++
		}
		if len(f.By) == 0 {
			t.Errorf("%s (%s) survives; elsewhere: %v", f.Name, f.Step.Rule(), f.Elsewhere)
		}
	}
	if len(all) < 75 {
		t.Errorf("%d mutants", len(all))
	}
	if len(all)-tolerated < 100 {
		t.Errorf("%d mutants are found by attacks that the standard does not allow to accept", len(all)-tolerated)
	}
	t.Logf("%d mutants, %d of steps that may be left out", len(all), tolerated)
}
