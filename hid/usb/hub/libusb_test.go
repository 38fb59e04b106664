//go:build cgo

package hub

import (
	"errors"
	"testing"
)

// libusb itself starts, and tells what is not there.
func TestLibusb(t *testing.T) {
	if _, err := Open("250-250"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}
