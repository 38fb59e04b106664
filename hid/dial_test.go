package hid

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestOpening(t *testing.T) {
	var broken *ProtocolError
	for _, test := range []struct {
		name   string
		answer func(m Message) []Message
		check  func(err error) bool
		took   time.Duration
	}{
		{"a longer answer of a later version", func(m Message) []Message {
			a := initAnswer(m, 7)
			a.Payload = append(a.Payload, 1, 2, 3)
			return []Message{a}
		}, func(err error) bool { return err == nil }, 0},
		{"answers to other hosts, then ours", func(m Message) []Message {
			other := initAnswer(Message{Channel: Broadcast, Payload: nonce}, 9)
			return []Message{other, {0x99, CBOR, []byte{0}}, initAnswer(m, 7)}
		}, func(err error) bool { return err == nil }, 0},
		{"answers to other hosts alone", func(Message) []Message {
			return []Message{initAnswer(Message{Channel: Broadcast, Payload: nonce}, 9)}
		}, func(err error) bool { return errors.Is(err, ErrNoReply) }, DefaultOpenTimeout},
		{"no answer", func(Message) []Message { return []Message{} },
			func(err error) bool { return errors.Is(err, ErrNoReply) }, DefaultOpenTimeout},
		{"always busy", func(m Message) []Message { return []Message{{m.Channel, ErrorReply, []byte{6}}} },
			func(err error) bool { return errors.Is(err, ErrChannelBusy) }, DefaultOpenTimeout},
		{"refused", func(m Message) []Message { return []Message{{m.Channel, ErrorReply, []byte{1}}} },
			func(err error) bool { return errors.Is(err, ErrInvalidCmd) }, DefaultOpenTimeout},
		{"a stale error, then ours", func(m Message) []Message {
			return []Message{{m.Channel, ErrorReply, []byte{3}}, initAnswer(m, 7)}
		}, func(err error) bool { return err == nil }, 0},
		{"an error without a code", func(m Message) []Message { return []Message{{m.Channel, ErrorReply, nil}} },
			func(err error) bool { return errors.As(err, &broken) }, DefaultOpenTimeout},
		{"a reserved channel", func(m Message) []Message { return []Message{initAnswer(m, Broadcast)} },
			func(err error) bool { return errors.As(err, &broken) }, 0},
		{"too short an answer", func(m Message) []Message { return []Message{{m.Channel, Init, m.Payload}} },
			func(err error) bool { return errors.As(err, &broken) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c, err := dialScripted(t, Dialer{}, test.answer)
				if !test.check(err) {
					t.Errorf("Dial returned %v", err)
				}
				if took := time.Since(start); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if err == nil && c.ID() != 7 {
					t.Errorf("channel %08x", c.ID())
				}
			})
		})
	}
}

func TestOpeningEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, host := Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Dial(ctx, host, seed()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial returned %v", err)
		}
		if err := host.WriteReport(make(Report, ReportSize)); !errors.Is(err, ErrUnplugged) {
			t.Errorf("the connection was left open: %v", err)
		}
	})
}
