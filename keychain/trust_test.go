package keychain_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fido-emu/keychain"
)

// liar changes the answers of one operation.
type liar struct {
	keychain.Cloud
	op  keychain.Operation
	lie func(answer map[string]any)
}

func (l *liar) Call(ctx context.Context, op keychain.Operation, bearer, request []byte) ([]byte, error) {
	answer, err := l.Cloud.Call(ctx, op, bearer, request)
	if err != nil || op != l.op {
		return answer, err
	}
	var m map[string]any
	if err := json.Unmarshal(answer, &m); err != nil {
		return nil, err
	}
	l.lie(m)
	return json.Marshal(m)
}

// TestLyingService lets a service swap, revive, forge and forget: the device
// takes nothing of it over.
func TestLyingService(t *testing.T) {
	entity := func(m map[string]any, i int) map[string]any { return m["entities"].([]any)[i].(map[string]any) }
	tests := []struct {
		name string
		op   keychain.Operation
		code keychain.Code
		lie  func(m map[string]any)
	}{
		{"entities under each other's id", keychain.OpSync, keychain.Damaged, func(m map[string]any) {
			a, b := entity(m, 0), entity(m, 1)
			a["id"], b["id"] = b["id"], a["id"]
		}},
		{"a credential as a tombstone", keychain.OpSync, keychain.Damaged, func(m map[string]any) { entity(m, 0)["dead"] = true }},
		{"another epoch", keychain.OpSync, keychain.Damaged, func(m map[string]any) { entity(m, 0)["epoch"] = 9 }},
		{"answers to nothing", keychain.OpSync, keychain.Damaged, func(m map[string]any) { m["accepted"] = []int{7} }},
		{"a box for another", keychain.OpKeys, keychain.Damaged, func(m map[string]any) { m["box"] = "AAAA" }},
		{"an epoch without links", keychain.OpKeys, keychain.Damaged, func(m map[string]any) { m["epoch"] = 3 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, keychain.ServiceConfig{})
			phone := w.founder("phone", nil)
			w.put(phone, "c1", "example.com", "ada")
			w.put(phone, "c2", "example.com", "bob")
			w.sync(phone)
			laptop := w.device("laptop", &liar{w.Service, test.op, test.lie})
			r, err := laptop.RequestJoin(ctx(), account, secret)
			w.must(err)
			w.must(phone.Approve(ctx(), r.ID, r.Code))
			err = laptop.CompleteJoin(ctx())
			if err == nil {
				_, err = laptop.Sync(ctx())
			}
			w.refused(err, test.code)
			w.expect(laptop, "example.com", "")
		})
	}
}

// TestSwappedKeys: a service that puts another key in the place of the one that joins, or
// another account's anchor before it, is found out by the code.
func TestSwappedKeys(t *testing.T) {
	other, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, swapped := range map[string]struct {
		op  keychain.Operation
		lie func(map[string]any)
	}{
		"nothing": {keychain.OpNotices, nil},
		"the key": {keychain.OpPending, func(m map[string]any) {
			m["requests"].([]any)[0].(map[string]any)["publicKey"] = other.PublicKey().Bytes()
		}},
		"the anchor": {keychain.OpRequest, func(m map[string]any) { m["anchor"] = other.PublicKey().Bytes() }},
	} {
		w := newWorld(t, keychain.ServiceConfig{})
		liar := &liar{w.Service, swapped.op, swapped.lie}
		phone, laptop := w.founder("phone", liar), w.device("laptop", liar)
		r, err := laptop.RequestJoin(ctx(), account, secret)
		w.must(err)
		if err = phone.Approve(ctx(), r.ID, r.Code); name == "nothing" {
			w.must(err)
		} else {
			w.refused(err, keychain.CodeMismatch)
		}
	}
}

