package authenticator

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

var protocols = []pinuv.Protocol{pinuv.One, pinuv.Two}

func TestSetAndChangePIN(t *testing.T) {
	for _, p := range protocols {
		r := newRig(t, securityKey())
		_, status := r.token(p, "1234", ctap.PermGetAssertion, "example.com")
		r.want(status, ctap.ErrPINNotSet, "token before a PIN is set")
		r.want(r.changePIN(p, "1234", "5678"), ctap.ErrPINNotSet, "changePIN before one is set")
		r.want(r.setPIN(p, "1234"), ctap.OK, "setPIN")
		r.want(r.setPIN(p, "1234"), ctap.ErrPINAuthInvalid, "setPIN again")
		r.want(r.changePIN(p, "0000", "5678"), ctap.ErrPINInvalid, "changePIN with a wrong one")
		r.want(r.changePIN(p, "1234", "5678"), ctap.OK, "changePIN")
		if n := r.retries(); n != 8 {
			t.Errorf("%v: %d retries after a right PIN", p, n)
		}
		_, status = r.token(p, "5678", ctap.PermGetAssertion, "example.com")
		r.want(status, ctap.OK, "token with the new PIN")
	}
}

func TestPINPolicy(t *testing.T) {
	for name, c := range map[string]struct {
		pin  string
		want ctap.Status
	}{
		"three digits":               {"123", ctap.ErrPINPolicyViolation},
		"empty":                      {"", ctap.ErrPINPolicyViolation},
		"one code point, four bytes": {"😌", ctap.ErrPINPolicyViolation},
		"four code points":           {"😌👍🏻4", ctap.OK},
		"63 bytes":                   {strings.Repeat("1", 63), ctap.OK},
		"64 bytes":                   {strings.Repeat("1", 64), ctap.ErrPINPolicyViolation},
		"not UTF-8":                  {"\xff\xff\xff\xff", ctap.ErrPINPolicyViolation},
	} {
		r := newRig(t, securityKey())
		r.want(r.setPIN(pinuv.Two, c.pin), c.want, name)
	}
}

func TestPINBlockOfWrongSize(t *testing.T) {
	for _, size := range []int{0, 16, 48, 80} {
		r := newRig(t, securityKey())
		public, secret := r.agree(pinuv.Two)
		enc := r.encrypt(pinuv.Two, secret, make([]byte, size))
		status := r.send(ctap.ClientPIN, &ctap.ClientPINRequest{
			PinUvAuthProtocol: 2, SubCommand: ctap.SetPIN, KeyAgreement: public,
			NewPinEnc: enc, PinUvAuthParam: pinuv.Two.Authenticate(secret, enc),
		}, nil)
		r.want(status, ctap.ErrInvalidParameter, "setPIN")
	}
}

// TestWrongPINs walks the whole way from the first wrong PIN to the blocked device.
func TestWrongPINs(t *testing.T) {
	r := newRig(t, securityKey())
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	wrong := func(want ctap.Status, retries uint) {
		t.Helper()
		_, status := r.token(pinuv.Two, "0000", ctap.PermGetAssertion, "example.com")
		r.want(status, want, "wrong PIN")
		if n := r.retries(); n != retries {
			t.Fatalf("%d retries, want %d", n, retries)
		}
	}
	wrong(ctap.ErrPINInvalid, 7)
	wrong(ctap.ErrPINInvalid, 6)
	wrong(ctap.ErrPINAuthBlocked, 5)
	wrong(ctap.ErrPINAuthBlocked, 5) // does not count while latched
	_, status := r.token(pinuv.Two, "1234", ctap.PermGetAssertion, "example.com")
	r.want(status, ctap.ErrPINAuthBlocked, "right PIN while latched")
	r.auth.PowerCycle()
	wrong(ctap.ErrPINInvalid, 4)
	wrong(ctap.ErrPINInvalid, 3)
	wrong(ctap.ErrPINAuthBlocked, 2)
	r.auth.PowerCycle()
	wrong(ctap.ErrPINInvalid, 1)
	wrong(ctap.ErrPINBlocked, 0)
	r.auth.PowerCycle()
	_, status = r.token(pinuv.Two, "1234", ctap.PermGetAssertion, "example.com")
	r.want(status, ctap.ErrPINBlocked, "right PIN when blocked")
	r.want(r.changePIN(pinuv.Two, "1234", "5678"), ctap.ErrPINBlocked, "changePIN when blocked")
	r.want(r.send(ctap.Reset, nil, nil), ctap.OK, "reset")
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN after reset")
}

