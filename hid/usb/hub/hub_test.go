package hub

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fido-emu/hid"
)

// fake is a bus with hubs.
type fake struct {
	all    []*fakeHub
	closed bool
}

// fakeHub is one half of a hub.
type fakeHub struct {
	description
	characteristics byte
	ports           int
	container       byte // 0 for none
	refused         bool // to be opened
	gone            bool

	powered map[int]bool
	opened  int
}

func (f *fake) close() error { f.closed = true; return nil }

func (f *fake) hubs() (all []description, err error) {
	for _, h := range f.all {
		all = append(all, h.description)
	}
	return all, nil
}

func (f *fake) open(d description) (handle, error) {
	i := slices.IndexFunc(f.all, func(h *fakeHub) bool { return h.port() == d.port() })
	if f.all[i].refused {
		return nil, ErrPermission
	}
	f.all[i].opened++
	return f.all[i], nil
}

func (h *fakeHub) close() error { h.opened--; return nil }

func (h *fakeHub) control(requestType, request byte, value, index uint16, data []byte) (int, error) {
	switch {
	case h.gone:
		return 0, hid.ErrUnplugged
	case requestType == 0xA0 && request == 6 && value == h.descriptorValue():
		return copy(data, []byte{9, byte(value >> 8), byte(h.ports), h.characteristics, 0, 50, 100, 0, 0xFF}), nil
	case requestType == 0x80 && request == 6 && value == 0x0F00 && h.container != 0:
		bos := []byte{5, 15, 32, 0, 2, 7, 16, 2, 0, 0, 0, 0, 20, 16, 4, 0}
		return copy(data, append(bos, []byte(strings.Repeat(string(h.container), 16))...)), nil
	case requestType == 0xA3 && request == 0:
		bits := uint16(0)
		if power := uint16(0x100); h.powered[int(index)] {
			if h.super {
				power = 0x200
			}
			bits = power | 1
		}
		return copy(data, []byte{byte(bits), byte(bits >> 8), 0, 0}), nil
	case requestType == 0x23 && value == 8 && (request == 1 || request == 3):
		h.powered[int(index)] = request == 3
		return 0, nil
	}
	return 0, errors.New("stalled")
}

func newFake(bus int, super bool, characteristics byte, route ...int) *fakeHub {
	h := &fakeHub{description: description{bus: bus, address: len(route) + 1, route: route, vendor: 0x2109, product: 0x2817, super: super}, characteristics: characteristics, ports: 4, powered: map[int]bool{}}
	for p := 1; p <= 4; p++ {
		h.powered[p] = true
	}
	return h
}

// A bus as of a computer with a USB 3 hub with two USB 2 hubs beside it.
func newBus() (f *fake, two, three *fakeHub) {
	two, three = newFake(1, false, 0xE9, 1), newFake(2, true, 0xE9, 1)
	two.container, three.container = 7, 7
	other := newFake(2, true, 9, 2)
	other.container = 8
	return &fake{all: []*fakeHub{newFake(1, false, 0x0A), newFake(2, true, 0x0A), newFake(1, false, 8, 3), two, other, three}}, two, three
}

func TestBothHalvesAreSwitched(t *testing.T) {
	for name, kernel := range map[string]bool{"as the kernel says": true, "by the container id": false} {
		t.Run(name, func(t *testing.T) {
			f, two, three := newBus()
			system := t.TempDir()
			if kernel {
				two.container = 0
				if err := os.MkdirAll(filepath.Join(system, "1-1:1.0/1-1-port1"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("../../../2-1/2-1:1.0/2-1-port1", filepath.Join(system, "1-1:1.0/1-1-port1/peer")); err != nil {
					t.Fatal(err)
				}
			}
			h, err := open(f, system, "1-1")
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Halves(); !reflect.DeepEqual(got, []string{"1-1", "2-1"}) || h.Switching() != Individual || h.Ports() != 4 {
				t.Fatalf("%v, %v, %d ports", got, h.Switching(), h.Ports())
			}
			if err := h.Power(2, false); err != nil {
				t.Error(err)
			}
			want := map[int]bool{1: true, 2: false, 3: true, 4: true}
			if !reflect.DeepEqual(two.powered, want) || !reflect.DeepEqual(three.powered, want) {
				t.Errorf("%v and %v", two.powered, three.powered)
			}
			if s, err := h.Status(2); s.Powered || s.Connected || err != nil {
				t.Errorf("%+v, %v", s, err)
			}
			three.powered[2] = true
			if s, err := h.Status(2); !s.Powered || err != nil {
				t.Errorf("one half gives power: %+v, %v", s, err)
			}
			if err := h.Close(); err != nil || two.opened != 0 || three.opened != 0 || !f.closed {
				t.Errorf("left open: %v %d %d", err, two.opened, three.opened)
			}
		})
	}
}

func TestWhatCannotBeSwitched(t *testing.T) {
	for name, c := range map[string]struct {
		port    string
		prepare func(f *fake)
		is      error
		says    string
	}{
		"ganged":            {"1-3", nil, ErrGanged, "hub 1-3 (2109:2817)"},
		"no switches":       {"usb1", nil, ErrNoSwitching, "hub usb1"},
		"no such hub":       {"1-9", nil, ErrNone, "1-1: 2109:2817 (USB 2)\n"},
		"no permission":     {"1-1", func(f *fake) { f.all[3].refused = true }, ErrPermission, `ATTR{idVendor}=="2109", ATTR{idProduct}=="2817"`},
		"the other half":    {"1-1", func(f *fake) { f.all[5].refused = true }, ErrPermission, "its other half"},
		"unplugged":         {"1-1", func(f *fake) { f.all[3].gone = true }, hid.ErrUnplugged, "the hub descriptor"},
		"no port 9 on that": {"2-2", func(f *fake) { f.all[4].ports = 1 }, ErrNoPort, "it has 1 to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _, _ := newBus()
			if c.prepare != nil {
				c.prepare(f)
			}
			h, err := open(f, t.TempDir(), c.port)
			if err == nil {
				err = h.Power(2, false)
			}
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v with %q", err, c.is, c.says)
			}
			for _, h := range f.all {
				if slices.Contains([]bool{h.powered[1], h.powered[2], h.powered[3], h.powered[4]}, false) {
					t.Errorf("%v was switched", h.description)
				}
			}
		})
	}
}

func TestGangedHubAsAWhole(t *testing.T) {
	f, _, _ := newBus()
	h, err := open(f, t.TempDir(), "1-3")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.PowerAll(false); err != nil {
		t.Error(err)
	}
	for p := 1; p <= 4; p++ {
		if s, err := h.Status(p); s.Powered || err != nil {
			t.Errorf("port %d: %+v, %v", p, s, err)
		}
	}
}

func FuzzDescriptors(f *testing.F) {
	f.Add([]byte{9, 0x29, 4, 0xE9, 0, 50, 100, 0, 0xFF})
	f.Add([]byte{5, 15, 32, 0, 2, 20, 16, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if ports, s, err := parseDescriptor(raw); err == nil && (ports > 255 || s < Ganged || s > Without) {
			t.Errorf("%d ports, %v", ports, s)
		}
		if id, ok := parseContainer(raw); ok && id == (containerID{}) {
			t.Error("no id")
		}
	})
}
