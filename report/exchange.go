package report

import (
	"encoding/json"

	"fido-emu/ctap/trace"
)

// NewExchange decodes one CTAP exchange: a request, command byte and CBOR, and its
// response, status byte and CBOR, nil when none came. It keeps both.
func NewExchange(request, response []byte) *Exchange {
	t := trace.Decode(request, response)
	return &Exchange{
		Command: t.Command, Status: t.Status,
		Request:  Message{Raw: request, Decoded: t.Request},
		Response: Message{Raw: response, Decoded: t.Response},
	}
}

// NewCeremony decodes one call of navigator.credentials: kind is create or get,
// options and response are the JSON forms of WebAuthn sections 5.1.8, 5.4, 5.5 and
// 5.8; response is nil and err says why when it was refused. Either may be
// malformed.
func NewCeremony(kind, person, origin string, options, response []byte, err error) *Ceremony {
	c := &Ceremony{Type: kind, Person: person, Origin: origin, Options: validJSON(options), Response: validJSON(response)}
	if err != nil {
		c.Error = err.Error()
	}
	c.Decoded = append(c.Decoded, jsonField("options", options, optionMembers))
	if len(response) > 0 {
		members := assertionMembers
		if kind == "create" {
			members = registrationMembers
		}
		c.Decoded = append(c.Decoded, jsonField("response", response, members))
	}
	return c
}

// validJSON keeps what is JSON, and makes a JSON string of what is not.
func validJSON(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	if json.Valid(b) {
		return b
	}
	quoted, err := json.Marshal(string(b))
	if err != nil {
		return nil // a string always has a JSON form
	}
	return quoted
}
