package authenticator

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// fullKey is a key of CTAP 2.3 with everything that config can change.
func fullKey() Profile {
	p := bioKey()
	p.Versions = []string{"FIDO_2_0", "FIDO_2_1", "FIDO_2_3"}
	p.Biometrics.Preview, p.Biometrics.Enrolled = false, 1
	p.Enterprise.Capable, p.LongTouchForReset, p.PINComplexityPolicy, p.LargeBlobs = true, true, true, true
	p.PINComplexityURL, p.VendorConfigCommands = "https://example.com/pin", []uint64{1 << 60}
	p.ReadOnlyManagement, p.EncCredStoreState = true, true
	p.Transports, p.ResetTransports = []string{"usb", "nfc"}, []string{"usb"}
	p.Certifications = map[string]uint{"FIDO": 1}
	return p
}

func TestConfigCommands(t *testing.T) {
	for name, c := range map[string]struct {
		profile Profile
		want    []uint
	}{
		"full":  {fullKey(), []uint{1, 2, 3, 4, 0xFF}},
		"plain": {managedKey(), []uint{2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.profile)
			for sub := uint(1); sub <= 0x100; sub++ {
				status := r.send(ctap.Config, ctap.ConfigRequest{SubCommand: sub}, nil)
				if known := status != ctap.ErrInvalidSubcommand; known != slices.Contains(c.want, sub) {
					t.Errorf("subcommand %d: %v", sub, status)
				}
			}
		})
	}
	r := newRig(t, fullKey())
	r.want(r.send(ctap.Config, ctap.ConfigRequest{}, nil), ctap.ErrMissingParameter, "no subcommand")
}

func TestConfigTokens(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermAuthenticatorCfg, "")
	for _, c := range []struct {
		name string
		q    ctap.ConfigRequest
		want ctap.Status
	}{
		{"none", ctap.ConfigRequest{SubCommand: 2}, ctap.ErrPUATRequired},
		{"no protocol", ctap.ConfigRequest{SubCommand: 2, PinUvAuthParam: make([]byte, 32)}, ctap.ErrMissingParameter},
		{"protocol 3", ctap.ConfigRequest{SubCommand: 2, PinUvAuthParam: make([]byte, 32), PinUvAuthProtocol: 3}, ctap.ErrInvalidParameter},
		{"wrong MAC", ctap.ConfigRequest{SubCommand: 2, PinUvAuthParam: make([]byte, 32), PinUvAuthProtocol: 2}, ctap.ErrPINAuthInvalid},
	} {
		m.want(m.send(ctap.Config, c.q, nil), c.want, c.name)
	}
	other := newManager(t, managedKey(), ctap.PermCredentialMgmt, "")
	other.want(other.configure(ctap.ToggleAlwaysUV, nil), ctap.ErrPINAuthInvalid, "without the permission")
	open := &manager{newRig(t, managedKey()), nil}
	open.want(open.configure(ctap.ToggleAlwaysUV, nil), ctap.OK, "nothing protects it")
	open.want(open.configure(ctap.SetMinPINLength, nil), ctap.ErrPUATRequired, "always-UV protects it")
	open.want(open.configure(ctap.ToggleAlwaysUV, nil), ctap.OK, "but for itself")
}

func TestConfigTurnsOn(t *testing.T) {
	m := newManager(t, fullKeyWithoutFinger(), ctap.PermAuthenticatorCfg, "")
	before := m.info()
	if before.Options["ep"] || *before.LongTouchForReset || *before.PinComplexityPolicy {
		t.Errorf("at first: %v %v %v", before.Options, *before.LongTouchForReset, *before.PinComplexityPolicy)
	}
	yes := true
	m.want(m.configure(ctap.EnableEnterpriseAttestation, nil), ctap.OK, "enableEnterpriseAttestation")
	m.want(m.configure(ctap.EnableEnterpriseAttestation, nil), ctap.OK, "again")
	m.want(m.configure(ctap.EnableLongTouchForReset, nil), ctap.OK, "enableLongTouchForReset")
	m.want(m.configure(ctap.VendorPrototype, nil), ctap.ErrMissingParameter, "which vendor command")
	m.want(m.configure(ctap.VendorPrototype, map[int]any{1: 7}), ctap.ErrInvalidParameter, "another vendor's command")
	m.want(m.configure(ctap.VendorPrototype, map[int]any{1: uint64(1) << 60, 2: "x"}), ctap.OK, "the vendor's command")
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{PinComplexityPolicy: &yes}), ctap.OK, "policy")
	after := m.info()
	if !after.Options["ep"] || !*after.LongTouchForReset || !*after.PinComplexityPolicy || !after.ForcePINChange {
		t.Errorf("then: %v %v %v, change forced %v", after.Options, *after.LongTouchForReset, *after.PinComplexityPolicy, after.ForcePINChange)
	}
	m.want(m.changePIN(pinuv.Two, "1234", "4321"), ctap.ErrPINPolicyViolation, "another trivial PIN")
	m.want(m.changePIN(pinuv.Two, "1234", "2580"), ctap.OK, "one that is not")
	m.want(m.send(ctap.Reset, nil, nil), ctap.OK, "reset")
	if got := m.info(); got.Options["ep"] || *got.LongTouchForReset || *got.PinComplexityPolicy {
		t.Errorf("after a reset: %v %v %v", got.Options, *got.LongTouchForReset, *got.PinComplexityPolicy)
	}
}

