package hid

import "context"

// Tap returns conn with an ear: heard is told of every report, in the order of its
// direction, before it is passed on. It is called from both directions' goroutines
// and must not change the report.
func Tap(conn Conn, side Side, heard func(way Direction, r Report)) Conn {
	t := &tap{Conn: conn, heard: heard, reads: ToDevice, writes: ToHost}
	if side == HostSide {
		t.reads, t.writes = ToHost, ToDevice
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
