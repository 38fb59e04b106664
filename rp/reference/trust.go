package reference

import (
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"fido-emu/attestation/metadata"
	"fido-emu/ctap"
)

// vouched is what attestation says of an authenticator.
type vouched struct {
	trusted bool   // its chain leads to an authority that is trusted
	flawed  string // what metadata reports against the model; empty for nothing
}

// vouch judges an attestation, whose statement has been verified, by its chain and by
// what metadata tells of its model (WebAuthn Level 3, section 7.1, steps 23 and 24). A
// compound attestation is trusted when all of its parts are.
func (c *Core) vouch(a *protocol.AttestationObject, aaguid ctap.AAGUID, now time.Time) vouched {
	if len(a.SubStatements) == 0 {
		return c.vouchStatement(a.AttStatement, aaguid, now)
	}
	sum := vouched{trusted: true}
	for _, sub := range a.SubStatements {
		v := c.vouchStatement(sub.AttStatement, aaguid, now)
		sum.trusted = sum.trusted && v.trusted
		sum.flawed = cmp.Or(sum.flawed, v.flawed)
	}
	return sum
}

func (c *Core) vouchStatement(statement map[string]any, aaguid ctap.AAGUID, now time.Time) vouched {
	chain, ok := certificates(statement["x5c"])
	model := c.known(aaguid, chain)
	if model != nil {
		if r, bad := model.Undesired(now, chain); bad {
			return vouched{flawed: string(r.Status) + " since " + r.Since.Format(time.DateOnly)}
		}
	}
	return vouched{trusted: ok && c.trusted(chain, model, now)}
}

// trusted tells whether a chain leads to a configured authority, or to a root that
// metadata names for its model.
func (c *Core) trusted(chain []*x509.Certificate, model *metadata.Known, now time.Time) bool {
	leaf, between := chain[0], x509.NewCertPool()
	for _, ca := range chain[1:] {
		between.AddCert(ca)
	}
	roots := c.config.AttestationRoots.Clone()
	if model != nil {
		for _, root := range model.Roots {
			roots.AddCert(root)
		}
	}
	// §8.3.1: an AIK certificate has a critical subject alternative name with a
	// directory name, which crypto/x509 does not know and the library has checked.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions, asn1.ObjectIdentifier{2, 5, 29, 17}.Equal)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// known returns what metadata tells of a model, nil for nothing.
func (c *Core) known(aaguid ctap.AAGUID, chain []*x509.Certificate) *metadata.Known {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.metadata == nil {
		return nil
	}
	var leaf *x509.Certificate
	if len(chain) > 0 {
		leaf = chain[0]
	}
	return c.metadata.Model(aaguid, leaf)
}

// SetMetadata gives the relying party a metadata BLOB, a JWT signed by one of
// Config.MetadataRoots: the roots that it names are trusted for their models, and models
// that it reports revoked or compromised are refused where a policy asks for
// attestation. It takes the place of one with a smaller number. What was registered
// before stays as it is: attestation is looked at when a passkey is registered.
func (c *Core) SetMetadata(blob []byte) error {
	now := c.now()
	trust, err := metadata.Read(blob, c.config.MetadataRoots, now)
	if err != nil {
		return refuse(BadMetadata, "%v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.metadata != nil && trust.No <= c.metadata.No {
		return refuse(BadMetadata, "the BLOB has number %d, and the one before has %d: only a newer one takes its place", trust.No, c.metadata.No)
	}
	c.metadata, c.uploaded = trust, &metadataRecord{Taken: now, BLOB: string(blob)}
	c.changed(inSettings, settingMetadata)
	c.note(Event{Action: "set-metadata", Outcome: Done, Detail: fmt.Sprintf("number %d, %d models", trust.No, trust.Models)})
	return nil
}

// beginMetadata is SetMetadata for the BLOB of the configuration, nil for none. It is passed
// over where an administrator gave one before that is as new. It is not kept: the
// configuration has it.
func (c *Core) beginMetadata(blob []byte) error {
	if blob == nil {
		return nil
	}
	trust, err := metadata.Read(blob, c.config.MetadataRoots, c.now())
	if err != nil {
		return refuse(BadMetadata, "%v", err)
	}
	if c.metadata == nil || trust.No > c.metadata.No {
		c.metadata, c.uploaded = trust, nil
		c.changed(inSettings, settingMetadata)
	}
	return nil
}

// Metadata returns what the relying party has of a metadata BLOB, nil for none.
func (c *Core) Metadata() *metadata.Trust {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.metadata
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
