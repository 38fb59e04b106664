package archive

import (
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

// Read reads the run at path: a folder with [report.EventsFile], or such a file. A run
// that broke off is completed: what had not ended is aborted.
func Read(path string) (*Run, error) {
	r := &Run{Name: path, File: path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		r.File = filepath.Join(path, report.EventsFile)
	}
	f, err := os.Open(r.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no run: there is no %s in it", path, report.EventsFile)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if r.Events, err = report.ReadAll(f); err != nil {
		return nil, fmt.Errorf("%s: %w", r.File, err)
	}
	if len(r.Events) == 0 || r.Events[0].Kind != report.RunStart {
		return nil, fmt.Errorf("%s does not begin with the start of a run", r.File)
	}
	r.Model = report.BuildModel(r.Events)
	return r, nil
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
