package request

import "fido-emu/identity/credential"

// PresentationRequest is what a relying party asks with.
type PresentationRequest struct {
	Authority            string                `json:"authority"` // the tenant's DID
	IncludeQRCode        bool                  `json:"includeQRCode,omitempty"`
	IncludeReceipt       bool                  `json:"includeReceipt,omitempty"` // not together with Face Check
	Registration         *Registration         `json:"registration"`
	Callback             *Callback             `json:"callback"`
	RequestedCredentials []RequestedCredential `json:"requestedCredentials"`
}

// Registration says who asks.
type Registration struct {
	ClientName        string `json:"clientName"`
	Purpose           string `json:"purpose,omitempty"`
	LogoURL           string `json:"logoUrl,omitempty"`
	TermsOfServiceURL string `json:"termsOfServiceUrl,omitempty"`
}

// Callback says where events go. The headers api-key and Authorization alone are taken.
type Callback struct {
	URL     string            `json:"url"`
	State   string            `json:"state"`
	Headers map[string]string `json:"headers,omitempty"`
}

// RequestedCredential is one credential that is asked for. Without accepted issuers
// any issuer's is taken.
type RequestedCredential struct {
	Type            string         `json:"type"`
	Purpose         string         `json:"purpose,omitempty"`
	AcceptedIssuers []string       `json:"acceptedIssuers,omitempty"`
	Configuration   *Configuration `json:"configuration,omitempty"`
	Constraints     []Constraint   `json:"constraints,omitempty"`
}

// Configuration holds the validation.
type Configuration struct {
	Validation *Validation `json:"validation,omitempty"`
}

// Validation says how a presented credential is validated.
type Validation struct {
	AllowRevoked         bool       `json:"allowRevoked,omitempty"`
	ValidateLinkedDomain bool       `json:"validateLinkedDomain,omitempty"`
	FaceCheck            *FaceCheck `json:"faceCheck,omitempty"`
}

// FaceCheck asks for a live selfie that matches the photo in a claim. The threshold is
// from 50 to 100; nil is 70.
type FaceCheck struct {
	SourcePhotoClaimName     string `json:"sourcePhotoClaimName"`
	MatchConfidenceThreshold *int   `json:"matchConfidenceThreshold,omitempty"`
}

// Constraint is on the value of one claim, by one of its three operands. Case does not
// count.
type Constraint struct {
	ClaimName  string   `json:"claimName"`
	Values     []string `json:"values,omitempty"`
	Contains   string   `json:"contains,omitempty"`
	StartsWith string   `json:"startsWith,omitempty"`
}

// Created is the answer to a PresentationRequest.
type Created struct {
	RequestID string `json:"requestId"`
	URL       string `json:"url"`              // openid-vc://?request_uri=…
	Expiry    int64  `json:"expiry"`           // seconds since 1970
	QRCode    string `json:"qrCode,omitempty"` // data:image/png;base64,…: the URL
}

// Status is what an event tells.
type Status string

// Statuses of events.
const (
	Retrieved Status = "request_retrieved"
	Verified  Status = "presentation_verified"
	Failed    Status = "presentation_error"
)

// Event is the body of a callback. Of one request each status comes at most once; the
// same event may be delivered twice, byte by byte the same.
type Event struct {
	RequestID               string               `json:"requestId"`
	RequestStatus           Status               `json:"requestStatus"`
	State                   string               `json:"state"`
	Subject                 string               `json:"subject,omitempty"` // the holder's DID
	VerifiedCredentialsData []VerifiedCredential `json:"verifiedCredentialsData,omitempty"`
	Receipt                 *Receipt             `json:"receipt,omitempty"`
	Error                   *EventError          `json:"error,omitempty"`
}

// VerifiedCredential is a credential that was presented and verified.
type VerifiedCredential struct {
	Issuer           string            `json:"issuer"`
	Type             []string          `json:"type"`
	Claims           credential.Claims `json:"claims"`
	CredentialState  CredentialState   `json:"credentialState"`
	DomainValidation *DomainValidation `json:"domainValidation,omitempty"`
	IssuanceDate     string            `json:"issuanceDate"`
	ExpirationDate   string            `json:"expirationDate"`
	FaceCheck        *FaceCheckResult  `json:"faceCheck,omitempty"`
}

// CredentialState has the revocation status, VALID or REVOKED.
type CredentialState struct {
	RevocationStatus string `json:"revocationStatus"`
}

// DomainValidation names the issuer's linked domain.
type DomainValidation struct {
	URL string `json:"url"`
}

// FaceCheckResult is that of a Face Check that succeeded.
type FaceCheckResult struct {
	MatchConfidenceScore float64 `json:"matchConfidenceScore"` // 0 to 100
	SourcePhotoQuality   string  `json:"sourcePhotoQuality"`   // HIGH or MEDIUM
}

// Receipt is what the wallet sent.
type Receipt struct {
	IDToken string `json:"id_token"`
	VPToken string `json:"vp_token"`
	State   string `json:"state"`
}

// Code is the code of an event's error, or of an inner error of the API.
type Code string

// Codes.
const (
	ClaimValidationError Code = "claimValidationError" // events alone
	TokenError           Code = "tokenError"
	TransientError       Code = "transientError"
	BadOrMissingField    Code = "badOrMissingField" // the API alone, as the next
	NotFound             Code = "notFound"
)

