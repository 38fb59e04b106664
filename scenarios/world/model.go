package world

import (
	"fmt"
	"strings"
	"sync"

	"fido-emu/ctap"
	"fido-emu/fixtures"
)

// InProcess says of a device that it is emulated in this process.
const InProcess = "in process"

// models are read once: they come with the program and do not change.
var profiles = sync.OnceValues(fixtures.Profiles)

// Model returns the model of authenticator of a name.
func Model(name string) (*fixtures.Profile, error) {
	all, err := profiles()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i], nil
		}
	}
	return nil, fmt.Errorf("there is no device profile %q", name)
}

// aaguids writes models, given by profile name or AAGUID, as AAGUIDs.
func aaguids(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if a, err := ctap.ParseAAGUID(name); err == nil {
			all = append(all, a.String())
			continue
		}
		m, err := Model(name)
		if err != nil {
			return nil, err
		}
		all = append(all, strings.ToLower(m.AAGUID.String()))
	}
	return all, nil
}
