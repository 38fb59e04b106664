package storetest

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"fido-emu/ctap/authenticator"
)

// Stores is all that an authenticator has when the power comes back.
type Stores struct {
	Device      authenticator.DeviceState
	Credentials authenticator.Credentials
}

// cut is what a store panics with when the power is cut.
type cut struct{}

// supply is power that can be cut at a durable write.
type supply struct {
	writes int  // that were begun
	at     int  // the write at which the power goes, counted from 1; 0 for never
	after  bool // it goes after that write, not before
}

func (s *supply) write(do func() error) error {
	if s.writes++; s.writes != s.at {
		return do()
	}
	if s.after {
		if err := do(); err != nil {
			return err
		}
	}
	panic(cut{})
}

// cutDevice is a DeviceState whose power may go at each of its durable writes.
type cutDevice struct {
	authenticator.DeviceState
	*supply
}

// Save implements [authenticator.DeviceState].
func (d cutDevice) Save(device authenticator.Device) error {
	return d.write(func() error { return d.DeviceState.Save(device) })
}

// NextCounter implements [authenticator.DeviceState].
func (d cutDevice) NextCounter() (n uint32, err error) {
	err = d.write(func() error {
		n, err = d.DeviceState.NextCounter()
		return err
	})
	return n, err
}

// cutCredentials are Credentials whose power may go at each of their durable writes.
type cutCredentials struct {
	authenticator.Credentials
	*supply
}

// Put implements [authenticator.Credentials].
func (c cutCredentials) Put(credential *authenticator.Credential) error {
	return c.write(func() error { return c.Credentials.Put(credential) })
}

// Delete implements [authenticator.Credentials].
func (c cutCredentials) Delete(id []byte) error {
	return c.write(func() error { return c.Credentials.Delete(id) })
}

// Clear implements [authenticator.Credentials].
func (c cutCredentials) Clear() error { return c.write(c.Credentials.Clear) }

// PowerCuts lets an authenticator on these stores do everything that changes them,
// cuts the power before and after each durable write, and looks at what is left. new
// makes empty stores and returns what opens them, as they are on the disk then, each
// time that the power comes.
func PowerCuts(t *testing.T, new func(t *testing.T) (open func() Stores)) {
	for _, c := range cuttable() {
		t.Run(c.name, func(t *testing.T) { cutPower(t, c, func() func() Stores { return new(t) }) })
	}
}

// reporter is the part of a test that is told what is wrong.
type reporter interface {
	tb
	Errorf(format string, args ...any)
}

// cutPower runs a command once to its end, and then with each cut that there is.
func cutPower(t reporter, c command, new func() (open func() Stores)) {
	whole := startKey(t, new(), c)
	do := c.ready(whole)
	before := whole.durable()
	if !whole.survives(do) {
		t.Fatal("the power is gone without a cut")
	}
	after, writes := whole.durable(), whole.writes
	if c.writes != writes {
		t.Fatalf("%d durable writes, want %d", writes, c.writes)
	}
	for at := 1; at <= writes; at++ {
		for _, late := range []bool{false, true} {
			k := startKey(t, new(), c)
			do := c.ready(k)
			k.same("before", k.durable(), before)
			k.at, k.after = at, late
			if k.survives(do) {
				t.Fatalf("write %d does not happen", at)
			}
			k.restart()
			k.check(c, before, after, at > 1 || late, at == writes && late)
		}
	}
}

// durable is what the stores hold.
func (k *key) durable() authenticator.Snapshot {
	k.t.Helper()
	device, err := k.env.Device.Load()
	must(k.t, err)
	all, err := k.env.Credentials.All()
	must(k.t, err)
	return authenticator.Snapshot{Device: device, Credentials: all}
}

// survives does something and tells whether the power stayed. Writes are counted from
// here.
func (k *key) survives(do func()) (on bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case cut:
			on = false
		default:
			panic(r)
		}
	}()
	k.writes = 0
	do()
	return true
}

