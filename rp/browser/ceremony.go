package browser

import (
	"cmp"
	"context"
	_ "embed" // of the shim
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"fido-emu/webauthn"
)

//go:embed shim.js
var shim string

// script returns the shim for this tab.
func (t *Tab) script() (string, error) {
	config, err := json.Marshal(map[string]any{
		"binding": t.binding,
		// WebAuthn Level 3, section 5.1.7.
		"capabilities": map[string]bool{
			"conditionalCreate": false, "conditionalGet": true, "hybridTransport": false, "passkeyPlatformAuthenticator": !t.options.NoPlatform,
			"userVerifyingPlatformAuthenticator": !t.options.NoPlatform, "relatedOrigins": t.options.Related,
			"signalAllAcceptedCredentials": true, "signalCurrentUserDetails": true, "signalUnknownCredential": true,
		},
	})
	return shim + "(" + string(config) + ");", err
}

// message is what the shim tells.
type message struct {
	Do        string          `json:"do"` // create, get, signal or abort
	ID        int             `json:"id"`
	Mediation string          `json:"mediation"`
	Active    bool            `json:"active"` // the page was just used
	Signal    string          `json:"signal"`
	Options   json.RawMessage `json:"options"`
}

// asked is a ceremony under way.
type asked struct {
	message
	world       world
	conditional bool
	wanted      chan struct{} // closed when a sign-in is wanted, of a conditional request
	isWanted    bool
	cancel      context.CancelFunc
}

// called takes a call of the shim.
func (t *Tab) called(id runtime.ExecutionContextID, payload string) {
	var m message
	if json.Unmarshal([]byte(payload), &m) != nil {
		return // a page made it up
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := request{id, m.ID}
	w, known := t.worlds[id]
	switch {
	case !known || !w.main:
		return
	case m.Do == "abort":
		if a := t.asked[r]; a != nil {
			a.cancel()
		}
		return
	case t.asked[r] != nil:
		return
	}
	ctx, cancel := context.WithCancel(t.ctx)
	a := &asked{message: m, world: w, cancel: cancel, conditional: m.Mediation == "conditional" && m.Do == "get", wanted: make(chan struct{})}
	t.asked[r] = a
	t.changed()
	go t.answer(ctx, r, a, t.client)
}

// changed wakes who waits for requests. It is called with the lock.
func (t *Tab) changed() {
	close(t.arrived)
	t.arrived = make(chan struct{})
}

// answer performs what was asked for and tells the page.
func (t *Tab) answer(ctx context.Context, r request, a *asked, client webauthn.Client) {
	defer a.cancel()
	response, err := t.perform(ctx, a, client)
	t.mu.Lock()
	delete(t.asked, r)
	t.changed()
	t.mu.Unlock()
	if ctx.Err() != nil {
		return // the page gave up or is gone
	}
	answer := map[string]any{"response": json.RawMessage(response)}
	if err != nil {
		answer = map[string]any{"error": exception(err)}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		t.complained("the authenticator's response is no JSON: " + err.Error())
		return
	}
	expression := fmt.Sprintf("globalThis[%q](%d, %s)", t.binding, r.id, b)
	if _, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, ContextID: r.world}); err != nil && ctx.Err() == nil {
		t.complained("the page did not take the authenticator's answer: " + err.Error())
	}
}

// exception is what a page sees of an error.
func exception(err error) map[string]string {
	var e *webauthn.Error
	if !errors.As(err, &e) {
		e = &webauthn.Error{Name: webauthn.UnknownError, Message: err.Error()}
	}
	return map[string]string{"name": e.Name, "message": cmp.Or(e.Message, e.Name)}
}

func (t *Tab) perform(ctx context.Context, a *asked, client webauthn.Client) ([]byte, error) {
	if a.Do == "signal" {
		return nil, t.signal(ctx, a, client)
	}
	e := Ended{Type: "webauthn." + a.Do, Origin: a.world.origin, Options: a.Options}
	if a.conditional {
		select {
		case <-a.wanted:
		case <-ctx.Done():
			return nil, &webauthn.Error{Name: webauthn.AbortError, Message: "the page gave up", Err: ctx.Err()}
		}
		t.mu.Lock()
		client = t.client // of whoever wants it, who may have come later
		t.mu.Unlock()
	}
	e.Response, e.Err = t.ceremony(ctx, a, client, &e)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = append(t.ended, e)
	return e.Response, e.Err
}

