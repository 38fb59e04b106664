//go:build !cgo

package usb

import (
	"errors"
	"testing"
)

func TestWithoutLibusb(t *testing.T) {
	if _, err := NewBus(); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("%v", err)
	}
}
