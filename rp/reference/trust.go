package reference

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
)

// trusted tells whether an attestation, whose statement has been verified, leads
// to a trusted authority (WebAuthn Level 3, section 7.1, steps 23 and 24). A
// compound attestation does when all of its parts do.
func (c *Core) trusted(a *protocol.AttestationObject, now time.Time) bool {
	if len(a.SubStatements) == 0 {
		return c.trustedStatement(a.AttStatement, now)
	}
	for _, sub := range a.SubStatements {
		if !c.trustedStatement(sub.AttStatement, now) {
			return false
		}
	}
	return true
}

func (c *Core) trustedStatement(statement map[string]any, now time.Time) bool {
	chain, ok := certificates(statement["x5c"])
	if !ok {
		return false
	}
	leaf, pool := chain[0], x509.NewCertPool()
	for _, ca := range chain[1:] {
		pool.AddCert(ca)
	}
	// §8.3.1: an AIK certificate has a critical subject alternative name with a
	// directory name, which crypto/x509 does not know and the library has checked.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions, asn1.ObjectIdentifier{2, 5, 29, 17}.Equal)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.config.AttestationRoots, Intermediates: pool, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// certificates reads x5c, attestation certificate first.
func certificates(x5c any) (chain []*x509.Certificate, ok bool) {
	list, _ := x5c.([]any)
	for _, item := range list {
		der, isBytes := item.([]byte)
		if !isBytes {
			return nil, false
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, false
		}
		chain = append(chain, cert)
	}
	return chain, len(chain) > 0
}
