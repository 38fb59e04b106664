package storetest

import (
	"fmt"
	"testing"

	"fido-emu/ctap/authenticator"
)

// complaints collects what a test would be told.
type complaints []string

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}
func (c *complaints) Fatal(args ...any) { c.Fatalf("%s", fmt.Sprint(args...)) }

// Fatalf ends the run as a test's does.
func (c *complaints) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	panic(c)
}

// collect runs all cuts and returns what is wrong.
func collect(new func() (open func() Stores)) (found complaints) {
	for _, c := range cuttable() {
		func() {
			defer func() {
				if r := recover(); r != nil && r != any(&found) {
					panic(r)
				}
			}()
			cutPower(&found, c, new)
		}()
	}
	return found
}

// forgetful is a device whose last Save is lost with the power.
type forgetful struct {
	*authenticator.MemoryDevice
	last authenticator.Device
}

func (d *forgetful) Save(device authenticator.Device) (err error) {
	if d.last, err = d.Load(); err != nil {
		return err
	}
	return d.MemoryDevice.Save(device)
}

// loose is a store whose last Put is lost with the power.
type loose struct {
	*authenticator.MemoryCredentials
	last []byte
}

func (s *loose) Put(c *authenticator.Credential) error {
	s.last = c.ID
	return s.MemoryCredentials.Put(c)
}

// sticky is a store that Clear does not empty.
type sticky struct {
	*authenticator.MemoryCredentials
}

func (sticky) Clear() error { return nil }

// TestPowerCutsSee expects that stores are found out that lose what they promised.
func TestPowerCutsSee(t *testing.T) {
	for name, new := range map[string]func() func() Stores{
		"a Save is lost": func() func() Stores {
			d, s := &forgetful{MemoryDevice: authenticator.NewMemoryDevice()}, authenticator.NewMemoryCredentials(10)
			return func() Stores {
				if d.last.Initialised {
					_ = d.MemoryDevice.Save(d.last) // never fails
				}
				return Stores{d, s}
			}
		},
		"a Put is lost": func() func() Stores {
			d, s := authenticator.NewMemoryDevice(), &loose{MemoryCredentials: authenticator.NewMemoryCredentials(10)}
			return func() Stores {
				_ = s.Delete(s.last) // never fails
				return Stores{d, s}
			}
		},
		"Clear keeps all": func() func() Stores {
			d, s := authenticator.NewMemoryDevice(), sticky{authenticator.NewMemoryCredentials(10)}
			return func() Stores { return Stores{d, s} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := collect(new)
			if len(found) == 0 {
				t.Fatal("nothing is found to be wrong")
			}
			t.Logf("%d, of which the first: %.200s", len(found), found[0])
		})
	}
}
