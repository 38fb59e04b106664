package attestation

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The object identifiers of an AIK certificate (WebAuthn section 8.3.1; TCG EK
// Credential Profile, section 3.2.9).
var (
	oidSubjectAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidAIKCertificate  = asn1.ObjectIdentifier{2, 23, 133, 8, 3} // tcg-kp-AIKCertificate
	oidTPMManufacturer = asn1.ObjectIdentifier{2, 23, 133, 2, 1}
	oidTPMModel        = asn1.ObjectIdentifier{2, 23, 133, 2, 2}
	oidTPMVersion      = asn1.ObjectIdentifier{2, 23, 133, 2, 3}
)

// TestManufacturer is the vendor id that the FIDO Alliance keeps for testing.
const TestManufacturer = "FFFFF1D0"

// TPMIdentity is what an AIK certificate says of its TPM.
type TPMIdentity struct {
	Manufacturer string // vendor id in 8 hexadecimal digits, such as TestManufacturer
	Model        string // such as the part number
	Version      string // firmware version in 8 hexadecimal digits
}

// CertifyAIK issues a certificate for a TPM's attestation key (section 8.3.1) and
// returns it with the chain below the root, in DER.
func (a *Authority) CertifyAIK(public crypto.PublicKey, id TPMIdentity) (x5c [][]byte, err error) {
	template, err := AIKTemplate(id)
	if err == nil {
		x5c, err = a.Issue(template, public)
	}
	if err != nil {
		return nil, fmt.Errorf("AIK certificate: %w", err)
	}
	return x5c, nil
}

// AIKTemplate returns what section 8.3.1 asks of the certificate of a TPM's
// attestation key.
func AIKTemplate(id TPMIdentity) (*x509.Certificate, error) {
	name, err := id.generalNames()
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		KeyUsage:           x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidAIKCertificate},
		ExtraExtensions:    []pkix.Extension{{Id: oidSubjectAltName, Critical: true, Value: name}},
	}, nil
}

// generalNames returns the subject alternative name: one directoryName, which is
// [4] EXPLICIT, with the three attributes.
func (id TPMIdentity) generalNames() ([]byte, error) {
	attribute := func(oid asn1.ObjectIdentifier, value string) pkix.RelativeDistinguishedNameSET {
		text := asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(value)}
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: text}}
	}
	name, err := asn1.Marshal(pkix.RDNSequence{
		attribute(oidTPMManufacturer, "id:"+id.Manufacturer),
		attribute(oidTPMModel, id.Model),
		attribute(oidTPMVersion, "id:"+id.Version),
	})
	if err != nil {
		return nil, err
	}
	directory := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name}
	return asn1.Marshal([]asn1.RawValue{directory})
}

// checkAIKCertificate checks the requirements of section 8.3.1. Which
// manufacturers are real is a relying party's policy and not looked at.
func checkAIKCertificate(c *x509.Certificate) error {
	switch {
	case c.Version != 3:
		return fmt.Errorf("AIK certificate is version %d, want 3", c.Version)
	case len(c.Subject.Names) != 0:
		return errors.New("AIK certificate has a subject, want none")
	case !c.BasicConstraintsValid || c.IsCA:
		return errors.New("AIK certificate does not say that it is no authority's")
	case !slices.ContainsFunc(c.UnknownExtKeyUsage, oidAIKCertificate.Equal):
		return errors.New("AIK certificate lacks the key usage tcg-kp-AIKCertificate")
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidSubjectAltName) {
			return checkTPMNames(e.Value)
		}
	}
	return errors.New("AIK certificate has no subject alternative name")
}

// checkTPMNames checks that manufacturer, model and version are there and of
// their form.
func checkTPMNames(san []byte) error {
	names, err := directoryNames(san)
	if err != nil {
		return fmt.Errorf("AIK certificate: subject alternative name: %w", err)
	}
	manufacturer := names[oidTPMManufacturer.String()]
	if !strings.HasPrefix(manufacturer, "id:") || len(manufacturer) != len("id:")+8 {
		return fmt.Errorf("AIK certificate: TPM manufacturer %q, want id: and 8 hexadecimal digits", manufacturer)
	}
	if names[oidTPMModel.String()] == "" || !strings.HasPrefix(names[oidTPMVersion.String()], "id:") {
		return errors.New("AIK certificate: TPM model or version is missing")
	}
	return nil
}

// directoryNames returns the attributes of the directory names of a subject
// alternative name, by object identifier.
func directoryNames(san []byte) (map[string]string, error) {
	var general []asn1.RawValue
	if rest, err := asn1.Unmarshal(san, &general); err != nil || len(rest) != 0 {
		return nil, errors.New("is not GeneralNames")
	}
	found := map[string]string{}
	for _, g := range general {
		if g.Class != asn1.ClassContextSpecific || g.Tag != 4 {
			continue
		}
		var name pkix.RDNSequence
		if rest, err := asn1.Unmarshal(g.Bytes, &name); err != nil || len(rest) != 0 {
			return nil, errors.New("directoryName is malformed")
		}
		for _, set := range name {
			for _, a := range set {
				if text, ok := a.Value.(string); ok {
					found[a.Type.String()] = text
				}
			}
		}
	}
	return found, nil
}
