package hid

import "context"

// direct is a Conn within this process, which both roles use without the detours that
// another needs.
type direct interface {
	Conn
	// writeReports writes the reports of a message at once.
	writeReports(reports []Report) error
	// deliverTo has take called with every report by whoever writes it, until the error.
	deliverTo(ctx context.Context, take func(Report)) error
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
	if d, ok := conn.(direct); ok {
		return d.deliverTo(ctx, take)
	}
	for {
		r, err := conn.ReadReport(ctx)
		if err != nil {
			return err
		}
		take(r)
	}
}
