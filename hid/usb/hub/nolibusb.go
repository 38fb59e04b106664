//go:build !cgo

package hub

func newLibrary() (library, error) { return nil, ErrNotBuilt }
