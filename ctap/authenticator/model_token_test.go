package authenticator_test

import (
	"bytes"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

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
	if permission&(mc|ga) != 0 && w.pin != "" && w.chance(2, "bound to none") {
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
