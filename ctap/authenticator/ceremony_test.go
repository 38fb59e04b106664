package authenticator

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

func TestRegisterAndAssert(t *testing.T) {
	for _, rk := range []bool{false, true} {
		for _, alg := range []cose.Algorithm{cose.ES256, cose.EdDSA} {
			r := newRig(t, securityKey())
			q := creation("example.com", "ada")
			q.Options = map[string]bool{"rk": rk}
			q.PubKeyCredParams = []ctap.Parameters{{Algorithm: -65535, Type: "public-key"}, {Algorithm: int(alg), Type: "public-key"}}
			made := r.make(q)
			if made.Flags != ctap.FlagUP|ctap.FlagAT || made.SignCount != 1 || made.Attested.AAGUID != (ctap.AAGUID{1}) {
				t.Errorf("rk %v: registered with %v, counter %d", rk, made.Flags, made.SignCount)
			}
			allow := [][]byte{made.Attested.ID}
			got, data := r.get(assertion("example.com", allow...), made.Attested.PublicKey)
			if data.Flags != ctap.FlagUP || data.SignCount != 2 {
				t.Errorf("rk %v: asserted with %v, counter %d", rk, data.Flags, data.SignCount)
			}
			if (got.User != nil) != rk {
				t.Errorf("rk %v: user %v", rk, got.User)
			}
			if status := r.send(ctap.GetAssertion, assertion("evil.example", allow...), nil); status != ctap.ErrNoCredentials {
				t.Errorf("rk %v: other relying party: %v", rk, status)
			}
		}
	}
}

// TestMakeCredentialRefuses sends what the specification refuses and checks that
// nothing was made.
func TestMakeCredentialRefuses(t *testing.T) {
	type edit func(*ctap.MakeCredentialRequest)
	for name, c := range map[string]struct {
		edit edit
		want ctap.Status
	}{
		"no clientDataHash":      {func(q *ctap.MakeCredentialRequest) { q.ClientDataHash = nil }, ctap.ErrMissingParameter},
		"short clientDataHash":   {func(q *ctap.MakeCredentialRequest) { q.ClientDataHash = []byte{1} }, ctap.ErrInvalidParameter},
		"no rp":                  {func(q *ctap.MakeCredentialRequest) { q.RP = nil }, ctap.ErrMissingParameter},
		"no user":                {func(q *ctap.MakeCredentialRequest) { q.User = nil }, ctap.ErrMissingParameter},
		"no user.id":             {func(q *ctap.MakeCredentialRequest) { q.User.ID = nil }, ctap.ErrMissingParameter},
		"long user.id":           {func(q *ctap.MakeCredentialRequest) { q.User.ID = make([]byte, 65) }, ctap.ErrInvalidParameter},
		"no pubKeyCredParams":    {func(q *ctap.MakeCredentialRequest) { q.PubKeyCredParams = nil }, ctap.ErrMissingParameter},
		"unsupported algorithms": {func(q *ctap.MakeCredentialRequest) { q.PubKeyCredParams[0].Algorithm = -65535 }, ctap.ErrUnsupportedAlgorithm},
		"no type behind a match": {func(q *ctap.MakeCredentialRequest) {
			q.PubKeyCredParams = append(q.PubKeyCredParams, ctap.Parameters{Algorithm: -7})
		}, ctap.ErrMissingParameter},
		"up false":               {func(q *ctap.MakeCredentialRequest) { q.Options = map[string]bool{"up": false} }, ctap.ErrInvalidOption},
		"uv without built-in uv": {func(q *ctap.MakeCredentialRequest) { q.Options = map[string]bool{"uv": true} }, ctap.ErrInvalidOption},
		"enterprise attestation": {func(q *ctap.MakeCredentialRequest) { q.EnterpriseAttestation = new(uint) }, ctap.ErrInvalidParameter},
		"param without protocol": {func(q *ctap.MakeCredentialRequest) { q.PinUvAuthParam = []byte{1} }, ctap.ErrMissingParameter},
		"unknown protocol":       {func(q *ctap.MakeCredentialRequest) { q.PinUvAuthParam, q.PinUvAuthProtocol = []byte{1}, 3 }, ctap.ErrInvalidParameter},
		"param of no token":      {func(q *ctap.MakeCredentialRequest) { q.PinUvAuthParam, q.PinUvAuthProtocol = make([]byte, 32), 2 }, ctap.ErrPINAuthInvalid},
		"empty param":            {func(q *ctap.MakeCredentialRequest) { q.PinUvAuthParam, q.PinUvAuthProtocol = []byte{}, 2 }, ctap.ErrPINNotSet},
		"long excludeList":       {func(q *ctap.MakeCredentialRequest) { q.ExcludeList = make([]ctap.Descriptor, 17) }, ctap.ErrLimitExceeded},
		"credProtect 4":          {func(q *ctap.MakeCredentialRequest) { q.Extensions = ext(ExtCredProtect, 4) }, ctap.ErrInvalidParameter},
		"hmac-secret-mc alone":   {func(q *ctap.MakeCredentialRequest) { q.Extensions = ext(ExtHMACSecretMC, map[int]int{}) }, ctap.ErrMissingParameter},
		"hmac-secret of text":    {func(q *ctap.MakeCredentialRequest) { q.Extensions = ext(ExtHMACSecret, "x") }, ctap.ErrCBORUnexpectedType},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, securityKey())
			q := discoverable("example.com", "ada")
			c.edit(q)
			r.want(r.send(ctap.MakeCredential, q, nil), c.want, "makeCredential")
			if n, _ := r.store.Count(); n != 0 {
				t.Error("a refused request made a credential")
			}
		})
	}
}

