package credential

import (
	"encoding/json"
	"time"
)

const (
	contextV1          = "https://www.w3.org/2018/credentials/v1"
	typeVerifiable     = "VerifiableCredential"
	typePresentation   = "VerifiablePresentation"
	typeStatusList     = "StatusList2021Credential"
	typeStatusEntry    = "StatusList2021Entry"
	typeDomainLinkage  = "DomainLinkageCredential"
	purposeRevocation  = "revocation"
	selfIssuedV2       = "https://self-issued.me/v2/openid-vc"
	statusListFragment = "#list"
)

// credentialToken is the claim set of a credential as JWT (Verifiable Credentials
// Data Model 1.1, section 6.3.1).
type credentialToken struct {
	Issuer    string      `json:"iss"`
	Subject   string      `json:"sub"`
	ID        string      `json:"jti,omitempty"`
	IssuedAt  numericDate `json:"iat,omitempty"`
	NotBefore numericDate `json:"nbf,omitempty"`
	Expires   numericDate `json:"exp,omitempty"`
	VC        vcObject    `json:"vc"`
}

// vcObject is the vc claim. What the registered claims say too may be absent; where it
// is there it must be the same.
type vcObject struct {
	Context           []string        `json:"@context"`
	ID                string          `json:"id,omitempty"`
	Type              []string        `json:"type"`
	Issuer            string          `json:"issuer,omitempty"`
	IssuanceDate      *time.Time      `json:"issuanceDate,omitempty"`
	ExpirationDate    *time.Time      `json:"expirationDate,omitempty"`
	CredentialSubject json.RawMessage `json:"credentialSubject"`
	CredentialStatus  *statusEntry    `json:"credentialStatus,omitempty"`
}

// statusEntry is where a credential's status is found (Status List 2021, section 4.1).
type statusEntry struct {
	ID                   string `json:"id"`
	Type                 string `json:"type"`
	StatusPurpose        string `json:"statusPurpose"`
	StatusListIndex      string `json:"statusListIndex"`
	StatusListCredential string `json:"statusListCredential"`
}

// subject is the credentialSubject of a status list.
type listSubject struct {
	ID            string `json:"id"`
	Type          string `json:"type"`
	StatusPurpose string `json:"statusPurpose"`
	EncodedList   string `json:"encodedList"`
}

// presentationToken is the claim set of a presentation as JWT.
type presentationToken struct {
	Issuer    string      `json:"iss"`
	Audience  string      `json:"aud"`
	ID        string      `json:"jti"`
	Nonce     string      `json:"nonce"`
	IssuedAt  numericDate `json:"iat"`
	NotBefore numericDate `json:"nbf,omitempty"`
	Expires   numericDate `json:"exp"`
	VP        vpObject    `json:"vp"`
}

type vpObject struct {
	Context              []string `json:"@context"`
	Type                 []string `json:"type"`
	VerifiableCredential []string `json:"verifiableCredential"`
}

// Credential is a verified credential.
type Credential struct {
	JWT      string // as it was presented
	ID       string // urn:uuid:…
	Issuer   string // DID
	Subject  string // DID of the holder
	Types    []string
	Claims   Claims
	IssuedAt time.Time
	Expires  time.Time
	Revoked  bool // true only where that was allowed
}

// Presentation is a verified presentation.
type Presentation struct {
	Holder      string // DID
	ID          string
	Nonce       string
	IssuedAt    time.Time
	Credentials []Credential // in the order they were demanded in
}
