package hid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
)

// slow answers after a time, so that keepalives come.
var slow = authenticatorFunc(func(ctx context.Context, request []byte) ([]byte, error) {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-t.C:
		return echo(ctx, request)
	case <-ctx.Done():
		return []byte{byte(ctap.ErrKeepaliveCancel)}, nil
	}
})

// TestFaultsAsTheHostSeesThem sends a request of three packets, whose answer is three
// packets too, over a wire with one fault, and then the same again.
func TestFaultsAsTheHostSeesThem(t *testing.T) {
	var broken *ProtocolError
	for _, test := range []struct {
		name   string
		device ctap.Authenticator
		fault  Fault
		want   error // of the first request: nil, an error to find, or broken
		after  error // of the second
	}{
		{"answer's beginning is lost", echo, Fault{Kind: Drop, Command: CBOR}, ErrNoReply, nil},
		{"answer's middle is lost", echo, Fault{Kind: Drop, Command: CBOR, Report: 2}, broken, nil},
		{"answer's end is lost", echo, Fault{Kind: Drop, Command: CBOR, Report: 3}, ErrNoReply, nil},
		{"request's beginning is lost", echo, Fault{Kind: Drop, Direction: ToDevice, Command: CBOR}, ErrNoReply, nil},
		{"request's middle is lost", echo, Fault{Kind: Drop, Direction: ToDevice, Command: CBOR, Report: 2}, ErrInvalidSeq, nil},
		{"request's end is lost", echo, Fault{Kind: Drop, Direction: ToDevice, Command: CBOR, Report: 3}, ErrMsgTimeout, nil},
		{"answer's beginning comes twice", echo, Fault{Kind: Duplicate, Command: CBOR}, broken, nil},
		{"answer's middle comes twice", echo, Fault{Kind: Duplicate, Command: CBOR, Report: 2}, broken, nil},
		{"answer's end comes twice", echo, Fault{Kind: Duplicate, Command: CBOR, Report: 3}, nil, nil},
		{"request's beginning comes twice", echo, Fault{Kind: Duplicate, Direction: ToDevice, Command: CBOR}, ErrInvalidSeq, nil},
		{"keepalives come twice", slow, Fault{Kind: Duplicate, Command: Keepalive, Count: -1}, nil, nil},
		{"answer's middle comes too late", echo, Fault{Kind: Reorder, Command: CBOR, Report: 2}, broken, nil},
		{"request's middle comes too late", echo, Fault{Kind: Reorder, Direction: ToDevice, Command: CBOR, Report: 2}, ErrInvalidSeq, nil},
		{"answer comes a little later", echo, Fault{Kind: Delay, Command: CBOR, Delay: 2 * time.Second}, nil, nil},
		{"answer comes much later", echo, Fault{Kind: Delay, Command: CBOR, Delay: 5 * time.Second}, ErrNoReply, nil},
		{"request's end comes much later", echo, Fault{Kind: Delay, Direction: ToDevice, Command: CBOR, Report: 3, Delay: time.Second}, ErrMsgTimeout, nil},
		{"answer to another command", echo, Fault{Kind: Corrupt, Command: CBOR, Offset: 4, Mask: 0x08}, broken, nil},
		{"answer's length is impossible", echo, Fault{Kind: Corrupt, Command: CBOR, Offset: 5}, broken, nil},
		{"answer's length is too great", echo, Fault{Kind: Corrupt, Command: CBOR, Offset: 5, Mask: 1}, ErrNoReply, nil},
		{"request's length is impossible", echo, Fault{Kind: Corrupt, Direction: ToDevice, Command: CBOR, Offset: 5}, ErrInvalidLen, nil},
		{"request's command is unknown", echo, Fault{Kind: Corrupt, Direction: ToDevice, Command: CBOR, Offset: 4, Mask: 0x20}, ErrInvalidCmd, nil},
		{"request's command becomes CANCEL", echo, Fault{Kind: Corrupt, Direction: ToDevice, Command: CBOR, Offset: 4, Mask: 0x01}, ErrNoReply, nil},
		{"answer goes to another channel", echo, Fault{Kind: WrongChannel, Command: CBOR, Count: 3}, ErrNoReply, nil},
		{"request goes to another channel", echo, Fault{Kind: WrongChannel, Direction: ToDevice, Command: CBOR, Count: 3}, ErrNoReply, nil},
		{"answer out of sequence", echo, Fault{Kind: WrongSequence, Report: 2}, broken, nil},
		{"request out of sequence", echo, Fault{Kind: WrongSequence, Direction: ToDevice}, ErrInvalidSeq, nil},
		{"keepalives stop", slow, Fault{Kind: KeepalivesStop, Report: 4}, ErrNoReply, nil},
		{"keepalives never end", echo, Fault{Kind: KeepalivesForever}, ErrEndless, nil},
		{"unplugged within the answer", echo, Fault{Kind: Unplug, Command: CBOR, Report: 2}, ErrUnplugged, ErrUnplugged},
		{"unplugged within the request", echo, Fault{Kind: Unplug, Direction: ToDevice, Command: CBOR, Report: 2}, ErrUnplugged, ErrUnplugged},
		{"unplugged while it works", slow, Fault{Kind: Unplug, Command: Keepalive, Report: 2}, ErrUnplugged, ErrUnplugged},
	} {
		for _, side := range []Side{DeviceSide, HostSide} {
			t.Run(test.name+", on the side of the "+string(side), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := connectFaulty(t, Device{Authenticator: test.device}, side, test.fault)
					for i, want := range []error{test.want, test.after} {
						request := bytes.Repeat([]byte{byte(i)}, 57+59+20)
						response, err := c.Exchange(t.Context(), request)
						switch {
						case want == error(broken):
							if !errors.As(err, &broken) {
								t.Errorf("request %d: %v, want a ProtocolError", i+1, err)
							}
							broken = nil
						case !errors.Is(err, want):
							t.Errorf("request %d: %v, want %v", i+1, err, want)
						case err == nil && !bytes.Equal(response[1:], request):
							t.Errorf("request %d: another answer", i+1)
						}
					}
				})
			})
		}
	}
}

