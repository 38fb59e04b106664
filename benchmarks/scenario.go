package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"fido-emu/ctap"
	"fido-emu/report"
	"fido-emu/scenarios"
	"fido-emu/scenarios/language"
)

// measured is the scenario that is measured: one key model of the first scenario of
// the library.
const measured = "basics/security-key"

// work is the cryptography that a scenario cannot do without.
type work struct{ keys, signatures, verifications int }

// Event counts the work in the answers of authenticators: a registration makes a
// key and a signature of it, which the relying party verifies with the chain above
// it; an assertion makes a signature, which is verified.
func (w *work) Event(e *report.Event) error {
	if e.Kind != report.CTAP || e.Exchange.Status != ctap.OK.String() {
		return nil
	}
	switch e.Exchange.Command {
	case ctap.MakeCredential.String():
		w.keys++
		w.signatures++
		w.verifications += 2
	case ctap.GetAssertion.String():
		w.signatures++
		w.verifications++
	}
	return nil
}

// do does the work and nothing else.
func (w *work) do() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte("authenticator data and client data hash"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return err
	}
	for range w.keys - 1 {
		if _, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return err
		}
	}
	for range w.signatures - 1 {
		if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
			return err
		}
	}
	for range w.verifications {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			return errors.New("a signature does not verify")
		}
	}
	return nil
}

func measureScenario(ctx context.Context, e effort) ([]row, error) {
	all, err := loadMeasured()
	if err != nil {
		return nil, err
	}
	w := &work{}
	if err := play(ctx, all, w); err != nil {
		return nil, err
	}
	r, err := against(e, "a whole scenario", fmt.Sprintf(
		"%s with its PIN protocol, relying party, runner and events; floor is its %d key, %d signatures and %d verifications",
		all[0].ID, w.keys, w.signatures, w.verifications), 0,
		func() error { return play(ctx, all) }, w.do)
	return []row{r}, err
}

func loadMeasured() ([]*language.Scenario, error) {
	grammar, err := scenarios.Grammar()
	if err != nil {
		return nil, err
	}
	sources, err := scenarios.Sources([]string{measured})
	if err != nil {
		return nil, err
	}
	all, err := scenarios.Load(sources, grammar)
	if err != nil {
		return nil, err
	}
	return all[:1], nil
}

func play(ctx context.Context, all []*language.Scenario, sinks ...report.Sink) error {
	stream := report.NewStream(time.Now, sinks...)
	counts, err := scenarios.Run(ctx, all, scenarios.Options{Title: "benchmark"}, stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return err
	}
	if counts[report.Passed] != len(all) {
		return fmt.Errorf("%s did not pass: %v", measured, counts)
	}
	return nil
}
