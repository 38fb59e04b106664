//go:build cgo && linux

package tpmsim

// #cgo LDFLAGS: -Wl,--wrap=RAND_bytes -Wl,--wrap=clock_gettime -lcrypto
// #include <stdbool.h>
// #include <stdint.h>
//
// // reference.c
// void tpmsim_seed(const uint8_t *seed);
// void tpmsim_set_clock(uint64_t ms);
//
// // The platform of the reference implementation (Platform.h, Platform_fp.h).
// void _plat__Reset(bool manufacture);
// void _plat__NvMemoryRead(unsigned int start, unsigned int size, void *data);
// bool _plat__NvMemoryWrite(unsigned int start, unsigned int size, void *data);
import "C"

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/google/go-tpm-tools/simulator"
	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// referenceTaken says that the reference implementation is in use. Its state is
// global variables in C, so it is one to a process whoever asks.
var referenceTaken atomic.Bool

// reference is the reference implementation of the TPM 2.0 Library. All its
// methods run on the owner's thread, which holds the seed.
type reference struct {
	transport.TPM
	simulator *simulator.Simulator
	state     *stateFile // nil for a TPM that is not kept
	tick      func()     // sets the clock before a command; nil when not seeded
}

func openReference(o Options) (backend, error) {
	if !referenceTaken.CompareAndSwap(false, true) {
		return nil, fmt.Errorf("%w: the reference implementation is one to a process and already open; close it first or use swtpm", ErrInUse)
	}
	r := &reference{}
	if err := r.open(o); err != nil {
		return nil, errors.Join(err, r.release())
	}
	return r, nil
}

func (r *reference) open(o Options) (err error) {
	var kept []byte
	var opened uint64
	if o.StateDir != "" {
		if r.state, kept, err = openState(o.StateDir); err != nil {
			return err
		}
		opened = r.state.opened
	}
	if o.Seed != nil {
		r.seed(o, opened)
	}
	if r.simulator, err = simulator.Get(); err != nil {
		return fmt.Errorf("reference implementation: %w", err)
	}
	r.TPM = transport.FromReadWriter(r.simulator)
	if kept != nil {
		err = r.restore(kept)
	} else {
		err = r.manufacture()
	}
	if err != nil {
		return err
	}
	return r.save()
}

// seed makes this thread's reference implementation reproducible. Each opening of
// kept state draws other randomness, as a computer that was off and on again does.
func (r *reference) seed(o Options, opened uint64) {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(o.Seed), opened))
	C.tpmsim_seed((*C.uint8_t)(unsafe.Pointer(&seed[0])))
	ms := uint64(1)
	if o.Now == nil {
		r.tick = func() { ms++; C.tpmsim_set_clock(C.uint64_t(ms)) }
		return
	}
	start := o.Now()
	r.tick = func() {
		ms = max(ms, 1+uint64(max(0, o.Now().Sub(start)/time.Millisecond)))
		C.tpmsim_set_clock(C.uint64_t(ms))
	}
}

// manufacture completes what the simulator does for a new TPM: TPM2_Clear also
// starts the reset counter anew, which otherwise counts on from the TPM before it
// in this process.
func (r *reference) manufacture() error {
	command := tpm2.Clear{AuthHandle: withoutAuth(tpm2.TPMRHLockout, tpm2.TPM2BName{})}
	if _, err := command.Execute(r); err != nil {
		return fmt.Errorf("reference implementation: TPM2_Clear: %w", err)
	}
	return nil
}

// Send runs one command.
func (r *reference) Send(command []byte) ([]byte, error) {
	if r.tick != nil {
		r.tick()
	}
	return r.TPM.Send(command)
}

func (r *reference) restart(context.Context) error {
	if err := r.simulator.Reset(); err != nil {
		return fmt.Errorf("restart of the reference implementation: %w", err)
	}
	return r.save()
}

// restore puts a TPM's non-volatile memory back and turns the power off and on.
func (r *reference) restore(memory []byte) error {
	if len(memory) != memorySize() {
		return fmt.Errorf("%w: %s holds %d bytes of TPM memory, this build has %d; use the build that wrote it, or another directory",
			ErrState, r.state.path, len(memory), memorySize())
	}
	C._plat__NvMemoryWrite(0, C.uint(len(memory)), unsafe.Pointer(&memory[0]))
	C._plat__Reset(false)
	if _, err := (tpm2.Startup{StartupType: tpm2.TPMSUClear}).Execute(r); err != nil {
		return fmt.Errorf("%w: the TPM does not start with %s: %w", ErrState, r.state.path, err)
	}
	return nil
}

func (r *reference) save() error {
	if r.state == nil {
		return nil
	}
	memory := make([]byte, memorySize())
	C._plat__NvMemoryRead(0, C.uint(len(memory)), unsafe.Pointer(&memory[0]))
	return r.state.save(memory)
}

// memorySize finds NV_MEMORY_SIZE: the last offset at which nothing can be written.
func memorySize() int {
	var nothing byte
	n := 0
	for C._plat__NvMemoryWrite(C.uint(n+1), 0, unsafe.Pointer(&nothing)) {
		n++
	}
	return n
}

func (r *reference) shutdown() error {
	_, err := tpm2.Shutdown{ShutdownType: tpm2.TPMSUClear}.Execute(r)
	if err == nil {
		err = r.save()
	}
	return errors.Join(err, r.release())
}

// release lets the next TPM of this process be opened.
func (r *reference) release() error {
	var err error
	if r.simulator != nil {
		err = r.simulator.Close()
	}
	if r.state != nil {
		err = errors.Join(err, r.state.close())
	}
	referenceTaken.Store(false)
	return err
}
