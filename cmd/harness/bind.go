package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"fido-emu/fixtures/reach"
	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// bindFlags is what the command line says about keys that stand for devices.
type bindFlags struct {
	devices, pinEnv, pinFile []string // NAME=…
	harm                     []string // serials, and anyKey
}

// anyKey is what --allow-destructive stands for when it names no serial number.
const anyKey = "*"

const bindHelp = "\n\nA key that is plugged in, or that another program emulates, can stand for a device of the\n" +
	"scenarios: --device NAME=ADDRESS, where an address is hidraw: or usb: and a node, a port\n" +
	"path or a serial number (harness devices lists them), or udp:HOST:PORT. What it cannot do\n" +
	"skips the scenario, with the reason. Its PIN comes from a variable or a file and takes the\n" +
	"place of the one in the scenario. What the run made on it is deleted at the end. When a key\n" +
	"is to be touched, or pulled out and put in again, the terminal says so.\n\n" +
	"Scenarios that reset a key, change its PIN or lock it are skipped without\n" +
	"--allow-destructive; with it, a key is refused that holds passkeys which the run did not\n" +
	"make, unless its serial number is given: --allow-destructive=SERIAL."

func (f *bindFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.devices, "device", nil, "NAME=ADDRESS: a key that stands for a device; may be repeated")
	flags.StringArrayVar(&f.pinEnv, "pin-env", nil, "NAME=VARIABLE: environment variable with the PIN of that key")
	flags.StringArrayVar(&f.pinFile, "pin-file", nil, "NAME=FILE: file with the PIN of that key")
	flags.StringArrayVar(&f.harm, "allow-destructive", nil, "let scenarios reset keys, change PINs and lock keys; =SERIAL also one that holds passkeys")
	flags.Lookup("allow-destructive").NoOptDefVal = anyKey
}

// bound returns the keys by the names of devices.
func (f bindFlags) bound(u ui, chosen []*language.Scenario) (map[string]world.Bound, error) {
	bound := map[string]world.Bound{}
	used := map[string]string{}
	err := pairs("--device", f.devices, func(name, text string) error {
		address, err := reach.ParseAddress(text)
		switch other := used[address.String()]; {
		case err != nil:
			return err
		case other != "":
			return fmt.Errorf("%s stands for %s already", text, other)
		case !hasDevice(chosen, name):
			return fmt.Errorf("no scenario of those to run has a device %q", name)
		}
		used[address.String()] = name
		bound[name] = world.Bound{Address: address}
		return nil
	})
	give := func(name, pin string) error {
		b, ok := bound[name]
		switch {
		case !ok:
			return fmt.Errorf("--device binds no key to %q", name)
		case pin == "":
			return errors.New("there is no PIN in it")
		}
		b.PIN = pin
		bound[name] = b
		return nil
	}
	return bound, errors.Join(err,
		pairs("--pin-env", f.pinEnv, func(name, variable string) error { return give(name, u.getenv(variable)) }),
		pairs("--pin-file", f.pinFile, func(name, file string) error {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return give(name, strings.TrimRight(string(text), "\r\n"))
		}))
}

// pairs takes each NAME=VALUE of a flag. The errors are of usage.
func pairs(flag string, all []string, take func(name, value string) error) error {
	for _, text := range all {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" || value == "" {
			return usage("harness run --help tells more", "%s %s: a name, = and a value are expected", flag, text)
		}
		if err := take(name, value); err != nil {
			return &exit{code: exitUsage, err: fmt.Errorf("%s %s: %w", flag, text, err)}
		}
	}
	return nil
}

func hasDevice(chosen []*language.Scenario, name string) bool {
	return slices.ContainsFunc(chosen, func(s *language.Scenario) bool {
		return slices.ContainsFunc(s.Devices, func(d language.Device) bool { return d.Name == name })
	})
}

// harmed says which keys may be harmed.
func (f bindFlags) harmed() (h world.Harm) {
	for _, serial := range f.harm {
		h.Allowed = true
		if serial != anyKey {
			h.Serials = append(h.Serials, serial)
		}
	}
	return h
}

// reachable opens every key once, before anything runs.
func reachable(ctx context.Context, bound map[string]world.Bound, h reach.Hand) error {
	var names []string
	for name := range bound {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		key, err := reach.Opening{Name: name, Address: bound[name].Address, Rand: rand.Reader, Hand: h}.Open(ctx)
		if err == nil {
			err = key.Close()
		}
		if errors.Is(err, reach.ErrNoKey) {
			return &exit{code: exitNoDevice, err: err, hint: "harness devices lists the keys that are plugged in"}
		}
		if err != nil {
			return &exit{code: exitBench, err: err}
		}
	}
	return nil
}

// hand asks whoever sits at the terminal.
type hand struct {
	u     ui
	mu    sync.Mutex
	again time.Duration // after which it is said once more
}

var _ reach.Hand = (*hand)(nil)

const sayAgain = 5 * time.Second

// Ask says what is to be done, and goes on saying so.
func (h *hand) Ask(text string) (done func()) {
	stop := make(chan struct{})
	began := time.Now()
	h.say(text)
	go func() {
		ticker := time.NewTicker(h.again)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				h.say(fmt.Sprintf("%s (waiting for %d s)", text, int(time.Since(began).Seconds())))
			case <-stop:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(stop) })
}

func (h *hand) say(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.u.err, ">>> %s\n", text)
}
