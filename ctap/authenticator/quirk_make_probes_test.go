package authenticator

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/pinuv"
)

// rk asks for a discoverable credential.
func rk(m members) { m.set(7, map[string]bool{"rk": true}) }

// made is what makeCredential answered.
type made struct {
	status   ctap.Status
	raw      members
	response ctap.MakeCredentialResponse
	data     *ctap.AuthenticatorData
}

// create sends makeCredential for ada at a.example, changed.
func (w *witness) create(change ...func(members)) (c made) {
	var m members
	w.reread(creation("a.example", "ada"), &m)
	for _, f := range change {
		f(m)
	}
	c.status = w.ask(ctap.MakeCredential, m, &c.raw)
	w.reread(c.raw, &c.response)
	c.data, _ = ctap.ParseAuthenticatorData(c.response.AuthData)
	return c
}

// reread reads one message as another type, as far as that goes.
func (w *witness) reread(from, into any) {
	b, err := ctap.Encode(from)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = ctap.DecodeLoose(b, into)
}

// make notes the status of makeCredential.
func (w *witness) make(what string, change ...func(members)) made {
	c := w.create(change...)
	w.status(what, c.status)
	return c
}

// at sets relying party and user.
func at(rpID, user string) func(members) {
	return func(m members) {
		m.set(2, ctap.RelyingParty{ID: rpID})
		m.set(3, ctap.User{ID: []byte(user), Name: user + "@example.com", DisplayName: user})
	}
}

func member(key uint64, v any) func(members) { return func(m members) { m.set(key, v) } }
func absentMember(key uint64) func(members)  { return func(m members) { delete(m, key) } }
func option(name string, on bool) func(members) {
	return member(7, map[string]bool{name: on})
}

func descriptors(ids ...[]byte) []ctap.Descriptor {
	var list []ctap.Descriptor
	for _, id := range ids {
		list = append(list, ctap.Descriptor{ID: id, Type: ctap.PublicKeyCredential})
	}
	return list
}

func offers(algorithms ...any) func(members) {
	var list []map[string]any
	for _, a := range algorithms {
		list = append(list, map[string]any{"alg": a, "type": "public-key"})
	}
	return member(4, list)
}

// authorised adds a token's pinUvAuthParam.
func authorised(token []byte) func(members) {
	return func(m members) {
		m.set(8, pinuv.Two.Authenticate(token, clientDataHash))
		m.set(9, 2)
	}
}

func wrongMAC(m members) { m.set(8, make([]byte, 32)); m.set(9, 2) }

// withPIN sets a PIN and gets a token.
func (w *witness) withPIN(permissions ctap.Permissions, rpID string) []byte {
	if w.auth.device.PINHash == nil {
		w.want(w.setPIN(pinuv.Two, "7392"), ctap.OK, "setPIN")
	}
	return w.newToken(permissions, rpID)
}

func (w *witness) newToken(permissions ctap.Permissions, rpID string) []byte {
	token, status := w.rig.token(pinuv.Two, "7392", permissions, rpID)
	if status != ctap.OK {
		w.status("token", status)
	}
	return token
}

// users are how a user may answer.
func (w *witness) users(what string, ask func() ctap.Status) {
	for _, answer := range []Answer{Denied, TimedOut, Cancelled} {
		w.answer = answer
		name := map[Answer]string{Denied: "declined", TimedOut: "timed out", Cancelled: "cancelled"}[answer]
		w.status(what+" "+name, ask())
	}
	w.answer = Granted
}