func TestWrongPINMakesNewKeyAgreementKey(t *testing.T) {
	r := newRig(t, securityKey())
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	key := func() string {
		var response ctap.ClientPINResponse
		r.send(ctap.ClientPIN, &ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: ctap.GetKeyAgreement}, &response)
		return string(response.KeyAgreement)
	}
	old := key()
	if key() != old {
		t.Error("the key agreement key changes by itself")
	}
	r.token(pinuv.Two, "0000", ctap.PermGetAssertion, "example.com")
	if key() == old {
		t.Error("a wrong PIN leaves the key agreement key")
	}
}

// cutAfterSave is a DeviceState after whose first save the power goes.
type cutAfterSave struct{ DeviceState }

func (c cutAfterSave) Save(d Device) error {
	if err := c.DeviceState.Save(d); err != nil {
		return err
	}
	return errDisk // the power goes: the caller gets no further
}

func TestPINTryIsDurableBeforeTheComparison(t *testing.T) {
	r := newRig(t, securityKey())
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	public, secret := r.agree(pinuv.Two)
	permissions, rpID := ctap.PermGetAssertion, "example.com"
	request, err := ctap.NewRequest(ctap.ClientPIN, &ctap.ClientPINRequest{
		PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingPin, KeyAgreement: public,
		PinHashEnc: r.encrypt(pinuv.Two, secret, pinHash("1234")), Permissions: &permissions, RPID: &rpID,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.auth.env.Device = cutAfterSave{r.device}
	if _, err := r.auth.Exchange(t.Context(), request); err == nil {
		t.Fatal("answered although the power went")
	}
	again, err := New(securityKey(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	if again.device.PINRetries != 7 {
		t.Errorf("%d retries after a try that was cut off, want 7", again.device.PINRetries)
	}
}

func TestTokenRules(t *testing.T) {
	mc, ga := ctap.PermMakeCredential, ctap.PermGetAssertion
	for name, c := range map[string]struct {
		permissions ctap.Permissions
		tokenRP     string
		before      func(*rig)
		protocol    uint
		want        ctap.Status
	}{
		"fits":                   {mc, "example.com", nil, 2, ctap.OK},
		"other permission":       {ga, "example.com", nil, 2, ctap.ErrPINAuthInvalid},
		"other relying party":    {mc, "other.example", nil, 2, ctap.ErrPINAuthInvalid},
		"other protocol":         {mc, "example.com", nil, 1, ctap.ErrPINAuthInvalid},
		"within 30 s":            {mc, "example.com", func(r *rig) { r.now = r.now.Add(30 * time.Second) }, 2, ctap.OK},
		"after 30 s unused":      {mc, "example.com", func(r *rig) { r.now = r.now.Add(31 * time.Second) }, 2, ctap.ErrPINAuthInvalid},
		"after a power cycle":    {mc, "example.com", func(r *rig) { r.auth.PowerCycle() }, 2, ctap.ErrPINAuthInvalid},
		"after a later token":    {mc, "example.com", func(r *rig) { r.token(pinuv.One, "1234", mc, "example.com") }, 2, ctap.ErrPINAuthInvalid},
		"after changePIN":        {mc, "example.com", func(r *rig) { r.changePIN(pinuv.Two, "1234", "5678") }, 2, ctap.ErrPINAuthInvalid},
		"after a wrong PIN":      {mc, "example.com", func(r *rig) { r.token(pinuv.Two, "0000", mc, "example.com") }, 2, ctap.OK},
		"after a use of its own": {mc | ga, "example.com", func(r *rig) {}, 2, ctap.OK},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, securityKey())
			r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
			token, status := r.token(pinuv.Two, "1234", c.permissions, c.tokenRP)
			r.want(status, ctap.OK, "token")
			if c.before != nil {
				c.before(r)
			}
			q := discoverable("example.com", "ada")
			p, _ := pinuv.ByNumber(c.protocol)
			q.PinUvAuthParam, q.PinUvAuthProtocol = p.Authenticate(token, clientDataHash), c.protocol
			r.want(r.send(ctap.MakeCredential, q, nil), c.want, "makeCredential")
			if c.want == ctap.OK { // a ceremony spends the token
				r.want(r.send(ctap.MakeCredential, q, nil), ctap.ErrPINAuthInvalid, "makeCredential with the same token")
			}
		})
	}
}

func TestTokenRequestsRefused(t *testing.T) {
	r := newRig(t, securityKey())
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	for name, c := range map[string]struct {
		permissions ctap.Permissions
		rpID        string
		want        ctap.Status
	}{
		"no permissions":              {0, "example.com", ctap.ErrInvalidParameter},
		"mc without a relying party":  {ctap.PermMakeCredential, "", ctap.ErrMissingParameter},
		"a command that is not there": {ctap.PermBioEnrollment, "", ctap.ErrUnauthorizedPerm},
	} {
		_, status := r.token(pinuv.Two, "1234", c.permissions, c.rpID)
		r.want(status, c.want, name)
	}
}

func TestLegacyToken(t *testing.T) {
	for _, p := range protocols {
		r := newRig(t, securityKey())
		r.want(r.setPIN(p, "1234"), ctap.OK, "setPIN")
		public, secret := r.agree(p)
		q := &ctap.ClientPINRequest{
			PinUvAuthProtocol: p.Number(), SubCommand: ctap.GetPinToken, KeyAgreement: public,
			PinHashEnc: r.encrypt(p, secret, pinHash("1234")),
		}
		token, status := r.sendForToken(p, secret, q)
		r.want(status, ctap.OK, "getPinToken")
		made := discoverable("example.com", "ada")
		made.PinUvAuthParam, made.PinUvAuthProtocol = p.Authenticate(token, clientDataHash), p.Number()
		if data := r.make(made); data.Flags != ctap.FlagUP|ctap.FlagUV|ctap.FlagAT {
			t.Errorf("%v: flags %v", p, data.Flags)
		}
		rpID := "example.com"
		q.RPID = &rpID
		_, status = r.sendForToken(p, secret, q)
		r.want(status, ctap.ErrInvalidParameter, "getPinToken with a relying party")
	}
}

func TestDiscoverableNeedsPINOnceSet(t *testing.T) {
	r := newRig(t, securityKey())
	r.make(discoverable("example.com", "ada"))
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	r.want(r.send(ctap.MakeCredential, discoverable("example.com", "bob"), nil), ctap.ErrPUATRequired, "discoverable")
	r.make(creation("example.com", "bob")) // makeCredUvNotRqd
	p := securityKey()
	p.MakeCredNoUV = false
	strict := newRig(t, p)
	strict.want(strict.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	strict.want(strict.send(ctap.MakeCredential, creation("example.com", "bob"), nil), ctap.ErrPUATRequired, "not discoverable")
}

func TestAlwaysUV(t *testing.T) {
	p := securityKey()
	p.AlwaysUV = true
	r := newRig(t, p)
	r.want(r.send(ctap.MakeCredential, creation("example.com", "ada"), nil), ctap.ErrPUATRequired, "makeCredential")
	r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), ctap.ErrPUATRequired, "getAssertion")
	q := phone()
	q.AlwaysUV = true
	made := newRig(t, q).make(discoverable("example.com", "ada"))
	if made.Flags&ctap.FlagUV == 0 {
		t.Errorf("built-in user verification was not used: flags %v", made.Flags)
	}
}

