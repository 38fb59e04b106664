package authenticator

import (
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// rig is an authenticator with everything around it in the test's hands.
type rig struct {
	t      testing.TB
	auth   *Authenticator
	env    Env
	now    time.Time
	rand   io.Reader
	answer Answer // of the user, to everything
	asked  []Prompt
	device *MemoryDevice
	store  *MemoryCredentials
}

func (r *rig) Presence(ctx context.Context, p Prompt) Answer { return r.ask(ctx, p) }
func (r *rig) Verify(ctx context.Context, p Prompt) Answer   { return r.ask(ctx, p) }

func (r *rig) ask(ctx context.Context, p Prompt) Answer {
	r.asked = append(r.asked, p)
	if r.answer == TimedOut {
		r.now = r.now.Add(p.Timeout)
	}
	if ctx.Err() != nil {
		return Cancelled
	}
	return r.answer
}

// securityKey is a plain key with a PIN.
func securityKey() Profile {
	return Profile{
		Name: "test-key", AAGUID: ctap.AAGUID{1}, Versions: []string{"FIDO_2_0", "FIDO_2_1"},
		Discoverable: true, ClientPIN: true, PINProtocols: []uint{2, 1}, MakeCredNoUV: true,
		Algorithms:  []cose.Algorithm{cose.ES256, cose.EdDSA},
		Extensions:  []string{ExtCredProtect, ExtHMACSecret, ExtHMACSecretMC},
		Attestation: SelfAttestation, Counter: GlobalCounter, MaxCredentials: 5,
	}
}

// phone is a platform authenticator that verifies its user itself.
func phone() Profile {
	p := securityKey()
	p.Platform, p.ClientPIN, p.BuiltInUV = true, false, Face
	p.BackupEligible, p.Counter, p.Attestation = true, NoCounter, NoAttestation
	return p
}

func newRig(t testing.TB, p Profile) *rig {
	t.Helper()
	r := &rig{
		t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), rand: rand.NewChaCha8([32]byte{7}),
		device: NewMemoryDevice(), store: NewMemoryCredentials(p.CredentialLimit()),
	}
	r.env = Env{
		Now: func() time.Time { return r.now }, Rand: r.rand, User: r, Keys: softkeys.New(r.rand, true),
		Device: r.device, Credentials: r.store,
	}
	auth, err := New(p, r.env)
	if err != nil {
		t.Fatal(err)
	}
	r.auth = auth
	return r
}

// send sends a request and returns its status; the answer goes into into, when
// that is not nil and the status is OK.
func (r *rig) send(command ctap.Command, params, into any) ctap.Status {
	r.t.Helper()
	return r.sendContext(context.Background(), command, params, into)
}

func (r *rig) sendContext(ctx context.Context, command ctap.Command, params, into any) ctap.Status {
	r.t.Helper()
	request, err := ctap.NewRequest(command, params)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.auth.Exchange(ctx, request)
	if err != nil {
		r.t.Fatalf("%s: %v", command, err)
	}
	status := ctap.Status(response[0])
	if status == ctap.OK && into != nil && len(response) > 1 {
		if err := ctap.Decode(response[1:], into); err != nil {
			r.t.Fatalf("%s: answer %x: %v", command, response, err)
		}
	}
	return status
}

func (r *rig) want(got, want ctap.Status, what string) {
	r.t.Helper()
	if got != want {
		r.t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

var clientDataHash = func() []byte { h := sha256.Sum256([]byte("client data")); return h[:] }()

func creation(rpID, user string) *ctap.MakeCredentialRequest {
	return &ctap.MakeCredentialRequest{
		ClientDataHash: clientDataHash, RP: &ctap.RelyingParty{ID: rpID, Name: "Example"},
		User:             &ctap.User{ID: []byte(user), Name: user + "@example.com", DisplayName: user},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: int(cose.ES256), Type: ctap.PublicKeyCredential}},
	}
}

func discoverable(rpID, user string) *ctap.MakeCredentialRequest {
	q := creation(rpID, user)
	q.Options = map[string]bool{"rk": true}
	return q
}

func assertion(rpID string, allow ...[]byte) *ctap.GetAssertionRequest {
	q := &ctap.GetAssertionRequest{RPID: rpID, ClientDataHash: clientDataHash}
	for _, id := range allow {
		q.AllowList = append(q.AllowList, ctap.Descriptor{ID: id, Type: ctap.PublicKeyCredential})
	}
	return q
}

// make makes a credential and returns its authenticator data.
func (r *rig) make(q *ctap.MakeCredentialRequest) *ctap.AuthenticatorData {
	r.t.Helper()
	var response ctap.MakeCredentialResponse
	r.want(r.send(ctap.MakeCredential, q, &response), ctap.OK, "makeCredential")
	data, err := ctap.ParseAuthenticatorData(response.AuthData)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.Format == "packed" {
		var statement packedSelf
		if err := ctap.Decode(response.AttStmt, &statement); err != nil {
			r.t.Fatal(err)
		}
		signed := append(append([]byte(nil), response.AuthData...), q.ClientDataHash...)
		if err := cose.Verify(data.Attested.PublicKey, signed, statement.Sig); err != nil {
			r.t.Fatalf("attestation: %v", err)
		}
	}
	return data
}

