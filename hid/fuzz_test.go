package hid

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// seeds are reports to begin with: every command, whole and cut off.
func seeds(f *testing.F) {
	f.Helper()
	for c := range Command(0x80) {
		reports, err := Message{1, c, bytes.Repeat([]byte{byte(c)}, int(c))}.Reports(ReportSize)
		if err != nil {
			f.Fatal(err)
		}
		for _, all := range [][]Report{reports, reports[:1]} {
			var b []byte
			for _, r := range all {
				b = append(b, r...)
			}
			f.Add(b)
		}
	}
}

// cut cuts bytes into reports, of which the last is filled up with zeros.
func cut(b []byte) (reports []Report) {
	for len(b) > 0 {
		r := make(Report, ReportSize)
		b = b[copy(r, b):]
		reports = append(reports, r)
	}
	return reports
}

// FuzzDevice writes any reports to a device, which works after that.
func FuzzDevice(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			c := connect(t, busy())
			for _, r := range cut(b) {
				c.conn.WriteReport(r)
			}
			time.Sleep(maxLock) // the reports may have locked it
			if err := c.Resync(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Ping(t.Context(), b[:min(len(b), MaxMessage)]); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// FuzzHost answers a host with any reports. It comes to an end.
func FuzzHost(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			device, host := Pipe()
			defer device.Close()
			scripted(t, device, func(m Message) []Message {
				for _, r := range cut(b) {
					if m.Command != Init {
						device.WriteReport(r)
					}
				}
				if m.Command == Init {
					return []Message{initAnswer(m, 1)}
				}
				return []Message{}
			})
			c, err := Dial(t.Context(), host, seed())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c.Exchange(ctx, []byte{4})
			if err := c.Resync(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	})
}
