package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestHTMLLinksPictures(t *testing.T) {
	for name, linked := range map[string]bool{
		"screenshots/001/002-register-click.png": true,
		"javascript:alert(1)//.png":              false,
		"//elsewhere.example/a.png":              false,
		"https://elsewhere.example/a.png":        false,
		"screenshots/../../a.png":                false,
	} {
		events := sample(t)
		for i := range events {
			if events[i].Kind == Note && events[i].ScenarioID != "" {
				events[i].Picture = name
			}
		}
		var out bytes.Buffer
		if err := WriteHTML(&out, BuildModel(events)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), `<a href="`+name+`"><img src="`+name+`"`); got != linked || !linked && strings.Contains(out.String(), "<img") {
			t.Errorf("%s: linked %v, want %v", name, got, linked)
		}
	}
}
