package vhci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"fido-emu/hid/usbip"
)

// Times between two looks at a status file, which the kernel does not announce.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 80 * time.Millisecond
)

// Attachment is a device that is plugged into a port.
type Attachment struct {
	// Port is the port's state when the kernel had configured the device; its Device is
	// the name under /sys/bus/usb/devices.
	Port Port

	controller *Controller
	served     chan struct{} // closed when the key's URBs are served no more; nil for a device of a server
	err        error         // what ended that
}

// Plug plugs a key of this process into a free port and waits until the kernel has
// configured it. The URBs go over a pair of sockets and no network. The error wraps
// ErrNoPort, ErrNoPermission, usbip.ErrInUse, or ctx's when that ends first; the key
// is not plugged in then.
func (c *Controller) Plug(ctx context.Context, k *usbip.Key) (*Attachment, error) {
	ours, kernels, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer kernels.Close()
	a := &Attachment{controller: c, served: make(chan struct{})}
	go func() {
		a.err = k.ServeURBs(context.WithoutCancel(ctx), ours)
		close(a.served)
	}()
	a.Port, err = c.attachSocket(kernels.Fd(), 1<<16|1, usbip.SpeedFull)
	if err == nil {
		err = a.wait(ctx)
	}
	if err != nil {
		ours.Close()
		<-a.served
		return nil, errors.Join(fmt.Errorf("vhci: plugging in: %w", err), a.err)
	}
	return a, nil
}

// socketPair returns two connected stream sockets, one of them for the kernel.
func socketPair() (ours net.Conn, kernels *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	near := os.NewFile(uintptr(fds[0]), "usbip")
	defer near.Close() // FileConn has its own
	kernels = os.NewFile(uintptr(fds[1]), "usbip")
	if ours, err = net.FileConn(near); err != nil {
		kernels.Close()
		return nil, nil, fmt.Errorf("vhci: %w", err)
	}
	return ours, kernels, nil
}

// Attach imports a device from the server at a TCP address and plugs it into a free
// port, as usbip attach does, and waits until the kernel has configured it. It stays
// plugged in after the end of this process. The error wraps the server's usbip.Status
// when that refuses, ErrNoPort, ErrNoPermission, or ctx's when that ends first.
func (c *Controller) Attach(ctx context.Context, address, busID string) (*Attachment, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("vhci: no USB/IP server: %w", err)
	}
	defer conn.Close() // the kernel has its own
	device, err := usbip.Import(ctx, conn, busID)
	if err != nil {
		return nil, err
	}
	a := &Attachment{controller: c}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("vhci: %w", err)
	}
	controlErr := raw.Control(func(fd uintptr) {
		a.Port, err = c.attachSocket(fd, device.DevID(), device.Speed)
	})
	if err = errors.Join(controlErr, err); err != nil {
		return nil, fmt.Errorf("vhci: attaching %s: %w", busID, err)
	}
	if err := a.wait(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("vhci: attaching %s: %w", busID, err), c.Detach(a.Port.Number))
	}
	return a, nil
}

// wait waits until the kernel is done with the new device. One that is gone before that
// costs it 5 seconds, or has it take the next one in the port for the same.
func (a *Attachment) wait(ctx context.Context) error {
	return a.look(ctx, func(p Port) (done bool, err error) {
		if !a.isIn(p) || p.State == Failed {
			return true, errors.New("the kernel has given the device up; its log says why: dmesg")
		}
		a.Port.State, a.Port.Speed, a.Port.Device = p.State, p.Speed, p.Device
		return p.State == Used && a.controller.configured(p.Device), nil
	})
}

// isIn says whether a port still has this attachment's device. Before a device has its
// address, the kernel does not say which it is.
func (a *Attachment) isIn(p Port) bool {
	if p.State == Used {
		return p.DevID == a.Port.DevID && (p.SockFD == a.Port.SockFD || p.SockFD == 0)
	}
	return p.State != Free
}

// look looks at the port until done.
func (a *Attachment) look(ctx context.Context, done func(Port) (bool, error)) error {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		p, err := a.controller.port(a.Port.Number)
		if err != nil {
			return err
		}
		if ok, err := done(p); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Done is closed when a key of this process has been unplugged; it is nil, which
// waits for ever, for a device of a server.
func (a *Attachment) Done() <-chan struct{} { return a.served }

// Detach unplugs the device and waits until the kernel has parted from it. Detaching what is not
// plugged in any more does nothing. The error is the kernel's, what broke the stream of
// URBs, or ctx's when that ends first.
func (a *Attachment) Detach(ctx context.Context) error {
	p, err := a.controller.port(a.Port.Number)
	if err != nil {
		return err
	}
	if a.isIn(p) && !a.unplugged() {
		if err := a.controller.Detach(p.Number); err != nil && !errors.Is(err, syscall.EINVAL) { // EINVAL: just gone
			return err
		}
	}
	if err := a.look(ctx, func(p Port) (bool, error) { return !a.isIn(p), nil }); err != nil {
		return fmt.Errorf("vhci: port %d is not free: %w", a.Port.Number, err)
	}
	if a.served == nil {
		return nil
	}
	<-a.served
	return a.err
}

func (a *Attachment) unplugged() bool {
	select {
	case <-a.served:
		return true
	default:
		return false
	}
}
