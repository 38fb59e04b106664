package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"fido-emu/grammar"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

//go:embed library
var library embed.FS

// Source is one scenario file.
type Source struct {
	File string // as people know it
	ID   string // what its scenarios are called, before the suffixes of variants
	Text []byte
}

// Library returns the scenarios that come with the program, by id.
func Library() ([]Source, error) {
	return walk(library, "library", func(name string) Source {
		return Source{File: "scenarios/library/" + name, ID: strings.TrimSuffix(name, path.Ext(name))}
	})
}

// Sources returns the scenario files that people name: files, folders with all
// the .yaml files beneath them, and ids, folders or parts of ids of the built-in
// library. Without names it returns the whole library.
func Sources(names []string) ([]Source, error) {
	if len(names) == 0 {
		return Library()
	}
	var all []Source
	var errs []error
	for _, name := range names {
		found, err := source(name)
		all, errs = append(all, found...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

func source(name string) ([]Source, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		found, err := walk(os.DirFS(name), ".", func(file string) Source {
			return Source{File: filepath.Join(name, file), ID: strings.TrimSuffix(file, path.Ext(file))}
		})
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		return found, err
	case err == nil:
		text, err := os.ReadFile(name)
		id := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		return []Source{{File: name, ID: id, Text: text}}, err
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return builtIn(name)
}

// builtIn returns the scenarios of the library with an id, or in a folder.
func builtIn(name string) ([]Source, error) {
	all, err := Library()
	if err != nil {
		return nil, err
	}
	var found []Source
	var names []string
	for _, s := range all {
		names = append(names, s.ID, path.Dir(s.ID), path.Base(s.ID))
		if s.ID == name || strings.HasPrefix(s.ID, strings.TrimSuffix(name, "/")+"/") || path.Base(s.ID) == name {
			found = append(found, s)
		}
	}
	if len(found) == 0 {
		meant := "harness list shows the library"
		if near := grammar.Nearest(name, names); near != "" {
			meant = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, fmt.Errorf("%s: neither a file or folder nor in the built-in library; %s", name, meant)
	}
	return found, nil
}

// errNone is in the error about a folder without scenarios.
var errNone = errors.New("no scenario file (.yaml) is in the folder")

// walk gathers the .yaml files beneath a folder, in the order of their names.
func walk(fsys fs.FS, root string, describe func(name string) Source) ([]Source, error) {
	sub, err := fs.Sub(fsys, root)
	if err != nil {
		return nil, err
	}
	var all []Source
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml" {
			return err
		}
		s := describe(name)
		s.Text, err = fs.ReadFile(sub, name)
		all = append(all, s)
		return err
	})
	if err == nil && len(all) == 0 {
		err = errNone
	}
	return all, err
}

// Load reads scenario files. The error is of type [language.Problems]: everything
// that is wrong with any of them.
func Load(sources []Source, g language.Grammar) ([]*language.Scenario, error) {
	var all []*language.Scenario
	var problems language.Problems
	used := map[string]string{}
	for _, s := range sources {
		variants, err := language.Load(s.File, s.Text, g)
		if err != nil {
			found, ok := errors.AsType[language.Problems](err)
			if !ok {
				return nil, err
			}
			problems = append(problems, found...)
			continue
		}
		id := unique(s.ID, s.File, used)
		for _, v := range variants {
			v.ID = id + v.Suffix()
			problems = append(problems, world.Check(v)...)
			all = append(all, v)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return all, nil
}

// unique returns an id that no other file has.
func unique(id, file string, used map[string]string) string {
	if other, taken := used[id]; taken && other != file {
		id = filepath.ToSlash(strings.TrimSuffix(file, filepath.Ext(file)))
	}
	for n, base := 2, id; used[id] != ""; n++ {
		id = fmt.Sprintf("%s#%d", base, n)
	}
	used[id] = file
	return id
}
