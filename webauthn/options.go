package webauthn

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"fido-emu/ctap"
)

// creationOptions is PublicKeyCredentialCreationOptionsJSON (section 5.1.8).
type creationOptions struct {
	RP                     *rpEntity               `json:"rp"`
	User                   *userEntity             `json:"user"`
	Challenge              base64URL               `json:"challenge"`
	PubKeyCredParams       list[parameters]        `json:"pubKeyCredParams"`
	Timeout                float64                 `json:"timeout"` // milliseconds; 0 for absent
	ExcludeCredentials     list[descriptor]        `json:"excludeCredentials"`
	AuthenticatorSelection *authenticatorSelection `json:"authenticatorSelection"`
	Hints                  list[choice]            `json:"hints"`
	Attestation            choice                  `json:"attestation"`
	AttestationFormats     list[choice]            `json:"attestationFormats"`
	Extensions             *creationExtensions     `json:"extensions"`
}

// requestOptions is PublicKeyCredentialRequestOptionsJSON (section 5.1.9).
type requestOptions struct {
	Challenge        base64URL          `json:"challenge"`
	Timeout          float64            `json:"timeout"` // milliseconds; 0 for absent
	RPID             text               `json:"rpId"`
	AllowCredentials list[descriptor]   `json:"allowCredentials"`
	UserVerification choice             `json:"userVerification"`
	Hints            list[choice]       `json:"hints"`
	Extensions       *requestExtensions `json:"extensions"`
}

type rpEntity struct {
	ID   text `json:"id"`
	Name text `json:"name"`
}

type userEntity struct {
	ID          base64URL `json:"id"`
	Name        text      `json:"name"`
	DisplayName text      `json:"displayName"`
}

type parameters struct {
	Type      text `json:"type"`
	Algorithm *int `json:"alg"`
}

type descriptor struct {
	Type       text         `json:"type"`
	ID         base64URL    `json:"id"`
	Transports list[choice] `json:"transports"`
}

// authenticatorSelection is AuthenticatorSelectionCriteria (section 5.4.4).
type authenticatorSelection struct {
	AuthenticatorAttachment choice `json:"authenticatorAttachment"`
	ResidentKey             choice `json:"residentKey"`
	RequireResidentKey      bool   `json:"requireResidentKey"`
	UserVerification        choice `json:"userVerification"`
}

// creationExtensions are the extensions that registration knows (section 10; CTAP
// 2.3 section 12; Secure Payment Confirmation for payment; Level 2 for uvm).
type creationExtensions struct {
	AppIDExclude                      text             `json:"appidExclude"`
	CredProps                         bool             `json:"credProps"`
	PRF                               *prfInputs       `json:"prf"`
	LargeBlob                         *largeBlobInputs `json:"largeBlob"`
	CredentialProtectionPolicy        choice           `json:"credentialProtectionPolicy"`
	EnforceCredentialProtectionPolicy bool             `json:"enforceCredentialProtectionPolicy"`
	CredBlob                          base64URL        `json:"credBlob"`
	MinPinLength                      bool             `json:"minPinLength"`
	PINComplexityPolicy               bool             `json:"pinComplexityPolicy"`
	Payment                           *paymentInputs   `json:"payment"`
	UVM                               bool             `json:"uvm"`
}

// requestExtensions are the extensions that authentication knows (likewise).
type requestExtensions struct {
	AppID       text             `json:"appid"`
	PRF         *prfInputs       `json:"prf"`
	LargeBlob   *largeBlobInputs `json:"largeBlob"`
	GetCredBlob bool             `json:"getCredBlob"`
	Payment     *paymentInputs   `json:"payment"`
	UVM         bool             `json:"uvm"`
}

// largeBlobInputs is AuthenticationExtensionsLargeBlobInputsJSON (section 10.1.5).
type largeBlobInputs struct {
	Support text      `json:"support"`
	Read    *bool     `json:"read"`
	Write   base64URL `json:"write"`
}

// paymentInputs is what registration and authentication outside of a payment handler
// know of AuthenticationExtensionsPaymentInputs.
type paymentInputs struct {
	IsPayment bool `json:"isPayment"`
}

// prfInputs is AuthenticationExtensionsPRFInputsJSON (section 10.1.4).
type prfInputs struct {
	Eval             *prfValues           `json:"eval"`
	EvalByCredential map[string]prfValues `json:"evalByCredential"`
}

type prfValues struct {
	First  base64URL `json:"first"`
	Second base64URL `json:"second"`
}

