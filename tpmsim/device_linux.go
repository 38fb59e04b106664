package tpmsim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"golang.org/x/sys/unix"
)

// DefaultDevice is the kernel's node for a TPM that it shares out among programs.
const DefaultDevice = "/dev/tpmrm0"

// device is the TPM of this machine.
type device struct{ transport.TPMCloser }

func openDevice(path string) (backend, error) {
	path = cmp.Or(path, DefaultDevice)
	t, err := linuxtpm.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no %s: this machine has no TPM 2.0, it is switched off in the firmware's settings, or its driver is not loaded", ErrUnavailable, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w: %s may not be opened by this user; on Debian: sudo usermod -aG tss \"$USER\", and sign in again", ErrUnavailable, path)
	case errors.Is(err, unix.EBUSY):
		return nil, fmt.Errorf("%w: another program has %s open; %s is for several at once", ErrInUse, path, DefaultDevice)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if _, err := (tpm2.GetRandom{BytesRequested: 1}).Execute(t); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s does not answer as a TPM 2.0 does: %w", ErrUnavailable, path, err), t.Close())
	}
	return device{t}, nil
}

// restart is refused: it would be a restart of this machine.
func (device) restart(context.Context) error {
	return fmt.Errorf("%w: its power cycle is that of this machine", ErrNotOurs)
}

func (device) save() error       { return nil }
func (d device) shutdown() error { return d.Close() }

// mayClear refuses: the TPM holds what others keep there.
func (device) mayClear() error {
	return fmt.Errorf("%w: clearing it would take the keys of others along, such as that of an encrypted disk", ErrNotOurs)
}
