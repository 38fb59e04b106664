package report

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// PartFile is what [EventsFile] is called until its run has ended. What a run had seen
// before it was killed is in it.
const PartFile = EventsFile + ".part"

// ErrInUse is in the error of [Files] for a folder that another run is writing to.
var ErrInUse = errors.New("another run is writing its reports there")

// openPart makes a new part file in dir, which is this process's until it is closed. One
// that a run left behind which broke off gets a name of its own, kept.
func openPart(dir string) (f *atomicFile, kept string, err error) {
	path := filepath.Join(dir, PartFile)
	for {
		part, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, "", fmt.Errorf("writing %s: %w", path, err)
		}
		info, err := owned(part)
		if err == nil && info.Size() == 0 {
			return &atomicFile{path: filepath.Join(dir, EventsFile), f: part, buf: bufio.NewWriterSize(part, 1<<16)}, kept, nil
		}
		if err == nil {
			kept = unused(filepath.Join(dir, "events-"+info.ModTime().Format("20060102-150405")), ".jsonl")
			err = os.Rename(path, kept)
		}
		if err = errors.Join(err, part.Close()); err != nil && !errors.Is(err, errGone) {
			return nil, "", fmt.Errorf("folder %s: %w", dir, err)
		}
	}
}

// unused returns a name that no file has: several runs may break off in a second.
func unused(name, ext string) string {
	path := name + ext
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		path = fmt.Sprintf("%s-%d%s", name, n, ext)
	}
}

// errGone tells of a file that has got another name, as that of a run that has ended.
var errGone = errors.New("it has another name now")

// owned takes the lock of a file, and makes sure that it is still the one of that name.
func owned(f *os.File) (os.FileInfo, error) {
	if err := lock(f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if named, err := os.Stat(f.Name()); err != nil || !os.SameFile(info, named) {
		return nil, errGone
	}
	return info, nil
}
