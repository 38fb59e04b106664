package webauthn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

func TestRegisterAndSignIn(t *testing.T) {
	b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	made := b.create(`{"extensions":{"credProps":true},"authenticatorSelection":{"residentKey":"required"}}`)
	if got := b.commands(); got != "GetInfo MakeCredential" {
		t.Errorf("registration sent %s", got)
	}
	if made.data.Flags != ctap.FlagUP|ctap.FlagAT || made.AuthenticatorAttachment != "cross-platform" ||
		fmt.Sprint(made.Response.Transports) != "[nfc usb]" || made.Response.PublicKeyAlgorithm != -7 ||
		!*made.ClientExtensionResults.CredProps.RK {
		t.Errorf("registration %+v", made)
	}
	got := b.get(`{` + listed("allowCredentials", made) + `}`)
	if sent := b.commands(); sent != "GetAssertion" {
		t.Errorf("sign-in sent %s", sent)
	}
	got.verify(t, made)
	if got = b.get(`{}`); *got.Response.UserHandle != "YWRh" {
		t.Errorf("user handle %v", got.Response.UserHandle)
	}
	got.verify(t, made)
	if len(b.ceremonies) != 3 || b.ceremonies[1].Type != TypeGet || b.ceremonies[1].Response == nil {
		t.Errorf("observed %d ceremonies", len(b.ceremonies))
	}
}

func TestConveyance(t *testing.T) {
	anonymous := securityKey()
	anonymous.AAGUID = ctap.AAGUID{}
	for _, c := range []struct {
		preference string
		profile    authenticator.Profile
		want       string
	}{
		{"none", securityKey(), "none"},
		{"none", anonymous, "packed"}, // self attestation that tells nothing stays
		{"from a later edition", securityKey(), "none"},
		{"indirect", securityKey(), "packed"},
		{"direct", securityKey(), "packed"},
		{"enterprise", securityKey(), "packed"},
	} {
		b := newBrowser(t, Config{}, device("key", newKey(t, c.profile)))
		made := b.create(fmt.Sprintf(`{"attestation":%q}`, c.preference))
		object, err := ParseAttestationObject(unb64(t, made.Response.AttestationObject))
		if err != nil {
			t.Fatal(err)
		}
		if object.Format != c.want || string(object.AuthData) != string(made.raw) {
			t.Errorf("%s: format %s, want %s", c.preference, object.Format, c.want)
		}
		if made.data.Attested.AAGUID != c.profile.AAGUID {
			t.Errorf("%s: AAGUID %s", c.preference, made.data.Attested.AAGUID)
		}
	}
}

func TestPIN(t *testing.T) {
	k := newKey(t, securityKey())
	b := newBrowser(t, Config{}, device("key", k))
	if err := b.Host("key").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	b.commands()
	b.pins = []string{"9999", "1234"}
	made := b.create(`{"authenticatorSelection":{"userVerification":"required"}}`)
	if made.data.Flags&ctap.FlagUV == 0 {
		t.Error("not verified")
	}
	want := []PINPrompt{{"key", "login.example.com", 8, false}, {"key", "login.example.com", 7, true}}
	if fmt.Sprint(b.prompts) != fmt.Sprint(want) {
		t.Errorf("prompts %v, want %v", b.prompts, want)
	}
	if got := b.commands(); got != "GetInfo"+strings.Repeat(" ClientPIN", 6)+" MakeCredential" {
		t.Errorf("sent %s", got)
	}

	_, err := b.Get(t.Context(), origin, requestJSON(`{"userVerification":"required"}`))
	wantError(t, err, NotAllowedError, "")

	b.pins = []string{"1111", "2222", "3333", "1234"}
	_, err = b.Get(t.Context(), origin, requestJSON(`{`+listed("allowCredentials", made)+`}`))
	if e := wantError(t, err, NotAllowedError, ""); !errors.Is(e, ctap.ErrPINAuthBlocked) || !strings.Contains(e.Message, "insert") {
		t.Errorf("after three wrong PINs: %v", e)
	}
	k.PowerCycle()
	b.pins = []string{"1234"}
	b.get(`{`+listed("allowCredentials", made)+`}`).verify(t, made)

	b.get(`{"userVerification":"discouraged",`+listed("allowCredentials", made)+`}`).verify(t, made)
}

