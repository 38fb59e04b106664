package scenarios

import (
	"path"
	"slices"
	"strings"
	"testing"

	"fido-emu/scenarios/language"
)

// kindOfDevice is a kind of device that rules and stories may turn out otherwise for, with
// the models that stand for it.
type kindOfDevice struct {
	name   string
	models []string
}

func kindsOfDevices() []kindOfDevice {
	return []kindOfDevice{
		{"key", []string{"security-key", "yubikey-5", "enterprise-key", "compound-key", "post-quantum-key"}},
		{"biometric", []string{"biometric-key", "ctap23-key"}},
		{"old-key", []string{"ctap20-key", "u2f-key"}},
		{"tpm", []string{"windows-hello"}},
		{"app", []string{"microsoft-authenticator", "android-phone", "apple-device"}},
		{"apple", []string{"apple-passwords"}},
		{"google", []string{"google-password-manager"}},
		{"other-sync", []string{"1password", "passkey-provider"}},
	}
}

// The kinds of the table of gaps. A key has no provider; a provider no key.
const (
	keys    = "key biometric old-key"
	bound   = keys + " tpm app"
	synced  = "apple google other-sync"
	anyKind = bound + " " + synced
)

// gap says why scenarios do not run on kinds of devices.
type gap struct {
	files string // pattern of path.Match
	kinds string // words
	why   string
}

// gaps holds every reason, in a sentence. Each must be needed.
func gaps() []gap {
	return []gap{
		{"attacks/cloned-key*", "tpm app", "A TPM and a phone's key store cannot be copied; moving a TPM's disk is loss/tpm-disk-moved."},
		{"attacks/cloned-key*", synced, "Synced passkeys count nothing, so that their copies are attacks/leaked-backup."},
		{"attacks/cloned-key", "biometric old-key", "Raising the risk, and so every model, is attacks/cloned-key-raises-risk."},
		{"attacks/cloud-account-and-compliance", bound, "There is no cloud account behind a device-bound passkey."},
		{"attacks/leaked-backup", keys + " tpm", "Hardware gives its keys to no backup."},
		{"attacks/leaked-backup", "apple google", "These never hold keys in a file that is not encrypted end to end; the account taken over is another scenario."},
		{"attacks/pin-lockout", "biometric tpm app " + synced, "The PIN of a computer or phone is its own affair; a fingerprint key's PIN counts as a key's does."},
		{"attacks/stolen-key", "old-key tpm app " + synced, "A thief before a locked computer or phone is fallbacks/enrolled-by-a-thief, with an unlocked one attacks/stolen-unlocked-phone; PINs of old keys are attacks/pin-lockout."},
		{"attacks/stolen-unlocked-phone", keys + " tpm", "It is about phones."},
		{"basics/nobody-touches", "tpm app " + synced, "Only a key waits for a touch and says nothing about it."},
		{"basics/security-key", "tpm app " + synced, "The first scenario to read is about keys; basics/without-user-name is the same on all kinds."},
		{"basics/several-accounts", "tpm app " + synced, "The browser shows the picker for what has no screen; phones and computers show their own."},
		{"basics/before-fido2", "key biometric tpm app " + synced, "It is about keys that speak U2F alone."},
		{"basics/windows-hello", keys + " app " + synced, "It is about Windows Hello."},
		{"fallbacks/code-goes-elsewhere", bound + " google other-sync", "Passkeys of all kinds have no telephone number; that they sign in is shown elsewhere."},
		{"fallbacks/enrolled-by-a-thief", "key old-key", "A stolen key and its PIN are attacks/stolen-key."},
		{"fallbacks/what-each-costs", anyKind, "One of each kind of method that the log tells apart is in one story."},
		{"loss/all-devices-lost", bound, "Only what is synced is in escrow."},
		{"loss/only-key-lost", "tpm app " + synced, "A laptop that is wiped, a new phone and devices of a sync account have scenarios of their own in loss."},
		{"loss/phone-lost-laptop-carries-on", bound, "A device-bound passkey is on no other device."},
		{"loss/new-phone-without-the-passkey", keys + " tpm " + synced, "It is about phones that keep passkeys to themselves; keys and laptops have scenarios of their own in loss."},
		{"loss/tpm-*", keys + " app " + synced, "It is about TPMs."},
		{"origins/*", "key old-key tpm app " + synced, "Browser and relying party decide on origins; attacks/look-alike-site shows that on all kinds."},
		{"policy/admins-and-staff", "biometric tpm app google other-sync", "policy/tiers says the same by profiles, with more models."},
		{"policy/any-profile-suffices", bound, "The phone of the story syncs; what it is replaced with is device-bound."},
		{"policy/attestation-at-registration-only", "key biometric tpm app", "Attested models are not the ones that a later rule leaves behind."},
		{"policy/attestation-by-metadata", "old-key " + synced, "They are not attested, and so play the ones that are refused."},
		{"policy/enterprise-attestation", "biometric old-key tpm app " + synced, "Only keys that a company had made for itself have it."},
		{"policy/fourth-profile", bound + " apple other-sync", "It is about the number of profiles; whose passkey meets them does not matter."},
		{"policy/guests", bound, "Guests sync; a key is what they are refused with."},
		{"policy/harmless-status", "biometric old-key tpm app " + synced, "The status of a model is looked up in one way for all; policy/model-revoked has the kinds."},
		{"policy/model-revoked", "old-key " + synced, "What is not attested cannot be registered under the rule of this story."},
		{"policy/models", "old-key tpm app " + synced, "policy/models-allowed-later and policy/models-at-sign-in have all kinds."},
		{"policy/post-quantum", "biometric old-key tpm app " + synced, "No other model has ML-DSA."},
		{"policy/provisioned-on-behalf", "old-key tpm app " + synced, "An administrator hands out attested keys; the TPM of a laptop and a phone are in their owner's hands."},
		{"policy/tiers", bound, "Each tier tries what the others have; the matrix changes what is synced."},
		{"providers/*", bound, "It is about sync providers."},
		{"providers/*", synced, "Providers differ: each does what it can, and where a setting matters, the matrix is of providers and not of models."},
		{"recovery/back-with-*", anyKind, "The three scenarios share the kinds among them."},
		{"recovery/begin-anew", bound, "It is about sync accounts."},
		{"recovery/escrow-destroyed", bound, "It is about sync accounts."},
		{"recovery/*", anyKind, "What proves who somebody is does not depend on what they lost; recovery/back-with-*, old-methods-revoked and pass-rules have all kinds."},
		{"sync/sponsor-with-wrong-code", "google", "This provider has no older device that says yes."},
		{"sync/new-device", "google", "Its way, a PIN and no older device, is providers/six-digit-pin."},
		{"sync/backup-flags-that-lie", synced, "Only keys can be emulated so that they break their specification; the relying party checks the flags of all in one way."},
		{"sync/backup-state", "apple google", "When each of them says so is providers/backup-state-by-provider."},
		{"sync/large-blobs", "google", "It keeps no large blobs."},
		{"sync/*", bound, "It is about what is synced."},
		{"wire/*", "biometric old-key tpm app " + synced, "Wires fail in one way for all keys, and phones and TPMs have none."},
	}
}

