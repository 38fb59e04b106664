package authenticator

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// inputs are extension inputs of makeCredential.
func inputs(pairs map[string]any) func(members) { return member(6, pairs) }

// discoverableWith makes a discoverable credential with extensions and notes what they
// answer.
func (w *witness) discoverableWith(what string, extensions map[string]any) made {
	c := w.make(what, rk, inputs(extensions))
	if c.data != nil {
		w.note("%s", diagnostic(c.data.Extensions))
	}
	return c
}

// answers notes the extension outputs of an assertion.
func (w *witness) answers(g got) {
	d, err := ctap.ParseAuthenticatorData(g.response.AuthData)
	if err != nil {
		w.note("%v", err)
		return
	}
	w.note("%s", diagnostic(d.Extensions))
}

// secret asks for hmac-secret with salts and returns what comes, decrypted.
func (w *witness) secret(what string, p pinuv.Protocol, salts []byte, spoil func(map[int]any), change ...func(members)) []byte {
	public, shared := w.agree(p)
	enc := w.encrypt(p, shared, salts)
	in := map[int]any{1: cbor.RawMessage(public), 2: enc, 3: p.Authenticate(shared, enc), 4: p.Number()}
	if spoil != nil {
		spoil(in)
	}
	g := w.get(what, append(change, member(4, map[string]any{ExtHMACSecret: in}))...)
	d, err := ctap.ParseAuthenticatorData(g.response.AuthData)
	if err != nil || d.Extensions == nil {
		return nil
	}
	var out map[string]ctap.Bytes
	_ = ctap.DecodeLoose(d.Extensions, &out)
	plain, _ := p.Decrypt(shared, out[ExtHMACSecret])
	return plain
}

func (w *witness) secretive(user string) {
	w.create(rk, at("a.example", user), inputs(map[string]any{ExtHMACSecret: true}))
}

func extensionProbes() map[string]func(*witness) {
	salt := make([]byte, 32)
	all := map[string]func(*witness){
		"unknown extension": func(w *witness) { w.discoverableWith("make", map[string]any{"later": true}) },
		"no extension":      func(w *witness) { w.discoverableWith("make", map[string]any{}) },
		"credProtect 9":     func(w *witness) { w.discoverableWith("make", map[string]any{ExtCredProtect: 9}) },
		"credProtect":       func(w *witness) { w.discoverableWith("make", map[string]any{ExtCredProtect: 2}) },
		"credProtect 2 without a list": func(w *witness) {
			w.discoverableWith("make", map[string]any{ExtCredProtect: 2})
			w.get("get")
		},
		"credProtect 3 with a list": func(w *witness) {
			c := w.discoverableWith("make", map[string]any{ExtCredProtect: 3})
			w.get("get", member(3, descriptors(c.data.Attested.ID)))
		},
		"credProtect 3 in an excludeList": func(w *witness) {
			c := w.discoverableWith("make", map[string]any{ExtCredProtect: 3})
			w.make("again", member(5, descriptors(c.data.Attested.ID)))
		},
		"minPinLength": func(w *witness) {
			w.discoverableWith("before", map[string]any{ExtMinPinLength: true})
			w.configure("sites", ctap.SetMinPINLength, ctap.SetMinPINLengthParams{MinPinLengthRPIDs: []string{"a.example"}})
			w.discoverableWith("make", map[string]any{ExtMinPinLength: true})
		},
		"pinComplexityPolicy": func(w *witness) { w.discoverableWith("make", map[string]any{ExtPINComplexityPolicy: true}) },
		"thirdPartyPayment": func(w *witness) {
			w.discoverableWith("with", map[string]any{ExtThirdPartyPayment: true})
			w.answers(w.get("get", member(4, map[string]any{ExtThirdPartyPayment: true})))
		},
		"thirdPartyPayment without": func(w *witness) {
			w.discoverableWith("without", map[string]any{})
			w.answers(w.get("get", member(4, map[string]any{ExtThirdPartyPayment: true})))
		},
		"hmac-secret": func(w *witness) { w.discoverableWith("make", map[string]any{ExtHMACSecret: true}) },
		"hmac-secret with and without UV": func(w *witness) {
			w.secretive("ada")
			without := w.secret("without", pinuv.Two, salt, nil)
			with := w.secret("with", pinuv.Two, salt, nil, getMAC(w.withPIN(ctap.PermGetAssertion, "a.example")))
			w.note("of %d and %d bytes, differ %v", len(without), len(with), !bytes.Equal(with, without))
		},
		"hmac-secret of two accounts": func(w *witness) {
			w.secretive("ada")
			ada := w.secret("ada", pinuv.Two, salt, nil)
			w.now = w.now.Add(time.Second)
			w.secretive("bob")
			w.note("differ %v", !bytes.Equal(ada, w.secret("bob", pinuv.Two, salt, nil)))
		},
		"hmac-secret with a wrong MAC": func(w *witness) {
			w.secretive("ada")
			w.secret("get", pinuv.Two, salt, func(in map[int]any) { in[3] = make([]byte, 32) })
		},
		"hmac-secret with a salt of 48 bytes": func(w *witness) { w.secretive("ada"); w.secret("get", pinuv.Two, make([]byte, 48), nil) },
		"hmac-secret with two salts": func(w *witness) {
			w.secretive("ada")
			w.note("%d bytes", len(w.secret("get", pinuv.Two, make([]byte, 64), nil)))
		},
		"hmac-secret in silence": func(w *witness) { w.secretive("ada"); w.secret("get", pinuv.Two, salt, nil, getOption("up", false)) },
		"hmac-secret without a protocol": func(w *witness) {
			w.secretive("ada")
			w.note("%d bytes", len(w.secret("get", pinuv.One, salt, func(in map[int]any) { delete(in, 4) })))
		},
		"hmac-secret-mc alone": func(w *witness) { w.mixed("make", map[string]any{}) },
		"hmac-secret-mc":       func(w *witness) { w.mixed("make", map[string]any{ExtHMACSecret: true}) },
	}
	blobs(all)
	return all
}

