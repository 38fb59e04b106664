// Package services puts the doubles together that account recovery needs: the
// verification providers with the issuers of their Verified IDs, and the request
// service with the camera of its Face Check, as one http.Handler under one address.
//
//	/v1.0/…, /{tenant}/did.json           identity/request, whose package comment lists the paths
//	/wallet/…                             identity/phone: the test people's wallets, as pages
//	GET /.well-known/identity-services    → Description: for relying parties that find them by address
//	everything else                       identity/proofing, likewise
//
// `harness identity serve` serves it as a process of its own; scenarios put it on a
// network in memory.
//
// With Config.Save everything that must not be forgotten is kept in parts, each before
// the answer leaves that tells of it: issuers with their keys, status lists and sessions,
// the request service, the wallets, and the selfies that were seen. In a new process a
// verification goes on for the device that has it, and for no other.
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
	"fido-emu/identity/phone"
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

	BaseURL   string           // under which they are served, such as http://localhost:8070; DIDs are made of it
	PublicURL string           // under which browsers on other devices reach them; BaseURL when empty
	Key       string           // with which the relying party asks
	AdminKey  string           // for faults and revocation; nobody may when empty
	Tenant    string           // name of the relying party, part of its DID: letters, digits, hyphens
	Origin    string           // of the relying party, where it serves its linkage; empty for none
	People    []*person.Person // whose faces are known; those that come with the project when nil

	Archive *document.Archive // remembers drawings and readings; one of its own when nil

	Save func(part string, snapshot []byte) error // called with what changed, before that is told; nothing is kept when nil
	Kept map[string][]byte                        // what Save got last, by part
}

// Services are the services at work. They are safe for concurrent use.
type Services struct {
	Proofing *proofing.Service
	Requests *request.Service
	Phones   *phone.Phones
	Faces    *Faces // the Face Check of Requests

	config  Config
	handler http.Handler
}

// Description tells a relying party where the services are. It holds no secret.
type Description struct {
	Proofing  string   `json:"proofing"`  // base URL
	Requests  string   `json:"requests"`  // base URL
	Authority string   `json:"authority"` // DID in whose name presentations are asked for
	Providers []string `json:"providers"` // ids
	Wallet    string   `json:"wallet"`    // page of the test wallet that opens links, with ?link=…

	// Linkage is what the relying party's origin has to serve as
	// /.well-known/did-configuration.json; nil where it is not known.
	Linkage *credential.Configuration `json:"linkage,omitempty"`
}

// New makes the services, with new keys or those that were kept.
func New(c Config) (*Services, error) {
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("identity services: %w", err)
	}
	faces, err := keptFaces(c)
	if err != nil {
		return nil, err
	}
	s := &Services{config: c, Faces: faces}
	s.Proofing, err = proofing.New(proofing.Config{
		Now: c.Now, Rand: c.Rand, Client: c.Client, BaseURL: c.BaseURL, PublicURL: c.PublicURL, Wallet: phone.OpenPath,
		People: c.People, AdminKey: c.AdminKey, Archive: c.Archive,
		Relying: []proofing.RelyingParty{{Name: c.Tenant, Key: c.Key, Secret: []byte(c.Key)}},
		Save:    c.saver(proofingPart), Snapshot: c.Kept[proofingPart],
	})
	if err != nil {
		return nil, err
	}
	if s.Requests, err = requests(c, faces); err != nil {
		return nil, err
	}
	if s.Phones, err = phones(c, s); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, s.begin()
}

// complete checks the configuration and fills in what may be left out.
func (c *Config) complete() (err error) {
	u, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Path != "":
		return fmt.Errorf("base URL %q: want scheme, host and port alone, such as http://localhost:8070", c.BaseURL)
	case c.Key == "" || c.Tenant == "":
		return errors.New("a Key and a Tenant are needed, so that nobody else asks in the name of the relying party")
	}
	if c.PublicURL == "" {
		c.PublicURL = c.BaseURL
	}
	if u, err := url.Parse(c.PublicURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" {
		return fmt.Errorf("public URL %q: want scheme, host and port alone, such as http://192.168.1.20:8070", c.PublicURL)
	}
	if c.People == nil {
		if c.People, err = person.Shipped(); err != nil {
			return err
		}
	}
	if c.Archive == nil {
		c.Archive = document.NewArchive()
	}
	return c.sameAddress()
}

// requests makes the request service.
func requests(c Config, faces *Faces) (*request.Service, error) {
	config := request.Config{
		Now: c.Now, Rand: c.Rand, Client: c.Client, BaseURL: c.BaseURL,
		Tenants: []request.Tenant{{Name: c.Tenant, Token: c.Key, Origin: c.Origin}},
		Faces:   faces, Save: c.saver(requestsPart),
	}
	if kept, ok := c.Kept[requestsPart]; ok {
		return request.Restore(config, kept)
	}
	return request.New(config)
}

// phones makes the phones, whose wallets speak to these services and to the relying
// party.
func phones(c Config, s *Services) (*phone.Phones, error) {
	return phone.New(phone.Config{
		Now: c.Now, Rand: c.Rand, Client: fenced(c, s), People: c.People,
		Selfie: Selfie, Challenge: challenge(), Save: c.walletSaver(), Wallet: c.wallets(),
	})
}

func (s *Services) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.Proofing)
	mux.Handle("/v1.0/", s.Requests)
	mux.Handle(phone.Root, s.Phones)
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
		Wallet: s.config.PublicURL + phone.OpenPath,
	}
	providers, err := proofing.Providers()
	for _, p := range providers {
		d.Providers = append(d.Providers, p.ID)
	}
	if err == nil && s.config.Origin != "" {
		var linkage credential.Configuration
		linkage, err = s.Linkage()
		d.Linkage = &linkage
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
