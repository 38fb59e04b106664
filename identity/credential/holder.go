package credential

import (
	"context"
	"time"
)

// claims verifies a token of somebody who speaks for himself, by a key for
// authentication, and returns its claims.
func (t *token) claims(ctx context.Context, resolver Resolver, did string) ([]byte, error) {
	if err := es256(t); err != nil {
		return nil, err
	}
	if err := keyOf(t, did); err != nil {
		return nil, err
	}
	doc, err := resolver.Resolve(ctx, did)
	if err != nil {
		return nil, err
	}
	key, err := doc.key(t.kid, doc.Authentication)
	if err != nil {
		return nil, err
	}
	return t.body, t.verify(key)
}

// Open verifies a token that a DID signed with a key for authentication, such as a
// request for a presentation or an ID token, and reads its claims into v. did is who
// must have signed it; "" takes whomever the key belongs to. It returns the DID.
func Open(ctx context.Context, resolver Resolver, text, did string, v any) (string, error) {
	t, err := parseToken(text)
	if err != nil {
		return "", err
	}
	setDefault(&did, controller(t.kid))
	body, err := t.claims(ctx, resolver, did)
	if err != nil {
		return "", err
	}
	return did, object(body, v)
}

// Present signs a presentation of credentials for an audience, a DID. It is good for
// lifetime.
func Present(key *Key, audience, nonce, id string, now time.Time, lifetime time.Duration, credentials ...string) (string, error) {
	did := key.DID()
	return key.Sign(did+"#0", presentationToken{
		Issuer: did, Audience: audience, ID: id, Nonce: nonce,
		IssuedAt: dateOf(now), NotBefore: dateOf(now), Expires: dateOf(now.Add(lifetime)),
		VP: vpObject{Context: []string{contextV1}, Type: []string{typePresentation}, VerifiableCredential: credentials},
	})
}
