package gadget

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fido-emu/hid/descriptor"
)

// fakeTree behaves as the gadgets' part of configfs does: a folder comes with its
// files, goes when no folder of the user's and no link is in it, and a function that
// is linked to cannot go.
type fakeTree struct {
	folders map[string]bool
	links   map[string]string
	files   map[string]string
	busy    []string // controllers with another gadget
	deny    string   // the write to a file that ends like this is refused
}

func newTree(root string) *fakeTree {
	return &fakeTree{folders: map[string]bool{root: true}, links: map[string]string{}, files: map[string]string{}}
}

func (f *fakeTree) mkdir(path string) error {
	parent := filepath.Dir(path)
	made := slices.Contains([]string{"strings", "configs", "functions"}, filepath.Base(parent))
	switch {
	case made && !f.folders[filepath.Dir(parent)], !made && !f.folders[parent]:
		return fs.ErrNotExist
	case f.folders[path]:
		return fs.ErrExist
	}
	f.folders[path] = true
	return nil
}

func (f *fakeTree) write(path string, value []byte) error {
	text := string(value)
	switch {
	case !f.folders[filepath.Dir(path)]:
		return fs.ErrNotExist
	case f.deny != "" && strings.HasSuffix(path, f.deny):
		return syscall.EINVAL
	case filepath.Base(path) == "UDC" && text == "\n" && f.files[path] == "":
		return syscall.ENODEV
	case filepath.Base(path) == "UDC" && slices.Contains(f.busy, text):
		return syscall.EBUSY
	}
	f.files[path] = strings.TrimSuffix(text, "\n")
	return nil
}

func (f *fakeTree) symlink(target, path string) error {
	if !f.folders[target] || !f.folders[filepath.Dir(path)] {
		return fs.ErrNotExist
	}
	f.links[path] = target
	return nil
}

func (f *fakeTree) remove(path string) error {
	if _, ok := f.links[path]; ok {
		delete(f.links, path)
		return nil
	}
	if !f.folders[path] {
		return fs.ErrNotExist
	}
	for folder := range f.folders {
		if strings.HasPrefix(folder, path+"/") {
			return syscall.ENOTEMPTY
		}
	}
	for link, target := range f.links {
		if target == path || filepath.Dir(link) == path {
			return syscall.EBUSY
		}
	}
	delete(f.folders, path)
	delete(f.files, filepath.Join(path, "UDC"))
	return nil
}

const root = "/gadgets"

// fake returns a system with two controllers; the gadget's reports are a file that
// says nothing.
func fake(t *testing.T) (system, *fakeTree) {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"udc/b.udc/x": "", "udc/a.udc/x": "", "udc/usbip-vudc.0/x": "", "dev/hidg0": "",
		"char/239:0/uevent": "MAJOR=239\nMINOR=0\nDEVNAME=hidg0\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree := newTree(root)
	return system{
		tree: tree, gadgets: root, udc: filepath.Join(dir, "udc"), char: filepath.Join(dir, "char"), dev: filepath.Join(dir, "dev"),
		number: func(string) (string, error) { return "239:0", nil },
		lock: func(folder string) (func() error, error) {
			if !tree.folders[folder] {
				return nil, fs.ErrNotExist
			}
			return func() error { return nil }, nil
		},
	}, tree
}

var key = Config{Vendor: 0x1209, Product: 0xf1d0, Release: 0x0102, Manufacturer: "fido-emu", Serial: "0001"}

func TestTree(t *testing.T) {
	s, tree := fake(t)
	g, err := s.plug(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := root + "/fido-emu/"
	for path, want := range map[string]string{
		"idVendor": "0x1209", "idProduct": "0xf1d0", "bcdDevice": "0x0102", "bcdUSB": "0x0200",
		"strings/0x409/manufacturer": "fido-emu", "strings/0x409/serialnumber": "0001",
		"functions/hid.usb0/report_length": "64", "functions/hid.usb0/report_desc": string(descriptor.FIDO(64)),
		"UDC": "a.udc",
	} {
		if got := tree.files[folder+path]; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if got := tree.links[folder+"configs/c.1/hid.usb0"]; got != folder+"functions/hid.usb0" {
		t.Errorf("the configuration's function is %q", got)
	}
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	tree.wantEmpty(t)
}

func (f *fakeTree) wantEmpty(t *testing.T) {
	t.Helper()
	if len(f.folders) != 1 || len(f.links) != 0 {
		t.Errorf("left behind: %v %v", f.folders, f.links)
	}
}

// Whatever step it was that a process died after, the next one clears up.
func TestWhatIsLeftIsClearedAway(t *testing.T) {
	steps := []string{"", "idVendor", "product", "report_length", "report_desc", "UDC"}
	for _, denied := range steps {
		s, tree := fake(t)
		tree.deny = denied
		if denied == "" {
			tree.deny = "nothing"
		}
		build(tree, root+"/fido-emu", key) // and dies
		tree.deny = ""
		g, err := s.plug(key)
		if err != nil {
			t.Errorf("after dying at %q: %v", denied, err)
			continue
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		tree.wantEmpty(t)
	}
}

func TestPlugRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*system, *fakeTree)
		config  Config
		want    error
	}{
		{"no configfs", func(_ *system, f *fakeTree) { delete(f.folders, root) }, key, ErrNoModule},
		{"controllers busy", func(_ *system, f *fakeTree) { f.busy = []string{"a.udc", "b.udc"} }, key, ErrNoController},
		{"no controllers", func(s *system, _ *fakeTree) { s.udc = "/nowhere" }, key, ErrNoController},
		{"another has it", func(s *system, _ *fakeTree) {
			s.lock = func(string) (func() error, error) { return nil, ErrInUse }
		}, key, ErrInUse},
		{"string refused", func(_ *system, f *fakeTree) { f.deny = "serialnumber" }, key, syscall.EINVAL},
		{"no device", func(s *system, _ *fakeTree) {
			s.number = func(string) (string, error) { return "1:1", nil }
		}, key, fs.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, tree := fake(t)
			c.prepare(&s, tree)
			if _, err := s.plug(c.config); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			tree.folders[root] = true
			tree.wantEmpty(t)
		})
	}
}

func TestSecondControllerIsTaken(t *testing.T) {
	s, tree := fake(t)
	tree.busy = []string{"a.udc"}
	g, err := s.plug(key)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if got := tree.files[root+"/fido-emu/UDC"]; got != "b.udc" {
		t.Errorf("bound to %q, want b.udc", got)
	}
}
