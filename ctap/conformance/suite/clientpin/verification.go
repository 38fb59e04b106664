package clientpin

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// asksFinger sends a request for a token by built-in user verification.
func asksFinger(r *conformance.Run, permissions ctap.Permissions, rpID string) *conformance.Reply {
	return r.Send(ctap.ClientPIN, r.Agree(r.Protocol()).TokenUsingUVParams(permissions, rpID))
}

// uvTries asks how many tries of built-in user verification are left.
func uvTries(r *conformance.Run) uint {
	return r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: ctap.GetUVRetries}).OK().Only(5).Uint(5)
}

// byFinger is a case of an authenticator that verifies its user.
func byFinger(id, section, why string, hands conformance.Gesture, run func(r *conformance.Run), more ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "clientpin.uv." + id, Rule: conformance.Since21(section), Hands: conformance.Touch | hands, Why: why, Run: run,
		Needs: append(more, conformance.CanToken(), conformance.Option("uv")),
	}
}

const uvSection = "6.5.5.7.3"

// verification is getPinUvAuthTokenUsingUvWithPermissions (section 6.5.5.7.3).
func verification() []conformance.Case {
	return conformance.One(
		byFinger("gives", uvSection, "a finger that is known gives a token, and nothing more, which can be used", 0, func(r *conformance.Run) {
			s := r.Agree(r.Protocol())
			reply := r.Send(ctap.ClientPIN, s.TokenUsingUVParams(ctap.PermGetAssertion, tokenRP)).OK().Only(2)
			live(r, s.ReadToken(reply), tokenRP)
		}),
		byFinger("stranger", uvSection, "a finger that is not known is CTAP2_ERR_UV_INVALID", conformance.Stranger, func(r *conformance.Run) {
			r.Plan(conformance.Stranger)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrUVInvalid).Empty()
			r.Plan(conformance.Touch)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).OK()
		}),
		byFinger("declined", uvSection, "a user who declines is CTAP2_ERR_OPERATION_DENIED", conformance.Deny, func(r *conformance.Run) {
			r.Plan(conformance.Deny)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrOperationDenied)
		}),
		byFinger("timed-out", uvSection, "a user who does nothing is CTAP2_ERR_USER_ACTION_TIMEOUT", conformance.Ignore, func(r *conformance.Run) {
			r.Plan(conformance.Ignore)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).
				Tolerate(conformance.Deviates("some keys take nobody's finger for one that they do not know", ctap.ErrUVInvalid, ctap.ErrOperationDenied)).
				Want(ctap.ErrUserActionTimeout)
		}),
		byFinger("cancelled", uvSection, "a request that is cancelled is CTAP2_ERR_KEEPALIVE_CANCEL, and costs no try", conformance.Wait, func(r *conformance.Run) {
			before := uvTries(r)
			m := r.Agree(r.Protocol()).TokenUsingUVParams(ctap.PermGetAssertion, tokenRP)
			r.Plan(conformance.Wait)
			r.SendCancelled(ctap.ClientPIN, m).Want(ctap.ErrKeepaliveCancel)
			conformance.Equal(r, "uvRetries", uvTries(r), before)
		}),
		waits(byFinger("presence-ends", "6.5.2.1", "that the user was present for the token is forgotten after 30 seconds: an assertion then asks for a touch", 0, func(r *conformance.Run) {
			c := r.Create(createAt(r, tokenRP))
			s := r.Agree(r.Protocol())
			t := s.ReadToken(r.Send(ctap.ClientPIN, s.TokenUsingUVParams(ctap.PermGetAssertion, tokenRP)))
			use(r, t, tokenRP).Want(ctap.ErrNoCredentials, ctap.OK)
			r.Sleep(firstUse)
			reply := r.Send(ctap.GetAssertion, r.AuthoriseWith(t, ctap.GetAssertion, r.AssertParams(c)))
			reply.Tolerate(conformance.Deviates("a rolling timer may end the token before (section 6.5.2.1)", ctap.ErrPINAuthInvalid)).OK()
			if reply.Status == ctap.OK {
				reply.Touched()
			}
		})),
	)
}

