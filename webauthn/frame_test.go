package webauthn

import (
	"context"
	"errors"
	"testing"
)

func TestCeremoniesInFramesNameTheOutermostPage(t *testing.T) {
	u := NewUserAgent(Config{TopOrigin: "https://one.example"})
	for want, ctx := range map[string]context.Context{
		"https://one.example": context.Background(),
		"https://two.example": InFrame(context.Background(), "https://two.example"),
	} {
		c, err := u.begin(ctx, TypeGet, "https://login.example.com", text{}, "rpId", []byte("challenge"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := ParseClientData(c.clientData)
		if err != nil || !data.CrossOrigin || data.TopOrigin != want {
			t.Errorf("client data %+v, %v; want topOrigin %s", data, err, want)
		}
	}
}

func TestInScope(t *testing.T) {
	for name, c := range map[string]struct {
		origin, rpID string
		ok           bool
	}{
		"the domain itself":  {"https://login.example.com", "login.example.com", true},
		"its suffix":         {"https://login.example.com", "example.com", true},
		"a public suffix":    {"https://login.example.com", "com", false},
		"another domain":     {"https://login.example.com", "example.org", false},
		"a part of a label":  {"https://badexample.com", "example.com", false},
		"plain HTTP":         {"http://example.com", "example.com", false},
		"HTTP on localhost":  {"http://localhost:8080", "localhost", true},
		"no origin":          {"null", "example.com", false},
		"not a valid domain": {"https://login.example.com", "Example.com", false},
	} {
		err := InScope(c.origin, c.rpID)
		var no *Error
		if (err == nil) != c.ok || err != nil && (!errors.As(err, &no) || no.Name != SecurityError) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
