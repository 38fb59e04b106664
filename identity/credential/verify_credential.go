package credential

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// credentialState is what the steps learn of a credential.
type credentialState struct {
	text    string
	want    Expected
	token   *token
	claims  credentialToken
	doc     *Document
	key     *ecdsa.PublicKey
	revoked bool
}

// credentialChecks are the steps of a credential: those of its signature, then of what
// it says.
func credentialChecks() []check[credentialState] {
	return append(assertionChecks(), check[credentialState]{
		Step{0, "credential.status", "its status is found in a list that its issuer signed", "Status List 2021, 5.2", StatusUnavailable},
		(*Verifier).checkStatus,
	}, check[credentialState]{
		Step{0, "credential.revocation", "it is not revoked", "Status List 2021, 5.2", Revoked},
		(*Verifier).checkRevoked,
	})
}

// assertionChecks are those that status lists and domain linkage credentials pass, too.
func assertionChecks() []check[credentialState] {
	const model, jwt, did = "VC Data Model 1.1, 6.3.1", "RFC 7519, 7.2", "DID Core, 5.3"
	step := func(name, says, where string, reason Reason, run func(*Verifier, context.Context, *credentialState) error) check[credentialState] {
		return check[credentialState]{Step{0, "credential." + name, says, where, reason}, run}
	}
	return []check[credentialState]{
		step("form", "it is a compact JWS whose claims are a credential's", jwt, Malformed, (*Verifier).checkForm),
		step("algorithm", "it says ES256", "RFC 8725, 3.1", WrongAlgorithm, (*Verifier).checkAlgorithm),
		step("issuer", "its issuer is one that is trusted", "VC Data Model 1.1, 4.5", UnknownIssuer, (*Verifier).checkIssuer),
		step("key.issuer", "kid names a key of that issuer", model, KeyOfAnother, (*Verifier).checkKeyOwner),
		step("key.document", "the issuer's DID document can be had", "DID Core, 7.1", Unresolved, (*Verifier).checkDocument),
		step("key", "the document has that key, for assertions", did, UnknownKey, (*Verifier).checkKey),
		step("signature", "the signature verifies", "RFC 7515, 5.2", BadSignature, (*Verifier).checkSignature),
		step("agreement", "the vc claim and the registered claims say the same", model, Inconsistent, (*Verifier).checkAgreement),
		step("type", "it is of the type that was asked for", "VC Data Model 1.1, 4.3", WrongType, (*Verifier).checkType),
		step("not-before", "its time has come", jwt, NotYetValid, (*Verifier).checkNotBefore),
		step("expiry", "it has not expired, and expires some day", jwt, Expired, (*Verifier).checkExpiry),
	}
}

func (v *Verifier) checkForm(_ context.Context, s *credentialState) (err error) {
	if s.token, err = parseToken(s.text); err != nil {
		return err
	}
	if err := object(s.token.body, &s.claims); err != nil {
		return fmt.Errorf("its claims: %w", err)
	}
	switch {
	case s.claims.Issuer == "":
		return errors.New("it names no issuer (iss)")
	case s.claims.Subject == "":
		return errors.New("it names no subject (sub)")
	case !slices.Contains(s.claims.VC.Type, typeVerifiable):
		return fmt.Errorf("it is no %s", typeVerifiable)
	}
	_, err = s.subject()
	return err
}

func (v *Verifier) checkAlgorithm(_ context.Context, s *credentialState) error {
	return es256(s.token)
}

func (v *Verifier) checkIssuer(_ context.Context, s *credentialState) error {
	if s.want.AnyIssuer || slices.Contains(s.want.Issuers, s.claims.Issuer) {
		return nil
	}
	return fmt.Errorf("%s is not among the %d accepted issuers", short(s.claims.Issuer), len(s.want.Issuers))
}

func (v *Verifier) checkKeyOwner(_ context.Context, s *credentialState) error {
	return keyOf(s.token, s.claims.Issuer)
}

