package forged

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"fido-emu/attestation"
	"fido-emu/ctap/cose"
)

func tpmForgery(name, section, wrong, loses string, a alteration) Forgery {
	return Forgery{Name: "tpm-" + name, Format: attestation.FormatTPM, Section: section, Wrong: wrong, Loses: loses, alter: a}
}

const losesTPM = "a key in software passes for one that a TPM holds"

// tpmStructures holds what is wrong with the statement and the TPM's structures in
// it (section 8.3).
func tpmStructures() []Forgery {
	tpm := func(name, wrong, loses string, a alteration) Forgery {
		return tpmForgery(name, "WebAuthn 8.3", wrong, loses, a)
	}
	return []Forgery{
		tpm("version", "ver is 1.2", losesForm, alteration{members: set("ver", "1.2")}),
		tpm("certinfo-magic", "certInfo does not begin with TPM_GENERATED_VALUE", "what somebody else gave a TPM to sign passes for what the TPM says", alteration{certInfo: flipFirst}),
		tpm("certinfo-type", "certInfo is of type TPM_ST_ATTEST_CREATION", losesTPM, alteration{certInfo: at(5, 0x1A)}),
		tpm("wrong-challenge", "extraData is the hash of another client data hash", losesBinding, alteration{extraData: flipLast}),
		tpm("wrong-auth-data", "extraData is the hash of other authenticator data", losesBinding, alteration{extraData: flipFirst}),
		tpm("certinfo-name", "certInfo certifies the name of another object", losesTPM, alteration{certInfo: anotherName}),
		tpm("certinfo-bytes-left-over", "a byte follows certInfo", losesForm, alteration{certInfo: leftOver}),
		tpm("pubarea-another-key", "pubArea is another key than the credential's", losesTPM, alteration{pubArea: anotherArea}),
		tpm("pubarea-not-certified", "pubArea has other attributes than the object that was certified", losesTPM, alteration{shownArea: at(7, 0x73)}),
		tpm("pubarea-bytes-left-over", "a byte follows pubArea", losesForm, alteration{shownArea: leftOver}),
		tpm("another-key", "another key than the certificate's signed certInfo", losesTPM, alteration{signer: stranger}),
		tpm("alg-mismatch", "alg is another than what the certificate's key signed with", losesForm, alteration{members: set("alg", int(cose.ES384))}),
		tpm("x5c-empty", "x5c is there and empty", losesTPM, alteration{members: set("x5c", [][]byte{})}),
		tpm("extra-member", "the statement has a member that the format does not know", losesForm, alteration{members: set("note", "forged")}),
	}
}

// at puts a byte at an offset.
func at(offset int, value byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b = slices.Clone(b)
		b[offset] = value
		return b
	}
}

// anotherName changes the last byte of the name in certInfo, which the qualified
// name, as long, follows with its length.
func anotherName(info []byte) []byte {
	const nameLength = 34 // algorithm and SHA-256
	info = slices.Clone(info)
	info[len(info)-2-nameLength-1] ^= 1
	return info
}

// anotherArea is the area of a key that is not the credential's; a forgery for which
// it cannot be made shows the credential's.
func anotherArea(p *press, area []byte) []byte {
	other, err := marshalArea(&stranger(p).PublicKey)
	if err != nil {
		return area
	}
	return other
}

// tpmCertificate holds what is wrong with the AIK certificate (section 8.3.1).
func tpmCertificate() []Forgery {
	leaf := func(name, wrong, loses string, change func(*x509.Certificate)) Forgery {
		return tpmForgery(name, "WebAuthn 8.3.1", wrong, loses, alteration{leaf: change})
	}
	const losesVendor = "the certificate does not say whose TPM it is"
	return []Forgery{
		tpmForgery("version-1", "WebAuthn 8.3.1", "the AIK certificate is of X.509 version 1, without extensions", losesForm, alteration{der: versionOne}),
		leaf("subject", "the AIK certificate has a subject", losesForm, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: model} }),
		leaf("san-missing", "the AIK certificate has no subject alternative name", losesVendor, func(c *x509.Certificate) { c.ExtraExtensions = nil }),
		leaf("eku-missing", "the AIK certificate is not for attestation keys (tcg-kp-AIKCertificate)", "a certificate for another purpose attests", func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }),
		leaf("eku-other", "the AIK certificate is for endorsement keys (tcg-kp-EKCertificate)", "a certificate for another purpose attests",
			func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{2, 23, 133, 8, 1}} }),
		leaf("ca-flag", "the AIK certificate says that it is an authority's", losesPath, func(c *x509.Certificate) { c.IsCA = true; c.KeyUsage |= x509.KeyUsageCertSign }),
		leaf("no-basic-constraints", "the AIK certificate does not say whether it is an authority's", losesPath, func(c *x509.Certificate) { c.BasicConstraintsValid = false }),
		leaf("wrong-aaguid-extension", "the AAGUID in the AIK certificate is another than the authenticator's", "a certified model of one kind passes for another",
			func(c *x509.Certificate) {
				other := append([]byte{asn1.TagOctetString, 16}, bytes.Repeat([]byte{0xFF}, 16)...)
				c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidAAGUID, Value: other})
			}),
		tpmForgery("manufacturer-form", "WebAuthn 8.3.1", "the manufacturer is no vendor id of 8 hexadecimal digits", losesVendor,
			alteration{identity: func(id *attestation.TPMIdentity) { id.Manufacturer = "ACME" }}),
		tpmForgery("model-missing", "WebAuthn 8.3.1", "the TPM's model is empty", losesVendor, alteration{identity: func(id *attestation.TPMIdentity) { id.Model = "" }}),
		tpmForgery("expired", path, "the AIK certificate has expired", losesTime, alteration{leaf: expired}),
		tpmForgery("another-root", path, "the chain leads to another root of the same name", losesModel, alteration{issue: anotherRoot}),
	}
}
