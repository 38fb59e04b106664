package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"time"

	"fido-emu/ctap/authenticator"
	"fido-emu/keychain"
)

const (
	idleTarget       = 8 << 10
	credentialTarget = 1 << 10
)

// measureMemory looks at the heap before and after making very many of a thing.
func measureMemory(_ context.Context, e effort) ([]row, error) {
	n := 20_000
	if e.quick {
		n = 2_000
	}
	idle, err := perThing(n/10, func(n int) (any, error) {
		all := make([]*authenticator.Authenticator, n)
		for i := range all {
			var err error
			if all[i], err = newAuthenticator(); err != nil {
				return nil, err
			}
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	stored, err := perThing(n, fill(authenticator.NewMemoryCredentials(0)))
	if err != nil {
		return nil, err
	}
	replica := keychain.NewDevice("phone", nil, keychain.Env{Now: time.Now, Rand: rand.Reader})
	synced, err := perThing(n, fill(replica.Credentials()))
	if err != nil {
		return nil, err
	}
	return []row{
		{Name: "memory of an idle authenticator", Unit: "B", Ours: idle, Target: idleTarget, Note: fmt.Sprintf("heap, over %d of them", n/10)},
		{Name: "memory of a stored credential", Unit: "B", Ours: stored, Target: credentialTarget, Note: fmt.Sprintf("heap of the store in memory, over %d", n)},
		{Name: "memory of a synced credential", Unit: "B", Ours: synced, Target: credentialTarget, Note: fmt.Sprintf("heap of a device's replica, over %d", n)},
	}, nil
}

// fill returns a function that puts n credentials into a store.
func fill(store authenticator.Credentials) func(int) (any, error) {
	return func(n int) (any, error) {
		for i := range n {
			if err := store.Put(newCredential(i)); err != nil {
				return nil, err
			}
		}
		return store, nil
	}
}

// perThing returns the bytes of heap that each of n things takes.
func perThing(n int, build func(int) (any, error)) (float64, error) {
	before := heap()
	things, err := build(n)
	if err != nil {
		return 0, err
	}
	after := heap()
	runtime.KeepAlive(things)
	return float64(after-before) / float64(n), nil
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
