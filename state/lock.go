//go:build unix

package state

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// lock takes the lock that bbolt takes too, on the same open file, so that
// nobody writes while the file is looked at. It waits for as long as patience.
func lock(file *os.File, path string, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(deadline) {
			return &Error{Path: path, Problem: InUse, Hint: "end that process, or name another file"}
		}
		time.Sleep(patience / 10)
	}
}
