package authenticator_test

import (
	"slices"
	"testing"

	"fido-emu/ctap/authenticator"
)

// broken are quirks by which an authenticator lies in its answers while all that it
// stores is right, by the profile on which they show soonest.
func broken() map[string][]string {
	return map[string][]string{
		"key": {
			"next-after-another-command", "next-on-another-channel", "next-never-ends", "next-up-missing",
			"get-mac-unchecked", "get-token-site-unchecked", "token-outlives-first-use", "token-outlives-ten-minutes",
			"token-verification-not-spent", "token-presence-not-spent", "token-reissue-keeps-old",
			"change-pin-keeps-token", "read-only-token-survives-pin-change", "read-only-token-lost",
			"legacy-token-all-permissions", "permissions-zero-accepted", "permission-not-there-granted",
			"read-only-combined-accepted", "cred-protect-excluded", "delete-all-of-site", "metadata-remaining-stuck",
			"enumeration-after-another-command", "enumeration-on-another-channel", "u2f-authenticate-without-touch",
			"u2f-counter-stuck", "u2f-signature-broken", "u2f-presence-byte-missing",
			"key-agreement-kept-after-wrong-pin", "key-agreement-survives-power-cycle", "pin-length-in-bytes",
			"set-pin-mac-unchecked", "change-pin-mac-unchecked", "blobs-sequence-unchecked", "trailing-bytes-accepted",
			"get-hash-length-unchecked", "get-rk-accepted",
		},
		"bio": {
			"next-after-thirty-seconds", "token-permissions-not-spent", "reset-keeps-token", "secret-ignores-uv",
		},
		"old": {
			"token-not-bound",
		},
	}
}

// TestModelSeesQuirks expects the model to object to authenticators that lie.
func TestModelSeesQuirks(t *testing.T) {
	known := authenticator.Quirks()
	for profile, names := range broken() {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if !slices.ContainsFunc(known, func(q authenticator.Quirk) bool { return q.Name == name }) {
					t.Fatal("there is no such quirk")
				}
				p := modelled()[profile]
				p.Quirks = []string{name}
				against, _ := played(p, 2000, func(*authenticator.Env) {})
				if against == nil {
					t.Fatal("the model has nothing against it")
				}
				t.Logf("%.200s", against[0])
			})
		}
	}
}
