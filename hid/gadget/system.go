package gadget

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// tree is what the package does to configfs, whose folders come with their files and
// go with them.
type tree interface {
	mkdir(path string) error
	write(path string, value []byte) error // to a file that is there
	symlink(target, path string) error
	remove(path string) error // a folder without folders and links in it, or a link
}

// system is where the package finds things.
type system struct {
	tree    tree
	gadgets string                                // where configfs has gadgets
	udc     string                                // the controllers
	char    string                                // character devices by their numbers
	dev     string                                // device nodes
	number  func(function string) (string, error) // of a function's device, "major:minor"
	lock    func(folder string) (unlock func() error, err error)
}

func linux() system {
	return system{
		tree: configfs{}, gadgets: "/sys/kernel/config/usb_gadget",
		udc: "/sys/class/udc", char: "/sys/dev/char", dev: "/dev", number: number, lock: lock,
	}
}

// controllers returns the names of the controllers, in order. Those that USB/IP makes
// out of nothing are left out: they have no host until somebody imports them.
func (s system) controllers() []string {
	entries, _ := os.ReadDir(s.udc)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "usbip-vudc") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names
}

// device returns the path of the device node of a function.
func (s system) device(function string) (string, error) {
	number, err := s.number(function)
	if err != nil {
		return "", fmt.Errorf("the function has no device: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(s.char, number, "uevent"))
	if err != nil {
		return "", fmt.Errorf("device %s: %w", number, err)
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "DEVNAME="); ok {
			return filepath.Join(s.dev, name), nil
		}
	}
	return "", fmt.Errorf("device %s has no name", number)
}

func number(function string) (string, error) {
	text, err := os.ReadFile(filepath.Join(function, "dev"))
	return strings.TrimSpace(string(text)), err
}

// lock takes hold of a folder until the process ends or unlock is called. The error
// wraps ErrInUse when another process has it.
func lock(folder string) (unlock func() error, err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// configfs is the kernel's.
type configfs struct{}

func (configfs) mkdir(path string) error           { return os.Mkdir(path, 0o755) }
func (configfs) symlink(target, path string) error { return os.Symlink(target, path) }
func (configfs) remove(path string) error          { return os.Remove(path) }

func (configfs) write(path string, value []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(value)
	return errors.Join(err, f.Close())
}
