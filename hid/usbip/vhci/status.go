package vhci

import (
	"fmt"
	"strconv"
	"strings"

	"fido-emu/hid/usbip"
)

// State is the state of a port (enum usbip_device_status).
type State int

// The states of a port.
const (
	// Leaving says that nothing is attached, but that the kernel has not parted from the
	// device that was there. It would take another one of the same kind for that one, and
	// never configure it.
	Leaving  State = -1
	Free     State = 4 // nothing is attached
	Attached State = 5 // a device is attached and has no address yet
	Used     State = 6 // the kernel has given the device an address
	Failed   State = 7 // an error; the kernel detaches the device
)

// Port is a port of a virtual root hub.
type Port struct {
	Number int
	Super  bool        // for SuperSpeed devices, and for those alone
	State  State       // what follows is known once it is Used
	Speed  usbip.Speed // of the device
	DevID  uint32      // by which URBs name it
	SockFD int64       // the number that the socket had in the process that attached it; 0 where old kernels hide it
	Device string      // the kernel's name of the device, as in 1-1

	onHub int // its number on its hub, from 1
}

// Takes says whether devices of a speed fit the port.
func (p Port) Takes(s usbip.Speed) bool { return p.Super == (s >= usbip.SpeedSuper) }

// parseStatus reads a status file: a line of headings, then one line for each port.
// Kernels since 4.13 begin it with the hub, older ones leave that out and print the
// socket's address where the others have its number.
func parseStatus(text string) ([]Port, error) {
	_, lines, _ := strings.Cut(text, "\n")
	var ports []Port
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		p, err := parsePort(fields)
		if err != nil {
			return nil, fmt.Errorf("line %q: %w", strings.TrimSpace(line), err)
		}
		ports = append(ports, p)
	}
	return ports, nil
}

// parsePort reads hub (or not), port, state, speed, device, socket and name.
func parsePort(fields []string) (Port, error) {
	var p Port
	hub := fields[0]
	named := hub == "hs" || hub == "ss"
	if named {
		p.Super, fields = hub == "ss", fields[1:]
	}
	if len(fields) != 6 {
		return p, fmt.Errorf("%d columns, want 6 and perhaps the hub before them", len(fields))
	}
	var numbers [4]uint64
	for i, base := range []int{10, 10, 10, 16} {
		n, err := strconv.ParseUint(fields[i], base, 32)
		if err != nil {
			return p, err
		}
		numbers[i] = n
	}
	p.Number, p.State, p.Speed, p.DevID = int(numbers[0]), State(numbers[1]), usbip.Speed(numbers[2]), uint32(numbers[3])
	if named {
		fd, err := strconv.ParseInt(fields[4], 10, 64)
		if err != nil {
			return p, err
		}
		p.SockFD = fd
	}
	if p.State == Used {
		p.Device = fields[5]
	}
	return p, nil
}
