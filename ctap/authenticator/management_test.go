package authenticator

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// managedKey is a key with credential management, configuration and U2F.
func managedKey() Profile {
	p := securityKey()
	p.CredentialManagement, p.Config, p.U2F = true, true, true
	p.Extensions = append(p.Extensions, ExtMinPinLength)
	return p
}

// manager is a rig with a PIN and a token.
type manager struct {
	*rig
	token []byte
}

func newManager(t *testing.T, p Profile, permission ctap.Permissions, rpID string) *manager {
	t.Helper()
	r := newRig(t, p)
	for _, rp := range []string{"a.example", "b.example"} {
		for _, user := range []string{"ada", "bob"} {
			r.make(discoverable(rp, user))
		}
	}
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	token, status := r.token0(permission, rpID)
	r.want(status, ctap.OK, "token")
	return &manager{r, token}
}

func (r *rig) token0(permission ctap.Permissions, rpID string) ([]byte, ctap.Status) {
	r.t.Helper()
	return r.token(pinuv.Two, "1234", permission, rpID)
}

// manage sends a credential management subcommand, authorised by the token.
func (m *manager) manage(sub uint, params any) (ctap.CredentialManagementResponse, ctap.Status) {
	m.t.Helper()
	q := &ctap.CredentialManagementRequest{SubCommand: sub, PinUvAuthProtocol: 2}
	if params != nil {
		raw, err := ctap.Encode(params)
		if err != nil {
			m.t.Fatal(err)
		}
		q.Params = raw
	}
	q.PinUvAuthParam = pinuv.Two.Authenticate(m.token, append([]byte{byte(sub)}, q.Params...))
	var response ctap.CredentialManagementResponse
	status := m.send(ctap.CredentialManagement, q, &response)
	return response, status
}

func (m *manager) next(sub uint) (ctap.CredentialManagementResponse, ctap.Status) {
	m.t.Helper()
	var response ctap.CredentialManagementResponse
	status := m.send(ctap.CredentialManagement, &ctap.CredentialManagementRequest{SubCommand: sub}, &response)
	return response, status
}

func rpHash(rpID string) []byte { h := sha256.Sum256([]byte(rpID)); return h[:] }

func TestCredentialManagement(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermCredentialMgmt, "")
	meta, status := m.manage(ctap.GetCredsMetadata, nil)
	m.want(status, ctap.OK, "getCredsMetadata")
	if *meta.ExistingCredentials != 4 || *meta.RemainingCredentials != 1 {
		t.Errorf("%d there, %d fit", *meta.ExistingCredentials, *meta.RemainingCredentials)
	}
	rp, status := m.manage(ctap.EnumerateRPsBegin, nil)
	m.want(status, ctap.OK, "enumerateRPsBegin")
	if rp.TotalRPs != 2 || rp.RP.ID != "a.example" || !bytes.Equal(rp.RPIDHash, rpHash("a.example")) {
		t.Errorf("first relying party %+v of %d", rp.RP, rp.TotalRPs)
	}
	rp, status = m.next(ctap.EnumerateRPsNext)
	m.want(status, ctap.OK, "enumerateRPsGetNextRP")
	if rp.RP.ID != "b.example" || rp.TotalRPs != 0 {
		t.Errorf("second relying party %+v", rp.RP)
	}
	_, status = m.next(ctap.EnumerateRPsNext)
	m.want(status, ctap.ErrNotAllowed, "past the end")

	c, status := m.manage(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash("b.example")})
	m.want(status, ctap.OK, "enumerateCredentialsBegin")
	if c.TotalCredentials != 2 || c.User.Name != "bob@example.com" || c.CredProtect != 1 {
		t.Errorf("first credential %+v of %d", c.User, c.TotalCredentials)
	}
	if _, _, err := cose.Parse(c.PublicKey); err != nil {
		t.Error(err)
	}
	_, status = m.next(ctap.EnumerateRPsNext)
	m.want(status, ctap.ErrNotAllowed, "the other enumeration's next")
}

func TestUpdateAndDelete(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermCredentialMgmt, "")
	c := m.newest("a.example")
	id := ctap.Descriptor{ID: c.ID, Type: ctap.PublicKeyCredential}
	_, status := m.manage(ctap.UpdateUserInformation, ctap.CredentialManagementParams{CredentialID: &id, User: &ctap.User{ID: []byte("eve")}})
	m.want(status, ctap.ErrInvalidParameter, "update with another user.id")
	_, status = m.manage(ctap.UpdateUserInformation, ctap.CredentialManagementParams{CredentialID: &id, User: &ctap.User{ID: c.User.ID, DisplayName: "Robert"}})
	m.want(status, ctap.OK, "update")
	if u := m.newest("a.example").User; u.DisplayName != "Robert" || u.Name != "" {
		t.Errorf("user is %+v: absent names are removed", u)
	}
	_, status = m.manage(ctap.DeleteCredential, ctap.CredentialManagementParams{CredentialID: &id})
	m.want(status, ctap.OK, "delete")
	_, status = m.manage(ctap.DeleteCredential, ctap.CredentialManagementParams{CredentialID: &id})
	m.want(status, ctap.ErrNoCredentials, "delete again")
}

