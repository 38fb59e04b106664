package metadata

import (
	"bytes"
	"crypto/sha1" // of key identifiers (RFC 5280, section 4.2.1.2, method 1)
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
	"fido-emu/ctap/cose"
)

// names are the words of the FIDO Registry of Predefined Values for algorithms; it has
// none for ML-DSA.
func names() map[cose.Algorithm][]string {
	return map[cose.Algorithm][]string{
		cose.ES256:  {"secp256r1_ecdsa_sha256_raw", "secp256r1_ecdsa_sha256_der"},
		cose.ES384:  {"secp384r1_ecdsa_sha384_raw"},
		cose.ES512:  {"secp521r1_ecdsa_sha512_raw"},
		cose.EdDSA:  {"ed25519_eddsa_sha512_raw"},
		cose.RS256:  {"rsassa_pkcsv15_sha256_raw", "rsassa_pkcsv15_sha256_der"},
		cose.PS256:  {"rsassa_pss_sha256_raw", "rsassa_pss_sha256_der"},
		cose.ES256K: {"secp256k1_ecdsa_sha256_raw", "secp256k1_ecdsa_sha256_der"},
	}
}

// listsAlgorithm tells whether the statement has a word for an algorithm, and whether
// there is one at all.
func listsAlgorithm(s *conformance.Statement, a cose.Algorithm) (listed, named bool) {
	words := names()[a]
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(s.Algorithms, w) }), len(words) > 0
}

// algorithms is about authenticationAlgorithms.
func algorithms() []conformance.Case {
	return conformance.One(
		fido2("algorithms.getInfo", "authenticationAlgorithms has every algorithm of getInfo", func(r *conformance.Run, s *conformance.Statement) {
			for _, a := range r.Algorithms() {
				listed, named := listsAlgorithm(s, a)
				r.Check(listed || !named, "getInfo lists %s, and authenticationAlgorithms is %q", a, s.Algorithms)
			}
		}),
		fido2("algorithms.no-others", "authenticationAlgorithms has no algorithm that getInfo lists not", func(r *conformance.Run, s *conformance.Statement) {
			var known []string
			for _, a := range r.Algorithms() {
				known = append(known, names()[a]...)
			}
			for _, w := range s.Algorithms {
				r.Check(slices.Contains(known, w), "authenticationAlgorithms has %s, and algorithms of getInfo is %v", w, r.Algorithms())
			}
		}, conformance.Member(0x0A)),
		touching(fido2("algorithms.credential", "a credential is of an algorithm in authenticationAlgorithms", func(r *conformance.Run, s *conformance.Statement) {
			c := r.NewCredential()
			listed, named := listsAlgorithm(s, c.Algorithm)
			r.Check(listed || !named, "a credential is of %s, and authenticationAlgorithms is %q", c.Algorithm, s.Algorithms)
		})),
		fido2("algorithms.encoding", "public keys of CTAP2 are encoded as cose", func(r *conformance.Run, s *conformance.Statement) {
			r.Check(slices.Contains(s.KeyEncodings, "cose"), "publicKeyAlgAndEncodings is %q", s.KeyEncodings)
		}),
	)
}

// isCertified tells whether attestation of a type has certificates.
func isCertified(kind string) bool {
	return kind == "basic_full" || kind == "attca" || kind == "anonca"
}

// proof is what a real attestation consists of.
type proof struct {
	format string
	chain  [][]byte // DER, the attesting one first
}

// proofs reads the attestation of a credential: one, or those of a compound.
func proofs(r *conformance.Run, format string, statement cbor.RawMessage) []proof {
	if format == "compound" {
		var parts []struct {
			Format    string          `cbor:"fmt"`
			Statement cbor.RawMessage `cbor:"attStmt"`
		}
		r.Require(cbor.Unmarshal(statement, &parts) == nil && len(parts) > 0, "a compound attestation has no list of statements")
		var all []proof
		for _, p := range parts {
			all = append(all, proofs(r, p.Format, p.Statement)...)
		}
		return all
	}
	var fields struct {
		Chain []ctap.Bytes `cbor:"x5c"`
	}
	r.Require(cbor.Unmarshal(statement, &fields) == nil, "attStmt is %x", []byte(statement))
	p := proof{format: format}
	for _, c := range fields.Chain {
		p.chain = append(p.chain, c)
	}
	return []proof{p}
}

