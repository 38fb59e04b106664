package vhci

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"fido-emu/hid/usbip"
)

const (
	status = "hub port sta spd dev      sockfd local_busid\n" +
		"hs  0000 006 002 00010001 000003 2-1\n" +
		"hs  0001 004 000 00000000 000000 0-0\n" +
		"ss  0002 005 000 00000000 000000 0-0\n" +
		"ss  0003 004 000 00000000 000000 0-0\n"
	oldStatus = "prt sta spd bus dev socket           local_busid\n" +
		"000 006 002 00010001 ffff88003b2d1c00 3-1\n" +
		"001 004 000 00000000 0000000000000000 0-0\n"
)

func TestParseStatus(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []Port
	}{
		{"since 4.13", status, []Port{
			{Number: 0, State: Used, Speed: usbip.SpeedFull, DevID: 0x10001, SockFD: 3, Device: "2-1"},
			{Number: 1, State: Free},
			{Number: 2, Super: true, State: Attached},
			{Number: 3, Super: true, State: Free},
		}},
		{"before", oldStatus, []Port{
			{Number: 0, State: Used, Speed: usbip.SpeedFull, DevID: 0x10001, Device: "3-1"},
			{Number: 1, State: Free},
		}},
		{"no ports", "hub port sta spd dev sockfd local_busid\n", nil},
		{"empty", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := parseStatus(c.text); err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
	for _, line := range []string{"hs", "hs 0 4 0 0 0", "hs 0 4 0 0 x 0-0", "0 four 0 0 0 0-0", "0 4 0 0 0 0-0 more", "-1 4 0 0 0 0-0"} {
		if got, err := parseStatus("headings\n" + line); err == nil {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

func FuzzStatus(f *testing.F) {
	f.Add(status)
	f.Add(oldStatus)
	f.Fuzz(func(t *testing.T, text string) {
		if ports, err := parseStatus(text); err != nil && ports != nil {
			t.Error("ports and an error")
		}
	})
}

// controller is one whose files lie in a folder.
func controller(t *testing.T, status ...string) *Controller {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"attach": "", "detach": ""}
	for i, text := range status {
		files[[]string{"status", "status.1"}[i]] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *Controller) written(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.path, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAttachChoosesAPortOfTheSpeed(t *testing.T) {
	second := "hub port sta spd dev sockfd local_busid\nhs 0016 004 000 00000000 000000 0-0\n"
	full := strings.ReplaceAll(status, " 004 ", " 006 ")
	for _, c := range []struct {
		name   string
		status []string
		speed  usbip.Speed
		want   string
	}{
		{"full speed", []string{status}, usbip.SpeedFull, "1 7 65538 2"},
		{"high speed", []string{status}, usbip.SpeedHigh, "1 7 65538 3"},
		{"SuperSpeed", []string{status}, usbip.SpeedSuper, "3 7 65538 5"},
		{"second controller", []string{full, second}, usbip.SpeedFull, "16 7 65538 2"},
		{"old kernel", []string{oldStatus}, usbip.SpeedFull, "1 7 65538 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctrl := controller(t, c.status...)
			if _, err := ctrl.attachSocket(7, 0x10002, c.speed); err != nil {
				t.Fatal(err)
			}
			if got := ctrl.written(t, "attach"); got != c.want {
				t.Errorf("the kernel is told %q, want %q", got, c.want)
			}
		})
	}
	if _, err := controller(t, full).attachSocket(7, 0x10002, usbip.SpeedFull); !errors.Is(err, ErrNoPort) {
		t.Errorf("without a free port: %v", err)
	}
	if _, err := controller(t, oldStatus).attachSocket(7, 0x10002, usbip.SpeedSuper); !errors.Is(err, ErrNoPort) {
		t.Errorf("SuperSpeed on an old kernel: %v", err)
	}
}

// A port whose last device the kernel has not yet taken leave of is not given out.
func TestPortsThatAreBeingLeft(t *testing.T) {
	dir := t.TempDir()
	c := &Controller{path: filepath.Join(dir, "vhci_hcd.0")}
	for _, d := range []string{"vhci_hcd.0/usb9/9-2", "vhci_hcd.0/usb10/10-1/10-1:1.0"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(c.path, "status"), []byte(strings.ReplaceAll(status, " 005 ", " 004 ")), 0o600); err != nil {
		t.Fatal(err)
	}
	ports, err := c.Ports()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []State{Used, Leaving, Leaving, Free} {
		if ports[i].State != want {
			t.Errorf("port %d: state %d, want %d", i, ports[i].State, want)
		}
	}
}

func TestDetach(t *testing.T) {
	c := controller(t, status)
	if err := c.Detach(12); err != nil || c.written(t, "detach") != "12" {
		t.Errorf("the kernel is told %q, %v", c.written(t, "detach"), err)
	}
}

// An attachment lets go of a port that has somebody else's device by now.
func TestDetachOnlyWhatIsOurs(t *testing.T) {
	c := controller(t, status)
	a := &Attachment{controller: c, Port: Port{Number: 0, DevID: 0x10001, SockFD: 9}}
	if err := a.Detach(t.Context()); err != nil || c.written(t, "detach") != "" {
		t.Errorf("%v; the kernel is told %q", err, c.written(t, "detach"))
	}
}

func TestErrorsSayWhatIsMissing(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "vhci_hcd.0")); !errors.Is(err, ErrNoModule) || !strings.Contains(err.Error(), "sudo modprobe vhci-hcd") {
		t.Errorf("without the module: %v", err)
	}
	c := &Controller{path: DefaultPath}
	for _, cause := range []error{fs.ErrPermission, syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		if err := c.explain(cause); !errors.Is(err, ErrNoPermission) || !strings.Contains(err.Error(), "sudo chown $USER "+DefaultPath+"/attach "+DefaultPath+"/detach") {
			t.Errorf("%v: %v", cause, err)
		}
	}
}
