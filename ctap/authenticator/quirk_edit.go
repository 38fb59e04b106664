package authenticator

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/pinuv"
)

// What follows is how quirks are written: a behaviour for each kind of lie.

// beforeCommand runs before the handler of a command.
func beforeCommand(c ctap.Command, lie func(*exchange)) behaviour {
	return behaviour{before: func(x *exchange) {
		if x.is(c) {
			lie(x)
		}
	}}
}

// afterCommand runs behind the handler of a command, when it did what was asked.
func afterCommand(c ctap.Command, lie func(*exchange)) behaviour {
	return behaviour{after: func(x *exchange) {
		if x.is(c) && x.ok() {
			lie(x)
		}
	}}
}

// changeRequest rewrites a request that is well formed.
func changeRequest[T any](c ctap.Command, change func(*exchange, *T)) behaviour {
	return beforeCommand(c, func(x *exchange) { rewrite(x, change) })
}

func rewrite[T any](x *exchange, change func(*exchange, *T)) {
	r := new(T)
	if ctap.Decode(x.request[1:], r) != nil {
		return
	}
	change(x, r)
	if changed, err := ctap.NewRequest(x.command(), r); err == nil {
		x.request = changed
	}
}

// changeAnswer rewrites the answer to a command.
func changeAnswer[T any](c ctap.Command, change func(*exchange, *T)) behaviour {
	return afterCommand(c, func(x *exchange) { x.rewriteAnswer(func() any { return new(T) }, func(v any) { change(x, v.(*T)) }) })
}

func (x *exchange) rewriteAnswer(empty func() any, change func(any)) {
	v := empty()
	if len(x.answer) < 2 || ctap.DecodeLoose(x.answer[1:], v) != nil {
		return
	}
	change(v)
	if changed, err := encodeAnswer(v); err == nil {
		x.answer = changed
	}
}

// members is a message by its keys.
type members map[uint64]cbor.RawMessage

// set gives a member a value that its type has no room for.
func (m members) set(key uint64, v any) {
	if b, err := ctap.Encode(v); err == nil {
		m[key] = b
	}
}

// changeMembers rewrites the members of the answer to a command.
func changeMembers(c ctap.Command, change func(*exchange, members)) behaviour {
	return changeAnswer(c, func(x *exchange, m *members) { change(x, *m) })
}

// changeStatus answers with another status to a command; to any for command 0.
func changeStatus(c ctap.Command, from, to ctap.Status) behaviour {
	return behaviour{after: func(x *exchange) {
		if (c == 0 || x.is(c)) && x.status() == from {
			x.refuse(to)
		}
	}}
}

// changePINRequest rewrites the request of a subcommand of authenticatorClientPIN.
func changePINRequest(sub uint, change func(*exchange, *ctap.ClientPINRequest)) behaviour {
	return changeRequest(ctap.ClientPIN, func(x *exchange, r *ctap.ClientPINRequest) {
		if r.SubCommand == sub {
			change(x, r)
		}
	})
}

// both has two behaviours one after the other.
func both(a, b behaviour) behaviour {
	return behaviour{before: inTurn(a.before, b.before), after: inTurn(a.after, b.after), apdu: inTurn(a.apdu, b.apdu), answered: inTurn(a.answered, b.answered)}
}

func inTurn(first, second func(*exchange)) func(*exchange) {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(x *exchange) { first(x); second(x) }
}

// subCommand returns that of a request, 0 where there is none.
func (x *exchange) subCommand() uint {
	key := uint64(1)
	if x.is(ctap.ClientPIN, ctap.BioEnrollment, ctap.BioEnrollmentPreview) {
		key = 2
	}
	var m map[any]cbor.RawMessage
	if len(x.asked) < 2 || ctap.DecodeLoose(x.asked[1:], &m) != nil {
		return 0
	}
	var sub uint
	if ctap.DecodeLoose(m[key], &sub) != nil {
		return 0
	}
	return sub
}

// mac is the pinUvAuthParam that the token in use would give.
func (x *exchange) mac(message []byte) []byte {
	t := &x.a.boot.token
	if !t.inUse {
		return nil
	}
	return t.protocol.Authenticate(t.value, message)
}

// remac replaces a wrong pinUvAuthParam of a request by the right one.
func (x *exchange) remac(mac *ctap.Bytes, protocol *uint, message []byte) {
	if right := x.mac(message); right != nil && len(*mac) > 0 {
		*mac, *protocol = right, x.a.boot.token.protocol.Number()
	}
}

// wholeToken puts a token that may do everything in the place of the one there is, or of
// none, for this request alone.
func (x *exchange) wholeToken() {
	x.a.boot.token = token{
		value: bytes.Repeat([]byte{1}, pinuv.TokenSize), protocol: pinuv.Two, permissions: ^ctap.Permissions(0),
		inUse: true, used: true, userVerified: true, issued: x.a.env.Now(),
	}
	x.backs = append(x.backs, func(*Device) { x.a.boot.token = x.boot.token })
}

// relaxToken changes the token in use for this request; it stays changed only in what the
// handler itself changes.
func (x *exchange) relaxToken(change, back func(*token)) {
	if !x.a.boot.token.inUse {
		return
	}
	change(&x.a.boot.token)
	x.backs = append(x.backs, func(*Device) { back(&x.a.boot.token) })
}

// secret agrees on the secret of a clientPIN request with the platform.
func (x *exchange) secret(r *ctap.ClientPINRequest) (pinuv.Protocol, []byte, bool) {
	p, secret, err := x.a.decapsulate(r.PinUvAuthProtocol, r.KeyAgreement)
	return p, secret, err == nil
}

// newPIN decrypts the new PIN of a request, padding included.
func (x *exchange) newPIN(r *ctap.ClientPINRequest) []byte {
	p, secret, ok := x.secret(r)
	if !ok {
		return nil
	}
	padded, err := p.Decrypt(secret, r.NewPinEnc)
	if err != nil {
		return nil
	}
	return padded
}

// sendPIN puts another new PIN into a request that is authenticated, and what
// authenticates it then.
func (x *exchange) sendPIN(r *ctap.ClientPINRequest, padded []byte) {
	p, secret, ok := x.secret(r)
	if !ok || !p.Verify(secret, pinMessage(r), r.PinUvAuthParam) {
		return
	}
	if enc, err := p.Encrypt(secret, padded, x.a.env.Rand); err == nil {
		r.NewPinEnc = enc
		r.PinUvAuthParam = p.Authenticate(secret, pinMessage(r))
	}
}

// pinMessage is what pinUvAuthParam authenticates in setPIN and changePIN.
func pinMessage(r *ctap.ClientPINRequest) []byte { return slices.Concat(r.NewPinEnc, r.PinHashEnc) }

// hashOf is SHA-256.
func hashOf(b []byte) []byte { h := sha256.Sum256(b); return h[:] }
