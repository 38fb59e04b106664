package conformance

import "testing"

func TestParseStatement(t *testing.T) {
	for _, test := range []struct {
		name, text string
		ok         bool
	}{
		{"a statement", `{"protocolFamily":"fido2","schema":3}`, true},
		{"an entry of a BLOB", `{"aaguid":"x","metadataStatement":{"protocolFamily":"u2f"}}`, true},
		{"no statement", `{"entries":[]}`, false},
		{"no object", `[]`, false},
		{"no JSON", `protocolFamily`, false},
		{"a root that is no base64", `{"protocolFamily":"fido2","attestationRootCertificates":["?"]}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if s, err := ParseStatement([]byte(test.text)); (err == nil) != test.ok {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
}

func FuzzParseStatement(f *testing.F) {
	f.Add([]byte(`{"protocolFamily":"fido2","userVerificationDetails":[[{"userVerificationMethod":"presence_internal"}]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := ParseStatement(b); err == nil && s.ProtocolFamily == "" {
			t.Error("a statement without protocolFamily")
		}
	})
}
