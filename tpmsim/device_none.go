//go:build !linux

package tpmsim

import "fmt"

// DefaultDevice is the kernel's node for a TPM; there is none here.
const DefaultDevice = ""

func openDevice(string) (backend, error) {
	return nil, fmt.Errorf("%w: the TPM of a machine is used on Linux only", ErrUnavailable)
}
