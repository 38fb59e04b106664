package clientpin

import (
	"bytes"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
)

// The timers of a token (section 6.5.2.1), and a moment more than they allow.
const (
	firstUse = 30*time.Second + 2*time.Second
	longest  = 10*time.Minute + 5*time.Second
)

// get gets a token for both ceremonies at a relying party, by the PIN.
func get(r *conformance.Run, p pinuv.Protocol, rpID string) *conformance.Token {
	return r.TokenOf(p, ctap.PermMakeCredential|ctap.PermGetAssertion, rpID)
}

// token is a case with each protocol, about tokens of any kind.
func token(id, section, why string, hands conformance.Gesture, run func(r *conformance.Run, p pinuv.Protocol)) []conformance.Case {
	return conformance.BothProtocols(conformance.Case{
		ID: "clientpin.token." + id, Rule: conformance.Since20(section), Start: conformance.WithPIN, Needs: ceremoniesByPIN, Why: why, Hands: hands,
	}, run)
}

// tokens is about what a token is.
func tokens() []conformance.Case {
	encrypted := func(r *conformance.Run, p pinuv.Protocol) []byte {
		var answer ctap.ClientPINResponse
		enter(r, p, r.PIN()).OK().Into(&answer)
		return answer.PinUvAuthToken
	}
	return conformance.Join(
		token("random", "6.5.2.1", "a token is random: it is not zeros, and never comes twice", 0, func(r *conformance.Run, p pinuv.Protocol) {
			var seen [][]byte
			for range 4 {
				v := r.TokenOf(p, ctap.PermGetAssertion, tokenRP).Value
				r.Require(!bytes.Equal(v, make([]byte, len(v))), "the token is all zeros")
				repeats := slices.ContainsFunc(seen, func(other []byte) bool { return bytes.Equal(other, v) })
				if repeats && !conformance.Is21(r.Info()) {
					r.Tolerate("CTAP 2.0 makes a token at power-up and gives it out again", "a token comes twice")
					return
				}
				r.Require(!repeats, "a token comes twice")
				seen = append(seen, v)
			}
		}),
		conformance.One(
			conformance.Case{
				ID: "clientpin.token.length.v1", Rule: conformance.Since20("6.5.6"), Start: conformance.WithPIN,
				Needs: append([]conformance.Need{conformance.Protocol(1)}, ceremoniesByPIN...),
				Why:   "under protocol one a token is of 16 or 32 bytes",
				Run: func(r *conformance.Run) {
					n := len(r.TokenOf(pinuv.One, ctap.PermGetAssertion, tokenRP).Value)
					r.Require(n == 16 || n == 32, "the token is %d bytes long", n)
				},
			},
			conformance.Case{
				ID: "clientpin.token.length.v2", Rule: conformance.Since21("6.5.7"), Start: conformance.WithPIN,
				Needs: append([]conformance.Need{conformance.Protocol(2)}, ceremoniesByPIN...),
				Why:   "under protocol two a token is of 32 bytes",
				Run: func(r *conformance.Run) {
					conformance.Equal(r, "length of the token", len(r.TokenOf(pinuv.Two, ctap.PermGetAssertion, tokenRP).Value), 32)
				},
			},
			conformance.Case{
				ID: "clientpin.token.iv", Rule: conformance.Since21("6.5.7"), Start: conformance.WithPIN,
				Needs: append([]conformance.Need{conformance.Protocol(2)}, ceremoniesByPIN...),
				Why:   "under protocol two every encryption has a random initialisation vector",
				Run: func(r *conformance.Run) {
					one, two := encrypted(r, pinuv.Two), encrypted(r, pinuv.Two)
					r.Require(len(one) == 48 && len(two) == 48, "the answers are %d and %d bytes long", len(one), len(two))
					r.Require(!bytes.Equal(one[:16], two[:16]), "the initialisation vector is %x twice", one[:16])
				},
			},
		),
		token("mac.cut", "6.5.2.1", "a pinUvAuthParam that is cut is not one", 0, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			m := r.AuthoriseWith(t, ctap.GetAssertion, conformance.M{1: tokenRP, 2: r.Bytes(32), 5: conformance.S{"up": false}})
			mac := m[6].([]byte)
			r.Send(ctap.GetAssertion, m.With(6, mac[:len(mac)-1])).
				Tolerate(conformance.Deviates("some keys look at the length first", ctap.ErrInvalidParameter, ctap.ErrInvalidLength)).Want(ctap.ErrPINAuthInvalid)
			live(r, t, tokenRP)
		}),
	)
}