func makeProbes() map[string]func(*witness) {
	return map[string]func(*witness){
		"make with a short hash":          func(w *witness) { w.make("make", member(1, make([]byte, 31))) },
		"make without a user":             func(w *witness) { w.make("make", absentMember(3)) },
		"make with a user id of 65 bytes": func(w *witness) { w.make("make", member(3, ctap.User{ID: make([]byte, 65)})) },
		"make with an unknown algorithm":  func(w *witness) { w.make("make", offers(-999)) },
		"make with a malformed second offer": func(w *witness) {
			w.make("make", member(4, []any{map[string]any{"alg": -7, "type": "public-key"}, map[string]any{"alg": -8}}))
		},
		"make with two offers": func(w *witness) {
			c := w.make("make", offers(-8, -7))
			alg, _, _ := cose.Parse(c.data.Attested.PublicKey)
			w.note("%s", alg)
		},
		"make with another type":   func(w *witness) { w.make("make", member(4, []any{map[string]any{"alg": -7, "type": "other"}})) },
		"make with up false":       func(w *witness) { w.make("make", option("up", false)) },
		"make with uv":             func(w *witness) { w.make("make", option("uv", true)) },
		"make with unknown option": func(w *witness) { w.make("make", option("later", true)) },
		"make with enterprise":     func(w *witness) { w.make("make", member(10, 1)) },
		"make with an empty param": func(w *witness) {
			w.make("make", member(8, []byte{}), member(9, 2))
			w.note("asked %d times", len(w.asked))
		},
		"make with a list too long": func(w *witness) { w.make("make", tooLong(5)) },
		"make and find without a list": func(w *witness) {
			w.make("make", rk)
			w.get("get")
		},
		"make beside one of the list": func(w *witness) {
			c := w.make("make", rk)
			w.asked = nil
			w.make("again", member(5, descriptors(c.data.Attested.ID)))
			w.note("asked %d times", len(w.asked))
		},
		"make the same account twice": func(w *witness) {
			w.make("make", rk)
			w.now = w.now.Add(time.Second)
			w.make("again", rk)
			w.note("%d credentials", w.get("get").response.NumberOfCredentials)
		},
		"make two accounts": func(w *witness) {
			w.make("make", rk, at("a.example", "ada"))
			w.make("make", rk, at("a.example", "bob"))
			w.note("%d credentials", w.get("get").response.NumberOfCredentials)
		},
		"make more than fit": func(w *witness) {
			for i := range 6 {
				w.make("make", rk, at(fmt.Sprintf("%d.example", i), "ada"))
			}
			w.get("first", member(1, "0.example"))
		},
		"users of make": func(w *witness) { w.users("make", func() ctap.Status { return w.create().status }) },
		"touches of make": func(w *witness) {
			w.make("make")
			w.note("asked %d times", len(w.asked))
		},
		"members of make": func(w *witness) {
			c := w.make("make")
			w.note("%v, epAtt %v", slices.Sorted(maps.Keys(c.raw)), c.response.EnterpriseAtt)
		},
		"attestation":      func(w *witness) { w.attestation(w.make("make")) },
		"authData of make": func(w *witness) { w.authData(w.make("make").response.AuthData, "a.example") },
		"authData of verified make": func(w *witness) {
			w.authData(w.make("make", authorised(w.withPIN(ctap.PermMakeCredential, "a.example"))).response.AuthData, "a.example")
		},
		"make under alwaysUv": func(w *witness) {
			w.says("toggle", ctap.Config, &ctap.ConfigRequest{SubCommand: ctap.ToggleAlwaysUV}, nil)
			w.make("make")
		},
		"make rk without the PIN": func(w *witness) { w.withPIN(ctap.PermGetAssertion, "a.example"); w.make("make", rk) },
		"make with a wrong MAC":   func(w *witness) { w.withPIN(ctap.PermMakeCredential, "a.example"); w.make("make", wrongMAC) },
		"make with a protocol that is not there": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, "a.example")
			w.make("make", authorised(token), member(9, 7))
			w.make("without", authorised(token), absentMember(9))
		},
		"make with a token for ga":          func(w *witness) { w.make("make", authorised(w.withPIN(ctap.PermGetAssertion, "a.example"))) },
		"make with a token of another site": func(w *witness) { w.make("make", authorised(w.withPIN(ctap.PermMakeCredential, "b.example"))) },
		"make with an earlier token": func(w *witness) {
			token := w.withPIN(ctap.PermMakeCredential, "a.example")
			w.newToken(ctap.PermMakeCredential, "a.example")
			w.make("make", authorised(token))
		},
		"users of selection": func(w *witness) {
			w.users("selection", func() ctap.Status { return w.ask(ctap.Selection, nil, nil) })
			w.says("selection", ctap.Selection, nil, nil)
			w.note("asked %d times", len(w.asked))
		},
		"enterprise attestation": func(w *witness) {
			w.configure("enable", ctap.EnableEnterpriseAttestation, nil)
			for _, c := range []struct {
				rpID  string
				value uint
			}{{"enterprise.example", 1}, {"a.example", 1}, {"a.example", 2}, {"a.example", 3}} {
				m := w.make(fmt.Sprintf("%s %d", c.rpID, c.value), at(c.rpID, "ada"), member(10, c.value))
				w.note("epAtt %v", m.response.EnterpriseAtt)
			}
		},
	}
}

func tooLong(key uint64) func(members) {
	return func(m members) {
		var ids [][]byte
		for i := range 17 {
			ids = append(ids, bytes.Repeat([]byte{byte(i)}, 16))
		}
		m.set(key, descriptors(ids...))
	}
}

// attestation notes whether the statement verifies.
func (w *witness) attestation(c made) {
	var statement struct {
		Alg int        `cbor:"alg"`
		Sig ctap.Bytes `cbor:"sig"`
	}
	_ = ctap.DecodeLoose(c.response.AttStmt, &statement)
	if c.data == nil || c.data.Attested == nil {
		w.note("no credential")
		return
	}
	public := c.data.Attested.PublicKey
	if w.auth.profile.Attestation == ExternalAttestation {
		public = notaryPublic()
	}
	err := cose.Verify(public, append(bytes.Clone(c.response.AuthData), clientDataHash...), statement.Sig)
	w.note("%s, verifies %v", c.response.Format, err == nil)
}

// authData notes what authenticator data say.
func (w *witness) authData(data []byte, rpID string) {
	d, err := ctap.ParseAuthenticatorData(data)
	if err != nil {
		w.note("flags %s, %v", ctap.Flags(data[32]), err)
		return
	}
	hash := sha256.Sum256([]byte(rpID))
	w.note("site right %v, flags %s", hash == d.RPIDHash, d.Flags)
	if d.Attested == nil {
		return
	}
	var key map[int]any
	_ = ctap.DecodeLoose(d.Attested.PublicKey, &key)
	w.note("AAGUID right %v, id of %d bytes, key %v alg %v", d.Attested.AAGUID == w.auth.profile.AAGUID, len(d.Attested.ID), slices.Sorted(maps.Keys(key)), key[3])
	w.note("extensions %s", diagnostic(d.Extensions))
}

func notaryPublic() []byte {
	public, err := cose.Marshal(cose.ES256, notaryKeyPair().Public())
	if err != nil {
		return nil
	}
	return public
}
