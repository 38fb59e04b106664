package state

import (
	"os"
	"path/filepath"
	"time"
)

// Held is a lock that this process holds, until it lets go of it or ends in whatever
// way: the kernel takes it from a process that is killed.
type Held struct{ file *os.File }

// glance is how long [Hold] waits for somebody who only looks whether a lock is free.
const glance = 20 * time.Millisecond

// Hold takes the lock of a name: a file at path, made where there is none, which holds
// nothing and stays. The error is an [*Error]; it is [InUse] while another holds it.
func Hold(path string) (*Held, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, explain(path, err)
	}
	file, err := openFile(path, os.O_RDWR|os.O_CREATE, glance, func(*os.File) error { return nil })
	if err != nil {
		return nil, explain(path, err)
	}
	return &Held{file}, nil
}

// Close lets go of the lock.
func (h *Held) Close() error { return h.file.Close() }