// EventError says what is wrong with a presentation. The message of a refused token
// begins with the credential.Reason.
type EventError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// ErrorResponse is the body of every error of the API.
type ErrorResponse struct {
	RequestID string   `json:"requestId"`
	Date      string   `json:"date"`
	MSCV      string   `json:"mscv"`
	Error     APIError `json:"error"`
}

// APIError goes with the HTTP status.
type APIError struct {
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	InnerError InnerError `json:"innererror"`
}

// InnerError has the particulars.
type InnerError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Target  string `json:"target,omitempty"`
}

// Presented is what a wallet presented, for the relying party to verify for itself:
// with credential.Verifier, for this audience and nonce.
type Presented struct {
	RequestID string `json:"requestId"`
	Audience  string `json:"audience"`
	Nonce     string `json:"nonce"`
	VPToken   string `json:"vp_token"`
}

// RequestObject is what a wallet reads at request_uri, as a JWT that the tenant signed
// (JWT VC Presentation Profile, Self-Issued OP Request Object).
type RequestObject struct {
	ID           string               `json:"jti"`
	IssuedAt     int64                `json:"iat"`
	Expires      int64                `json:"exp"`
	ResponseType string               `json:"response_type"`
	ResponseMode string               `json:"response_mode"`
	Scope        string               `json:"scope"`
	ClientID     string               `json:"client_id"`
	RedirectURI  string               `json:"redirect_uri"`
	Nonce        string               `json:"nonce"`
	State        string               `json:"state"`
	Registration RegistrationMetadata `json:"registration"`
	Claims       ClaimsParameter      `json:"claims"`
}

// RegistrationMetadata says who asks, and what is understood.
type RegistrationMetadata struct {
	ClientName     string               `json:"client_name,omitempty"`
	ClientPurpose  string               `json:"client_purpose,omitempty"`
	LogoURI        string               `json:"logo_uri,omitempty"`
	TOSURI         string               `json:"tos_uri,omitempty"`
	SubjectSyntax  []string             `json:"subject_syntax_types_supported"`
	PresentFormats map[string]AlgFormat `json:"vp_formats"`
}

// AlgFormat lists algorithms.
type AlgFormat struct {
	Alg []string `json:"alg"`
}

// ClaimsParameter holds the query (OpenID4VP, section 8, in the profile's version).
type ClaimsParameter struct {
	VPToken VPTokenParameter `json:"vp_token"`
}

// VPTokenParameter holds the definition.
type VPTokenParameter struct {
	Definition PresentationDefinition `json:"presentation_definition"`
}

// PresentationDefinition is that of Presentation Exchange 1.0.
type PresentationDefinition struct {
	ID               string            `json:"id"`
	InputDescriptors []InputDescriptor `json:"input_descriptors"`
}

// InputDescriptor is one credential that is asked for.
type InputDescriptor struct {
	ID          string                 `json:"id"`
	Name        string                 `json:"name"`
	Purpose     string                 `json:"purpose,omitempty"`
	Schema      []Schema               `json:"schema"`
	Constraints *DescriptorConstraints `json:"constraints,omitempty"`
	FaceCheck   *FaceCheckRequest      `json:"face_check,omitempty"`
}

// Schema names a type.
type Schema struct {
	URI string `json:"uri"`
}

// DescriptorConstraints hold fields that the credential has to have.
type DescriptorConstraints struct {
	Fields []Field `json:"fields"`
}

// Field is a member of the credential, by JSONPath, and a filter on it.
type Field struct {
	Path   []string `json:"path"`
	Filter Filter   `json:"filter"`
}

// Filter is a small JSON Schema.
type Filter struct {
	Type string   `json:"type"`
	Enum []string `json:"enum"`
}

// FaceCheckRequest tells the wallet that a selfie is due.
type FaceCheckRequest struct {
	SourcePhotoClaimName string `json:"source_photo_claim_name"`
}

// Issuers returns the issuers that a descriptor accepts, none for any.
func (d *InputDescriptor) Issuers() []string {
	if d.Constraints == nil || len(d.Constraints.Fields) == 0 {
		return nil
	}
	return d.Constraints.Fields[0].Filter.Enum
}

// IDToken is the claim set of a wallet's ID token (Self-Issued OpenID Provider v2).
type IDToken struct {
	Issuer   string     `json:"iss"` // SelfIssued
	Subject  string     `json:"sub"` // the holder's DID
	Audience string     `json:"aud"`
	Nonce    string     `json:"nonce"`
	IssuedAt int64      `json:"iat"`
	Expires  int64      `json:"exp"`
	VPToken  Submission `json:"_vp_token"`
}

// SelfIssued is the issuer of every wallet's ID token.
const SelfIssued = "https://self-issued.me/v2/openid-vc"

// Submission holds the presentation_submission of Presentation Exchange.
type Submission struct {
	Presentation PresentationSubmission `json:"presentation_submission"`
}

// PresentationSubmission says which credential answers which descriptor.
type PresentationSubmission struct {
	ID            string       `json:"id"`
	DefinitionID  string       `json:"definition_id"`
	DescriptorMap []Descriptor `json:"descriptor_map"`
}

// Descriptor is where one credential is.
type Descriptor struct {
	ID         string      `json:"id"`
	Format     string      `json:"format"`
	Path       string      `json:"path"`
	PathNested *Descriptor `json:"path_nested,omitempty"`
}
