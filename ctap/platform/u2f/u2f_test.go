package u2f

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/platform"
)

// hexed is a byte string that stands in hexadecimal in a file.
type hexed []byte

func (h *hexed) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// vectors are the examples of FIDO U2F Raw Message Formats 1.2, section 8.
type vectors struct {
	Register struct {
		Challenge hexed  `json:"challenge_param"`
		AppID     string `json:"app_id"`
		Request   hexed  `json:"request_apdu_ext"`
		Response  hexed  `json:"response"`
		PublicKey hexed  `json:"public_key"`
		KeyHandle hexed  `json:"key_handle"`
	} `json:"register"`
	Authenticate struct {
		Challenge hexed  `json:"challenge_param"`
		AppID     string `json:"app_id"`
		PublicKey hexed  `json:"public_key"`
		Response  hexed  `json:"response"`
	} `json:"authenticate"`
}

func load(t testing.TB) (v vectors) {
	b, err := os.ReadFile("testdata/messages.json")
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scripted answers each request by what it is, and keeps the requests.
type scripted struct {
	answers map[string][]byte // by instruction and control byte; the last two bytes are the status word
	touches int               // how often a touch is wanted before there is one
	asked   [][]byte
	broken  error
}

func (s *scripted) Message(_ context.Context, apdu []byte) ([]byte, error) {
	s.asked = append(s.asked, apdu)
	if s.broken != nil {
		return nil, s.broken
	}
	call := hex.EncodeToString(apdu[1:3])
	if (call == "0100" || call == "0203") && s.touches > 0 {
		s.touches--
		return []byte{0x69, 0x85}, nil
	}
	if answer, ok := s.answers[call]; ok {
		return answer, nil
	}
	return []byte{0x6D, 0x00}, nil
}

// rig is a key on a script, a host before it, and how long was waited.
type rig struct {
	*scripted
	host   *platform.Host
	waited time.Duration
}

func newRig(answers map[string][]byte) *rig {
	r := &rig{scripted: &scripted{answers: answers}}
	r.host = platform.New(New(r.scripted, func(ctx context.Context, d time.Duration) error {
		r.waited += d
		return ctx.Err()
	}), nil)
	return r
}

func words(w ...byte) []byte { return w }

func creation(v vectors) *ctap.MakeCredentialRequest {
	return &ctap.MakeCredentialRequest{
		ClientDataHash: ctap.Bytes(v.Register.Challenge), RP: &ctap.RelyingParty{ID: v.Register.AppID},
		User:             &ctap.User{ID: ctap.Bytes{1}},
		PubKeyCredParams: []ctap.Parameters{{Type: ctap.PublicKeyCredential, Algorithm: -8}, {Type: ctap.PublicKeyCredential, Algorithm: -7}},
	}
}

// The example of the specification, sent as it stands there and read as WebAuthn has it.
func TestMakeCredential(t *testing.T) {
	v := load(t)
	r := newRig(map[string][]byte{"0100": v.Register.Response})
	r.touches = 3
	var told []ctap.Progress
	ctx := ctap.WithProgress(t.Context(), func(p ctap.Progress) { told = append(told, p) })
	made, err := r.host.MakeCredential(ctx, creation(v))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.asked[0], v.Register.Request) {
		t.Errorf("sent %x\nwant %x", r.asked[0], v.Register.Request)
	}
	if len(r.asked) != 4 || r.waited != 3*interval || len(told) != 3 || told[0] != ctap.UPNeeded {
		t.Errorf("%d requests, waited %s, told %v", len(r.asked), r.waited, told)
	}
	d := made.Data
	if made.Format != "fido-u2f" || d.Flags != ctap.FlagUP|ctap.FlagAT || d.SignCount != 0 || d.RPIDHash != sha256.Sum256([]byte(v.Register.AppID)) {
		t.Errorf("format %s, %+v", made.Format, d)
	}
	if d.Attested.AAGUID != (ctap.AAGUID{}) || !bytes.Equal(d.Attested.ID, v.Register.KeyHandle) {
		t.Errorf("attested %+v", d.Attested)
	}
	if point, err := cose.Point(d.Attested.PublicKey); err != nil || !bytes.Equal(point, v.Register.PublicKey) {
		t.Errorf("public key %x, %v", point, err)
	}
	var statement struct {
		X5C []ctap.Bytes `cbor:"x5c"`
		Sig ctap.Bytes   `cbor:"sig"`
	}
	if err := ctap.Decode(made.AttStmt, &statement); err != nil || len(statement.X5C) != 1 {
		t.Fatalf("statement %x: %v", made.AttStmt, err)
	}
	certificate, err := x509.ParseCertificate(statement.X5C[0])
	if err != nil {
		t.Fatal(err)
	}
	signed := slices.Concat([]byte{0}, d.RPIDHash[:], v.Register.Challenge, v.Register.KeyHandle, v.Register.PublicKey)
	if err := certificate.CheckSignature(x509.ECDSAWithSHA256, signed, statement.Sig); err != nil {
		t.Error(err)
	}
}