// ceremony performs navigator.credentials.create or get for a frame (WebAuthn Level 3,
// sections 5.1.3 and 5.1.4).
func (t *Tab) ceremony(ctx context.Context, a *asked, client webauthn.Client, e *Ended) ([]byte, error) {
	top, crossOrigin, err := t.embedding(ctx, a.world)
	if err != nil {
		return nil, err
	}
	if err := t.permitted(ctx, a, crossOrigin); err != nil {
		return nil, err
	}
	if client == nil {
		return nil, refused("nobody is at the page")
	}
	if crossOrigin {
		e.TopOrigin = top
		ctx = webauthn.InFrame(ctx, top)
	}
	if a.Do == "create" {
		return client.Create(ctx, a.world.origin, a.Options)
	}
	return client.Get(ctx, a.world.origin, a.Options)
}

func refused(message string) error {
	return &webauthn.Error{Name: webauthn.NotAllowedError, Message: message}
}

// permitted tells why a frame may not ask: the permissions policy (section 5.9), or
// rules for the creation of passkeys.
func (t *Tab) permitted(ctx context.Context, a *asked, crossOrigin bool) error {
	states, err := chromedp.Call(ctx, page.GetPermissionsPolicyState, page.GetPermissionsPolicyStateParams{FrameID: cdp.FrameID(a.world.frame)})
	if err != nil {
		return refused("the permissions policy of the frame is not known: " + err.Error())
	}
	feature := "publickey-credentials-" + a.Do
	for _, s := range states.States {
		if string(s.Feature) == feature && !s.Allowed {
			return refused("the permissions policy does not allow " + feature + " in this document")
		}
	}
	switch {
	case a.Do == "create" && a.Mediation == "conditional":
		return refused("nobody consented to passkeys being made without being asked")
	case a.Do == "create" && crossOrigin && !a.Active:
		return refused("a frame of another origin may create passkeys only when it was just used")
	}
	return nil
}

// embedding tells the origin of the outermost page, and whether a frame has an ancestor
// of another origin.
func (t *Tab) embedding(ctx context.Context, w world) (top string, crossOrigin bool, err error) {
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return "", false, fmt.Errorf("looking for the frame: %w", err)
	}
	above, ok := ancestors(tree.FrameTree, cdp.FrameID(w.frame))
	if !ok {
		return "", false, &webauthn.Error{Name: webauthn.AbortError, Message: "the frame is gone"}
	}
	for i, frame := range above {
		_, other, ok := t.worldOf(frame)
		if !ok {
			return "", false, &webauthn.Error{Name: webauthn.AbortError, Message: "the page around the frame is gone"}
		}
		if i == 0 {
			top = other.origin
		}
		crossOrigin = crossOrigin || other.origin != w.origin
	}
	return top, crossOrigin, nil
}

// ancestors returns the frames around a frame, outermost first.
func ancestors(tree *page.FrameTree, frame cdp.FrameID) ([]cdp.FrameID, bool) {
	if tree.Frame.ID == frame {
		return nil, true
	}
	for _, child := range tree.ChildFrames {
		if above, ok := ancestors(child, frame); ok {
			return slices.Insert(above, 0, tree.Frame.ID), true
		}
	}
	return nil, false
}

// Autofill waits for a request with conditional mediation and has it answered, as
// somebody does who picks a passkey from the suggestions of a field.
func (t *Tab) Autofill(ctx context.Context) error {
	for {
		t.mu.Lock()
		arrived := t.arrived
		a := t.waiting()
		if a != nil {
			a.isWanted = true
			close(a.wanted)
		}
		t.mu.Unlock()
		if a != nil {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return errors.New("the page asked for no passkey with conditional mediation")
		case <-t.ctx.Done():
			return t.ctx.Err()
		}
	}
}

// waiting returns the conditional request that came first, nil for none. It is called
// with the lock.
func (t *Tab) waiting() (first *asked) {
	var at request
	for r, a := range t.asked {
		if a.conditional && !a.isWanted && (first == nil || r.world < at.world || r.world == at.world && r.id < at.id) {
			first, at = a, r
		}
	}
	return first
}