// fullKeyWithoutFinger has no way to verify its user but the PIN.
func fullKeyWithoutFinger() Profile {
	p := fullKey()
	p.BuiltInUV, p.Biometrics = NoBuiltInUV, Biometrics{}
	return p
}

func TestSetMinPINLengthRefuses(t *testing.T) {
	yes := true
	m := newManager(t, managedKey(), ctap.PermAuthenticatorCfg, "")
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{PinComplexityPolicy: &yes}), ctap.ErrInvalidParameter, "no such policy")
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: ptr(uint(64))}), ctap.ErrPINPolicyViolation, "longer than any")
	m.want(m.configure(ctap.SetMinPINLength, []int{1}), ctap.ErrCBORUnexpectedType, "a list")
	m.want(m.configure(ctap.SetMinPINLength, nil), ctap.OK, "no change")
	open := &manager{newRig(t, managedKey()), nil}
	open.want(open.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true}), ctap.ErrPINNotSet, "no PIN to change")
}

func TestTrivialPIN(t *testing.T) {
	for pin, want := range map[string]bool{
		"0000": true, "1212": true, "abcabc": true, "1234": true, "abcdef": true, "4321": true, "ペペペペ": true,
		"2580": false, "1224": false, "123455": false, "abcab": false, "7891": false,
	} {
		if trivialPIN(pin) != want {
			t.Errorf("%s: %v", pin, !want)
		}
	}
}

func TestResetRules(t *testing.T) {
	over := func(name string) context.Context { return ctap.WithTransport(context.Background(), name) }
	r := newRig(t, fullKey())
	r.want(r.sendContext(over("nfc"), ctap.Reset, nil, nil), ctap.ErrOperationDenied, "over NFC")
	r.want(r.send(ctap.Reset, nil, nil), ctap.OK, "over the first transport")
	if len(r.auth.device.Templates) != 0 {
		t.Error("a finger survived")
	}
	if hold := r.asked[len(r.asked)-1].Hold; hold != 0 {
		t.Errorf("a touch of %v", hold)
	}
	open := &manager{r, nil}
	r.want(open.configure(ctap.EnableLongTouchForReset, nil), ctap.OK, "long touch")
	r.want(r.sendContext(over("usb"), ctap.Reset, nil, nil), ctap.OK, "over USB")
	if hold := r.asked[len(r.asked)-1].Hold; hold != longTouch {
		t.Errorf("a touch of %v, want %v", hold, longTouch)
	}
	r.now = r.now.Add(resetWindow + 1)
	r.want(r.sendContext(over("usb"), ctap.Reset, nil, nil), ctap.ErrNotAllowed, "too late")
}

func TestPINAloneDoesNotGiveMcGa(t *testing.T) {
	p := fullKey()
	p.NoMcGaWithPIN = true
	r := newRig(t, p)
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	for _, permission := range []ctap.Permissions{ctap.PermMakeCredential, ctap.PermGetAssertion, ctap.PermGetAssertion | ctap.PermCredentialMgmt} {
		_, status := r.token(pinuv.Two, "1234", permission, "a.example")
		r.want(status, ctap.ErrUnauthorizedPerm, fmt.Sprintf("permissions %d", permission))
	}
	_, status := r.token(pinuv.Two, "1234", ctap.PermCredentialMgmt, "")
	r.want(status, ctap.OK, "cm")
	public, secret := r.agree(pinuv.Two)
	q := &ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: ctap.GetPinToken, KeyAgreement: public, PinHashEnc: r.encrypt(pinuv.Two, secret, pinHash("1234"))}
	r.want(r.send(ctap.ClientPIN, q, nil), ctap.ErrUnauthorizedPerm, "getPinToken")
	if !r.info().Options["noMcGaPermissionsWithClientPin"] || r.retries() != 8 {
		t.Error("the option is not told, or a try was counted")
	}
}

