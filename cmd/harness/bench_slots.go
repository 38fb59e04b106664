package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/slots"
	"fido-emu/fixtures/slots/desk"
	"fido-emu/fixtures/slots/health"
	"fido-emu/fixtures/slots/strategy"
)

// benchSlot is a slot as it is listed.
type benchSlot struct {
	Name    string     `json:"slot"`
	Kind    slots.Kind `json:"kind"`
	Profile string     `json:"profile,omitempty"`
	Finger  string     `json:"finger"`
	Power   string     `json:"power"`
	Tags    []string   `json:"tags"`
	Held    bool       `json:"held"` // by a process, now
	desk.Slot
}

func benchListCommand(u ui, f *benchFlags) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the slots of a bench, who has them, and what is thought of them",
		Long:  "list says what the file and the state directory say. No key is asked: harness bench check does that.",
		RunE: func(c *cobra.Command, _ []string) error {
			b, d, err := f.open(u)
			if err != nil {
				return err
			}
			known, err := d.Slots(c.Context())
			if err != nil {
				return err
			}
			held, err := d.Held()
			if err != nil {
				return err
			}
			all := []benchSlot{}
			for i := range b.Slots {
				s := &b.Slots[i]
				now := known[s.Name]
				if now.Holder != nil && !held[s.Name] { // as the next one that takes it will
					now.Key = strategy.Lost
				}
				all = append(all, benchSlot{s.Name, s.Kind(), s.Profile(), string(s.Finger.Means), string(s.Power.Means), append([]string{}, s.Tags...), held[s.Name], now})
			}
			if f.asJSON {
				return u.printJSON(all)
			}
			return listTable(u, all)
		},
	}
	f.json(c)
	return c
}

func listTable(u ui, all []benchSlot) error {
	t := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SLOT\tKIND\tPROFILE\tFINGER\tPOWER\tON THE KEY\tHEALTH\tTAGS\tWHO")
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.Kind, cmp.Or(s.Profile, "-"), s.Finger, s.Power, s.Key, s.Health.Grade,
			cmp.Or(strings.Join(s.Tags, " "), "-"), s.who())
	}
	return t.Flush()
}

// who says whose a slot is.
func (s benchSlot) who() string {
	switch {
	case s.Held && s.Holder != nil:
		return s.Holder.String()
	case s.Reservation != nil:
		return "reserved by " + s.Reservation.String()
	case s.Holder != nil:
		return "free; " + s.Holder.String() + ", ended without giving it back"
	}
	return "free"
}

func benchAcquireCommand(u ui, f *benchFlags) *cobra.Command {
	var wish desk.Wish
	var what string
	c := &cobra.Command{
		Use:   "acquire SLOT [-- COMMAND [ARGUMENT]...]",
		Short: "Keep a slot for yourself, or for as long as a command runs",
		Long: "acquire reserves a slot for you until you release it: runs of others keep off it, your own\n" +
			"use it. With a command, the slot belongs to that command until it ends, whoever you are;\n" +
			"it finds the name of the slot in HARNESS_SLOT and the address of its key in\n" +
			"HARNESS_ADDRESS, and its exit code is that of acquire.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, d, err := f.at(u, args[0])
			if err != nil {
				return err
			}
			if wish.Owner, err = desk.Me(what); err != nil {
				return err
			}
			lease, err := d.Acquire(c.Context(), args[0], wish)
			if err != nil {
				return benchError(f, err)
			}
			if lease.Note != "" {
				fmt.Fprintln(u.err, "note:", lease.Note)
			}
			if len(args) > 1 {
				return errors.Join(u.runWith(c, b.Slot(args[0]), lease, args[1:]), lease.Release())
			}
			err = errors.Join(d.Reserve(c.Context(), args[0], wish.Owner), lease.Release())
			if err == nil {
				_, err = fmt.Fprintf(u.out, "slot %s is reserved for %s until: harness bench release %s --bench %s\n", args[0], wish.Owner.Who, args[0], f.file)
			}
			return benchError(f, err)
		},
	}
	c.Flags().StringVar(&what, "for", "", "what for, for others to read")
	c.Flags().DurationVar(&wish.Wait, "wait", 0, "how long to wait while a process has it")
	c.Flags().BoolVar(&wish.Any, "any", false, "also one that is set aside, to look at it")
	return c
}

