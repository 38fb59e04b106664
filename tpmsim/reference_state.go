//go:build cgo && linux

package tpmsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The state file of the reference implementation: magic, version, how often the
// TPM was opened, SHA-256 of that number and the memory, the memory.
const (
	stateName    = "reference.tpm"
	stateMagic   = "tpmsim\x00"
	stateVersion = 1
	countAt      = len(stateMagic) + 1
	sumAt        = countAt + 8
	memoryAt     = sumAt + sha256.Size
)

// stateFile is a TPM's non-volatile memory on disk, locked against other
// processes.
type stateFile struct {
	path   string
	lock   *os.File
	opened uint64 // how often before now
}

// openState locks the state in dir and reads the memory in it, nil when there is
// none yet. A file that cannot be used is left as it is.
func openState(dir string) (*stateFile, []byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	s := &stateFile{path: filepath.Join(dir, stateName)}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock-reference"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	s.lock = lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%w: another process has %s open; end it or choose another directory", ErrInUse, s.path), s.close())
	}
	memory, err := s.read()
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return s, memory, nil
}

// read returns the memory in the file and counts this opening.
func (s *stateFile) read() ([]byte, error) {
	b, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	opened, memory, err := parseState(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; move it away to start with a new TPM", ErrState, s.path, err)
	}
	s.opened = opened + 1
	return memory, nil
}

// parseState reads a state file.
func parseState(b []byte) (opened uint64, memory []byte, err error) {
	switch {
	case !bytes.HasPrefix(b, []byte(stateMagic)):
		return 0, nil, errors.New("is not the state of a TPM")
	case len(b) <= memoryAt:
		return 0, nil, errors.New("is cut short")
	case b[len(stateMagic)] != stateVersion:
		return 0, nil, fmt.Errorf("is of version %d, this program knows %d", b[len(stateMagic)], stateVersion)
	}
	sum := stateSum(b[countAt:sumAt], b[memoryAt:])
	if !bytes.Equal(sum, b[sumAt:memoryAt]) {
		return 0, nil, errors.New("is damaged or cut short")
	}
	return binary.BigEndian.Uint64(b[countAt:]), b[memoryAt:], nil
}

func stateSum(count, memory []byte) []byte {
	h := sha256.New()
	h.Write(count)
	h.Write(memory)
	return h.Sum(nil)
}

// save puts memory in the place of what the file held: after a crash there is the
// one or the other.
func (s *stateFile) save(memory []byte) error {
	count := binary.BigEndian.AppendUint64(nil, s.opened)
	head := append([]byte(stateMagic), stateVersion)
	content := bytes.Join([][]byte{head, count, stateSum(count, memory), memory}, nil)
	if err := replaceFile(s.path, content); err != nil {
		return fmt.Errorf("%w: save: %w", ErrState, err)
	}
	return nil
}

func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// close gives up the lock.
func (s *stateFile) close() error { return s.lock.Close() }
