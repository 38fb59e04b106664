package graph

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"fido-emu/attestation"
	"fido-emu/ctap"
	"fido-emu/ctap/cose"
	"fido-emu/webauthn"
)

// policy is the fido2AuthenticationMethodConfiguration.
type policy struct {
	Profiles []profile `json:"passkeyProfiles"`
	Targets  []target  `json:"includeTargets"`
}

type profile struct {
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	Types        string       `json:"passkeyTypes"`
	Attestation  string       `json:"attestationEnforcement"`
	Restrictions restrictions `json:"keyRestrictions"`
}

type restrictions struct {
	Enforced bool     `json:"isEnforced"`
	Kind     string   `json:"enforcementType"`
	AAGUIDs  []string `json:"aaGuids"`
}

type target struct {
	Type     string   `json:"targetType"`
	ID       string   `json:"id"`
	Required bool     `json:"isRegistrationRequired"`
	Profiles []string `json:"allowedPasskeyProfiles"`
}

const configurationType = "#microsoft.graph.fido2AuthenticationMethodConfiguration"

// The limits of the policy.
const (
	maxProfiles = 3
	maxPolicy   = 20 << 10
)

func (t *Tenant) showPolicy(*http.Request) (int, any, error) {
	return http.StatusOK, map[string]any{
		"@odata.type": configurationType, "id": "Fido2", "state": "enabled",
		"passkeyProfiles": t.policy.Profiles, "includeTargets": t.policy.Targets,
	}, nil
}

func (t *Tenant) setPolicy(r *http.Request) (int, any, error) {
	var in struct {
		Type     string     `json:"@odata.type"`
		Profiles *[]profile `json:"passkeyProfiles"`
		Targets  *[]target  `json:"includeTargets"`
	}
	if err := read(r, &in); err != nil {
		return 0, nil, err
	}
	bad := func(message string) (int, any, error) {
		return 0, nil, failure{http.StatusBadRequest, "badRequest", message}
	}
	switch {
	case in.Type != configurationType:
		return bad("@odata.type is required.")
	case r.ContentLength > maxPolicy:
		return bad("The policy is larger than 20 KB.")
	case in.Profiles != nil && len(*in.Profiles) > maxProfiles:
		return bad("At most 3 passkey profiles can be configured.")
	}
	next := t.policy
	if in.Profiles != nil {
		next.Profiles = *in.Profiles
	}
	if in.Targets != nil {
		next.Targets = *in.Targets
	}
	for _, p := range next.Profiles {
		if !p.sound() {
			return bad("Passkey profile " + p.Name + " has invalid values.")
		}
	}
	t.policy = next
	return http.StatusNoContent, nil, nil
}

func (p profile) sound() bool {
	for _, typ := range strings.Split(p.Types, ",") {
		if typ != "deviceBound" && typ != "synced" {
			return false
		}
	}
	return len(p.ID) == 36 && p.Name != "" && (p.Attestation == "disabled" || p.Attestation == "registrationOnly") &&
		(p.Restrictions.Kind == "allow" || p.Restrictions.Kind == "block") && p.Restrictions.AAGUIDs != nil
}

// challengeLifetime is fixed in v1.0.
const challengeLifetime = 5 * time.Minute

func (t *Tenant) creationOptions(_ *http.Request, u *user) (int, any, error) {
	u.challenge = base64.RawURLEncoding.EncodeToString(t.random(32))
	u.expires = t.config.Now().Add(challengeLifetime)
	exclude := []any{}
	for _, m := range u.methods {
		exclude = append(exclude, map[string]any{"id": m.ID, "type": "public-key", "transports": []string{}})
	}
	options := map[string]any{
		"@odata.type": "#microsoft.graph.publicKeyCredentialCreationOptions",
		"rp":          map[string]any{"id": t.config.RPID, "name": "Microsoft"},
		"user":        map[string]any{"id": base64.RawURLEncoding.EncodeToString([]byte(u.ID)), "name": u.Name, "displayName": u.DisplayName},
		"challenge":   u.challenge, "timeout": 0, "attestation": "direct", "excludeCredentials": exclude,
		"pubKeyCredParams":       []any{map[string]any{"type": "public-key", "alg": -7}, map[string]any{"type": "public-key", "alg": -257}},
		"authenticatorSelection": map[string]any{"authenticatorAttachment": "cross-platform", "requireResidentKey": true, "userVerification": "required"},
		"extensions":             map[string]any{"hmacCreateSecret": true, "enforceCredentialProtectionPolicy": true, "credentialProtectionPolicy": "userVerificationOptional"},
	}
	return http.StatusOK, map[string]any{"@odata.context": "$metadata", "challengeTimeoutDateTime": u.expires, "publicKey": options}, nil
}

// registration is the body of POST fido2Methods.
type registration struct {
	DisplayName string `json:"displayName"`
	Credential  struct {
		ID       string `json:"id"`
		Response struct {
			ClientData  string `json:"clientDataJSON"`
			Attestation string `json:"attestationObject"`
		} `json:"response"`
	} `json:"publicKeyCredential"`
}