// TestKindsOfDevices: each scenario of the library in which somebody has a device runs on
// every kind of device, or says why not.
func TestKindsOfDevices(t *testing.T) {
	files, on := kindsByFile(builtInScenarios(t))
	needed := make([]bool, len(gaps()))
	for _, file := range files {
		for _, kind := range kindsOfDevices() {
			if on[file][kind.name] || len(on[file]) == 0 {
				continue
			}
			why := slices.IndexFunc(gaps(), func(g gap) bool {
				fits, err := path.Match(g.files, file)
				return err == nil && fits && slices.Contains(strings.Fields(g.kinds), kind.name)
			})
			if why < 0 {
				t.Errorf("%s does not run on kind %s: add one of %v to its matrix, or say why not in gaps", file, kind.name, kind.models)
				continue
			}
			needed[why] = true
		}
	}
	for i, g := range gaps() {
		if !needed[i] {
			t.Errorf("of %s nothing is missing on %s any more: take out %q", g.files, g.kinds, g.why)
		}
	}
}

// kindsByFile tells on which kinds of device each scenario runs: on those of the devices
// that its matrix changes, or, where it changes none, of all that take part.
func kindsByFile(all []*language.Scenario) (files []string, on map[string]map[string]bool) {
	on = map[string]map[string]bool{}
	for _, s := range all {
		file := strings.TrimSuffix(s.ID, s.Suffix())
		if on[file] == nil {
			files, on[file] = append(files, file), map[string]bool{}
		}
		changed := func(d language.Device) bool {
			return slices.ContainsFunc(s.Matrix, func(c language.Choice) bool { return c.Value == d.Profile })
		}
		some := slices.ContainsFunc(s.Devices, changed)
		for _, d := range s.Devices {
			if some && !changed(d) {
				continue
			}
			for _, k := range kindsOfDevices() {
				if slices.Contains(k.models, d.Profile) {
					on[file][k.name] = true
				}
			}
		}
	}
	return files, on
}
