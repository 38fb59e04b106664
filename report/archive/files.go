package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"fido-emu/report"
)

// TakeFiles copies the screenshots and captures of the runs into dir, each run's into
// a folder of its own, and has the events name the copies. What is missing stays
// missing.
func TakeFiles(runs []*Run, dir string) error {
	for i, r := range runs {
		for j := range r.Events {
			e := &r.Events[j]
			for _, file := range []*string{&e.Picture, &e.File} {
				if *file == "" || !filepath.IsLocal(*file) {
					continue
				}
				name := path.Join(fmt.Sprintf("run-%d", i+1), *file)
				err := copyFile(filepath.Join(r.Dir(), *file), filepath.Join(dir, name))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				*file = name
			}
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return report.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