// The values of enumerations (sections 5.4 and 5.8).
const (
	attachmentPlatform      = "platform"
	attachmentCrossPlatform = "cross-platform"

	required    = "required"
	preferred   = "preferred"
	discouraged = "discouraged"

	conveyanceNone       = "none"
	conveyanceIndirect   = "indirect"
	conveyanceDirect     = "direct"
	conveyanceEnterprise = "enterprise"
)

// parseCreationOptions reads options for create. Its error is an *Error.
func parseCreationOptions(b []byte) (*creationOptions, error) {
	var o creationOptions
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, optionsError(err)
	}
	for _, check := range []func() *Error{o.missing, o.entities, o.lists, o.Extensions.check} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return &o, nil
}

func (o *creationOptions) missing() *Error {
	switch {
	case o.RP == nil:
		return missing("rp")
	case o.User == nil:
		return missing("user")
	case o.Challenge == nil:
		return missing("challenge")
	case o.PubKeyCredParams == nil:
		return missing("pubKeyCredParams")
	}
	return nil
}

func (o *creationOptions) entities() *Error {
	switch n := len(o.User.ID); {
	case !o.RP.Name.set:
		return missing("rp.name")
	case o.User.ID == nil:
		return missing("user.id")
	case !o.User.Name.set:
		return missing("user.name")
	case !o.User.DisplayName.set:
		return missing("user.displayName")
	case n < 1 || n > 64:
		return &Error{Name: TypeError, Member: "user.id", Message: "has " + strconv.Itoa(n) + " bytes, must have 1 to 64"}
	}
	return nil
}

func (o *creationOptions) lists() *Error {
	for i, p := range o.PubKeyCredParams {
		if !p.Type.set {
			return missing(element("pubKeyCredParams", i, "type"))
		}
		if p.Algorithm == nil {
			return missing(element("pubKeyCredParams", i, "alg"))
		}
	}
	return checkDescriptors("excludeCredentials", o.ExcludeCredentials)
}

// parseRequestOptions reads options for get. Its error is an *Error.
func parseRequestOptions(b []byte) (*requestOptions, error) {
	var o requestOptions
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, optionsError(err)
	}
	if o.Challenge == nil {
		return nil, missing("challenge")
	}
	if err := checkDescriptors("allowCredentials", o.AllowCredentials); err != nil {
		return nil, err
	}
	if err := o.Extensions.check(o.AllowCredentials); err != nil {
		return nil, err
	}
	return &o, nil
}

func checkDescriptors(member string, all []descriptor) *Error {
	for i, d := range all {
		if !d.Type.set {
			return missing(element(member, i, "type"))
		}
		if d.ID == nil {
			return missing(element(member, i, "id"))
		}
	}
	return nil
}

// descriptors returns those that name a public key credential, without their
// transports, which are for the client alone.
func descriptors(all []descriptor) []ctap.Descriptor {
	var known []ctap.Descriptor
	for _, d := range all {
		if d.Type.s == ctap.PublicKeyCredential {
			known = append(known, ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: ctap.Bytes(d.ID)})
		}
	}
	return known
}

func missing(member string) *Error {
	e := &Error{Name: TypeError, Member: member, Message: "required member is missing"}
	if member == "rp" || member == "challenge" {
		e.Message += "; the options are the value of publicKey, not the object around it"
	}
	return e
}

func element(member string, i int, of string) string {
	return member + "[" + strconv.Itoa(i) + "]." + of
}

// optionsError names what a page would see for options that cannot be read, and
// the member at fault.
func optionsError(err error) *Error {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		e := &Error{Name: TypeError, Member: memberPath(semantic.JSONPointer), Message: "wrong type", Err: err}
		switch {
		case errors.Is(err, errBase64URL):
			e.Name, e.Message = EncodingError, errBase64URL.Error()
		case semantic.JSONKind != 0:
			e.Message = "wrong type: " + kindName(semantic.JSONKind)
		case semantic.Err != nil:
			e.Message = semantic.Err.Error()
		}
		return e
	}
	e := &Error{Name: SyntaxError, Message: "the options are not JSON: " + err.Error(), Err: err}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		e.Member = memberPath(syntactic.JSONPointer)
	}
	return e
}

// memberPath turns a JSON pointer into a path as a script would write it, such as
// excludeCredentials[1].id.
func memberPath(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.Atoi(token); err == nil && b.Len() > 0 {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}
