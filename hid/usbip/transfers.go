package usbip

import "fmt"

// take does what a command of a session's host says. An error ends the connection.
func (k *Key) take(s *session, u *urb) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.host != s: // unplugged meanwhile
		return errUnplugged
	case u.command == cmdUnlink:
		k.unlink(u)
		return nil
	case u.endpoint == 0:
		return k.takeControl(u)
	}
	return k.takeInterrupt(u)
}

// unlink takes back a transfer that waits. One that has ended was answered before
// this, which the status 0 tells.
func (k *Key) unlink(u *urb) {
	if k.in.remove(u.unlink) || k.out.remove(u.unlink) {
		k.send(u.unlinked(statusUnlinked))
		return
	}
	k.send(u.unlinked(statusDone))
}

func (k *Key) takeControl(u *urb) error {
	if s := u.setup; s.kind == hidSetReport && s.index == interfaceNumber && s.value == reportOutput && k.configuration != 0 {
		return k.park(&k.out, u)
	}
	reply, ok := k.control(u.setup)
	switch {
	case !ok:
		k.send(u.stalled())
	case u.in:
		reply = reply[:min(len(reply), int(u.setup.length), int(u.length))]
		k.send(u.submitted(statusDone, len(reply), reply))
	default:
		k.send(u.submitted(statusDone, len(u.data), nil))
	}
	return nil
}

func (k *Key) takeInterrupt(u *urb) error {
	address := uint16(u.endpoint)
	if u.in {
		address |= 0x80
	}
	e := k.endpoint(address)
	if u.endpoint > 0x0f || e == nil || e.halted {
		k.send(u.stalled())
		return nil
	}
	return k.park(e, u)
}

// park lets a transfer wait for its report, or for the device to read it. What goes
// to the device and is no report is taken and ignored.
func (k *Key) park(e *endpoint, u *urb) error {
	if e == &k.out && len(u.data) != reportSize {
		k.send(u.submitted(statusDone, len(u.data), nil))
		return nil
	}
	if len(e.parked) == maxParked {
		return fmt.Errorf("usbip: %d transfers wait on one endpoint", maxParked)
	}
	e.parked = append(e.parked, u)
	if e == &k.out {
		k.wake()
	} else {
		k.answerIn()
	}
	return nil
}