func TestManagementRefuses(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermCredentialMgmt, "a.example")
	_, status := m.manage(ctap.GetCredsMetadata, nil)
	m.want(status, ctap.ErrPINAuthInvalid, "metadata with a token of one relying party")
	_, status = m.manage(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash("b.example")})
	m.want(status, ctap.ErrPINAuthInvalid, "another relying party's credentials")
	_, status = m.manage(ctap.EnumerateCredentialsBegin, map[int]any{1: rpHash("a.example")})
	m.want(status, ctap.OK, "its own")
	id := ctap.Descriptor{ID: m.newest("b.example").ID, Type: ctap.PublicKeyCredential}
	_, status = m.manage(ctap.DeleteCredential, ctap.CredentialManagementParams{CredentialID: &id})
	m.want(status, ctap.ErrPINAuthInvalid, "delete of another relying party")
	_, status = m.manage(ctap.EnumerateCredentialsBegin, map[int]any{1: []byte{1}})
	m.want(status, ctap.ErrInvalidParameter, "short hash")
	_, status = m.manage(ctap.DeleteCredential, nil)
	m.want(status, ctap.ErrMissingParameter, "delete of nothing")
	_, status = m.manage(9, nil)
	m.want(status, ctap.ErrInvalidSubcommand, "subcommand 9")
	m.want(m.send(ctap.CredentialManagement, &ctap.CredentialManagementRequest{SubCommand: 1}, nil), ctap.ErrPUATRequired, "no token")

	wrong := newManager(t, managedKey(), ctap.PermAuthenticatorCfg, "")
	_, status = wrong.manage(ctap.GetCredsMetadata, nil)
	m.want(status, ctap.ErrPINAuthInvalid, "token without the permission")

	empty := newRig(t, managedKey())
	empty.want(empty.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	token, _ := empty.token0(ctap.PermCredentialMgmt, "")
	_, status = (&manager{empty, token}).manage(ctap.EnumerateRPsBegin, nil)
	m.want(status, ctap.ErrNoCredentials, "relying parties of an empty key")
	r := newRig(t, securityKey())
	r.want(r.send(ctap.CredentialManagement, &ctap.CredentialManagementRequest{SubCommand: 1}, nil), ctap.ErrInvalidCommand, "without the feature")
}

func TestManagementPreviewTakesLegacyTokens(t *testing.T) {
	p := managedKey()
	p.Versions, p.CredentialManagement, p.CredentialManagementPreview, p.Config = []string{"FIDO_2_0", "FIDO_2_1_PRE"}, false, true, false
	p.Extensions, p.MakeCredNoUV = nil, false
	r := newRig(t, p)
	r.make(discoverable("a.example", "ada"))
	r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
	public, secret := r.agree(pinuv.Two)
	token, status := r.sendForToken(pinuv.Two, secret, &ctap.ClientPINRequest{
		PinUvAuthProtocol: 2, SubCommand: ctap.GetPinToken, KeyAgreement: public, PinHashEnc: r.encrypt(pinuv.Two, secret, pinHash("1234")),
	})
	r.want(status, ctap.OK, "getPinToken")
	q := &ctap.CredentialManagementRequest{SubCommand: 1, PinUvAuthProtocol: 2, PinUvAuthParam: pinuv.Two.Authenticate(token, []byte{1})}
	r.want(r.send(ctap.CredentialManagementPreview, q, nil), ctap.OK, "getCredsMetadata")
	r.want(r.send(ctap.CredentialManagement, q, nil), ctap.ErrInvalidCommand, "under the final number")
}

// configure sends an authenticatorConfig subcommand.
func (m *manager) configure(sub uint, params any) ctap.Status {
	m.t.Helper()
	q := &ctap.ConfigRequest{SubCommand: sub}
	if params != nil {
		raw, err := ctap.Encode(params)
		if err != nil {
			m.t.Fatal(err)
		}
		q.Params = raw
	}
	if m.token != nil {
		message := append(bytes.Repeat([]byte{0xFF}, 32), 0x0D, byte(sub))
		q.PinUvAuthProtocol, q.PinUvAuthParam = 2, pinuv.Two.Authenticate(m.token, append(message, q.Params...))
	}
	return m.send(ctap.Config, q, nil)
}