func ext(id string, value any) map[string]cbor.RawMessage {
	raw, err := ctap.Encode(value)
	if err != nil {
		panic(err)
	}
	return map[string]cbor.RawMessage{id: raw}
}

func TestUnknownInputIsIgnored(t *testing.T) {
	r := newRig(t, securityKey())
	q := creation("example.com", "ada")
	q.Extensions = ext("unheard-of", 1)
	q.Options = map[string]bool{"unheardOf": true}
	if made := r.make(q); made.Extensions != nil {
		t.Errorf("extensions %x", made.Extensions)
	}
}

func TestGetAssertionRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*ctap.GetAssertionRequest)
		want ctap.Status
	}{
		"no rpId":           {func(q *ctap.GetAssertionRequest) { q.RPID = "" }, ctap.ErrMissingParameter},
		"no clientDataHash": {func(q *ctap.GetAssertionRequest) { q.ClientDataHash = nil }, ctap.ErrMissingParameter},
		"option rk":         {func(q *ctap.GetAssertionRequest) { q.Options = map[string]bool{"rk": false} }, ctap.ErrUnsupportedOption},
		"option uv":         {func(q *ctap.GetAssertionRequest) { q.Options = map[string]bool{"uv": true} }, ctap.ErrInvalidOption},
		"unknown id": {func(q *ctap.GetAssertionRequest) {
			q.AllowList = []ctap.Descriptor{{ID: []byte{1}, Type: "public-key"}}
		}, ctap.ErrNoCredentials},
		"id without a type": {func(q *ctap.GetAssertionRequest) { q.AllowList = []ctap.Descriptor{{ID: []byte{1}}} }, ctap.ErrMissingParameter},
		"unknown type only": {func(q *ctap.GetAssertionRequest) { q.AllowList[0].Type = "private-key" }, ctap.ErrNoCredentials},
		"long allowList":    {func(q *ctap.GetAssertionRequest) { q.AllowList = make([]ctap.Descriptor, 17) }, ctap.ErrLimitExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, securityKey())
			made := r.make(creation("example.com", "ada"))
			q := assertion("example.com", made.Attested.ID)
			c.edit(q)
			r.want(r.send(ctap.GetAssertion, q, nil), c.want, "getAssertion")
		})
	}
}

