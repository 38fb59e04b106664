package gadget

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"fido-emu/hid"
)

// nodes returns a node and its host's end, which keep the bounds of reports.
func nodes(t *testing.T) (*node, *os.File) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	device, host := os.NewFile(uintptr(fds[0]), "device"), os.NewFile(uintptr(fds[1]), "host")
	t.Cleanup(func() { device.Close(); host.Close() })
	return &node{file: device}, host
}

func TestReportsGoThrough(t *testing.T) {
	n, host := nodes(t)
	report := bytes.Repeat([]byte{7}, 64)
	for _, wrong := range []int{1, 63, 65} {
		host.Write(make([]byte, wrong))
	}
	host.Write(report)
	if got, err := n.ReadReport(t.Context()); err != nil || !bytes.Equal(got, report) {
		t.Errorf("ReadReport = %x, %v; want the report after those of other lengths", got, err)
	}
	if err := n.WriteReport(report); err != nil {
		t.Error(err)
	}
	buf := make([]byte, 100)
	if got, err := host.Read(buf); err != nil || !bytes.Equal(buf[:got], report) {
		t.Errorf("the host reads %x, %v", buf[:got], err)
	}
	if err := n.WriteReport(report[1:]); err == nil {
		t.Error("a report of 63 bytes was taken")
	}
}

func TestReadReportEndsWithItsContext(t *testing.T) {
	n, host := nodes(t)
	ctx, cancel := context.WithCancel(t.Context())
	read := make(chan error)
	go func() { _, err := n.ReadReport(ctx); read <- err }()
	cancel()
	if err := <-read; err != context.Canceled {
		t.Errorf("%v", err)
	}
	host.Write(make([]byte, 64))
	if _, err := n.ReadReport(t.Context()); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestClosedNode(t *testing.T) {
	n, _ := nodes(t)
	read := make(chan error)
	go func() { _, err := n.ReadReport(context.Background()); read <- err }()
	n.Close()
	if err := <-read; !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ReadReport: %v", err)
	}
	if err := n.WriteReport(make(hid.Report, 64)); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("WriteReport: %v", err)
	}
	orphan, host := nodes(t)
	host.Close()
	if _, err := orphan.ReadReport(t.Context()); !errors.Is(err, hid.ErrUnplugged) {
		t.Errorf("ReadReport at the end of the file: %v", err)
	}
}
