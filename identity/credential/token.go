package credential

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// tokenLimit is how long a token may be: one with a portrait has some tens of
// thousands of bytes.
const tokenLimit = 1 << 20

// token is a compact JWS that was taken apart and not verified.
type token struct {
	text string
	alg  string
	kid  string
	typ  string
	body []byte
}

// header is the protected header, with those members that would let the sender choose
// how to verify.
type header struct {
	Alg  string          `json:"alg"`
	Kid  string          `json:"kid"`
	Typ  string          `json:"typ"`
	Crit json.RawMessage `json:"crit"`
}

// parseToken takes a compact JWS apart (RFC 7515, section 5.2, steps 1 to 6).
func parseToken(text string) (*token, error) {
	if len(text) > tokenLimit {
		return nil, fmt.Errorf("it is longer than %d bytes", tokenLimit)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("it has %d parts where a signed token has 3", len(parts))
	}
	var head header
	if err := part(parts[0], &head); err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	if head.Crit != nil {
		return nil, errors.New("its header demands extensions (crit) that are unknown here")
	}
	body, err := decode(parts[1])
	if err != nil {
		return nil, fmt.Errorf("its claims: %w", err)
	}
	if _, err := decode(parts[2]); err != nil {
		return nil, fmt.Errorf("its signature: %w", err)
	}
	return &token{text: text, alg: head.Alg, kid: head.Kid, typ: head.Typ, body: body}, nil
}

// part decodes a part of a token into v.
func part(text string, v any) error {
	b, err := decode(text)
	if err != nil {
		return err
	}
	return object(b, v)
}

// object reads one JSON object, with nothing after it.
func object(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// verify checks the signature with ES256, whatever the header says.
func (t *token) verify(key *ecdsa.PublicKey) error {
	signed, err := jose.ParseSignedCompact(t.text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	if _, err = signed.Verify(key); err != nil {
		return fmt.Errorf("its signature does not verify with the key that it names: %w", err)
	}
	return nil
}

// controller returns the DID that a DID URL belongs to.
func controller(kid string) string {
	did, _, _ := strings.Cut(kid, "#")
	return did
}

// numericDate is seconds since 1970 (RFC 7519, section 2).
type numericDate int64

func dateOf(t time.Time) numericDate { return numericDate(t.Unix()) }

func (d numericDate) time() time.Time { return time.Unix(int64(d), 0).UTC() }
