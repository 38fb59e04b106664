package credential

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"slices"
	"time"
)

// presentationState is what the steps learn of a presentation.
type presentationState struct {
	text     string
	demand   Demand
	token    *token
	claims   presentationToken
	doc      *Document
	key      *ecdsa.PublicKey
	verified []Credential
}

func presentationChecks() []check[presentationState] {
	const profile, jwt, did = "JWT VC Presentation Profile, VP Token", "RFC 7519, 7.2", "DID Core, 5.3"
	step := func(name, says, where string, reason Reason, run func(*Verifier, context.Context, *presentationState) error) check[presentationState] {
		return check[presentationState]{Step{0, "presentation." + name, says, where, reason}, run}
	}
	return []check[presentationState]{
		step("form", "it is a compact JWS whose claims are a presentation's", jwt, Malformed, (*Verifier).checkVPForm),
		step("algorithm", "it says ES256", "RFC 8725, 3.1", WrongAlgorithm, (*Verifier).checkVPAlgorithm),
		step("key.holder", "kid names a key of the holder", profile, KeyOfAnother, (*Verifier).checkVPKeyOwner),
		step("key.document", "the holder's DID document can be had", "DID Core, 7.1", Unresolved, (*Verifier).checkVPDocument),
		step("key", "the document has that key, for authentication", did, UnknownKey, (*Verifier).checkVPKey),
		step("signature", "the signature verifies", "RFC 7515, 5.2", BadSignature, (*Verifier).checkVPSignature),
		step("audience", "it is meant for whoever asked", profile, WrongAudience, (*Verifier).checkVPAudience),
		step("nonce", "it has the nonce of the request", profile, UnknownNonce, (*Verifier).checkVPNonce),
		step("not-before", "its time has come", jwt, NotYetValid, (*Verifier).checkVPNotBefore),
		step("expiry", "it has not expired", jwt, Expired, (*Verifier).checkVPExpiry),
		step("freshness", "it was signed a short while ago", profile, Stale, (*Verifier).checkVPFresh),
		step("extra", "it holds no more than was asked for", profile, ExtraCredentials, (*Verifier).checkVPExtra),
		step("missing", "it holds all that was asked for", profile, MissingCredentials, (*Verifier).checkVPMissing),
		step("credentials", "each credential verifies", "VC Data Model 1.1, 4.10", Malformed, (*Verifier).checkVPCredentials),
		step("holder", "each credential is about the holder", "VC Data Model 1.1, 5.3", HolderNotBound, (*Verifier).checkVPHolder),
		step("replay", "the nonce was not spent before", profile, Replayed, (*Verifier).checkVPReplay),
	}
}

func (v *Verifier) checkVPForm(_ context.Context, s *presentationState) (err error) {
	if s.token, err = parseToken(s.text); err != nil {
		return err
	}
	if err := object(s.token.body, &s.claims); err != nil {
		return fmt.Errorf("its claims: %w", err)
	}
	switch {
	case s.claims.Issuer == "":
		return errors.New("it names no holder (iss)")
	case !slices.Contains(s.claims.VP.Type, typePresentation):
		return fmt.Errorf("it is no %s", typePresentation)
	}
	return nil
}

func (v *Verifier) checkVPAlgorithm(_ context.Context, s *presentationState) error {
	return es256(s.token)
}

func (v *Verifier) checkVPKeyOwner(_ context.Context, s *presentationState) error {
	return keyOf(s.token, s.claims.Issuer)
}

func (v *Verifier) checkVPDocument(ctx context.Context, s *presentationState) (err error) {
	s.doc, err = v.Resolver.Resolve(ctx, controller(s.token.kid))
	return err
}

func (v *Verifier) checkVPKey(_ context.Context, s *presentationState) (err error) {
	s.key, err = s.doc.key(s.token.kid, s.doc.Authentication)
	return err
}

func (v *Verifier) checkVPSignature(_ context.Context, s *presentationState) error {
	return signedWith(s.token, s.key)
}

func (v *Verifier) checkVPAudience(_ context.Context, s *presentationState) error {
	if s.claims.Audience != s.demand.Audience || s.demand.Audience == "" {
		return fmt.Errorf("it is meant for %q, not for %q", short(s.claims.Audience), short(s.demand.Audience))
	}
	return nil
}

func (v *Verifier) checkVPNonce(_ context.Context, s *presentationState) error {
	if s.claims.Nonce != s.demand.Nonce || s.demand.Nonce == "" {
		return fmt.Errorf("its nonce %q is not that of the request", short(s.claims.Nonce))
	}
	return nil
}

func (v *Verifier) checkVPNotBefore(_ context.Context, s *presentationState) error {
	if from := max(s.claims.NotBefore, s.claims.IssuedAt).time(); v.Now().Add(skew).Before(from) {
		return fmt.Errorf("it is valid from %s on", from.Format(time.RFC3339))
	}
	return nil
}

func (v *Verifier) checkVPExpiry(_ context.Context, s *presentationState) error {
	if until := s.claims.Expires.time(); !v.Now().Add(-skew).Before(until) {
		return fmt.Errorf("it expired at %s", until.Format(time.RFC3339))
	}
	return nil
}

func (v *Verifier) checkVPFresh(_ context.Context, s *presentationState) error {
	if age := v.Now().Sub(s.claims.IssuedAt.time()); age > s.limit()+skew {
		return fmt.Errorf("it was signed %s ago, and %s is the limit", age.Round(time.Second), s.limit())
	}
	return nil
}

// limit is how old the presentation may be.
func (s *presentationState) limit() time.Duration { return cmp.Or(s.demand.MaxAge, defaultMaxAge) }

func (v *Verifier) checkVPExtra(_ context.Context, s *presentationState) error {
	if got, want := len(s.claims.VP.VerifiableCredential), len(s.demand.Credentials); got > want {
		return fmt.Errorf("it holds %d credentials where %d were asked for", got, want)
	}
	return nil
}

func (v *Verifier) checkVPMissing(_ context.Context, s *presentationState) error {
	got, want := len(s.claims.VP.VerifiableCredential), len(s.demand.Credentials)
	if got < want || want == 0 {
		return fmt.Errorf("it holds %d credentials where %d were asked for", got, want)
	}
	return nil
}

func (v *Verifier) checkVPCredentials(ctx context.Context, s *presentationState) error {
	for i, text := range s.claims.VP.VerifiableCredential[:min(len(s.claims.VP.VerifiableCredential), len(s.demand.Credentials))] {
		c, err := v.Credential(ctx, text, s.demand.Credentials[i])
		if err != nil {
			return fmt.Errorf("credential %d: %w", i+1, err)
		}
		s.verified = append(s.verified, *c)
	}
	return nil
}

func (v *Verifier) checkVPHolder(_ context.Context, s *presentationState) error {
	for i, c := range s.verified {
		if c.Subject != s.claims.Issuer {
			return fmt.Errorf("credential %d is about %s, and %s presents it", i+1, short(c.Subject), short(s.claims.Issuer))
		}
	}
	return nil
}

func (v *Verifier) checkVPReplay(_ context.Context, s *presentationState) error {
	tooOld := s.claims.IssuedAt.time().Add(s.limit() + skew)
	if v.Nonces != nil && !v.Nonces.Spend(s.claims.Nonce, v.Now(), tooOld) {
		return fmt.Errorf("nonce %q was presented before", short(s.claims.Nonce))
	}
	return nil
}
