package request

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"rsc.io/qr"

	"fido-emu/identity/credential"
)

// Faces compares a capture of a face with a photo. What a capture is, is between the
// wallet's camera and whoever implements this: no face is recognised here.
type Faces interface {
	// Match tells whether the capture is of somebody alive, and how much it is like the
	// photo, a JPEG or a PNG. An error says that it could not be compared.
	Match(ctx context.Context, capture, photo []byte) (FaceMatch, error)
}

// FaceMatch is what a comparison found.
type FaceMatch struct {
	Live  bool
	Score float64 // confidence that both are the same person, 0 to 100
}

// Tenant is an organisation that asks for presentations.
type Tenant struct {
	Name   string          // part of its DID and of addresses: letters, digits, hyphens
	Token  string          // bearer token of its applications
	Origin string          // its domain, such as https://contoso.test, which serves Linkage; "": none
	Key    *credential.Key // nil: drawn
}

// Config says what a service needs.
type Config struct {
	Now    func() time.Time
	Rand   io.Reader
	Client *http.Client // for callbacks, DID documents and status lists

	BaseURL string // where the service is served, such as https://verifiedid.test
	Tenants []Tenant
	Faces   Faces // nil: Face Check is not to be had

	Lifetime time.Duration   // of a request; 0: five minutes
	Retries  []time.Duration // waits before a callback is tried again; nil: see DefaultRetries
	// Save makes a snapshot durable, before the answer leaves that tells of the change;
	// nil: the state is lost with the process.
	Save func(snapshot []byte) error
}

// DefaultRetries are the waits before a callback is tried again; then it is given up.
func DefaultRetries() []time.Duration {
	return []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}
}

const (
	defaultLifetime = 5 * time.Minute
	keptFor         = 24 * time.Hour // after which an ended request is forgotten
	bodyLimit       = 4 << 20        // a selfie for Face Check has nearly a million bytes, a presentation with a portrait some tens of thousands
)

// Service is the request service, an http.Handler. It is safe for concurrent use.
type Service struct {
	config   Config
	base     string
	verifier *credential.Verifier
	tenants  []*tenant
	mux      *http.ServeMux

	mu       sync.Mutex
	sessions []*session // in the order they were made
	outbox   []*delivery
}

type tenant struct {
	Tenant
	did, kid string
	doc      credential.Document
}

// session is one request and how far it has come.
type session struct {
	ID      string              `json:"id"`
	Tenant  string              `json:"tenant"`
	Request PresentationRequest `json:"request"`
	Nonce   string              `json:"nonce"`
	State   string              `json:"state"` // towards the wallet; not the callback's
	Made    time.Time           `json:"made"`
	Expires time.Time           `json:"expires"`
	Status  Status              `json:"status,omitempty"`
	VPToken string              `json:"vpToken,omitempty"`

	judging bool // an answer is being looked at
}

// over tells whether the request has ended.
func (s *session) over() bool { return s.Status == Verified || s.Status == Failed }

// New returns a service without requests.
func New(config Config) (*Service, error) {
	s := &Service{config: config, base: strings.TrimRight(config.BaseURL, "/")}
	if s.config.Lifetime == 0 {
		s.config.Lifetime = defaultLifetime
	}
	if s.config.Retries == nil {
		s.config.Retries = DefaultRetries()
	}
	s.verifier = &credential.Verifier{
		Now: config.Now, Resolver: credential.Resolver{Client: config.Client}, Status: credential.NewStatusLists(),
	}
	for _, t := range config.Tenants {
		if err := s.addTenant(t); err != nil {
			return nil, fmt.Errorf("request service %s: tenant %q: %w", s.base, t.Name, err)
		}
	}
	s.mux = s.routes()
	return s, nil
}

func (s *Service) addTenant(t Tenant) (err error) {
	did, err := credential.WebDID(s.base + "/" + t.Name)
	switch {
	case err != nil:
		return err
	case t.Name == "" || url.PathEscape(t.Name) != t.Name || strings.Contains(t.Name, ":"):
		return errors.New("its name must be letters, digits and hyphens")
	case t.Token == "":
		return errors.New("it has no token, so that anybody could ask in its name")
	}
	if t.Key == nil {
		if t.Key, err = credential.NewKey(s.config.Rand); err != nil {
			return err
		}
	}
	var origins []string
	if t.Origin != "" {
		origins = []string{t.Origin}
	}
	doc, kid := credential.NewDocument(did, t.Key.Public(), origins...)
	s.tenants = append(s.tenants, &tenant{t, did, kid, doc})
	return nil
}

// Authority returns the DID of a tenant, "" for one that there is not.
func (s *Service) Authority(name string) string {
	if t := s.tenant(func(t *tenant) bool { return t.Name == name }); t != nil {
		return t.did
	}
	return ""
}

