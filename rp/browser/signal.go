package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"fido-emu/webauthn"
)

// Signal is what a page says of the passkeys that it knows (WebAuthn Level 3, section
// 5.1.10).
type Signal struct {
	Method  string // such as signalUnknownCredential
	Origin  string // of the frame
	Options []byte // JSON
}

// Signalled is a client whose authenticators heed signals, such as a keychain that
// forgets passkeys that their relying party does not know.
type Signalled interface {
	Signal(ctx context.Context, s Signal) error
}

func (t *Tab) signal(ctx context.Context, a *asked, client webauthn.Client) error {
	s := Signal{Method: a.Signal, Origin: a.world.origin, Options: a.Options}
	if err := s.check(); err != nil {
		return err
	}
	if t.options.OnSignal != nil {
		t.options.OnSignal(s)
	}
	if c, ok := client.(Signalled); ok {
		if err := c.Signal(ctx, s); err != nil {
			t.complained(s.Method + ": " + err.Error()) // pages do not learn what came of it
		}
	}
	return nil
}

// check looks at the options of a signal: their members, and the RP ID.
func (s Signal) check() error {
	var o struct {
		RPID          *string   `json:"rpId"`
		CredentialID  *string   `json:"credentialId"`
		UserID        *string   `json:"userId"`
		CredentialIDs *[]string `json:"allAcceptedCredentialIds"`
		Name          *string   `json:"name"`
		DisplayName   *string   `json:"displayName"`
	}
	if err := json.Unmarshal(s.Options, &o); err != nil {
		return wrongType("%s: %v", s.Method, err)
	}
	var ids []*string
	switch s.Method {
	case "signalUnknownCredential":
		ids = []*string{o.CredentialID}
	case "signalAllAcceptedCredentials":
		ids = []*string{o.UserID}
		if o.CredentialIDs == nil {
			return wrongType("%s lacks allAcceptedCredentialIds", s.Method)
		}
		for i := range *o.CredentialIDs {
			ids = append(ids, &(*o.CredentialIDs)[i])
		}
	case "signalCurrentUserDetails":
		ids = []*string{o.UserID}
		if o.Name == nil || o.DisplayName == nil {
			return wrongType("%s lacks name or displayName", s.Method)
		}
	default:
		return wrongType("there is no %q", s.Method)
	}
	for _, id := range ids {
		if id == nil {
			return wrongType("%s lacks an ID", s.Method)
		}
		if _, err := base64.RawURLEncoding.DecodeString(*id); err != nil {
			return wrongType("%s: %q is no base64url", s.Method, *id)
		}
	}
	if o.RPID == nil {
		return wrongType("%s lacks rpId", s.Method)
	}
	return webauthn.InScope(s.Origin, *o.RPID)
}

func wrongType(format string, args ...any) error {
	return &webauthn.Error{Name: webauthn.TypeError, Message: fmt.Sprintf(format, args...)}
}
