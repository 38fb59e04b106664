package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/ctap/trace"
)

// jsonShow shows a JSON string or number whose meaning is known.
type jsonShow func(value any) (string, []Field)

// The members whose values are more than text, by their path without indices.
var (
	optionMembers = map[string]jsonShow{
		"challenge": base64URL, "user.id": base64URL, "excludeCredentials.id": base64URL,
		"allowCredentials.id": base64URL, "pubKeyCredParams.alg": algorithmName,
	}
	registrationMembers = map[string]jsonShow{
		"id": base64URL, "rawId": base64URL, "response.clientDataJSON": clientData,
		"response.attestationObject": encoded(trace.AttestationObject), "response.authenticatorData": base64URL,
		"response.publicKey": base64URL, "response.publicKeyAlgorithm": algorithmName,
	}
	assertionMembers = map[string]jsonShow{
		"id": base64URL, "rawId": base64URL, "response.clientDataJSON": clientData,
		"response.authenticatorData": encoded(trace.AuthenticatorData), "response.signature": base64URL,
		"response.userHandle": base64URL,
	}
	clientDataMembers = map[string]jsonShow{"challenge": base64URL}
)

// maxJSONDepth is how deep JSON is shown.
const maxJSONDepth = 32

// jsonField shows JSON, its members in the order in which they stand.
func jsonField(name string, b []byte, shows map[string]jsonShow) Field {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	r := jsonReader{d, shows}
	f, err := r.value(name, "", 0)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if err != nil {
		f.Fields = append(f.Fields, Field{Name: "malformed", Value: err.Error()})
	}
	return f
}

type jsonReader struct {
	*json.Decoder
	shows map[string]jsonShow
}

func (r jsonReader) value(name, path string, depth int) (Field, error) {
	f := Field{Name: name}
	token, err := r.Token()
	if err != nil {
		return f, err
	}
	if depth > maxJSONDepth {
		return f, fmt.Errorf("nested deeper than %d", maxJSONDepth)
	}
	switch token {
	case json.Delim('{'):
		f.Fields, err = r.object(path, depth+1)
	case json.Delim('['):
		f.Fields, err = r.array(path, depth+1)
		f = joinScalars(f)
	default:
		f.Value, f.Fields = r.scalar(path, token)
	}
	return f, err
}

func (r jsonReader) object(path string, depth int) (fields []Field, err error) {
	for r.More() {
		key, err := r.Token()
		if err != nil {
			return fields, err
		}
		name, _ := key.(string)
		f, err := r.value(name, strings.TrimPrefix(path+"."+name, "."), depth)
		fields = append(fields, f)
		if err != nil {
			return fields, err
		}
	}
	_, err = r.Token()
	return fields, err
}

func (r jsonReader) array(path string, depth int) (fields []Field, err error) {
	for i := 0; r.More(); i++ {
		f, err := r.value(fmt.Sprintf("[%d]", i), path, depth)
		fields = append(fields, shortParameters(f))
		if err != nil {
			return fields, err
		}
	}
	_, err = r.Token()
	return fields, err
}

// joinScalars puts an array of scalars into one line.
func joinScalars(f Field) Field {
	var line []string
	for _, item := range f.Fields {
		if item.Fields != nil {
			return f
		}
		line = append(line, item.Value)
	}
	return Field{Name: f.Name, Value: "[" + strings.Join(line, ", ") + "]"}
}

// shortParameters leaves only the algorithm of a PublicKeyCredentialParameters of
// the one type there is (WebAuthn, section 5.3).
func shortParameters(f Field) Field {
	if len(f.Fields) != 2 {
		return f
	}
	kind, alg := f.Fields[0], f.Fields[1]
	if kind.Name == "alg" {
		kind, alg = alg, kind
	}
	if kind.Name == "type" && kind.Value == ctap.PublicKeyCredential && alg.Name == "alg" && alg.Fields == nil {
		return Field{Name: f.Name, Value: alg.Value}
	}
	return f
}

func (r jsonReader) scalar(path string, token json.Token) (string, []Field) {
	if show := r.shows[path]; show != nil {
		return show(token)
	}
	if token == nil {
		return "null", nil
	}
	return fmt.Sprint(token), nil
}

// base64URL shows bytes that JSON holds in base64url (WebAuthn, section 3).
func base64URL(v any) (string, []Field) {
	b, err := decodeBase64URL(v)
	if err != nil {
		return fmt.Sprint(v), []Field{{Name: "malformed", Value: err.Error()}}
	}
	return trace.Bytes(b), nil
}

// encoded shows base64url of something that decode takes apart.
func encoded(decode func([]byte) []Field) jsonShow {
	return func(v any) (string, []Field) {
		b, err := decodeBase64URL(v)
		if err != nil {
			return base64URL(v)
		}
		return fmt.Sprintf("(%d bytes)", len(b)), decode(b)
	}
}

func decodeBase64URL(v any) ([]byte, error) {
	s, ok := v.(string)
	if !ok {
		return nil, errors.New("not base64url: no string")
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("not base64url: %w", err)
	}
	return b, nil
}

// clientData shows clientDataJSON (WebAuthn, section 5.8.1).
func clientData(v any) (string, []Field) {
	b, err := decodeBase64URL(v)
	if err != nil {
		return base64URL(v)
	}
	f := jsonField("", b, clientDataMembers)
	return f.Value, f.Fields
}

func algorithmName(v any) (string, []Field) {
	n, err := strconv.ParseInt(fmt.Sprint(v), 10, 32)
	if err != nil {
		return fmt.Sprint(v), nil
	}
	return fmt.Sprintf("%s (%d)", cose.Algorithm(n), n), nil
}
