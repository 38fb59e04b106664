package platform_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"

	"fido-emu/ctap"
	"fido-emu/ctap/platform"
)

// scripted is an authenticator that answers each command in a fixed way.
type scripted map[ctap.Command][]byte

func (s scripted) Exchange(_ context.Context, request []byte) ([]byte, error) {
	if answer, ok := s[ctap.Command(request[0])]; ok {
		return answer, nil
	}
	return nil, errUnplugged
}

var errUnplugged = errors.New("no such device")

func ok(t testing.TB, answer any) []byte {
	t.Helper()
	b, err := ctap.Encode(answer)
	must(t, err)
	return append([]byte{byte(ctap.OK)}, b...)
}

func info(options map[string]bool) ctap.Info {
	return ctap.Info{Versions: []string{"FIDO_2_1"}, AAGUID: make([]byte, 16), Options: options, PinUvAuthProtocols: []uint{2}}
}

func authData(rpID string, attested *ctap.AttestedCredential) []byte {
	d := ctap.AuthenticatorData{RPIDHash: sha256.Sum256([]byte(rpID)), Flags: ctap.FlagUP, Attested: attested}
	return d.Append(nil)
}

func TestBrokenAnswers(t *testing.T) {
	attested := &ctap.AttestedCredential{ID: []byte("id"), PublicKey: []byte{0xA0}}
	listed := assertion()
	listed.AllowList = []ctap.Descriptor{{ID: []byte("a"), Type: "public-key"}, {ID: []byte("b"), Type: "public-key"}}
	makes := func(h *platform.Host) error { _, err := h.MakeCredential(t.Context(), creation("ada")); return err }
	asserts := func(h *platform.Host) error { _, err := h.GetAssertion(t.Context(), listed); return err }
	gets := func(h *platform.Host) error { _, err := h.Info(t.Context()); return err }
	retries := func(h *platform.Host) error { _, err := h.PINRetries(t.Context()); return err }
	sets := func(h *platform.Host) error { return h.SetPIN(t.Context(), "1234") }
	type made = ctap.MakeCredentialResponse
	type signed = ctap.GetAssertionResponse
	named := func(id string) *ctap.Descriptor { return &ctap.Descriptor{ID: []byte(id), Type: "public-key"} }
	for _, c := range []struct {
		name    string
		command ctap.Command
		answer  []byte
		call    func(*platform.Host) error
	}{
		{"no status", ctap.MakeCredential, []byte{}, makes},
		{"no CBOR", ctap.MakeCredential, []byte{0}, makes},
		{"CBOR cut short", ctap.MakeCredential, []byte{0, 0xA1, 0x01}, makes},
		{"another type", ctap.MakeCredential, []byte{0, 0xA1, 0x01, 0x05}, makes},
		{"short authenticator data", ctap.MakeCredential, ok(t, made{Format: "none", AuthData: make([]byte, 36), AttStmt: []byte{0xA0}}), makes},
		{"another relying party", ctap.MakeCredential, ok(t, made{Format: "none", AuthData: authData("evil.example", attested), AttStmt: []byte{0xA0}}), makes},
		{"nothing attested", ctap.MakeCredential, ok(t, made{Format: "none", AuthData: authData(rpID, nil), AttStmt: []byte{0xA0}}), makes},
		{"no credential id", ctap.MakeCredential, ok(t, made{Format: "none", AuthData: authData(rpID, &ctap.AttestedCredential{PublicKey: []byte{0xA0}}), AttStmt: []byte{0xA0}}), makes},
		{"no format", ctap.MakeCredential, ok(t, made{AuthData: authData(rpID, attested), AttStmt: []byte{0xA0}}), makes},
		{"another relying party", ctap.GetAssertion, ok(t, signed{Credential: named("a"), AuthData: authData("evil.example", nil), Signature: []byte{1}}), asserts},
		{"no signature", ctap.GetAssertion, ok(t, signed{Credential: named("a"), AuthData: authData(rpID, nil)}), asserts},
		{"a credential not asked for", ctap.GetAssertion, ok(t, signed{Credential: named("c"), AuthData: authData(rpID, nil), Signature: []byte{1}}), asserts},
		{"no credential, of two", ctap.GetAssertion, ok(t, signed{AuthData: authData(rpID, nil), Signature: []byte{1}}), asserts},
		{"a long user handle", ctap.GetAssertion, ok(t, signed{Credential: named("a"), AuthData: authData(rpID, nil), Signature: []byte{1}, User: &ctap.User{ID: make([]byte, 65)}}), asserts},
		{"no versions", ctap.GetInfo, ok(t, ctap.Info{AAGUID: make([]byte, 16)}), gets},
		{"short AAGUID", ctap.GetInfo, ok(t, ctap.Info{Versions: []string{"FIDO_2_0"}, AAGUID: make([]byte, 15)}), gets},
		{"no retries", ctap.ClientPIN, ok(t, ctap.ClientPINResponse{}), retries},
		{"no key", ctap.ClientPIN, ok(t, ctap.ClientPINResponse{}), sets},
		{"a key off the curve", ctap.ClientPIN, ok(t, ctap.ClientPINResponse{KeyAgreement: []byte{0xA0}}), sets},
	} {
		s := scripted{ctap.GetInfo: ok(t, info(map[string]bool{"clientPin": true})), c.command: c.answer}
		err := c.call(platform.New(s, rand.NewChaCha8([32]byte{1})))
		var broken *platform.Broken
		var status ctap.Status
		if !errors.As(err, &broken) || errors.As(err, &status) {
			t.Errorf("%s, %s: %v", c.command, c.name, err)
		}
	}
}

