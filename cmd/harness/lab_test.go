package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/ctap/conformance"
)

// The suite judges a key that the kernel has, with the outcomes that it has in this
// process, but for what would take long there.
func TestLabConform(t *testing.T) {
	if os.Getenv("LAB") == "" {
		t.Skip("plugs devices into the kernel: runs in the lab, where LAB=1")
	}
	harness, emu := built(t, "harness"), built(t, "fido-emu")
	judged := func(command ...string) map[string]conformance.Result {
		c := exec.CommandContext(t.Context(), command[0], command[1:]...)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if err != nil {
			t.Errorf("%s: %v", strings.Join(command, " "), err)
		}
		results := map[string]conformance.Result{}
		for line := range strings.Lines(string(out)) {
			var r conformance.Result
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			results[r.ID] = r
		}
		return results
	}
	here := judged(harness, "conform", "--profile", "security-key", "--json")
	there := judged(emu, "exec", "--transport", "uhid", "--touch", "manual", "--profile", "security-key", "--",
		"sh", "-c", harness+" conform --json --allow-destructive --max-wait 1s --device hidraw:$FIDO_EMU_ADDRESS")
	counts := map[conformance.Outcome]int{}
	for id, r := range there {
		counts[r.Outcome]++
		if want := here[id].Outcome; r.Outcome != want && r.Outcome != conformance.NotRun && r.Group != "metadata" {
			t.Errorf("%s: %s over uhid, %s in process: %+v %s", id, r.Outcome, want, r.Failures, r.Reason)
		}
	}
	t.Logf("over uhid: %v", counts)
	if counts[conformance.Passed] < 1000 {
		t.Errorf("%d cases passed, too few for a test of the suite", counts[conformance.Passed])
	}
}

// built builds a program of this module.
func built(t *testing.T, name string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "fido-emu/cmd/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}
