package trace

import (
	"crypto/x509"
	"fmt"
	"time"
)

// AttestationObject takes an attestation object apart (WebAuthn, section 6.5).
func AttestationObject(b []byte) []Field {
	return whole(b, named(map[string]show{"authData": authData, "attStmt": attStmt}))
}

// whole shows b, which should be one map.
func whole(b []byte, s show) []Field {
	n, rest := parse(b)
	var fields []Field
	switch {
	case n.major == majorMap && len(n.items) > 0:
		_, fields = s(n)
	case len(n.raw) == 0:
		fields = []Field{malformed(n.err)}
	default:
		fields = []Field{show(plain).field("value", n)}
	}
	return leftOver(fields, rest)
}

func leftOver(fields []Field, rest []byte) []Field {
	if len(rest) > 0 {
		fields = append(fields, Field{Name: "left over", Value: Bytes(rest)})
	}
	return fields
}

// attStmt shows an attestation statement. The formats of WebAuthn section 8 agree
// on what a name means, so one reading serves all.
var attStmt = named(map[string]show{"alg": algorithm, "x5c": list(certificate)})

// certificate shows an X.509 certificate.
func certificate(n node) (string, []Field) {
	if n.major != majorBytes {
		return plain(n)
	}
	return fmt.Sprintf("(%d bytes)", len(n.str)), Certificate(n.str)
}

// Certificate says whose a DER certificate is, by whom and how long it is valid.
func Certificate(der []byte) []Field {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return []Field{malformed(err), {Name: "der", Value: Bytes(der)}}
	}
	const day = time.DateOnly
	fields := []Field{
		{Name: "subject", Value: orNone(text([]byte(c.Subject.String())))},
		{Name: "issuer", Value: orNone(text([]byte(c.Issuer.String())))},
		{Name: "validity", Value: c.NotBefore.UTC().Format(day) + " to " + c.NotAfter.UTC().Format(day)},
		{Name: "serialNumber", Value: fmt.Sprintf("%x", c.SerialNumber)},
		{Name: "publicKey", Value: c.PublicKeyAlgorithm.String() + ", signed with " + c.SignatureAlgorithm.String()},
	}
	if c.IsCA {
		fields = append(fields, Field{Name: "basicConstraints", Value: "CA"})
	}
	return fields
}
