package tpmsim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/google/go-tpm/tpm2/transport"
)

// Backend names what the TPM is.
type Backend string

// The backends of Open.
const (
	Reference Backend = "reference" // the reference implementation, in process; one at a time
	Swtpm     Backend = "swtpm"     // the program swtpm, one process for each TPM
	Device    Backend = "device"    // the TPM of this machine, through its node
)

// Options say which TPM to open.
type Options struct {
	Backend Backend // Reference when empty
	Path    string  // node of a Device; DefaultDevice when empty

	// StateDir is where the TPM's non-volatile memory is kept; it is made when it
	// is not there. When empty, the TPM is new and ends with Close.
	StateDir string

	// Seed makes a Reference TPM reproducible; any length. Nil takes the operating
	// system's randomness.
	Seed []byte

	// Now is a seeded TPM's clock. When nil, its clock advances by a millisecond
	// with each command.
	Now func() time.Time
}

// The errors of Open and of a TPM that is not there.
var (
	ErrClosed      = errors.New("TPM is closed")
	ErrInUse       = errors.New("TPM is in use")
	ErrUnavailable = errors.New("TPM backend is not available")
	ErrState       = errors.New("TPM state")
	ErrNotOurs     = errors.New("this is the TPM of the machine")
)

// TPM is an open TPM. One goroutine owns it and runs all its commands, one after
// the other; the methods are safe for concurrent use.
type TPM struct {
	jobs  chan func(*session)
	done  chan struct{} // closed once the owner has let go of the TPM
	close sync.Once
	quit  chan struct{}
	err   error // of letting go; read it after done
}

// backend is what simulates a TPM. Its methods are called by the owner alone.
type backend interface {
	transport.TPM
	// restart is a power cycle of the computer around the TPM.
	restart(ctx context.Context) error
	// save makes what the TPM keeps durable.
	save() error
	// shutdown ends the TPM in good order and lets go of all it holds.
	shutdown() error
}

// shared is a backend that others use, too.
type shared interface{ mayClear() error }

// Open starts a TPM. The error wraps ErrUnavailable when the backend is missing,
// ErrInUse when the one reference implementation of this process or the state
// directory is taken, and ErrState when what StateDir holds cannot be used.
func Open(ctx context.Context, o Options) (*TPM, error) {
	open := func() (backend, error) {
		return nil, fmt.Errorf("%w: %q is not known; reference, swtpm and device are", ErrUnavailable, o.Backend)
	}
	switch o.Backend {
	case Reference, "":
		open = func() (backend, error) { return openReference(o) }
	case Swtpm:
		if o.Seed != nil {
			return nil, fmt.Errorf("%w: swtpm draws from the operating system and takes no seed; use the reference backend", ErrUnavailable)
		}
		open = func() (backend, error) { return openSwtpm(ctx, o.StateDir) }
	case Device:
		if o.Seed != nil || o.StateDir != "" {
			return nil, fmt.Errorf("%w: the TPM of a machine takes no seed, and keeps its state itself", ErrUnavailable)
		}
		open = func() (backend, error) { return openDevice(o.Path) }
	}
	t, err := start(ctx, open)
	if err != nil {
		return nil, fmt.Errorf("open TPM: %w", err)
	}
	return t, nil
}

// New uses a TPM that is already running, such as what linuxtpm.Open of go-tpm
// returns for /dev/tpmrm0. Close closes it. It cannot be restarted from here.
func New(ctx context.Context, t transport.TPMCloser) (*TPM, error) {
	return start(ctx, func() (backend, error) { return foreign{t}, nil })
}

// start runs the owner and waits until the TPM is up.
func start(ctx context.Context, open func() (backend, error)) (*TPM, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &TPM{jobs: make(chan func(*session)), done: make(chan struct{}), quit: make(chan struct{})}
	up := make(chan error)
	go t.own(open, up)
	if err := <-up; err != nil {
		return nil, err
	}
	return t, nil
}

// own is the owner goroutine. It keeps its thread for itself and lets it end with
// it: a seed holds for the thread that runs the reference implementation.
func (t *TPM) own(open func() (backend, error), up chan<- error) {
	runtime.LockOSThread()
	defer close(t.done)
	b, err := open()
	up <- err
	if err != nil {
		return
	}
	s := &session{tpm: b}
	for {
		select {
		case job := <-t.jobs:
			job(s)
		case <-t.quit:
			s.flushAll()
			t.err = b.shutdown()
			return
		}
	}
}

// Close ends the TPM in good order and waits until nothing of it is left. The
// second call returns what the first did.
func (t *TPM) Close() error {
	t.close.Do(func() { close(t.quit) })
	<-t.done
	return t.err
}

// Restart is a power cycle of the computer around the TPM: keys stay, loaded ones
// are loaded again when needed. A TPM of New and that of a machine cannot be restarted.
func (t *TPM) Restart(ctx context.Context) error {
	_, err := do(ctx, t, func(s *session) (struct{}, error) {
		err := s.tpm.restart(ctx)
		if !errors.Is(err, ErrNotOurs) { // then nothing happened, and what is loaded still is
			s.forgetAll()
		}
		return struct{}{}, err
	})
	return err
}

// Clear is TPM2_Clear, what "Clear TPM" in a computer's settings does: the storage
// root key is replaced, so that every key made before is lost. The attestation key
// stays the same, as it belongs to the endorsement hierarchy. The TPM of a machine is
// not cleared: the error wraps ErrNotOurs.
func (t *TPM) Clear(ctx context.Context) error {
	_, err := do(ctx, t, func(s *session) (struct{}, error) { return struct{}{}, s.clear() })
	return err
}

// do runs f in the owner goroutine. A call that was given up on still runs to its
// end; its result is dropped.
func do[T any](ctx context.Context, t *TPM, f func(*session) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	results := make(chan result, 1)
	job := func(s *session) {
		value, err := f(s)
		results <- result{value, err}
	}
	var zero T
	select {
	case t.jobs <- job:
	case <-t.done:
		return zero, ErrClosed
	case <-ctx.Done():
		return zero, ctx.Err()
	}
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

// foreign is a TPM that somebody else started.
type foreign struct{ transport.TPMCloser }

func (foreign) restart(context.Context) error {
	return fmt.Errorf("%w, or somebody else's: it is not started from here and cannot be restarted", ErrNotOurs)
}
func (foreign) save() error       { return nil }
func (f foreign) shutdown() error { return f.Close() }
