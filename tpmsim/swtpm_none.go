//go:build !linux

package tpmsim

import (
	"context"
	"fmt"
)

func openSwtpm(context.Context, string) (backend, error) {
	return nil, fmt.Errorf("%w: swtpm is run on Linux only", ErrUnavailable)
}