// check looks at what a command left that was cut short: old or new, nothing between.
func (k *key) check(c command, old, new authenticator.Snapshot, begun, complete bool) {
	k.t.Helper()
	now := k.durable()
	k.eitherOr("PIN", now, old, new, func(d *authenticator.Device) any {
		return []any{d.PINHash, d.PINLength, d.TrivialPIN, d.PersistentToken, d.ForcePINChange, d.MinPINLength}
	})
	k.eitherOr("identity", now, old, new, func(d *authenticator.Device) any { return []any{d.WrapKey, d.Identifier, d.StoreState} })
	k.eitherOr("large blobs", now, old, new, func(d *authenticator.Device) any { return d.LargeBlobs })
	k.eitherOr("fingers", now, old, new, func(d *authenticator.Device) any { return d.Templates })
	k.eitherOr("settings", now, old, new, func(d *authenticator.Device) any { return []any{d.AlwaysUV, d.EnterpriseEnabled} })
	switch {
	case now.Device.Counter < old.Device.Counter:
		k.t.Errorf("the counter goes back from %d to %d", old.Device.Counter, now.Device.Counter)
	case c.guesses && begun && now.Device.PINRetries+now.Device.UVRetries >= old.Device.PINRetries+old.Device.UVRetries:
		k.t.Errorf("the tries of a guess are given back: %d and %d", now.Device.PINRetries, now.Device.UVRetries)
	case !complete && !c.proves && (now.Device.PINRetries > old.Device.PINRetries || now.Device.UVRetries > old.Device.UVRetries):
		if !reflect.DeepEqual(now.Device.PINHash, new.Device.PINHash) {
			k.t.Errorf("tries come back without a right PIN: %d and %d", now.Device.PINRetries, now.Device.UVRetries)
		}
	case old.Device.PINHash != nil && now.Device.PINHash == nil && len(now.Credentials) > 0:
		k.t.Errorf("%d credentials are left without the PIN that guards them", len(now.Credentials))
	}
	if complete {
		k.same("after", now, new)
	}
	k.checkCredentials(now, old, new)
	k.works(now)
}

func (k *key) eitherOr(what string, now, old, new authenticator.Snapshot, part func(*authenticator.Device) any) {
	k.t.Helper()
	if got := part(&now.Device); !reflect.DeepEqual(got, part(&old.Device)) && !reflect.DeepEqual(got, part(&new.Device)) {
		k.t.Errorf("%s is neither old nor new: %v", what, got)
	}
}

// same compares what runs from the same seed have stored.
func (k *key) same(when string, got, want authenticator.Snapshot) {
	k.t.Helper()
	if !reflect.DeepEqual(got.Device, want.Device) || len(got.Credentials) != len(want.Credentials) {
		k.t.Errorf("%s: %d credentials and %+v, want %d and %+v", when, len(got.Credentials), got.Device, len(want.Credentials), want.Device)
	}
}

// checkCredentials demands that each credential is as it was or as it was to be, and
// that none is lost but what the command takes away.
func (k *key) checkCredentials(now, old, new authenticator.Snapshot) {
	k.t.Helper()
	for _, c := range now.Credentials {
		if !holds(old, c) && !holds(new, c) {
			k.t.Errorf("credential %x is half there: %+v", c.ID, c)
		}
		k.signs(c.ID, c.RP.ID, c.PublicKey, true)
	}
	for _, c := range old.Credentials {
		if holds(new, c) && !holds(now, c) {
			k.t.Errorf("credential %x is lost", c.ID)
		}
	}
}

func holds(s authenticator.Snapshot, c *authenticator.Credential) bool {
	return slices.ContainsFunc(s.Credentials, func(o *authenticator.Credential) bool {
		return bytes.Equal(o.ID, c.ID) && reflect.DeepEqual(o.User, c.User) && bytes.Equal(o.PublicKey, c.PublicKey) &&
			bytes.Equal(o.KeyHandle, c.KeyHandle) && reflect.DeepEqual(o.LargeBlob, c.LargeBlob)
	})
}
