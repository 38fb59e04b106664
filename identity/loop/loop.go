// Package loop is a network in memory: an http.RoundTripper that hands each request to
// the http.Handler of its host, without sockets, goroutines or time, so that services
// which speak HTTP to each other run in one process and in the same order each time.
// Hosts can be made to fail as they do in life.
package loop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// ErrDown says that nobody answers at a host.
var ErrDown = errors.New("connection refused")

// ErrLost says that a host took a request and that its answer never came.
var ErrLost = errors.New("connection reset before the answer came")

// ErrUnknownHost says that there is no such host.
var ErrUnknownHost = errors.New("no such host")

// Network holds hosts by their names, as URLs have them: with the port where there is
// one. It is safe for concurrent use.
type Network struct {
	mu    sync.Mutex
	hosts map[string]*host
}

type host struct {
	handler http.Handler
	down    bool
	left    int // requests until it goes down, while dies
	dies    bool
	lost    int // answers that get lost from here on
	served  int
}

// New returns a network without hosts.
func New() *Network { return &Network{hosts: map[string]*host{}} }

// Handle puts a handler at a host, in place of any before. A host that was down is up.
func (n *Network) Handle(name string, handler http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[name] = &host{handler: handler}
}

// Down takes a host from the network, until Up.
func (n *Network) Down(name string) { n.change(name, func(h *host) { h.down = true }) }

// Up brings a host back and takes all faults from it.
func (n *Network) Up(name string) {
	n.change(name, func(h *host) { *h = host{handler: h.handler, served: h.served} })
}

// DieAfter lets a host answer so many more requests and then go down.
func (n *Network) DieAfter(name string, requests int) {
	n.change(name, func(h *host) { h.dies, h.left = true, requests })
}

// LoseAnswers lets a host handle its next requests while the answers get lost.
func (n *Network) LoseAnswers(name string, answers int) {
	n.change(name, func(h *host) { h.lost = answers })
}

// Served returns how many requests a host handled.
func (n *Network) Served(name string) (count int) {
	n.change(name, func(h *host) { count = h.served })
	return count
}

// change changes a host; a host that there is not stays away.
func (n *Network) change(name string, f func(*host)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h, ok := n.hosts[name]; ok {
		f(h)
	}
}

// Client returns a client that speaks to this network alone. It follows no redirects.
func (n *Network) Client() *http.Client {
	return &http.Client{Transport: n, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// RoundTrip lets the handler of the request's host answer.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close() // as http.RoundTripper demands, errors or not
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	handler, lose, err := n.enter(r.URL.Host)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.URL.Host, err)
	}
	answer := &recorder{header: http.Header{}}
	handler.ServeHTTP(answer, incoming(r))
	if lose {
		return nil, fmt.Errorf("%s: %w", r.URL.Host, ErrLost)
	}
	return answer.response(r), nil
}

// enter finds a host and counts the request against its faults.
func (n *Network) enter(name string) (handler http.Handler, lose bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h, ok := n.hosts[name]
	switch {
	case !ok:
		return nil, false, ErrUnknownHost
	case h.down || h.dies && h.left == 0:
		return nil, false, ErrDown
	}
	if h.dies {
		h.left--
	}
	lose = h.lost > 0
	if lose {
		h.lost--
	}
	h.served++
	return h.handler, lose, nil
}

// incoming returns a request as its receiver sees it.
func incoming(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	in.Host = r.URL.Host
	if r.Host != "" {
		in.Host = r.Host
	}
	in.RemoteAddr = "192.0.2.1:1" // an address for documentation (RFC 5737)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// recorder takes what a handler writes.
type recorder struct {
	header http.Header
	status int
	sent   http.Header
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 && w.header.Get("Content-Type") == "" {
		w.header.Set("Content-Type", http.DetectContentType(b))
	}
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}
}
