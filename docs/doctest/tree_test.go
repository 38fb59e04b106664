package doctest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const top = "../.."

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	unsaid  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	page    = regexp.MustCompile(`\bdocs/[a-z-]+\.md\b`)
	target  = regexp.MustCompile(`\bmake ([a-z]+(?:-[a-z]+)*)$`)
)

// anchors are the headings of a page as links name them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		found[strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLinks follows the links between files, and to headings.
func TestLinks(t *testing.T) {
	for _, file := range pages(t, top) {
		text := fence.ReplaceAllString(read(t, file), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			there := file
			if to != "" {
				there = filepath.Join(filepath.Dir(file), to)
			}
			if _, err := os.Stat(there); err != nil {
				t.Errorf("%s: %s leads nowhere", file, m[1])
			} else if anchor != "" && !anchors(read(t, there))[anchor] {
				t.Errorf("%s: %s has no heading #%s", file, there, anchor)
			}
		}
	}
}

// TestPaths looks up the files, folders and targets of make that sentences name.
func TestPaths(t *testing.T) {
	makefile := read(t, filepath.Join(top, "Makefile"))
	for _, file := range pages(t, top) {
		for i, l := range strings.Split(fence.ReplaceAllStringFunc(read(t, file), blank), "\n") {
			for _, m := range code.FindAllStringSubmatch(l, -1) {
				at := file + ":" + strconv.Itoa(i+1)
				if named := target.FindStringSubmatch(m[1]); named != nil && !strings.Contains(makefile, "\n"+named[1]+":") {
					t.Errorf("%s: the Makefile has no target %s", at, named[1])
				}
				if found, err := filepath.Glob(filepath.Join(top, m[1])); ofTree(m[1]) && (err != nil || len(found) == 0) {
					t.Errorf("%s: there is no %s", at, m[1])
				}
			}
		}
	}
}

// blank keeps the lines of a block and nothing in them.
func blank(block string) string { return strings.Repeat("\n", strings.Count(block, "\n")) }

// ofTree tells whether a word names something below a folder of the module.
func ofTree(word string) bool {
	first, rest, below := strings.Cut(word, "/")
	if !below || strings.ContainsAny(rest, " …={") || first == "" || first == "reports" || first == "bin" {
		return false
	}
	info, err := os.Stat(filepath.Join(top, first))
	return err == nil && info.IsDir() && !strings.Contains(rest, "NAME") && !strings.Contains(rest, "GROUP")
}

// TestPages looks up the pages of docs that programs name in their help and errors.
func TestPages(t *testing.T) {
	err := filepath.WalkDir(top, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "bin" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		for _, name := range page.FindAllString(read(t, file), -1) {
			if _, err := os.Stat(filepath.Join(top, name)); err != nil {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
