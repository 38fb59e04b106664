package hidraw

import (
	"bytes"
	"context"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Event is a change of what is plugged in.
type Event struct {
	Plugged bool // in, and out otherwise
	Device  Device
}

// How often is looked, whatever the kernel says or does not say.
const (
	lookWithEvents    = 2 * time.Second
	lookWithoutEvents = 200 * time.Millisecond
)

// Watch calls on for every FIDO device that is plugged in, now and later, and for
// every one that leaves, until ctx ends, whose error it returns; or until on returns
// false, and then it returns nil.
//
// What is plugged in is read from sysfs each time, and compared. The kernel's
// events, which need no udev and no privileges, only say when to look: they can be
// lost, and a container gets none, so Watch also looks by itself now and then.
func Watch(ctx context.Context, on func(Event) bool) error {
	wake, stop := uevents()
	defer stop()
	return linux.watch(ctx, wake, on)
}

// watch looks whenever wake says so. A nil wake is one that never does.
func (s system) watch(ctx context.Context, wake <-chan struct{}, on func(Event) bool) error {
	interval := lookWithEvents
	if wake == nil {
		interval = lookWithoutEvents
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var before []Device
	for {
		now, err := s.devices()
		if err != nil {
			return err
		}
		for _, e := range changes(before, now) {
			if !on(e) {
				return nil
			}
		}
		before = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-ticker.C:
		}
	}
}

// changes tells what left and then what came.
func changes(before, now []Device) (events []Event) {
	for _, d := range before {
		if !slices.Contains(now, d) {
			events = append(events, Event{Plugged: false, Device: d})
		}
	}
	for _, d := range now {
		if !slices.Contains(before, d) {
			events = append(events, Event{Plugged: true, Device: d})
		}
	}
	return events
}

// Wait returns the first device that is meant, as soon as it is plugged in.
func Wait(ctx context.Context, s Selector) (found Device, err error) {
	err = Watch(ctx, func(e Event) bool {
		if e.Plugged && s.Match(e.Device) {
			found = e.Device
			return false
		}
		return true
	})
	return found, err
}

// kernelGroup is the multicast group to which the kernel, rather than udev, sends.
const kernelGroup = 1

// uevents returns a channel that says when a hidraw node came or went; it is nil
// where the kernel does not tell. stop must be called.
func uevents() (wake <-chan struct{}, stop func()) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, func() {}
	}
	socket := os.NewFile(uintptr(fd), "uevents")
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}); err != nil {
		socket.Close()
		return nil, func() {}
	}
	events, ended := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(ended)
		follow(socket, events)
	}()
	return events, func() {
		socket.Close()
		<-ended
	}
}

// maxUevent is the most that the kernel puts into one (UEVENT_BUFFER_SIZE, and the
// path before it).
const maxUevent = 8 << 10

// follow passes on that something about hidraw happened, until the socket is closed.
func follow(socket *os.File, events chan<- struct{}) {
	buffer := make([]byte, maxUevent)
	for {
		n, err := socket.Read(buffer)
		lost := isOverrun(err)
		if err != nil && !lost {
			return
		}
		if lost || aboutHidraw(buffer[:n]) {
			select {
			case events <- struct{}{}:
			default: // one that waits says it too
			}
		}
	}
}

// aboutHidraw tells whether an event, strings that end in zero bytes, is about a
// hidraw node.
func aboutHidraw(uevent []byte) bool {
	for field := range bytes.SplitSeq(uevent, []byte{0}) {
		if string(field) == "SUBSYSTEM=hidraw" {
			return true
		}
	}
	return false
}