// attestation compares real attestation with what the statement says of it.
func attestation() []conformance.Case {
	return conformance.One(
		touching(fido2("attestation.type", "attestation is of one of attestationTypes", func(r *conformance.Run, s *conformance.Statement) {
			c := r.NewCredential()
			for _, p := range proofs(r, c.Response.Format, c.Response.AttStmt) {
				r.Check(p.listed(s.AttestationTypes), "attestation is %s with %d certificates, and attestationTypes is %q", p.format, len(p.chain), s.AttestationTypes)
			}
		})),
		touching(fido2("attestation.root", "the certificates of an attestation lead to one of attestationRootCertificates", func(r *conformance.Run, s *conformance.Statement) {
			c := r.NewCredential()
			for _, p := range proofs(r, c.Response.Format, c.Response.AttStmt) {
				if len(p.chain) > 0 {
					leads(r, p.chain, s.Roots)
				}
			}
		}, hasRoots())),
		touching(says("attestation.u2f.root", "the certificate of a U2F registration leads to one of attestationRootCertificates", func(r *conformance.Run, s *conformance.Statement) {
			leads(r, [][]byte{registered(r).Raw}, s.Roots)
		}, conformance.SpeaksU2F(), hasRoots())),
		touching(says("attestation.u2f.key", "attestationCertificateKeyIdentifiers has that of the certificate of a U2F registration", func(r *conformance.Run, s *conformance.Statement) {
			id := keyIdentifier(r, registered(r))
			r.Check(slices.Contains(s.KeyIdentifiers, id), "the certificate's key identifier is %s, and attestationCertificateKeyIdentifiers %q", id, s.KeyIdentifiers)
		}, conformance.SpeaksU2F(), onlyU2F())),
	)
}

func hasRoots() conformance.Need {
	return func(f *conformance.Facts) string {
		if f.Statement != nil && len(f.Statement.Roots) == 0 {
			return "its metadata statement has no attestationRootCertificates"
		}
		return ""
	}
}

// listed tells whether attestation like this can be of one of the types.
func (p proof) listed(types []string) bool {
	switch {
	case p.format == "none":
		return slices.Contains(types, "none")
	case len(p.chain) == 0:
		return slices.Contains(types, "basic_surrogate")
	}
	return slices.ContainsFunc(types, isCertified)
}

// leads ends the case as failed unless each certificate is signed by the next, and the
// last one is a root or signed by one, all of them valid now.
func leads(r *conformance.Run, chain, roots [][]byte) {
	var parsed []*x509.Certificate
	for i, der := range chain {
		c, err := x509.ParseCertificate(der)
		r.Require(err == nil, "certificate %d of the attestation: %v", i+1, err)
		r.Require(!r.Now().Before(c.NotBefore) && !r.Now().After(c.NotAfter), "certificate %d of the attestation is valid from %s to %s", i+1, c.NotBefore, c.NotAfter)
		if i > 0 {
			r.Require(parsed[i-1].CheckSignatureFrom(c) == nil, "certificate %d of the attestation is not signed by the next", i)
		}
		parsed = append(parsed, c)
	}
	last := parsed[len(parsed)-1]
	for i, der := range roots {
		root, err := x509.ParseCertificate(der)
		r.Require(err == nil, "attestationRootCertificates: number %d: %v", i+1, err)
		if bytes.Equal(last.Raw, root.Raw) || last.CheckSignatureFrom(root) == nil {
			return
		}
	}
	r.Fail("the attestation leads to %s, which none of the %d attestationRootCertificates is or signed", last.Issuer, len(roots))
}

// registered returns the attestation certificate of a U2F registration.
func registered(r *conformance.Run) *x509.Certificate {
	reply := r.SendU2FTouched(conformance.APDU{INS: 1, Data: r.Bytes(64)}).Want(0x9000)
	const head = 1 + 65 // reserved byte and public key, before the length of the key handle
	r.Require(len(reply.Data) > head && len(reply.Data) > head+1+int(reply.Data[head]), "the registration has %d bytes", len(reply.Data))
	rest := reply.Data[head+1+int(reply.Data[head]):]
	var der asn1.RawValue
	_, err := asn1.Unmarshal(rest, &der)
	r.Require(err == nil, "the certificate of the registration: %v", err)
	c, err := x509.ParseCertificate(der.FullBytes)
	r.Require(err == nil, "the certificate of the registration: %v", err)
	return c
}

// keyIdentifier is the SHA-1 hash of a certificate's public key, hexadecimal.
func keyIdentifier(r *conformance.Run, c *x509.Certificate) string {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		PublicKey asn1.BitString
	}
	_, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &spki)
	r.Require(err == nil, "the certificate's public key: %v", err)
	id := sha1.Sum(spki.PublicKey.Bytes)
	return hex.EncodeToString(id[:])
}
