package reference

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"fido-emu/rp"
)

// The JSON bodies of the HTTP API; the package comment lists who sends which.
type (
	// bytesJSON is base64url without padding, as everywhere in WebAuthn's JSON.
	bytesJSON []byte

	errorJSON struct {
		Code   string `json:"code"`
		Reason string `json:"reason"`
	}
	finishJSON struct {
		Ceremony   string          `json:"ceremony"`
		Credential json.RawMessage `json:"credential"` // RegistrationResponseJSON or AuthenticationResponseJSON
	}
	nameJSON struct {
		Name string `json:"name"`
	}
	redeemJSON struct {
		Name string `json:"name"`
		Pass string `json:"pass"`
	}
	sessionJSON struct {
		Person     string    `json:"person"`
		Method     string    `json:"method"`
		Credential bytesJSON `json:"credential,omitempty"`
		Warnings   []string  `json:"warnings,omitempty"`
		Limited    bool      `json:"limited"`
		Expires    time.Time `json:"expires"`
	}
	credentialJSON struct {
		rp.Credential
		ID       bytesJSON `json:"id"`
		Provider string    `json:"provider,omitempty"` // name that its AAGUID stands for
	}
	credentialsJSON struct {
		Credentials []credentialJSON `json:"credentials"`
	}
	registeredJSON struct {
		Credential credentialJSON `json:"credential"`
		Session    *sessionJSON   `json:"session,omitempty"` // when a new one began
	}
	configJSON struct {
		RPID       string   `json:"rpId"`
		Name       string   `json:"name"`
		Origins    []string `json:"origins"`
		OpenSignUp bool     `json:"openSignUp"`
	}

	adminSignInJSON struct {
		Token string `json:"token"`
	}
	groupsJSON struct {
		Groups []string `json:"groups"`
	}
	expectJSON struct {
		Name   string   `json:"name"`
		Groups []string `json:"groups"`
	}
	passRequestJSON struct {
		Start           time.Time `json:"start,omitzero"`
		LifetimeMinutes int64     `json:"lifetimeMinutes"`
		Once            bool      `json:"once"`
	}
	passJSON struct {
		Pass string `json:"pass"`
	}
	accountJSON struct {
		Account
		Credentials []credentialJSON `json:"credentials"`
	}
	peopleJSON struct {
		People []accountJSON `json:"people"`
		Total  int           `json:"total"`
	}
	policiesJSON struct {
		Policies []GroupPolicy `json:"policies"`
	}
	eventJSON struct {
		Event
		Credential bytesJSON `json:"credential,omitempty"`
	}
	metadataJSON struct {
		Number     int       `json:"number"` // of the BLOB; 0 when there is none
		Models     int       `json:"models"`
		NextUpdate time.Time `json:"nextUpdate,omitzero"`
	}
	metadataUploadJSON struct {
		BLOB string `json:"blob"` // a JWT
	}
	auditJSON struct {
		Events []eventJSON `json:"events"`
	}
)

// MarshalText writes base64url.
func (b bytesJSON) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
}

// UnmarshalText reads base64url.
func (b *bytesJSON) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

func (g Grant) wire() sessionJSON {
	s := g.Session
	return sessionJSON{s.Person, s.Method, s.Credential, s.Warnings, g.Limited, g.Expires}
}

func (s sessionJSON) grant(token string) Grant {
	what := rp.Session{Person: s.Person, Method: s.Method, Credential: s.Credential, Warnings: s.Warnings}
	return Grant{Token: token, Session: what, Limited: s.Limited, Expires: s.Expires}
}

func (c *Core) wire(list []rp.Credential) []credentialJSON {
	out := []credentialJSON{}
	for _, cr := range list {
		out = append(out, credentialJSON{cr, cr.ID, c.ProviderName(cr.AAGUID)})
	}
	return out
}

// plain returns what the harness knows of a passkey.
func (c credentialJSON) plain() rp.Credential {
	c.Credential.ID = c.ID
	return c.Credential
}

func plain(list []credentialJSON) []rp.Credential {
	out := []rp.Credential{}
	for _, cr := range list {
		out = append(out, cr.plain())
	}
	return out
}

func (c *Core) metadataJSON() metadataJSON {
	t := c.Metadata()
	if t == nil {
		return metadataJSON{}
	}
	return metadataJSON{t.No, t.Models, t.NextUpdate}
}

// String returns base64url.
func (b bytesJSON) String() string { return base64.RawURLEncoding.EncodeToString(b) }
