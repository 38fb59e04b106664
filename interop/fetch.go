package interop

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Absent is a server that is not here: a program that it takes is missing, its
// registry could not be reached, or nobody has fetched it yet.
type Absent struct {
	Target Target
	Why    string
}

// Error says what is missing and what to do.
func (a *Absent) Error() string { return fmt.Sprintf("%s is left out: %s", a.Target.Library, a.Why) }

// stamp is the file that says of what a folder was made.
const stamp = "fetched"

// Bring fetches what the lock files name and builds the host, unless that was done
// before. root is the folder of the module, cache one for all servers. What cannot be
// had is *[Absent].
func (t Target) Bring(ctx context.Context, root, cache string) error {
	if program := t.missing(); program != "" {
		return &Absent{t, program + " is not installed"}
	}
	if cached, err := t.fetched(root, cache); err != nil || cached && len(t.Lock) > 0 {
		return err
	}
	folder, err := filepath.Abs(t.folder(cache))
	if err != nil {
		return err
	}
	if err := t.lay(root, folder); err != nil {
		return err
	}
	for _, argv := range t.Recipe {
		out, err := run(ctx, folder, argv)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &Absent{t, fmt.Sprintf("%s failed; is %s to be reached from here?\n%s", strings.Join(argv, " "), t.Registry, head(out, 12))}
		}
	}
	if err := t.compare(folder); err != nil {
		return err
	}
	for _, argv := range t.Build {
		dir := folder
		if argv[0] == "go" {
			dir = root
		}
		if out, err := run(ctx, dir, expanded(argv, folder)); err != nil {
			return fmt.Errorf("building the host of %s: %s: %w\n%s", t.Library, strings.Join(argv, " "), err, out)
		}
	}
	sum, err := t.sum(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, stamp), []byte(sum), 0o600)
}

// fetched tells whether the folder was made of the files as they are now.
func (t Target) fetched(root, cache string) (bool, error) {
	sum, err := t.sum(root)
	if err != nil {
		return false, err
	}
	was, err := os.ReadFile(filepath.Join(t.folder(cache), stamp))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return string(was) == sum, err
}

// sum is a digest of how the folder is made: recipe, lock files and host.
func (t Target) sum(root string) (string, error) {
	h := sha256.New()
	recipe, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	h.Write(recipe)
	for _, name := range append(t.Lock, t.Sources...) {
		b, err := os.ReadFile(filepath.Join(t.source(root), name))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(b))
		h.Write(b)
	}
	return fmt.Sprintf("%x\n", h.Sum(nil)), nil
}

// lay makes the folder anew, with the files of the host.
func (t Target) lay(root, folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, name := range append(t.Lock, t.Sources...) {
		if filepath.Ext(name) == ".go" {
			continue // built where it is
		}
		b, err := os.ReadFile(filepath.Join(t.source(root), name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare holds what was fetched against the hashes of the lock file, where there is
// one: no file of another content, and none that the lock file does not name.
func (t Target) compare(folder string) error {
	if t.Hashes == "" {
		return nil
	}
	list, err := os.ReadFile(filepath.Join(folder, t.Hashes))
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(list)) {
		want, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		got, err := digest(filepath.Join(folder, name))
		if !ok || err != nil {
			return fmt.Errorf("%s names %q, which was not fetched: %w", t.Hashes, name, err)
		}
		if got != want {
			return fmt.Errorf("%s of %s has SHA-256 %s, and %s says %s", name, t.Registry, got, t.Hashes, want)
		}
		named[filepath.Base(name)] = true
	}
	return filepath.WalkDir(filepath.Join(folder, "lib"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !named[d.Name()] {
			return fmt.Errorf("%s was fetched, and %s does not name it", d.Name(), t.Hashes)
		}
		return err
	})
}

// digest returns the SHA-256 of a file, in hex.
func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// run runs one command, and returns what it said.
func run(ctx context.Context, dir string, argv []string) (string, error) {
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), errors.Join(ctx.Err(), err)
}

func expanded(argv []string, folder string) []string {
	all := make([]string, len(argv))
	for i, a := range argv {
		all[i] = strings.ReplaceAll(a, "$FOLDER", folder)
	}
	return all
}

// head returns the first lines of text.
func head(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[:min(len(all), lines)], "\n")
}

// tail returns the last lines of text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
