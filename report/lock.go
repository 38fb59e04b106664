//go:build unix

package report

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock of a file until it is closed, by whatever end of the process.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}
