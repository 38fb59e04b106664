package tpmsim

import (
	"testing"

	"fido-emu/ctap/cose"
)

func eachBackendBench(b *testing.B, bench func(*testing.B, Options)) {
	for _, backend := range []Backend{Reference, Swtpm} {
		b.Run(string(backend), func(b *testing.B) { bench(b, Options{Backend: backend}) })
	}
}

func BenchmarkOpen(b *testing.B) {
	eachBackendBench(b, func(b *testing.B, o Options) {
		closeTPM(b, open(b, o))
		for b.Loop() {
			tpm, err := Open(b.Context(), o)
			if err != nil {
				b.Fatal(err)
			}
			closeTPM(b, tpm)
		}
	})
}

func BenchmarkGenerate(b *testing.B) {
	eachBackendBench(b, func(b *testing.B, o Options) {
		for _, alg := range []cose.Algorithm{cose.ES256, cose.ES384, cose.RS256} {
			b.Run(alg.String(), func(b *testing.B) {
				k := open(b, o).Keys()
				for b.Loop() {
					generate(b, k, alg)
				}
			})
		}
	})
}

func BenchmarkSign(b *testing.B) {
	eachBackendBench(b, func(b *testing.B, o Options) {
		for _, alg := range []cose.Algorithm{cose.ES256, cose.RS256} {
			b.Run(alg.String(), func(b *testing.B) { benchmarkSign(b, open(b, o).Keys(), alg, 1) })
			b.Run(alg.String()+"-two-keys", func(b *testing.B) { benchmarkSign(b, open(b, o).Keys(), alg, 2) })
		}
	})
}

// benchmarkSign takes keys in turn; a second one means loading each time.
func benchmarkSign(b *testing.B, k *Keys, alg cose.Algorithm, keys int) {
	handles := make([][]byte, keys)
	for i := range handles {
		handles[i], _ = generate(b, k, alg)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := k.Sign(alg, handles[i%keys], nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAttest(b *testing.B) {
	eachBackendBench(b, func(b *testing.B, o Options) {
		tpm := open(b, o)
		a, err := tpm.Attestation(b.Context(), authority(b), "Test TPM", cose.ES256)
		if err != nil {
			b.Fatal(err)
		}
		r := register(b, tpm, cose.ES256, nil)
		for b.Loop() {
			if _, _, err := a.Attest(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
