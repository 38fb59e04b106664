package audit

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// draft is one response in the making. An attack changes it at one of the stages of
// [bend].
type draft struct {
	kind    kind
	asked   options
	origin  string
	passkey *passkey

	client     members                // what client data says
	clientJSON []byte                 // its bytes
	auth       ctap.AuthenticatorData // what authenticator data says
	authBytes  []byte                 // its bytes
	format     string
	statement  []byte
	object     []byte // registration: attestation object
	message    []byte // authentication: what is signed
	signature  []byte
	userHandle []byte
	response   map[string]any // the JSON that is sent
}

// bend is where a response is made to be wrong; what is nil leaves it honest.
type bend struct {
	claims func(*draft) // before client data and authenticator data are written
	bytes  func(*draft) // after that, before anything is signed
	sealed func(*draft) // after signing, before the response is put together
	sent   func(*draft) // the response
	raw    func([]byte) []byte

	headers map[string]string // of the request that hands the response in
}

// at takes a stage, where there is something to do in it.
func (b *bend) at(stage func(*draft), d *draft) {
	if stage != nil {
		stage(d)
	}
}

// kind is a ceremony.
type kind string

const (
	registering    kind = "registration"
	authenticating kind = "authentication"
)

// section returns where the relying party's side of the ceremony is written.
func (k kind) section() string {
	if k == registering {
		return "7.1"
	}
	return "7.2"
}

// step returns the number of a step both ceremonies have, from its number in
// registration's.
func (k kind) step(registration int) int {
	if k == registering {
		return registration
	}
	switch {
	case registration <= 11: // client data
		return registration + 3
	case registration == 12: // hash
		return 20
	}
	return registration + 1 // authenticator data
}

// clientType returns the member type of client data (section 5.8.1).
func (k kind) clientType() string {
	if k == registering {
		return "webauthn.create"
	}
	return "webauthn.get"
}

// options is what a client needs of PublicKeyCredentialCreationOptionsJSON and
// PublicKeyCredentialRequestOptionsJSON.
type options struct {
	Challenge string `json:"challenge"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	RPID string `json:"rpId"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Params []struct {
		Alg int `json:"alg"`
	} `json:"pubKeyCredParams"`
	Attestation      string       `json:"attestation"`
	UserVerification string       `json:"userVerification"`
	Allow            []descriptor `json:"allowCredentials"`
	Exclude          []descriptor `json:"excludeCredentials"`
	Selection        struct {
		UserVerification string `json:"userVerification"`
	} `json:"authenticatorSelection"`

	raw json.RawMessage
}

type descriptor struct {
	ID string `json:"id"`
}

func readOptions(b []byte, origin string) (options, error) {
	o := options{raw: bytes.Clone(b)}
	if err := json.Unmarshal(b, &o); err != nil {
		return o, fmt.Errorf("the options cannot be read: %w", err)
	}
	if o.RPID == "" {
		o.RPID = o.RP.ID
	}
	if o.RPID == "" {
		if u, err := url.Parse(origin); err == nil {
			o.RPID = u.Hostname()
		}
	}
	if o.UserVerification == "" {
		o.UserVerification = o.Selection.UserVerification
	}
	if o.Challenge == "" {
		return o, fmt.Errorf("the options have no challenge")
	}
	return o, nil
}

// offers tells whether an algorithm is among pubKeyCredParams.
func (o *options) offers(alg cose.Algorithm) bool {
	for _, p := range o.Params {
		if p.Alg == int(alg) {
			return true
		}
	}
	return len(o.Params) == 0 && (alg == cose.ES256 || alg == cose.RS256)
}

// members is a JSON object whose members have an order.
type members []member

type member struct {
	name  string
	value any
}

// set returns the object with a member of this value, in its place if it was there.
func (m members) set(name string, value any) members {
	for i := range m {
		if m[i].name == name {
			m[i].value = value
			return m
		}
	}
	return append(m, member{name, value})
}

// without returns the object without a member.
func (m members) without(name string) (rest members) {
	for _, one := range m {
		if one.name != name {
			rest = append(rest, one)
		}
	}
	return rest
}

// json writes the object as clients do, without white space.
func (m members) json() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range m {
		value, err := plainJSON(one.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), one.name+`":`...), value...)
	}
	return append(b, '}'), nil
}

func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unb64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
