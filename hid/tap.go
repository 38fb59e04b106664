package hid

import "context"

// Tap returns conn with an ear: heard is told of every report, in the order of its
// direction, before it is passed on. It is called by whoever reads or writes; it must
// not wait, and must not change the report.
func Tap(conn Conn, side Side, heard func(way Direction, r Report)) Conn {
	t := &tap{Conn: conn, heard: heard, reads: ToDevice, writes: ToHost}
	if side == HostSide {
		t.reads, t.writes = ToHost, ToDevice
	}
	if d, ok := conn.(direct); ok {
		return &directTap{tap: t, inner: d}
	}
	return t
}

type tap struct {
	Conn
	heard         func(Direction, Report)
	reads, writes Direction
}

func (t *tap) ReadReport(ctx context.Context) (Report, error) {
	r, err := t.Conn.ReadReport(ctx)
	if err == nil {
		t.heard(t.reads, r)
	}
	return r, err
}

func (t *tap) WriteReport(r Report) error {
	t.heard(t.writes, r)
	return t.Conn.WriteReport(r)
}

// directTap is a tap on a Conn within this process.
type directTap struct {
	*tap
	inner direct
}

func (t *directTap) writeReports(reports []Report) error {
	t.hear(reports)
	return t.inner.writeReports(reports)
}

func (t *directTap) writeHelping(reports []Report) (work func(), err error) {
	t.hear(reports)
	return t.inner.writeHelping(reports)
}

func (t *directTap) leave(work func()) bool { return t.inner.leave(work) }

// hear tells of reports that are written.
func (t *directTap) hear(reports []Report) {
	for _, r := range reports {
		t.heard(t.writes, r)
	}
}

// DeliverTo is that of what is tapped.
func (t *directTap) DeliverTo(ctx context.Context, take func(Report)) error {
	return t.inner.DeliverTo(ctx, func(r Report) {
		t.heard(t.reads, r)
		take(r)
	})
}
