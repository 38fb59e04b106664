package methods_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
)

// The table says what is in testdata/facts.txt, weakest first.
func TestFacts(t *testing.T) {
	var got strings.Builder
	for _, f := range methods.Table() {
		steps, took := methods.Effort(f.Kind)
		fmt.Fprintf(&got, "%s: %s, %s, phishable %v, for %s, sent %v, %d digits for %s, %d tries then %s, %d steps in %s\n", f.Kind, f.Title, f.Factor, f.Phishable, strings.Join(f.Uses, "+"), f.Addressed, f.Digits, f.Lifetime, f.Tries, f.Lock, steps, took)
		if about, ok := methods.About(f.Kind); !ok || about.Title != f.Title {
			t.Errorf("nothing is known of %s", f.Kind)
		}
	}
	want, err := os.ReadFile("testdata/facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s", &got)
	}
	if !slices.IsSortedFunc(methods.Table(), func(a, b methods.Facts) int { return a.Strength - b.Strength }) {
		t.Error("not weakest first")
	}
	if got := len(methods.Kinds()); got != 6 {
		t.Errorf("an account holds %d kinds, want 6", got)
	}
	if _, ok := methods.About("smoke-signals"); ok {
		t.Error("there are smoke signals")
	}
}

func TestPasskeyKind(t *testing.T) {
	for aaguid, want := range map[string]string{
		"DE1E552D-DB1D-4423-A619-566B625CDC84": rp.PasskeyAuthenticator, "90a3ccdf-635c-4729-a248-9b709135078f": rp.PasskeyAuthenticator,
		"08987058-cadc-4b81-b6e1-30de50dcbe96": rp.PasskeyWindowsHello, "9ddd1817-af5a-4672-a2b9-3e3dd95000a9": rp.PasskeyWindowsHello,
		"6028b017-b1d4-4c02-b4b3-afcdafc96bb2": rp.PasskeyWindowsHello,
	} {
		if got := methods.PasskeyKind(aaguid, false); got != want {
			t.Errorf("%s is %s, want %s", aaguid, got, want)
		}
	}
	if methods.PasskeyKind("", true) != rp.PasskeySynced || methods.PasskeyKind("", false) != rp.PasskeyDeviceBound {
		t.Error("others are synced or device-bound, as their flags say")
	}
}