// mixed makes a credential with hmac-secret-mc and other extensions, and notes the names
// of what comes.
func (w *witness) mixed(what string, extensions map[string]any) {
	public, shared := w.agree(pinuv.Two)
	enc := w.encrypt(pinuv.Two, shared, make([]byte, 32))
	extensions[ExtHMACSecretMC] = map[int]any{1: cbor.RawMessage(public), 2: enc, 3: pinuv.Two.Authenticate(shared, enc), 4: 2}
	c := w.make(what, rk, inputs(extensions))
	if c.data == nil {
		return
	}
	var out map[string]cbor.RawMessage
	_ = ctap.DecodeLoose(c.data.Extensions, &out)
	w.note("hmac-secret %v, hmac-secret-mc %v", out[ExtHMACSecret] != nil, out[ExtHMACSecretMC] != nil)
}

func blobs(all map[string]func(*witness)) {
	all["credBlob"] = func(w *witness) {
		w.discoverableWith("make", map[string]any{ExtCredBlob: []byte("12345678")})
		w.answers(w.get("get", member(4, map[string]any{ExtCredBlob: true})))
	}
	all["credBlob too long"] = func(w *witness) { w.discoverableWith("make", map[string]any{ExtCredBlob: make([]byte, 100)}) }
	all["largeBlobKey"] = func(w *witness) {
		ask := member(4, map[string]any{ExtLargeBlobKey: true})
		ada := w.discoverableWith("ada", map[string]any{ExtLargeBlobKey: true})
		first, again := w.get("get", ask), w.get("again", ask)
		w.note("%d bytes, same when made %v, same again %v", len(ada.response.LargeBlobKey),
			bytes.Equal(ada.response.LargeBlobKey, first.response.LargeBlobKey), bytes.Equal(first.response.LargeBlobKey, again.response.LargeBlobKey))
		w.note("zeros %v, unasked %d bytes", bytes.Equal(first.response.LargeBlobKey, make([]byte, 32)), len(w.get("unasked").response.LargeBlobKey))
	}
	all["largeBlobKey without rk"] = func(w *witness) { w.make("make", inputs(map[string]any{ExtLargeBlobKey: true})) }
	all["largeBlobKey false"] = func(w *witness) { w.make("make", rk, inputs(map[string]any{ExtLargeBlobKey: false})) }
}

