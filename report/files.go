package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// The files that [Files] leaves in its folder.
const (
	EventsFile = "events.jsonl"
	JUnitFile  = "junit.xml"
	HTMLFile   = "report.html"
)

// FileSink keeps a run in files. See [Files].
type FileSink struct {
	dir     string
	kept    string
	written []string
	events  *atomicFile
	jsonl   *JSONL
	b       builder
}

// Files returns a sink that leaves [EventsFile], [JUnitFile] and [HTMLFile] in
// dir, which is made if need be. Files are of mode 0600 and take their names only
// when they are complete, in Close: until then, what an earlier run left stays. What
// was seen up to the last scenario that ended is in [PartFile] until then. The error wraps
// [ErrInUse] while another run writes to dir.
func Files(dir string) (*FileSink, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder for reports: %w", err)
	}
	f, kept, err := openPart(dir)
	if err != nil {
		return nil, err
	}
	return &FileSink{dir: dir, kept: kept, events: f, jsonl: NewJSONL(f)}, nil
}

// Kept names the file with what a run had seen that broke off in this folder; empty where
// none did.
func (s *FileSink) Kept() string { return s.kept }

// Written lists the files that Close wrote, the one for people first; none before.
func (s *FileSink) Written() []string { return s.written }

// Event keeps e. A failed write is told by Close.
func (s *FileSink) Event(e *Event) error {
	s.b.add(e)
	if err := s.jsonl.Event(e); err != nil && s.events.err == nil {
		return fmt.Errorf("%s: %w", s.events.path, err)
	}
	if e.Kind == ScenarioEnd || e.ScenarioID == "" { // of the run
		s.events.flush()
	}
	return nil
}

// Close writes the reports. It tries each of them even if another fails.
func (s *FileSink) Close() error {
	m := s.b.finish()
	events := s.keep(EventsFile, func(string) error { return s.events.commit() })
	junit := s.keep(JUnitFile, func(path string) error {
		return WriteFile(path, func(w io.Writer) error { return WriteJUnit(w, m) })
	})
	html := s.keep(HTMLFile, func(path string) error {
		return WriteFile(path, func(w io.Writer) error { return WriteHTML(w, m) })
	})
	slices.Reverse(s.written)
	return errors.Join(events, junit, html)
}

// keep writes one of the files.
func (s *FileSink) keep(name string, write func(path string) error) error {
	path := filepath.Join(s.dir, name)
	err := write(path)
	if err == nil {
		s.written = append(s.written, path)
	}
	return err
}

// WriteFile has write fill a new file of mode 0600 that takes the place of path
// only when it is complete. Its error names the path.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := createAtomic(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), f.discard())
	}
	return f.commit()
}

// atomicFile is a file that has its name only once it is complete.
type atomicFile struct {
	path string
	f    *os.File
	buf  *bufio.Writer
	err  error // the first of a write
}

func createAtomic(path string) (*atomicFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return &atomicFile{path: path, f: f, buf: bufio.NewWriterSize(f, 1<<16)}, nil
}

// Write writes to the file that is not complete yet.
func (a *atomicFile) Write(p []byte) (int, error) {
	n, err := a.buf.Write(p)
	if a.err == nil {
		a.err = err
	}
	return n, err
}

// flush hands what was written to the system.
func (a *atomicFile) flush() {
	if a.err == nil {
		a.err = a.buf.Flush()
	}
}

// commit completes the file, unless a write failed.
func (a *atomicFile) commit() error {
	a.flush()
	if a.err == nil {
		a.err = a.f.Sync() // a full disk may be told only now
	}
	if a.err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", a.path, a.err), a.discard())
	}
	// It is closed under its new name, until when a lock on it holds.
	if err := os.Rename(a.f.Name(), a.path); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", a.path, err), a.discard())
	}
	if err := a.f.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", a.path, err)
	}
	return nil
}

func (a *atomicFile) discard() error {
	return errors.Join(os.Remove(a.f.Name()), a.f.Close())
}
