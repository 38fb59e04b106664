package steps

import (
	"slices"

	"fido-emu/scenarios/language"
	"fido-emu/scenarios/world"
)

// Touches tells whether a step is about a device.
func Touches(c language.Call, device string) bool {
	if c.Usage.Subject.Kind == language.DeviceName && slices.Contains(c.Subjects(), device) {
		return true
	}
	for _, m := range c.Usage.Members {
		if m.Kind == language.DeviceName && slices.Contains(c.Texts(m.Name), device) {
			return true
		}
	}
	return false
}

// Harms tells whether a step takes something from a real key that it cannot be given
// back without a reset: its passkeys, its PIN, its tries, the way it attests.
func Harms(c language.Call) bool {
	return slices.Contains([]string{"set-pin", "change-pin", "fail-pin", "reset", "enable-enterprise-attestation"}, c.Usage.Verb)
}

// BeyondReal says why a step cannot be done with a real key; empty when it can.
func BeyondReal(c language.Call) string {
	switch c.Usage.Verb {
	case "clone", "wipe", "move-disk", world.DisturbVerb:
		return c.Usage.Verb + " can be done with an emulated device only"
	case "touch":
		if c.Text("answer") != "yes" {
			return "nobody can be told not to touch a real key (touch: " + c.Text("answer") + ")"
		}
	case "sync", "partition", "impair", "heal", "join", "approve", "recover", "fail-passcode", "set-passcode", "revoke", "restart-account":
		return "a real key has no part in the sync accounts of a scenario"
	}
	return ""
}
