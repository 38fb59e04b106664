package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/authenticator"
	"fido-emu/ctap/authenticator/softkeys"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// key is an authenticator in front of a platform that knows its PIN.
type key struct {
	*supply
	t      reporter
	open   func() Stores
	synced bool
	auth   *authenticator.Authenticator
	env    authenticator.Env
	rand   *rand.ChaCha8 // the platform's own
	finger authenticator.Answer

	sealed, sealedKey []byte // a credential that is not stored, while there is one
	wrapKey           []byte // under which it is sealed
	persistent        []byte
}

// Presence is Granted.
func (k *key) Presence(context.Context, authenticator.Prompt) authenticator.Answer {
	return authenticator.Granted
}

// Verify is as the finger is.
func (k *key) Verify(context.Context, authenticator.Prompt) authenticator.Answer { return k.finger }

const (
	pin   = "1357"
	wrong = "9999"
	site  = "example.com"
)

func keyProfile() authenticator.Profile {
	return authenticator.Profile{
		Name: "key", Versions: []string{"FIDO_2_1", "FIDO_2_3"}, Discoverable: true, ClientPIN: true, PINProtocols: []uint{2}, MakeCredNoUV: true,
		BuiltInUV: authenticator.Fingerprint, Algorithms: []cose.Algorithm{cose.ES256}, Counter: authenticator.GlobalCounter,
		Extensions:  []string{authenticator.ExtCredProtect, authenticator.ExtLargeBlob},
		Attestation: authenticator.SelfAttestation, CredentialManagement: true, Config: true, LargeBlobs: true, ReadOnlyManagement: true,
		Biometrics: authenticator.Biometrics{Enrollment: true, Enrolled: 1, Samples: 1}, Enterprise: authenticator.Enterprise{Capable: true},
	}
}

// startKey switches a new authenticator on and puts it to use: with a PIN of which one
// try is used, three credentials, a large-blob array and the persistent token; or
// leaves it new.
func startKey(t reporter, open func() Stores, c command) *key {
	t.Helper()
	k := &key{supply: &supply{}, t: t, open: open, synced: c.synced, rand: rand.NewChaCha8([32]byte{1})}
	source := rand.NewChaCha8([32]byte{2})
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	k.env = authenticator.Env{
		Now: func() time.Time { return now }, Rand: source, User: k, Keys: softkeys.New(source, true),
	}
	k.restart()
	if c.fresh {
		return k
	}
	k.setPIN()()
	k.make("ada", true)
	k.make("bob", true)
	data := k.make("cyd", false)
	k.sealed, k.sealedKey = data.Attested.ID, data.Attested.PublicKey
	k.writeBlobs(k.token(ctap.PermLargeBlobWrite, ""), "old")()
	k.persistent = k.token(ctap.PermCredentialMgmtRead, "")
	k.tokenByPIN(wrong)()
	k.wrapKey = k.durable().Device.WrapKey
	return k
}

// restart switches the authenticator on, on what its stores hold.
func (k *key) restart() {
	k.t.Helper()
	k.at = 0
	stores := k.open()
	k.env.Device, k.env.Credentials = cutDevice{stores.Device, k.supply}, cutCredentials{stores.Credentials, k.supply}
	var err error
	p := keyProfile()
	p.BackupEligible = k.synced
	k.auth, err = authenticator.New(p, k.env)
	must(k.t, err)
}

// send sends a request and demands one of these statuses, or none in particular.
func (k *key) send(command ctap.Command, params, into any, want ...ctap.Status) ctap.Status {
	k.t.Helper()
	request, err := ctap.NewRequest(command, params)
	must(k.t, err)
	response, err := k.auth.Exchange(context.Background(), request)
	must(k.t, err)
	status := ctap.Status(response[0])
	if len(want) > 0 && !slices.Contains(want, status) {
		k.t.Fatalf("%s: %v, want %v", command, status, want)
	}
	if status == ctap.OK && into != nil {
		must(k.t, ctap.Decode(response[1:], into))
	}
	return status
}

