package world

import (
	"strings"
	"testing"

	"fido-emu/ctap"
	"fido-emu/scenarios/language"
)

// TestUnfit: what a key on a desk cannot be made to do, or always does, keeps it from
// standing for a device.
func TestUnfit(t *testing.T) {
	stolen := &language.Scenario{Steps: []language.Call{{Usage: &language.Usage{Verb: StealVerb}, Subject: "key"}}}
	always := map[string]bool{"rk": true, "clientPin": false, "alwaysUv": true}
	for _, c := range []struct {
		name     string
		scenario *language.Scenario
		as       language.Device
		options  map[string]bool
		want     string // part of a reason; empty for none
	}{
		{"a finger that is not the owner's", stolen, language.Device{Profile: "biometric-key"}, map[string]bool{"rk": true, "uv": true, "clientPin": false}, "stays its owner's"},
		{"a PIN that the thief does not know", stolen, language.Device{Profile: "security-key"}, map[string]bool{"rk": true, "clientPin": false}, ""},
		{"always a PIN", &language.Scenario{}, language.Device{Profile: "security-key"}, always, "alwaysUv"},
		{"always a PIN, and there is one", &language.Scenario{}, language.Device{Profile: "security-key", PIN: "4711"}, always, ""},
		{"the model does so, too", &language.Scenario{}, language.Device{Profile: "enterprise-key"}, always, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.as.Name, c.as.Touch = "key", "yes"
			got := strings.Join(Unfit(c.scenario, c.as, &ctap.Info{Options: c.options}, false), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