// u2f sends an APDU and notes the status word.
func (w *witness) u2f(what string, apdu []byte) []byte {
	response, err := w.auth.Message(w.t.Context(), apdu)
	if err != nil || len(response) < 2 {
		w.t.Fatalf("%s: %x, %v", what, response, err)
	}
	n := len(response) - 2
	w.note("%s %x", what, response[n:])
	return response[:n]
}

var u2fApplication = rpHash("a.example")

// register notes what a registration is like and returns its parts.
func (w *witness) register() (public, handle []byte) {
	request := concat(make([]byte, 32), u2fApplication)
	r := w.u2f("register", extended(u2fRegister, 0, request))
	if len(r) < 70 {
		return nil, nil
	}
	n := int(r[66])
	public, handle = r[1:66], r[67:67+n]
	signature := r[67+n+2:]
	signed := concat([]byte{0}, u2fApplication, make([]byte, 32), handle, public)
	w.note("first byte %x, verifies %v", r[0], cose.Verify(notaryPublic(), signed, signature) == nil)
	return public, handle
}

func (w *witness) authenticate(what string, control byte, application, handle []byte) []byte {
	return w.u2f(what, extended(u2fAuthenticate, control, concat(make([]byte, 32), application, []byte{byte(len(handle))}, handle)))
}

func u2fProbes() map[string]func(*witness) {
	return map[string]func(*witness){
		"U2F registration": func(w *witness) { w.register() },
		"U2F without a touch": func(w *witness) {
			_, handle := w.register()
			w.answer = TimedOut
			w.u2f("register", extended(u2fRegister, 0, concat(make([]byte, 32), u2fApplication)))
			w.authenticate("sign", u2fEnforce, u2fApplication, handle)
		},
		"U2F check only": func(w *witness) {
			_, handle := w.register()
			w.authenticate("check", u2fCheckOnly, u2fApplication, handle)
		},
		"U2F control 55": func(w *witness) { _, handle := w.register(); w.authenticate("sign", 0x55, u2fApplication, handle) },
		"U2F handle of another site": func(w *witness) {
			_, handle := w.register()
			w.authenticate("sign", u2fEnforce, rpHash("b.example"), handle)
		},
		"U2F unknown handle":      func(w *witness) { w.authenticate("sign", u2fEnforce, u2fApplication, make([]byte, 64)) },
		"U2F unknown instruction": func(w *witness) { w.u2f("99", extended(0x63, 0, nil)) },
		"U2F class 1":             func(w *witness) { w.u2f("version", []byte{1, u2fVersion, 0, 0, 0, 0, 0}) },
		"U2F short registration":  func(w *witness) { w.u2f("register", extended(u2fRegister, 0, make([]byte, 40))) },
		"U2F wrong length":        func(w *witness) { w.u2f("version", extended(u2fVersion, 0, []byte{1})) },
		"U2F version":             func(w *witness) { w.note("%q", w.u2f("version", []byte{0, u2fVersion, 0, 0, 0, 0, 0})) },
		"U2F authentication": func(w *witness) {
			public, handle := w.register()
			a := w.authenticate("sign", u2fEnforce, u2fApplication, handle)
			b := w.authenticate("again", u2fEnforce, u2fApplication, handle)
			if len(a) < 6 || len(b) < 6 {
				return
			}
			signed := concat(u2fApplication, a[:5], make([]byte, 32))
			key := cose.MarshalP256(cose.ES256, public)
			w.note("presence %d, rises %v, verifies %v", a[0], binary.BigEndian.Uint32(b[1:]) > binary.BigEndian.Uint32(a[1:]), cose.Verify(key, signed, a[5:]) == nil)
		},
		"U2F under alwaysUv": func(w *witness) {
			w.configure("toggle", ctap.ToggleAlwaysUV, nil)
			w.u2f("version", []byte{0, u2fVersion, 0, 0, 0, 0, 0})
		},
		"U2F with a protected credential": func(w *witness) {
			c := w.make("make", inputs(map[string]any{ExtCredProtect: 3}))
			w.authenticate("sign", u2fEnforce, u2fApplication, c.data.Attested.ID)
		},
	}
}
