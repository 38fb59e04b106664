//go:build cgo

package usb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/gousb"

	"fido-emu/hid"
)

// controlTimeout bounds a control transfer. libusb's own default is to wait for ever.
const controlTimeout = 2 * time.Second

// libusb is the library, through gousb.
type libusb struct {
	context *gousb.Context
}

// newLibrary starts libusb. gousb panics when that fails.
func newLibrary() (l library, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("libusb does not start: %v", reason)
		}
	}()
	return libusb{gousb.NewContext()}, nil
}

func (l libusb) close() error { return l.context.Close() }

func (l libusb) devices() (found []description, err error) {
	_, err = l.context.OpenDevices(func(d *gousb.DeviceDesc) bool {
		if len(d.Path) > 0 {
			found = append(found, describe(d))
		}
		return false
	})
	return found, meaning(err)
}

func describe(d *gousb.DeviceDesc) description {
	found := description{bus: d.Bus, address: d.Address, ports: d.Path, vendor: uint16(d.Vendor), product: uint16(d.Product)}
	for number := 1; number <= 255; number++ {
		for _, i := range d.Configs[number].Interfaces {
			if h, ok := describeInterface(i.AltSettings[0]); ok {
				h.configuration = number
				found.interfaces = append(found.interfaces, h)
			}
		}
	}
	return found
}

// describeInterface says whether an interface could be FIDO's. Endpoints lie in a map;
// a FIDO interface has one for each direction, so that their order does not matter.
func describeInterface(s gousb.InterfaceSetting) (h hidInterface, ok bool) {
	h.number = s.Number
	if s.Class != gousb.ClassHID {
		return h, false
	}
	for _, e := range s.Endpoints {
		switch {
		case e.TransferType != gousb.TransferTypeInterrupt:
		case e.Direction == gousb.EndpointDirectionIn:
			h.in, h.packet = e.Number, e.MaxPacketSize
		default:
			h.out = e.Number
		}
	}
	return h, h.in != 0 && h.out != 0
}

func (l libusb) open(bus, address int) (handle, error) {
	opened, err := l.context.OpenDevices(func(d *gousb.DeviceDesc) bool { return d.Bus == bus && d.Address == address })
	if len(opened) == 0 {
		if err == nil {
			err = gousb.ErrorNoDevice
		}
		return nil, meaning(err)
	}
	opened[0].ControlTimeout = controlTimeout
	return device{opened[0]}, nil // err is about another device's descriptors
}

// device is an open device.
type device struct {
	*gousb.Device
}

func (d device) close() error { return d.Close() }

func (d device) control(requestType, request byte, value, index uint16, data []byte) (int, error) {
	n, err := d.Control(requestType, request, value, index, data)
	return n, meaning(err)
}

func (d device) texts() (manufacturer, product, serial string) {
	text := func(get func() (string, error)) string {
		s, _ := get() // a device need not have any
		return s
	}
	return text(d.Manufacturer), text(d.Product), text(d.SerialNumber)
}

func (d device) claim(i hidInterface, detach bool) (claim, error) {
	config, err := d.Config(i.configuration)
	if err != nil {
		return nil, meaning(err)
	}
	// Only now: gousb's Config would take the drivers off all interfaces, the keyboard
	// next to this one included, and give none of them back.
	if err := d.SetAutoDetach(detach); err != nil {
		return nil, errors.Join(meaning(err), config.Close())
	}
	bringToIndex(config, i.number)
	claimed, err := config.Interface(i.number, 0)
	if err != nil {
		return nil, errors.Join(meaning(err), config.Close())
	}
	c := &claimedInterface{config: config, claimed: claimed}
	if c.in, err = claimed.InEndpoint(i.in); err == nil {
		c.out, err = claimed.OutEndpoint(i.out)
	}
	if err != nil {
		return nil, errors.Join(meaning(err), c.release())
	}
	return c, nil
}

// bringToIndex puts an interface where gousb looks for it: at the index that is its
// number, which is another one when a device leaves out numbers.
func bringToIndex(config *gousb.Config, number int) {
	interfaces := config.Desc.Interfaces
	for _, i := range interfaces {
		if i.Number == number && (number >= len(interfaces) || interfaces[number].Number != number) {
			placed := make([]gousb.InterfaceDesc, number+1)
			for j := range placed {
				placed[j].Number = -1
			}
			placed[number] = i
			config.Desc.Interfaces = placed
			return
		}
	}
}

// claimedInterface is an interface that this program has.
type claimedInterface struct {
	config  *gousb.Config
	claimed *gousb.Interface
	in      *gousb.InEndpoint
	out     *gousb.OutEndpoint
}

func (c *claimedInterface) read(ctx context.Context, buffer []byte) (int, error) {
	n, err := c.in.ReadContext(ctx, buffer)
	return n, meaning(err)
}

func (c *claimedInterface) write(ctx context.Context, report []byte) (int, error) {
	n, err := c.out.WriteContext(ctx, report)
	return n, meaning(err)
}

// release gives the interface back; libusb has the kernel give it to its driver.
func (c *claimedInterface) release() error {
	c.claimed.Close()
	return c.config.Close()
}

// meanings are the errors that this package tells apart.
var meanings = [...]struct {
	of, is error
}{
	{gousb.ErrorNoDevice, hid.ErrUnplugged},
	{gousb.TransferNoDevice, hid.ErrUnplugged},
	{gousb.ErrorBusy, ErrBusy},
	{gousb.ErrorAccess, fmt.Errorf("%w; become root, or give the key to whoever sits here: a udev rule with SUBSYSTEM==\"usb\", its ATTR{idVendor} and ATTR{idProduct}, TAG+=\"uaccess\"", ErrPermission)},
	{gousb.ErrorIO, errBroken},
	{gousb.TransferError, errBroken},
}

// meaning adds to an error of gousb what it means. gousb keeps some errors of libusb
// as text alone.
func meaning(err error) error {
	if err == nil {
		return nil
	}
	for _, m := range meanings {
		if errors.Is(err, m.of) || strings.Contains(err.Error(), m.of.Error()) {
			return fmt.Errorf("%w: %w", m.is, err)
		}
	}
	return err
}
