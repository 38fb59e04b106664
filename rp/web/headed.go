package web

import (
	"context"
	"net/http"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

// RegisterWith is Register; the requests after the browser was asked, but for those of
// the proof, carry headers in place of the description's.
func (p *Party) RegisterWith(ctx context.Context, headers map[string]string, who rp.Person, client webauthn.Client) (rp.Credential, error) {
	return p.register(ctx, headers, who, client)
}

// SignInWith is SignIn with headers, as RegisterWith.
func (p *Party) SignInWith(ctx context.Context, headers map[string]string, who rp.Person, client webauthn.Client) (rp.Session, error) {
	r, err := p.beginSignIn(who, client)
	if err != nil {
		return rp.Session{}, err
	}
	defer r.end()
	r.headers = headers
	return r.welcome(ctx)
}

// disguise puts the headers into a request to which they belong.
func (r *run) disguise(request *http.Request) {
	if r.response == nil || r.proving {
		return
	}
	for name, v := range r.headers {
		if name == "Host" {
			request.Host = v
			continue
		}
		request.Header.Set(name, v)
	}
}
