package hidraw

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// contextThatEnds has ended.
func contextThatEnds(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func openTwice(t *testing.T) (first, second *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hidraw0")
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[i] = f
	}
	return files[0], files[1]
}

func TestLockIsWaitedForAndThenBusy(t *testing.T) {
	first, second := openTwice(t)
	synctest.Test(t, func(t *testing.T) {
		if err := lock(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := lock(t.Context(), second); !errors.Is(err, ErrBusy) || time.Since(began) != lockPatience {
			t.Errorf("%v after %v, want ErrBusy after %v", err, time.Since(began), lockPatience)
		}
		go func() {
			time.Sleep(lockPatience / 2)
			first.Close()
		}()
		if err := lock(t.Context(), second); err != nil {
			t.Errorf("after the first was closed: %v", err)
		}
	})
}

func TestLockOwner(t *testing.T) {
	const locks = "1: POSIX  ADVISORY  READ 1 00:06:123 0 EOF\n2: FLOCK  ADVISORY  WRITE 3548 00:06:123 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 9 00:06:123 0 EOF\n"
	if got := lockOwner([]byte(locks), "00:06:123"); got != "3548" {
		t.Errorf("held by %q", got)
	}
	if got := lockOwner([]byte(locks), "00:06:124"); got != "" {
		t.Errorf("another file is held by %q", got)
	}
}
