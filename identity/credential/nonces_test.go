package credential

import (
	"strconv"
	"testing"
	"time"
)

// A nonce is good once while anything with it could pass, and costs no memory after.
func TestNoncesAreForgottenInTime(t *testing.T) {
	var n Nonces
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	until := now.Add(6 * time.Minute)
	if !n.Spend("once", now, until) {
		t.Error("a fresh nonce was refused")
	}
	for _, later := range []time.Duration{0, time.Minute, 6 * time.Minute} {
		if n.Spend("once", now.Add(later), until) {
			t.Errorf("spent again %s later", later)
		}
	}
	for i := range 1000 {
		now = now.Add(time.Second)
		if !n.Spend(strconv.Itoa(i), now, now.Add(6*time.Minute)) {
			t.Fatalf("nonce %d was refused", i)
		}
	}
	if most := 7*60 + 1; len(n.spent) > most {
		t.Errorf("%d nonces are remembered, %d could be presented again", len(n.spent), most)
	}
}
