// Package reset holds the conformance cases about authenticatorReset (section 6.6),
// authenticatorSelection (section 6.9), and what a power cycle ends and leaves.
package reset

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// Group is the group reset.
func Group() conformance.Group {
	return conformance.Group{Name: "reset", Title: "Reset, power and selection", Cases: conformance.Join(
		asking(), elsewhere(), window(), credentials(), verification(), settings(), data(), longTouch(),
		powerEnds(), powerKeeps(), selection(),
	)}
}

const (
	section = "6.6"
	noMcGa  = "noMcGaPermissionsWithClientPin"
)

// wiping is a case that resets the authenticator, or tries to. It begins with one that
// was just reset; ready makes it one that can make credentials.
func wiping(id, why string, hands conformance.Gesture, run func(r *conformance.Run), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "reset." + id, Rule: conformance.Since20(section), Start: conformance.Blank, Destructive: true,
		Hands: conformance.Touch | conformance.LongTouch | conformance.Replug | hands, Why: why, Run: run,
		Needs: append(needs, conformance.When(overUSB, "transportsForReset lacks usb")),
	}
}

// overUSB tells whether a reset may come over USB, which cases use.
func overUSB(i *ctap.Info) bool {
	return len(i.TransportsForReset) == 0 || slices.Contains(i.TransportsForReset, "usb")
}

// ready sets a PIN where there can be one that serves for ceremonies, and nothing else
// verifies the user.
func ready(r *conformance.Run) {
	o := r.Info().Options
	if set, can := o["clientPin"]; can && !set && !o["uv"] && !o[noMcGa] {
		r.SetPIN(conformance.DefaultPIN)
	}
}

// gesture is the touch that a reset needs.
func gesture(r *conformance.Run) conformance.Gesture {
	if long := r.Info().LongTouchForReset; long != nil && *long {
		return conformance.LongTouch
	}
	return conformance.Touch
}

// reset resets the authenticator after a power cycle.
func reset(r *conformance.Run) {
	r.PowerCycle()
	r.Plan(gesture(r))
	r.Send(ctap.Reset, nil).OK().Empty()
	r.Plan(conformance.Touch)
	r.FreshInfo()
}

// look asks in silence for an assertion, by id, or without an allow list.
func look(r *conformance.Run, listed ...*conformance.Credential) *conformance.Reply {
	return r.Send(ctap.GetAssertion, r.AssertParams(listed...).With(5, conformance.S{"up": false}))
}

// there checks that a credential can be found by its id.
func there(r *conformance.Run, c *conformance.Credential) { look(r, c).OK() }

// gone checks that a credential cannot be found, neither by its id nor without.
func gone(r *conformance.Run, c *conformance.Credential) {
	look(r, c).Want(ctap.ErrNoCredentials)
	look(r).Want(ctap.ErrNoCredentials)
}

// asking is about the user, who has to confirm a reset.
func asking() []conformance.Case {
	// refused is a reset that comes in time and is not confirmed: nothing is lost.
	refused := func(id, why string, plan conformance.Gesture, send func(r *conformance.Run)) conformance.Case {
		return wiping(id, why, plan, func(r *conformance.Run) {
			ready(r)
			c := r.NewCredential()
			r.PowerCycle()
			r.Info()
			r.Plan(plan)
			send(r)
			r.Plan(conformance.Touch)
			there(r, c)
		})
	}
	return conformance.One(
		wiping("touch", "a reset asks for a touch", 0, func(r *conformance.Run) {
			r.PowerCycle()
			r.Plan(gesture(r))
			r.Send(ctap.Reset, nil).OK().Empty().Touched()
		}),
		refused("declined", "a reset that the user declines is CTAP2_ERR_OPERATION_DENIED, and nothing is lost", conformance.Deny, func(r *conformance.Run) {
			r.Send(ctap.Reset, nil).Want(ctap.ErrOperationDenied)
		}),
		refused("timed-out", "a reset that nobody confirms is CTAP2_ERR_USER_ACTION_TIMEOUT, and nothing is lost", conformance.Ignore, func(r *conformance.Run) {
			r.Send(ctap.Reset, nil).Tolerate(conformance.Deviates("some keys take it for a refusal", ctap.ErrOperationDenied)).Want(ctap.ErrUserActionTimeout)
		}),
		refused("cancelled", "a reset that is cancelled is CTAP2_ERR_KEEPALIVE_CANCEL, and nothing is lost", conformance.Wait, func(r *conformance.Run) {
			r.SendCancelled(ctap.Reset, nil).Want(ctap.ErrKeepaliveCancel)
		}),
	)
}

// elsewhere is about a reset over a transport that transportsForReset leaves out (CTAP
// 2.2).
func elsewhere() []conformance.Case {
	return conformance.One(conformance.Case{
		ID: "reset.transport", Rule: conformance.Since22(section), Start: conformance.Blank, Destructive: true,
		Hands: conformance.Touch | conformance.Replug,
		Why:   "a reset over a transport that transportsForReset leaves out is CTAP2_ERR_OPERATION_DENIED, and nothing is lost",
		Needs: []conformance.Need{
			conformance.Member(0x1A), conformance.When(func(i *ctap.Info) bool { return !overUSB(i) }, "transportsForReset has usb"),
		},
		Run: func(r *conformance.Run) {
			ready(r)
			c := r.NewCredential()
			r.PowerCycle()
			r.Send(ctap.Reset, nil).Want(ctap.ErrOperationDenied)
			there(r, c)
		},
	})
}