// TestLyingEscrow: a service does not learn a passcode or a code by asking for a proof
// that is cheap to guess by, and what it gives in place of the sealed key does not open.
func TestLyingEscrow(t *testing.T) {
	for _, test := range []struct {
		name string
		op   keychain.Operation
		lie  func(map[string]any)
		told keychain.Operation // what must not have been asked then
	}{
		{"one iteration", keychain.OpParams, func(m map[string]any) { m["iterations"] = 999 }, keychain.OpOpen},
		{"iterations without end", keychain.OpParams, func(m map[string]any) { m["iterations"] = 10_000_001 }, keychain.OpOpen},
		{"nothing sealed", keychain.OpOpen, func(m map[string]any) { m["sealed"] = "" }, keychain.OpFinish},
		{"little sealed", keychain.OpOpen, func(m map[string]any) { m["sealed"] = "AAAAAAAAAAAAAAA=" }, keychain.OpFinish},
		{"something else sealed", keychain.OpOpen, func(m map[string]any) { m["sealed"] = strings.Repeat("AAAA", 20) }, keychain.OpFinish},
		{"fewer than no iterations", keychain.OpSpare, func(m map[string]any) { m["iterations"] = -1 }, keychain.OpTake},
		{"iterations of a code without end", keychain.OpSpare, func(m map[string]any) { m["iterations"] = 10_000_001 }, keychain.OpTake},
		{"few iterations of a password", keychain.OpSpare, func(m map[string]any) { m["iterations"] = 999 }, keychain.OpTake},
		{"no code's key", keychain.OpTake, func(m map[string]any) { m["sealed"] = "AAAA" }, keychain.OpFinish},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, keychain.ServiceConfig{})
			phone := w.founder("phone", nil)
			w.must(phone.SetPasscode(ctx(), passcode))
			code, err := phone.NewRecoveryCode(ctx())
			w.must(err)
			spy := &spy{Cloud: &liar{w.Service, test.op, test.lie}}
			fresh := w.device("fresh", spy)
			if test.op == keychain.OpParams || test.op == keychain.OpOpen {
				err = fresh.RecoverFromEscrow(ctx(), account, secret, passcode)
			} else if strings.Contains(test.name, "password") {
				err = fresh.RecoverWithSecretKey(ctx(), account, secret, phone.SecretKey())
			} else {
				err = fresh.RecoverWithCode(ctx(), account, secret, code)
			}
			w.refused(err, keychain.Damaged)
			if slices.ContainsFunc(spy.calls, func(c spied) bool { return c.op == test.told }) {
				t.Errorf("%s was asked all the same", test.told)
			}
			if fresh.Status().Joined {
				t.Error("the device is in")
			}
		})
	}
}

