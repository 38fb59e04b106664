// Package gadget makes the machine itself a FIDO key: a USB device controller shows a
// HID function to whatever host the cable leads to, as on a Raspberry Pi, or to the
// same machine by the kernel's dummy_hcd. The kernel builds the device from a tree in
// configfs (Documentation/usb/gadget_configfs.rst) and hands the reports to
// /dev/hidgN (Documentation/usb/gadget_hid.rst).
//
// It needs root, the kernel modules libcomposite and usb_f_hid, and a controller.
package gadget

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"

	"fido-emu/hid"
	"fido-emu/hid/descriptor"
)

// Reasons for which a gadget cannot be made. The error's text says how to help it.
var (
	ErrNoModule     = errors.New("the kernel cannot make USB gadgets")
	ErrNoController = errors.New("no free USB device controller")
	ErrNoPermission = errors.New("no permission to make USB gadgets")
	ErrInUse        = errors.New("another process has the gadget")
)

// DefaultName is the gadget's folder in configfs unless told otherwise.
const DefaultName = "fido-emu"

// Config says what the key looks like to its host. Vendor and Product must not be a
// real company's unless the key is meant to be taken for that company's.
type Config struct {
	Name       string // folder in configfs [DefaultName]; two gadgets need two names
	Controller string // as in /sys/class/udc; empty for the first that is free

	Vendor       uint16
	Product      uint16
	Release      uint16 // bcdDevice: version 1.02 is 0x0102
	Manufacturer string // strings have at most 126 characters; empty means none
	ProductName  string
	Serial       string
}

// Gadget is a key that is plugged in. As a hid.Conn it is the device's side, to be
// given to hid.Serve.
type Gadget struct {
	*node
	system  system
	folder  string
	release func() error // lets go of the folder for other processes
	closing sync.Once
	closed  error
}

var _ hid.Conn = (*Gadget)(nil)

// Plug makes a gadget and connects it to a controller, which plugs it in. What a
// process that died has left under the same name is cleared away first. The error
// wraps ErrNoModule, ErrNoController, ErrNoPermission or ErrInUse, and nothing is left
// behind then.
func Plug(c Config) (*Gadget, error) { return linux().plug(c) }

func (s system) plug(c Config) (*Gadget, error) {
	if c.Name == "" {
		c.Name = DefaultName
	}
	g := &Gadget{system: s, folder: filepath.Join(s.gadgets, c.Name)}
	if err := g.plug(c); err != nil {
		return nil, fmt.Errorf("gadget %s: %w", c.Name, err)
	}
	return g, nil
}

func (g *Gadget) plug(c Config) error {
	if err := g.clear(); err != nil {
		return err
	}
	if err := g.build(c); err != nil {
		return errors.Join(err, g.remove())
	}
	if err := g.connect(c.Controller); err != nil {
		return errors.Join(err, g.remove())
	}
	return nil
}

// clear removes what an earlier process has left, once it is sure that it is gone.
func (g *Gadget) clear() error {
	unlock, err := g.system.lock(g.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return errors.Join(demolish(g.system.tree, g.folder), unlock())
}

// build makes the tree and takes hold of it.
func (g *Gadget) build(c Config) error {
	if err := build(g.system.tree, g.folder, c); err != nil {
		return explain(err)
	}
	var err error
	g.release, err = g.system.lock(g.folder)
	return err
}

// connect binds the gadget to a controller and opens its reports.
func (g *Gadget) connect(controller string) error {
	if err := g.bind(controller); err != nil {
		return err
	}
	path, err := g.system.device(filepath.Join(g.folder, function))
	if err != nil {
		return err
	}
	g.node, err = openNode(path)
	return err
}

// bind binds the gadget to a controller, or to the first that takes it.
func (g *Gadget) bind(controller string) error {
	candidates := []string{controller}
	if controller == "" {
		candidates = g.system.controllers()
	}
	var errs []error
	for _, name := range candidates {
		err := g.system.tree.write(filepath.Join(g.folder, "UDC"), []byte(name))
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", name, err))
	}
	return fmt.Errorf("%w; load a driver for one, or for trying things out: sudo modprobe dummy_hcd: %w", ErrNoController, errors.Join(errs...))
}

// Close unplugs the key and removes the gadget. A ReadReport or WriteReport that waits
// returns. A second Close does nothing.
func (g *Gadget) Close() error {
	g.closing.Do(func() { g.closed = g.remove() })
	return g.closed
}

func (g *Gadget) remove() error {
	var errs []error
	if g.node != nil {
		errs = append(errs, g.node.Close())
	}
	errs = append(errs, demolish(g.system.tree, g.folder))
	if g.release != nil {
		errs = append(errs, g.release())
	}
	return errors.Join(errs...)
}

// explain says what is missing when the tree cannot be built.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w; load it with: sudo modprobe libcomposite", ErrNoModule, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w; run as root", ErrNoPermission, err)
	}
	return err
}

// The parts of the tree, below the gadget's folder.
const (
	function      = "functions/hid.usb0"
	configuration = "configs/c.1"
	language      = "strings/0x409" // English, United States
)

// attribute is a file in the tree.
type attribute struct {
	path  string
	value []byte
}

// attributes are what a key's tree says, in the order in which it is written.
func attributes(c Config) []attribute {
	number := func(n uint16) []byte { return fmt.Appendf(nil, "%#04x", n) }
	all := []attribute{
		{"bcdUSB", number(0x0200)},
		{"idVendor", number(c.Vendor)},
		{"idProduct", number(c.Product)},
		{"bcdDevice", number(c.Release)},
	}
	for _, s := range []struct{ path, text string }{
		{language + "/manufacturer", c.Manufacturer}, {language + "/product", c.ProductName}, {language + "/serialnumber", c.Serial},
	} {
		if s.text != "" {
			all = append(all, attribute{s.path, []byte(s.text)})
		}
	}
	return append(all,
		attribute{configuration + "/bmAttributes", []byte("0x80")}, // bus-powered
		attribute{configuration + "/MaxPower", []byte("100")},      // mA
		attribute{function + "/protocol", []byte("0")},
		attribute{function + "/subclass", []byte("0")},
		attribute{function + "/report_length", fmt.Appendf(nil, "%d", hid.ReportSize)},
		attribute{function + "/report_desc", descriptor.FIDO(hid.ReportSize)},
	)
}

// build makes a gadget's tree.
func build(t tree, folder string, c Config) error {
	for _, dir := range []string{"", language, configuration, function} {
		if err := t.mkdir(filepath.Join(folder, dir)); err != nil {
			return err
		}
	}
	for _, a := range attributes(c) {
		if err := t.write(filepath.Join(folder, a.path), a.value); err != nil {
			return err
		}
	}
	return t.symlink(filepath.Join(folder, function), filepath.Join(folder, configuration, "hid.usb0"))
}

// demolish disconnects a gadget and removes its tree, as much of it as there is.
func demolish(t tree, folder string) error {
	errs := []error{t.write(filepath.Join(folder, "UDC"), []byte("\n"))}
	if errors.Is(errs[0], syscall.ENODEV) { // was not connected
		errs[0] = nil
	}
	for _, part := range []string{configuration + "/hid.usb0", configuration, function, language, ""} {
		errs = append(errs, t.remove(filepath.Join(folder, part)))
	}
	for i, err := range errs {
		if errors.Is(err, fs.ErrNotExist) {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}
