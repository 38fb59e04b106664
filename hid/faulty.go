package hid

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Side is the end of a wire that a Conn is.
type Side string

// The sides.
const (
	DeviceSide Side = "device"
	HostSide   Side = "host"
)

// foreign is added to a channel identifier to make one that nobody has.
const foreign = 0x5A5A5A5A

// FaultyConn is a Conn on which things go wrong.
type FaultyConn struct {
	Conn
	ctx              context.Context
	end              context.CancelCauseFunc
	running          sync.WaitGroup
	toDevice, toHost *line
	read, write      *line // the same, as this side sees them
}

// Faulty returns conn with faults, seen from a side. It owns conn. Each direction keeps
// its order, but a WriteReport no longer waits for the other side.
func Faulty(conn Conn, side Side, faults ...Fault) (*FaultyConn, error) {
	f := &FaultyConn{Conn: conn, toDevice: &line{}, toHost: &line{}}
	for _, fault := range faults {
		if err := f.Inject(fault); err != nil {
			return nil, err
		}
	}
	f.ctx, f.end = context.WithCancelCause(context.Background())
	f.read, f.write = f.toDevice, f.toHost
	if side == HostSide {
		f.read, f.write = f.toHost, f.toDevice
	}
	f.start()
	return f, nil
}

// Inject adds a fault, which counts reports from now on. The error is that of
// [Fault.Check].
func (f *FaultyConn) Inject(fault Fault) error {
	if err := fault.Check(); err != nil {
		return err
	}
	l := f.toHost
	if fault.direction() == ToDevice {
		l = f.toDevice
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, &armed{Fault: fault})
	return nil
}

// Clear takes all faults away. What already went wrong stays so.
func (f *FaultyConn) Clear() {
	for _, l := range []*line{f.toDevice, f.toHost} {
		l.mu.Lock()
		l.faults = nil
		l.mu.Unlock()
	}
}

// Hits returns how often faults have happened.
func (f *FaultyConn) Hits() (n int) {
	for _, l := range []*line{f.toDevice, f.toHost} {
		l.mu.Lock()
		n += l.hits
		l.mu.Unlock()
	}
	return n
}

// arrival is a report, or an error that came instead.
type arrival struct {
	report Report
	err    error
}

func (f *FaultyConn) start() {
	f.read.in, f.read.out = make(chan arrival), make(chan arrival, pipeDepth)
	f.write.in = make(chan arrival, pipeDepth)
	f.read.emit = func(a arrival) error {
		select {
		case f.read.out <- a:
		case <-f.ctx.Done():
		}
		return nil
	}
	f.write.emit = func(a arrival) error { return f.Conn.WriteReport(a.report) }
	f.running.Go(f.receive)
	for _, l := range []*line{f.read, f.write} {
		f.running.Go(func() {
			if err := l.run(f.ctx); err != nil {
				f.cut(err)
			}
		})
	}
}

// receive reads what comes from the other side.
func (f *FaultyConn) receive() {
	for {
		r, err := f.Conn.ReadReport(f.ctx)
		if err != nil && !errors.Is(err, ErrPowerCycle) {
			f.cut(gone(err))
			return
		}
		select {
		case f.read.in <- arrival{r, err}:
		case <-f.ctx.Done():
			return
		}
	}
}

// cut ends the connection.
func (f *FaultyConn) cut(why error) {
	f.end(why)
	f.Conn.Close()
}

