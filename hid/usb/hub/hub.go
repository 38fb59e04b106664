// Package hub switches the power of the ports of USB hubs, with the hub class requests
// of USB 2.0, section 11.24.2, and USB 3.2, section 10.16.2.
//
// A USB 3 hub is two hubs to its host, one for each kind of wires, and a port has power
// while either of them gives it: both are found and switched together.
//
// What a hub reports need not be so: many say that they switch and have no switch. Only
// the device behind the port shows it.
//
// The package needs cgo and libusb, as package usb does. Built without cgo it is there,
// and [Open] says what is missing.
package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"fido-emu/hid"
)

// Reasons for which a hub is not switched. The error's text says how to help it.
var (
	ErrNotBuilt    = errors.New("built without libusb; build with CGO_ENABLED=1 and libusb's headers (Debian: libusb-1.0-0-dev)")
	ErrPermission  = errors.New("no permission to open the hub")
	ErrNone        = errors.New("no such hub is plugged in")
	ErrNoPort      = errors.New("the hub has no such port")
	ErrGanged      = errors.New("the hub switches all of its ports together")
	ErrNoSwitching = errors.New("the hub says that it cannot switch its ports")
)

// Switching is what a hub says about its switches, wHubCharacteristics bits 0 and 1.
type Switching int

// The ways of switching.
const (
	Ganged     Switching = iota // all ports together
	Individual                  // each by itself
	Without                     // not at all
)

// String names the way for people.
func (s Switching) String() string {
	switch s {
	case Ganged:
		return "all ports together"
	case Individual:
		return "each port by itself"
	}
	return "not at all"
}

// Status is what a hub reports of a port.
type Status struct {
	Powered   bool
	Connected bool // something is plugged in
	Raw       uint16
}

// Hub is an open hub with both of its halves. It is safe for concurrent use.
type Hub struct {
	mu      sync.Mutex
	library library
	first   *half // the one that was asked for
	second  *half // of a USB 3 hub; nil without
	system  string
}

// half is a hub as its host sees it.
type half struct {
	description
	handle    handle
	ports     int
	switching Switching
}

// Open opens the hub at a port path such as 1-1, or the root hub of a bus, usb1. The
// kernel keeps it and goes on working with it.
func Open(port string) (*Hub, error) {
	l, err := newLibrary()
	if err != nil {
		return nil, fmt.Errorf("hub %s: %w", port, err)
	}
	h, err := open(l, "/sys/bus/usb/devices", port)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hub %s: %w", port, err), l.close())
	}
	return h, nil
}

func open(l library, system, port string) (*Hub, error) {
	all, err := l.hubs()
	i := slices.IndexFunc(all, func(d description) bool { return d.port() == port })
	if i < 0 {
		return nil, fmt.Errorf("%w%s", errors.Join(ErrNone, err), listed(all))
	}
	h := &Hub{library: l, system: system}
	if h.first, err = openHalf(l, all[i]); err != nil {
		return nil, err
	}
	other, ok, err := h.peer(all)
	if err == nil && ok {
		h.second, err = openHalf(l, other)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("its other half: %w", err), h.first.handle.close())
	}
	return h, nil
}

func listed(all []description) string {
	if len(all) == 0 {
		return "; there is none at all"
	}
	lines := []string{"; there are:"}
	for _, d := range all {
		lines = append(lines, d.String())
	}
	return strings.Join(lines, "\n  ")
}

// openHalf opens a hub and reads its hub descriptor.
func openHalf(l library, d description) (*half, error) {
	opened, err := l.open(d)
	if errors.Is(err, ErrPermission) {
		return nil, fmt.Errorf("%w; become root, or put this into /etc/udev/rules.d/70-hub-power.rules and plug the hub in again: %s", err, d.rule())
	} else if err != nil {
		return nil, err
	}
	h := &half{description: d, handle: opened}
	raw := make([]byte, maxDescriptor)
	n, err := opened.control(hubIn, getDescriptor, d.descriptorValue(), 0, raw)
	if err == nil {
		h.ports, h.switching, err = parseDescriptor(raw[:n])
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: the hub descriptor: %w", d, err), opened.close())
	}
	return h, nil
}

// rule is the udev rule that gives a hub to who sits here.
func (d description) rule() string {
	return fmt.Sprintf(`SUBSYSTEM=="usb", ATTR{idVendor}=="%04x", ATTR{idProduct}=="%04x", MODE="0660", GROUP="plugdev", TAG+="uaccess"`, d.vendor, d.product)
}

// peerPort is the name of a port's directory in the kernel's tree.
var peerPort = regexp.MustCompile(`^((?:usb)?[0-9]+(?:-[0-9.]+)?)-port[0-9]+$`)

// peer finds the other half: the kernel knows it from the platform's tables and from
// how hubs behave; where it does not say, it is the hub of the other speed with the
// same container id (USB 3.2, section 9.6.2.3).
func (h *Hub) peer(all []description) (description, bool, error) {
	if name, ok := h.shownPeer(); ok {
		for _, d := range all {
			if d.port() == name {
				return d, true, nil
			}
		}
	}
	if len(h.first.route) == 0 {
		return description{}, false, nil // a root hub has no container id
	}
	mine, ok := container(h.first.handle)
	if !ok {
		return description{}, false, nil
	}
	for _, d := range all {
		if d.super == h.first.super || d.vendor != h.first.vendor || len(d.route) == 0 {
			continue
		}
		opened, err := h.library.open(d)
		if err != nil {
			return description{}, false, err
		}
		theirs, ok := container(opened)
		if err := opened.close(); err != nil {
			return description{}, false, err
		}
		if ok && theirs == mine {
			return d, true, nil
		}
	}
	return description{}, false, nil
}

