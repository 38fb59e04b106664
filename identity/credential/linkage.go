package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	contextLinkage  = "https://identity.foundation/.well-known/did-configuration/v1"
	linkageLifetime = 365 * 24 * time.Hour
)

// Configuration is /.well-known/did-configuration.json of an origin (Well Known DID
// Configuration, section 4): the DIDs that may speak for it.
type Configuration struct {
	Context    string   `json:"@context"`
	LinkedDIDs []string `json:"linked_dids"`
}

// linkageSubject is the credentialSubject of a domain linkage credential.
type linkageSubject struct {
	ID     string `json:"id"`
	Origin string `json:"origin"`
}

// ErrUnlinked says that an origin does not acknowledge a DID.
var ErrUnlinked = errors.New("domain is not linked")

// Linkage returns the configuration by which an origin acknowledges a DID. It is for
// the origin to serve.
func Linkage(key *Key, did, kid, origin string, now time.Time) (Configuration, error) {
	subject, err := json.Marshal(linkageSubject{did, origin})
	if err != nil {
		return Configuration{}, fmt.Errorf("link %s: %w", origin, err)
	}
	jwt, err := key.Sign(kid, credentialToken{
		Issuer: did, Subject: did, NotBefore: dateOf(now), Expires: dateOf(now.Add(linkageLifetime)),
		VC: vcObject{
			Context: []string{contextV1, contextLinkage}, Type: []string{typeVerifiable, typeDomainLinkage},
			CredentialSubject: subject,
		},
	})
	return Configuration{contextLinkage, []string{jwt}}, err
}

// LinkedDomain returns the first origin that a DID names as its own and that
// acknowledges it. Its errors are ErrUnlinked, and ErrUnresolved.
func (v *Verifier) LinkedDomain(ctx context.Context, did string) (string, error) {
	doc, err := v.Resolver.Resolve(ctx, did)
	if err != nil {
		return "", err
	}
	unlinked := fmt.Errorf("%w: %s names no domain", ErrUnlinked, short(did))
	for _, origin := range doc.Origins() {
		err := v.acknowledges(ctx, origin, did)
		if err == nil {
			return origin, nil
		}
		unlinked = fmt.Errorf("%w: %s does not acknowledge %s: %w", ErrUnlinked, origin, short(did), err)
	}
	return "", unlinked
}

// acknowledges asks an origin about a DID.
func (v *Verifier) acknowledges(ctx context.Context, origin, did string) error {
	body, _, err := get(ctx, v.Resolver.Client, origin+"/.well-known/did-configuration.json")
	if err != nil {
		return err
	}
	var config Configuration
	if err := json.Unmarshal(body, &config); err != nil {
		return err
	}
	refused := errors.New("it names no DID")
	for _, jwt := range config.LinkedDIDs {
		s := &credentialState{text: jwt, want: Expected{Type: typeDomainLinkage, Issuers: []string{did}}}
		if refused = run(ctx, v, assertionChecks(), s); refused != nil {
			continue
		}
		subject, err := s.subject()
		if err == nil && subject["origin"] == origin && subject["id"] == did {
			return nil
		}
		refused = fmt.Errorf("it acknowledges %q for %q", short(subject["id"]), subject["origin"])
	}
	return refused
}