func TestUVOptionWithoutBuiltInUV(t *testing.T) {
	for version, want := range map[string]ctap.Status{"FIDO_2_0": ctap.ErrUnsupportedOption, "FIDO_2_1": ctap.ErrInvalidOption} {
		p := securityKey()
		p.Versions = []string{version}
		r := newRig(t, p)
		q, g := creation("example.com", "ada"), assertion("example.com")
		q.Options, g.Options = map[string]bool{"uv": true}, map[string]bool{"uv": true}
		r.want(r.send(ctap.MakeCredential, q, nil), want, version+" makeCredential")
		r.want(r.send(ctap.GetAssertion, g, nil), want, version+" getAssertion")
	}
}

func TestUserAnswers(t *testing.T) {
	for _, c := range []struct {
		answer Answer
		want   ctap.Status
	}{
		{Granted, ctap.OK}, {Denied, ctap.ErrOperationDenied}, {TimedOut, ctap.ErrOperationDenied}, {Cancelled, ctap.ErrKeepaliveCancel},
	} {
		r := newRig(t, securityKey())
		made := r.make(creation("example.com", "ada"))
		r.answer = c.answer
		r.want(r.send(ctap.MakeCredential, creation("example.com", "eve"), nil), c.want, "makeCredential")
		r.want(r.send(ctap.GetAssertion, assertion("example.com", made.Attested.ID), nil), c.want, "getAssertion")
		want := c.want
		if c.answer == TimedOut {
			want = ctap.ErrUserActionTimeout
		}
		r.want(r.send(ctap.Selection, nil, nil), want, "selection")
	}
}

func TestCancel(t *testing.T) {
	r := newRig(t, securityKey())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.want(r.sendContext(ctx, ctap.MakeCredential, creation("example.com", "ada"), nil), ctap.ErrKeepaliveCancel, "makeCredential")
}

