package authenticator_test

import (
	"bytes"
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
	w.agreed[p.Number()] = string(response.KeyAgreement)
	public, secret, err := pinuv.Encapsulate(p, response.KeyAgreement, w.rand)
	w.must(err)
	return public, secret
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

// setPIN is setPIN.
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

// changePIN is changePIN, with the PIN or with another one.
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

// askForToken asks for a token in any way, with any permissions.
func (w *world) askForToken() {
	if len(w.p.PINProtocols) == 0 {
		w.Skip("no protocol")
	}
	permissions := pick(w, []ctap.Permissions{mc, ga, mc | ga, cm, be, lbw, acfg, pcmr, 0x7F, pcmr | cm, 0, w.offered() &^ pcmr}, "permissions")
	rp := pick(w, []string{"a.example", "b.example", ""}, "rp")
	w.token(pick(w, []uint{ctap.GetPinToken, ctap.GetTokenUsingUv, ctap.GetTokenUsingPin}, "way"), w.guess(), permissions, rp)
}

// token asks for a token and holds the answer against the rules. It returns nil when
// there is none.
func (w *world) token(way uint, pin string, permissions ctap.Permissions, rp string) *token {
	p := w.protocol()
	public, secret := w.agree(p)
	q := ctap.ClientPINRequest{PinUvAuthProtocol: p.Number(), SubCommand: way, KeyAgreement: public}
	if way != ctap.GetTokenUsingUv {
		q.PinHashEnc = w.encrypt(p, secret, pinHash(pin))
	}
	if way == ctap.GetPinToken {
		permissions, rp = mc|ga, ""
	} else {
		q.Permissions = &permissions
	}
	if rp != "" {
		q.RPID = &rp
	}
	refused := w.refused(way, permissions, rp)
	blocked := w.uvTries == 0
	status, body := w.exchange(ctap.ClientPIN, q, nil)
	switch {
	case refused:
		if status == ctap.OK || len(w.asked) > 0 {
			w.object("a token with permissions %#x for %q by %d: %v", permissions, rp, way, status)
		}
		return nil
	case way != ctap.GetTokenUsingUv:
		w.want(status, w.tokenByPIN(p, way, pin), "token by PIN")
	case (status == ctap.OK) != w.recognised() || blocked && status != ctap.ErrUVBlocked:
		w.object("token by user verification: %v, the person said %v", status, w.asked)
	}
	if status != ctap.OK {
		return nil
	}
	return w.received(way, p, secret, body, permissions, rp)
}

// refused tells whether such a token is never given.
func (w *world) refused(way uint, permissions ctap.Permissions, rp string) bool {
	byUV := way == ctap.GetTokenUsingUv
	switch {
	case way != ctap.GetPinToken && !w.modern(), !byUV && !w.p.ClientPIN, byUV && !w.builtIn():
		return true
	case !byUV && w.p.NoMcGaWithPIN && permissions&(mc|ga) != 0:
		return true
	case way == ctap.GetPinToken:
		return false
	case permissions == 0, permissions&^w.offered() != 0, permissions&(mc|ga) != 0 && rp == "", permissions&pcmr != 0 && permissions != pcmr:
		return true
	}
	return byUV && (permissions&be != 0 && !w.p.UVBioEnroll || permissions&acfg != 0 && !w.p.UVConfig)
}

// tryBy is try, and gives up the key agreement key of a wrong one.
func (w *world) tryBy(p pinuv.Protocol, pin string) ctap.Status {
	tries := w.tries
	status := w.try(pin)
	if w.tries < tries {
		w.retired = append(w.retired, w.agreed[p.Number()])
	}
	return status
}

func (w *world) tokenByPIN(p pinuv.Protocol, way uint, pin string) ctap.Status {
	status := w.tryBy(p, pin)
	switch {
	case status != ctap.OK || !w.forced:
		return status
	case way == ctap.GetPinToken:
		return ctap.ErrPINInvalid
	}
	return ctap.ErrPINPolicyViolation
}

// received remembers a token, which ends all others, or is the persistent one.
func (w *world) received(way uint, p pinuv.Protocol, secret, body []byte, permissions ctap.Permissions, rp string) *token {
	var response ctap.ClientPINResponse
	w.decode(body, &response)
	value, err := p.Decrypt(secret, response.PinUvAuthToken)
	w.must(err)
	k := &token{
		value: value, protocol: p.Number(), permissions: permissions, surely: permissions, rp: rp, born: w.clock,
		byUV: way == ctap.GetTokenUsingUv, persistent: permissions == pcmr,
	}
	if len(value) != 32 {
		w.object("a token of %d bytes", len(value))
	}
	for _, old := range w.tokens {
		if same := bytes.Equal(old.value, value); same != (k.persistent && old.persistent && !old.over) {
			w.object("the new token is that of before: %v; the persistent one: %v", same, k.persistent)
		}
	}
	if !k.persistent {
		w.endTokens(false)
	}
	w.tokens = append(w.tokens, k)
	return k
}

// proof is a pinUvAuthParam and what it is worth.
type proof struct {
	k        *token // nil: none is given
	protocol uint
	mac      []byte
}

// prove authenticates a message for a permission: with a token that was got for it,
// with one that was lying around, or not at all.
func (w *world) prove(permission ctap.Permissions, rp string, message []byte) (x proof) {
	switch way := w.dice(9, "proof"); {
	case w.insist != nil:
		x.k = w.insist
	case way < 6:
		x.k = w.freshToken(permission, rp)
	case way < 9 && len(w.tokens) > 0:
		x.k = pick(w, w.held(permission), "held token")
	}
	if x.k == nil {
		return x
	}
	x.protocol = x.k.protocol
	if w.chance(12, "other protocol") {
		x.protocol = pick(w, w.p.PINProtocols, "its number")
	}
	p, _ := pinuv.ByNumber(x.protocol)
	x.mac = p.Authenticate(x.k.value, message)
	return x
}

// reuse gets a token, lets something happen to it, and insists on it.
func (w *world) reuse() {
	uses := map[ctap.Permissions][]func(){
		mc: {w.makeCredential}, ga: {w.getAssertion}, cm: {w.manage}, be: {w.bioEnroll}, lbw: {w.writeBlobs}, acfg: {w.configure},
	}
	permission := pick(w, []ctap.Permissions{mc, ga, cm, be, lbw, acfg}, "permission")
	if permission&w.offered() == 0 || permission == acfg && !w.p.Config {
		w.Skip("a permission that the profile has not")
	}
	k := w.freshToken(permission, "")
	if permission&(mc|ga) != 0 && w.pin != "" && w.chance(3, "bound to none") {
		k = w.token(ctap.GetPinToken, w.pin, mc|ga, "")
	}
	if k == nil {
		return
	}
	silently := func() {
		w.insist, w.silent = k, true
		w.getAssertion()
		w.silent = false
	}
	pick(w, []func(){
		func() {}, w.wait, w.wait, w.powerCycle, w.changePIN, w.reset, w.askForToken, w.configure, w.getAssertion, w.makeCredential, silently,
	}, "event")()
	w.insist = k
	uses[permission][0]()
	w.insist = nil
}

// held are tokens that were got before, good or not; to manage credentials, mostly
// persistent ones.
func (w *world) held(permission ctap.Permissions) (tokens []*token) {
	for _, k := range w.tokens {
		if permission == cm && k.persistent {
			tokens = append(tokens, k)
		}
	}
	return append(tokens, w.tokens[max(0, len(w.tokens)-4):]...)
}

// freshToken gets a token in the way that works, nil when none does.
func (w *world) freshToken(permission ctap.Permissions, rp string) *token {
	if permission == cm && w.p.ReadOnlyManagement && w.chance(3, "persistent") {
		permission, rp = pcmr, ""
	} else if w.chance(4, "all permissions") {
		permission = w.offered() &^ (pcmr | be | acfg) // which user verification may not give
	}
	if permission&(mc|ga) != 0 && rp == "" {
		rp = "a.example"
	}
	byUV := w.modern() && w.builtIn() && (w.pin == "" || w.chance(2, "by user verification"))
	switch {
	case byUV && !w.refused(ctap.GetTokenUsingUv, permission, rp):
		return w.token(ctap.GetTokenUsingUv, "", permission, rp)
	case w.pin != "":
		return w.token(w.wayByPIN(), w.pin, permission, rp)
	}
	return nil
}

// worth tells whether a proof is one, at this time.
func (w *world) worth(x proof, permission ctap.Permissions, rp string) verdict {
	if x.k == nil {
		return no
	}
	return x.k.grants(permission, x.protocol, rp, w.clock)
}

// judge holds the answer to a proof against its worth.
func (w *world) judge(x proof, worth verdict, status ctap.Status, what string) {
	switch {
	case x.k == nil:
		return
	case worth == no && status == ctap.OK:
		w.object("%s: a token is taken that is worth nothing: %+v by protocol %d", what, *x.k, x.protocol)
	case worth == yes && status == ctap.ErrPINAuthInvalid:
		w.object("%s: a good token is refused: %+v", what, *x.k)
	}
	w.happened([]string{"a worthless token", "a doubtful token", "a good token"}[worth])
	if worth != no && status == ctap.OK {
		x.k.used = true
	}
	x.k.perhapsUsed = true
}
