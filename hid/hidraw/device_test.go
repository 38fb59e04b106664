package hidraw

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/hid/descriptor"
)

// tree is a sysfs of one's own.
type tree struct {
	t testing.TB
	system
}

func newTree(t testing.TB) tree {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := tree{t, system{sys: filepath.Join(dir, "sys"), dev: filepath.Join(dir, "dev")}}
	s.check(os.MkdirAll(filepath.Join(s.sys, "class", "hidraw"), 0o755))
	s.check(os.MkdirAll(s.dev, 0o755))
	return s
}

func (s tree) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// plug adds a device at a place below sys/devices, and a node for it.
func (s tree) plug(node, place, uevent string, reportDescriptor []byte) {
	s.t.Helper()
	device := filepath.Join(s.sys, "devices", place)
	s.check(os.MkdirAll(filepath.Join(device, "hidraw", node), 0o755))
	s.check(os.WriteFile(filepath.Join(device, "uevent"), []byte(uevent), 0o644))
	s.check(os.WriteFile(filepath.Join(device, "report_descriptor"), reportDescriptor, 0o644))
	s.check(os.Symlink(device, filepath.Join(device, "hidraw", node, "device")))
	s.check(os.WriteFile(filepath.Join(s.dev, node), nil, 0o600))
	s.check(os.Symlink(filepath.Join(device, "hidraw", node), filepath.Join(s.sys, "class", "hidraw", node)))
}

func (s tree) unplug(node, place string) {
	s.t.Helper()
	s.check(os.Remove(filepath.Join(s.sys, "class", "hidraw", node)))
	s.check(os.RemoveAll(filepath.Join(s.sys, "devices", place)))
	s.check(os.Remove(filepath.Join(s.dev, node)))
}

const (
	behindHub = "pci0000:00/0000:00:14.0/usb1/1-2/1-2.3/1-2.3:1.1/0003:1050:0407.0005"
	hubEvent  = "DRIVER=hid-generic\nHID_ID=0003:00001050:00000407\nHID_NAME=Yubico YubiKey OTP+FIDO+CCID\nHID_PHYS=usb-0000:00:14.0-2.3/input1\nHID_UNIQ=\nMODALIAS=x\n"
	uhidPlace = "virtual/misc/uhid/0003:1209:F1D0.0007"
	uhidEvent = "HID_ID=0003:00001209:0000F1D0\nHID_NAME=fido-emu Key\nHID_PHYS=bench/1\nHID_UNIQ=0001\n"
)

var keyboard = []byte{0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0}

func TestDevices(t *testing.T) {
	s := newTree(t)
	s.plug("hidraw10", behindHub, hubEvent, descriptor.FIDO(64))
	s.plug("hidraw2", uhidPlace, uhidEvent, descriptor.FIDO(32))
	s.plug("hidraw0", "platform/i8042/0003:0001:0001.0001", "HID_ID=nonsense\n", keyboard)
	s.check(os.Symlink("nowhere", filepath.Join(s.sys, "class", "hidraw", "hidraw7")))
	got, err := s.devices()
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{
			Path: s.dev + "/hidraw10", Name: "Yubico YubiKey OTP+FIDO+CCID", Bus: 3, Vendor: 0x1050, Product: 0x0407,
			Port: "1-2.3", Reports: descriptor.Reports{Input: 64, Output: 64}, instance: filepath.Join(s.sys, "devices", behindHub),
		}, {
			Path: s.dev + "/hidraw2", Name: "fido-emu Key", Bus: 3, Vendor: 0x1209, Product: 0xF1D0, Serial: "0001",
			Port: "bench/1", Reports: descriptor.Reports{Input: 32, Output: 32}, instance: filepath.Join(s.sys, "devices", uhidPlace),
		},
	}
	if !slices.Equal(got, want) {
		t.Errorf("devices\n%+v, want\n%+v", got, want)
	}
	if got[0].emulated() || !got[1].emulated() {
		t.Error("which of them is emulated is not seen")
	}
}

