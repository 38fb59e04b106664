package world

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/webauthn"
)

// Script is what the script of a page does in one ceremony beyond what the relying
// party asks for: extensions (WebAuthn Level 3, section 10) and enterprise
// attestation. The zero Script does nothing.
type Script struct {
	Extensions map[string]any // client extension inputs, by identifier
	Enterprise bool           // ask for enterprise attestation
	Delay      time.Duration  // pass before the relying party has the response
}

// Results are the client extension outputs that scripts can ask for. Nil members were
// not among them.
type Results struct {
	LargeBlob *struct {
		Supported *bool   `json:"supported"`
		Written   *bool   `json:"written"`
		Blob      *string `json:"blob"` // base64url
	} `json:"largeBlob"`
	CredBlob    *bool   `json:"credBlob"`
	GetCredBlob *string `json:"getCredBlob"` // base64url
}

// edit adds to the options of a ceremony.
func (s *Script) edit(options []byte) ([]byte, error) {
	if len(s.Extensions) == 0 && !s.Enterprise {
		return options, nil
	}
	var members map[string]any
	if err := json.Unmarshal(options, &members); err != nil {
		return nil, fmt.Errorf("the options of the relying party: %w", err)
	}
	if s.Enterprise {
		members["attestation"] = "enterprise"
	}
	inputs, _ := members["extensions"].(map[string]any)
	if inputs == nil && len(s.Extensions) > 0 {
		inputs = map[string]any{}
		members["extensions"] = inputs
	}
	for id, input := range s.Extensions {
		inputs[id] = input
	}
	return json.Marshal(members)
}

// unseen is a ceremony of which the harness has no part.
func unseen() error {
	return &Missing{"Chromium uses the keys that it finds itself, and what comes of scripts there is not seen: leave out --no-shim"}
}

// Results returns the extension outputs of the browser's last ceremony.
func (b *Browser) Results() (Results, error) {
	if b.response == nil {
		return Results{}, unseen()
	}
	var r struct {
		Results Results `json:"clientExtensionResults"`
	}
	if err := json.Unmarshal(b.response, &r); err != nil {
		return Results{}, fmt.Errorf("the browser's response: %w", err)
	}
	return r.Results, nil
}

// AttestedSerial returns the serial number that the attestation of the browser's last
// ceremony names; empty for none.
func (b *Browser) AttestedSerial() (string, error) {
	if b.response == nil {
		return "", unseen()
	}
	var r struct {
		Response struct {
			AttestationObject string `json:"attestationObject"`
		} `json:"response"`
	}
	if err := json.Unmarshal(b.response, &r); err != nil {
		return "", fmt.Errorf("the browser's response: %w", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(r.Response.AttestationObject)
	if err != nil {
		return "", fmt.Errorf("the browser's response: %w", err)
	}
	object, err := webauthn.ParseAttestationObject(raw)
	if err != nil {
		return "", err
	}
	var statement struct {
		X5C [][]byte `cbor:"x5c"`
	}
	if err := ctap.DecodeLoose(object.Statement, &statement); err != nil || len(statement.X5C) == 0 {
		return "", nil // of a form without certificates
	}
	leaf, err := x509.ParseCertificate(statement.X5C[0])
	if err != nil {
		return "", fmt.Errorf("the attestation certificate: %w", err)
	}
	serial, _, err := attestation.SerialNumber(leaf)
	return string(serial), err
}
