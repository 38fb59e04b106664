package keychain_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"fido-emu/keychain"
)

// stocked returns two members of an account that hold n credentials, synced, a
// hundred for each relying party.
func stocked(b *testing.B, n int) (*world, *keychain.Device, *keychain.Device) {
	b.Helper()
	w := newWorld(b, keychain.ServiceConfig{})
	phone, laptop := w.founder("phone", nil), w.device("laptop", nil)
	w.joins(laptop, phone)
	for i := range n {
		w.put(phone, fmt.Sprintf("credential-%022d", i), fmt.Sprintf("site-%d.example", i/100), fmt.Sprintf("user-%d", i%100))
	}
	w.sync(phone, laptop)
	return w, phone, laptop
}

// BenchmarkSyncOneChange is one changed entity from one device to another: two
// syncs, of which the first pushes it and the second pulls it.
func BenchmarkSyncOneChange(b *testing.B) {
	for _, n := range []int{10, 100_000} {
		b.Run(fmt.Sprintf("entities=%d", n), func(b *testing.B) {
			w, phone, laptop := stocked(b, n)
			id := fmt.Sprintf("credential-%022d", n/2)
			i := 0
			for b.Loop() {
				i++
				w.rename(phone, id, fmt.Sprintf("name %d", i))
				w.sync(phone, laptop)
			}
		})
	}
}

// BenchmarkMemory reports what a replica takes for one credential.
func BenchmarkMemory(b *testing.B) {
	const n = 20_000
	for b.Loop() {
		random := rand.NewChaCha8([32]byte{1})
		before := heap()
		d := keychain.NewDevice("phone", nil, keychain.Env{Now: time.Now, Rand: random})
		for i := range n {
			c := credential(fmt.Sprintf("credential-%022d", i), fmt.Sprintf("site-%d.example", i/2), fmt.Sprintf("user-%d@example.com", i), time.Unix(int64(i), 0))
			c.PublicKey, c.KeyHandle, c.HMACSecret = make([]byte, 77), make([]byte, 33), make([]byte, 64)
			if err := d.Credentials().Put(c); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heap()-before)/n, "B/credential")
		runtime.KeepAlive(d)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
