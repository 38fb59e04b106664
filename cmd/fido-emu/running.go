package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/control"
)

// running is a rack in this process that others can handle.
type running struct {
	rack   *emulator.Rack
	socket *control.Socket
	events *emulator.Subscription
	told   sync.WaitGroup
	served chan error
	ended  context.Context // ends when somebody asks for it
	end    context.CancelFunc

	automation string // where test suites handle the keys; empty without
}

// bringUp makes the keys, plugs them in and lets them be handled from outside. ctx's
// end ends them. News go to log.
func bringUp(ctx context.Context, name string, configs []emulator.Config, log io.Writer) (r *running, err error) {
	r = &running{}
	if r.socket, err = control.Listen(name); err != nil {
		return nil, err
	}
	if r.rack, err = emulator.NewRack(ctx, name, configs, realEnv()); err != nil {
		return nil, errors.Join(err, r.socket.Close())
	}
	if err := r.rack.Plug(ctx); err != nil {
		return nil, errors.Join(err, r.rack.Close(), r.socket.Close())
	}
	r.ended, r.end = context.WithCancel(ctx)
	r.events = r.rack.SubscribeNews()
	r.told.Go(func() { news(prefixed{log}, r.events) })
	r.served = make(chan error, 1)
	go func() { r.served <- r.socket.Serve(r.ended, control.Handler(r.rack, r.end)) }()
	return r, nil
}

// down unplugs the keys and takes everything away that was made for them.
func (r *running) down() error {
	r.end()
	err := errors.Join(<-r.served, r.rack.Close())
	r.events.Close()
	r.told.Wait()
	return err
}

// statuses returns how the keys are.
func (r *running) statuses() ([]emulator.Status, error) {
	var all []emulator.Status
	for _, k := range r.rack.Keys() {
		s, err := k.Status()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// news tells what happens that somebody has to know.
func news(log io.Writer, events *emulator.Subscription) {
	for e := range events.Events {
		switch e.Kind {
		case emulator.Waits:
			fmt.Fprintf(log, "%s waits for %s\n", e.Key, e.Text)
		case emulator.Winked:
			fmt.Fprintf(log, "%s winks\n", e.Key)
		case emulator.Unplugged:
			if e.Text != "" {
				fmt.Fprintf(log, "%s was unplugged: %s\n", e.Key, e.Text)
			}
		case emulator.Faulted:
			fmt.Fprintf(log, "%s is at fault: %s\n", e.Key, e.Text)
		}
	}
}

// prefixed writes lines that say whose they are.
type prefixed struct{ io.Writer }

// Write writes a line behind the program's name.
func (p prefixed) Write(line []byte) (int, error) {
	if _, err := fmt.Fprintf(p.Writer, "fido-emu: %s", line); err != nil {
		return 0, err
	}
	return len(line), nil
}