// runWith runs a command that has a slot. What it does to the key is not known.
func (u ui) runWith(c *cobra.Command, s *slots.Slot, lease *desk.Lease, command []string) error {
	if err := lease.Mark(strategy.Lost); err != nil {
		return err
	}
	run := exec.CommandContext(c.Context(), command[0], command[1:]...)
	run.Stdin, run.Stdout, run.Stderr = u.in, u.out, u.err
	run.Env = append(os.Environ(), "HARNESS_SLOT="+s.Name)
	if s.Key != nil {
		address, err := s.Key.Address()
		if err != nil {
			return err
		}
		run.Env = append(run.Env, "HARNESS_ADDRESS="+address.String())
	}
	err := run.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ended.ExitCode() > 0 {
		return &exit{code: ended.ExitCode()}
	}
	return err
}

func benchReleaseCommand(u ui, f *benchFlags) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "release SLOT",
		Short: "End the reservation of a slot",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			_, d, err := f.at(u, args[0])
			if err != nil {
				return err
			}
			me, err := desk.Me("")
			if err != nil {
				return err
			}
			was, err := d.Unreserve(c.Context(), args[0], me, force)
			if err != nil {
				return benchError(f, err)
			}
			if was == nil {
				_, err = fmt.Fprintf(u.out, "slot %s was not reserved\n", args[0])
			} else {
				_, err = fmt.Fprintf(u.out, "slot %s is free; it was reserved by %s\n", args[0], was)
			}
			return err
		},
	}
	c.Flags().BoolVar(&force, "force", false, "also that of somebody else")
	return c
}

func benchHealthCommand(u ui, f *benchFlags) *cobra.Command {
	c := &cobra.Command{
		Use:   "health [SLOT]...",
		Short: "Show what is thought of slots, and what has happened on them",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, only []string) error {
			b, d, err := f.at(u, only...)
			if err != nil {
				return err
			}
			known, err := d.Slots(c.Context())
			if err != nil {
				return err
			}
			if len(only) == 0 {
				only = b.Names()
			}
			if f.asJSON {
				all := map[string]health.Record{}
				for _, name := range only {
					all[name] = known[name].Health
				}
				return u.printJSON(all)
			}
			for _, name := range only {
				if err := showHealth(u, name, known[name].Health); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.json(c)
	return c
}

const stamp = "2006-01-02 15:04:05"

func showHealth(u ui, slot string, r health.Record) error {
	line := fmt.Sprintf("%s: %s", slot, r.Grade)
	if !r.Since.IsZero() {
		line += " since " + r.Since.Local().Format(stamp)
	}
	if r.InARow > 0 {
		line += fmt.Sprintf(", bench faults in a row: %d", r.InARow)
	}
	if r.Reason != "" {
		line += ": " + r.Reason
	}
	if _, err := fmt.Fprintln(u.out, line); err != nil {
		return err
	}
	for _, e := range r.History {
		text := fmt.Sprintf("  %s  %-12s  %s  %s", e.At.Local().Format(stamp), e.Verdict, cmp.Or(e.Run, "-"), e.Reason)
		if _, err := fmt.Fprintln(u.out, strings.TrimRight(text, " ")); err != nil {
			return err
		}
	}
	return nil
}

func benchClearCommand(u ui, f *benchFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "clear SLOT",
		Short: "Make a slot good again and forget what happened on it",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.write(c, u, args[0], health.Entry{Verdict: health.Cleared})
		},
	}
}

func benchMaintenanceCommand(u ui, f *benchFlags) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   "maintenance SLOT --reason TEXT",
		Short: "Have runs keep off a slot until it is cleared",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if reason == "" {
				return usage("others will want to know: --reason 'a new finger'", "a reason is needed")
			}
			return f.write(c, u, args[0], health.Entry{Verdict: health.SetAside, Reason: reason})
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for others to read")
	return c
}

// write writes down what somebody did with a slot.
func (f *benchFlags) write(c *cobra.Command, u ui, slot string, e health.Entry) error {
	_, d, err := f.at(u, slot)
	if err != nil {
		return err
	}
	me, err := desk.Me("")
	if err != nil {
		return err
	}
	e.At = time.Now()
	e.Reason = strings.TrimPrefix(e.Reason+" (by "+me.Who+")", " ")
	after, err := d.Record(c.Context(), slot, e)
	if err == nil {
		_, err = fmt.Fprintf(u.out, "slot %s: %s\n", slot, after.Grade)
	}
	return err
}