func TestToggleAlwaysUV(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermAuthenticatorCfg, "")
	m.want((&manager{m.rig, nil}).configure(ctap.ToggleAlwaysUV, nil), ctap.ErrPUATRequired, "without a token")
	if !m.auth.HasU2F() {
		t.Error("no U2F before")
	}
	m.want(m.configure(ctap.ToggleAlwaysUV, nil), ctap.OK, "on")
	var info ctap.Info
	m.want(m.send(ctap.GetInfo, nil, &info), ctap.OK, "getInfo")
	if !info.Options["alwaysUv"] || info.Options["makeCredUvNotRqd"] || info.Versions[0] == "U2F_V2" || m.auth.HasU2F() {
		t.Errorf("options %v, versions %v", info.Options, info.Versions)
	}
	m.want(m.send(ctap.GetAssertion, assertion("a.example"), nil), ctap.ErrPUATRequired, "getAssertion")
	m.want(m.configure(ctap.ToggleAlwaysUV, nil), ctap.OK, "off")
	m.want(m.send(ctap.GetAssertion, assertion("a.example"), nil), ctap.OK, "getAssertion")
}

func TestSetMinPINLength(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermAuthenticatorCfg, "")
	six, three := uint(6), uint(3)
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: &three}), ctap.ErrPINPolicyViolation, "smaller")
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{MinPinLengthRPIDs: make([]string, 9)}), ctap.ErrKeyStoreFull, "nine relying parties")
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{NewMinPINLength: &six, MinPinLengthRPIDs: []string{"c.example"}}), ctap.OK, "six")
	var info ctap.Info
	m.want(m.send(ctap.GetInfo, nil, &info), ctap.OK, "getInfo")
	if info.MinPINLength != 6 || !info.ForcePINChange {
		t.Errorf("minimum %d, change forced %v", info.MinPINLength, info.ForcePINChange)
	}
	_, status := m.token0(ctap.PermAuthenticatorCfg, "")
	m.want(status, ctap.ErrPINPolicyViolation, "token before the change")
	m.want(m.changePIN(pinuv.Two, "1234", "12345"), ctap.ErrPINPolicyViolation, "five digits")
	m.want(m.changePIN(pinuv.Two, "1234", "123456"), ctap.OK, "six digits")
	for rp, want := range map[string]bool{"c.example": true, "a.example": false} {
		q := creation(rp, "eve")
		q.Extensions = ext(ExtMinPinLength, true)
		var outputs map[string]cbor.RawMessage
		if made := m.make(q); made.Extensions != nil {
			if err := ctap.DecodeLoose(made.Extensions, &outputs); err != nil {
				t.Fatal(err)
			}
		}
		if got := bytes.Equal(outputs[ExtMinPinLength], []byte{6}); got != want {
			t.Errorf("%s is told %x", rp, outputs[ExtMinPinLength])
		}
	}
}

func TestForcedChangeNeedsAnotherPIN(t *testing.T) {
	m := newManager(t, managedKey(), ctap.PermAuthenticatorCfg, "")
	m.want(m.configure(ctap.SetMinPINLength, ctap.SetMinPINLengthParams{ForceChangePin: true}), ctap.OK, "force")
	m.want(m.changePIN(pinuv.Two, "1234", "1234"), ctap.ErrPINPolicyViolation, "the same PIN")
	m.want(m.changePIN(pinuv.Two, "1234", "4321"), ctap.OK, "another")
}

// testU2F attests to U2F registrations with a key of its own.
type testU2F struct {
	Attestation
	key *ecdsa.PrivateKey
}

func (u testU2F) AttestU2F(message []byte) ([]byte, []byte, error) {
	digest := sha256.Sum256(message)
	sig, err := ecdsa.SignASN1(rand.Reader, u.key, digest[:])
	return []byte{0x30, 0x00}, sig, err
}

func (r *rig) u2f(apdu []byte) ([]byte, uint16) {
	r.t.Helper()
	response, err := r.auth.Message(r.t.Context(), apdu)
	if err != nil || len(response) < 2 {
		r.t.Fatalf("%x: %x, %v", apdu, response, err)
	}
	n := len(response) - 2
	return response[:n], uint16(response[n])<<8 | uint16(response[n+1])
}

func extended(ins, p1 byte, data []byte) []byte {
	return append(concat([]byte{0, ins, p1, 0, 0, byte(len(data) >> 8), byte(len(data))}, data), 0, 0)
}