func TestVerificationWithoutPINEntry(t *testing.T) {
	k := newKey(t, securityKey())
	u := NewUserAgent(Config{Rand: strings.NewReader(strings.Repeat("x", 1000))}, device("key", k))
	if err := u.Host("key").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	_, err := u.Create(t.Context(), origin, creationJSON(""))
	if err != nil { // preferred, and the key does not insist
		t.Error(err)
	}
	_, err = u.Create(t.Context(), origin, creationJSON(`{"authenticatorSelection":{"userVerification":"required"}}`))
	wantError(t, err, NotAllowedError, "")
}

func TestBuiltInUV(t *testing.T) {
	b := newBrowser(t, Config{}, device("phone", newKey(t, phone())))
	made := b.create(`{"extensions":{"credProps":true}}`)
	if made.data.Flags != ctap.FlagUP|ctap.FlagUV|ctap.FlagBE|ctap.FlagAT || made.AuthenticatorAttachment != "platform" {
		t.Errorf("flags %v, attachment %s", made.data.Flags, made.AuthenticatorAttachment)
	}
	if rk := made.ClientExtensionResults.CredProps.RK; rk != nil {
		t.Errorf("rk %v of a platform authenticator that was not asked", *rk)
	}
	b.get("").verify(t, made)
}

// TestOldAuthenticator is about CTAP 2.0: getPinToken, and verification by option.
func TestOldAuthenticator(t *testing.T) {
	old := securityKey()
	old.Versions, old.PINProtocols = []string{"FIDO_2_0"}, []uint{1}
	b := newBrowser(t, Config{}, device("old", newKey(t, old)))
	if err := b.Host("old").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	b.pins = []string{"1234", "1234"}
	made := b.create(`{"authenticatorSelection":{"userVerification":"required","residentKey":"required"}}`)
	b.get(`{"userVerification":"required"}`).verify(t, made)

	scan := phone()
	scan.Versions = []string{"FIDO_2_0"}
	b = newBrowser(t, Config{}, device("scan", newKey(t, scan)))
	if made := b.create(`{"authenticatorSelection":{"userVerification":"required"}}`); made.data.Flags&ctap.FlagUV == 0 {
		t.Error("not verified")
	}
	if got := b.commands(); got != "GetInfo MakeCredential" {
		t.Errorf("sent %s", got)
	}
}

func TestExcluded(t *testing.T) {
	b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	made := b.create("")
	_, err := b.Create(t.Context(), origin, creationJSON(`{`+listed("excludeCredentials", made)+`}`))
	if e := wantError(t, err, InvalidStateError, ""); !errors.Is(e, ctap.ErrCredentialExcluded) {
		t.Errorf("beneath it: %v", e.Err)
	}
}

// TestLongLists is about lists that go to the authenticator in several parts.
func TestLongLists(t *testing.T) {
	p := securityKey()
	p.MaxCredsInList = 3
	b := newBrowser(t, Config{}, device("key", newKey(t, p)))
	made := b.create("")
	others := make([]*credential, 10)
	for i := range others {
		others[i] = &credential{ID: strings.Repeat(string(rune('A'+i)), 64)}
	}
	tooLong := &credential{ID: strings.Repeat("A", 2000)}
	list := append(append([]*credential{tooLong}, others...), made)
	b.commands()
	b.get(`{`+listed("allowCredentials", list...)+`}`).verify(t, made)
	if got := b.commands(); got != "GetAssertion GetAssertion GetAssertion GetAssertion GetAssertion" {
		t.Errorf("sent %s", got)
	}
	_, err := b.Create(t.Context(), origin, creationJSON(`{`+listed("excludeCredentials", list...)+`}`))
	wantError(t, err, InvalidStateError, "")
	_, err = b.Get(t.Context(), origin, requestJSON(`{`+listed("allowCredentials", others...)+`}`))
	wantError(t, err, NotAllowedError, "")
	b.commands()
	_, err = b.Get(t.Context(), origin, requestJSON(`{`+listed("allowCredentials", tooLong)+`}`))
	if wantError(t, err, NotAllowedError, ""); b.commands() != "" {
		t.Error("asked a device about an id that it cannot have made")
	}
}