// verificationRefused is about requests that no finger is asked for.
func verificationRefused() []conformance.Case {
	refused := func(id, why string, want ctap.Status, bend func(m conformance.M) conformance.M, more ...conformance.Need) conformance.Case {
		return byFinger(id, uvSection, why, 0, func(r *conformance.Run) {
			m := r.Agree(r.Protocol()).TokenUsingUVParams(ctap.PermGetAssertion, tokenRP)
			r.Send(ctap.ClientPIN, bend(m)).Tolerate(conformance.ParameterAs14, conformance.MissingAs02).Want(want)
		}, more...)
	}
	return conformance.One(
		refused("permissions-zero", "permissions of 0 are CTAP1_ERR_INVALID_PARAMETER", ctap.ErrInvalidParameter,
			func(m conformance.M) conformance.M { return m.With(9, 0) }),
		refused("no-rp", "the permissions mc and ga need a relying party", ctap.ErrMissingParameter,
			func(m conformance.M) conformance.M { return m.Without(10) }),
		refused("be", "the permission be needs uvBioEnroll", ctap.ErrUnauthorizedPerm,
			func(m conformance.M) conformance.M { return m.With(9, ctap.PermBioEnrollment) }, conformance.NoOption("uvBioEnroll")),
		refused("acfg", "the permission acfg needs uvAcfg", ctap.ErrUnauthorizedPerm,
			func(m conformance.M) conformance.M { return m.With(9, ctap.PermAuthenticatorCfg) }, conformance.NoOption("uvAcfg")),
		refused("bad-key", "a key agreement key that is no point of P-256 is CTAP1_ERR_INVALID_PARAMETER", ctap.ErrInvalidParameter,
			func(m conformance.M) conformance.M { return m.With(3, offCurve(m)) }),
		conformance.Case{
			ID: "clientpin.uv.not-configured", Rule: conformance.Since21(uvSection), Start: conformance.Blank,
			Needs: []conformance.Need{conformance.CanToken(), conformance.HasOption("uv"), conformance.NoOption("uv")},
			Why:   "where no finger is enrolled, a token for one is CTAP2_ERR_NOT_ALLOWED",
			Run:   func(r *conformance.Run) { asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrNotAllowed) },
		},
		conformance.Case{
			ID: "clientpin.uv.absent", Rule: conformance.Since21(uvSection),
			Needs: []conformance.Need{conformance.SomeProtocol(), conformance.AbsentOption("uv")},
			Why:   "without built-in user verification there is no token for it, and no count of its tries",
			Run: func(r *conformance.Run) {
				asksFinger(r, ctap.PermGetAssertion, tokenRP).Refused().Empty()
				r.Send(ctap.ClientPIN, conformance.M{1: r.Protocol().Number(), 2: ctap.GetUVRetries}).Refused().Empty()
			},
		},
	)
}

// waits is for a case that lets the time of a token's first use pass.
func waits(c conformance.Case) conformance.Case {
	c.Waits = firstUse
	return c
}

// offCurve is the key agreement key of a request, moved off the curve.
func offCurve(m conformance.M) cbor.RawMessage {
	key := bytes.Clone(m[3].(cbor.RawMessage))
	key[len(key)-1] ^= 1 // of y, which comes last
	return key
}

// verificationTries is about tries of built-in user verification (sections 6.5.3.1 and
// 6.5.5.3).
func verificationTries() []conformance.Case {
	const counted = "6.5.3.1"
	stranger := func(id, section, why string, run func(r *conformance.Run, all uint)) conformance.Case {
		c := byFinger("retries."+id, section, why, conformance.Stranger, func(r *conformance.Run) { run(r, uvTries(r)) })
		c.Destructive = true
		return c
	}
	return conformance.One(
		byFinger("retries.range", "6.5.5.3", "getUVRetries says a number of tries, from 1 to 25 at first", 0, func(r *conformance.Run) {
			n := uvTries(r)
			r.Require(n >= 1 && n <= 25, "uvRetries is %d", n)
		}),
		stranger("told", "6.5.5.3", "getUVRetries says how many tries are left", func(r *conformance.Run, all uint) {
			missFinger(r)
			conformance.Equal(r, "uvRetries", uvTries(r), all-1)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).OK()
		}),
		stranger("counted", counted, "a finger that is not known costs a try, and one that is known gives all back", func(r *conformance.Run, all uint) {
			missFinger(r)
			conformance.Equal(r, "uvRetries", uvTries(r), all-1)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).OK()
			conformance.Equal(r, "uvRetries after the right finger", uvTries(r), all)
		}),
		stranger("blocked", counted, "when no try is left, no finger is taken, and the right PIN gives the tries back", func(r *conformance.Run, all uint) {
			block(r, all)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrUVBlocked)
			conformance.Equal(r, "uvRetries", uvTries(r), uint(0))
			unblock(r, all)
		}),
		stranger("blocked.status", "6.5.5.7.3", "when no try is left, a token for a finger is CTAP2_ERR_UV_BLOCKED", func(r *conformance.Run, all uint) {
			block(r, all)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrUVBlocked)
			unblock(r, all)
		}),
		stranger("nobody-asked", counted, "the user is verified, and not taken for granted", func(r *conformance.Run, _ uint) {
			r.Plan(conformance.Stranger)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).Touched().Want(ctap.ErrUVInvalid)
			r.Plan(conformance.Touch)
			asksFinger(r, ctap.PermGetAssertion, tokenRP).Touched().OK()
		}),
	)
}

// missFinger lays on a finger that is not known.
func missFinger(r *conformance.Run) {
	r.Plan(conformance.Stranger)
	asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrUVInvalid)
	r.Plan(conformance.Touch)
}

// block spends all tries.
func block(r *conformance.Run, all uint) {
	r.Plan(conformance.Stranger)
	for n := all; n > 0; n-- {
		asksFinger(r, ctap.PermGetAssertion, tokenRP).Want(ctap.ErrUVInvalid, ctap.ErrUVBlocked)
		conformance.Equal(r, "uvRetries", uvTries(r), n-1)
	}
	r.Plan(conformance.Touch)
}

// unblock gives the tries back by the PIN, where there can be one for ceremonies.
func unblock(r *conformance.Run, all uint) {
	if _, pin := r.Info().Options["clientPin"]; !pin || r.Info().Options[noMcGa] {
		return
	}
	if !r.Info().Options["clientPin"] {
		r.SetPIN(conformance.DefaultPIN)
	}
	hit(r).OK()
	conformance.Equal(r, "uvRetries after the right PIN", uvTries(r), all)
}
