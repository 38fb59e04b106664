package state_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"

	"fido-emu/ctap/authenticator/storetest"
	"fido-emu/state"
)

// BenchmarkOpen opens a service's file of some ten megabytes, which is read once.
func BenchmarkOpen(b *testing.B) {
	path, format := filepath.Join(b.TempDir(), "file"), state.Format{Kind: "test", Version: 1}
	f, err := state.Open(path, format)
	if err != nil {
		b.Fatal(err)
	}
	err = f.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("records"))
		for i := 0; i < 20_000 && err == nil; i++ {
			err = bucket.Put(fmt.Appendf(nil, "%08d", i), make([]byte, 500))
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
		if f, err = state.Open(path, format); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkChange puts a credential, durably, beside 10 and beside 2000 others.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{10, 2000} {
		b.Run(fmt.Sprintf("credentials=%d", n), func(b *testing.B) {
			credentials := open(b, filepath.Join(b.TempDir(), "device")).Credentials(0)
			put := func(i int) {
				id := fmt.Sprint(i)
				if err := credentials.Put(storetest.New(id, "example.com", id, i)); err != nil {
					b.Fatal(err)
				}
			}
			for i := range n {
				put(i)
			}
			for b.Loop() {
				put(n / 2)
			}
		})
	}
}
