package metadata

import (
	"crypto/sha1" // of key identifiers (RFC 5280, section 4.2.1.2, method 1)
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// statement describes the model (MS, section 4).
func (m *Model) statement() (*Statement, error) {
	s := &Statement{
		LegalHeader: legalHeader, Description: m.Title, FriendlyNames: map[string]string{"en-US": m.Title},
		Schema: 3, KeyRestricted: true, FreshUV: true, CryptoStrength: 128, TCDisplay: []string{},
		KeyProtection: protections(m.KeyProtection, 0x0A, keyProtections),
		Matcher:       protections(m.MatcherProtection, 0x04, matcherProtections),
		MultiDevice:   "unsupported",
		Roots:         []string{},
	}
	if m.Synced {
		s.MultiDevice = "implicit"
	}
	for _, root := range m.Roots {
		s.Roots = append(s.Roots, base64DER(root))
	}
	if err := m.describeAlgorithms(s); err != nil {
		return nil, err
	}
	if err := m.describeAttestation(s); err != nil {
		return nil, err
	}
	if m.Info == nil {
		return s, m.describeU2F(s)
	}
	return s, m.describeFIDO2(s)
}

// firstVersion is the authenticatorVersion of a model that does not tell its own.
const firstVersion = 1

// describeFIDO2 adds what follows from the answer to getInfo.
func (m *Model) describeFIDO2(s *Statement) (err error) {
	if s.GetInfo, err = parseInfo(m.Info); err != nil {
		return err
	}
	if s.GetInfo.AAGUID != hex.EncodeToString(m.AAGUID[:]) || m.AAGUID == (ctap.AAGUID{}) {
		return fmt.Errorf("AAGUID is %s, getInfo says %s; both must be the same and not zeros", m.AAGUID, s.GetInfo.AAGUID)
	}
	s.AAGUID, s.ProtocolFamily, s.KeyEncodings = m.AAGUID.String(), "fido2", []string{"cose"}
	s.Version = or(s.GetInfo.FirmwareVersion, firstVersion)
	s.UPV = protocolVersions(s.GetInfo.Versions)
	s.AttachmentHint = attachment(s.GetInfo)
	s.UserVerification = m.verifications(s.GetInfo)
	for _, x := range s.GetInfo.Extensions {
		s.Extensions = append(s.Extensions, Extension{ID: x})
	}
	return nil
}

// describeU2F adds what is so of every model of U2F.
func (m *Model) describeU2F(s *Statement) error {
	if len(m.Certificates) == 0 {
		return errors.New("a model without getInfo needs an attestation certificate that identifies it")
	}
	for _, c := range m.Certificates {
		id, err := keyIdentifier(c)
		if err != nil {
			return err
		}
		s.KeyIdentifiers = append(s.KeyIdentifiers, id)
	}
	s.ProtocolFamily, s.KeyEncodings = "u2f", []string{"ecc_x962_raw"}
	s.Version, s.UPV = firstVersion, []Version{{1, 2}}
	s.AttachmentHint = []string{"external", "wired"}
	s.UserVerification = [][]Verification{{{Method: "presence_internal"}}}
	return nil
}

// keyIdentifier is the SHA-1 hash of the subject's public key, hexadecimal (MS,
// section 4).
func keyIdentifier(c *x509.Certificate) (string, error) {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		PublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &spki); err != nil {
		return "", fmt.Errorf("attestation certificate: public key: %w", err)
	}
	id := sha1.Sum(spki.PublicKey.Bytes)
	return hex.EncodeToString(id[:]), nil
}

// authenticationAlgorithms are the names of the FIDO Registry of Predefined Values,
// section 3.6.1, which has none for ML-DSA.
var authenticationAlgorithms = map[cose.Algorithm]string{
	cose.ES256: "secp256r1_ecdsa_sha256_raw", cose.ESP256: "secp256r1_ecdsa_sha256_raw",
	cose.ES384: "secp384r1_ecdsa_sha384_raw", cose.ESP384: "secp384r1_ecdsa_sha384_raw",
	cose.ES512: "secp521r1_ecdsa_sha512_raw", cose.ESP512: "secp521r1_ecdsa_sha512_raw",
	cose.EdDSA: "ed25519_eddsa_sha512_raw", cose.Ed25519: "ed25519_eddsa_sha512_raw",
	cose.RS256: "rsassa_pkcsv15_sha256_raw", cose.PS256: "rsassa_pss_sha256_raw",
	cose.ES256K: "secp256k1_ecdsa_sha256_raw",
}

// describeAlgorithms adds the algorithms that have a name, of which there must be one.
func (m *Model) describeAlgorithms(s *Statement) error {
	for _, a := range m.Algorithms {
		if name, ok := authenticationAlgorithms[a]; ok && !slices.Contains(s.Algorithms, name) {
			s.Algorithms = append(s.Algorithms, name)
		}
	}
	if len(s.Algorithms) == 0 {
		return fmt.Errorf("none of the algorithms %s has a name in the FIDO registry", m.Algorithms)
	}
	return nil
}

// attestationTypes are the names of the FIDO registry, section 3.6.3.
var attestationTypes = map[attestation.Type]string{
	attestation.Basic: "basic_full", attestation.Self: "basic_surrogate", attestation.AttCA: "attca",
	attestation.AnonCA: "anonca", attestation.None: "none",
}

// describeAttestation adds the attestation types; roots stand behind those with a
// certificate, and only those.
func (m *Model) describeAttestation(s *Statement) error {
	types, certified := m.Attestation, false
	if len(types) == 0 {
		types = []attestation.Type{attestation.None}
	}
	for _, t := range types {
		name, ok := attestationTypes[t]
		if !ok {
			return fmt.Errorf("attestation type %q is not known", t)
		}
		s.AttestationTypes = append(s.AttestationTypes, name)
		certified = certified || t != attestation.None && t != attestation.Self
	}
	if certified != (len(m.Roots) > 0) {
		return fmt.Errorf("%d attestation roots for %s", len(m.Roots), s.AttestationTypes)
	}
	return nil
}

// The bits of KEY_PROTECTION and MATCHER_PROTECTION (FIDO registry, sections 3.2 and
// 3.3), lowest first.
var (
	keyProtections     = []string{"software", "hardware", "tee", "secure_element", "remote_handle"}
	matcherProtections = []string{"software", "tee", "on_chip"}
)

// protections names the bits of a value, or of what stands for 0.
func protections(value, otherwise uint16, bits []string) (names []string) {
	if value == 0 {
		value = otherwise
	}
	for i, name := range bits {
		if value&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func base64DER(c *x509.Certificate) string { return base64.StdEncoding.EncodeToString(c.Raw) }
