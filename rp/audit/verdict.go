package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// Verdict is what became of an attack.
type Verdict string

// The verdicts.
const (
	Refused       Verdict = "refused"        // as it must be
	Accepted      Verdict = "accepted"       // a finding
	Broken        Verdict = "broken"         // a server error, no answer in time, or an answer that contradicts itself
	Tolerated     Verdict = "tolerated"      // accepted, and the standard allows it
	NotApplicable Verdict = "not applicable" // there is nothing to attack in this way
)

// Verdicts returns all verdicts, in the order in which reports have them.
func Verdicts() []Verdict { return []Verdict{Accepted, Broken, Tolerated, Refused, NotApplicable} }

// Result is an attack and what became of it.
type Result struct {
	Attack
	Verdict   Verdict    `json:"verdict"`
	Why       string     `json:"why"`                 // what showed it
	Exchanges []Exchange `json:"exchanges,omitempty"` // what was sent; only of what was not simply refused
}

// Exchange is one ceremony as it was sent, decoded, to be reproduced by.
type Exchange struct {
	Ceremony   string          `json:"ceremony"` // registration or authentication
	Origin     string          `json:"origin"`   // of the page
	Options    json.RawMessage `json:"options"`  // as the relying party gave them
	Response   json.RawMessage `json:"response"` // as it was sent
	ClientData string          `json:"clientData"`
	AuthData   *AuthData       `json:"authenticatorData,omitempty"` // nil where it cannot be read
	Format     string          `json:"attestationFormat,omitempty"`
	Signature  string          `json:"signature,omitempty"` // in hexadecimal
	PublicKey  string          `json:"publicKey,omitempty"` // of the passkey that was used, a COSE_Key in hexadecimal
}

// AuthData is authenticator data, decoded.
type AuthData struct {
	RPIDHash     string `json:"rpIdHash"`
	RPID         string `json:"rpId,omitempty"` // whose hash it is, where that is the options'
	Flags        string `json:"flags"`
	SignCount    uint32 `json:"signCount"`
	AAGUID       string `json:"aaguid,omitempty"`
	CredentialID string `json:"credentialId,omitempty"`
	Algorithm    string `json:"algorithm,omitempty"`
	Bytes        string `json:"bytes"` // in hexadecimal
}

// finding is a verdict with what was sent.
type finding struct {
	verdict   Verdict
	why       string
	exchanges []Exchange

	severity Severity // where it is not the attack's
	gains    string
}

func found(v Verdict, format string, args ...any) finding {
	return finding{verdict: v, why: fmt.Sprintf(format, args...)}
}

// with adds what was sent to a finding.
func (f finding) with(d *draft) finding {
	if d != nil {
		f.exchanges = append(f.exchanges, d.exchange())
	}
	return f
}

// exchange describes a draft as it was sent.
func (d *draft) exchange() Exchange {
	e := Exchange{
		Ceremony: string(d.kind), Origin: d.origin, Options: d.asked.raw, ClientData: string(d.clientJSON),
		Format: d.format, Signature: hex.EncodeToString(d.signature), AuthData: describe(d),
	}
	if b, err := plainJSON(d.response); err == nil {
		e.Response = b
	}
	if d.passkey != nil {
		e.PublicKey = hex.EncodeToString(d.passkey.public)
	}
	return e
}

func describe(d *draft) *AuthData {
	b := d.authBytes
	if len(b) < 37 {
		return nil
	}
	a := &AuthData{RPIDHash: hex.EncodeToString(b[:32]), Flags: ctap.Flags(b[32]).String(), Bytes: hex.EncodeToString(b)}
	if want := sha256.Sum256([]byte(d.asked.RPID)); string(want[:]) == string(b[:32]) {
		a.RPID = d.asked.RPID
	}
	a.SignCount = uint32(b[33])<<24 | uint32(b[34])<<16 | uint32(b[35])<<8 | uint32(b[36])
	if data, err := ctap.ParseAuthenticatorData(b); err == nil && data.Attested != nil {
		a.AAGUID, a.CredentialID = data.Attested.AAGUID.String(), b64(data.Attested.ID)
		if alg, _, err := cose.Parse(data.Attested.PublicKey); err == nil {
			a.Algorithm = alg.String()
		}
	}
	return a
}