// register adds a passkey (WebAuthn Level 3, section 7.1, as far as it matters to
// whoever provisions).
func (t *Tenant) register(r *http.Request, u *user) (int, any, error) {
	var in registration
	if err := read(r, &in); err != nil {
		return 0, nil, err
	}
	bad := func(message string) (int, any, error) {
		return 0, nil, failure{http.StatusBadRequest, "badRequest", message}
	}
	challenge := u.challenge
	u.challenge = "" // counts once
	clientData, err := base64.RawURLEncoding.DecodeString(in.Credential.Response.ClientData)
	if err != nil {
		return bad("clientDataJSON is not base64url.")
	}
	collected, err := webauthn.ParseClientData(clientData)
	switch {
	case err != nil || collected.Type != "webauthn.create":
		return bad("clientDataJSON is not of a registration.")
	case challenge == "" || base64.RawURLEncoding.EncodeToString(collected.Challenge) != challenge || t.config.Now().After(u.expires):
		return bad("The challenge is unknown or has expired.")
	case collected.Origin != "https://"+t.config.RPID:
		return bad("The origin is not that of the relying party.")
	}
	hash := sha256.Sum256(clientData)
	m, why := t.inspect(in, u, hash[:])
	if why != "" {
		return bad(why)
	}
	u.methods = append(u.methods, m)
	return http.StatusCreated, m, nil
}

// inspect reads the attestation object, and says what is wrong with it.
func (t *Tenant) inspect(in registration, u *user, clientDataHash []byte) (m method, why string) {
	raw, err := base64.RawURLEncoding.DecodeString(in.Credential.Response.Attestation)
	if err != nil {
		return m, "attestationObject is not base64url."
	}
	object, err := webauthn.ParseAttestationObject(raw)
	if err != nil {
		return m, "attestationObject cannot be read."
	}
	data, err := ctap.ParseAuthenticatorData(object.AuthData)
	if err != nil || data.Attested == nil {
		return m, "The authenticator data cannot be read."
	}
	want := sha256.Sum256([]byte(t.config.RPID))
	if !bytes.Equal(data.RPIDHash[:], want[:]) || data.Flags&ctap.FlagUP == 0 || data.Flags&ctap.FlagUV == 0 {
		return m, "The authenticator data is not of a registration here with user verification."
	}
	if _, _, err := cose.Parse(data.Attested.PublicKey); err != nil {
		return m, "The public key cannot be read."
	}
	if _, err := attestation.Verify(object.Format, object.Statement, object.AuthData, clientDataHash); err != nil {
		return m, "The attestation statement is not valid."
	}
	id := base64.RawURLEncoding.EncodeToString(data.Attested.ID)
	if id != in.Credential.ID || slices.ContainsFunc(u.methods, func(m method) bool { return m.ID == id }) {
		return m, "The credential ID does not fit or is registered."
	}
	m = method{ID: id, DisplayName: in.DisplayName, Created: t.config.Now(), AAGUID: data.Attested.AAGUID.String(), AttestationLevel: "attested", PasskeyType: "deviceBound"}
	if object.Format == "none" {
		m.AttestationLevel = "notAttested"
	}
	if data.Flags&ctap.FlagBE != 0 {
		m.PasskeyType = "synced"
	}
	if !t.allowed(m, u) {
		return m, "The passkey does not comply with the passkey profiles of the user."
	}
	return m, ""
}

// allowed tells whether a passkey meets any one of the profiles of a user's groups;
// everything is allowed where there is none.
func (t *Tenant) allowed(m method, u *user) bool {
	targeted := false
	for _, target := range t.policy.Targets {
		if !slices.Contains(u.groups, target.ID) {
			continue
		}
		for _, p := range t.policy.Profiles {
			if slices.Contains(target.Profiles, p.ID) {
				targeted = true
				if p.allows(m) {
					return true
				}
			}
		}
	}
	return !targeted
}

func (p profile) allows(m method) bool {
	listed := slices.ContainsFunc(p.Restrictions.AAGUIDs, func(a string) bool { return strings.EqualFold(a, m.AAGUID) })
	return slices.Contains(strings.Split(p.Types, ","), m.PasskeyType) &&
		(p.Attestation == "disabled" || m.AttestationLevel == "attested") &&
		(!p.Restrictions.Enforced || listed == (p.Restrictions.Kind == "allow"))
}

func (t *Tenant) listMethods(_ *http.Request, u *user) (int, any, error) {
	return http.StatusOK, collection(u.methods), nil
}

func (t *Tenant) deleteMethod(r *http.Request, u *user) (int, any, error) {
	i := slices.IndexFunc(u.methods, func(m method) bool { return m.ID == r.PathValue("method") })
	if i < 0 {
		return 0, nil, failure{http.StatusNotFound, "notFound", "The method does not exist."}
	}
	u.methods = slices.Delete(u.methods, i, i+1)
	return http.StatusNoContent, nil, nil
}