// lifetimes is about how long a token lasts.
func lifetimes() []conformance.Case {
	const section = "6.5.2.1"
	aged := func(id, why string, waits time.Duration, run func(r *conformance.Run, p pinuv.Protocol)) []conformance.Case {
		return conformance.BothProtocols(conformance.Case{
			ID: "clientpin.token." + id, Rule: conformance.Since21(section), Start: conformance.WithPIN, Needs: tokensByPIN, Why: why,
			Waits: waits,
		}, run)
	}
	return conformance.Join(
		aged("unused", "a token that is not used within 30 seconds ends", firstUse, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			r.Sleep(firstUse)
			dead(r, t, tokenRP)
		}),
		aged("used-in-time", "a token that is used within 30 seconds goes on after them", firstUse, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			r.Sleep(15 * time.Second)
			live(r, t, tokenRP)
			r.Sleep(firstUse - 15*time.Second)
			reply := use(r, t, tokenRP)
			reply.Tolerate(conformance.Deviates("a rolling timer may end it before (section 6.5.2.1)", ctap.ErrPINAuthInvalid)).Want(ctap.ErrNoCredentials)
		}),
		aged("ten-minutes", "a token ends after ten minutes, however often it is used", longest, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			for range 20 {
				use(r, t, tokenRP)
				r.Sleep(longest / 20)
			}
			dead(r, t, tokenRP)
		}),
	)
}

// ended is about what ends a token before its time.
func ended() []conformance.Case {
	return conformance.Join(
		token("power-cycle", "6.5.2.1", "a power cycle ends every token", conformance.Replug, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			r.PowerCycle()
			dead(r, t, tokenRP)
		}),
		token("new-connection", "6.5.2.1", "another connection is no power cycle: the token goes on", 0, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			r.Raw().Close()
			live(r, t, tokenRP)
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.token.next-token", Rule: conformance.Since21("6.5.2.1"), Start: conformance.WithPIN, Needs: tokensByPIN,
			Why: "a new token ends the one before",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			earlier := get(r, p, tokenRP)
			t := get(r, p, tokenRP)
			dead(r, earlier, tokenRP)
			live(r, t, tokenRP)
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.token.next-token.other-protocol", Rule: conformance.Since21("6.5.2.1"), Start: conformance.WithPIN,
			Needs: append([]conformance.Need{conformance.Protocol(1), conformance.Protocol(2)}, tokensByPIN...),
			Why:   "a new token ends those of every protocol",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			other := pinuv.One
			if p == pinuv.One {
				other = pinuv.Two
			}
			earlier := get(r, p, tokenRP)
			live(r, get(r, other, tokenRP), tokenRP)
			dead(r, earlier, tokenRP)
		}),
		conformance.BothProtocols(conformance.Case{
			ID: "clientpin.token.pin-change", Rule: conformance.Since21("6.5.5.6"), Start: conformance.WithPIN, Destructive: true, Needs: tokensByPIN,
			Why: "changing the PIN ends every token",
		}, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			r.ChangePIN(r.PIN(), fresh)
			dead(r, t, tokenRP)
		}),
		token("other-commands", "6.5.2.1", "other commands between do not end a token", 0, func(r *conformance.Run, p pinuv.Protocol) {
			t := get(r, p, tokenRP)
			r.Send(ctap.GetInfo, nil).OK()
			r.Agree(p)
			r.PINRetries()
			live(r, t, tokenRP)
		}),
	)
}
