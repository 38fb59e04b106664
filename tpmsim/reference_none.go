//go:build !cgo || !linux

package tpmsim

import "fmt"

func openReference(Options) (backend, error) {
	return nil, fmt.Errorf("%w: this program was built without cgo, which the reference implementation needs; build it on Linux with CGO_ENABLED=1 and Debian's libssl-dev, or use swtpm", ErrUnavailable)
}