func TestPRF(t *testing.T) {
	k := newKey(t, securityKey())
	b := newBrowser(t, Config{}, device("key", k))
	if err := b.Host("key").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		b.pins = append(b.pins, "1234")
	}
	const eval = `"extensions":{"prf":{"eval":{"first":"YQ","second":"Yg"}}}`
	made := b.create(`{"authenticatorSelection":{"userVerification":"required"},` + eval + `}`)
	prf := made.ClientExtensionResults.PRF
	if !*prf.Enabled || prf.Results == nil || len(prf.Results.First) != 43 || len(prf.Results.Second) != 43 {
		t.Fatalf("at creation %+v", prf)
	}
	other := b.create(`{"user":{"id":"Ym9i","name":"bob","displayName":"Bob"},"extensions":{"prf":{}}}`)
	if p := other.ClientExtensionResults.PRF; !*p.Enabled || p.Results != nil {
		t.Errorf("without inputs %+v", p)
	}

	got := b.get(`{"userVerification":"discouraged",` + listed("allowCredentials", made) + `,` + eval + `}`)
	if got.verify(t, made); *got.ClientExtensionResults.PRF.Results != *prf.Results {
		t.Errorf("at sign-in %+v, at creation %+v", got.ClientExtensionResults.PRF.Results, prf.Results)
	}
	if got.ClientExtensionResults.PRF.Enabled != nil {
		t.Error("enabled at sign-in")
	}
	swapped := fmt.Sprintf(`{%s,"extensions":{"prf":{"eval":{"first":"YQ"},"evalByCredential":{%q:{"first":"Yg"}}}}}`,
		listed("allowCredentials", made, &credential{ID: "AAAA"}), made.ID)
	got = b.get(swapped)
	if r := got.ClientExtensionResults.PRF.Results; r.First != prf.Results.Second || r.Second != "" {
		t.Errorf("by credential %+v", r)
	}
}

