package verifier

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

func (v *Verifier) checkCredentialType(r *response) error {
	if r.typ != "public-key" {
		return fmt.Errorf("the type is %q, want public-key", r.typ)
	}
	return nil
}

func (v *Verifier) checkRawID(r *response) error {
	switch {
	case !bytes.Equal(r.id, r.rawID):
		return errors.New("id and rawId differ")
	case r.data.attested && !bytes.Equal(r.rawID, r.data.credentialID) && !v.lacks("registration.raw-id.attested"):
		return errors.New("rawId is not the id in authenticator data")
	}
	return nil
}

func (v *Verifier) checkJSON(r *response) error {
	text := bytes.TrimPrefix(r.clientDataJSON, []byte("\uFEFF"))
	if name := duplicated(text); name != "" && !v.lacks(r.kind+".json.duplicates") {
		return fmt.Errorf("client data has %s twice", name)
	}
	if !json.Valid(text) && !v.lacks(r.kind+".json.left-over") {
		return errors.New("something follows the client data")
	}
	for name, want := range map[string]any{"type": "", "challenge": "", "origin": "", "crossOrigin": false, "topOrigin": ""} {
		value, ok := r.clientData[name]
		if ok && fmt.Sprintf("%T", value) != fmt.Sprintf("%T", want) {
			return fmt.Errorf("%s is not of its type", name)
		}
	}
	return nil
}

func (v *Verifier) checkType(r *response) error {
	if got := r.text("type"); got != r.want {
		return fmt.Errorf("client data has type %q, want %q", got, r.want)
	}
	return nil
}

func (v *Verifier) checkChallenge(r *response) error {
	got, want := r.text("challenge"), base64.RawURLEncoding.EncodeToString(r.request.Challenge)
	part := func(name string) bool { return v.lacks(r.kind + ".challenge." + name) }
	switch {
	case got == want,
		part("whole") && len(got) >= 16 && strings.HasPrefix(want, got),
		part("empty") && got == "":
		return nil
	case part("encoding"):
		plain := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(got), "=")
		if plain == want {
			return nil
		}
	}
	return errors.New("client data has another challenge")
}

func (v *Verifier) checkOrigin(r *response) error {
	got := r.text("origin")
	if _, ok := r.clientData["origin"]; !ok && v.lacks(r.kind+".origin.missing") || slices.Contains(v.config.Origins, got) {
		return nil
	}
	if got == "null" && v.lacks(r.kind+".origin.null") {
		return nil
	}
	for _, ours := range v.config.Origins {
		for name, same := range looseOrigins() {
			if v.lacks(r.kind+".origin."+name) && same(ours, got) {
				return nil
			}
		}
	}
	return fmt.Errorf("client data has origin %q", got)
}

// looseOrigins are the ways of comparing that take another origin for ours.
func looseOrigins() map[string]func(ours, got string) bool {
	parts := func(s string) (scheme, host, port string) {
		u, err := url.Parse(s)
		if err != nil {
			return "", "", ""
		}
		return u.Scheme, u.Hostname(), u.Port()
	}
	return map[string]func(ours, got string) bool{
		"scheme": func(ours, got string) bool {
			_, a, p := parts(ours)
			_, b, q := parts(got)
			return a == b && p == q
		},
		"port": func(ours, got string) bool {
			s, a, _ := parts(ours)
			t, b, _ := parts(got)
			return a == b && s == t
		},
		"subdomain": func(ours, got string) bool {
			_, a, _ := parts(ours)
			_, b, _ := parts(got)
			return strings.HasSuffix(b, "."+a)
		},
		"prefix": func(ours, got string) bool { return strings.HasPrefix(got, ours) },
		"suffix": func(ours, got string) bool {
			_, a, _ := parts(ours)
			_, b, _ := parts(got)
			return a != "" && strings.HasSuffix(b, a) && !strings.HasSuffix(b, "."+a)
		},
		"case": strings.EqualFold,
	}
}

func (v *Verifier) checkCrossOrigin(r *response) error {
	if framed, _ := r.clientData["crossOrigin"].(bool); framed && len(v.config.TopOrigins) == 0 {
		return errors.New("the ceremony ran in a frame of another origin")
	}
	return nil
}

func (v *Verifier) checkTopOrigin(r *response) error {
	if top, ok := r.clientData["topOrigin"]; ok && !slices.Contains(v.config.TopOrigins, fmt.Sprint(top)) {
		return fmt.Errorf("the ceremony ran in a page of %v", top)
	}
	return nil
}