// The window in which a reset is taken, and times within and after it.
const (
	inTime  = 8 * time.Second
	tooLate = 11 * time.Second
)

// window is about when a reset is taken: within ten seconds after power-up, where
// there is no display to ask on.
func window() []conformance.Case {
	late := wiping("late", "a reset later than ten seconds after power-up is CTAP2_ERR_NOT_ALLOWED, and nothing is lost", 0, func(r *conformance.Run) {
		ready(r)
		c := r.NewCredential()
		r.PowerCycle()
		r.Plan(gesture(r))
		r.Sleep(tooLate)
		r.Send(ctap.Reset, nil).Want(ctap.ErrNotAllowed)
		r.Plan(conformance.Touch)
		there(r, c)
	}, conformance.NoOption("plat"))
	late.Waits = tooLate
	again := wiping("late.again", "a reset that came too late is taken after another power cycle", 0, func(r *conformance.Run) {
		r.PowerCycle()
		r.Plan(gesture(r))
		r.Sleep(tooLate)
		r.Send(ctap.Reset, nil).Want(ctap.ErrNotAllowed)
		reset(r)
	}, conformance.NoOption("plat"))
	again.Waits = tooLate
	early := wiping("in-time", "a reset within ten seconds after power-up is taken, whatever came before it", 0, func(r *conformance.Run) {
		r.PowerCycle()
		r.Plan(gesture(r))
		r.Sleep(inTime)
		r.Send(ctap.GetInfo, nil).OK()
		r.Send(ctap.Reset, nil).OK()
	})
	early.Waits = inTime
	return conformance.One(late, again, early)
}

// credentials is about what credentials a reset leaves: none.
func credentials() []conformance.Case {
	rk := conformance.Option("rk")
	return conformance.One(
		wiping("passkeys", "a reset removes discoverable credentials", 0, func(r *conformance.Run) {
			ready(r)
			c := r.NewPasskey()
			there(r, c)
			reset(r)
			gone(r, c)
		}, rk),
		wiping("sealed", "a reset makes credentials worthless that are not stored", 0, func(r *conformance.Run) {
			ready(r)
			c := r.NewCredential()
			there(r, c)
			reset(r)
			look(r, c).Want(ctap.ErrNoCredentials)
		}),
		wiping("sealed.others-made", "a credential of before a reset stays worthless when others are made", 0, func(r *conformance.Run) {
			ready(r)
			c := r.NewCredential()
			reset(r)
			ready(r)
			there(r, r.NewCredential())
			look(r, c).Want(ctap.ErrNoCredentials)
		}, ceremonies),
		wiping("u2f", "a reset makes U2F credentials worthless", 0, func(r *conformance.Run) {
			application := r.Bytes(32)
			data := append(r.Bytes(32), application...)
			answer := r.SendU2FTouched(conformance.APDU{INS: 1, Data: data}).Want(0x9000).Data
			r.Require(len(answer) > 67+int(answer[66]), "the registration is %d bytes long", len(answer))
			handle := answer[66 : 67+int(answer[66])] // its length before it
			check := conformance.APDU{INS: 2, P1: 7, Data: append(append(r.Bytes(32), application...), handle...)}.Bytes()
			r.SendU2F(check).Want(0x6985)
			reset(r)
			r.SendU2F(check).Want(0x6A80)
		}, conformance.SpeaksU2F()),
	)
}

// configure sends authenticatorConfig with a token by the PIN.
func configure(r *conformance.Run, sub uint, params any) {
	t := r.Token(ctap.PermAuthenticatorCfg, "")
	m := conformance.M{1: sub, 3: t.Number()}
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.Config), byte(sub))
	if params != nil {
		m, message = m.With(2, params), append(message, r.Encode(params)...)
	}
	r.Send(ctap.Config, m.With(4, t.MAC(message))).OK()
}

// writeBlobs writes a large-blob array in one fragment, of which only the first part
// is sent.
func writeBlobs(r *conformance.Run, array []byte, part int) {
	sum := sha256.Sum256(array)
	all := append(bytes.Clone(array), sum[:16]...)
	fragment := all[:len(all)-part]
	m := conformance.M{2: fragment, 3: 0, 4: len(all)}
	if r.Protected() {
		t := r.Token(ctap.PermLargeBlobWrite, "")
		hash := sha256.Sum256(fragment)
		message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.LargeBlobs), 0)
		message = append(binary.LittleEndian.AppendUint32(message, 0), hash[:]...)
		m = m.With(5, t.MAC(message)).With(6, t.Number())
	}
	r.Send(ctap.LargeBlobs, m).OK()
}

// readBlobs reads the large-blob array, with the hash behind it.
func readBlobs(r *conformance.Run) []byte {
	var answer ctap.LargeBlobsResponse
	r.Send(ctap.LargeBlobs, conformance.M{1: 512, 3: 0}).OK().Into(&answer)
	return answer.Config
}
