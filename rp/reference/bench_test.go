package reference_test

import (
	"fmt"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// BenchmarkSignIn measures a sign-in without the client's part, with few and with
// many accounts beside, in memory and kept in a directory.
func BenchmarkSignIn(b *testing.B) {
	for _, bench := range []struct {
		people int
		kept   bool
	}{{1, false}, {100_000, false}, {1, true}, {1000, true}, {100_000, true}} {
		b.Run(fmt.Sprintf("people=%d/kept=%t", bench.people, bench.kept), func(b *testing.B) {
			people, change := bench.people, []func(*reference.Config){}
			if bench.kept {
				change = append(change, inFiles(b, b.TempDir()))
			}
			core, _ := newCore(b, change...)
			for i := range people {
				if err := core.AddPerson(rp.Person{Name: fmt.Sprint("person ", i)}); err != nil {
					b.Fatal(err)
				}
			}
			key := newToy(b)
			if _, err := reference.InProcess(core, "").Register(b.Context(), ada, key); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				begun, err := core.BeginSignIn(ada.Name)
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				answer, err := key.Get(b.Context(), origin, begun.Options)
				b.StartTimer()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := core.FinishSignIn(begun.Ceremony, answer); err != nil {
					b.Fatal(err)
				}
				if err := core.Save(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
