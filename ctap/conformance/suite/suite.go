// Package suite is the conformance suite: all groups of cases, in the order in which
// reports have them.
package suite

import (
	"slices"

	"fido-emu/ctap/conformance"
	"fido-emu/ctap/conformance/suite/bio"
	"fido-emu/ctap/conformance/suite/cbor"
	"fido-emu/ctap/conformance/suite/clientpin"
	"fido-emu/ctap/conformance/suite/config"
	"fido-emu/ctap/conformance/suite/credmgmt"
	"fido-emu/ctap/conformance/suite/ctaphid"
	"fido-emu/ctap/conformance/suite/extensions"
	"fido-emu/ctap/conformance/suite/getassertion"
	"fido-emu/ctap/conformance/suite/getinfo"
	"fido-emu/ctap/conformance/suite/largeblobs"
	"fido-emu/ctap/conformance/suite/makecredential"
	"fido-emu/ctap/conformance/suite/metadata"
	"fido-emu/ctap/conformance/suite/reset"
	"fido-emu/ctap/conformance/suite/u2f"
)

// Groups returns all groups.
func Groups() []conformance.Group {
	return slices.Concat([]conformance.Group{
		ctaphid.Group(),
		u2f.Group(),
		clientpin.Group(),
		reset.Group(),
		cbor.Group(),
		getinfo.Group(),
		makecredential.Group(),
		getassertion.Group(),
		credmgmt.Group(),
		config.Group(),
		bio.Group(),
		largeblobs.Group(),
	}, extensions.Groups(), []conformance.Group{metadata.Group()})
}

// Cases returns the cases of groups.
func Cases(groups []conformance.Group) (all []conformance.Case) {
	for _, g := range groups {
		all = slices.Concat(all, g.Cases)
	}
	return all
}