func TestBuiltInUV(t *testing.T) {
	r := newRig(t, phone())
	q := discoverable("example.com", "ada")
	r.want(r.send(ctap.MakeCredential, q, nil), ctap.ErrOperationDenied, "without user verification")
	q.Options["uv"] = true
	r.answer = NotRecognised
	r.asked = nil
	r.want(r.send(ctap.MakeCredential, q, nil), ctap.ErrOperationDenied, "not recognised")
	if len(r.asked) != 3 || r.auth.device.UVRetries != 2 {
		t.Errorf("asked %d times, %d tries left; want 3 and 2", len(r.asked), r.auth.device.UVRetries)
	}
	r.want(r.send(ctap.MakeCredential, q, nil), ctap.ErrUVBlocked, "to the last try")
	r.answer = Granted
	r.auth.PowerCycle()
	r.want(r.send(ctap.MakeCredential, q, nil), ctap.ErrUVBlocked, "recognised too late")
}

func TestTokenUsingUV(t *testing.T) {
	r := newRig(t, phone())
	token := func() ([]byte, ctap.Status) {
		public, secret := r.agree(pinuv.Two)
		permissions, rpID := ctap.PermMakeCredential, "example.com"
		return r.sendForToken(pinuv.Two, secret, &ctap.ClientPINRequest{
			PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingUv, KeyAgreement: public, Permissions: &permissions, RPID: &rpID,
		})
	}
	r.answer = NotRecognised
	_, status := token()
	r.want(status, ctap.ErrUVInvalid, "not recognised")
	r.answer = Granted
	value, status := token()
	r.want(status, ctap.OK, "recognised")
	r.asked = nil
	q := discoverable("example.com", "ada")
	q.PinUvAuthParam, q.PinUvAuthProtocol = pinuv.Two.Authenticate(value, clientDataHash), 2
	if made := r.make(q); made.Flags&ctap.FlagUV == 0 || len(r.asked) != 0 {
		t.Errorf("flags %v, asked %d times: the finger counts as presence", made.Flags, len(r.asked))
	}
	var response ctap.ClientPINResponse
	r.want(r.send(ctap.ClientPIN, &ctap.ClientPINRequest{SubCommand: ctap.GetUVRetries}, &response), ctap.OK, "getUVRetries")
	if *response.UVRetries != 5 {
		t.Errorf("%d tries left after success", *response.UVRetries)
	}
	r.want(r.send(ctap.ClientPIN, &ctap.ClientPINRequest{SubCommand: ctap.GetPINRetries}, nil), ctap.ErrInvalidSubcommand, "PIN retries without a PIN")
}