func hashOf(b string) []byte {
	sum := sha256.Sum256([]byte(b))
	return sum[:]
}

func (k *key) agree() (public, secret []byte) {
	k.t.Helper()
	var r ctap.ClientPINResponse
	k.send(ctap.ClientPIN, ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: ctap.GetKeyAgreement}, &r, ctap.OK)
	public, secret, err := pinuv.Encapsulate(pinuv.Two, r.KeyAgreement, k.rand)
	must(k.t, err)
	return public, secret
}

func (k *key) encrypt(secret []byte, plain []byte) []byte {
	b, err := pinuv.Two.Encrypt(secret, plain, k.rand)
	must(k.t, err)
	return b
}

func padded(pin string) []byte { return append([]byte(pin), make([]byte, 64-len(pin))...) }

func (k *key) setPIN() func() {
	public, secret := k.agree()
	enc := k.encrypt(secret, padded(pin))
	q := ctap.ClientPINRequest{PinUvAuthProtocol: 2, SubCommand: ctap.SetPIN, KeyAgreement: public, NewPinEnc: enc, PinUvAuthParam: pinuv.Two.Authenticate(secret, enc)}
	return func() { k.send(ctap.ClientPIN, q, nil, ctap.OK) }
}

func (k *key) changePIN(old string, want ctap.Status) func() {
	public, secret := k.agree()
	enc, hash := k.encrypt(secret, padded("24680")), k.encrypt(secret, hashOf(old)[:16])
	q := ctap.ClientPINRequest{
		PinUvAuthProtocol: 2, SubCommand: ctap.ChangePIN, KeyAgreement: public, NewPinEnc: enc, PinHashEnc: hash,
		PinUvAuthParam: pinuv.Two.Authenticate(secret, slices.Concat(enc, hash)),
	}
	return func() { k.send(ctap.ClientPIN, q, nil, want) }
}

// tokenByPIN asks for a token with a PIN and does not look at what comes.
func (k *key) tokenByPIN(pin string) func() {
	public, secret := k.agree()
	permissions := ctap.PermCredentialMgmt
	q := ctap.ClientPINRequest{
		PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingPin, KeyAgreement: public, PinHashEnc: k.encrypt(secret, hashOf(pin)[:16]), Permissions: &permissions,
	}
	return func() { k.send(ctap.ClientPIN, q, nil) }
}

// token gets a token with the PIN.
func (k *key) token(permissions ctap.Permissions, rp string) []byte {
	k.t.Helper()
	public, secret := k.agree()
	q := ctap.ClientPINRequest{
		PinUvAuthProtocol: 2, SubCommand: ctap.GetTokenUsingPin, KeyAgreement: public, PinHashEnc: k.encrypt(secret, hashOf(pin)[:16]), Permissions: &permissions,
	}
	if rp != "" {
		q.RPID = &rp
	}
	var r ctap.ClientPINResponse
	k.send(ctap.ClientPIN, q, &r, ctap.OK)
	token, err := pinuv.Two.Decrypt(secret, r.PinUvAuthToken)
	must(k.t, err)
	return token
}

func creation(user string, discoverable bool) *ctap.MakeCredentialRequest {
	return &ctap.MakeCredentialRequest{
		ClientDataHash: hashOf(""), RP: &ctap.RelyingParty{ID: site}, User: &ctap.User{ID: []byte(user), Name: user},
		PubKeyCredParams: []ctap.Parameters{{Algorithm: int(cose.ES256), Type: ctap.PublicKeyCredential}},
		Options:          map[string]bool{"rk": discoverable},
	}
}

