package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fido-emu/report"
	"fido-emu/rp/browser"
)

// TestLabKeyInChromium leaves navigator.credentials to Chromium, which finds an emulated
// key that the kernel has.
func TestLabKeyInChromium(t *testing.T) {
	if os.Getenv("LAB") == "" {
		t.Skip("plugs a key into the kernel: runs in the lab, where LAB=1")
	}
	if _, err := browser.Find(); err != nil {
		t.Skip(err)
	}
	reports := filepath.Join(t.TempDir(), "reports")
	var said bytes.Buffer
	code := execute(t.Context(), []string{
		"run", "testdata/key-in-chromium.yaml", "--rp", "../../rp/web/descriptions/reference-browser.yaml",
		"--no-shim", "--via", "uhid", "--reports", reports, "--timeout", "60s",
	}, ui{out: &said, err: &said, getenv: func(string) string { return "" }})
	t.Logf("%s", said.String())
	if code != 0 {
		t.Fatalf("exit code %d", code)
	}
	events, err := os.ReadFile(filepath.Join(reports, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	pictures := 0
	for line := range bytes.Lines(events) {
		var e report.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case e.Kind == report.WebAuthn:
			t.Errorf("the harness took part in a ceremony: %s", line)
		case e.Picture != "":
			pictures++
			if _, err := os.Stat(filepath.Join(reports, e.Picture)); err != nil {
				t.Error(err)
			}
		}
	}
	if pictures < 10 {
		t.Errorf("%d pictures of pages, want one of each step", pictures)
	}
}
