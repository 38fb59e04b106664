package main

import (
	"bytes"
	"strings"
	"testing"

	"fido-emu/rp/browser"
)

// TestOriginsInChromium runs scenarios of pages that are elsewhere in a browser that
// really goes there.
func TestOriginsInChromium(t *testing.T) {
	if _, err := browser.Find(); err != nil || testing.Short() {
		t.Skip("starts Chromium: ", err)
	}
	var said bytes.Buffer
	code := execute(t.Context(), []string{
		"run", "origins/related-origins", "origins/frames", "origins/port-and-scheme", "--no-reports",
		"--rp", "../../rp/web/descriptions/reference-browser.yaml", "--timeout", "60s",
	}, ui{out: &said, err: &said, getenv: func(string) string { return "" }})
	if code != 0 || !strings.Contains(said.String(), "3 passed in") {
		t.Errorf("exit code %d\n%s", code, said.String())
	}
}
