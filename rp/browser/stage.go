package browser

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// stage is where a browser finds all hosts that are nowhere else: pages that relay the
// site from another origin, and pages that show it in a frame.
type stage struct {
	origin     string // of the site's pages
	relay      *httputil.ReverseProxy
	plain, tls net.Listener
	pin        string // of the certificate, for Config.Keys
	servers    []*http.Server

	mu       sync.Mutex
	relaying map[string]bool // by origin
	around   map[string]bool // may show others in a frame, by origin
}

// openStage opens the stage. base is where the site listens, origin what its pages believe
// of themselves.
func openStage(origin, base string) (*stage, error) {
	to, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	s := &stage{origin: origin, relaying: map[string]bool{}, around: map[string]bool{}}
	s.relay = &httputil.ReverseProxy{
		Transport: &http.Transport{Proxy: nil}, ErrorLog: silent(), ModifyResponse: s.keepHere,
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to)
			if p.In.Header.Get("Origin") == originOf(p.In) {
				p.Out.Header.Set("Origin", origin) // as whoever relays would
			}
			p.Out.Header.Del("Referer")
		},
	}
	leaf, pin, err := newCertificate()
	if err != nil {
		return nil, fmt.Errorf("a certificate for pages on the stage: %w", err)
	}
	s.pin = pin
	if s.plain, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if s.tls, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, s.plain.Close())
	}
	s.serve(s.plain)
	s.serve(tls.NewListener(s.tls, &tls.Config{Certificates: []tls.Certificate{leaf}, NextProtos: []string{"http/1.1"}}))
	return s, nil
}

func (s *stage) serve(l net.Listener) {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: silent()}
	s.servers = append(s.servers, server)
	go func() { _ = server.Serve(l) }() // ends when it is closed
}

// silent keeps to itself what browsers do to servers, such as connections that they open
// and do not use.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// newCertificate makes a certificate for no name in particular: browsers know it by its
// public key.
func newCertificate() (leaf tls.Certificate, pin string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return leaf, "", err
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "fido-emu"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return leaf, "", err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return leaf, "", err
	}
	sum := sha256.Sum256(spki)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, base64.StdEncoding.EncodeToString(sum[:]), nil
}

// show has the stage relay the site from an origin.
func (s *stage) show(origin string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relaying[origin] = true
}

// surround has the stage show pages in frames of one of an origin.
func (s *stage) surround(origin string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.around[origin] = true
}

// aroundPath is where pages with a frame are.
const aroundPath = "/around"

// aroundAddress returns the address of a page with a frame.
func aroundAddress(top, address string, allow []string) string {
	var features []string
	for _, a := range allow {
		features = append(features, "publickey-credentials-"+a)
	}
	return top + aroundPath + "?" + url.Values{"address": {address}, "allow": {strings.Join(features, "; ")}}.Encode()
}

var aroundPage = template.Must(template.New("around").Parse(`<!doctype html>
<title>A page around {{.Address}}</title>
<style>body { margin: 0; height: 100vh; display: flex; flex-direction: column; background: #444; color: #fff; font: 14px sans-serif } p { margin: 6px 12px } iframe { border: 0; flex: 1; background: #fff }</style>
<p>{{.Here}} shows {{.Address}} in a frame{{with .Allow}} that may use {{.}}{{end}}</p>
<iframe src="{{.Address}}" allow="{{.Allow}}"></iframe>
`))

// ServeHTTP answers for all hosts on the stage.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	origin := originOf(r)
	s.mu.Lock()
	relaying, around := s.relaying[origin], s.around[origin]
	s.mu.Unlock()
	switch {
	case around && r.URL.Path == aroundPath:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page := struct{ Here, Address, Allow string }{origin, r.URL.Query().Get("address"), r.URL.Query().Get("allow")}
		_ = aroundPage.Execute(w, page) // the browser may have left
	case relaying:
		s.relay.ServeHTTP(w, r)
	default:
		http.Error(w, "There is nothing at "+origin+".", http.StatusNotFound)
	}
}

// originOf returns the origin at which a browser believes that it is.
func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + strings.TrimSuffix(r.Host, ":443")
	}
	return "http://" + strings.TrimSuffix(r.Host, ":80")
}

// keepHere has redirects within the site stay at the origin that relays it.
func (s *stage) keepHere(r *http.Response) error {
	if path, ok := strings.CutPrefix(r.Header.Get("Location"), s.origin+"/"); ok {
		r.Header.Set("Location", "/"+path)
	}
	return nil
}

// set tells a browser where the stage is. Where the site is on it, too, its origin is found
// there.
func (s *stage) set(c Config, withSite bool) Config {
	c.Keys = append(c.Keys, s.pin)
	c.RestPlain, c.RestTLS = s.plain.Addr().String(), s.tls.Addr().String()
	u, err := url.Parse(s.origin)
	if !withSite || err != nil {
		return c
	}
	s.show(s.origin)
	if u.Scheme == "http" { // all ports, so that others can be visited
		hosts := map[string]string{u.Hostname() + ":*": c.RestPlain}
		for host, at := range c.Hosts {
			hosts[host] = at
		}
		c.Hosts = hosts
	}
	return c
}

// Close takes the stage down.
func (s *stage) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(errs...)
}