func TestPRFWithoutVerification(t *testing.T) {
	plain := securityKey()
	plain.Extensions = nil
	const eval = `{"extensions":{"prf":{"eval":{"first":"YQ"}}}}`
	for name, c := range map[string]struct {
		profile authenticator.Profile
		enabled bool
	}{"no PIN set": {securityKey(), true}, "no hmac-secret": {plain, false}} {
		b := newBrowser(t, Config{}, device("key", newKey(t, c.profile)))
		made := b.create(eval)
		if p := made.ClientExtensionResults.PRF; *p.Enabled != c.enabled || p.Results != nil {
			t.Errorf("%s: %+v", name, p)
		}
		got := b.get(`{` + listed("allowCredentials", made) + `,` + eval[1:])
		if p := got.ClientExtensionResults.PRF; p == nil || p.Results != nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestCredProtect(t *testing.T) {
	b := newBrowser(t, Config{}, device("key", newKey(t, securityKey())))
	made := b.create(`{"authenticatorSelection":{"residentKey":"required"},"extensions":{
		"credentialProtectionPolicy":"userVerificationOptionalWithCredentialIDList","enforceCredentialProtectionPolicy":true}}`)
	_, err := b.Get(t.Context(), origin, requestJSON(""))
	wantError(t, err, NotAllowedError, "")
	b.get(`{`+listed("allowCredentials", made)+`}`).verify(t, made)

	plain := securityKey()
	plain.Extensions = nil
	b = newBrowser(t, Config{}, device("plain", newKey(t, plain)))
	_, err = b.Create(t.Context(), origin, creationJSON(`{"extensions":{
		"credentialProtectionPolicy":"userVerificationRequired","enforceCredentialProtectionPolicy":true}}`))
	wantError(t, err, NotAllowedError, "extensions.enforceCredentialProtectionPolicy")
}

func TestSeveralAccounts(t *testing.T) {
	var offered []Account
	b := newBrowser(t, Config{ChooseAccount: func(_ context.Context, c AccountChoice) (int, error) {
		offered = c.Accounts
		return len(c.Accounts) - 1, nil
	}}, device("phone", newKey(t, phone())))
	first := b.create("")
	b.create(`{"user":{"id":"Ym9i","name":"bob","displayName":"Bob"}}`)
	b.create(`{"user":{"id":"Y3lk","name":"cyd","displayName":"Cyd"}}`)
	b.get("").verify(t, first)
	if len(offered) != 3 || offered[0].Name != "cyd" || offered[2].Name != "ada" {
		t.Errorf("offered %+v", offered)
	}
}

func TestSeveralDevices(t *testing.T) {
	other := securityKey()
	other.Name = "another key"
	keyA, keyB, handset := newKey(t, securityKey()), newKey(t, other), newKey(t, phone())
	b := newBrowser(t, Config{}, device("a", keyA), device("b", keyB), device("phone", handset))
	used := func() string { return b.exchanges[len(b.exchanges)-1].Device }

	b.create("")
	if used() != "a" {
		t.Errorf("registered with %s, not with the first", used())
	}
	b.create(`{"authenticatorSelection":{"authenticatorAttachment":"platform"}}`)
	if used() != "phone" {
		t.Errorf("platform authenticator %s", used())
	}
	b.create(`{"hints":["client-device"],"authenticatorSelection":{"authenticatorAttachment":"cross-platform"}}`)
	if used() != "phone" {
		t.Errorf("a hint that contradicts chose %s", used())
	}
	b.create(`{"authenticatorSelection":{"userVerification":"required"}}`)
	if used() != "phone" {
		t.Errorf("verified by %s", used())
	}
	response, err := b.Only("b").Create(t.Context(), origin, creationJSON(""))
	if err != nil {
		t.Fatal(err)
	}
	madeByB := read(t, response)
	b.get(`{`+listed("allowCredentials", madeByB)+`}`).verify(t, madeByB)
	if used() != "b" {
		t.Errorf("signed in with %s", used())
	}
	b.Unplug("b")
	_, err = b.Get(t.Context(), origin, requestJSON(`{`+listed("allowCredentials", madeByB)+`}`))
	wantError(t, err, NotAllowedError, "")
	_, err = b.Only("nothing").Create(t.Context(), origin, creationJSON(""))
	wantError(t, err, NotAllowedError, "")
}

func TestChooseDevice(t *testing.T) {
	var got DeviceChoice
	pick := 1
	b := newBrowser(t, Config{ChooseDevice: func(_ context.Context, c DeviceChoice) (int, error) {
		if got = c; pick < 0 {
			return 0, errors.New("nothing there that I know")
		}
		return pick, nil
	}}, device("a", newKey(t, securityKey())), device("b", newKey(t, phone())))
	made := b.create("")
	if got.Type != TypeCreate || fmt.Sprint(got.Candidates) != "[{a cross-platform false} {b platform false}]" {
		t.Errorf("asked %+v", got)
	}
	pick = 0
	b.get("").verify(t, made)
	if got.Type != TypeGet || fmt.Sprint(got.Candidates) != "[{b platform true} {a cross-platform false}]" {
		t.Errorf("asked %+v", got)
	}
	pick = -1
	_, err := b.Get(t.Context(), origin, requestJSON(""))
	wantError(t, err, NotAllowedError, "")
}

func TestUnsuitableDevices(t *testing.T) {
	plain := securityKey()
	plain.Discoverable, plain.ClientPIN = false, false
	for _, c := range []struct{ name, options, error, member string }{
		{"platform", `{"authenticatorSelection":{"authenticatorAttachment":"platform"}}`, NotAllowedError, "authenticatorSelection.authenticatorAttachment"},
		{"discoverable", `{"authenticatorSelection":{"residentKey":"required"}}`, ConstraintError, "authenticatorSelection.residentKey"},
		{"discoverable, Level 1", `{"authenticatorSelection":{"requireResidentKey":true}}`, ConstraintError, "authenticatorSelection.residentKey"},
		{"verified", `{"authenticatorSelection":{"userVerification":"required"}}`, ConstraintError, "authenticatorSelection.userVerification"},
		{"algorithm", `{"pubKeyCredParams":[{"type":"public-key","alg":-257}]}`, NotSupportedError, "pubKeyCredParams"},
	} {
		b := newBrowser(t, Config{}, device("plain", newKey(t, plain)))
		_, err := b.Create(t.Context(), origin, creationJSON(c.options))
		wantError(t, err, c.error, c.member)
	}
	b := newBrowser(t, Config{}, device("plain", newKey(t, plain)))
	_, err := b.Get(t.Context(), origin, requestJSON(`{"userVerification":"required"}`))
	wantError(t, err, NotAllowedError, "userVerification")
}

func TestUserDeclines(t *testing.T) {
	k := newKey(t, securityKey())
	k.answer = authenticator.Denied
	b := newBrowser(t, Config{}, device("key", k))
	_, err := b.Create(t.Context(), origin, creationJSON(""))
	if e := wantError(t, err, NotAllowedError, ""); !errors.Is(e, ctap.ErrOperationDenied) {
		t.Errorf("beneath it: %v", e.Err)
	}
}

func TestTimeoutAndAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKey(t, securityKey())
		k.answer = authenticator.Cancelled
		b := newBrowser(t, Config{}, device("key", k))
		for ms, want := range map[int]time.Duration{
			0: defaultTimeout, 60_000: time.Minute, 1e12: longestTimeout,
		} {
			start := time.Now()
			_, err := b.Create(t.Context(), origin, creationJSON(fmt.Sprintf(`{"timeout":%d}`, ms)))
			wantError(t, err, NotAllowedError, "")
			if took := time.Since(start); took != want {
				t.Errorf("timeout %d ms: gave up after %v, want %v", ms, took, want)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("the user went elsewhere")
		time.AfterFunc(time.Second, func() { cancel(why) })
		_, err := b.Create(ctx, origin, creationJSON(""))
		if e := wantError(t, err, AbortError, ""); !errors.Is(e, why) {
			t.Errorf("beneath it: %v", e.Err)
		}
		_, err = b.Get(ctx, origin, requestJSON(""))
		wantError(t, err, AbortError, "")
	})
}

func TestBrokenDevices(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		err    error
	}{
		"nothing":   {[]byte{}, nil},
		"not CBOR":  {[]byte{0, 0xFF}, nil},
		"unplugged": {nil, errors.New("no such device")},
	} {
		b := newBrowser(t, Config{}, device("broken", fixed{c.answer, c.err}))
		_, err := b.Create(t.Context(), origin, creationJSON(""))
		if e := wantError(t, err, UnknownError, ""); e.Err == nil {
			t.Errorf("%s: nothing beneath", name)
		}
		b.Plug(device("good", newKey(t, securityKey())))
		made := b.create(`{"authenticatorSelection":{"residentKey":"required"}}`)
		b.get("").verify(t, made)
	}
}

