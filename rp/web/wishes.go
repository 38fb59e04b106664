package web

import (
	"context"
	"maps"
	"slices"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// SignInWishing is SignIn with further members in the request for options: in its JSON
// object, its form, or else its query.
func (p *Party) SignInWishing(ctx context.Context, who rp.Person, wishes map[string]string, client webauthn.Client) (rp.Session, error) {
	r, err := p.beginSignIn(who, client)
	if err != nil {
		return rp.Session{}, err
	}
	defer r.end()
	if r.wishes, r.wished = wishes, optionsCalls(r.section.steps); len(r.wished) == 0 {
		return rp.Session{}, &rp.Unsupported{What: "a request for options of its own, in which a client could have wishes"}
	}
	return r.welcome(ctx)
}

// optionsCalls returns the requests by which a page may get its options: those before
// the browser is asked, back to the last that is always sent.
func optionsCalls(steps []step) (calls []*call) {
	asks := slices.IndexFunc(steps, func(s step) bool { return s.ceremony != nil })
	for _, s := range slices.Backward(steps[:max(asks, 0)]) {
		if s.call == nil {
			continue
		}
		if calls = append(calls, s.call); s.when == nil {
			break
		}
	}
	return calls
}

// wishesIn returns what the client wishes in a request; nil for nothing.
func (r *run) wishesIn(c *call) map[string]string {
	if !slices.Contains(r.wished, c) {
		return nil
	}
	return r.wishes
}

func (r *run) wishesInQuery(c *call) map[string]string {
	if c.json != nil || c.form != nil {
		return nil
	}
	return r.wishesIn(c)
}

// wish returns a JSON body with wishes in it, where it is an object.
func (r *run) wish(c *call, body any) any {
	object, ok := body.(map[string]any)
	if !ok || r.wishesIn(c) == nil {
		return body
	}
	object = maps.Clone(object)
	for name, v := range r.wishesIn(c) {
		object[name] = v
	}
	return object
}