// get gets an assertion, which must verify under publicKey.
func (r *rig) get(q *ctap.GetAssertionRequest, publicKey []byte) (*ctap.GetAssertionResponse, *ctap.AuthenticatorData) {
	r.t.Helper()
	var response ctap.GetAssertionResponse
	r.want(r.send(ctap.GetAssertion, q, &response), ctap.OK, "getAssertion")
	return &response, r.check(&response, publicKey)
}

func (r *rig) check(response *ctap.GetAssertionResponse, publicKey []byte) *ctap.AuthenticatorData {
	r.t.Helper()
	data, err := ctap.ParseAuthenticatorData(response.AuthData)
	if err != nil {
		r.t.Fatal(err)
	}
	signed := append(append([]byte(nil), response.AuthData...), clientDataHash...)
	if err := cose.Verify(publicKey, signed, response.Signature); err != nil {
		r.t.Fatal(err)
	}
	return data
}

// agree begins a PIN protocol exchange.
func (r *rig) agree(p pinuv.Protocol) (public cbor.RawMessage, secret []byte) {
	r.t.Helper()
	var response ctap.ClientPINResponse
	q := &ctap.ClientPINRequest{PinUvAuthProtocol: p.Number(), SubCommand: ctap.GetKeyAgreement}
	r.want(r.send(ctap.ClientPIN, q, &response), ctap.OK, "getKeyAgreement")
	public, secret, err := pinuv.Encapsulate(p, response.KeyAgreement, r.rand)
	if err != nil {
		r.t.Fatal(err)
	}
	return public, secret
}

func (r *rig) encrypt(p pinuv.Protocol, secret, plain []byte) []byte {
	r.t.Helper()
	b, err := p.Encrypt(secret, plain, r.rand)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func padded(pin string) []byte {
	b := make([]byte, paddedPIN)
	copy(b, pin)
	return b
}

func pinHash(pin string) []byte {
	h := sha256.Sum256([]byte(pin))
	return h[:16]
}

func (r *rig) setPIN(p pinuv.Protocol, pin string) ctap.Status {
	r.t.Helper()
	public, secret := r.agree(p)
	enc := r.encrypt(p, secret, padded(pin))
	return r.send(ctap.ClientPIN, &ctap.ClientPINRequest{
		PinUvAuthProtocol: p.Number(), SubCommand: ctap.SetPIN, KeyAgreement: public,
		NewPinEnc: enc, PinUvAuthParam: p.Authenticate(secret, enc),
	}, nil)
}

func (r *rig) changePIN(p pinuv.Protocol, old, pin string) ctap.Status {
	r.t.Helper()
	public, secret := r.agree(p)
	enc, hash := r.encrypt(p, secret, padded(pin)), r.encrypt(p, secret, pinHash(old))
	return r.send(ctap.ClientPIN, &ctap.ClientPINRequest{
		PinUvAuthProtocol: p.Number(), SubCommand: ctap.ChangePIN, KeyAgreement: public, NewPinEnc: enc,
		PinHashEnc: hash, PinUvAuthParam: p.Authenticate(secret, append(append([]byte(nil), enc...), hash...)),
	}, nil)
}

// token asks for a token with a PIN; an empty rpID asks for none.
func (r *rig) token(p pinuv.Protocol, pin string, permissions ctap.Permissions, rpID string) ([]byte, ctap.Status) {
	r.t.Helper()
	public, secret := r.agree(p)
	q := &ctap.ClientPINRequest{
		PinUvAuthProtocol: p.Number(), SubCommand: ctap.GetTokenUsingPin, KeyAgreement: public,
		PinHashEnc: r.encrypt(p, secret, pinHash(pin)), Permissions: &permissions,
	}
	if rpID != "" {
		q.RPID = &rpID
	}
	return r.sendForToken(p, secret, q)
}

func (r *rig) sendForToken(p pinuv.Protocol, secret []byte, q *ctap.ClientPINRequest) ([]byte, ctap.Status) {
	r.t.Helper()
	var response ctap.ClientPINResponse
	status := r.send(ctap.ClientPIN, q, &response)
	if status != ctap.OK {
		return nil, status
	}
	token, err := p.Decrypt(secret, response.PinUvAuthToken)
	if err != nil {
		r.t.Fatal(err)
	}
	return token, ctap.OK
}

func (r *rig) retries() uint {
	r.t.Helper()
	var response ctap.ClientPINResponse
	r.want(r.send(ctap.ClientPIN, &ctap.ClientPINRequest{SubCommand: ctap.GetPINRetries}, &response), ctap.OK, "getPINRetries")
	return *response.PINRetries
}
