package credential

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

const (
	didWeb = "did:web:"
	didJWK = "did:jwk:"
)

// documentLimit is how many bytes of a DID document or a status list are read.
const documentLimit = 1 << 20

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }

// Document is a DID document, as far as it is of use here (DID Core, section 5).
type Document struct {
	Context            []string             `json:"@context"`
	ID                 string               `json:"id"`
	VerificationMethod []VerificationMethod `json:"verificationMethod"`
	Authentication     []string             `json:"authentication,omitempty"`
	AssertionMethod    []string             `json:"assertionMethod,omitempty"`
	Service            []Service            `json:"service,omitempty"`
}

// VerificationMethod is a public key with its name.
type VerificationMethod struct {
	ID           string          `json:"id"`
	Type         string          `json:"type"`
	Controller   string          `json:"controller"`
	PublicKeyJWK jose.JSONWebKey `json:"publicKeyJwk"`
}

// Service is something that a DID has an address of; LinkedDomains is one.
type Service struct {
	ID              string        `json:"id"`
	Type            string        `json:"type"`
	ServiceEndpoint LinkedOrigins `json:"serviceEndpoint"`
}

// LinkedOrigins are the origins that a DID says are its own.
type LinkedOrigins struct {
	Origins []string `json:"origins"`
}

// LinkedDomains is the type of the service that names the origins of a DID.
const LinkedDomains = "LinkedDomains"

// NewDocument returns the document of a DID with one key. Without origins no domain is
// linked. kid is the name of the key, a DID URL.
func NewDocument(did string, key *ecdsa.PublicKey, origins ...string) (doc Document, kid string) {
	kid = did + "#key-1"
	doc = Document{
		Context: []string{"https://www.w3.org/ns/did/v1"},
		ID:      did,
		VerificationMethod: []VerificationMethod{{
			ID: kid, Type: "JsonWebKey2020", Controller: did, PublicKeyJWK: jose.JSONWebKey{Key: key},
		}},
		Authentication:  []string{kid},
		AssertionMethod: []string{kid},
	}
	if len(origins) > 0 {
		doc.Service = []Service{{ID: did + "#domain-1", Type: LinkedDomains, ServiceEndpoint: LinkedOrigins{origins}}}
	}
	return doc, kid
}

// Origins returns the origins of the LinkedDomains service.
func (d *Document) Origins() []string {
	for _, s := range d.Service {
		if s.Type == LinkedDomains {
			return s.ServiceEndpoint.Origins
		}
	}
	return nil
}

// WebDID returns the did:web of a base URL: https://host:port/a/b is
// did:web:host%3Aport:a:b.
func WebDID(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", fmt.Errorf("%q is no base URL of a did:web: it takes a scheme and a host", base)
	}
	did := didWeb + strings.ReplaceAll(u.Host, ":", "%3A")
	if path := strings.Trim(u.Path, "/"); path != "" {
		did += ":" + strings.ReplaceAll(path, "/", ":")
	}
	return did, nil
}

// webURL returns where the document of a did:web is (did:web, section 3.2). Loopback
// is asked without TLS, because a service that runs on it has no certificate.
func webURL(did string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(did, didWeb), ":")
	host, err := url.PathUnescape(parts[0])
	if err != nil || host == "" || strings.ContainsAny(host, "/?#@\\") {
		return "", fmt.Errorf("%q has no host", did)
	}
	for _, p := range parts[1:] {
		if p == "" || p == "." || p == ".." || strings.ContainsAny(p, "/?#%\\") {
			return "", fmt.Errorf("%q has a path that leads nowhere", did)
		}
	}
	scheme := "https"
	if isLoopback(host) {
		scheme = "http"
	}
	path := ".well-known"
	if len(parts) > 1 {
		path = strings.Join(parts[1:], "/")
	}
	return scheme + "://" + host + "/" + path + "/did.json", nil
}

func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Resolver finds the document of a DID. did:jwk is its own document; did:web is asked
// for through Client each time, so a key that was exchanged is noticed at once.
type Resolver struct {
	Client *http.Client
}

// ErrUnresolved says that there is no document to be had of a DID.
var ErrUnresolved = errors.New("DID cannot be resolved")

// Resolve returns the document of a DID. Its errors are ErrUnresolved.
func (r Resolver) Resolve(ctx context.Context, did string) (*Document, error) {
	var doc *Document
	var err error
	switch {
	case strings.HasPrefix(did, didJWK):
		doc, err = resolveJWK(did)
	case strings.HasPrefix(did, didWeb):
		doc, err = r.resolveWeb(ctx, did)
	default:
		err = errors.New("it is neither did:web nor did:jwk")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnresolved, short(did), err)
	}
	return doc, nil
}

// resolveJWK reads the key that a did:jwk is (did:jwk, section 3.2).
func resolveJWK(did string) (*Document, error) {
	text, err := decode(strings.TrimPrefix(did, didJWK))
	if err != nil {
		return nil, err
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal(text, &key); err != nil {
		return nil, err
	}
	public, ok := p256(key)
	if !ok {
		return nil, fmt.Errorf("it holds a %T where a public P-256 key belongs", key.Key)
	}
	doc, _ := NewDocument(did, public)
	name := did + "#0"
	doc.VerificationMethod[0].ID = name
	doc.Authentication, doc.AssertionMethod = []string{name}, []string{name}
	return &doc, nil
}

// p256 returns the key of ES256, which is for this curve alone (RFC 7518, section 3.4).
func p256(key jose.JSONWebKey) (*ecdsa.PublicKey, bool) {
	public, ok := key.Key.(*ecdsa.PublicKey)
	return public, ok && public.Curve == elliptic.P256()
}

func (r Resolver) resolveWeb(ctx context.Context, did string) (*Document, error) {
	address, err := webURL(did)
	if err != nil {
		return nil, err
	}
	body, _, err := get(ctx, r.Client, address)
	if err != nil {
		return nil, err
	}
	doc := new(Document)
	if err := json.Unmarshal(body, doc); err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if doc.ID != did {
		return nil, fmt.Errorf("%s is the document of %s", address, short(doc.ID))
	}
	return doc, nil
}

// key returns the key that the document has under a name among methods.
func (d *Document) key(kid string, methods []string) (*ecdsa.PublicKey, error) {
	for _, m := range methods {
		if m != kid && d.ID+m != kid {
			continue
		}
		for _, v := range d.VerificationMethod {
			if v.ID != kid && d.ID+v.ID != kid {
				continue
			}
			if public, ok := p256(v.PublicKeyJWK); ok {
				return public, nil
			}
			return nil, fmt.Errorf("key %s is no public P-256 key", short(kid))
		}
	}
	return nil, fmt.Errorf("%s has no key %s for this purpose", short(d.ID), short(kid))
}

// get fetches a small document. An answer other than 200 is an error.
func get(ctx context.Context, client *http.Client, address string) ([]byte, http.Header, error) {
	if client == nil {
		return nil, nil, fmt.Errorf("%s: there is no HTTP client to ask with", address)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, documentLimit+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", address, err)
	case resp.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("%s answers %s", address, resp.Status)
	case len(body) > documentLimit:
		return nil, nil, fmt.Errorf("%s is longer than %d bytes", address, documentLimit)
	}
	return body, resp.Header, nil
}

// short cuts a did:jwk, which is as long as its key, for messages.
func short(did string) string {
	const limit = 48
	if len(did) <= limit {
		return did
	}
	return did[:limit] + "…"
}
