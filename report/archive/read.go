package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"fido-emu/report"
)

// Run is a run that was kept in files.
type Run struct {
	Name   string // as it was asked for
	File   string // its events
	Events []report.Event
	Model  *report.Model
}

// Dir returns the folder in which the run's reports are.
func (r *Run) Dir() string { return filepath.Dir(r.File) }

// Read reads the run at path: a folder of reports, or the events of a run. In a folder it
// is the last run, also one that broke off or has not ended yet. What has not ended is
// aborted.
func Read(path string) (*Run, error) {
	r := &Run{Name: path, File: path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		r.File = last(path)
	}
	b, err := os.ReadFile(r.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no run: there is no %s in it", path, report.EventsFile)
	}
	if err != nil {
		return nil, err
	}
	if r.Events, err = events(b); err != nil {
		return nil, fmt.Errorf("%s: %w", r.File, err)
	}
	if len(r.Events) == 0 || r.Events[0].Kind != report.RunStart {
		return nil, fmt.Errorf("%s does not begin with the start of a run", r.File)
	}
	r.Model = report.BuildModel(r.Events)
	return r, nil
}

// last names the events of the last run in a folder.
func last(dir string) string {
	part := filepath.Join(dir, report.PartFile)
	if info, err := os.Stat(part); err == nil && info.Size() > 0 {
		return part
	}
	return filepath.Join(dir, report.EventsFile)
}

// events reads events, but for a line in the middle of which a run broke off.
func events(b []byte) ([]report.Event, error) {
	all, err := report.ReadAll(bytes.NewReader(b))
	if end := bytes.LastIndexByte(b, '\n') + 1; err != nil && end < len(b) {
		return report.ReadAll(bytes.NewReader(b[:end]))
	}
	return all, err
}

// ReadAll reads several runs, in the order given.
func ReadAll(paths []string) ([]*Run, error) {
	var runs []*Run
	var errs []error
	for _, p := range paths {
		r, err := Read(p)
		runs, errs = append(runs, r), append(errs, err)
	}
	return runs, errors.Join(errs...)
}
