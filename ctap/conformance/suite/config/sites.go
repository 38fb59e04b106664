package config

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// told makes a credential that asks for minPinLength and returns what the relying
// party is told, 0 for nothing.
func (s setter) told(rpID string) uint {
	c := s.Create(s.CreateParams().With(2, conformance.S{"id": rpID}).With(6, conformance.S{"minPinLength": true}))
	var outputs struct {
		MinPinLength uint `cbor:"minPinLength"`
	}
	if len(c.Data.Extensions) > 0 {
		s.Require(cbor.Unmarshal(c.Data.Extensions, &outputs) == nil, "extension outputs are %x", []byte(c.Data.Extensions))
	}
	return outputs.MinPinLength
}

// allow sets the relying parties that are told the minimum.
func (s setter) allow(rpIDs ...string) *conformance.Reply {
	return s.do(ctap.SetMinPINLength, conformance.M{2: rpIDs})
}

// names are n relying parties.
func names(n uint) (rpIDs []string) {
	for i := range n {
		rpIDs = append(rpIDs, fmt.Sprintf("site%d.example", i))
	}
	return rpIDs
}

// sites is about minPinLengthRPIDs.
func sites() []conformance.Case {
	room := conformance.When(func(i *ctap.Info) bool {
		return i.MaxRPIDsForSetMinPINLength != nil && *i.MaxRPIDsForSetMinPINLength > 0
	}, "maxRPIDsForSetMinPINLength is 0 or absent")
	extension := conformance.Extension("minPinLength")
	cases := conformance.One(
		as("sites.told", "6.11.4", "relying parties in minPinLengthRPIDs are told the minimum, and others are not", func(s setter) {
			s.allow("listed.example").OK()
			conformance.Equal(s.Run, "minPinLength for listed.example", s.told("listed.example"), s.minimumNow())
			conformance.Equal(s.Run, "minPinLength for other.example", s.told("other.example"), 0)
		}, canMin(), room, extension),
		as("sites.told-new", "6.11.4", "they are told the new minimum when it is raised with them", func(s setter) {
			n := s.minimumNow() + 1
			s.do(ctap.SetMinPINLength, conformance.M{1: n, 2: []string{"listed.example"}}).OK()
			conformance.Equal(s.Run, "minPinLength", s.told("listed.example"), n)
		}, canMin(), room, extension),
		as("sites.replace", "6.11.4", "a list takes the place of the one before", func(s setter) {
			s.allow("first.example").OK()
			s.allow("second.example").OK()
			conformance.Equal(s.Run, "minPinLength for first.example", s.told("first.example"), 0)
			conformance.Equal(s.Run, "minPinLength for second.example", s.told("second.example"), s.minimumNow())
		}, canMin(), room, extension),
		as("sites.kept", "6.11.4", "without minPinLengthRPIDs the list stays as it is", func(s setter) {
			s.allow("listed.example").OK()
			n := s.minimumNow() + 1
			s.do(ctap.SetMinPINLength, minPIN(n)).OK()
			conformance.Equal(s.Run, "minPinLength", s.told("listed.example"), n)
		}, canMin(), room, extension),
		with(conformance.Replug, as("sites.power-cycle", "6.11.4", "the list lasts over a power cycle", func(s setter) {
			s.allow("listed.example").OK()
			s.PowerCycle()
			conformance.Equal(s.Run, "minPinLength", s.told("listed.example"), s.minimumNow())
		}, canMin(), room, extension)),
		as("sites.full", "6.11.4", "as many relying parties as maxRPIDsForSetMinPINLength says are taken, and the last is told", func(s setter) {
			all := names(*s.Info().MaxRPIDsForSetMinPINLength)
			s.allow(all...).OK()
			conformance.Equal(s.Run, "minPinLength for the last", s.told(all[len(all)-1]), s.minimumNow())
		}, canMin(), room, extension),
		as("sites.too-many", "6.11.4", "more relying parties than maxRPIDsForSetMinPINLength says are CTAP2_ERR_KEY_STORE_FULL, and nothing changes", func(s setter) {
			n := s.minimumNow()
			s.do(ctap.SetMinPINLength, conformance.M{1: n + 1, 2: names(*s.Info().MaxRPIDsForSetMinPINLength + 1)}).
				Tolerate(conformance.Deviates("shipping keys answer that a parameter is invalid", ctap.ErrInvalidParameter, ctap.ErrLimitExceeded)).
				Want(ctap.ErrKeyStoreFull)
			conformance.Equal(s.Run, "minPINLength", s.minimumNow(), n)
		}, canMin(), conformance.Member(0x10)),
	)
	for i := range cases {
		cases[i].Hands |= conformance.Touch
	}
	return cases
}
