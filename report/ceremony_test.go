package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What a page or a relying party got wrong is shown, and the event can be written.
func TestMalformedCeremony(t *testing.T) {
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, c := range []struct{ name, kind, options, response, want string }{
		{"no options", "get", "", "", "malformed"},
		{"options cut short", "get", `{"challenge":"AAEC","rpId`, "", "challenge 000102 (3 bytes)"},
		{"something behind", "get", `{} {}`, "", "something follows the value"},
		{"nested too deep", "get", `{"a":` + deep + `}`, "", "nested deeper than 32"},
		{"challenge is a number", "get", `{"challenge":7}`, "", "not base64url: no string"},
		{"padded base64url", "get", `{"challenge":"AA=="}`, "", "not base64url"},
		{"client data is no JSON", "get", "{}", `{"response":{"clientDataJSON":"AAEC"}}`, "malformed"},
		{"authenticator data cut short", "get", "{}", `{"response":{"authenticatorData":"AAEC"}}`, "3 bytes, at least 37 needed"},
		{"attestation object is no CBOR", "create", "{}", `{"response":{"attestationObject":"_w"}}`, "malformed"},
		{"unknown algorithm", "create", `{"pubKeyCredParams":[{"type":"public-key","alg":-999}]}`, "", "[COSE algorithm -999 (-999)]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ceremony := NewCeremony(c.kind, "", "https://example.org", []byte(c.options), []byte(c.response), nil)
			if got := flat(ceremony.Decoded); !strings.Contains(got, c.want) {
				t.Errorf("decoded as %s, want %q in it", got, c.want)
			}
			if _, err := json.Marshal(ceremony); err != nil {
				t.Error(err)
			}
		})
	}
}

func flat(fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s %s {%s} ", f.Name, f.Value, flat(f.Fields))
	}
	return b.String()
}

func FuzzNewCeremony(f *testing.F) {
	f.Add("create", []byte(`{"user":{"id":"AA"},"pubKeyCredParams":[{"alg":-7,"type":"public-key"}]}`), []byte(`{"response":{"attestationObject":"oA"}}`))
	f.Add("get", []byte(`{"allowCredentials":[{"id":"AA"}]}`), []byte(`{"response":{"clientDataJSON":"e30","authenticatorData":"AA"}}`))
	f.Fuzz(func(t *testing.T, kind string, options, response []byte) {
		if _, err := json.Marshal(NewCeremony(kind, "", "", options, response, errors.New("x"))); err != nil {
			t.Error(err)
		}
	})
}
