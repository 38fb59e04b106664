package reference_test

import (
	"fmt"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference"
)

// BenchmarkSignIn measures a sign-in without the client's part, with few and with
// many accounts beside.
func BenchmarkSignIn(b *testing.B) {
	for _, people := range []int{1, 100_000} {
		b.Run(fmt.Sprint("people=", people), func(b *testing.B) {
			core, _ := newCore(b)
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
			}
		})
	}
}
