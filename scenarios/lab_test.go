package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"fido-emu/ctap/authenticator"
	"fido-emu/fixtures/reach"
	"fido-emu/hid"
	"fido-emu/hid/uhid"
	"fido-emu/report"
	"fido-emu/scenarios/world"
)

func lab(t *testing.T) {
	t.Helper()
	if os.Getenv("LAB") == "" {
		t.Skip("plugs devices into the kernel: runs in the lab, where LAB=1")
	}
}

// plugged lists what the kernel shows of keys.
func plugged(t *testing.T) string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"/sys/class/hidraw/*", "/sys/kernel/config/usb_gadget/*", "/sys/bus/usb/devices/*-*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return strings.Join(all, " ")
}

// TestLabLibrary runs those folders of the library over the ways through the kernel that
// are about what devices do; what relying parties do is seen elsewhere.
func TestLabLibrary(t *testing.T) {
	lab(t)
	before := plugged(t)
	// The kernel takes its time for everything that is plugged into its USB: where both
	// halves of a way are gone elsewhere, one file does.
	few := []string{"basics/security-key"}
	for _, tt := range []struct {
		way   string
		under []string
	}{
		{"uhid:hidraw", []string{"basics/", "loss/", "sync/"}}, {"usbip:usb", []string{"basics/"}},
		{"gadget:hidraw", []string{"loss/"}}, {"usbip:hidraw", few}, {"gadget:usb", few},
	} {
		t.Run(tt.way, func(t *testing.T) {
			var sources []Source
			for _, s := range aboutDevices(t) {
				if slices.ContainsFunc(tt.under, func(part string) bool { return strings.HasPrefix(s.ID, part) }) {
					sources = append(sources, s)
				}
			}
			_, noRoom := testLibraryVia(t, tt.way, sources)
			if gadget := strings.HasPrefix(tt.way, "gadget"); len(noRoom) > 0 && !gadget {
				t.Errorf("no room for %v", noRoom)
			}
			if after := plugged(t); after != before {
				t.Errorf("plugged in are %s, were %s", after, before)
			}
		})
	}
}

// TestLabWireScenarios has things go wrong on wires that the kernel is a part of.
func TestLabWireScenarios(t *testing.T) {
	lab(t)
	sources, err := Sources([]string{"wire"})
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"uhid:hidraw", "usbip:usb", "gadget:hidraw"} {
		for _, e := range runAll(t, sources, Options{Title: "wire", Via: parseWay(t, way)}) {
			if e.Kind == report.ScenarioEnd && e.Outcome != report.Passed {
				t.Errorf("%s via %s: %s %s %+v", e.ScenarioID, way, e.Outcome, e.Text, e.Failure)
			}
		}
	}
}

// slot is a uhid port with a key, and the hand that pulls it out and puts it in.
type slot struct {
	t       *testing.T
	key     *foreign
	serial  string
	device  *uhid.Device
	serving sync.WaitGroup
	noting
}

func (s *slot) putIn() {
	d, err := uhid.Create(context.Background(), uhid.Config{Name: "Some key", Uniq: s.serial, Vendor: 0x1209, Product: 1})
	if err != nil {
		s.t.Error(err)
		return
	}
	s.device = d
	s.serving.Go(func() { _ = hid.Serve(context.Background(), d, hid.Device{Authenticator: s.key}) })
}

func (s *slot) pullOut() {
	if err := s.device.Close(); err != nil {
		s.t.Error(err)
	}
	s.serving.Wait()
	s.key.PowerCycle()
}

func (s *slot) Ask(text string) func() {
	switch {
	case strings.HasPrefix(text, "pull out key"):
		s.pullOut()
	case text == "put key in again":
		s.putIn()
	}
	return s.noting.Ask(text)
}

// TestLabBoundKey binds a key that is plugged in, and has a hand pull it out and put it
// in again.
func TestLabBoundKey(t *testing.T) {
	lab(t)
	for _, key := range []string{"hidraw:lab-1", "hidraw:serial=lab-1"} {
		s := &slot{t: t, key: newForeign(t, func(p *authenticator.Profile) {}), serial: "lab-1"}
		s.putIn()
		a, err := reach.ParseAddress(key)
		if err != nil {
			t.Fatal(err)
		}
		end, _ := runBound(t, life, Options{Title: "bound", Hand: s, Bound: map[string]world.Bound{"key": {Address: a, PIN: realPIN}}})
		if end.Outcome != report.Passed || !strings.HasPrefix(end.Scenario.Devices[0].Reached, "hidraw /dev/hidraw") {
			t.Errorf("%s %q %+v, reached %s", end.Outcome, end.Text, end.Failure, end.Scenario.Devices[0].Reached)
		}
		found, err := reach.List(t.Context())
		if err != nil || len(found) != 1 || found[0].Serial != "lab-1" || found[0].PIN != reach.PINSet || !strings.HasPrefix(found[0].Model, "YubiKey 5") {
			t.Errorf("%#v, %v", found, err)
		}
		if n, err := s.key.store.Count(); n != 0 || err != nil {
			t.Errorf("%d passkeys are left: %v", n, err)
		}
		s.pullOut()
		if len(s.asked) != 2 {
			t.Errorf("the hand was asked %q", s.asked)
		}
	}
}
