package main

import (
	"strings"
	"testing"

	"fido-emu/fixtures/reach"
)

func TestDeviceTable(t *testing.T) {
	var out strings.Builder
	err := deviceTable(&out, []reach.Found{
		{Plugged: reach.Plugged{Through: "hidraw", Path: "/dev/hidraw0", Name: "Maker Key", Port: "1-2.3", Serial: "0123"}, Model: "Security key", Versions: []string{"FIDO_2_0", "U2F_V2"}, PIN: reach.PINSet},
		{Plugged: reach.Plugged{Through: "usb", Name: "Other", Port: "1-4"}, PIN: reach.PINUnknown, Problem: "permission denied; do this"},
	})
	want := `AT            NAME       PORT   SERIAL  MODEL         VERSIONS         PIN
/dev/hidraw0  Maker Key  1-2.3  0123    Security key  FIDO_2_0 U2F_V2  set
usb           Other      1-4    -       -             -                unknown

1-4: permission denied; do this
`
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
}
