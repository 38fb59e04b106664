//go:build cgo

package usb

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/gousb"

	"fido-emu/hid"
)

// libusb starts and lists on machines without USB too.
func TestLibusb(t *testing.T) {
	b, err := NewBus()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.library.devices(); err != nil {
		t.Log(err)
	}
	if _, err := b.library.open(0, 0); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("opening what is not there: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func setting(number int, class gousb.Class, endpoints ...gousb.EndpointDesc) gousb.InterfaceDesc {
	s := gousb.InterfaceSetting{Number: number, Class: class, Endpoints: map[gousb.EndpointAddress]gousb.EndpointDesc{}}
	for _, e := range endpoints {
		s.Endpoints[e.Address] = e
	}
	return gousb.InterfaceDesc{Number: number, AltSettings: []gousb.InterfaceSetting{s}}
}

func TestDescribe(t *testing.T) {
	in := gousb.EndpointDesc{Address: 0x84, Number: 4, Direction: gousb.EndpointDirectionIn, TransferType: gousb.TransferTypeInterrupt, MaxPacketSize: 64}
	out := gousb.EndpointDesc{Address: 0x04, Number: 4, Direction: gousb.EndpointDirectionOut, TransferType: gousb.TransferTypeInterrupt, MaxPacketSize: 64}
	bulk := gousb.EndpointDesc{Address: 0x02, Number: 2, Direction: gousb.EndpointDirectionOut, TransferType: gousb.TransferTypeBulk}
	d := describe(&gousb.DeviceDesc{
		Bus: 3, Address: 9, Path: []int{1, 4}, Vendor: 0x1209, Product: 0xf1d0,
		Configs: map[int]gousb.ConfigDesc{1: {Number: 1, Interfaces: []gousb.InterfaceDesc{
			setting(0, gousb.ClassHID, in),            // a keyboard
			setting(1, gousb.ClassHID, in, out),       // perhaps a key
			setting(2, gousb.ClassSmartCard, in, out), // a card reader
			setting(3, gousb.ClassHID, in, bulk),
		}}},
	})
	want := description{bus: 3, address: 9, ports: []int{1, 4}, vendor: 0x1209, product: 0xf1d0, interfaces: []hidInterface{{configuration: 1, number: 1, in: 4, out: 4, packet: 64}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("%+v\nwant %+v", d, want)
	}
	if d.port() != "3-1.4" {
		t.Errorf("port %s", d.port())
	}
}

func TestBringToIndex(t *testing.T) {
	for _, c := range []struct {
		numbers []int
		number  int
		want    []int
	}{
		{[]int{0, 1}, 1, []int{0, 1}},
		{[]int{1, 2}, 2, []int{-1, -1, 2}},
		{[]int{1, 0}, 1, []int{-1, 1}},
		{[]int{0}, 5, []int{0}},
	} {
		var config gousb.Config
		for _, n := range c.numbers {
			config.Desc.Interfaces = append(config.Desc.Interfaces, setting(n, gousb.ClassHID))
		}
		bringToIndex(&config, c.number)
		var got []int
		for _, i := range config.Desc.Interfaces {
			got = append(got, i.Number)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, wanted %d: %v, want %v", c.numbers, c.number, got, c.want)
		}
	}
}

func TestMeaning(t *testing.T) {
	for _, c := range []struct{ err, want error }{
		{gousb.ErrorNoDevice, hid.ErrUnplugged},
		{gousb.TransferNoDevice, hid.ErrUnplugged},
		{fmt.Errorf("failed to claim interface 0: %v", gousb.ErrorBusy), ErrBusy},
		{gousb.ErrorAccess, ErrPermission},
		{gousb.TransferError, errBroken},
		{gousb.TransferStall, gousb.TransferStall},
	} {
		if got := meaning(c.err); !errors.Is(got, c.want) {
			t.Errorf("%v means %v, want %v", c.err, got, c.want)
		}
	}
	if meaning(nil) != nil {
		t.Error("nothing means something")
	}
}