func TestResetWindow(t *testing.T) {
	r := newRig(t, securityKey())
	made := r.make(creation("example.com", "ada"))
	r.make(discoverable("example.com", "ada"))
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	r.now = r.now.Add(11 * time.Second)
	r.want(r.send(ctap.Reset, nil, nil), ctap.ErrNotAllowed, "after 11 s")
	r.auth.PowerCycle()
	r.answer = Denied
	r.want(r.send(ctap.Reset, nil, nil), ctap.ErrOperationDenied, "denied")
	r.answer = Granted
	r.want(r.send(ctap.Reset, nil, nil), ctap.OK, "reset")
	r.want(r.send(ctap.GetAssertion, assertion("example.com", made.Attested.ID), nil), ctap.ErrNoCredentials, "sealed credential")
	r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), ctap.ErrNoCredentials, "stored credential")
	if r.auth.pinSet() || r.auth.device.Counter != 2 {
		t.Errorf("PIN set %v, counter %d", r.auth.pinSet(), r.auth.device.Counter)
	}
}

func TestGetInfo(t *testing.T) {
	r := newRig(t, securityKey())
	var info ctap.Info
	r.want(r.send(ctap.GetInfo, nil, &info), ctap.OK, "getInfo")
	if set, ok := info.Options["clientPin"]; !ok || set || !info.Options["rk"] || info.MinPINLength != 4 || *info.RemainingDiscoverableCredentials != 5 {
		t.Errorf("%+v", info)
	}
	r.make(discoverable("example.com", "ada"))
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	r.want(r.send(ctap.GetInfo, nil, &info), ctap.OK, "getInfo")
	if !info.Options["clientPin"] || *info.RemainingDiscoverableCredentials != 4 {
		t.Errorf("%+v", info)
	}
	old := securityKey()
	old.Versions = []string{"FIDO_2_0"}
	var info20 ctap.Info
	newRig(t, old).send(ctap.GetInfo, nil, &info20)
	for _, option := range []string{"pinUvAuthToken", "makeCredUvNotRqd", "alwaysUv"} {
		if _, ok := info20.Options[option]; ok {
			t.Errorf("a CTAP 2.0 key has option %s", option)
		}
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	r := newRig(t, securityKey())
	made := r.make(discoverable("example.com", "ada"))
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	snapshot, err := r.auth.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	clone := newRig(t, securityKey())
	if clone.auth, err = Restore(securityKey(), clone.env, snapshot); err != nil {
		t.Fatal(err)
	}
	_, ours := r.get(assertion("example.com"), made.Attested.PublicKey)
	_, theirs := clone.get(assertion("example.com"), made.Attested.PublicKey)
	if ours.SignCount != theirs.SignCount {
		t.Errorf("counters %d and %d; a clone counts from where it was made", ours.SignCount, theirs.SignCount)
	}
	clone.want(clone.setPIN(pinuv.Two, "9999"), ctap.ErrPINAuthInvalid, "the clone has the PIN")
}

func TestSeededIsReproducible(t *testing.T) {
	run := func() string {
		r := newRig(t, securityKey())
		r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
		made := r.make(creation("example.com", "ada"))
		got, _ := r.get(assertion("example.com", made.Attested.ID), made.Attested.PublicKey)
		return string(made.Append(nil)) + string(got.Signature)
	}
	if first, second := run(), run(); first != second {
		t.Error("two runs from one seed differ")
	}
}

// TestPINTriesNeverComeBack plays random sequences against the rule that only the
// right PIN, a reset or nothing at all changes the count upwards.
func TestPINTriesNeverComeBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, securityKey())
		r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
		left, wrong := uint(8), 0
		for _, action := range rapid.SliceOfN(rapid.SampledFrom([]string{"right", "wrong", "wrong", "change", "power", "time"}), 1, 30).Draw(rt, "actions") {
			switch action {
			case "power":
				r.auth.PowerCycle()
				wrong = 0
				continue
			case "time":
				r.now = r.now.Add(time.Hour)
				continue
			}
			blocked := left == 0 || wrong >= 3
			var status ctap.Status
			switch action {
			case "right":
				_, status = r.token(pinuv.Two, "1234", ctap.PermGetAssertion, "example.com")
			case "change":
				status = r.changePIN(pinuv.One, "0000", "5678")
			default:
				_, status = r.token(pinuv.One, "0000", ctap.PermGetAssertion, "example.com")
			}
			switch {
			case blocked && status != ctap.ErrPINBlocked && status != ctap.ErrPINAuthBlocked:
				rt.Fatalf("%s while blocked: %v", action, status)
			case !blocked && action == "right":
				left, wrong = 8, 0
			case !blocked:
				left, wrong = left-1, wrong+1
			}
			if got := r.retries(); got != left {
				rt.Fatalf("%d tries left, want %d", got, left)
			}
		}
	})
}