func TestGetAssertion(t *testing.T) {
	v := load(t).Authenticate
	r := newRig(map[string][]byte{"0203": v.Response, "0207": words(0x69, 0x85)})
	r.touches = 1
	handle := bytes.Repeat([]byte{7}, 64)
	got, err := r.host.GetAssertion(t.Context(), &ctap.GetAssertionRequest{
		RPID: v.AppID, ClientDataHash: ctap.Bytes(v.Challenge),
		AllowList: []ctap.Descriptor{{Type: "other", ID: ctap.Bytes{1}}, {Type: ctap.PublicKeyCredential, ID: make([]byte, 256)}, {Type: ctap.PublicKeyCredential, ID: handle}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Credential.ID, handle) || got.Data.Flags != ctap.FlagUP || got.Data.SignCount != 1 {
		t.Errorf("%+v %+v", got.Credential, got.Data)
	}
	key := cose.MarshalP256(cose.ES256, v.PublicKey)
	if err := cose.Verify(key, slices.Concat([]byte(got.AuthData), []byte(v.Challenge)), got.Signature); err != nil {
		t.Error(err)
	}
	app := sha256.Sum256([]byte(v.AppID))
	data := slices.Concat(v.Challenge, app[:], []byte{64}, handle)
	for i, control := range []byte{checkOnly, enforce, enforce} {
		want := slices.Concat([]byte{0, authenticate, control, 0, 0, 0, byte(len(data))}, data, []byte{0, 0})
		if i >= len(r.asked) || !bytes.Equal(r.asked[i], want) {
			t.Fatalf("request %d: %x\nwant %x", i, r.asked, want)
		}
	}
}

// Without the user: a key of U2F 1.2 signs, an older one is said to want a touch.
func TestGetAssertionWithoutUser(t *testing.T) {
	v := load(t).Authenticate
	silent := slices.Clone(v.Response)
	silent[0] = 0
	request := &ctap.GetAssertionRequest{
		RPID: v.AppID, ClientDataHash: ctap.Bytes(v.Challenge), Options: map[string]bool{"up": false},
		AllowList: []ctap.Descriptor{{Type: ctap.PublicKeyCredential, ID: ctap.Bytes{7}}},
	}
	r := newRig(map[string][]byte{"0208": silent, "0207": words(0x69, 0x85)})
	if got, err := r.host.GetAssertion(t.Context(), request); err != nil || got.Data.Flags != 0 || len(r.asked) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	r = newRig(map[string][]byte{"0208": words(0x6A, 0x80), "0207": words(0x69, 0x85)})
	if _, err := r.host.GetAssertion(t.Context(), request); !errors.Is(err, ctap.ErrUPRequired) {
		t.Errorf("an old key: %v", err)
	}
}

func TestInfo(t *testing.T) {
	r := newRig(map[string][]byte{"0300": append([]byte("U2F_V2"), 0x90, 0)})
	info, err := r.host.Info(t.Context())
	if err != nil || !slices.Equal(info.Versions, []string{"U2F_V2"}) || info.Options["rk"] || info.MaxCredentialIDLength != 255 {
		t.Errorf("%+v %v", info, err)
	}
	r = newRig(map[string][]byte{"0300": append([]byte("U2F_V3"), 0x90, 0)})
	if _, err := r.host.Info(t.Context()); !errors.Is(err, ctap.ErrInvalidCommand) {
		t.Errorf("another version: %v", err)
	}
}

// What U2F cannot do is refused before the key is asked.
func TestBeyondU2F(t *testing.T) {
	v := load(t)
	for name, c := range map[string]struct {
		change func(*ctap.MakeCredentialRequest)
		want   ctap.Status
	}{
		"another algorithm": {func(r *ctap.MakeCredentialRequest) { r.PubKeyCredParams = r.PubKeyCredParams[:1] }, ctap.ErrUnsupportedAlgorithm},
		"discoverable":      {func(r *ctap.MakeCredentialRequest) { r.Options = map[string]bool{"rk": true} }, ctap.ErrUnsupportedOption},
		"verified":          {func(r *ctap.MakeCredentialRequest) { r.Options = map[string]bool{"uv": true} }, ctap.ErrUnsupportedOption},
		"with a token":      {func(r *ctap.MakeCredentialRequest) { r.PinUvAuthParam = ctap.Bytes{1} }, ctap.ErrUnsupportedOption},
		"a short hash":      {func(r *ctap.MakeCredentialRequest) { r.ClientDataHash = r.ClientDataHash[:31] }, ctap.ErrMissingParameter},
	} {
		r := newRig(nil)
		request := creation(v)
		c.change(request)
		if _, err := r.host.MakeCredential(t.Context(), request); !errors.Is(err, c.want) || len(r.asked) != 0 {
			t.Errorf("%s: %v, asked %d times", name, err, len(r.asked))
		}
	}
	r := newRig(nil)
	for name, c := range map[string]struct {
		request *ctap.GetAssertionRequest
		want    ctap.Status
	}{
		"no list":      {&ctap.GetAssertionRequest{RPID: "a", ClientDataHash: make([]byte, 32)}, ctap.ErrNoCredentials},
		"verified":     {&ctap.GetAssertionRequest{RPID: "a", ClientDataHash: make([]byte, 32), Options: map[string]bool{"uv": true}}, ctap.ErrUnsupportedOption},
		"a short hash": {&ctap.GetAssertionRequest{RPID: "a", ClientDataHash: make([]byte, 31)}, ctap.ErrMissingParameter},
	} {
		if _, err := r.host.GetAssertion(t.Context(), c.request); !errors.Is(err, c.want) || len(r.asked) != 0 {
			t.Errorf("%s: %v, asked %d times", name, err, len(r.asked))
		}
	}
	if err := r.host.Reset(t.Context()); !errors.Is(err, ctap.ErrInvalidCommand) {
		t.Errorf("a reset: %v", err)
	}
}

// A key that is in the exclude list says so after a touch, and not before.
func TestExcluded(t *testing.T) {
	v := load(t)
	r := newRig(map[string][]byte{"0100": v.Register.Response, "0207": words(0x69, 0x85)})
	r.touches = 2
	request := creation(v)
	request.ExcludeList = []ctap.Descriptor{{Type: ctap.PublicKeyCredential, ID: ctap.Bytes{7}}}
	if _, err := r.host.MakeCredential(t.Context(), request); !errors.Is(err, ctap.ErrCredentialExcluded) {
		t.Error(err)
	}
	if last := r.asked[len(r.asked)-1]; len(r.asked) != 4 || !bytes.Equal(last[7:71], make([]byte, 64)) {
		t.Errorf("asked %x", r.asked)
	}
	r = newRig(map[string][]byte{"0100": v.Register.Response, "0207": words(0x6A, 0x80)})
	if _, err := r.host.MakeCredential(t.Context(), request); err != nil {
		t.Errorf("one that it does not know: %v", err)
	}
}

func TestSelection(t *testing.T) {
	r := newRig(map[string][]byte{"0100": load(t).Register.Response})
	r.touches = 1
	if err := r.host.Selection(t.Context()); err != nil || len(r.asked) != 2 {
		t.Errorf("%v, asked %d times", err, len(r.asked))
	}
}

// Nobody touches, the platform gives up, the key breaks or talks nonsense.
func TestTrouble(t *testing.T) {
	v := load(t)
	make := func(r *rig, ctx context.Context) error {
		_, err := r.host.MakeCredential(ctx, creation(v))
		return err
	}
	r := newRig(nil)
	r.touches = 1e6
	if err := make(r, t.Context()); !errors.Is(err, ctap.ErrUserActionTimeout) || r.waited != patience {
		t.Errorf("nobody touches: %v after %s", err, r.waited)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	r = newRig(nil)
	r.touches = 1e6
	if err := make(r, cancelled); !errors.Is(err, ctap.ErrKeepaliveCancel) || len(r.asked) != 1 {
		t.Errorf("cancelled: %v", err)
	}
	r.broken = errors.New("pulled out")
	if err := make(r, t.Context()); !errors.Is(err, r.broken) {
		t.Errorf("pulled out: %v", err)
	}
	good := v.Register.Response
	for name, answer := range map[string][]byte{
		"nothing": {}, "half a word": {0x90}, "no data": words(0x90, 0), "another byte": append([]byte{4}, good[1:]...),
		"no handle": slices.Concat(good[:66], []byte{0}, good[67:]), "cut in the handle": append(slices.Clone(good[:80]), 0x90, 0),
		"cut in the certificate": append(slices.Clone(good[:200]), 0x90, 0), "no signature": append(slices.Clone(good[:67+64+320]), 0x90, 0),
		"a word of its own": words(0x12, 0x34),
	} {
		err := make(newRig(map[string][]byte{"0100": answer}), t.Context())
		if status := ctap.Status(0); err == nil || errors.As(err, &status) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for word, want := range map[uint16]ctap.Status{wrongLength: ctap.ErrInvalidLength, notAllowed: ctap.ErrNotAllowed, noSuchThing: ctap.ErrNotAllowed} {
		if err := make(newRig(map[string][]byte{"0100": words(byte(word>>8), byte(word))}), t.Context()); !errors.Is(err, want) {
			t.Errorf("%04X: %v", word, err)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	v := load(f)
	f.Add([]byte(v.Register.Response), []byte(v.Authenticate.Response))
	f.Fuzz(func(t *testing.T, registered, signed []byte) {
		r := newRig(map[string][]byte{"0100": registered, "0203": signed, "0207": words(0x69, 0x85)})
		_, _ = r.host.MakeCredential(t.Context(), creation(v))
		_, _ = r.host.GetAssertion(t.Context(), &ctap.GetAssertionRequest{
			RPID: "a", ClientDataHash: make([]byte, 32), AllowList: []ctap.Descriptor{{Type: ctap.PublicKeyCredential, ID: ctap.Bytes{7}}},
		})
	})
}