// ReadReport waits for a report that came through. The error wraps ErrUnplugged after a
// fault has ended the connection.
func (f *FaultyConn) ReadReport(ctx context.Context) (Report, error) {
	if f.ctx.Err() != nil {
		return nil, context.Cause(f.ctx)
	}
	select {
	case a := <-f.read.out:
		return a.report, a.err
	case <-f.ctx.Done():
		return nil, context.Cause(f.ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// WriteReport sends a report on its way.
func (f *FaultyConn) WriteReport(r Report) error {
	if _, size := f.Sizes(); len(r) != size {
		return fmt.Errorf("report of %d bytes, want %d", len(r), size)
	}
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	select {
	case f.write.in <- arrival{report: r}:
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

// Close closes the connection. Reports that are still on their way are lost.
func (f *FaultyConn) Close() error {
	f.end(ErrUnplugged)
	err := f.Conn.Close()
	f.running.Wait()
	return err
}

// armed is a fault with what it has seen.
type armed struct {
	Fault
	seen int
}

// line is one direction of a faulty wire.
type line struct {
	in, out chan arrival
	emit    func(arrival) error

	mu     sync.Mutex // guards what follows
	faults []*armed
	hits   int

	// Of the goroutine that runs it.
	message Packet // the first packet of the message that goes by
	held    []Report
	silent  bool   // nothing more comes on the channel that follows
	channel uint32 //
	beat    *time.Ticker
	pulse   Report // what comes at every beat
}

// run passes on what comes in until ctx ends. The error is ErrUnplugged, or what emit
// returned.
func (l *line) run(ctx context.Context) error {
	defer l.calm()
	for {
		var beat <-chan time.Time
		if l.beat != nil {
			beat = l.beat.C
		}
		var err error
		select {
		case a := <-l.in:
			err = l.pass(ctx, a)
		case <-beat:
			err = l.emit(arrival{report: l.pulse})
		case <-ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pass takes one report through the faults.
func (l *line) pass(ctx context.Context, a arrival) error {
	p, ok := ParsePacket(a.report)
	if a.err != nil || !ok {
		return l.emit(a)
	}
	if l.muffles(p) {
		return nil
	}
	late := l.held
	l.held = nil
	reports := []Report{a.report}
	for _, f := range l.happening(p) {
		var err error
		if reports, err = l.apply(ctx, f, p, reports); err != nil {
			return err
		}
	}
	for _, r := range append(reports, late...) {
		if err := l.emit(arrival{report: r}); err != nil {
			return err
		}
	}
	return nil
}

// happening returns the faults that hit a packet.
func (l *line) happening(p Packet) (faults []Fault) {
	command := l.commandOf(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		if !f.concerns(p, command) {
			continue
		}
		f.seen++
		if f.Fault.hits(f.seen) {
			faults = append(faults, f.Fault)
		}
	}
	l.hits += len(faults)
	return faults
}

// commandOf returns the command of the message that a packet belongs to.
func (l *line) commandOf(p Packet) Command {
	if p.Initial {
		l.message = p
	}
	if l.message.Channel == p.Channel {
		return l.message.Command
	}
	return 0
}

// muffles tells whether the device is silent, which CTAPHID_INIT ends.
func (l *line) muffles(p Packet) bool {
	if !l.silent || p.Channel != l.channel {
		return false
	}
	if p.Initial && p.Command == Init {
		l.silent = false
		l.calm()
		return false
	}
	return true
}

// calm ends the keepalives.
func (l *line) calm() {
	if l.beat != nil {
		l.beat.Stop()
		l.beat = nil
	}
}

// apply lets a fault happen to a report, which is given as those that come of it.
func (l *line) apply(ctx context.Context, f Fault, p Packet, reports []Report) ([]Report, error) {
	switch f.Kind {
	case Drop:
		return nil, nil
	case Duplicate:
		return slices.Concat(reports, reports), nil
	case Reorder:
		l.held = append(l.held, reports...)
		return nil, nil
	case Delay:
		rest(ctx, f.Delay)
		return reports, nil
	case Corrupt, WrongChannel, WrongSequence:
		return changed(f, reports), nil
	case KeepalivesStop, KeepalivesForever:
		l.silent, l.channel = true, p.Channel
		if f.Kind == KeepalivesForever {
			return l.keepAlive(reports)
		}
		return nil, nil
	}
	return nil, ErrUnplugged
}

// keepAlive begins with keepalives where an answer would have come.
func (l *line) keepAlive(reports []Report) ([]Report, error) {
	if len(reports) == 0 {
		return nil, nil
	}
	pulse, err := Message{Channel: l.channel, Command: Keepalive, Payload: []byte{1}}.Reports(len(reports[0]))
	if err != nil {
		return nil, err
	}
	l.calm()
	l.pulse, l.beat = pulse[0], time.NewTicker(DefaultKeepaliveInterval)
	return nil, nil
}

// changed returns copies of reports with something wrong in them.
func changed(f Fault, reports []Report) []Report {
	wrong := make([]Report, len(reports))
	for i, r := range reports {
		r = slices.Clone(r)
		switch f.Kind {
		case Corrupt:
			if f.Offset < len(r) {
				r[f.Offset] ^= orElse(f.Mask, 0xFF)
			}
		case WrongChannel:
			binary.BigEndian.PutUint32(r, binary.BigEndian.Uint32(r)+foreign)
		case WrongSequence:
			r[4] = (r[4] + 1) &^ initBit
		}
		wrong[i] = r
	}
	return wrong
}
