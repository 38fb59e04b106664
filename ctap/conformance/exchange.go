package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/hid"
)

// M is the parameters of a command by their numbers; written in the canonical form
// whatever their types. A cbor.RawMessage as a value is written as it is.
type M map[int]any

// S is a map with text keys, such as options or extensions.
type S = map[string]any

// With returns the map with one more member, or another value for it.
func (m M) With(key int, value any) M {
	all := make(M, len(m)+1)
	for k, v := range m {
		all[k] = v
	}
	all[key] = value
	return all
}

// Without returns the map without some members.
func (m M) Without(keys ...int) M {
	all := make(M, len(m))
	for k, v := range m {
		if !slices.Contains(keys, k) {
			all[k] = v
		}
	}
	return all
}

// Reply is the answer to a request.
type Reply struct {
	Status ctap.Status
	Body   []byte    // the CBOR behind the status byte
	Wire   hid.Error // code of a CTAPHID_ERROR that came instead; 0 for none
	// Asked tells whether the authenticator asked for its user: a keepalive said user
	// presence needed.
	Asked bool

	run       *Run
	number    int // of its exchange
	asked     string
	tolerated []Deviation
}

// Send sends a command with its parameters: nil for none, bytes (a []byte or a
// cbor.RawMessage) as they are, anything else in the canonical form.
func (r *Run) Send(command ctap.Command, params any) *Reply {
	return r.SendBytes(append([]byte{byte(command)}, r.Encode(params)...))
}

// Encode writes what [Run.Send] sends behind the command byte.
func (r *Run) Encode(params any) []byte {
	switch p := params.(type) {
	case nil:
		return nil
	case []byte:
		return p
	case cbor.RawMessage:
		return p
	}
	b, err := ctap.Encode(params)
	r.Broken(err)
	return b
}

// SendBytes sends a request of any bytes by CTAPHID_CBOR.
func (r *Run) SendBytes(request []byte) *Reply { return r.exchange(r.ctx, request, nil) }

// SendCancelled sends a command and cancels it when the authenticator asks for its
// user, which the case must have planned to Wait. The case fails if it never asks.
func (r *Run) SendCancelled(command ctap.Command, params any) *Reply {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	reply := r.exchange(ctx, append([]byte{byte(command)}, r.Encode(params)...), cancel)
	r.Require(reply.Asked, "%s: it answered %s without asking for its user", reply.asked, reply.what())
	return reply
}

// exchange runs one CTAPHID_CBOR transaction. whenAsked, if there is one, is called
// when the authenticator asks for its user.
func (r *Run) exchange(ctx context.Context, request []byte, whenAsked func()) *Reply {
	channel, err := r.bench.open(r.ctx)
	r.Broken(err)
	reply := &Reply{run: r, asked: describe(request)}
	w := &watch{run: r, whenAsked: whenAsked}
	began := time.Now()
	response, err := channel.Exchange(ctap.WithProgress(ctx, w.progress), request)
	w.end()
	x := Exchange{Medium: OverCBOR, Request: request, Response: response, Keepalives: w.states, Took: time.Since(began)}
	if err != nil {
		x.Error = err.Error()
	}
	reply.Asked, reply.number = w.asked, r.record(x)
	r.asked = r.asked || w.asked
	if err == nil && r.ctx.Err() != nil { // it was cancelled because time is up
		err = r.ctx.Err()
	}
	if err != nil {
		r.transportFailed(reply, err)
		return reply
	}
	reply.Status, reply.Body = ctap.Status(response[0]), response[1:]
	r.changed = r.bench.observe(request, reply.Status) || r.changed
	return reply
}

// transportFailed sorts what went wrong on the wire: an answer of CTAPHID, the
// authenticator's fault, or the bench's.
func (r *Run) transportFailed(reply *Reply, err error) {
	var protocol *hid.ProtocolError
	switch {
	case errors.As(err, &reply.Wire):
	case errors.As(err, &protocol):
		r.Fail("%s: %v", reply.asked, protocol)
	case errors.Is(err, hid.ErrNoReply), errors.Is(err, hid.ErrEndless):
		r.bench.silent = true
		r.Fail("%s: %v", reply.asked, err)
	case errors.Is(r.ctx.Err(), context.DeadlineExceeded):
		r.bench.silent = true
		r.Fail("%s: no answer within the time that the case has", reply.asked)
	default:
		r.bench.lost = true
		r.Broken(fmt.Errorf("%s: %w", reply.asked, err))
	}
}

// watch follows the keepalives of a transaction.
type watch struct {
	run       *Run
	whenAsked func()
	states    []string
	asked     bool
	done      func()
}

func (w *watch) progress(p ctap.Progress) {
	w.run.mu.Lock()
	defer w.run.mu.Unlock()
	if s := p.String(); len(w.states) == 0 || w.states[len(w.states)-1] != s {
		w.states = append(w.states, s)
	}
	if p != ctap.UPNeeded || w.asked {
		return
	}
	w.asked = true
	if w.whenAsked != nil {
		w.whenAsked()
		return
	}
	w.done = w.run.bench.target.Asked()
}

func (w *watch) end() {
	w.run.mu.Lock()
	defer w.run.mu.Unlock()
	if w.done != nil {
		w.done()
	}
}

// describe names a request for people: the command, and the subcommand where there is
// one.
func describe(request []byte) string {
	if len(request) == 0 {
		return "a request of no bytes"
	}
	command := ctap.Command(request[0])
	if n, ok := subcommand(request); ok {
		return fmt.Sprintf("%s subcommand 0x%02X", command, n)
	}
	return command.String()
}

// subcommandKeys are the members that hold a command's subcommand.
var subcommandKeys = map[ctap.Command]int{
	ctap.ClientPIN: 2, ctap.CredentialManagement: 1, ctap.CredentialManagementPreview: 1,
	ctap.BioEnrollment: 2, ctap.BioEnrollmentPreview: 2, ctap.Config: 1,
}

// subcommand reads the subcommand of a request that is CBOR at all.
func subcommand(request []byte) (n uint, ok bool) {
	key, has := subcommandKeys[ctap.Command(request[0])]
	if !has {
		return 0, false
	}
	var members raws
	if cbor.Unmarshal(request[1:], &members) != nil || cbor.Unmarshal(members[key], &n) != nil {
		return 0, false
	}
	return n, true
}

// statuses names status codes for people.
func statuses(all []ctap.Status) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.Error()
	}
	return strings.Join(names, " or ")
}
