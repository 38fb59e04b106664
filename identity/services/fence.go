package services

import (
	"fmt"
	"net/http"
	"net/url"

	"fido-emu/identity/loop"
	"fido-emu/identity/phone"
)

// fence is the network of the wallets on the phones: these services, without a detour
// over sockets, and the relying party, whom wallets ask whether a request is its own.
// There is nothing else: links come from whoever opens a page, and this server must not
// ask on their behalf wherever they like.
type fence struct {
	base   string // host of the services
	home   *loop.Network
	origin string // host of the relying party
	abroad http.RoundTripper
}

// fenced returns a client for wallets.
func fenced(c Config, s *Services) *http.Client {
	f := &fence{home: loop.New(), abroad: http.DefaultTransport}
	if c.Client != nil && c.Client.Transport != nil {
		f.abroad = c.Client.Transport
	}
	f.base, f.origin = host(c.BaseURL), host(c.Origin)
	f.home.Handle(f.base, s)
	client := f.home.Client() // which follows no redirects
	client.Transport = f
	if c.Client != nil {
		client.Timeout = c.Client.Timeout
	}
	return client
}

// host returns the host and port of an address that was looked at before.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// RoundTrip sends a request home or to the relying party.
func (f *fence) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.Host {
	case f.base:
		return f.home.RoundTrip(r)
	case f.origin:
		return f.abroad.RoundTrip(r)
	}
	if r.Body != nil {
		_ = r.Body.Close() // as http.RoundTripper demands; nothing was read of it
	}
	return nil, fmt.Errorf("%w: those of %s, not of %s", phone.ErrElsewhere, f.base, r.URL.Host)
}
