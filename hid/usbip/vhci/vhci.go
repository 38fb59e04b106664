// Package vhci plugs USB/IP devices into the kernel of this machine through its
// virtual USB host controller, vhci_hcd, without the usbip tools. The kernel takes a
// connected stream socket and speaks the URB phase of the protocol on it by itself
// (drivers/usb/usbip/vhci_sysfs.c).
//
// [Controller.Plug] plugs in a key of this process; [Controller.Attach] imports a
// device from a server, as usbip attach does. Both need the kernel module vhci_hcd and
// the right to write to two of its files.
package vhci

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"fido-emu/hid/usbip"
)

// DefaultPath is where the kernel shows its first virtual host controller, through
// which all are driven.
const DefaultPath = "/sys/devices/platform/vhci_hcd.0"

// Reasons for which devices cannot be plugged in. The error's text says how to help
// it.
var (
	ErrNoModule     = errors.New("the kernel has no virtual USB host controller")
	ErrNoPermission = errors.New("no permission to use the virtual USB host controller")
	ErrNoPort       = errors.New("all ports of the virtual USB host controller are in use")
)

// Controller is the kernel's virtual host controller. It is safe for concurrent use.
type Controller struct {
	path  string
	tried atomic.Int64 // ports that were tried: each time the next one is the first
}

// Open returns the controller at a path, DefaultPath when it is empty, once it is sure
// that devices could be plugged in there. The error wraps ErrNoModule or
// ErrNoPermission.
func Open(path string) (*Controller, error) {
	if path == "" {
		path = DefaultPath
	}
	c := &Controller{path: path}
	for _, file := range []string{"attach", "detach"} {
		if err := unix.Access(filepath.Join(path, file), unix.W_OK); err != nil {
			return nil, c.explain(err)
		}
	}
	return c, nil
}

// explain says what is missing when a file of the controller cannot be used.
func (c *Controller) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s is not there; load it with: sudo modprobe vhci-hcd", ErrNoModule, c.path)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w; run as root, or once after each start: sudo chown $USER %s/attach %[3]s/detach", ErrNoPermission, err, c.path)
	}
	return fmt.Errorf("vhci: %w", err)
}

// Ports returns the ports of all controllers, in the kernel's order.
func (c *Controller) Ports() ([]Port, error) {
	var ports []Port
	for n := 0; ; n++ {
		name := "status"
		if n > 0 {
			name += "." + strconv.Itoa(n)
		}
		text, err := os.ReadFile(filepath.Join(c.path, name))
		if n > 0 && errors.Is(err, fs.ErrNotExist) {
			return ports, nil
		}
		if err != nil {
			return nil, c.explain(err)
		}
		more, err := parseStatus(string(text))
		if err != nil {
			return nil, fmt.Errorf("vhci: %s: %w", filepath.Join(c.path, name), err)
		}
		c.place(n, more)
		ports = append(ports, more...)
	}
}

// place finds out where a controller's ports are, and which of the free ones the kernel
// still has a device in. Each controller has two root hubs, the lower bus number for
// speeds up to high and the other for SuperSpeed; a device in port 1 of bus 2 is
// usb2/2-1.
func (c *Controller) place(controller int, ports []Port) {
	hubs, _ := filepath.Glob(filepath.Join(filepath.Dir(c.path), fmt.Sprintf("vhci_hcd.%d", controller), "usb[0-9]*"))
	slices.SortFunc(hubs, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	var seen [2]int
	for i, p := range ports {
		hub := 0
		if p.Super {
			hub = 1
		}
		seen[hub]++
		ports[i].onHub = seen[hub]
		if p.State != Free || hub >= len(hubs) {
			continue
		}
		device := fmt.Sprintf("%s-%d", strings.TrimPrefix(filepath.Base(hubs[hub]), "usb"), seen[hub])
		if _, err := os.Lstat(filepath.Join(hubs[hub], device)); err == nil {
			ports[i].State = Leaving
		}
	}
}

// configured says whether the kernel is done with a new device: it has configured it
// and offered it to its drivers. It holds a lock meanwhile for which reading the
// configuration waits.
func (c *Controller) configured(device string) bool {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(c.path), "vhci_hcd.*", "usb*", device, "bConfigurationValue"))
	if len(found) == 0 {
		return false
	}
	value, err := os.ReadFile(found[0])
	return err == nil && len(value) > 0
}

// port returns one port.
func (c *Controller) port(number int) (Port, error) {
	ports, err := c.Ports()
	if err != nil {
		return Port{}, err
	}
	for _, p := range ports {
		if p.Number == number {
			return p, nil
		}
	}
	return Port{}, fmt.Errorf("vhci: there is no port %d", number)
}

// Detach tells the kernel to unplug what is attached to a port, which takes it a
// while. A port with nothing attached is an error.
func (c *Controller) Detach(port int) error {
	if err := c.write("detach", strconv.Itoa(port)); err != nil {
		return fmt.Errorf("vhci: detaching port %d: %w", port, err)
	}
	return nil
}

// attachSocket gives the kernel a socket that carries the URBs of a device. Somebody
// else may take a port between looking and writing: the next one is tried then.
func (c *Controller) attachSocket(fd uintptr, devID uint32, speed usbip.Speed) (Port, error) {
	ports, err := c.Ports()
	if err != nil {
		return Port{}, err
	}
	candidates := inTurn(ports, speed)
	for range candidates {
		p := candidates[int(c.tried.Add(1)-1)%len(candidates)]
		if p.State != Free {
			continue
		}
		err := c.write("attach", fmt.Sprintf("%d %d %d %d", p.Number, fd, devID, speed))
		if errors.Is(err, syscall.EBUSY) {
			continue
		}
		p.DevID, p.SockFD = devID, int64(fd)
		return p, err
	}
	return Port{}, fmt.Errorf("%w: %d of them; detach something: usbip detach -p PORT", ErrNoPort, len(candidates))
}

// inTurn returns the ports for a speed in the order in which to use them. The hubs take
// turns, because the kernel enumerates the devices of one hub one after the other; the
// ports do too, which gives the kernel time to part from what was there.
func inTurn(ports []Port, speed usbip.Speed) []Port {
	ports = slices.DeleteFunc(slices.Clone(ports), func(p Port) bool { return !p.Takes(speed) })
	slices.SortStableFunc(ports, func(a, b Port) int { return a.onHub - b.onHub })
	return ports
}

// write writes to a file of the controller.
func (c *Controller) write(file, text string) error {
	f, err := os.OpenFile(filepath.Join(c.path, file), os.O_WRONLY, 0)
	if err != nil {
		return c.explain(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return c.explain(err)
	}
	return nil
}
