package web

import (
	"path/filepath"
	"testing"
)

func TestShippedDescriptionsLoad(t *testing.T) {
	files, err := filepath.Glob("descriptions/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d descriptions, %v", len(files), err)
	}
	for _, file := range files {
		if _, err := Load(file); err != nil {
			t.Errorf("%v", err)
		}
	}
}
