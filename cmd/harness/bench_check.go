package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/slots/inspect"
)

func benchCheckCommand(u ui, f *benchFlags) *cobra.Command {
	var hands bool
	c := &cobra.Command{
		Use:   "check [SLOT]...",
		Short: "Walk a bench, say what is wrong and how to mend it",
		Long: "check looks at the boards, hubs, fingers and keys of a bench: whether the expected keys are\n" +
			"in their slots, whether their power really goes and their fingers really touch, whether\n" +
			"their PINs are the right ones, and what is on them. Nothing on a key is changed; a PIN is\n" +
			"only tried while more than three tries are left.\n\n" +
			"What it finds is written down: a slot that fails is watched, and one that was set aside\n" +
			"after bench faults comes back when it passes.\n\n" +
			"The exit code is 0 when nothing is broken, 2 when the file is not in order, 3 when\n" +
			"something is broken, and 4 when no slot has a key.",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, only []string) error {
			i, err := f.inspector(c.Context(), u, "bench check", only...)
			if err != nil {
				return err
			}
			i.Persons = hands
			doing := newDoing(u.err)
			i.Told = doing.tell
			report, err := i.Check(c.Context())
			doing.end()
			if err = errors.Join(err, i.Equipment.Close()); err != nil {
				return err
			}
			return f.showCheck(u, report)
		},
	}
	c.Flags().BoolVar(&hands, "hands", false, "ask the person at the terminal for touches and power cuts where the bench needs them")
	f.json(c)
	return c
}

func (f *benchFlags) showCheck(u ui, r *inspect.Report) error {
	var err error
	if f.asJSON {
		err = u.printJSON(r)
	} else {
		err = checkTable(u.out, r)
	}
	switch {
	case err != nil:
		return err
	case r.NoKey():
		return &exit{code: exitNoDevice}
	case r.Broken():
		return &exit{code: exitBench}
	}
	return nil
}

// checkTable writes a line for each slot, and beneath the table what was found.
func checkTable(w io.Writer, r *inspect.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SLOT\tVERDICT\tMODEL\tFIRMWARE\tON THE KEY\tPIN\tHEALTH\tREACHED BY")
	for _, s := range r.Slots {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Slot, s.Verdict, cmp.Or(s.Model, "-"), cmp.Or(s.Firmware, "-"),
			s.On, s.PIN, s.Health, cmp.Or(s.Where, "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	findings(&b, "bench "+r.Bench, r.Findings)
	count := map[inspect.Verdict]int{}
	for _, s := range r.Slots {
		findings(&b, "slot "+s.Slot, s.Findings)
		count[s.Verdict]++
	}
	separator := "\nSlots: "
	for _, v := range []inspect.Verdict{inspect.Ready, inspect.InUse, inspect.SetAside, inspect.Faulty} {
		if count[v] > 0 {
			fmt.Fprintf(&b, "%s%d %s", separator, count[v], v)
			separator = ", "
		}
	}
	fmt.Fprintf(&b, ". Health, leases and emulated keys are in %s\n", r.State)
	_, err := io.WriteString(w, b.String())
	return err
}

// findings writes what is not as it should be.
func findings(b *strings.Builder, whose string, all []inspect.Finding) {
	first := true
	for _, f := range all {
		if f.Severity == inspect.Fine {
			continue
		}
		if first {
			fmt.Fprintf(b, "\n%s\n", whose)
			first = false
		}
		fmt.Fprintf(b, "  %-6s  %s: %s\n", f.Severity, f.Part, f.Found)
		if f.Mend != "" {
			fmt.Fprintf(b, "  %-6s  → %s\n", "", f.Mend)
		}
	}
}

// doing says what goes on, from the third second on, each thing once.
type doing struct {
	w     io.Writer
	began time.Time

	mu    sync.Mutex
	now   map[string]string // by slot
	order []string
	stop  chan struct{}
	ended chan struct{}
}

func newDoing(w io.Writer) *doing {
	d := &doing{w: w, began: time.Now(), now: map[string]string{}, stop: make(chan struct{}), ended: make(chan struct{})}
	go d.watch()
	return d
}

func (d *doing) tell(slot, what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.now[slot]; !known {
		d.order = append(d.order, slot)
	}
	d.now[slot] = what
}

func (d *doing) watch() {
	defer close(d.ended)
	ticker := time.NewTicker(progressAfter)
	defer ticker.Stop()
	said := map[string]string{}
	for {
		select {
		case <-d.stop:
			return
		case <-ticker.C:
			d.say(said)
		}
	}
}

// say writes what is being done and was not said before.
func (d *doing) say(said map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, slot := range d.order {
		what := d.now[slot]
		if said[slot] == what {
			continue
		}
		said[slot] = what
		whose := "bench"
		if slot != "" {
			whose = "slot " + slot
		}
		fmt.Fprintf(d.w, "%3d s  %s: %s\n", int(time.Since(d.began).Seconds()), whose, what)
	}
}

// end waits until nothing more is said.
func (d *doing) end() {
	close(d.stop)
	<-d.ended
}
