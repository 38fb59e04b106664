package bio

import (
	"testing"

	"fido-emu/fixtures/bench/suitetest"
)

func TestProfilesPass(t *testing.T) { suitetest.Passes(t, Group()) }
