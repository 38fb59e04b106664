package authenticator_test

import (
	"crypto/sha256"
	"slices"
	"unicode/utf8"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// The permissions of section 6.5.5.7 in short.
const (
	mc   = ctap.PermMakeCredential
	ga   = ctap.PermGetAssertion
	cm   = ctap.PermCredentialMgmt
	be   = ctap.PermBioEnrollment
	lbw  = ctap.PermLargeBlobWrite
	acfg = ctap.PermAuthenticatorCfg
	pcmr = ctap.PermCredentialMgmtRead
)

var pins = []string{"1234", "0246", "567890", "пароль", "жук"}

func (m *model) modern() bool {
	return slices.Contains(m.p.Versions, "FIDO_2_1") || slices.Contains(m.p.Versions, "FIDO_2_3")
}

// offered are the permissions that the profile can give.
func (m *model) offered() ctap.Permissions {
	offered := mc | ga
	for _, c := range []struct {
		has bool
		p   ctap.Permissions
	}{{m.p.CredentialManagement, cm}, {m.p.Biometrics.Enrollment, be}, {m.p.LargeBlobs, lbw}, {m.p.Config, acfg}, {m.p.ReadOnlyManagement, pcmr}} {
		if c.has {
			offered |= c.p
		}
	}
	return offered
}

// agree makes a shared secret with the authenticator.
func (w *world) agree(p pinuv.Protocol) (public, secret []byte) {
	status, body := w.exchange(ctap.ClientPIN, ctap.ClientPINRequest{PinUvAuthProtocol: p.Number(), SubCommand: ctap.GetKeyAgreement}, nil)
	if status != ctap.OK {
		w.object("getKeyAgreement: %v", status)
	}
	var response ctap.ClientPINResponse
	w.decode(body, &response)
	if slices.Contains(w.retired, string(response.KeyAgreement)) {
		w.object("the key agreement key is one that was given up")
	}
	if w.agreed[p.Number()] != string(response.KeyAgreement) { // otherwise the secret of before serves
		w.agreed[p.Number()] = string(response.KeyAgreement)
		public, secret, err := pinuv.Encapsulate(p, response.KeyAgreement, w.rand)
		w.must(err)
		w.shared[p.Number()] = [2][]byte{public, secret}
	}
	shared := w.shared[p.Number()]
	return shared[0], shared[1]
}

func (w *world) protocol() pinuv.Protocol {
	p, _ := pinuv.ByNumber(pick(w, w.p.PINProtocols, "protocol"))
	return p
}

func (w *world) encrypt(p pinuv.Protocol, secret, plain []byte) []byte {
	b, err := p.Encrypt(secret, plain, w.rand)
	w.must(err)
	return b
}

func pinHash(pin string) []byte {
	h := sha256.Sum256([]byte(pin))
	return h[:16]
}

// hasPIN skips what a profile without a PIN has not.
func (w *world) hasPIN() {
	if !w.p.ClientPIN {
		w.Skip("no PIN")
	}
}

// setPIN sets a PIN, where there may be one already.
func (w *world) setPIN() {
	w.hasPIN()
	p, pin := w.protocol(), pick(w, pins, "pin")
	public, secret := w.agree(p)
	enc := w.encrypt(p, secret, append([]byte(pin), make([]byte, 64-len(pin))...))
	mac, wrong := w.mac(p, secret, enc)
	status, _ := w.exchange(ctap.ClientPIN, ctap.ClientPINRequest{
		PinUvAuthProtocol: p.Number(), SubCommand: ctap.SetPIN, KeyAgreement: public, NewPinEnc: enc, PinUvAuthParam: mac,
	}, nil)
	want := ctap.ErrPINAuthInvalid
	if w.pin == "" && !wrong {
		want = w.adopt(pin)
	}
	w.want(status, want, "setPIN")
}

// mac is the MAC of a message, or sometimes not.
func (w *world) mac(p pinuv.Protocol, secret, message []byte) (mac []byte, wrong bool) {
	mac = p.Authenticate(secret, message)
	if w.chance(8, "wrong MAC") {
		mac[0] ^= 1
		return mac, true
	}
	return mac, false
}

// adopt is a new PIN that is held against the policy.
func (w *world) adopt(pin string) ctap.Status {
	if uint(utf8.RuneCountInString(pin)) < w.shortest || w.forced && pin == w.pin {
		return ctap.ErrPINPolicyViolation
	}
	w.pin, w.tries, w.forced = pin, w.p.PINRetries, false
	w.endTokens(true)
	return ctap.OK
}

func (w *world) want(got, want ctap.Status, what string) {
	if got != want {
		w.object("%s: %v, want %v", what, got, want)
	}
}

// changePIN changes the PIN, with the PIN or with another one.
func (w *world) changePIN() {
	w.hasPIN()
	p, old, pin := w.protocol(), w.guess(), pick(w, pins, "pin")
	if w.forced && w.chance(2, "the same PIN") {
		pin = old
	}
	public, secret := w.agree(p)
	enc, hash := w.encrypt(p, secret, append([]byte(pin), make([]byte, 64-len(pin))...)), w.encrypt(p, secret, pinHash(old))
	mac, wrong := w.mac(p, secret, slices.Concat(enc, hash))
	status, _ := w.exchange(ctap.ClientPIN, ctap.ClientPINRequest{
		PinUvAuthProtocol: p.Number(), SubCommand: ctap.ChangePIN, KeyAgreement: public, NewPinEnc: enc, PinHashEnc: hash, PinUvAuthParam: mac,
	}, nil)
	want := ctap.ErrPINAuthInvalid
	if !wrong || w.pin == "" || w.tries == 0 {
		want = w.tryBy(p, old)
	}
	if want == ctap.OK {
		want = w.adopt(pin)
	}
	w.want(status, want, "changePIN")
}

// guess is a PIN, mostly the right one.
func (w *world) guess() string {
	if w.pin != "" && !w.chance(4, "guess") {
		return w.pin
	}
	return pick(w, pins, "guessed")
}

// guessPINs is somebody who tries one wrong PIN after the other.
func (w *world) guessPINs() {
	w.hasPIN()
	if w.pin == "" {
		w.Skip("no PIN is set")
	}
	for range pick(w, []int{1, 2, 3, 8}, "guesses") {
		before := w.tries
		w.token(w.wayByPIN(), "9999", mc|ga, "a.example")
		if before > 0 && w.tries == 0 {
			w.happened("PIN blocked")
		}
		if w.inRow == 3 {
			w.happened("three wrong PINs in a row")
			if w.chance(2, "patience") {
				w.powerCycle()
			}
		}
	}
}

func (w *world) wayByPIN() uint {
	if w.modern() {
		return ctap.GetTokenUsingPin
	}
	return ctap.GetPinToken
}