func TestU2F(t *testing.T) {
	r := newRig(t, managedKey())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r.auth.env.Attestation = testU2F{key: key}
	if v, sw := r.u2f(extended(u2fVersion, 0, nil)); string(v) != "U2F_V2" || sw != swOK {
		t.Errorf("version %q, %04X", v, sw)
	}
	challenge, application := bytes.Repeat([]byte{1}, 32), rpHash("example.com")
	register := extended(u2fRegister, 0, concat(challenge, application))
	r.answer = TimedOut
	if _, sw := r.u2f(register); sw != swNotSatisfied {
		t.Errorf("register without a touch: %04X", sw)
	}
	r.answer = Granted
	response, sw := r.u2f(register)
	if sw != swOK || response[0] != 5 {
		t.Fatalf("register: %x, %04X", response, sw)
	}
	point, handle := response[1:66], response[67:67+int(response[66])]
	signature := response[67+len(handle)+2:]
	digest := sha256.Sum256(concat([]byte{0}, application, challenge, handle, point))
	if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
		t.Error("the attestation does not verify")
	}

	sign := concat(challenge, application, []byte{byte(len(handle))}, handle)
	if _, sw := r.u2f(extended(u2fAuthenticate, u2fCheckOnly, sign)); sw != swNotSatisfied {
		t.Errorf("check-only: %04X", sw)
	}
	response, sw = r.u2f(extended(u2fAuthenticate, u2fEnforce, sign))
	if sw != swOK || response[0] != 1 {
		t.Fatalf("authenticate: %x, %04X", response, sw)
	}
	public := cose.MarshalP256(cose.ES256, point)
	if err := cose.Verify(public, concat(application, response[:5], challenge), response[5:]); err != nil {
		t.Error(err)
	}
	other := concat(challenge, rpHash("other.example"), []byte{byte(len(handle))}, handle)
	if _, sw := r.u2f(extended(u2fAuthenticate, u2fCheckOnly, other)); sw != swWrongData {
		t.Errorf("another application: %04X", sw)
	}
	// CTAP2 can use what U2F made.
	if _, data := r.get(assertion("example.com", handle), public); data.SignCount != 2 {
		t.Errorf("counter %d", data.SignCount)
	}
}

func TestU2FRefuses(t *testing.T) {
	r := newRig(t, managedKey())
	for name, c := range map[string]struct {
		apdu []byte
		want uint16
	}{
		"nothing":              {nil, swWrongLength},
		"wrong class":          {[]byte{1, 3, 0, 0}, swClaUnsupported},
		"unknown instruction":  {[]byte{0, 9, 0, 0}, swInsUnsupported},
		"short register":       {extended(u2fRegister, 0, make([]byte, 63)), swWrongLength},
		"length beyond":        {[]byte{0, 1, 0, 0, 0, 0, 64, 1}, swWrongLength},
		"handle beyond":        {extended(u2fAuthenticate, 3, append(make([]byte, 64), 9)), swWrongLength},
		"foreign handle":       {extended(u2fAuthenticate, 3, append(make([]byte, 64), 1, 1)), swWrongData},
		"version with data":    {extended(u2fVersion, 0, []byte{1}), swWrongLength},
		"register, short form": {append([]byte{0, 1, 0, 0, 63}, make([]byte, 63)...), swWrongLength},
	} {
		if _, sw := r.u2f(c.apdu); sw != c.want {
			t.Errorf("%s: %04X, want %04X", name, sw, c.want)
		}
	}
	d := r.auth.device
	d.AlwaysUV = true
	if err := r.auth.save(d); err != nil {
		t.Fatal(err)
	}
	if _, sw := r.u2f(extended(u2fVersion, 0, nil)); sw != swNotAllowed {
		t.Errorf("with alwaysUv: %04X", sw)
	}
}

func TestU2FOnly(t *testing.T) {
	p := managedKey()
	p.Versions = nil
	r := newRig(t, p)
	r.want(r.send(ctap.GetInfo, nil, nil), ctap.ErrInvalidCommand, "getInfo")
	if v, sw := r.u2f(extended(u2fVersion, 0, nil)); string(v) != "U2F_V2" || sw != swOK {
		t.Errorf("version %q, %04X", v, sw)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(extended(u2fRegister, 0, make([]byte, 64)))
	f.Fuzz(func(t *testing.T, apdu []byte) {
		r := newRig(t, managedKey())
		if response, err := r.auth.Message(t.Context(), apdu); err != nil || len(response) < 2 {
			t.Errorf("%x: %x, %v", apdu, response, err)
		}
	})
}