// fixed is a device that always says the same.
type fixed struct {
	answer []byte
	err    error
}

func (f fixed) Exchange(context.Context, []byte) ([]byte, error) { return f.answer, f.err }

func TestReset(t *testing.T) {
	k := newKey(t, securityKey())
	b := newBrowser(t, Config{}, device("key", k))
	if err := b.Host("key").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	k.PowerCycle()
	if err := b.Host("key").Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if made := b.create(""); made.data.Flags&ctap.FlagUV != 0 || len(b.prompts) != 0 {
		t.Error("asked for a PIN that is gone")
	}
}

// TestDeviceChangedByItself is about what is remembered of getInfo and no longer
// true.
func TestDeviceChangedByItself(t *testing.T) {
	p := securityKey()
	p.MakeCredNoUV = false
	k := newKey(t, p)
	b := newBrowser(t, Config{}, device("key", k))
	b.create("")
	elsewhere := newBrowser(t, Config{}, device("key", k))
	if err := elsewhere.Host("key").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	b.pins = []string{"1234"}
	if made := b.create(""); made.data.Flags&ctap.FlagUV == 0 {
		t.Error("not verified")
	}
	if err := elsewhere.Host("key").Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Forget("key")
	if made := b.create(`{"authenticatorSelection":{"userVerification":"discouraged"}}`); made.data.Flags&ctap.FlagUV != 0 {
		t.Error("verified without a PIN")
	}
}
