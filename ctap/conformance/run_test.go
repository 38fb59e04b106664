package conformance_test

import (
	"bytes"
	"testing"
	"time"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/pinuv"
	"fido-emu/fixtures/bench/suitetest"
	"fido-emu/hid"
)

// try is a case of a test.
func try(id string, start conformance.Start, hands conformance.Gesture, run func(r *conformance.Run), needs ...conformance.Need) conformance.Case {
	return conformance.Case{
		ID: "try." + id, Rule: conformance.Since20("6"), Why: "it works", Needs: needs, Start: start, Hands: hands, Destructive: true, Run: run,
	}
}

const handy = conformance.Touch | conformance.Ignore | conformance.Wait | conformance.Deny | conformance.Stranger | conformance.Replug

// helpers use everything that is given to a case.
var helpers = conformance.Join(conformance.One(
	try("ceremony", conformance.Usable, handy, func(r *conformance.Run) {
		c := r.NewCredential()
		a := r.Use(c)
		r.Require(a.Data.Flags&ctap.FlagUP != 0, "flags are %s", a.Data.Flags)
	}),
	try("ceremony-with-pin", conformance.WithPIN, handy, func(r *conformance.Run) {
		c := r.NewPasskey()
		a := r.Assert(r.AssertParams(), c)
		r.Require(a.Data.Flags&ctap.FlagUV != 0, "flags are %s", a.Data.Flags)
		r.Require(bytes.Equal(a.Response.User.ID, c.UserID), "user is %v", a.Response.User)
	}),
	try("pin", conformance.Blank, handy, func(r *conformance.Run) {
		r.SetPIN("a first one")
		r.ChangePIN("a first one", "another")
		conformance.Equal(r, "PIN", r.PIN(), "another")
		r.Token(ctap.PermMakeCredential, conformance.RPID)
	}, conformance.CanPIN()),
	try("wrong-pin", conformance.WithPIN, handy, func(r *conformance.Run) {
		for range 2 {
			r.TryWrongPIN(r.Protocol()).Want(ctap.ErrPINInvalid)
		}
		r.TryWrongPIN(r.Protocol()).Want(ctap.ErrPINAuthBlocked)
		left, cycle := r.PINRetries()
		conformance.Equal(r, "pinRetries", left, 5)
		r.Check(cycle, "powerCycleState is not true")
		r.PowerCycle()
		r.Token(ctap.PermMakeCredential, conformance.RPID)
	}),
	try("plans", conformance.Any, handy, func(r *conformance.Run) {
		for _, p := range []struct {
			plan conformance.Gesture
			want ctap.Status
		}{{conformance.Ignore, ctap.ErrUserActionTimeout}, {conformance.Deny, ctap.ErrOperationDenied}, {conformance.Touch, ctap.OK}} {
			before := r.Now()
			r.Plan(p.plan)
			r.Send(ctap.Selection, nil).Want(p.want).Touched()
			r.Check((p.plan == conformance.Ignore) == (r.Now().Sub(before) >= 30*time.Second), "%v passed", r.Now().Sub(before))
		}
		r.Plan(conformance.Wait)
		r.SendCancelled(ctap.Selection, nil).Want(ctap.ErrKeepaliveCancel)
	}, conformance.AtLeast21()),
	try("late-reset", conformance.Any, handy, func(r *conformance.Run) {
		r.PowerCycle()
		r.Sleep(11 * time.Second)
		r.Send(ctap.Reset, nil).Want(ctap.ErrNotAllowed)
		r.PowerCycle()
		r.Send(ctap.Reset, nil).OK()
	}),
	try("raw", conformance.Usable, handy, func(r *conformance.Run) {
		params := r.Authorise(ctap.MakeCredential, r.CreateParams())
		w := r.Raw()
		one, two := w.NewChannel(), w.NewChannel()
		r.Require(one != two, "the same channel twice")
		w.Post(hid.Message{Channel: one, Command: hid.Ping, Payload: r.Bytes(100)})
		r.Require(len(w.Answer(one).Payload) == 100, "an echo of another length")
		w.Write(conformance.Begin(two, hid.Ping, 100, nil))
		w.WantError(two, hid.ErrMsgTimeout)
		w.Silence(50 * time.Millisecond)
		answer := w.Call(two, hid.CBOR, append([]byte{byte(ctap.MakeCredential)}, r.Encode(params)...))
		r.Require(answer.Payload[0] == 0, "%x", answer.Payload)
		w.Close()
		r.Send(ctap.GetInfo, nil).OK()
	}),
), conformance.BothProtocols(try("token", conformance.WithPIN, handy, nil), func(r *conformance.Run, p pinuv.Protocol) {
	t := r.TokenOf(p, ctap.PermMakeCredential, conformance.RPID)
	m := r.AuthoriseWith(t, ctap.MakeCredential, r.CreateParams())
	r.Require(r.Create(m).Data.Flags&ctap.FlagUV != 0, "no UV")
}))

func TestWhatCasesAreGiven(t *testing.T) {
	suitetest.Passes(t, conformance.Group{Name: "try", Cases: helpers})
}
