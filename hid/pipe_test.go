package hid

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"fido-emu/ctap"
)

// seed is a source of nonces that is the same in every run.
func seed() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{7}) }

// authenticatorFunc is an authenticator that is a function.
type authenticatorFunc func(ctx context.Context, request []byte) ([]byte, error)

func (f authenticatorFunc) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	return f(ctx, request)
}

// echo answers with status OK and the request.
var echo = authenticatorFunc(func(_ context.Context, request []byte) ([]byte, error) {
	return append([]byte{byte(ctap.OK)}, request...), nil
})

// waitForUser is an authenticator whose user never comes.
var waitForUser = authenticatorFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
	ctap.ReportProgress(ctx, ctap.UPNeeded)
	<-ctx.Done()
	return []byte{byte(ctap.ErrKeepaliveCancel)}, nil
})

// serve runs a device on conn until the test ends.
func serve(t testing.TB, conn Conn, d Device) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, conn, d) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// connect serves d on a pipe and opens a channel to it.
func connect(t testing.TB, d Device) *Channel {
	t.Helper()
	device, host := Pipe()
	serve(t, device, d)
	c, err := Dial(context.Background(), host, seed())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestExchange(t *testing.T) {
	c := connect(t, Device{Authenticator: echo})
	for _, size := range []int{1, 56, 57, 58, 116, 117, 1200, MaxMessage - 1} {
		request := bytes.Repeat([]byte{0xA5}, size)
		response, err := c.Exchange(context.Background(), request)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if want := append([]byte{0}, request...); !bytes.Equal(response, want) {
			t.Errorf("%d bytes: answered with %d others", size, len(response))
		}
	}
}

func TestPipeUnplugs(t *testing.T) {
	device, host := Pipe()
	host.Close()
	if err := device.WriteReport(make(Report, ReportSize)); !errors.Is(err, ErrUnplugged) {
		t.Errorf("writing: %v", err)
	}
	if _, err := device.ReadReport(context.Background()); !errors.Is(err, ErrUnplugged) {
		t.Errorf("reading: %v", err)
	}
	if err := device.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestPipeRefusesOtherSizes(t *testing.T) {
	device, _ := Pipe()
	if err := device.WriteReport(make(Report, 63)); err == nil {
		t.Error("a report of 63 bytes was taken")
	}
}

func BenchmarkPipe(b *testing.B) {
	for _, size := range []int{16, 250, 1000} {
		b.Run(map[int]string{16: "16 bytes", 250: "250 bytes", 1000: "1000 bytes"}[size], func(b *testing.B) {
			c := connect(b, Device{Authenticator: echo})
			request := make([]byte, size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Exchange(context.Background(), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