func TestProgress(t *testing.T) {
	r := newRig(t, securityKey())
	var seen []ctap.Progress
	ctx := ctap.WithProgress(context.Background(), func(p ctap.Progress) { seen = append(seen, p) })
	r.want(r.sendContext(ctx, ctap.MakeCredential, creation("example.com", "ada"), nil), ctap.OK, "makeCredential")
	if want := []ctap.Progress{ctap.Processing, ctap.UPNeeded, ctap.Processing}; !equal(seen, want) {
		t.Errorf("progress %v, want %v", seen, want)
	}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestExcludeListTouchesBeforeItTells(t *testing.T) {
	for _, answer := range []Answer{Granted, Denied, TimedOut} {
		r := newRig(t, securityKey())
		made := r.make(creation("example.com", "ada"))
		r.answer, r.asked = answer, nil
		q := creation("example.com", "ada")
		q.ExcludeList = []ctap.Descriptor{{ID: made.Attested.ID, Type: "public-key"}}
		r.want(r.send(ctap.MakeCredential, q, nil), ctap.ErrCredentialExcluded, "makeCredential")
		if len(r.asked) != 1 {
			t.Errorf("the user was asked %d times", len(r.asked))
		}
	}
}

func TestSilentAssertion(t *testing.T) {
	r := newRig(t, securityKey())
	made := r.make(creation("example.com", "ada"))
	r.asked = nil
	q := assertion("example.com", made.Attested.ID)
	q.Options = map[string]bool{"up": false}
	if _, data := r.get(q, made.Attested.PublicKey); data.Flags != 0 || len(r.asked) != 0 {
		t.Errorf("flags %v, the user was asked %d times", data.Flags, len(r.asked))
	}
}

func TestSeveralAccounts(t *testing.T) {
	r := newRig(t, securityKey())
	keys := map[string][]byte{}
	for _, user := range []string{"ada", "bob", "eve", "bob"} { // the second bob takes the place of the first
		made := r.make(discoverable("example.com", user))
		keys[string(made.Attested.ID)] = made.Attested.PublicKey
		r.now = r.now.Add(time.Second)
	}
	first, data := r.get(assertion("example.com"), keys[string(r.newest("example.com").ID)])
	if first.NumberOfCredentials != 3 || data.Flags != ctap.FlagUP {
		t.Fatalf("%d credentials, flags %v", first.NumberOfCredentials, data.Flags)
	}
	users := string(first.User.ID)
	for range 2 {
		var next ctap.GetAssertionResponse
		r.want(r.send(ctap.GetNextAssertion, nil, &next), ctap.OK, "getNextAssertion")
		r.check(&next, keys[string(next.Credential.ID)])
		users += " " + string(next.User.ID)
		if next.User.Name != "" || next.NumberOfCredentials != 0 {
			t.Errorf("without user verification the answer has name %q, number %d", next.User.Name, next.NumberOfCredentials)
		}
	}
	if users != "bob eve ada" {
		t.Errorf("order %q, want the newest first", users)
	}
	r.want(r.send(ctap.GetNextAssertion, nil, nil), ctap.ErrNotAllowed, "getNextAssertion past the end")
}

func (r *rig) newest(rpID string) *Credential {
	all, err := r.store.ByRP(sha256.Sum256([]byte(rpID)))
	if err != nil || len(all) == 0 {
		r.t.Fatalf("no credential: %v", err)
	}
	return all[0]
}

func TestEnumerationEnds(t *testing.T) {
	for name, interrupt := range map[string]func(*rig) context.Context{
		"another command": func(r *rig) context.Context { r.send(ctap.GetInfo, nil, nil); return context.Background() },
		"time":            func(r *rig) context.Context { r.now = r.now.Add(31 * time.Second); return context.Background() },
		"another channel": func(r *rig) context.Context { return ctap.WithChannel(context.Background(), 2) },
		"power cycle":     func(r *rig) context.Context { r.auth.PowerCycle(); return context.Background() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, securityKey())
			r.make(discoverable("example.com", "ada"))
			r.make(discoverable("example.com", "bob"))
			r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), ctap.OK, "getAssertion")
			ctx := interrupt(r)
			r.want(r.sendContext(ctx, ctap.GetNextAssertion, nil, nil), ctap.ErrNotAllowed, "getNextAssertion")
		})
	}
}

func TestStoreFull(t *testing.T) {
	r := newRig(t, securityKey())
	for _, user := range []string{"a", "b", "c", "d", "e"} {
		r.make(discoverable("example.com", user))
	}
	r.want(r.send(ctap.MakeCredential, discoverable("example.com", "f"), nil), ctap.ErrKeyStoreFull, "a sixth")
	r.make(discoverable("example.com", "a")) // takes the place of its own
	r.make(creation("example.com", "f"))     // takes no place
}

func TestCredProtect(t *testing.T) {
	for policy, c := range map[int]struct{ listed, unlisted ctap.Status }{
		1: {ctap.OK, ctap.OK},
		2: {ctap.OK, ctap.ErrNoCredentials},
		3: {ctap.ErrNoCredentials, ctap.ErrNoCredentials},
	} {
		r := newRig(t, securityKey())
		q := discoverable("example.com", "ada")
		q.Extensions = ext(ExtCredProtect, policy)
		made := r.make(q)
		if want, _ := ctap.Encode(map[string]int{ExtCredProtect: policy}); !bytes.Equal(made.Extensions, want) {
			t.Errorf("policy %d: output %x", policy, made.Extensions)
		}
		r.want(r.send(ctap.GetAssertion, assertion("example.com", made.Attested.ID), nil), c.listed, "with allowList")
		r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), c.unlisted, "without")
		// A credential that must not be revealed is not excluded either.
		again := creation("example.com", "ada")
		again.ExcludeList = []ctap.Descriptor{{ID: made.Attested.ID, Type: "public-key"}}
		want := ctap.ErrCredentialExcluded
		if policy == 3 {
			want = ctap.OK
		}
		r.want(r.send(ctap.MakeCredential, again, nil), want, "excludeList")

		r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
		verified := assertion("example.com")
		r.authorize(verified, pinuv.Two, "1234")
		if _, data := r.get(verified, made.Attested.PublicKey); data.Flags != ctap.FlagUP|ctap.FlagUV {
			t.Errorf("policy %d: verified assertion has flags %v", policy, data.Flags)
		}
	}
}

