package state_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"fido-emu/ctap/authenticator/storetest"
	"fido-emu/state"
)

var page = os.Getpagesize() // bbolt's too

// filled makes a file of a device with something in every corner: pages that
// overflow, branches, and free pages.
func filled(t testing.TB, path string) []byte {
	t.Helper()
	f, err := state.OpenDevice(path)
	if err != nil {
		t.Fatal(err)
	}
	credentials := f.Credentials(0)
	for i := range 40 {
		c := storetest.New(string(rune('A'+i)), "example.com", string(rune('A'+i)), i)
		c.KeyHandle = bytes.Repeat([]byte{byte(i)}, 300*(1+i%20))
		if err := credentials.Put(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(credentials.Delete([]byte("C")), f.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestOpenRefuses(t *testing.T) {
	sound := filled(t, filepath.Join(t.TempDir(), "device"))
	changed := func(change func(b []byte)) []byte {
		b := bytes.Clone(sound)
		change(b)
		return b
	}
	tests := []struct {
		name    string
		content []byte
		problem state.Problem
	}{
		{"empty", nil, state.Truncated},
		{"one byte short of a page", sound[:page-1], state.Truncated},
		{"two pages", sound[:2*page], state.Truncated},
		{"half", sound[:len(sound)/2], state.Truncated},
		{"a text", []byte(strings.Repeat("not a database\n", 1000)), state.NotState},
		{"a short text", []byte("hello\n"), state.NotState},
		{"both meta pages wrong", changed(func(b []byte) { b[16+40]++; b[page+16+40]++ }), state.Damaged},
		{"a page of zeros", changed(func(b []byte) { zeroPages(b, 2) }), state.Damaged},
		{"newer", made(t, state.Format{Kind: "device", Version: 2}), state.Newer},
		{"of a service", made(t, state.Format{Kind: "keychain-service", Version: 1}), state.OtherKind},
		{"another program's", foreign(t, false), state.NotState},
		{"another program's without a freelist", foreign(t, true), state.NotState},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "device")
			if err := os.WriteFile(path, test.content, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := state.OpenDevice(path)
			var e *state.Error
			if !errors.Is(err, test.problem) || !errors.As(err, &e) {
				t.Fatalf("got %v, want %s", err, test.problem)
			}
			if !strings.Contains(err.Error(), path) || e.Hint == "" {
				t.Errorf("the error names no path or gives no hint: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, test.content) {
				t.Errorf("the file has changed (%v)", err)
			}
		})
	}
}

// zeroPages wipes all pages from the nth on.
func zeroPages(b []byte, n int) { clear(b[n*page:]) }

func made(t *testing.T, format state.Format) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made")
	f, err := state.Open(path, format)
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, path, f)
}

func foreign(t *testing.T, noFreelist bool) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoFreelistSync: noFreelist})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err }); err != nil {
		t.Fatal(err)
	}
	return closed(t, path, db)
}

func closed(t *testing.T, path string, f interface{ Close() error }) []byte {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOpenInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "device")
	first := open(t, path)
	_, err := state.OpenDevice(path)
	if !errors.Is(err, state.InUse) || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v, want %s", err, state.InUse)
	}
	if err := first.Device().Save(storedDevice); err != nil {
		t.Fatalf("the refusal disturbed the one who has it: %v", err)
	}
}

func TestOpenWithoutRights(t *testing.T) {
	directory := t.TempDir()
	if _, err := state.OpenDevice(directory); !errors.Is(err, state.Failed) || !strings.Contains(err.Error(), directory) {
		t.Fatalf("a directory is answered with %v", err)
	}
	file := filepath.Join(directory, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(file, "device")
	if _, err := state.OpenDevice(below); !errors.Is(err, state.Failed) || !strings.Contains(err.Error(), below) {
		t.Fatalf("a file below a file is answered with %v", err)
	}
}

func TestRights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "device")
	filled(t, path)
	expectMode := func(path string, want os.FileMode) {
		t.Helper()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Fatalf("%s has mode %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
	expectMode(path, 0o600)
	expectMode(filepath.Dir(path), 0o700)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	expectMode(path, 0o600)
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
}

// TestHalfMadeFile finds what a process left that was killed while it made the
// file.
func TestHalfMadeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "device")
	if err := os.WriteFile(path+".new", []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := open(t, path).Device().NextCounter(); n != 1 || err != nil {
		t.Fatalf("NextCounter is %d, %v", n, err)
	}
}

func TestOneMetaPageIsEnough(t *testing.T) {
	directory := t.TempDir()
	sound := filled(t, filepath.Join(directory, "sound"))
	for _, at := range []int{16, page + 16} { // a write of either was torn
		torn := bytes.Clone(sound)
		torn[at+50]++
		path := filepath.Join(directory, "torn")
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := state.OpenDevice(path)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := f.Credentials(0).Count(); n < 39 || err != nil {
			t.Fatalf("there are %d credentials, %v", n, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCounterStopsAtItsEnd(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "device")).Device()
	device := storedDevice
	device.Counter = math.MaxUint32
	if err := d.Save(device); err != nil {
		t.Fatal(err)
	}
	if n, err := d.NextCounter(); n != math.MaxUint32 || err != nil {
		t.Fatalf("NextCounter is %d, %v", n, err)
	}
}

// FuzzOpen opens files with up to two bytes or a length that differ, and
// uses what opens.
func FuzzOpen(f *testing.F) {
	sound := filled(f, filepath.Join(f.TempDir(), "device"))
	f.Add(uint32(0), byte(0), uint32(page*3+10), byte(9), uint32(0))
	f.Add(uint32(2*page), byte(1), uint32(2*page+8), byte(0xFF), uint32(9000))
	f.Fuzz(func(t *testing.T, at1 uint32, v1 byte, at2 uint32, v2 byte, cut uint32) {
		b := bytes.Clone(sound)
		b[int(at1)%len(b)] ^= v1
		b[int(at2)%len(b)] ^= v2
		use(t, b[:len(b)-int(cut)%len(b)])
	})
}

// use opens a file, reads and changes all that is in it, and lets everything end
// in an error but not in a panic.
func use(t *testing.T, content []byte) {
	path := filepath.Join(t.TempDir(), "device")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := state.OpenDevice(path)
	if err != nil {
		if after, _ := os.ReadFile(path); !bytes.Equal(after, content) {
			t.Fatal("a refused file has changed")
		}
		return
	}
	defer f.Close()
	credentials := f.Credentials(0)
	all, _ := credentials.All()
	for _, c := range all {
		_ = credentials.Put(c)
	}
	for _, c := range all {
		_ = credentials.Delete(c.ID)
	}
	_, _ = f.Device().NextCounter()
	_ = credentials.Clear()
}