// TestForgedEpoch gives a device an epoch whose links lead to another first key
// than the one it knows: whoever made it did not have that key.
func TestForgedEpoch(t *testing.T) {
	w := newWorld(t, keychain.ServiceConfig{})
	phone, laptop := w.founder("phone", nil), w.device("laptop", nil)
	w.joins(laptop, phone)
	w.must(phone.Revoke(ctx(), "laptop"))
	snapshot, err := phone.Snapshot()
	w.must(err)
	snapshot.Keys = [][]byte{bytes.Repeat([]byte{7}, 32)}
	d, err := keychain.RestoreDevice(snapshot, w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	w.put(d, "c1", "example.com", "ada")
	w.fails(d, keychain.Damaged)
}

func TestServiceRolledBack(t *testing.T) {
	store := keychain.NewMemoryStore()
	w := newWorld(t, keychain.ServiceConfig{Store: store})
	phone := w.founder("phone", nil)
	backup := copied(store)
	w.put(phone, "c1", "example.com", "ada")
	w.sync(phone)
	old := newWorld(t, keychain.ServiceConfig{Store: backup})
	snapshot, err := phone.Snapshot()
	w.must(err)
	again, err := keychain.RestoreDevice(snapshot, old.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	w.fails(again, keychain.RolledBack)
}

// cutStore fails after a number of commits, as when the power goes: what was
// committed stays.
type cutStore struct {
	*keychain.MemoryStore
	left int
}

func (c *cutStore) Commit(records []keychain.Record) error {
	if c.left--; c.left < 0 {
		return errors.New("the power is gone")
	}
	return c.MemoryStore.Commit(records)
}

// TestTryIsCountedBeforeTheComparison cuts the power right after a try was
// counted: it is gone, even though the passcode was right.
func TestTryIsCountedBeforeTheComparison(t *testing.T) {
	store := &cutStore{keychain.NewMemoryStore(), 100}
	w := newWorld(t, keychain.ServiceConfig{Store: store})
	w.must(w.founder("phone", nil).SetPasscode(ctx(), passcode))
	store.left = 1
	fresh := w.device("fresh", nil)
	w.refused(fresh.RecoverFromEscrow(ctx(), account, secret, passcode), keychain.StorageFailed)

	w = newWorld(t, keychain.ServiceConfig{Store: store.MemoryStore})
	w.random.Seed([32]byte{3})
	e := w.refused(w.device("fresh", nil).RecoverFromEscrow(ctx(), account, secret, "0000"), keychain.WrongPasscode)
	if *e.TriesLeft != 8 {
		t.Fatalf("%d tries left, want 8", *e.TriesLeft)
	}
}

func TestProviders(t *testing.T) {
	tests := []struct {
		provider        string
		sponsor, escrow bool
		atOnce          bool
	}{
		{"reference", true, true, false},
		{"apple", true, true, true},
		{"google", false, true, true},
		{"1password", true, false, true},
	}
	for _, test := range tests {
		t.Run(test.provider, func(t *testing.T) {
			w := newWorld(t, keychain.ServiceConfig{Provider: provider(t, test.provider)})
			phone := w.founder("phone", nil)
			w.put(phone, "c1", "example.com", "ada")
			w.expect(phone, "example.com", fmt.Sprintf("[c1 ada %v]", test.atOnce))
			_, err := w.device("laptop", nil).RequestJoin(ctx(), account, secret)
			allowed(t, err, test.sponsor)
			allowed(t, phone.SetPasscode(ctx(), passcode), test.escrow)
		})
	}
	if _, err := keychain.LookupProvider("acme"); err == nil {
		t.Fatal("a provider that is not known was found")
	}
}

func allowed(t *testing.T, err error, want bool) {
	t.Helper()
	if (err == nil) != want || err != nil && !errors.Is(err, keychain.WayNotAllowed) {
		t.Fatalf("got %v, want allowed %v", err, want)
	}
}

func TestCloneAndDeterminism(t *testing.T) {
	run := func() (*world, *keychain.Device, []byte) {
		w := newWorld(t, keychain.ServiceConfig{})
		d := w.life(w.Service)
		w.put(d, "unsynced", "example.com", "ada")
		snapshot, err := d.Snapshot()
		w.must(err)
		encoded, err := json.Marshal(snapshot)
		w.must(err)
		return w, d, encoded
	}
	w, d, first := run()
	again, _, second := run()
	if !bytes.Equal(first, second) || !reflect.DeepEqual(w.events, again.events) {
		t.Fatal("two runs from one seed differ")
	}
	var snapshot keychain.Snapshot
	w.must(json.Unmarshal(first, &snapshot))
	clone, err := keychain.RestoreDevice(snapshot, w.Service, keychain.Env{Iterations: few, Now: w.clock, Rand: w.random})
	w.must(err)
	w.expect(clone, "example.com", "[unsynced ada false]")
	if clone.Status() != d.Status() {
		t.Fatalf("the clone is at %+v, the device at %+v", clone.Status(), d.Status())
	}
	w.sync(clone, d) // both say that they made it
	w.expect(d, "example.com", "[unsynced ada true]")
	snapshot.Keys[0] = snapshot.Keys[0][:5]
	if _, err := keychain.RestoreDevice(snapshot, w.Service, keychain.Env{}); err == nil {
		t.Fatal("a snapshot with half a key was restored")
	}
}
