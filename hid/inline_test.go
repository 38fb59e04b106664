package hid

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
)

// whose tells with each answer whether the host's goroutine has done the work.
var whose = exchange(func(context.Context, []byte) ([]byte, error) {
	stack := make([]byte, 1<<16)
	if strings.Contains(string(stack[:runtime.Stack(stack, false)]), "(*Channel).help") {
		return []byte{0, 'h'}, nil
	}
	return []byte{0, 'd'}, nil
})

// exchange is an authenticator that is one function.
type exchange func(ctx context.Context, request []byte) ([]byte, error)

func (e exchange) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	return e(ctx, request)
}

func TestWhoDoesTheWork(t *testing.T) {
	tapped := func(c Conn, side Side) Conn { return Tap(c, side, func(Direction, Report) {}) }
	for name, c := range map[string]struct {
		device Device
		wrap   func(Conn, Side) Conn
		want   byte
	}{
		"a device of its own":     {device: Device{}, want: 'd'},
		"inline":                  {device: Device{Inline: true}, want: 'h'},
		"inline, both ends heard": {device: Device{Inline: true}, wrap: tapped, want: 'h'},
		"inline, with quirks":     {device: Device{Inline: true, Quirks: []string{"hid-cancel-ignored"}}, want: 'd'},
		"inline, another wire":    {device: Device{Inline: true}, wrap: func(c Conn, _ Side) Conn { return plain{c} }, want: 'd'},
	} {
		t.Run(name, func(t *testing.T) {
			device, host := Pipe()
			if c.wrap != nil {
				device, host = c.wrap(device, DeviceSide), c.wrap(host, HostSide)
			}
			c.device.Authenticator = whose
			served := make(chan error, 1)
			go func() { served <- Serve(t.Context(), device, c.device) }()
			channel, err := Dialer{Rand: bytes.NewReader(make([]byte, 64))}.Dial(t.Context(), host)
			if err != nil {
				t.Fatal(err)
			}
			// Reports may wait for the device before it begins to take them at once.
			for range 2 {
				answer, err := channel.Exchange(t.Context(), []byte{4})
				if err != nil || len(answer) != 2 {
					t.Fatalf("% x, %v", answer, err)
				}
				if answer[1] != c.want {
					t.Errorf("done by %c, want %c", answer[1], c.want)
				}
			}
			if err := channel.Close(); err != nil {
				t.Error(err)
			}
			<-served
		})
	}
}

// plain hides that a connection is within this process.
type plain struct{ Conn }

// The host that works for the device gives up as one that waits does, the device is told
// once, and what follows is not cancelled.
func TestInlineCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, Device{Authenticator: waitForUser, Inline: true})
		var seen []ctap.Progress
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			began := time.Now()
			response, err := c.Exchange(ctap.WithProgress(ctx, func(p ctap.Progress) { seen = append(seen, p) }), []byte{byte(ctap.Selection)})
			if err != nil || !bytes.Equal(response, []byte{byte(ctap.ErrKeepaliveCancel)}) || time.Since(began) != 10*time.Second {
				t.Errorf("% x, %v after %v", response, err, time.Since(began))
			}
			cancel()
		}
		if len(seen) < 300 || seen[0] != ctap.UPNeeded {
			t.Errorf("%d keepalives were reported", len(seen))
		}
	})
}

// Whoever serves the device returns once the host has stopped working for it.
func TestInlineUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, host := Pipe()
		var working sync.Mutex
		served := make(chan error, 1)
		go func() {
			err := Serve(t.Context(), device, Device{Inline: true, Authenticator: exchange(func(ctx context.Context, _ []byte) ([]byte, error) {
				working.Lock()
				defer working.Unlock()
				<-ctx.Done()
				time.Sleep(time.Second) // it cleans up
				return nil, ctx.Err()
			})})
			if !working.TryLock() {
				t.Error("the work goes on")
			}
			served <- err
		}()
		c, err := Dialer{Rand: bytes.NewReader(make([]byte, 64))}.Dial(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() {
			if err := host.Close(); err != nil {
				t.Error(err)
			}
		})
		if answer, err := c.Exchange(t.Context(), []byte{2}); !errors.Is(err, ErrUnplugged) {
			t.Errorf("% x, %v", answer, err)
		}
		if err := <-served; !errors.Is(err, ErrUnplugged) {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}
