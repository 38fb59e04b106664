package reference

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"fido-emu/rp"
	"fido-emu/webauthn"
)

var _ interface {
	rp.ProfileAdministration
	rp.Provisioner
	rp.MetadataConsumer
} = (*Adapter)(nil)

// profileService is the part of a service that is about passkey profiles.
type profileService interface {
	passkeyProfiles(ctx context.Context) (rp.PasskeyProfiles, error)
	setPasskeyProfiles(ctx context.Context, all rp.PasskeyProfiles) error
	setGroups(ctx context.Context, name string, groups []string) error
	setMetadata(ctx context.Context, blob []byte) error
	beginProvisioning(ctx context.Context, name string, lifetime time.Duration) (Provisioning, error)
	finishProvisioning(ctx context.Context, name, title string, response []byte) (rp.Credential, error)
}

// PasskeyProfiles returns the passkey profiles and their targets.
func (a *Adapter) PasskeyProfiles(ctx context.Context) (rp.PasskeyProfiles, error) {
	return a.service.passkeyProfiles(ctx)
}

// SetPasskeyProfiles sets the passkey profiles and their targets.
func (a *Adapter) SetPasskeyProfiles(ctx context.Context, all rp.PasskeyProfiles) error {
	return a.service.setPasskeyProfiles(ctx, all)
}

// SetGroups puts p into these groups and out of all others.
func (a *Adapter) SetGroups(ctx context.Context, p rp.Person, groups []string) error {
	return a.service.setGroups(ctx, p.Name, groups)
}

// SetMetadata gives the relying party a newer metadata BLOB.
func (a *Adapter) SetMetadata(ctx context.Context, blob []byte) error {
	return a.service.setMetadata(ctx, blob)
}

// Provision adds a passkey made by client to the account of p, on their behalf. Over
// HTTP it goes through Microsoft Graph's creationOptions.
func (a *Adapter) Provision(ctx context.Context, p rp.Person, name string, lifetime time.Duration, client webauthn.Client) (rp.Credential, error) {
	begun, err := a.service.beginProvisioning(ctx, p.Name, lifetime)
	if err != nil {
		return rp.Credential{}, err
	}
	response, err := client.Create(ctx, a.origin, begun.Options)
	if err != nil {
		return rp.Credential{}, err
	}
	return a.service.finishProvisioning(ctx, p.Name, name, response)
}

func (l local) passkeyProfiles(context.Context) (rp.PasskeyProfiles, error) {
	return l.core.PasskeyProfiles(), nil
}

func (l local) setPasskeyProfiles(_ context.Context, all rp.PasskeyProfiles) error {
	return l.core.SetPasskeyProfiles(all)
}

func (l local) setGroups(_ context.Context, name string, groups []string) error {
	return l.core.SetGroups(name, groups)
}

func (l local) setMetadata(_ context.Context, blob []byte) error { return l.core.SetMetadata(blob) }

func (l local) beginProvisioning(_ context.Context, name string, lifetime time.Duration) (Provisioning, error) {
	return l.core.BeginProvisioning(name, lifetime)
}

func (l local) finishProvisioning(_ context.Context, name, title string, response []byte) (rp.Credential, error) {
	return l.core.FinishProvisioning(name, title, response)
}

func (c *remote) passkeyProfiles(ctx context.Context) (all rp.PasskeyProfiles, err error) {
	_, err = c.call(ctx, "GET", "/api/admin/passkey-profiles", "", nil, &all)
	return all, err
}

func (c *remote) setPasskeyProfiles(ctx context.Context, all rp.PasskeyProfiles) error {
	return c.do(ctx, "PUT", "/api/admin/passkey-profiles", "", all)
}

func (c *remote) setGroups(ctx context.Context, name string, groups []string) error {
	return c.do(ctx, "PUT", personPath(name, "groups"), "", groupsJSON{groups})
}

func (c *remote) setMetadata(ctx context.Context, blob []byte) error {
	return c.do(ctx, "PUT", "/api/admin/metadata", "", metadataUploadJSON{string(blob)})
}

// methodsPath is where Graph's beta has the passkeys of a user.
func methodsPath(name string) string {
	return graphRoot + "beta/users/" + url.PathEscape(name) + "/authentication/fido2Methods"
}

func (c *remote) beginProvisioning(ctx context.Context, name string, lifetime time.Duration) (Provisioning, error) {
	fallback(&lifetime, MinProvisioning)
	if lifetime%time.Minute != 0 || lifetime < MinProvisioning || lifetime > MaxProvisioning {
		return Provisioning{}, refuse(BadLifetime, "a challenge lasts 5 to 43200 whole minutes, not %s", lifetime)
	}
	var answer struct {
		Options json.RawMessage `json:"publicKey"`
		Expires time.Time       `json:"challengeTimeoutDateTime"`
	}
	path := fmt.Sprintf("%s/creationOptions(challengeTimeoutInMinutes=%d)", methodsPath(name), lifetime/time.Minute)
	_, err := c.call(ctx, "GET", path, "", nil, &answer)
	return Provisioning{answer.Options, answer.Expires}, err
}

// provisionJSON is a fido2AuthenticationMethod as Graph takes it: less of the response
// than there is.
type provisionJSON struct {
	DisplayName string `json:"displayName"`
	Credential  struct {
		ID       string `json:"id"`
		Response struct {
			ClientData  string `json:"clientDataJSON"`
			Attestation string `json:"attestationObject"`
		} `json:"response"`
		Results json.RawMessage `json:"clientExtensionResults,omitempty"`
	} `json:"publicKeyCredential"`
}

func (c *remote) finishProvisioning(ctx context.Context, name, title string, response []byte) (rp.Credential, error) {
	body := provisionJSON{DisplayName: cmp.Or(title, "Passkey")}
	if err := json.Unmarshal(response, &body.Credential); err != nil {
		return rp.Credential{}, refuse(BadRequest, "the response cannot be read: %v", err)
	}
	var made struct {
		ID string `json:"id"`
	}
	if _, err := c.call(ctx, "POST", methodsPath(name), "", body, &made); err != nil {
		return rp.Credential{}, err
	}
	all, err := c.personCredentials(ctx, name)
	if err != nil {
		return rp.Credential{}, err
	}
	for _, cr := range all {
		if base64.RawURLEncoding.EncodeToString(cr.ID) == made.ID {
			return cr, nil
		}
	}
	return rp.Credential{}, &rp.Broken{Doing: "POST " + methodsPath(name), Err: fmt.Errorf("the new passkey %s is not among those of %s", made.ID, name)}
}

// graphRefusal reads an error as Graph tells it: the relying party's own code stands in
// innerError.
func graphRefusal(body []byte) errorJSON {
	var e struct {
		Error struct {
			Code, Message string
			InnerError    struct{ Code string }
		}
	}
	if json.Unmarshal(body, &e) != nil {
		return errorJSON{}
	}
	if inner := e.Error.InnerError.Code; inner != "" {
		e.Error.Code = inner
	}
	return errorJSON{e.Error.Code, e.Error.Message}
}
