package authenticator_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/cose"
)

// modelled are the profiles that the model watches. Their limits are low, so that
// sequences reach them.
func modelled() map[string]authenticator.Profile {
	key := authenticator.Profile{
		Name: "key", AAGUID: ctap.AAGUID{1}, Versions: []string{"FIDO_2_0", "FIDO_2_1", "FIDO_2_3"}, Discoverable: true, ClientPIN: true,
		PINProtocols: []uint{2, 1}, MakeCredNoUV: true, Algorithms: []cose.Algorithm{cose.ES256}, Attestation: authenticator.SelfAttestation,
		Extensions: []string{"credProtect", "hmac-secret", "credBlob", "largeBlobKey"}, Counter: authenticator.GlobalCounter,
		CredentialManagement: true, Config: true, LargeBlobs: true, ReadOnlyManagement: true, EncCredStoreState: true, U2F: true,
		Enterprise: authenticator.Enterprise{Capable: true}, MaxCredentials: 4, PINRetries: 5, UVRetries: 3,
	}
	bio := key
	bio.Name, bio.BuiltInUV, bio.UVBioEnroll, bio.UVConfig, bio.U2F = "bio", authenticator.Fingerprint, true, true, false
	bio.Biometrics = authenticator.Biometrics{Enrollment: true, Enrolled: 1, MaxTemplates: 2, Samples: 2, MaxNameLength: 64}
	bio.Attestation = authenticator.ExternalAttestation
	phone := key
	phone.Name, phone.Platform, phone.ClientPIN, phone.BuiltInUV, phone.AlwaysDiscover = "phone", true, false, authenticator.Face, true
	phone.BackupEligible, phone.Counter, phone.Attestation, phone.U2F = true, authenticator.NoCounter, authenticator.NoAttestation, false
	phone.Config, phone.Enterprise, phone.LargeBlobs = false, authenticator.Enterprise{}, false
	old := authenticator.Profile{
		Name: "old", AAGUID: ctap.AAGUID{2}, Versions: []string{"FIDO_2_0", "FIDO_2_1_PRE"}, Discoverable: true, ClientPIN: true,
		PINProtocols: []uint{1}, Algorithms: []cose.Algorithm{cose.ES256}, Attestation: authenticator.SelfAttestation,
		Extensions: []string{"credProtect", "hmac-secret"}, Counter: authenticator.GlobalCounter, CredentialManagementPreview: true,
		U2F: true, MaxCredentials: 3, PINRetries: 4, UVRetries: 3,
	}
	strict := bio
	strict.Name, strict.AlwaysUV, strict.NoMcGaWithPIN, strict.DefaultCredProtect = "strict", true, true, 2
	strict.UVBioEnroll, strict.UVConfig, strict.ResetAnytime = false, false, true
	return map[string]authenticator.Profile{"key": key, "bio": bio, "phone": phone, "old": old, "strict": strict}
}

// play does anything at all with an authenticator, and returns what the model has
// against it, empty for nothing.
func play(t *rapid.T, p authenticator.Profile, sabotage func(*authenticator.Env), seen map[string]int) (against objection) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case objection:
			against = r
		default:
			panic(r)
		}
	}()
	w := newWorld(t, p, sabotage, seen)
	actions := map[string]func(*rapid.T){"": func(*rapid.T) { w.inspect() }}
	for name, action := range map[string]func(){
		"makeCredential": w.makeCredential, "another makeCredential": w.makeCredential, "getAssertion": w.getAssertion,
		"getAssertion and all": w.assertAll, "getNextAssertion": w.getNextAssertion, "setPIN": w.setPIN, "changePIN": w.changePIN,
		"guessPINs": w.guessPINs, "token": w.askForToken, "reuse": w.reuse, "reuse again": w.reuse, "manage": w.manage, "manage all": w.manageAll, "manageNext": w.manageNext,
		"bioEnroll": w.bioEnroll, "bioEnroll more": w.bioEnroll, "writeBlobs": w.writeBlobs, "configure": w.configure, "reset": w.reset,
		"powerCycle": w.powerCycle, "wait": w.wait, "look": w.look, "u2f": w.u2f, "nonsense": w.nonsense, "selection": w.selection,
	} {
		actions[name] = func(inner *rapid.T) {
			w.T = inner
			w.plan()
			action()
		}
	}
	w.furnish()
	t.Repeat(actions)
	return ""
}

// furnish sometimes begins with an authenticator that is in use.
func (w *world) furnish() {
	if !w.chance(2, "in use") {
		return
	}
	w.kind, w.answers = true, []authenticator.Answer{authenticator.Granted}
	if w.p.ClientPIN {
		w.setPIN()
	}
	for _, user := range []string{"ada", "beatrix", "eve", "dora"}[:1+rapidInt(w, 3, "credentials")] {
		w.user = user
		w.makeCredential()
	}
	if application := hashOf(rps[0]); w.p.U2F {
		w.register(rps[0], append(w.clientData(), application[:]...))
	}
	w.kind = false
}

func TestModel(t *testing.T) {
	for name, p := range modelled() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				if against := play(t, p, nil, map[string]int{}); against != "" {
					t.Fatal(against)
				}
			})
		})
	}
}

// played is what the model has against each of so many sequences that are always the
// same, and what happened in them.
func played(p authenticator.Profile, sequences int, sabotage func(*authenticator.Env)) (against []string, seen map[string]int) {
	seen = map[string]int{}
	sequence := rapid.Custom(func(t *rapid.T) string { return string(play(t, p, sabotage, seen)) })
	for seed := range sequences {
		if o := sequence.Example(seed); o != "" {
			against = append(against, o)
			if sabotage != nil {
				break
			}
		}
	}
	return against, seen
}

// TestModelReaches counts what happens in sequences that are always the same, so that
// the model cannot go blind unnoticed.
func TestModelReaches(t *testing.T) {
	seen := map[string]int{}
	for _, name := range []string{"key", "bio", "phone", "old", "strict"} {
		against, those := played(modelled()[name], 200, nil)
		if against != nil {
			t.Fatalf("%s: %s", name, strings.Join(against, "\n"))
		}
		for what, n := range those {
			seen[what] += n
		}
	}
	for what, least := range map[string]int{
		"PIN blocked": 10, "three wrong PINs in a row": 20, "user verification blocked": 5, "a good token": 200, "a worthless token": 100,
		"excluded": 10, "full": 10, "overwritten": 30, "several": 10, "next": 5, "protected and verified": 20, "UV": 100, "hmac-secret": 30,
		"deleted": 10, "renamed": 10, "relying party enumerated": 20, "credential enumerated": 20, "finger enrolled": 10, "finger removed": 10,
		"large blobs written": 20, "alwaysUv toggled": 10, "PIN change forced": 10, "reset": 50, "power cycle": 100, "U2F registration": 30,
		"U2F signature": 5, "nonsense": 100,
	} {
		if seen[what] < least {
			t.Errorf("%s happened %d times, want %d", what, seen[what], least)
		}
	}
	if testing.Verbose() {
		t.Log(slices.Sorted(func(yield func(string) bool) {
			for what := range seen {
				if !yield(what) {
					return
				}
			}
		}))
	}
}