// shownPeer is the hub to which the kernel's link from the first port leads.
func (h *Hub) shownPeer() (hub string, ok bool) {
	links, err := filepath.Glob(filepath.Join(h.system, h.first.interfaces(), h.first.port()+"-port*", "peer"))
	if err != nil || len(links) == 0 {
		return "", false
	}
	target, err := os.Readlink(links[0])
	if err != nil {
		return "", false
	}
	m := peerPort.FindStringSubmatch(filepath.Base(target))
	if m == nil {
		return "", false
	}
	return m[1], true
}

// Ports returns how many ports the hub has.
func (h *Hub) Ports() int { return h.first.ports }

// Switching returns what the hub says about its switches. Of the two halves the less
// able one counts.
func (h *Hub) Switching() Switching {
	for _, half := range h.halves() {
		if half.switching != Individual {
			return half.switching
		}
	}
	return Individual
}

// Halves names the hub, and its other half if it has one.
func (h *Hub) Halves() (names []string) {
	for _, half := range h.halves() {
		names = append(names, half.port())
	}
	return names
}

func (h *Hub) halves() []*half {
	if h.second == nil {
		return []*half{h.first}
	}
	return []*half{h.first, h.second}
}

// String names the hub for people.
func (h *Hub) String() string {
	return fmt.Sprintf("hub %s (%04x:%04x)", strings.Join(h.Halves(), " and "), h.first.vendor, h.first.product)
}

// Power gives power to a port or takes it away, in both halves. The error wraps
// ErrGanged or ErrNoSwitching where that is what the hub says of itself, and nothing is
// done then.
func (h *Hub) Power(port int, on bool) error {
	switch h.Switching() {
	case Ganged:
		return fmt.Errorf("%s: %w: port %d alone cannot be switched", h, ErrGanged, port)
	case Without:
		return fmt.Errorf("%s: %w", h, ErrNoSwitching)
	}
	if err := h.has(port); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.feature(port, on)
}

// PowerAll gives power to all ports or takes it away: what a ganged hub does anyway.
func (h *Hub) PowerAll(on bool) error {
	if h.Switching() == Without {
		return fmt.Errorf("%s: %w", h, ErrNoSwitching)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for port := 1; port <= h.first.ports; port++ {
		errs = append(errs, h.feature(port, on))
	}
	return errors.Join(errs...)
}

func (h *Hub) has(port int) error {
	if port < 1 || port > h.first.ports {
		return fmt.Errorf("%s: %w: %d; it has 1 to %d", h, ErrNoPort, port, h.first.ports)
	}
	return nil
}

// feature sets or clears PORT_POWER. The half with fewer ports has none of the rest.
func (h *Hub) feature(port int, on bool) error {
	request, what := byte(clearFeature), "off"
	if on {
		request, what = setFeature, "on"
	}
	var errs []error
	for _, half := range h.halves() {
		if port > half.ports {
			continue
		}
		if _, err := half.handle.control(portOut, request, portPower, uint16(port), nil); err != nil {
			errs = append(errs, fmt.Errorf("hub %s: switching port %d %s: %w%s", half.port(), port, what, err, hint(err)))
		}
	}
	return errors.Join(errs...)
}

// hint says what to do about an error of a transfer.
func hint(err error) string {
	if errors.Is(err, hid.ErrUnplugged) {
		return "; the hub itself was unplugged, or lost its power"
	}
	return ""
}

// Status asks for a port. Powered is true while either half gives power, Connected
// while either sees something.
func (h *Hub) Status(port int) (s Status, err error) {
	if err := h.has(port); err != nil {
		return s, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, half := range h.halves() {
		if port > half.ports {
			continue
		}
		raw := make([]byte, 4)
		n, err := half.handle.control(portIn, getStatus, 0, uint16(port), raw)
		if err == nil && n < 4 {
			err = fmt.Errorf("%d bytes, not 4", n)
		}
		if err != nil {
			return s, fmt.Errorf("hub %s: the status of port %d: %w%s", half.port(), port, err, hint(err))
		}
		one := parseStatus(raw, half.super)
		s = Status{s.Powered || one.Powered, s.Connected || one.Connected, s.Raw | one.Raw}
	}
	return s, nil
}

// Close lets go of the hub. Its ports stay as they are.
func (h *Hub) Close() error {
	var errs []error
	for _, half := range h.halves() {
		errs = append(errs, half.handle.close())
	}
	return errors.Join(append(errs, h.library.close())...)
}

// description is what is known of a hub before it is opened.
type description struct {
	bus, address    int
	route           []int // ports from the root hub; empty for the root hub itself
	vendor, product uint16
	super           bool // its wires are those of USB 3
}

// port is the name that Linux gives to the hub.
func (d description) port() string {
	if len(d.route) == 0 {
		return "usb" + strconv.Itoa(d.bus)
	}
	ports := make([]string, len(d.route))
	for i, p := range d.route {
		ports[i] = strconv.Itoa(p)
	}
	return fmt.Sprintf("%d-%s", d.bus, strings.Join(ports, "."))
}

// interfaces matches the directory of the hub's interface.
func (d description) interfaces() string {
	if len(d.route) == 0 {
		return fmt.Sprintf("%d-0:*.0", d.bus)
	}
	return d.port() + ":*.0"
}

// String describes a hub in a line for people.
func (d description) String() string {
	speed := "USB 2"
	if d.super {
		speed = "USB 3"
	}
	return fmt.Sprintf("%s: %04x:%04x (%s)", d.port(), d.vendor, d.product, speed)
}