// What getInfo says of a full key and of a plain one.
func TestGetInfoTellsWhatIsThere(t *testing.T) {
	r := newRig(t, fullKey())
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	i := r.info()
	for _, id := range []string{"uv", "bioEnroll", "perCredMgmtRO", "largeBlobs", "setMinPINLength", "authnrCfg"} {
		if !i.Options[id] {
			t.Errorf("option %s is not true", id)
		}
	}
	if _, has := i.Options["uvBioEnroll"]; has {
		t.Error("uvBioEnroll is there")
	}
	if i.UvModality != 2 || *i.UvCountSinceLastPinEntry != 0 || i.PreferredPlatformUvAttempts != 3 || i.Certifications["FIDO"] != 1 {
		t.Errorf("uvModality %d, count %d, attempts %d, %v", i.UvModality, *i.UvCountSinceLastPinEntry, i.PreferredPlatformUvAttempts, i.Certifications)
	}
	if !slices.Equal(i.AuthenticatorConfigCommands, []uint{1, 2, 3, 4, 255}) || !slices.Equal(i.VendorPrototypeConfigCommands, []uint64{1 << 60}) {
		t.Errorf("config commands %v, %v", i.AuthenticatorConfigCommands, i.VendorPrototypeConfigCommands)
	}
	if string(i.PinComplexityPolicyURL) != "https://example.com/pin" || !slices.Equal(i.TransportsForReset, []string{"usb"}) {
		t.Errorf("%s, %v", i.PinComplexityPolicyURL, i.TransportsForReset)
	}
	plain := newRig(t, securityKey()).info()
	if plain.LongTouchForReset != nil || plain.PinComplexityPolicy != nil || plain.EncIdentifier != nil || plain.UvCountSinceLastPinEntry != nil ||
		plain.AuthenticatorConfigCommands != nil || plain.MaxSerializedLargeBlobArray != 0 || plain.MaxRPIDsForSetMinPINLength != nil {
		t.Errorf("a plain key: %+v", plain)
	}
}

// Built-in user verification counts, failed tries too, until the PIN is given.
func TestUVCountSinceLastPinEntry(t *testing.T) {
	r := newRig(t, fullKey())
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	count := func(want uint, what string) {
		t.Helper()
		if got := *r.info().UvCountSinceLastPinEntry; got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	q := creation("a.example", "ada")
	q.Options = map[string]bool{"uv": true}
	r.make(q)
	count(1, "a finger")
	r.answer = TimedOut
	r.send(ctap.MakeCredential, q, nil)
	count(1, "nobody")
	r.answer = NotRecognised
	r.send(ctap.MakeCredential, q, nil)
	count(4, "a stranger, three times")
	_, status := r.token(pinuv.Two, "1234", ctap.PermCredentialMgmt, "")
	r.want(status, ctap.OK, "token")
	count(0, "the PIN")
}

func TestLastingStateIsRestored(t *testing.T) {
	p := fullKey()
	r := newRig(t, p)
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	s, err := r.auth.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	second := newRig(t, p)
	if second.auth, err = Restore(p, second.env, s); err != nil {
		t.Fatal(err)
	}
	if a, b := r.auth.device, second.auth.device; !bytes.Equal(a.PersistentToken, b.PersistentToken) || len(b.Templates) != 1 || !b.TrivialPIN {
		t.Errorf("restored %+v", b)
	}
}

// The commands that administer a key, with any parameters and no token: no panic, and
// no change of what a token protects.
func FuzzAdministration(f *testing.F) {
	f.Add(byte(ctap.BioEnrollment), []byte("\xa3\x01\x01\x02\x01\x03\xa1\x03\x01"))
	f.Add(byte(ctap.LargeBlobs), []byte("\xa2\x01\x11\x03\x00"))
	f.Add(byte(ctap.Config), []byte("\xa2\x01\x03\x02\xa1\x01\x06"))
	r := newRig(f, fullKey())
	r.want(r.setPIN(pinuv.Two, "2580"), ctap.OK, "setPIN")
	before := fmt.Sprint(r.auth.device)
	f.Fuzz(func(t *testing.T, command byte, params []byte) {
		c := []ctap.Command{ctap.BioEnrollment, ctap.CredentialManagement, ctap.LargeBlobs, ctap.Config}[command%4]
		if _, err := r.auth.Exchange(t.Context(), append([]byte{byte(c)}, params...)); err != nil || fmt.Sprint(r.auth.device) != before {
			t.Errorf("%s %x: %v", c, params, err)
		}
	})
}
