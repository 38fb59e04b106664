package mutation

import (
	"testing"

	"fido-emu/ctap/conformance"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		place string
		rule  conformance.Rule
		holds bool
	}{
		{"6.1.2 step 14", conformance.Since20("6.1.2"), true},
		{"6.1.2 step 14", conformance.Since20("6.1.2 step 3"), true},
		{"6.5.5.7", conformance.Since21("6.5.5.7.2"), true},
		{"6.5.5.7.2", conformance.Since21("6.5.5.7"), false},
		{"6.1", conformance.Since20("6.10.1"), false},
		{"11.2.4", conformance.OnWire("11.2.4"), true},
		{"5.1", conformance.OfU2F("5.1"), false},
		{"U2F Raw Message Formats 5.1", conformance.OfU2F("5.1"), true},
		{"U2F Raw Message Formats 5.1", conformance.Since20("5.1"), false},
		{"WebAuthn 6.1", conformance.OfWebAuthn("6.1"), true},
	} {
		if placeOf(c.place).holds(c.rule) != c.holds {
			t.Errorf("%q and a rule of %s: want %v", c.place, c.rule, c.holds)
		}
	}
}