// authorize adds the pinUvAuthParam of a fresh token.
func (r *rig) authorize(q *ctap.GetAssertionRequest, p pinuv.Protocol, pin string) {
	r.t.Helper()
	token, status := r.token(p, pin, ctap.PermGetAssertion, q.RPID)
	r.want(status, ctap.OK, "token")
	q.PinUvAuthParam, q.PinUvAuthProtocol = p.Authenticate(token, q.ClientDataHash), p.Number()
}

func TestHMACSecret(t *testing.T) {
	for _, rk := range []bool{false, true} {
		for _, p := range []pinuv.Protocol{pinuv.One, pinuv.Two} {
			r := newRig(t, securityKey())
			salts := bytes.Repeat([]byte{1}, 64)
			q := creation("example.com", "ada")
			q.Options = map[string]bool{"rk": rk}
			q.Extensions = ext(ExtHMACSecret, true)
			input, secret := r.hmacInput(p, salts)
			q.Extensions[ExtHMACSecretMC] = input
			made := r.make(q)
			atCreation := r.hmacOutput(p, secret, made.Extensions, ExtHMACSecretMC)

			get := func(salts []byte, verified bool) []byte {
				input, secret := r.hmacInput(p, salts)
				q := assertion("example.com", made.Attested.ID)
				q.Extensions = map[string]cbor.RawMessage{ExtHMACSecret: input}
				if verified {
					r.authorize(q, p, "1234")
					input, secret = r.hmacInput(p, salts)
					q.Extensions[ExtHMACSecret] = input
				}
				_, data := r.get(q, made.Attested.PublicKey)
				return r.hmacOutput(p, secret, data.Extensions, ExtHMACSecret)
			}
			one, two := get(salts[:32], false), get(salts, false)
			if len(one) != 32 || len(two) != 64 || !bytes.Equal(one, two[:32]) || !bytes.Equal(two, atCreation) {
				t.Errorf("rk %v, %v: %x, %x and at creation %x", rk, p, one, two, atCreation)
			}
			if other := get(bytes.Repeat([]byte{2}, 32), false); bytes.Equal(other, one) {
				t.Errorf("rk %v: another salt gives the same secret", rk)
			}
			r.want(r.setPIN(pinuv.Two, "1234"), ctap.OK, "setPIN")
			if verified := get(salts[:32], true); bytes.Equal(verified, one) {
				t.Errorf("rk %v: user verification gives the same secret", rk)
			}
		}
	}
}

func TestHMACSecretVectorShape(t *testing.T) {
	// The stored secret's halves are used as section 12.7 says: WithUV first.
	r := newRig(t, securityKey())
	q := discoverable("example.com", "ada")
	q.Extensions = ext(ExtHMACSecret, true)
	made := r.make(q)
	salt := bytes.Repeat([]byte{9}, 32)
	input, secret := r.hmacInput(pinuv.Two, salt)
	g := assertion("example.com", made.Attested.ID)
	g.Extensions = map[string]cbor.RawMessage{ExtHMACSecret: input}
	_, data := r.get(g, made.Attested.PublicKey)
	m := hmac.New(sha256.New, r.newest("example.com").HMACSecret[32:])
	m.Write(salt)
	if got := r.hmacOutput(pinuv.Two, secret, data.Extensions, ExtHMACSecret); !bytes.Equal(got, m.Sum(nil)) {
		t.Errorf("output %x", got)
	}
}

