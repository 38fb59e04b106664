package suite

import (
	"testing"

	"fido-emu/ctap/conformance"
)

func TestCasesAreInOrder(t *testing.T) {
	if err := conformance.Check(Groups()); err != nil {
		t.Fatal(err)
	}
}
