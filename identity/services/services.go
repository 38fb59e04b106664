// Package services puts the doubles together that account recovery needs: the
// verification providers with the issuers of their Verified IDs, and the request
// service with the camera of its Face Check, as one http.Handler under one address.
//
//	/v1.0/…, /{tenant}/did.json           identity/request, whose package comment lists the paths
//	GET /.well-known/identity-services    → Description: for relying parties that find them by address
//	everything else                       identity/proofing, likewise
//
// `harness identity serve` serves it as a process of its own; scenarios put it on a
// network in memory.
package services

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fido-emu/identity/credential"
	"fido-emu/identity/document"
	"fido-emu/identity/person"
	"fido-emu/identity/proofing"
	"fido-emu/identity/request"
)

// DescriptionPath is where the Description is.
const DescriptionPath = "/.well-known/identity-services"

// Config says what the services are made of.
type Config struct {
	Now    func() time.Time
	Rand   io.Reader    // of tokens, codes, challenges and keys
	Client *http.Client // for callbacks, DID documents and status lists

	BaseURL  string           // under which they are served, such as http://localhost:8070
	Key      string           // with which the relying party asks
	AdminKey string           // for faults and revocation; nobody may when empty
	Tenant   string           // name of the relying party, part of its DID: letters, digits, hyphens
	Origin   string           // of the relying party, where it serves its linkage; empty for none
	People   []*person.Person // whose faces are known; those that come with the project when nil

	Archive *document.Archive // remembers drawings and readings; one of its own when nil
}

// Services are the services at work. They are safe for concurrent use.
type Services struct {
	Proofing *proofing.Service
	Requests *request.Service

	config  Config
	handler http.Handler
}

// Description tells a relying party where the services are. It holds no secret.
type Description struct {
	Proofing  string   `json:"proofing"`  // base URL
	Requests  string   `json:"requests"`  // base URL
	Authority string   `json:"authority"` // DID in whose name presentations are asked for
	Providers []string `json:"providers"` // ids
}

// New makes the services, with new keys.
func New(c Config) (*Services, error) {
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Path != "":
		return nil, fmt.Errorf("identity services: base URL %q: want scheme, host and port alone, such as http://localhost:8070", c.BaseURL)
	case c.Key == "" || c.Tenant == "":
		return nil, errors.New("identity services: Key and Tenant are needed, so that nobody else asks in the name of the relying party")
	}
	if c.People == nil {
		if c.People, err = person.Shipped(); err != nil {
			return nil, err
		}
	}
	if c.Archive == nil {
		c.Archive = document.NewArchive()
	}
	s := &Services{config: c}
	s.Proofing, err = proofing.New(proofing.Config{
		Now: c.Now, Rand: c.Rand, Client: c.Client, BaseURL: c.BaseURL, People: c.People, AdminKey: c.AdminKey,
		Archive: c.Archive,
		Relying: []proofing.RelyingParty{{Name: c.Tenant, Key: c.Key, Secret: []byte(c.Key)}},
	})
	if err != nil {
		return nil, err
	}
	s.Requests, err = request.New(request.Config{
		Now: c.Now, Rand: c.Rand, Client: c.Client, BaseURL: c.BaseURL,
		Tenants: []request.Tenant{{Name: c.Tenant, Token: c.Key, Origin: c.Origin}},
		Faces:   NewFaces(c.Archive.Gallery(c.People)),
	})
	if err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

func (s *Services) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.Proofing)
	mux.Handle("/v1.0/", s.Requests)
	mux.Handle("/"+s.config.Tenant+"/did.json", s.Requests)
	mux.HandleFunc("GET "+DescriptionPath, s.serveDescription)
	return mux
}

// ServeHTTP answers for all of them.
func (s *Services) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Describe returns where they are.
func (s *Services) Describe() (Description, error) {
	d := Description{
		Proofing: s.config.BaseURL, Requests: s.config.BaseURL, Authority: s.Requests.Authority(s.config.Tenant),
	}
	providers, err := proofing.Providers()
	for _, p := range providers {
		d.Providers = append(d.Providers, p.ID)
	}
	return d, err
}

func (s *Services) serveDescription(w http.ResponseWriter, _ *http.Request) {
	d, err := s.Describe()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(d) // whoever asked may have left
}

// Linkage returns what the relying party has to serve at its origin, under
// /.well-known/did-configuration.json.
func (s *Services) Linkage() (credential.Configuration, error) {
	return s.Requests.Linkage(s.config.Tenant)
}

// maxDescription bounds what is read of a description, in bytes.
const maxDescription = 64 << 10

// Find asks the services at an address where they are.
func Find(ctx context.Context, client *http.Client, address string) (Description, error) {
	at := strings.TrimSuffix(address, "/") + DescriptionPath
	fail := func(err error) (Description, error) {
		return Description{}, fmt.Errorf("identity services at %s: %w; harness identity serve starts them", address, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return fail(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return fail(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxDescription))
	switch {
	case err != nil:
		return fail(err)
	case answer.StatusCode != http.StatusOK:
		return fail(fmt.Errorf("%s answers %s", at, answer.Status))
	}
	var d Description
	if err := json.Unmarshal(b, &d); err != nil || d.Proofing == "" || d.Requests == "" || d.Authority == "" {
		return fail(fmt.Errorf("%s is no description of them", at))
	}
	return d, nil
}
