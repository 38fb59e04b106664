package hidraw

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrBusy is in the error about a device that another program has in use.
var ErrBusy = errors.New("device is in use")

// Programs hold a device for the length of a question, so a short wait is worth it.
const (
	lockPatience = time.Second
	lockPause    = 20 * time.Millisecond
)

// lock takes the lock that libfido2 takes too.
func lock(ctx context.Context, file *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	ticker := time.NewTicker(lockPause)
	defer ticker.Stop()
	for {
		err := tryLock(file)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%w%s; end the other use, or wait for its end", ErrBusy, holder(file))
		}
	}
}

func tryLock(file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Control(func(fd uintptr) { result = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) })
	return errors.Join(err, result)
}

// holder names the process that holds the lock on a file, where that can be found
// out.
func holder(file *os.File) string {
	var s unix.Stat_t
	locks, err := os.ReadFile("/proc/locks")
	if err != nil || unix.Stat(file.Name(), &s) != nil {
		return ""
	}
	pid := lockOwner(locks, fmt.Sprintf("%02x:%02x:%d", unix.Major(s.Dev), unix.Minor(s.Dev), s.Ino))
	if pid == "" {
		return ""
	}
	name, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return " by process " + pid
	}
	return " by " + strings.TrimSpace(string(name)) + ", process " + pid
}

// lockOwner returns the process that holds a file's lock by proc_locks(5); a line is
//
//	1: FLOCK  ADVISORY  WRITE 3548 00:06:123 0 EOF
func lockOwner(locks []byte, file string) string {
	lines := bufio.NewScanner(bytes.NewReader(locks))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) >= 6 && f[1] == "FLOCK" && f[5] == file {
			return f[4]
		}
	}
	return ""
}
