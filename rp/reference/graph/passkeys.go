package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// passkeyJSON is a fido2AuthenticationMethod. Its id is that of the credential.
type passkeyJSON struct {
	ID               string    `json:"id"`
	DisplayName      string    `json:"displayName"`
	Created          time.Time `json:"createdDateTime"`
	AAGUID           string    `json:"aaGuid"`
	Model            string    `json:"model"`
	Certificates     []string  `json:"attestationCertificates"` // DER in base64
	AttestationLevel string    `json:"attestationLevel"`
	PasskeyType      string    `json:"passkeyType"`
}

func (p Passkey) json() passkeyJSON {
	j := passkeyJSON{
		ID: base64.RawURLEncoding.EncodeToString(p.ID), DisplayName: p.Name, Created: p.CreatedAt.UTC(), AAGUID: p.AAGUID,
		Model: p.Model, Certificates: []string{}, AttestationLevel: "notAttested", PasskeyType: p.Type,
	}
	if p.Trusted {
		j.AttestationLevel = "attested"
	}
	for _, der := range p.Certificates {
		j.Certificates = append(j.Certificates, base64.StdEncoding.EncodeToString(der))
	}
	return j
}

func (s *Service) listPasskeys(r *http.Request) (int, any, error) {
	all, err := s.tenant.Passkeys(r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	var found []passkeyJSON
	for _, p := range all {
		found = append(found, p.json())
	}
	return collection(r, "users/authentication/fido2Methods", found)
}

func (s *Service) showPasskey(r *http.Request) (int, any, error) {
	all, err := s.tenant.Passkeys(r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	for _, p := range all {
		if j := p.json(); j.ID == r.PathValue("method") {
			return http.StatusOK, j, nil
		}
	}
	return 0, nil, unknown(r.PathValue("method"))
}

func (s *Service) deletePasskey(r *http.Request) (int, any, error) {
	id, err := base64.RawURLEncoding.DecodeString(r.PathValue("method"))
	if err != nil || len(id) == 0 {
		return 0, nil, unknown(r.PathValue("method"))
	}
	return http.StatusNoContent, nil, s.tenant.DeletePasskey(r.PathValue("user"), id)
}

// creationOptions is a function of the collection fido2Methods. v1.0 has it without a
// parameter and with a fixed timeout of the challenge.
type creationOptions struct {
	*Service
	version string
}

var challengeTimeout = regexp.MustCompile(`^creationOptions\(challengeTimeoutInMinutes=(\d{1,6})\)$`)

// The minutes that challengeTimeoutInMinutes may have.
const (
	minChallenge = 5
	maxChallenge = 43200
)

// or answers for creationOptions, and has show answer for the id of a method.
func (s creationOptions) or(show action) action {
	return func(r *http.Request) (int, any, error) {
		name := r.PathValue("method")
		m := challengeTimeout.FindStringSubmatch(name)
		switch {
		case name == "creationOptions" || name == "creationOptions()":
			return s.answer(r, minChallenge)
		case !strings.HasPrefix(name, "creationOptions("):
			return show(r)
		case s.version == V1:
			return 0, nil, bad("creationOptions takes no challengeTimeoutInMinutes in v1.0.")
		case m == nil:
			return 0, nil, bad("creationOptions takes (challengeTimeoutInMinutes=5) to 43200.")
		}
		minutes, _ := strconv.Atoi(m[1]) // at most six digits
		if minutes < minChallenge || minutes > maxChallenge {
			return 0, nil, bad("challengeTimeoutInMinutes must be between 5 and 43200.")
		}
		return s.answer(r, minutes)
	}
}

func (s creationOptions) answer(r *http.Request, minutes int) (int, any, error) {
	o, err := s.tenant.BeginPasskey(r.PathValue("user"), time.Duration(minutes)*time.Minute)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{
		"@odata.context": "$metadata#microsoft.graph.webauthnCredentialCreationOptions",
		"@odata.type":    "#microsoft.graph.webauthnCredentialCreationOptions", "challengeTimeoutDateTime": o.Expires.UTC(), "publicKey": o.PublicKey,
	}, nil
}

// registration is the body of POST fido2Methods.
type registration struct {
	DisplayName string `json:"displayName"`
	Credential  *struct {
		ID       string `json:"id"`
		Response struct {
			ClientData  string `json:"clientDataJSON"`
			Attestation string `json:"attestationObject"`
		} `json:"response"`
		Results json.RawMessage `json:"clientExtensionResults"`
	} `json:"publicKeyCredential"`
}

func (s *Service) register(r *http.Request) (int, any, error) {
	var in registration
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	if in.DisplayName == "" || in.Credential == nil {
		return 0, nil, bad("displayName and publicKeyCredential are required.")
	}
	c := in.Credential
	if c.Results == nil {
		c.Results = json.RawMessage("{}")
	}
	id := unpadded(c.ID)
	response, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": c.Results,
		"response": map[string]any{"clientDataJSON": unpadded(c.Response.ClientData), "attestationObject": unpadded(c.Response.Attestation)},
	})
	if err != nil {
		return 0, nil, err
	}
	p, err := s.tenant.FinishPasskey(r.PathValue("user"), in.DisplayName, response)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, p.json(), nil
}

// unpadded takes off the padding that some clients leave.
func unpadded(base64url string) string { return strings.TrimRight(base64url, "=") }
