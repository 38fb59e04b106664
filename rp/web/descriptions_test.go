package web

import (
	"path/filepath"
	"strings"
	"testing"

	"fido-emu/grammar"
)

// pages stands for the section that package rp/browser understands.
var pages = Foreign{Member: grammar.Member{Name: "browser", Kind: grammar.Any}}

func TestShippedDescriptionsLoad(t *testing.T) {
	files, err := filepath.Glob("descriptions/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d descriptions, %v", len(files), err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "-browser.yaml") {
			continue // package browser loads these
		}
		if _, err := Load(file, pages); err != nil {
			t.Errorf("%v", err)
		}
	}
}
