package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// guard carries the requests of an audit: to loopback and to hosts that somebody owns
// up to alone, wherever a description or a redirect leads, and not too fast.
type guard struct {
	own  []string
	rate float64 // requests a second; 0 for the default of where they go
	next http.RoundTripper

	mu   sync.Mutex
	free time.Time // when the next request may go
}

// Requests a second.
const (
	loopbackRate  = 100
	elsewhereRate = 10
)

func newGuard(own []string, rate float64) *guard {
	return &guard{own: own, rate: rate, next: &http.Transport{ForceAttemptHTTP2: true}}
}

// foreignHost is a host that must not be attacked.
type foreignHost struct{ host string }

// Error names the host.
func (f *foreignHost) Error() string {
	return fmt.Sprintf("%s is not loopback, and nobody said that it may be attacked", f.host)
}

// RoundTrip sends a request where it may go.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	if !loopback(host) && !slices.ContainsFunc(g.own, func(own string) bool { return strings.EqualFold(own, host) }) {
		return nil, &foreignHost{host}
	}
	if wait := g.turn(host, time.Now()); wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return g.next.RoundTrip(r)
}

// turn takes the next turn and returns how long it is until then.
func (g *guard) turn(host string, now time.Time) time.Duration {
	rate := g.rate
	switch {
	case rate > 0:
	case loopback(host):
		rate = loopbackRate
	default:
		rate = elsewhereRate
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.free
	if at.Before(now) {
		at = now
	}
	g.free = at.Add(time.Duration(float64(time.Second) / rate))
	return at.Sub(now)
}

// loopback tells whether a host is this machine. Of names only those are believed
// that no name server is asked for (RFC 6761, section 6.3).
func loopback(host string) bool {
	if host = strings.TrimSuffix(strings.ToLower(host), "."); host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