// Linkage returns what a tenant's origin has to serve as
// /.well-known/did-configuration.json, so that wallets see that it is the tenant who asks.
func (s *Service) Linkage(name string) (credential.Configuration, error) {
	t := s.tenant(func(t *tenant) bool { return t.Name == name })
	if t == nil || t.Origin == "" {
		return credential.Configuration{}, fmt.Errorf("request service: there is no tenant %q with an origin", name)
	}
	return credential.Linkage(t.Key, t.did, t.kid, t.Origin, s.config.Now())
}

func (s *Service) tenant(match func(*tenant) bool) *tenant {
	for _, t := range s.tenants {
		if match(t) {
			return t
		}
	}
	return nil
}

// find returns a session; s.mu is held.
func (s *Service) find(match func(*session) bool) *session {
	for _, x := range s.sessions {
		if match(x) {
			return x
		}
	}
	return nil
}

// create makes a session of a request that was validated.
func (s *Service) create(t *tenant, r *PresentationRequest) (*Created, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	x := &session{Tenant: t.Name, Request: *r, Made: now, Expires: now.Add(s.config.Lifetime)}
	for _, field := range []*string{&x.Nonce, &x.State} {
		b := make([]byte, 16)
		if _, err := io.ReadFull(s.config.Rand, b); err != nil {
			return nil, fmt.Errorf("draw a nonce: %w", err)
		}
		*field = base64.RawURLEncoding.EncodeToString(b)
	}
	id, err := uuid.NewRandomFromReader(s.config.Rand)
	if err != nil {
		return nil, fmt.Errorf("draw a request ID: %w", err)
	}
	x.ID = id.String()
	s.forget(now)
	s.sessions = append(s.sessions, x)
	if err := s.save(); err != nil {
		return nil, err
	}
	return s.created(t, x)
}

// created returns the answer about a new session.
func (s *Service) created(t *tenant, x *session) (*Created, error) {
	address := s.base + "/v1.0/" + t.Name + "/verifiableCredentials/presentationRequests/" + x.ID
	c := &Created{RequestID: x.ID, URL: "openid-vc://?request_uri=" + address, Expiry: x.Expires.Unix()}
	if !x.Request.IncludeQRCode {
		return c, nil
	}
	code, err := qr.Encode(c.URL, qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw the QR code: %w", err)
	}
	c.QRCode = "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
	return c, nil
}

// forget drops what ended or expired long ago; s.mu is held.
func (s *Service) forget(now time.Time) {
	kept := s.sessions[:0]
	for _, x := range s.sessions {
		if now.Sub(x.Expires) < keptFor {
			kept = append(kept, x)
		}
	}
	clear(s.sessions[len(kept):])
	s.sessions = kept
}

// object returns the request object of a session, signed.
func (s *Service) object(t *tenant, x *session) (string, error) {
	r := x.Request
	formats := map[string]AlgFormat{"jwt_vp": {[]string{"ES256"}}, "jwt_vc": {[]string{"ES256"}}}
	o := RequestObject{
		ID: x.ID, IssuedAt: s.config.Now().Unix(), Expires: x.Expires.Unix(),
		ResponseType: "id_token", ResponseMode: "post", Scope: "openid",
		ClientID: t.did, RedirectURI: s.base + "/v1.0/" + t.Name + "/verifiableCredentials/present",
		Nonce: x.Nonce, State: x.State,
		Registration: RegistrationMetadata{
			ClientName: r.Registration.ClientName, ClientPurpose: r.Registration.Purpose,
			LogoURI: r.Registration.LogoURL, TOSURI: r.Registration.TermsOfServiceURL,
			SubjectSyntax: []string{"did:jwk"}, PresentFormats: formats,
		},
	}
	o.Claims.VPToken.Definition = PresentationDefinition{ID: x.ID, InputDescriptors: descriptors(r.RequestedCredentials)}
	return t.Key.Sign(t.kid, o)
}

func descriptors(requested []RequestedCredential) []InputDescriptor {
	all := make([]InputDescriptor, len(requested))
	for i, c := range requested {
		d := InputDescriptor{ID: c.Type, Name: c.Type, Purpose: c.Purpose, Schema: []Schema{{c.Type}}}
		if len(c.AcceptedIssuers) > 0 {
			field := Field{Path: []string{"$.issuer", "$.vc.issuer", "$.iss"}, Filter: Filter{"string", c.AcceptedIssuers}}
			d.Constraints = &DescriptorConstraints{[]Field{field}}
		}
		if f := c.faceCheck(); f != nil {
			d.FaceCheck = &FaceCheckRequest{f.SourcePhotoClaimName}
		}
		all[i] = d
	}
	return all
}

// hexID draws an identifier for an error.
func (s *Service) hexID(size int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := make([]byte, size)
	if _, err := io.ReadFull(s.config.Rand, b); err != nil {
		return "" // the error that it is for matters more
	}
	return hex.EncodeToString(b)
}

// save makes the state durable; s.mu is held.
func (s *Service) save() error {
	if s.config.Save == nil {
		return nil
	}
	b, err := json.Marshal(s.snapshot())
	if err == nil {
		err = s.config.Save(b)
	}
	if err != nil {
		return fmt.Errorf("request service: save: %w", err)
	}
	return nil
}
