package platform_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/platform"
)

// managed is a key that can be taught fingerprints, configured and read.
func managed() authenticator.Profile {
	p := securityKey()
	p.Versions = append(p.Versions, "FIDO_2_3")
	p.CredentialManagement, p.Config, p.ReadOnlyManagement, p.EncCredStoreState = true, true, true, true
	p.BuiltInUV, p.Biometrics = authenticator.Fingerprint, authenticator.Biometrics{Enrollment: true, MaxTemplates: 2}
	p.Enterprise.Capable, p.LongTouchForReset, p.VendorConfigCommands = true, true, []uint64{7}
	return p
}

func TestFingerprints(t *testing.T) {
	preview := managed()
	preview.Versions, preview.Config, preview.CredentialManagement = []string{"FIDO_2_0", "FIDO_2_1_PRE"}, false, false
	preview.ReadOnlyManagement, preview.Biometrics.Enrollment, preview.Biometrics.Preview = false, false, true
	for name, p := range map[string]authenticator.Profile{"final": managed(), "preview": preview} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			_, h := newKey(t, p)
			must(t, h.SetPIN(ctx, "2580"))
			info, err := h.Info(ctx)
			must(t, err)
			sensor, err := h.Sensor(ctx)
			if err != nil || !platform.Learns(info) || sensor != (platform.Sensor{Samples: 3, MaxNameLength: 64}) {
				t.Fatalf("%v, %+v, %v", info.Options, sensor, err)
			}
			token, err := h.FingerprintToken(ctx, "2580")
			must(t, err)
			if none, err := h.Fingerprints(ctx, token); err != nil || none != nil {
				t.Errorf("of a new key: %v, %v", none, err)
			}
			var left []uint
			id, err := h.Enrol(ctx, token, time.Second, func(s platform.Sample) error {
				left = append(left, s.Remaining)
				return nil
			})
			if err != nil || !slices.Equal(left, []uint{2, 1, 0}) {
				t.Fatalf("enrolled %x with %v left: %v", id, left, err)
			}
			must(t, h.NameFingerprint(ctx, token, id, "thumb"))
			list, err := h.Fingerprints(ctx, token)
			if err != nil || len(list) != 1 || !bytes.Equal(list[0].ID, id) || list[0].FriendlyName != "thumb" {
				t.Errorf("%+v, %v", list, err)
			}
			if info, err := h.Info(ctx); err != nil || !info.Options["uv"] {
				t.Errorf("enrolled, and uv is not on: %v", err)
			}
			must(t, h.RemoveFingerprint(ctx, token, id))
			if info, err := h.Info(ctx); err != nil || info.Options["uv"] {
				t.Errorf("removed, and uv is on: %v", err)
			}
		})
	}
}

func TestEnrolmentThatIsGivenUp(t *testing.T) {
	ctx := t.Context()
	_, h := newKey(t, managed())
	must(t, h.SetPIN(ctx, "2580"))
	token, err := h.FingerprintToken(ctx, "2580")
	must(t, err)
	id, err := h.Enrol(ctx, token, 0, func(platform.Sample) error { return errGaveUp })
	if !errors.Is(err, errGaveUp) || id != nil {
		t.Errorf("%x, %v", id, err)
	}
	if list, err := h.Fingerprints(ctx, token); err != nil || list != nil {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestConfig(t *testing.T) {
	ctx := t.Context()
	_, h := newKey(t, managed())
	must(t, h.ToggleAlwaysUV(ctx, nil))
	must(t, h.ToggleAlwaysUV(ctx, nil))
	must(t, h.SetPIN(ctx, "2580"))
	if err := h.ToggleAlwaysUV(ctx, nil); !errors.Is(err, ctap.ErrPUATRequired) {
		t.Errorf("without a token: %v", err)
	}
	token, err := h.ConfigToken(ctx, "2580")
	must(t, err)
	must(t, h.EnableEnterpriseAttestation(ctx, token))
	must(t, h.EnableLongTouchForReset(ctx, token))
	must(t, h.VendorPrototype(ctx, token, 7, map[uint]any{2: "on"}))
	if err := h.VendorPrototype(ctx, token, 8, nil); !errors.Is(err, ctap.ErrInvalidParameter) {
		t.Errorf("another vendor's command: %v", err)
	}
	six := uint(6)
	must(t, h.SetMinPINLength(ctx, token, ctap.SetMinPINLengthParams{NewMinPINLength: &six}))
	info, err := h.Info(ctx)
	if err != nil || !info.Options["ep"] || !*info.LongTouchForReset || info.MinPINLength != 6 || !info.ForcePINChange {
		t.Errorf("%+v, %v", info, err)
	}
	must(t, h.ChangePIN(ctx, "2580", "258013"))
}

func TestReadOnlyToken(t *testing.T) {
	ctx := t.Context()
	k, h := newKey(t, managed())
	r := creation("ada")
	_, err := h.MakeCredential(ctx, r)
	must(t, err)
	must(t, h.SetPIN(ctx, "2580"))
	token, err := h.ReadOnlyToken(ctx, "2580")
	must(t, err)
	k.PowerCycle()
	token, err = h.ResumeToken(ctx, token.Bytes())
	must(t, err)
	rps, err := h.StoredRelyingParties(ctx, token)
	if err != nil || len(rps) != 1 || rps[0].ID != rpID {
		t.Errorf("%+v, %v", rps, err)
	}
	stored, err := h.StoredCredentials(ctx, token, rpID)
	if err != nil || len(stored) != 1 || stored[0].User.Name != "ada" || len(stored[0].PublicKey) == 0 {
		t.Fatalf("%+v, %v", stored, err)
	}
	if err := h.DeleteCredential(ctx, token, stored[0].ID); !errors.Is(err, ctap.ErrPINAuthInvalid) {
		t.Errorf("delete: %v", err)
	}
	before, err := h.Identity(ctx, token)
	must(t, err)
	manager, err := h.ManagementToken(ctx, "2580")
	must(t, err)
	must(t, h.DeleteCredential(ctx, manager, stored[0].ID))
	after, err := h.Identity(ctx, token)
	if err != nil || before.Identifier != after.Identifier || *before.StoreState == *after.StoreState {
		t.Errorf("%+v, then %+v, %v", before, after, err)
	}
	if none, err := h.StoredRelyingParties(context.Background(), token); err != nil || none != nil {
		t.Errorf("%+v, %v", none, err)
	}
}

// What built-in user verification may give, getInfo says; for the rest there is the PIN.
func TestVerificationForAdministration(t *testing.T) {
	for _, c := range []struct {
		option     string
		permission ctap.Permissions
		byUV       bool
	}{
		{"uvBioEnroll", ctap.PermBioEnrollment, true}, {"uvAcfg", ctap.PermBioEnrollment, false},
		{"uvAcfg", ctap.PermAuthenticatorCfg, true}, {"uvBioEnroll", ctap.PermAuthenticatorCfg, false},
		{"plat", ctap.PermCredentialMgmt, true},
	} {
		info := &ctap.Info{Options: map[string]bool{"uv": true, "pinUvAuthToken": true, "clientPin": true, c.option: true}}
		if v := platform.VerificationFor(info, c.permission); v.UVToken != c.byUV || !v.PIN {
			t.Errorf("%s, permission %d: %+v", c.option, c.permission, v)
		}
	}
}
