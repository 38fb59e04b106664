package recovery

import (
	"math/rand/v2"
	"testing"
	"time"
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
	const owner = "account ada@example.com"
	if len(snapshot.Cases) != 1 || snapshot.Starts[owner].Count != 2 {
		t.Errorf("kept %+v, want the open case and two starts", snapshot)
	}
	b.Desk = b.desk()
	b.Restore(snapshot)
	if got := b.Snapshot().Starts[owner].Count; got != 1 {
		t.Errorf("%d starts count, want that of the case that is over", got)
	}
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

// TestRestoreLittle takes up snapshots from which something is missing.
func TestRestoreLittle(t *testing.T) {
	b := newBench(t, staff(nil))
	policy, cases := b.Policy(), []Interrupted{{Case: "a", Account: "Ada@example.com"}, {Case: "b", Account: "ada@example.com"}}
	b.Desk = b.desk()
	b.Restore(Snapshot{Policy: policy, Cases: cases, Starts: map[string]window{"account ada@example.com": {Count: 1, Until: b.now.Add(time.Hour)}}})
	if got := b.Snapshot().Starts["account ada@example.com"].Count; got != 0 {
		t.Errorf("%d starts count, want none", got)
	}
	b.Desk = b.desk()
	b.Restore(Snapshot{Policy: policy, Cases: cases})
	b.env.Notify = nil
	b.Desk = New(b.env)
	b.Restore(Snapshot{Policy: policy})
	b.to(t, ada())
	wantCode(t, b.Desk.Callback(t.Context(), b.callback(PresentationVerified)), "")
	if b.issued != 1 {
		t.Errorf("%d passes, want 1", b.issued)
	}
}