func TestDevicesWithoutHidraw(t *testing.T) {
	if got, err := (system{sys: t.TempDir()}).devices(); len(got) > 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDevicesWaitForTheirNode(t *testing.T) {
	s := newTree(t)
	s.plug("hidraw2", uhidPlace, uhidEvent, descriptor.FIDO(64))
	s.check(os.Remove(filepath.Join(s.dev, "hidraw2")))
	if got, err := s.devices(); len(got) > 0 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestIdentifyRefuses(t *testing.T) {
	for _, id := range []string{"", "3", "0003:00001050", "0003:00001050:00000407:1", "0003:00011050:00000407", "0003:x:0"} {
		if err := new(Device).identify([]byte("HID_ID=" + id + "\n")); err == nil {
			t.Errorf("HID_ID %q was taken", id)
		}
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add([]byte(hubEvent))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Device
		if err := d.identify(b); err == nil && strings.Contains(d.Name+d.Port+d.Serial, "\n") {
			t.Errorf("more than a line: %+v", d)
		}
	})
}

func TestSelector(t *testing.T) {
	devices := []Device{{Path: "/dev/hidraw3", Port: "1-2", Serial: "A"}, {Path: "/dev/hidraw4", Port: "1-2.3", Serial: "A"}}
	for text, want := range map[string]string{
		"port=1-2":            "/dev/hidraw3",
		"serial=A,port=1-2.3": "/dev/hidraw4",
		"/dev/hidraw4":        "/dev/hidraw4",
		"serial=A":            ErrSeveral.Error(),
		"":                    "say which by port or serial",
		"port=1-9":            ErrNone.Error(),
		"/dev/hidraw9":        "port 1-2.3, serial A",
		"hidraw3":             "names no device",
		"port=":               "names no device",
		"port=1-2,":           "names no device",
	} {
		s, err := ParseSelector(text)
		var d Device
		if err == nil {
			d, err = s.Select(devices)
		}
		if got := d.Path; got != want && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q selects %q, %v; want %q", text, got, err, want)
		}
		if again, err := ParseSelector(s.String()); err != nil || again != s && text != "" {
			t.Errorf("%q is written as %q", text, s)
		}
	}
}

func TestWatch(t *testing.T) {
	s := newTree(t)
	s.plug("hidraw2", uhidPlace, uhidEvent, descriptor.FIDO(64))
	const again = "virtual/misc/uhid/0003:1209:F1D0.0008"
	replug := func(place, instead string) {
		s.unplug("hidraw2", place)
		s.plug("hidraw2", instead, uhidEvent, descriptor.FIDO(64))
	}
	for name, woken := range map[string]bool{"woken": true, "by itself": false} {
		synctest.Test(t, func(t *testing.T) {
			var wake chan struct{}
			if woken {
				wake = make(chan struct{}, 1)
			}
			var seen []string
			err := s.watch(t.Context(), wake, func(e Event) bool {
				what := map[bool]string{true: "+", false: "-"}[e.Plugged]
				seen = append(seen, what+e.Device.instance[len(e.Device.instance)-1:])
				if len(seen) == 1 {
					go func() {
						time.Sleep(time.Second)
						replug(uhidPlace, again)
						if wake != nil {
							wake <- struct{}{}
						}
					}()
				}
				return len(seen) < 3
			})
			if got := strings.Join(seen, " "); got != "+7 -7 +8" || err != nil {
				t.Errorf("%s: saw %s, %v", name, got, err)
			}
		})
		replug(again, uhidPlace)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	ctx, cancel := contextThatEnds(t)
	defer cancel()
	if err := newTree(t).watch(ctx, nil, func(Event) bool { return true }); err != ctx.Err() || err == nil {
		t.Errorf("%v, want %v", err, ctx.Err())
	}
}

func TestAboutHidraw(t *testing.T) {
	for event, want := range map[string]bool{
		"add@/devices/x\x00ACTION=add\x00SUBSYSTEM=hidraw\x00SEQNUM=1\x00": true,
		"add@/devices/SUBSYSTEM=hidraw2\x00SUBSYSTEM=hid\x00":              false,
		"": false,
	} {
		if aboutHidraw([]byte(event)) != want {
			t.Errorf("%q: %v", event, !want)
		}
	}
}
