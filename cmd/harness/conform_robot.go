package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/automation"
	"fido-emu/fixtures/bench"
)

// robotFlags say where the controllers are that handle a key in a person's place.
type robotFlags struct {
	touch, power string
}

func (f *robotFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.touch, "touch", "", "controller that touches the key: http://HOST:PORT with the FIDO conformance tool's hooks, or http://HOST:PORT/usbN")
	c.Flags().StringVar(&f.power, "power", "", "controller that cuts the key's power, as with --touch")
}

// check refuses a robot without a key for it.
func (f *robotFlags) check(device string) error {
	if device == "" && (f.touch != "" || f.power != "") {
		return usage("add --device; docs/automation.md has more", "--touch and --power are for a key with --device")
	}
	return nil
}

// find finds the controllers, and returns what gives a key to them.
func (f *robotFlags) find(ctx context.Context) (handle func(*bench.Device), err error) {
	finger, err := dialController(ctx, "--touch", f.touch)
	if err != nil {
		return nil, err
	}
	power, err := dialController(ctx, "--power", f.power)
	if err != nil {
		return nil, err
	}
	return func(d *bench.Device) { d.UseRobot(finger, power) }, nil
}

// dialController finds a controller; nil where none was named.
func dialController(ctx context.Context, flag, address string) (automation.Actuator, error) {
	if address == "" {
		return nil, nil
	}
	a, err := automation.Dial(ctx, address)
	if errors.Is(err, automation.ErrAddress) {
		return nil, usage("", "%s: %w", flag, err)
	} else if err != nil {
		return nil, &exit{code: exitBench, err: err}
	}
	return a, nil
}
