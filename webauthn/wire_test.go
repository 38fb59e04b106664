package webauthn

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
)

// edited is an authenticator whose getInfo says something else, and whose other
// requests are kept.
type edited struct {
	ctap.Authenticator
	t    testing.TB
	info func(*ctap.Info)
	sent *[][]byte
}

func (e edited) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	response, err := e.Authenticator.Exchange(ctx, request)
	if ctap.Command(request[0]) != ctap.GetInfo {
		*e.sent = append(*e.sent, request)
		return response, err
	}
	var info ctap.Info
	if err := ctap.DecodeLoose(response[1:], &info); err != nil {
		e.t.Fatal(err)
	}
	e.info(&info)
	b, err := ctap.Encode(info)
	return append([]byte{0}, b...), err
}

// creations decodes the authenticatorMakeCredential requests that were sent.
func creations(t testing.TB, sent [][]byte) (all []ctap.MakeCredentialRequest) {
	t.Helper()
	for _, b := range sent {
		var r ctap.MakeCredentialRequest
		if ctap.Command(b[0]) != ctap.MakeCredential {
			continue
		}
		if err := ctap.Decode(b[1:], &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestEnterpriseAttestation(t *testing.T) {
	for _, c := range []struct {
		capable    bool
		preference string
		managed    []string
		want       uint
	}{
		{true, "direct", []string{"login.example.com"}, 0},
		{true, "enterprise", nil, 1},
		{true, "enterprise", []string{"example.com"}, 1},
		{true, "enterprise", []string{"login.example.com"}, 2},
		{false, "enterprise", []string{"login.example.com"}, 0},
	} {
		var sent [][]byte
		a := edited{newKey(t, securityKey()), t, func(i *ctap.Info) { i.Options["ep"] = c.capable }, &sent}
		b := newBrowser(t, Config{EnterpriseRPIDs: c.managed}, device("key", a))
		// This authenticator has no enterprise attestation and refuses; what was sent counts.
		_, _ = b.Create(t.Context(), origin, creationJSON(fmt.Sprintf(`{"attestation":%q}`, c.preference)))
		got := creations(t, sent)
		if len(got) != 1 {
			t.Fatalf("%+v: sent %+v", c, got)
		}
		var kind uint
		if e := got[0].EnterpriseAttestation; e != nil {
			kind = *e
		}
		if kind != c.want {
			t.Errorf("%+v: sent %d", c, kind)
		}
	}
}

func TestAttestationFormats(t *testing.T) {
	for _, c := range []struct {
		since22 bool
		options string
		want    []string
	}{
		{true, `{}`, []string{"none"}},
		{true, `{"attestation":"none","attestationFormats":["packed"]}`, []string{"none"}},
		{true, `{"attestation":"direct","attestationFormats":["tpm","packed"]}`, []string{"tpm", "packed"}},
		{true, `{"attestation":"direct"}`, nil},
		{false, `{"attestation":"none"}`, nil},
	} {
		var sent [][]byte
		a := edited{newKey(t, securityKey()), t, func(i *ctap.Info) {
			if c.since22 {
				i.AttestationFormats = []string{"packed"}
			}
		}, &sent}
		newBrowser(t, Config{}, device("key", a)).create(c.options)
		if got := creations(t, sent); !slices.Equal(got[0].AttestationFormats, c.want) {
			t.Errorf("%s: sent %v, want %v", c.options, got[0].AttestationFormats, c.want)
		}
	}
}

// TestUVOptionFallsBackToPIN is about an authenticator of CTAP 2.0 that does not
// recognise its user.
func TestUVOptionFallsBackToPIN(t *testing.T) {
	p := phone()
	p.Versions, p.ClientPIN = []string{"FIDO_2_0"}, true
	k := newKey(t, p)
	b := newBrowser(t, Config{}, device("scan", k))
	if err := b.Host("scan").SetPIN(t.Context(), "1234"); err != nil {
		t.Fatal(err)
	}
	unknown := stranger{key: k}
	b.Plug(device("scan", &unknown))
	b.pins = []string{"1234", "1234"}
	made := b.create("")
	got := b.get(`{` + listed("allowCredentials", made) + `}`)
	got.verify(t, made)
	if made.data.Flags&got.data.Flags&ctap.FlagUV == 0 || len(b.prompts) != 2 {
		t.Errorf("flags %v and %v after %d prompts", made.data.Flags, got.data.Flags, len(b.prompts))
	}
}

// stranger has a user whom the device recognises by the PIN alone.
type stranger struct{ *key }

func (s *stranger) Exchange(ctx context.Context, request []byte) ([]byte, error) {
	s.answer = authenticator.NotRecognised
	if requestsWithoutUV(request) {
		s.answer = authenticator.Granted
	}
	return s.key.Exchange(ctx, request)
}

func requestsWithoutUV(request []byte) bool {
	switch ctap.Command(request[0]) {
	case ctap.MakeCredential:
		var r ctap.MakeCredentialRequest
		return ctap.Decode(request[1:], &r) == nil && !r.Options["uv"]
	case ctap.GetAssertion:
		var r ctap.GetAssertionRequest
		return ctap.Decode(request[1:], &r) == nil && !r.Options["uv"]
	}
	return true
}

func TestHintsOrderDevices(t *testing.T) {
	hybrid := securityKey()
	hybrid.Name, hybrid.Transports = "far", []string{"hybrid"}
	near := phone()
	near.Name = "near"
	for hints, want := range map[string]string{
		`[]`:                              "usb",
		`["security-key"]`:                "usb",
		`["client-device"]`:               "near",
		`["hybrid","client-device"]`:      "far",
		`["telepathy","client-device"]`:   "near",
		`["security-key","security-key"]`: "usb",
	} {
		b := newBrowser(t, Config{}, device("usb", newKey(t, securityKey())), device("near", newKey(t, near)), device("far", newKey(t, hybrid)))
		b.create(`{"hints":` + hints + `}`)
		if got := b.exchanges[len(b.exchanges)-1].Device; got != want {
			t.Errorf("%s: %s, want %s", hints, got, want)
		}
	}
}

// TestTransportsOrderDevices is about devices that tell nothing by themselves:
// the credential is invisible without user verification.
func TestTransportsOrderDevices(t *testing.T) {
	other := securityKey()
	other.Name, other.Transports = "other", []string{"ble"}
	a, k := newKey(t, other), newKey(t, securityKey())
	b := newBrowser(t, Config{}, device("other", a), device("key", k))
	for _, name := range []string{"other", "key"} {
		if err := b.Host(name).SetPIN(t.Context(), "1234"); err != nil {
			t.Fatal(err)
		}
	}
	b.pins = []string{"1234", "1234"}
	response, err := b.Only("key").Create(t.Context(), origin, creationJSON(`{"extensions":{"credentialProtectionPolicy":"userVerificationRequired"}}`))
	if err != nil {
		t.Fatal(err)
	}
	made := read(t, response)
	got := b.get(fmt.Sprintf(`{"allowCredentials":[{"type":"public-key","id":%q,"transports":["usb","smoke"]}]}`, made.ID))
	if got.verify(t, made); b.prompts[len(b.prompts)-1].Device != "key" || len(b.prompts) != 2 {
		t.Errorf("prompts %v", b.prompts)
	}
}

// TestSloppyStatement is about attestation statements that are not canonical.
func TestSloppyStatement(t *testing.T) {
	data := &ctap.AuthenticatorData{Attested: &ctap.AttestedCredential{AAGUID: ctap.AAGUID{1}}}
	for name, c := range map[string]struct{ statement, want string }{
		"canonical":      {"a263616c672663736967" + "4101", "a263616c672663736967" + "4101"},
		"unsorted":       {"a2637369674101" + "63616c6726", "a263616c672663736967" + "4101"},
		"long integer":   {"a163616c671807", "a163616c6707"},
		"duplicate keys": {"a2616101616101", ""},
		"cut short":      {"a1", ""},
	} {
		object := AttestationObject{Format: "packed", Statement: cbor.RawMessage(unhex(c.statement)), AuthData: make([]byte, 37)}
		err := object.convey(conveyanceDirect, data)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		if err != nil || string(object.Statement) != unhex(c.want) || ctap.CheckCanonical(object.Encode()) != nil {
			t.Errorf("%s: %x, %v", name, object.Statement, err)
		}
	}
}
