package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"fido-emu/fixtures/emulator"
	"fido-emu/fixtures/emulator/touch"
)

// pinVariable is the environment variable with the PIN that a new key gets.
const pinVariable = "FIDO_EMU_PIN"

// keyFlags say which keys to run.
type keyFlags struct {
	rack, name, profile, transport, state, touch, finger, serial, pinFile, tpm string
	faults, quirks                                                             []string
}

func (f *keyFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.rack, "rack", "", "YAML file with several keys; takes the place of the flags for one")
	flags.StringVar(&f.name, "name", "", "name of the key, by which it is handled (default: the profile's)")
	flags.StringVar(&f.profile, "profile", "", "model of the authenticator, or a YAML file with one; see 'fido-emu profiles' (default: that of --state, or security-key)")
	flags.StringVar(&f.transport, "transport", "auto", "auto, uhid, usbip[:ADDRESS], gadget[:CONTROLLER] or udp[:ADDRESS]")
	flags.StringVar(&f.state, "state", "", "directory that keeps the state of the key (default: it lasts as long as the process)")
	flags.StringVar(&f.touch, "touch", "auto", "what the user does: auto, manual, after:DURATION, never, deny, sample:HOW, or script:A,B,… of these")
	flags.StringVar(&f.finger, "finger", "ok", "whether the key knows the user's finger: ok or no")
	flags.StringVar(&f.serial, "serial", "", "serial number on USB (default: one that stays with the state)")
	flags.StringVar(&f.pinFile, "pin-file", "", "file with the PIN that the key gets while it has none; or set "+pinVariable)
	flags.StringVar(&f.tpm, "tpm", "", "node of a TPM, such as /dev/tpmrm0, that holds the keys of a profile with one (default: a simulated TPM)")
	flags.StringArrayVar(&f.faults, "fault", nil, "a fault on the wire, such as '{kind: drop, direction: to-host, report: 3}'; may be repeated")
	flags.StringArrayVar(&f.quirks, "quirk", nil, "a way in which the key breaks the specification; see 'fido-emu profiles --quirks'; may be repeated")
	_ = c.RegisterFlagCompletionFunc("quirk", completeQuirks)
	_ = c.RegisterFlagCompletionFunc("profile", completeProfiles) // fails only for a flag that is not there
	_ = c.RegisterFlagCompletionFunc("transport", cobra.FixedCompletions([]cobra.Completion{"auto", "uhid", "usbip", "gadget", "udp"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("touch", cobra.FixedCompletions([]cobra.Completion{"auto", "manual", "after:2s", "never", "deny"}, cobra.ShellCompDirectiveNoFileComp))
}

// configs returns the name of the rack and its keys. Every error is one of usage.
func (f *keyFlags) configs(c *cobra.Command) (string, []emulator.Config, error) {
	name, configs, err := f.read(c)
	if err != nil {
		return "", nil, usageError{err}
	}
	return name, configs, nil
}

func (f *keyFlags) read(c *cobra.Command) (string, []emulator.Config, error) {
	if f.rack == "" {
		one, err := f.one()
		return one.Name, []emulator.Config{one}, err
	}
	for _, alone := range []string{"profile", "transport", "state", "touch", "finger", "serial", "pin-file", "tpm", "fault", "quirk"} {
		if c.Flags().Changed(alone) {
			return "", nil, fmt.Errorf("--%s is for one key; with --rack the file says it for each", alone)
		}
	}
	name, configs, err := emulator.ReadRack(f.rack)
	if f.name != "" {
		name = f.name
	}
	return name, configs, err
}

func (f *keyFlags) one() (emulator.Config, error) {
	k := emulator.Config{Name: f.name, State: f.state, Serial: f.serial, TPM: f.tpm}
	var err error
	if k.Profile, err = emulator.LoadProfile("", f.profileName()); err != nil {
		return k, err
	}
	if k.Profile, err = k.Profile.With(f.quirks...); err != nil {
		return k, err
	}
	if k.Name == "" {
		k.Name = k.Profile.Name
	}
	if err := emulator.CheckName(k.Name); err != nil {
		return k, err
	}
	if k.Transport, err = emulator.ParseTransport(f.transport); err != nil {
		return k, err
	}
	if k.Touch, err = touch.ParsePolicy(f.touch); err != nil {
		return k, err
	}
	if k.Stranger, err = emulator.ParseFinger(f.finger); err != nil {
		return k, err
	}
	for _, text := range f.faults {
		fault, err := emulator.ParseFault(text)
		if err != nil {
			return k, err
		}
		k.Faults = append(k.Faults, fault)
	}
	k.PIN, err = f.pin()
	return k, err
}

// profileName is the profile asked for, or else that of the state.
func (f *keyFlags) profileName() string {
	if f.profile != "" {
		return f.profile
	}
	if f.state != "" {
		if name, err := emulator.ProfileOf(f.state); err == nil && name != "" { // an error shows when the state is opened
			return name
		}
	}
	return "security-key"
}

// pin is the PIN for a new key: from a file or the environment, as command lines can
// be read by everyone.
func (f *keyFlags) pin() (string, error) {
	fromEnvironment := os.Getenv(pinVariable)
	if f.pinFile == "" {
		return fromEnvironment, nil
	}
	if fromEnvironment != "" {
		return "", errors.New("--pin-file and " + pinVariable + " are both there; which one is meant?")
	}
	return emulator.ReadPIN(f.pinFile)
}

// realEnv is the world as it is.
func realEnv() emulator.Env { return emulator.Env{Now: time.Now, Rand: rand.Reader} }