func (v *Verifier) checkDocument(ctx context.Context, s *credentialState) (err error) {
	s.doc, err = v.Resolver.Resolve(ctx, controller(s.token.kid))
	return err
}

func (v *Verifier) checkKey(_ context.Context, s *credentialState) (err error) {
	s.key, err = s.doc.key(s.token.kid, s.doc.AssertionMethod)
	return err
}

func (v *Verifier) checkSignature(_ context.Context, s *credentialState) error {
	return signedWith(s.token, s.key)
}

func (v *Verifier) checkAgreement(_ context.Context, s *credentialState) error {
	subject, err := s.subject()
	if err != nil {
		return err
	}
	c, vc := s.claims, s.claims.VC
	for _, pair := range []struct{ name, outer, inner string }{
		{"iss and vc.issuer", c.Issuer, vc.Issuer},
		{"jti and vc.id", c.ID, vc.ID},
		{"sub and vc.credentialSubject.id", c.Subject, subject["id"]},
		{"nbf and vc.issuanceDate", c.NotBefore.String(), dateString(vc.IssuanceDate)},
		{"exp and vc.expirationDate", c.Expires.String(), dateString(vc.ExpirationDate)},
	} {
		if pair.inner != "" && pair.inner != pair.outer {
			return fmt.Errorf("%s differ: %q and %q", pair.name, short(pair.outer), short(pair.inner))
		}
	}
	return nil
}

func (v *Verifier) checkType(_ context.Context, s *credentialState) error {
	if !slices.Contains(s.claims.VC.Type, s.want.Type) {
		return fmt.Errorf("it is a %v where a %q was asked for", s.claims.VC.Type, s.want.Type)
	}
	return nil
}

func (v *Verifier) checkNotBefore(_ context.Context, s *credentialState) error {
	if from := max(s.claims.NotBefore, s.claims.IssuedAt).time(); v.Now().Add(skew).Before(from) {
		return fmt.Errorf("it is valid from %s on", from.Format(time.RFC3339))
	}
	return nil
}

func (v *Verifier) checkExpiry(_ context.Context, s *credentialState) error {
	if s.claims.Expires == 0 {
		return errors.New("it has no expiry (exp)")
	}
	if until := s.claims.Expires.time(); !v.Now().Add(-skew).Before(until) {
		return fmt.Errorf("it expired at %s", until.Format(time.RFC3339))
	}
	return nil
}

func (v *Verifier) checkStatus(ctx context.Context, s *credentialState) (err error) {
	if s.want.AllowRevoked && s.claims.VC.CredentialStatus == nil {
		return nil
	}
	s.revoked, err = v.Status.revoked(ctx, v, s.claims.Issuer, s.claims.VC.CredentialStatus)
	return err
}

func (v *Verifier) checkRevoked(_ context.Context, s *credentialState) error {
	if s.revoked && !s.want.AllowRevoked {
		return fmt.Errorf("entry %s of %s is set", s.claims.VC.CredentialStatus.StatusListIndex, s.claims.VC.CredentialStatus.StatusListCredential)
	}
	return nil
}

// subject reads the claims about the subject, its identifier among them.
func (s *credentialState) subject() (Claims, error) {
	var subject Claims
	if err := json.Unmarshal(s.claims.VC.CredentialSubject, &subject); err != nil {
		return nil, fmt.Errorf("its credentialSubject: %w", err)
	}
	return subject, nil
}

func (s *credentialState) result() (*Credential, error) {
	subject, err := s.subject()
	if err != nil {
		return nil, err
	}
	delete(subject, "id")
	c := s.claims
	return &Credential{
		JWT: s.text, ID: c.ID, Issuer: c.Issuer, Subject: c.Subject, Types: c.VC.Type, Claims: subject,
		IssuedAt: c.NotBefore.time(), Expires: c.Expires.time(), Revoked: s.revoked,
	}, nil
}

// String returns the date as the data model writes it.
func (d numericDate) String() string { return d.time().Format(time.RFC3339) }

func dateString(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
