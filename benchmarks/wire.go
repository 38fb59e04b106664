package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/hid"
)

// pipeTarget is what framing and channels may add to an assertion, in nanoseconds.
const pipeTarget = 10_000

// wired is an authenticator behind a connection, as a host reaches it.
type wired struct {
	core    *authenticator.Authenticator
	channel *hid.Channel
	stop    func() error
}

// newWired serves an authenticator on the device's end and dials the host's.
func newWired(ctx context.Context, device, host hid.Conn) (*wired, error) {
	core, err := newAuthenticator()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- hid.Serve(ctx, device, hid.Device{Authenticator: core, Inline: true}) }()
	channel, err := hid.Dial(ctx, host, rand.Reader)
	if err != nil {
		cancel()
		return nil, errors.Join(err, <-served)
	}
	stop := func() error {
		closed := channel.Close()
		cancel()
		if err := <-served; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, hid.ErrUnplugged) {
			return errors.Join(closed, err)
		}
		return closed
	}
	return &wired{core, channel, stop}, nil
}

// assertRequest registers a credential with a and returns a request for an
// assertion with it.
func assertRequest(a ctap.Authenticator) ([]byte, error) {
	register, err := ctap.NewRequest(ctap.MakeCredential, creation("ada"))
	if err != nil {
		return nil, err
	}
	if _, err := exchange(a, register); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte("client data"))
	return ctap.NewRequest(ctap.GetAssertion, &ctap.GetAssertionRequest{RPID: rpID, ClientDataHash: hash[:]})
}

// measurePipe compares an assertion over CTAPHID in memory with the same one in
// process.
func measurePipe(ctx context.Context, e effort) (rows []row, err error) {
	device, host := hid.Pipe()
	w, err := newWired(ctx, device, host)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	request, err := assertRequest(w.core)
	if err != nil {
		return nil, err
	}
	// A difference of two medians would be mostly noise; the fastest rounds have least
	// of it.
	fastest, least := math.Inf(1), math.Inf(1)
	for range e.rounds() {
		wire, err := timeOf(e.perRound(), func() error { _, err := exchange(w.channel, request); return err })
		if err != nil {
			return nil, err
		}
		direct, err := timeOf(e.perRound(), func() error { _, err := exchange(w.core, request); return err })
		if err != nil {
			return nil, err
		}
		fastest, least = min(fastest, wire), min(least, direct)
	}
	return []row{{
		Name: "CTAPHID over a pipe adds", Unit: "ns", Ours: fastest - least, Target: pipeTarget,
		Note: "an assertion over hid.Pipe less the same one in process, the fastest round of each",
	}}, nil
}

// plugged is how many keys are plugged in at once.
const plugged = 100

// measureRack plugs in many keys at once, over pipes, and lets each answer.
func measureRack(ctx context.Context, _ effort) (rows []row, err error) {
	rack := make([]*wired, 0, plugged)
	defer func() {
		for _, w := range rack {
			err = errors.Join(err, w.stop())
		}
	}()
	before := heap()
	start := time.Now()
	for range plugged {
		device, host := hid.Pipe()
		w, err := newWired(ctx, device, host)
		if err != nil {
			return nil, err
		}
		rack = append(rack, w)
		if _, err := exchange(w.channel, []byte{byte(ctap.GetInfo)}); err != nil {
			return nil, err
		}
	}
	took := time.Since(start)
	return []row{{
		Name: fmt.Sprintf("memory of one of %d plugged keys", plugged), Unit: "B", Ours: float64(heap()-before) / plugged,
		Note: fmt.Sprintf("heap of a key that has answered over a pipe, both ends; all %d were up after %v", plugged, took.Round(time.Millisecond)),
	}}, nil
}