func connectFaulty(t *testing.T, d Device, side Side, faults ...Fault) *Channel {
	t.Helper()
	device, host := Pipe()
	var err error
	if side == DeviceSide {
		device, err = Faulty(device, side, faults...)
	} else {
		host, err = Faulty(host, side, faults...)
	}
	if err != nil {
		t.Fatal(err)
	}
	serve(t, device, d)
	c, err := Dial(t.Context(), host, seed())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestFaultsCanBeInjectedAndCleared has a wire that goes wrong for a time.
func TestFaultsCanBeInjectedAndCleared(t *testing.T) {
	device, host := Pipe()
	wire, err := Faulty(device, DeviceSide)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, wire, Device{Authenticator: echo})
	c, err := Dial(t.Context(), host, seed())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	request := make([]byte, 100)
	exchange := func(want error, hits int) {
		t.Helper()
		if _, err := c.Exchange(t.Context(), request); !errors.Is(err, want) || wire.Hits() != hits {
			t.Errorf("%v after %d hits, want %v after %d", err, wire.Hits(), want, hits)
		}
	}
	exchange(nil, 0)
	if err := wire.Inject(Fault{Kind: WrongSequence, Direction: ToDevice, Count: -1}); err != nil {
		t.Fatal(err)
	}
	exchange(ErrInvalidSeq, 1)
	exchange(ErrInvalidSeq, 2)
	wire.Clear()
	exchange(nil, 2)
	if err := wire.Inject(Fault{Kind: "gremlin"}); err == nil {
		t.Error("an unknown fault was taken")
	}
}

// TestFaultyConnIsAConn holds it to the rules of the interface.
func TestFaultyConnIsAConn(t *testing.T) {
	device, host := Pipe()
	wire, err := Faulty(host, HostSide)
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.WriteReport(make(Report, 63)); err == nil {
		t.Error("a report of 63 bytes was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := wire.ReadReport(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("reading with a context that has ended: %v", err)
	}
	device.Close()
	if _, err := wire.ReadReport(t.Context()); !errors.Is(err, ErrUnplugged) {
		t.Errorf("reading: %v", err)
	}
	if err := wire.WriteReport(make(Report, ReportSize)); !errors.Is(err, ErrUnplugged) {
		t.Errorf("writing: %v", err)
	}
	wire.Close()
	if err := wire.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// TestPowerCycleComesThrough has a faulty wire on a device that loses power.
func TestPowerCycleComesThrough(t *testing.T) {
	device, _ := Pipe()
	cut := make(chan struct{}, 1)
	wire, err := Faulty(&powered{Conn: device, cut: cut}, DeviceSide)
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	cut <- struct{}{}
	if _, err := wire.ReadReport(t.Context()); !errors.Is(err, ErrPowerCycle) {
		t.Errorf("%v", err)
	}
}

// TestFaultsWhileOpening has faults before there is a channel.
func TestFaultsWhileOpening(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault Fault
		want  error
	}{
		{"answer is lost", Fault{Kind: Drop, Command: Init}, ErrNoReply},
		{"answer to another nonce", Fault{Kind: Corrupt, Command: Init, Offset: 9}, ErrNoReply},
		{"answer comes twice", Fault{Kind: Duplicate, Command: Init}, nil},
		{"answer comes late", Fault{Kind: Delay, Delay: DefaultOpenTimeout + 1}, ErrNoReply},
		{"unplugged", Fault{Kind: Unplug}, ErrUnplugged},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				device, host := Pipe()
				faulty, err := Faulty(device, DeviceSide, test.fault)
				if err != nil {
					t.Fatal(err)
				}
				serve(t, faulty, Device{Authenticator: echo})
				c, err := Dial(t.Context(), host, seed())
				if !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if err == nil {
					c.Close()
				}
			})
		})
	}
}

func TestFaultsAsData(t *testing.T) {
	for _, test := range []struct {
		data string
		ok   bool
	}{
		{`{"kind": "drop", "command": "cbor", "report": 2}`, true},
		{`{"kind": "drop", "command": "CTAPHID_PING", "count": -1}`, true},
		{`{"kind": "corrupt", "command": "0x41", "offset": 9, "mask": 255}`, true},
		{`{"kind": "delay"}`, false},
		{`{"kind": "dropp"}`, false},
		{`{"kind": "drop", "direction": "sideways"}`, false},
		{`{"kind": "keepalives-stop", "direction": "to-device"}`, false},
		{`{"kind": "drop", "command": "0x80"}`, false},
		{`{"kind": "drop", "report": -1}`, false},
		{`{"kind": "corrupt", "offset": -1}`, false},
	} {
		var f Fault
		err := json.Unmarshal([]byte(test.data), &f)
		if err == nil {
			err = f.Check()
		}
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", test.data, err)
		}
		if err != nil {
			continue
		}
		b, err := json.Marshal(f)
		var again Fault
		if err != nil || json.Unmarshal(b, &again) != nil || again != f {
			t.Errorf("%s became %s (%v)", test.data, b, err)
		}
	}
}
