package forged

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"time"

	"fido-emu/attestation"
)

// issuer is who issues the leaf, with what follows it in x5c.
type issuer struct {
	certificate *x509.Certificate // nil: the leaf signs itself
	key         crypto.Signer
	chain       [][]byte
}

func issuerOf(a *attestation.Authority) issuer {
	return issuer{a.Certificate(), a.Signer(), a.Chain()}
}

// certify issues a leaf from an authority between it and the root.
func (p *press) certify(template *x509.Certificate, public crypto.PublicKey) ([][]byte, error) {
	sub, err := p.root.Intermediate("Forged CA")
	if err != nil {
		return nil, err
	}
	return p.certifyBy(issuerOf(sub), template, public)
}

func (p *press) certifyBy(by issuer, template *x509.Certificate, public crypto.PublicKey) ([][]byte, error) {
	p.complete(template, public)
	if p.leaf != nil {
		p.leaf(template)
	}
	if p.issue != nil {
		var err error
		if by, err = p.issue(p, by); err != nil {
			return nil, err
		}
	}
	parent := by.certificate
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(nil, template, parent, public, by.key)
	if err != nil {
		return nil, err
	}
	if p.der != nil {
		der = p.der(p, by, der)
	}
	x5c := append([][]byte{der}, by.chain...)
	if p.chain != nil {
		x5c = p.chain(p, x5c)
	}
	return x5c, nil
}

// complete adds what every certificate has: the validity of the root and a serial
// number that follows from the key.
func (p *press) complete(template *x509.Certificate, public crypto.PublicKey) {
	root := p.root.Root()
	template.NotBefore, template.NotAfter = root.NotBefore, root.NotAfter
	template.SignatureAlgorithm = x509.ECDSAWithSHA256
	template.BasicConstraintsValid = true
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil { // CreateCertificate says so, too
		spki = nil
	}
	digest := sha256.Sum256(spki)
	digest[0] = digest[0]&0x7F | 0x40
	template.SerialNumber = new(big.Int).SetBytes(digest[:16])
}

// selfSigned makes the leaf its own authority.
func selfSigned(p *press, _ issuer) (issuer, error) {
	return issuer{key: p.root.Key("forged batch key")}, nil
}

// anotherRoot is an authority with the names of the trusted one and another key.
func anotherRoot(p *press, _ issuer) (issuer, error) {
	other, err := impostor(p)
	if err != nil {
		return issuer{}, err
	}
	sub, err := other.Intermediate("Forged CA")
	return issuerOf(sub), err
}

// anotherRootItself is [anotherRoot] without an authority in between.
func anotherRootItself(p *press, _ issuer) (issuer, error) {
	other, err := impostor(p)
	if err != nil {
		return issuer{}, err
	}
	return issuerOf(other), nil
}

func impostor(p *press) (*attestation.Authority, error) {
	seed, err := p.root.Key("impostor").Bytes()
	if err != nil {
		return nil, err
	}
	root := p.root.Root()
	return attestation.NewAuthority(root.Subject.CommonName, bytes.NewReader(seed), root.NotBefore.Add(time.Hour))
}

// intermediate puts another certificate in the place of the intermediate one.
func intermediate(change func(*x509.Certificate)) func(*press, issuer) (issuer, error) {
	return func(p *press, by issuer) (issuer, error) {
		key := p.root.Key("forged CA")
		template := &x509.Certificate{Subject: by.certificate.Subject, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
		p.complete(template, &key.PublicKey)
		change(template)
		der, err := x509.CreateCertificate(nil, template, p.root.Certificate(), &key.PublicKey, p.root.Signer())
		if err != nil {
			return issuer{}, err
		}
		made, err := x509.ParseCertificate(der)
		return issuer{made, key, [][]byte{der}}, err
	}
}

// pathTooLong issues from an authority below one that may have none below it.
func pathTooLong(p *press, _ issuer) (issuer, error) {
	first, err := p.root.Intermediate("Forged CA")
	if err != nil {
		return issuer{}, err
	}
	second, err := first.Intermediate("Forged sub-CA")
	if err != nil {
		return issuer{}, err
	}
	return issuerOf(second), nil
}

// versionOne takes version and extensions out of a certificate and signs it again.
// A certificate that cannot be read stays as it is.
func versionOne(_ *press, by issuer, der []byte) []byte {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return der
	}
	var members []asn1.RawValue
	if _, err := asn1.Unmarshal(c.RawTBSCertificate, &members); err != nil {
		return der
	}
	kept := members[:0:0]
	for _, m := range members {
		if m.Class != asn1.ClassContextSpecific {
			kept = append(kept, m)
		}
	}
	signed, err := signAgain(kept, by.key)
	if err != nil {
		return der
	}
	return signed
}

func signAgain(members []asn1.RawValue, key crypto.Signer) ([]byte, error) {
	tbs, err := asn1.Marshal(members)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	sig, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		asn1.RawValue{FullBytes: tbs},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, // ecdsa-with-SHA256
		asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)},
	})
}