func TestHMACSecretRefuses(t *testing.T) {
	r := newRig(t, securityKey())
	q := creation("example.com", "ada")
	q.Extensions = ext(ExtHMACSecret, true)
	made := r.make(q)
	silent := assertion("example.com", made.Attested.ID)
	silent.Options = map[string]bool{"up": false}
	input, _ := r.hmacInput(pinuv.Two, make([]byte, 32))
	silent.Extensions = map[string]cbor.RawMessage{ExtHMACSecret: input}
	r.want(r.send(ctap.GetAssertion, silent, nil), ctap.ErrUnsupportedOption, "silent")
	for name, edit := range map[string]func(map[int]any) ctap.Status{
		"no saltEnc":   func(m map[int]any) ctap.Status { delete(m, 2); return ctap.ErrMissingParameter },
		"bad saltAuth": func(m map[int]any) ctap.Status { m[3] = make([]byte, 32); return ctap.ErrPINAuthInvalid },
		"protocol 3":   func(m map[int]any) ctap.Status { m[4] = 3; return ctap.ErrInvalidParameter },
	} {
		raw, _ := r.hmacInput(pinuv.Two, make([]byte, 32))
		var m map[int]any
		if err := cbor.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		want := edit(m)
		q := assertion("example.com", made.Attested.ID)
		q.Extensions = ext(ExtHMACSecret, m)
		r.want(r.send(ctap.GetAssertion, q, nil), want, name)
	}
	input, _ = r.hmacInput(pinuv.Two, make([]byte, 48))
	short := assertion("example.com", made.Attested.ID)
	short.Extensions = map[string]cbor.RawMessage{ExtHMACSecret: input}
	r.want(r.send(ctap.GetAssertion, short, nil), ctap.ErrInvalidParameter, "salt of 48 bytes")
}

func (r *rig) hmacInput(p pinuv.Protocol, salts []byte) (cbor.RawMessage, []byte) {
	r.t.Helper()
	public, secret := r.agree(p)
	enc := r.encrypt(p, secret, salts)
	raw, err := ctap.Encode(map[int]any{1: public, 2: enc, 3: p.Authenticate(secret, enc), 4: p.Number()})
	if err != nil {
		r.t.Fatal(err)
	}
	return raw, secret
}

func (r *rig) hmacOutput(p pinuv.Protocol, secret, extensions []byte, id string) []byte {
	r.t.Helper()
	var outputs map[string]cbor.RawMessage
	if err := ctap.DecodeLoose(extensions, &outputs); err != nil {
		r.t.Fatal(err)
	}
	var enc []byte
	if err := ctap.DecodeLoose(outputs[id], &enc); err != nil {
		r.t.Fatalf("%s: %v in %x", id, err, extensions)
	}
	plain, err := p.Decrypt(secret, enc)
	if err != nil {
		r.t.Fatal(err)
	}
	return plain
}

func TestBackupFlags(t *testing.T) {
	r := newRig(t, phone())
	q := discoverable("example.com", "ada")
	q.Options["uv"] = true
	made := r.make(q)
	if want := ctap.FlagUP | ctap.FlagUV | ctap.FlagBE | ctap.FlagAT; made.Flags != want || made.SignCount != 0 {
		t.Errorf("registered with %v, counter %d", made.Flags, made.SignCount)
	}
	backed := *r.newest("example.com")
	backed.BackedUp = true // as the replica of a sync account reports after the upload
	if err := r.store.Put(&backed); err != nil {
		t.Fatal(err)
	}
	if _, data := r.get(assertion("example.com"), made.Attested.PublicKey); data.Flags != ctap.FlagUP|ctap.FlagBE|ctap.FlagBS {
		t.Errorf("asserted with %v", data.Flags)
	}
}

