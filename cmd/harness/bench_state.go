package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/reach"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/inspect"
	"fido-emu/fixtures/slots/strategy"
)

func benchStateCommand(u ui, f *benchFlags) *cobra.Command {
	var to string
	var destroy, plan bool
	c := &cobra.Command{
		Use:   "state SLOT",
		Short: "Ask a key what is on it, or bring it to a state: off, blank, pin-set, enrolled or locked",
		Long: "state asks the key in a slot what is on it: blank, a PIN, a passkey of the bench's, or a\n" +
			"locked PIN. With --to it brings the key to a state by the way that destroys least: with a\n" +
			"finger, a switch and the PIN of the slot. Resetting a key and locking it need --destroy.\n" +
			"Whatever breaks off on the way leaves a state that is true, or is written down as unknown.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			target := strategy.Lost
			if to != "" {
				if target, err = strategy.Parse(to); err != nil {
					return usage("", "--to: %w", err)
				}
			}
			if plan && to == "" {
				return usage("name one with --to", "--plan needs a state to go to")
			}
			i, err := f.inspector(c.Context(), u, "bench state", args[0])
			if err != nil {
				return err
			}
			defer func() { err = benchError(f, errors.Join(err, i.Equipment.Close())) }()
			lease, err := i.Desk.Acquire(c.Context(), args[0], desk.Wish{Owner: i.Owner, Any: true})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, lease.Release()) }()
			return u.bring(c, i, lease, journey{target: target, asked: to == "", plan: plan, destroy: destroy})
		},
	}
	c.Flags().StringVar(&to, "to", "", "state to bring the key to: off, blank, pin-set, enrolled or locked")
	c.Flags().BoolVar(&destroy, "destroy", false, "what is on the key may be destroyed")
	c.Flags().BoolVar(&plan, "plan", false, "show the way and do nothing")
	return c
}

// journey is what is wanted of a key.
type journey struct {
	target               strategy.State
	asked, plan, destroy bool
}

// bring brings the key of a slot to a state, or asks it for that which it is in.
func (u ui) bring(c *cobra.Command, i *inspect.Inspector, lease *desk.Lease, j journey) (err error) {
	if lease.Note != "" {
		fmt.Fprintln(u.err, "note:", lease.Note)
	}
	pin, err := i.Bench.Slot(lease.Slot).PIN.Read(u.getenv)
	if err != nil {
		return err
	}
	station, err := i.Equipment.Open(c.Context(), lease.Slot)
	if errors.Is(err, reach.ErrNoKey) { // the one that comes may be another
		return errors.Join(err, lease.Mark(strategy.Lost))
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, station.Close()) }()
	w := strategy.Walker{
		Key: station, Ledger: lease, PIN: pin, Rand: i.Env.Rand, Given: strategy.Given{Needs: station.Can(), Destroy: j.destroy},
		Told: func(doing strategy.Edge, _ []strategy.Edge) { fmt.Fprintf(u.err, "%s: %s\n", lease.Slot, doing.Action) },
	}
	if j.asked {
		_, err = w.Find(c.Context())
		_, say := fmt.Fprintf(u.out, "%s: %s\n", lease.Slot, lease.Key)
		return errors.Join(err, say)
	}
	if j.plan {
		return u.showPlan(c, &w, lease, j.target)
	}
	_, err = w.Walk(c.Context(), lease.Key, j.target)
	_, say := fmt.Fprintf(u.out, "%s: %s\n", lease.Slot, lease.Key)
	return errors.Join(err, say)
}

// showPlan shows the way from where the key is.
func (u ui) showPlan(c *cobra.Command, w *strategy.Walker, lease *desk.Lease, target strategy.State) error {
	path, err := w.Plan(c.Context(), lease.Key, target)
	if err != nil {
		return err
	}
	if len(path) == 0 {
		_, err = fmt.Fprintf(u.out, "%s is there already: %s\n", lease.Slot, lease.Key)
		return err
	}
	for _, e := range path {
		destroys := ""
		if e.Destroys {
			destroys = "; what is on it is gone then"
		}
		if _, err := fmt.Fprintf(u.out, "%s → %s: %s (about %v%s)\n", e.From, e.To, e.Action, e.Cost, destroys); err != nil {
			return err
		}
	}
	return nil
}

func benchCalibrateCommand(u ui, f *benchFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "calibrate SLOT",
		Short: "Measure the shortest press of a finger that its key notices every time",
		Long: "calibrate has the key wait for touches, one after the other, and presses for shorter and\n" +
			"for longer times. What it finds is written down and used from then on, unless the file\n" +
			"says how long a press is. It takes a minute or two and some fifty touches.",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			i, err := f.inspector(c.Context(), u, "bench calibrate", args[0])
			if err != nil {
				return err
			}
			doing := newDoing(u.err)
			i.Told = doing.tell
			m, err := i.Calibrate(c.Context(), args[0])
			doing.end()
			if err = errors.Join(err, i.Equipment.Close()); err != nil {
				return benchError(f, err)
			}
			_, err = fmt.Fprintf(u.out, "%s: %s\n", args[0], m)
			return err
		},
	}
}