// make makes a credential, verified by PIN where it is discoverable.
func (k *key) make(user string, discoverable bool) *ctap.AuthenticatorData {
	k.t.Helper()
	q := k.authorised(user, discoverable)
	var r ctap.MakeCredentialResponse
	k.send(ctap.MakeCredential, q, &r, ctap.OK)
	data, err := ctap.ParseAuthenticatorData(r.AuthData)
	must(k.t, err)
	return data
}

func (k *key) authorised(user string, discoverable bool) *ctap.MakeCredentialRequest {
	q := creation(user, discoverable)
	q.PinUvAuthParam, q.PinUvAuthProtocol = pinuv.Two.Authenticate(k.token(ctap.PermMakeCredential, site), q.ClientDataHash), 2
	return q
}

func (k *key) writeBlobs(token []byte, content string) func() {
	whole := append([]byte{0x81, 0x43}, content...)
	whole = append(whole, hashOf(string(whole))[:16]...)
	half := len(whole) / 2
	return func() {
		k.writePiece(token, 0, len(whole), whole[:half])
		k.writePiece(token, half, len(whole), whole[half:])
	}
}

func (k *key) writePiece(token []byte, at, length int, piece []byte) {
	offset, whole := uint(at), uint(length)
	q := ctap.LargeBlobsRequest{Set: piece, Offset: &offset, PinUvAuthProtocol: 2}
	if at == 0 {
		q.Length = &whole
	}
	message := binary.LittleEndian.AppendUint32(append(bytes.Repeat([]byte{0xFF}, 32), 0x0C, 0), uint32(at))
	q.PinUvAuthParam = pinuv.Two.Authenticate(token, append(message, hashOf(string(piece))...))
	k.send(ctap.LargeBlobs, q, nil, ctap.OK)
}

// signs demands that a credential signs, or that it does not.
func (k *key) signs(id []byte, rp string, publicKey []byte, want bool) {
	k.t.Helper()
	q := &ctap.GetAssertionRequest{
		RPID: rp, ClientDataHash: hashOf(""), AllowList: []ctap.Descriptor{{ID: id, Type: ctap.PublicKeyCredential}}, Options: map[string]bool{"up": false},
	}
	var r ctap.GetAssertionResponse
	status := k.send(ctap.GetAssertion, q, &r)
	if (status == ctap.OK) != want {
		k.t.Errorf("credential %x: %v", id, status)
	}
	if status == ctap.OK && cose.Verify(publicKey, slices.Concat(r.AuthData, q.ClientDataHash), r.Signature) != nil {
		k.t.Errorf("the signature of credential %x does not verify", id)
	}
}

// works demands that the authenticator goes on: sealed credentials sign, the persistent
// token reads, and the PIN is taken.
func (k *key) works(now authenticator.Snapshot) {
	k.t.Helper()
	if k.sealed != nil {
		k.signs(k.sealed, site, k.sealedKey, bytes.Equal(now.Device.WrapKey, k.wrapKey))
		valid := k.reads(k.persistent)
		if want := bytes.Equal(now.Device.PersistentToken, k.persistent); valid != want {
			k.t.Errorf("the persistent token reads: %v; it is stored: %v", valid, want)
		}
	}
	for _, known := range []string{pin, "24680"} {
		if bytes.Equal(now.Device.PINHash, hashOf(known)[:16]) && !now.Device.ForcePINChange {
			k.tokenByPIN(known)()
			if d := k.durable().Device; d.PINRetries != 8 {
				k.t.Errorf("%d tries after the right PIN", d.PINRetries)
			}
		}
	}
	k.send(ctap.GetInfo, nil, nil, ctap.OK)
}

func (k *key) reads(token []byte) bool {
	q := ctap.CredentialManagementRequest{
		SubCommand: ctap.GetCredsMetadata, PinUvAuthProtocol: 2, PinUvAuthParam: pinuv.Two.Authenticate(token, []byte{byte(ctap.GetCredsMetadata)}),
	}
	return k.send(ctap.CredentialManagement, q, nil) == ctap.OK
}