func TestSealedIDsAreOfOneDevice(t *testing.T) {
	r, other := newRig(t, securityKey()), newRig(t, securityKey())
	made := r.make(creation("example.com", "ada"))
	if err := other.auth.save(func() Device { d := other.auth.device; d.WrapKey = make([]byte, 32); return d }()); err != nil {
		t.Fatal(err)
	}
	other.want(other.send(ctap.GetAssertion, assertion("example.com", made.Attested.ID), nil), ctap.ErrNoCredentials, "other device")
	for i := range made.Attested.ID {
		id := bytes.Clone(made.Attested.ID)
		id[i] ^= 1
		r.want(r.send(ctap.GetAssertion, assertion("example.com", id), nil), ctap.ErrNoCredentials, "changed id")
	}
}

// lostKeys is a key store whose hardware was cleared.
type lostKeys struct{ Keys }

func (lostKeys) Sign(cose.Algorithm, []byte, []byte) ([]byte, error) {
	return nil, errors.Join(errors.New("TPM"), ErrKeyLost)
}

func TestLostKeyCountsAsNoCredential(t *testing.T) {
	r := newRig(t, phone())
	q := discoverable("example.com", "ada")
	q.Options["uv"] = true
	r.make(q)
	r.auth.env.Keys = lostKeys{r.env.Keys}
	r.want(r.send(ctap.GetAssertion, assertion("example.com"), nil), ctap.ErrNoCredentials, "getAssertion")
}

func TestMalformedRequests(t *testing.T) {
	r := newRig(t, securityKey())
	for request, want := range map[string]ctap.Status{
		"":                                  ctap.ErrInvalidLength,
		"\x01":                              ctap.ErrMissingParameter,
		"\x01\xa1":                          ctap.ErrInvalidCBOR,
		"\x01\x80":                          ctap.ErrCBORUnexpectedType,
		"\x02\xa1\x01":                      ctap.ErrInvalidCBOR,
		"\x06\xa0":                          ctap.ErrMissingParameter,
		"\x06\xa1\x02\x18\x63":              ctap.ErrInvalidSubcommand,
		"\x06\xa2\x01\x03\x02\x02":          ctap.ErrInvalidParameter,
		"\x03":                              ctap.ErrInvalidCommand,
		"\xff":                              ctap.ErrInvalidCommand,
		"\x01" + string(make([]byte, 1200)): ctap.ErrRequestTooLarge,
	} {
		response, err := r.auth.Exchange(context.Background(), []byte(request))
		if err != nil || len(response) != 1 || ctap.Status(response[0]) != want {
			t.Errorf("%x: %x, %v; want %v", request, response, err, want)
		}
	}
}

// brokenDisk fails to save.
type brokenDisk struct{ DeviceState }

var errDisk = errors.New("no space left on device")

func (brokenDisk) Save(Device) error            { return errDisk }
func (brokenDisk) NextCounter() (uint32, error) { return 0, errDisk }

func TestBrokenStorageIsNoAnswer(t *testing.T) {
	r := newRig(t, securityKey())
	r.auth.env.Device = brokenDisk{r.device}
	request, err := ctap.NewRequest(ctap.MakeCredential, discoverable("example.com", "ada"))
	if err != nil {
		t.Fatal(err)
	}
	if response, err := r.auth.Exchange(context.Background(), request); !errors.Is(err, errDisk) || response != nil {
		t.Errorf("answered %x, %v", response, err)
	}
	if n, _ := r.store.Count(); n != 0 {
		t.Error("a credential was stored without an answer")
	}
}

func FuzzExchange(f *testing.F) {
	f.Add([]byte{0x04})
	f.Add([]byte("\x02\xa2\x01\x61a\x02\x40"))
	f.Fuzz(func(t *testing.T, request []byte) {
		r := newRig(t, securityKey())
		response, err := r.auth.Exchange(context.Background(), request)
		if err != nil || len(response) == 0 {
			t.Errorf("%x: %x, %v", request, response, err)
		}
	})
}
