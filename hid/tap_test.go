package hid

import "testing"

func TestTapHearsBothSidesAlike(t *testing.T) {
	heard := func(log *[]string) func(Direction, Report) {
		return func(way Direction, r Report) {
			p, _ := ParsePacket(r)
			*log = append(*log, string(way)+" "+p.Command.String())
		}
	}
	var atDevice, atHost []string
	device, host := Pipe()
	serve(t, Tap(device, DeviceSide, heard(&atDevice)), Device{})
	c, err := Dial(t.Context(), Tap(host, HostSide, heard(&atHost)), seed())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ping(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	c.Close()
	want := []string{"to-device CTAPHID_INIT", "to-host CTAPHID_INIT", "to-device CTAPHID_PING", "to-host CTAPHID_PING"}
	for i, w := range want {
		if len(atDevice) != len(want) || len(atHost) != len(want) || atDevice[i] != w || atHost[i] != w {
			t.Fatalf("heard\n%q at the device,\n%q at the host, want\n%q", atDevice, atHost, want)
		}
	}
}
