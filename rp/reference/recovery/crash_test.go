package recovery

import (
	"math/rand/v2"
	"testing"
)

// TestCrash restores a desk from what it was in the middle of a case.
func TestCrash(t *testing.T) {
	b := newBench(t, staff(nil))
	done, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	_, err = b.Status(t.Context(), done.ID, done.Secret)
	wantCode(t, err, "")
	wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), "")
	started, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	_, err = b.Status(t.Context(), started.ID, started.Secret)
	wantCode(t, err, "")
	old := b.callback(PresentationVerified)
	snapshot := b.Snapshot()
	b.Desk = b.desk()
	b.Restore(snapshot)
	b.env.Rand = rand.NewChaCha8([32]byte{2})

	// Nobody goes on with what was open, also with its secret or its callback.
	_, err = b.Status(t.Context(), started.ID, started.Secret)
	wantCode(t, err, CaseUnknown)
	wantCode(t, b.Callback(t.Context(), old), CallbackUnknown)
	// The owner starts again; a presentation from before is still known.
	again, err := b.Start(t.Context(), ada())
	wantCode(t, err, "")
	_, err = b.Status(t.Context(), again.ID, again.Secret)
	wantCode(t, err, "")
	wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), "")
	status, err := b.Status(t.Context(), again.ID, again.Secret)
	wantCode(t, err, "")
	if status.Reason != PresentationReplayed {
		t.Errorf("a presentation from before the crash ended with %q", status.Reason)
	}
	b.verified.ID = "p2"
	again, err = b.Start(t.Context(), ada())
	wantCode(t, err, "")
	_, err = b.Status(t.Context(), again.ID, again.Secret)
	wantCode(t, err, "")
	wantCode(t, b.Callback(t.Context(), b.callback(PresentationVerified)), "")
	if b.issued != 2 {
		t.Errorf("%d passes, want 2", b.issued)
	}
}
