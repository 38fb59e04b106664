package verifier

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// response is one response on its way through the steps. It is read as leniently as
// can be: to refuse is for the steps, so that each can be left out.
type response struct {
	request Request
	kind    string // registration or authentication
	want    string // type of client data

	typ            string
	id, rawID      []byte
	clientDataJSON []byte
	clientData     map[string]any
	authData       []byte
	data           authenticatorData
	object         []byte // attestation object
	format         string
	statement      cbor.RawMessage
	signature      []byte
	userHandle     []byte // nil for none

	trusted bool
	record  *Record // authentication: of the passkey
}

type responseJSON struct {
	ID       string `json:"id"`
	RawID    string `json:"rawId"`
	Type     string `json:"type"`
	Response *struct {
		ClientDataJSON    string  `json:"clientDataJSON"`
		AttestationObject string  `json:"attestationObject"`
		AuthenticatorData string  `json:"authenticatorData"`
		Signature         string  `json:"signature"`
		UserHandle        *string `json:"userHandle"`
	} `json:"response"`
}

func decode64(name, s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%s is not base64url: %w", name, err)
	}
	return b, nil
}

// read takes the response apart.
func (r *response) read(b []byte) error {
	var j responseJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	if j.Response == nil {
		return errors.New("response is missing")
	}
	r.typ = j.Type
	in := j.Response
	for _, m := range []struct {
		name, value string
		into        *[]byte
	}{
		{"id", j.ID, &r.id}, {"rawId", j.RawID, &r.rawID}, {"clientDataJSON", in.ClientDataJSON, &r.clientDataJSON},
		{"attestationObject", in.AttestationObject, &r.object}, {"authenticatorData", in.AuthenticatorData, &r.authData},
		{"signature", in.Signature, &r.signature},
	} {
		var err error
		if *m.into, err = decode64(m.name, m.value); err != nil {
			return err
		}
	}
	if in.UserHandle != nil && *in.UserHandle != "" {
		var err error
		if r.userHandle, err = decode64("userHandle", *in.UserHandle); err != nil {
			return err
		}
	}
	return r.readParts()
}

func (r *response) readParts() error {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(r.clientDataJSON, []byte("\uFEFF"))))
	if err := d.Decode(&r.clientData); err != nil || r.clientData == nil {
		return fmt.Errorf("client data is not a JSON object: %w", errors.Join(err))
	}
	if r.kind == "registration" {
		if err := r.readObject(); err != nil {
			return err
		}
	}
	return r.data.read(r.authData)
}

func (r *response) readObject() error {
	var object struct {
		Format    string          `cbor:"fmt"`
		Statement cbor.RawMessage `cbor:"attStmt"`
		AuthData  ctap.Bytes      `cbor:"authData"`
	}
	if _, err := cbor.UnmarshalFirst(r.object, &object); err != nil {
		return fmt.Errorf("attestation object: %w", err)
	}
	r.format, r.statement, r.authData = object.Format, object.Statement, object.AuthData
	return nil
}

// text returns a member of client data that is a string.
func (r *response) text(name string) string {
	s, _ := r.clientData[name].(string)
	return s
}

func (r *response) hash() []byte {
	h := sha256.Sum256(r.clientDataJSON)
	return h[:]
}

// authenticatorData is authenticator data as leniently as it can be read.
type authenticatorData struct {
	rpIDHash     []byte
	flags        ctap.Flags
	signCount    uint32
	aaguid       ctap.AAGUID
	credentialID []byte
	publicKey    cbor.RawMessage
	extensions   cbor.RawMessage
	leftOver     int
	attested     bool // there is attested credential data that can be read
}

func (d *authenticatorData) read(b []byte) error {
	if len(b) < 37 {
		return fmt.Errorf("authenticator data has %d bytes, at least 37 are needed", len(b))
	}
	d.rpIDHash, d.flags, d.signCount = b[:32], ctap.Flags(b[32]), binary.BigEndian.Uint32(b[33:37])
	rest := b[37:]
	if d.has(ctap.FlagAT) {
		var err error
		if rest, err = d.readAttested(rest); err != nil {
			return err
		}
	}
	if d.has(ctap.FlagED) && len(rest) > 0 {
		after, err := cbor.UnmarshalFirst(rest, &d.extensions)
		if err == nil {
			rest = after
		}
	}
	d.leftOver = len(rest)
	return nil
}

func (d *authenticatorData) readAttested(b []byte) ([]byte, error) {
	if len(b) < 18 || len(b) < 18+int(binary.BigEndian.Uint16(b[16:])) {
		return nil, errors.New("attested credential data is cut short")
	}
	n := int(binary.BigEndian.Uint16(b[16:]))
	d.aaguid, d.credentialID = ctap.AAGUID(b[:16]), b[18:18+n]
	rest, err := cbor.UnmarshalFirst(b[18+n:], &d.publicKey)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	d.attested = true
	return rest, nil
}

func (d *authenticatorData) has(f ctap.Flags) bool { return d.flags&f != 0 }

// algorithm returns what the public key says it is for; 0 where it does not.
func (d *authenticatorData) algorithm() cose.Algorithm {
	var head struct {
		Alg int `cbor:"3,keyasint"`
	}
	if cbor.Unmarshal(d.publicKey, &head) != nil {
		return 0
	}
	return cose.Algorithm(head.Alg)
}

// duplicated returns a member name that a JSON object has twice, at any depth.
func duplicated(object []byte) string {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(object, []byte("\uFEFF"))))
	var open []map[string]bool // nil for arrays
	key := false
	for {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		switch t := t.(type) {
		case json.Delim:
			if strings.ContainsRune("}]", rune(t)) {
				open = open[:len(open)-1]
			} else if t == '{' {
				open = append(open, map[string]bool{})
			} else {
				open = append(open, nil)
			}
			key = len(open) > 0 && open[len(open)-1] != nil
			continue
		case string:
			if key {
				if open[len(open)-1][t] {
					return t
				}
				open[len(open)-1][t] = true
			}
		}
		key = !key && len(open) > 0 && open[len(open)-1] != nil
	}
}
