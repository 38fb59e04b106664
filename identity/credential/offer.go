package credential

import (
	"fmt"
	"io"
	"maps"
	"net/url"
	"time"
)

// grantPreAuthorized is the grant of OpenID4VCI 1.0, section 3.5.
const grantPreAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// txCodeDigits is how many digits a transaction code has.
const txCodeDigits = 4

// txCodeTries is how many wrong transaction codes an offer takes before it is void.
const txCodeTries = 3

// Offer is an invitation for a wallet to fetch a credential (OpenID4VCI 1.0, section
// 4). Whoever has the link, and the transaction code where there is one, gets it, once.
type Offer struct {
	Link    string // openid-credential-offer://?credential_offer_uri=…, as text or as a QR code
	TxCode  string // "" without one; it goes another way than the link
	Expires time.Time
}

// offer is an offer in the issuer's memory, and how far its wallet has come.
type offer struct {
	ID         string    `json:"id"`
	Code       string    `json:"code"`
	TxCode     string    `json:"txCode,omitempty"`
	WrongCodes int       `json:"wrongCodes,omitempty"`
	Claims     Claims    `json:"claims"`
	Expires    time.Time `json:"expires"`
	Token      string    `json:"token,omitempty"` // access token; the code is used up
	Nonce      string    `json:"nonce,omitempty"` // for the proof of possession
	Credential string    `json:"credential,omitempty"`
}

// Offer makes an offer of a credential with these claims; its holder will be whoever's
// wallet takes it up. With txCode the wallet has to know a code, too.
func (i *Issuer) Offer(claims Claims, txCode bool) (Offer, error) {
	id, err := newUUID(i.config.Rand)
	if err != nil {
		return Offer{}, err
	}
	code, err := newCode(i.config.Rand)
	if err != nil {
		return Offer{}, err
	}
	o := &offer{ID: id, Code: code, Claims: claims.Clone(), Expires: i.config.Now().Add(i.config.OfferTTL)}
	if txCode {
		if o.TxCode, err = digits(i.config.Rand, txCodeDigits); err != nil {
			return Offer{}, err
		}
	}
	i.mu.Lock()
	maps.DeleteFunc(i.offers, func(_ string, o *offer) bool { return !i.config.Now().Before(o.Expires) })
	i.offers[id] = o
	i.mu.Unlock()
	link := "openid-credential-offer://?credential_offer_uri=" + url.QueryEscape(i.base+"/offers/"+id)
	return Offer{link, o.TxCode, o.Expires}, nil
}

// digits draws decimal digits, all equally likely.
func digits(rand io.Reader, n int) (string, error) {
	out := make([]byte, 0, n)
	var b [1]byte
	for len(out) < n {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return "", fmt.Errorf("draw a transaction code: %w", err)
		}
		if b[0] < 250 {
			out = append(out, '0'+b[0]%10)
		}
	}
	return string(out), nil
}

// Wire shapes of OpenID4VCI 1.0; wallets read the same.

// CredentialOffer is what the link of an offer leads to (section 4.1.1).
type CredentialOffer struct {
	CredentialIssuer           string               `json:"credential_issuer"`
	CredentialConfigurationIDs []string             `json:"credential_configuration_ids"`
	Grants                     map[string]*PreGrant `json:"grants"`
}

// PreAuthorized returns the pre-authorised grant of the offer, nil without one.
func (o *CredentialOffer) PreAuthorized() *PreGrant { return o.Grants[grantPreAuthorized] }

// PreGrant is the pre-authorised code of an offer.
type PreGrant struct {
	Code   string  `json:"pre-authorized_code"`
	TxCode *TxCode `json:"tx_code,omitempty"`
}

// TxCode describes the transaction code that the person has to type.
type TxCode struct {
	InputMode   string `json:"input_mode"`
	Length      int    `json:"length"`
	Description string `json:"description,omitempty"`
}

// IssuerMetadata is /.well-known/openid-credential-issuer (section 12.2.4), with the
// token endpoint of an issuer that is its own authorization server.
type IssuerMetadata struct {
	CredentialIssuer   string                             `json:"credential_issuer"`
	CredentialEndpoint string                             `json:"credential_endpoint"`
	NonceEndpoint      string                             `json:"nonce_endpoint"`
	TokenEndpoint      string                             `json:"token_endpoint"`
	Display            []Display                          `json:"display,omitempty"`
	Configurations     map[string]CredentialConfiguration `json:"credential_configurations_supported"`
}

// Display is a name for people.
type Display struct {
	Name string `json:"name"`
}

// CredentialConfiguration describes one type of credential (appendix A.1.1).
type CredentialConfiguration struct {
	Format               string               `json:"format"`
	CredentialDefinition CredentialDefinition `json:"credential_definition"`
	BindingMethods       []string             `json:"cryptographic_binding_methods_supported"`
	SigningAlgorithms    []string             `json:"credential_signing_alg_values_supported"`
	ProofTypes           map[string]ProofType `json:"proof_types_supported"`
}

// CredentialDefinition names the types.
type CredentialDefinition struct {
	Type []string `json:"type"`
}

// ProofType lists the algorithms of a proof.
type ProofType struct {
	Algorithms []string `json:"proof_signing_alg_values_supported"`
}

// TokenResponse is the answer of the token endpoint (section 6.2).
type TokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

// NonceResponse is the answer of the nonce endpoint (section 7.2).
type NonceResponse struct {
	Nonce string `json:"c_nonce"`
}

// CredentialRequest asks for the credential (section 8.2).
type CredentialRequest struct {
	ConfigurationID string              `json:"credential_configuration_id"`
	Proofs          map[string][]string `json:"proofs"` // "jwt": one proof
}

// CredentialResponse has the credential (section 8.3).
type CredentialResponse struct {
	Credentials []CredentialEnvelope `json:"credentials"`
}

// CredentialEnvelope is one credential of a response.
type CredentialEnvelope struct {
	Credential string `json:"credential"`
}

// IssuanceError is an error of the token, nonce or credential endpoint (sections 6.3
// and 8.3.1).
type IssuanceError struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func (e *IssuanceError) Error() string { return e.Code + ": " + e.Description }

// proofToken is a holder's proof of possession (appendix F.1).
type proofToken struct {
	Issuer   string      `json:"iss,omitempty"`
	Audience string      `json:"aud"`
	IssuedAt numericDate `json:"iat"`
	Nonce    string      `json:"nonce"`
}

// Proof signs a holder's proof of possession for an issuer.
func Proof(key *Key, issuer, nonce string, now time.Time) (string, error) {
	did := key.DID()
	return key.sign(typeProof, did+"#0", proofToken{Audience: issuer, IssuedAt: dateOf(now), Nonce: nonce})
}
