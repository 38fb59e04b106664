package webauthn

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// registration is what a RegistrationResponseJSON says (section 5.1).
type registration struct {
	id                []byte
	attachment        string
	clientData        []byte
	authData          []byte
	attestationObject []byte
	transports        []string
	spki              []byte // nil where it cannot be had
	algorithm         cose.Algorithm
	results           results
}

// json returns the RegistrationResponseJSON.
func (r *registration) json() ([]byte, error) {
	b := make([]byte, 0, 512+2*(len(r.id)+len(r.clientData)+len(r.authData)+len(r.attestationObject)))
	b = append(b, '{')
	b = appendCredential(b, r.id, r.attachment)
	b = append(b, `"response":{`...)
	b = appendBinary(b, "clientDataJSON", r.clientData)
	b = appendBinary(append(b, ','), "authenticatorData", r.authData)
	b, err := appendTransports(append(b, ','), r.transports)
	if err != nil {
		return nil, err
	}
	if r.spki != nil {
		b = appendBinary(append(b, ','), "publicKey", r.spki)
	}
	b = append(b, `,"publicKeyAlgorithm":`...)
	b = strconv.AppendInt(b, int64(r.algorithm), 10)
	b = appendBinary(append(b, ','), "attestationObject", r.attestationObject)
	b = r.results.append(append(b, `},"clientExtensionResults":`...))
	return append(b, '}'), nil
}

// assertion is what an AuthenticationResponseJSON says (section 5.1).
type assertion struct {
	id         []byte
	attachment string
	clientData []byte
	authData   []byte
	signature  []byte
	userHandle []byte // nil for none
	results    results
}

// json returns the AuthenticationResponseJSON.
func (a *assertion) json() []byte {
	b := make([]byte, 0, 384+2*(len(a.id)+len(a.clientData)+len(a.authData)+len(a.signature)))
	b = append(b, '{')
	b = appendCredential(b, a.id, a.attachment)
	b = append(b, `"response":{`...)
	b = appendBinary(b, "clientDataJSON", a.clientData)
	b = appendBinary(append(b, ','), "authenticatorData", a.authData)
	b = appendBinary(append(b, ','), "signature", a.signature)
	if a.userHandle != nil {
		b = appendBinary(append(b, ','), "userHandle", a.userHandle)
	}
	b = a.results.append(append(b, `},"clientExtensionResults":`...))
	return append(b, '}')
}

// appendCredential appends the members that both responses begin with.
func appendCredential(b, id []byte, attachment string) []byte {
	b = appendBinary(b, "id", id)
	b = appendBinary(append(b, ','), "rawId", id)
	b = append(b, `,"type":"`+ctap.PublicKeyCredential+`","authenticatorAttachment":"`...)
	return append(append(b, attachment...), `",`...)
}

// appendBinary appends a member whose value is base64url.
func appendBinary(b []byte, name string, value []byte) []byte {
	b = append(append(append(b, '"'), name...), `":"`...)
	b = base64.RawURLEncoding.AppendEncode(b, value)
	return append(b, '"')
}

// appendTransports appends the transports, sorted and once each (section
// 5.2.1).
func appendTransports(b []byte, transports []string) ([]byte, error) {
	sorted := slices.Compact(slices.Sorted(slices.Values(transports)))
	b = append(b, `"transports":[`...)
	for i, t := range sorted {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = jsontext.AppendQuote(b, t); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}
