package hid

import "context"

// Deliverer is a Conn whose reports can be taken by the goroutine that has them first,
// without a detour through ReadReport.
type Deliverer interface {
	Conn
	// DeliverTo has take called with every report, in order and by one goroutine at a
	// time, until the error, which is that of ReadReport. It is called once, and
	// ReadReport no more.
	DeliverTo(ctx context.Context, take func(Report)) error
}

// direct is a Conn within this process, which both roles use without the detours that
// another needs.
type direct interface {
	Deliverer
	// writeReports writes the reports of a message at once.
	writeReports(reports []Report) error
	// writeHelping does the same. work is what the device has left to the writer to do,
	// nil for nothing.
	writeHelping(reports []Report) (work func(), err error)
	// leave is called within take: it leaves work to the writer of the report, and
	// tells whether that one helps.
	leave(work func()) bool
}

// writeAll writes the reports of a message.
func writeAll(conn Conn, reports []Report) error {
	if d, ok := conn.(direct); ok {
		return d.writeReports(reports)
	}
	for _, r := range reports {
		if err := conn.WriteReport(r); err != nil {
			return err
		}
	}
	return nil
}

// receive has every report from conn taken, until the error. It is the reading half of
// both roles; take is called by one goroutine at a time and may write.
func receive(ctx context.Context, conn Conn, take func(Report)) error {
	if d, ok := conn.(Deliverer); ok {
		return d.DeliverTo(ctx, take)
	}
	for {
		r, err := conn.ReadReport(ctx)
		if err != nil {
			return err
		}
		take(r)
	}
}
