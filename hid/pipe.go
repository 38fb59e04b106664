package hid

import (
	"context"
	"fmt"
	"sync"
)

// pipeDepth is how many reports may wait in one direction of a pipe: more than a
// message has, as many as an operating system would keep for a slow reader.
const pipeDepth = 256

// Pipe returns the two ends of a connection in memory with reports of 64 bytes. A
// writer waits while 256 reports are unread. Closing either end unplugs the device:
// both ends then return ErrUnplugged.
func Pipe() (device, host Conn) { return PipeSize(ReportSize, ReportSize) }

// PipeSize is [Pipe] with reports of other sizes in bytes: output from host to
// device, input from device to host.
func PipeSize(output, input int) (device, host Conn) {
	down, up := make(chan Report, pipeDepth), make(chan Report, pipeDepth)
	cord := &cord{cut: make(chan struct{})}
	return &pipeEnd{read: down, write: up, readSize: output, writeSize: input, cord: cord},
		&pipeEnd{read: up, write: down, readSize: input, writeSize: output, cord: cord}
}

// cord is what both ends of a pipe hang on.
type cord struct {
	once sync.Once
	cut  chan struct{}
}

type pipeEnd struct {
	read, write         chan Report
	readSize, writeSize int
	cord                *cord
}

func (p *pipeEnd) ReadReport(ctx context.Context) (Report, error) {
	select {
	case <-p.cord.cut:
		return nil, ErrUnplugged
	default:
	}
	select {
	case r := <-p.read:
		return r, nil
	case <-p.cord.cut:
		return nil, ErrUnplugged
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipeEnd) WriteReport(r Report) error {
	if len(r) != p.writeSize {
		return fmt.Errorf("report of %d bytes, want %d", len(r), p.writeSize)
	}
	select {
	case <-p.cord.cut:
		return ErrUnplugged
	default:
	}
	select {
	case p.write <- r:
		return nil
	case <-p.cord.cut:
		return ErrUnplugged
	}
}

func (p *pipeEnd) Sizes() (read, write int) { return p.readSize, p.writeSize }

func (p *pipeEnd) Close() error {
	p.cord.once.Do(func() { close(p.cord.cut) })
	return nil
}
