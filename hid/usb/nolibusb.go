//go:build !cgo

package usb

func newLibrary() (library, error) { return nil, ErrNotBuilt }
