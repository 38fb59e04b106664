package usbip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"fido-emu/hid"
	"fido-emu/hid/internal/pace"
)

const reportSize = hid.ReportSize

// Limits of one key. A host of good will stays far below them.
const (
	// maxReports is how many reports wait for a host that does not ask for them:
	// two of the longest messages. The oldest is given up for the newest.
	maxReports = 258
	// maxParked is how many transfers a host may leave open on an endpoint.
	maxParked = 1024
	// burst is how many reports go to the host as fast as it asks: it asks as fast as it
	// can, where a bus would let it ask once in a millisecond, and of what it then has,
	// Linux keeps 64 for each reader (HIDRAW_BUFFER_SIZE) and drops the rest. The longest
	// message has 129.
	burst = 32
)

// ErrInUse means that a host has imported the key already.
var ErrInUse = errors.New("usbip: the key is in use by another host")

var errUnplugged = fmt.Errorf("usbip: the key was taken away: %w", hid.ErrUnplugged)

var errClosed = fmt.Errorf("usbip: the key is closed: %w", hid.ErrUnplugged)

// Key is an emulated USB device with one FIDO HID interface. It is a hid.Conn for
// the device's side, to be given to hid.Serve; ServeURBs, or a Server, is its host's.
//
// A host that takes the key plugs it in: ReadReport returns hid.ErrPowerCycle once.
// While no host has it, ReadReport waits and WriteReport gives its report up.
type Key struct {
	identity    Identity
	descriptors *descriptors
	closed      chan struct{}
	arrived     chan struct{} // holds a token when ReadReport may have something to return
	pace        *pace.Pacer

	mu            sync.Mutex
	host          *session // nil while there is none
	configuration byte
	idle          byte
	in, out       endpoint
	reports       []hid.Report // waiting for the host to ask
	plugged       bool         // a host has taken the key, and ReadReport has not said so
}

var _ hid.Conn = (*Key)(nil)

// endpoint is an interrupt endpoint: the transfers that wait there, in the order in
// which they came.
type endpoint struct {
	parked []*urb
	halted bool
}

func (e *endpoint) haltedBit() byte {
	if e.halted {
		return 1
	}
	return 0
}

// remove takes a parked transfer out and says whether it was there.
func (e *endpoint) remove(seq uint32) bool {
	at := slices.IndexFunc(e.parked, func(u *urb) bool { return u.seq == seq })
	if at < 0 {
		return false
	}
	e.parked = slices.Delete(e.parked, at, at+1)
	return true
}

// NewKey returns a key that no host has. The error names the string that does not fit
// into a USB descriptor.
func NewKey(id Identity) (*Key, error) {
	d, err := newDescriptors(id)
	if err != nil {
		return nil, err
	}
	return &Key{identity: id, descriptors: d, closed: make(chan struct{}), arrived: make(chan struct{}, 1), pace: pace.New(burst)}, nil
}

// Identity returns what the key says of itself.
func (k *Key) Identity() Identity { return k.identity }

// Sizes returns 64 for both directions.
func (k *Key) Sizes() (read, write int) { return reportSize, reportSize }

// Close takes the key away from its host and ends its life: ReadReport and
// WriteReport return an error that wraps hid.ErrUnplugged from now on.
func (k *Key) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.isClosed() {
		return nil
	}
	close(k.closed)
	k.disconnect()
	return nil
}

func (k *Key) isClosed() bool {
	select {
	case <-k.closed:
		return true
	default:
		return false
	}
}

// Unplug takes the key away from the host that has it, if any, which sees it
// unplugged. It can be imported again.
func (k *Key) Unplug() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.disconnect()
}

// disconnect ends the host's session: the key is free when it returns.
func (k *Key) disconnect() {
	if k.host == nil {
		return
	}
	k.host.abort()
	k.host, k.configuration = nil, 0
	k.dropTransfers()
}

// ReadReport waits for a report from the host, or for hid.ErrPowerCycle.
func (k *Key) ReadReport(ctx context.Context) (hid.Report, error) {
	for {
		if r, err := k.takeReport(); r != nil || err != nil {
			return r, err
		}
		select {
		case <-k.arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-k.closed:
			return nil, errClosed
		}
	}
}

// takeReport completes the oldest transfer to the device and returns its report, or
// says that the key was plugged in, or returns nothing.
func (k *Key) takeReport() (hid.Report, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.wakeAgain()
	if k.plugged {
		k.plugged = false
		return nil, hid.ErrPowerCycle
	}
	if len(k.out.parked) == 0 {
		return nil, nil
	}
	u := k.out.parked[0]
	k.out.parked = slices.Delete(k.out.parked, 0, 1)
	k.send(u.submitted(statusDone, len(u.data), nil))
	k.pace.Answered()
	return u.data, nil
}

// wakeAgain keeps the token for what is left.
func (k *Key) wakeAgain() {
	if len(k.out.parked) > 0 {
		k.wake()
	}
}

// wake lets ReadReport look for something to return.
func (k *Key) wake() {
	select {
	case k.arrived <- struct{}{}:
	default:
	}
}

// WriteReport sends a report of 64 bytes to the host. The first 32 of a message go at
// once, the others at the pace of USB, one in a millisecond. For a host that does not
// ask for them 258 are kept, then the oldest is given up.
func (k *Key) WriteReport(r hid.Report) error {
	if len(r) != reportSize {
		return fmt.Errorf("usbip: a report of %d bytes, the key's have %d", len(r), reportSize)
	}
	k.pace.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.isClosed() {
		return errClosed
	}
	if k.configuration == 0 {
		return nil
	}
	if len(k.reports) == maxReports {
		k.reports = slices.Delete(k.reports, 0, 1)
	}
	k.reports = append(k.reports, slices.Clone(r))
	k.answerIn()
	return nil
}

// answerIn gives the waiting reports to the waiting transfers.
func (k *Key) answerIn() {
	for len(k.reports) > 0 && len(k.in.parked) > 0 {
		u, r := k.in.parked[0], k.reports[0]
		k.in.parked = slices.Delete(k.in.parked, 0, 1)
		k.reports = slices.Delete(k.reports, 0, 1)
		if int(u.length) < len(r) {
			k.send(u.submitted(statusOverflow, 0, nil))
		} else {
			k.send(u.submitted(statusDone, len(r), r))
		}
	}
}

// send passes a reply on to the host.
func (k *Key) send(reply []byte) {
	if k.host != nil {
		k.host.push(reply)
	}
}

// stallParked ends the transfers that wait at an endpoint.
func (k *Key) stallParked(e *endpoint) {
	for _, u := range e.parked {
		k.send(u.stalled())
	}
	e.parked = nil
}

// dropTransfers brings the endpoints back to where they are after SET_CONFIGURATION.
func (k *Key) dropTransfers() {
	k.stallParked(&k.in)
	k.stallParked(&k.out)
	k.in, k.out, k.reports = endpoint{}, endpoint{}, nil
}