func TestTransportErrors(t *testing.T) {
	h := platform.New(scripted{}, nil)
	_, err := h.Info(t.Context())
	var broken *platform.Broken
	var refused *platform.Refused
	if !errors.Is(err, errUnplugged) || errors.As(err, &broken) || errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
}

func TestPINMustBeChanged(t *testing.T) {
	forced := info(map[string]bool{"clientPin": true, "pinUvAuthToken": true})
	forced.ForcePINChange = true
	h := platform.New(scripted{ctap.GetInfo: ok(t, forced)}, nil)
	user := &typist{pins: []string{"1234"}}
	_, err := h.Authorise(t.Context(), need(ctap.PermGetAssertion), user.ask)
	if !errors.Is(err, platform.ErrPINChangeRequired) || len(user.prompts) != 0 {
		t.Errorf("%v after %d prompts", err, len(user.prompts))
	}
}

func TestUnknownProtocol(t *testing.T) {
	odd := info(map[string]bool{"clientPin": true})
	odd.PinUvAuthProtocols = []uint{9}
	h := platform.New(scripted{ctap.GetInfo: ok(t, odd)}, nil)
	if err := h.SetPIN(t.Context(), "1234"); !errors.Is(err, platform.ErrNoProtocol) {
		t.Error(err)
	}
}

func TestVerificationFor(t *testing.T) {
	const mc, cm = ctap.PermMakeCredential, ctap.PermCredentialMgmt
	for _, c := range []struct {
		name    string
		options map[string]bool
		perms   ctap.Permissions
		want    platform.Verification
	}{
		{"nothing", nil, mc, platform.Verification{}},
		{"PIN not set", map[string]bool{"clientPin": false, "pinUvAuthToken": true}, mc, platform.Verification{}},
		{"PIN", map[string]bool{"clientPin": true, "pinUvAuthToken": true}, mc, platform.Verification{PIN: true}},
		{"finger and PIN", map[string]bool{"clientPin": true, "uv": true, "pinUvAuthToken": true}, mc, platform.Verification{UVToken: true, PIN: true}},
		{"finger of CTAP 2.0", map[string]bool{"uv": true}, mc, platform.Verification{UVOption: true}},
		{"PIN not for ceremonies", map[string]bool{"clientPin": true, "noMcGaPermissionsWithClientPin": true}, mc, platform.Verification{}},
		{"but for management", map[string]bool{"clientPin": true, "noMcGaPermissionsWithClientPin": true}, cm, platform.Verification{PIN: true}},
	} {
		i := info(c.options)
		if got := platform.VerificationFor(&i, c.perms); got != c.want || got.Any() != (c.want != platform.Verification{}) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(byte(ctap.MakeCredential), []byte{0, 0xA1, 0x01, 0x05})
	f.Add(byte(ctap.ClientPIN), []byte{0, 0xA1, 0x01, 0xA0})
	f.Fuzz(func(t *testing.T, command byte, answer []byte) {
		s := scripted{ctap.GetInfo: ok(t, info(map[string]bool{"clientPin": true, "uv": true, "pinUvAuthToken": true}))}
		s[ctap.Command(command)] = answer
		h := platform.New(s, rand.NewChaCha8([32]byte{1}))
		_, _ = h.Authorise(t.Context(), need(ctap.PermMakeCredential), (&typist{pins: []string{"1234"}}).ask)
		_, _ = h.MakeCredential(t.Context(), creation("ada"))
		if a, err := h.GetAssertion(t.Context(), assertion()); err == nil && (a.Credential == nil || a.Data == nil) {
			t.Errorf("%x passes as an assertion", answer)
		}
	})
}
