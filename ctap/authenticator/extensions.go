package authenticator

import (
	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// The extensions that an authenticator can have (section 12; uvm is of WebAuthn
// Level 2, section 10.1.9).
const (
	ExtCredProtect         = "credProtect"
	ExtHMACSecret          = "hmac-secret"
	ExtHMACSecretMC        = "hmac-secret-mc"
	ExtCredBlob            = "credBlob"
	ExtLargeBlobKey        = "largeBlobKey"
	ExtLargeBlob           = "largeBlob"
	ExtMinPinLength        = "minPinLength"
	ExtPINComplexityPolicy = "pinComplexityPolicy"
	ExtThirdPartyPayment   = "thirdPartyPayment"
	ExtUVM                 = "uvm"
)

// Extensions returns the identifiers of all extensions that a profile can name.
func Extensions() []string {
	return []string{
		ExtCredProtect, ExtHMACSecret, ExtHMACSecretMC, ExtCredBlob, ExtLargeBlobKey, ExtLargeBlob,
		ExtMinPinLength, ExtPINComplexityPolicy, ExtThirdPartyPayment, ExtUVM,
	}
}

// makeExtensions is what the extensions of one makeCredential come to.
type makeExtensions struct {
	protection uint8 // of credProtect
	hmacSecret bool
	hmacInput  *hmacSecretInput // of hmac-secret-mc; nil without
	credBlob   []byte           // to be stored; nil without
	blobKey    bool             // largeBlobKey
	largeBlob  bool             // the credential can have a large blob
	payment    bool             // thirdPartyPayment
	outputs    map[string]any   // those that are known already
}

// makeCredentialExtensions is step 15 of section 6.1.2: it reads the inputs of those
// extensions that the profile has; all others are ignored. Of several wrong inputs
// the first in the order below decides the status.
func (a *Authenticator) makeCredentialExtensions(c *ceremony, inputs map[string]cbor.RawMessage) (*makeExtensions, error) {
	x := &makeExtensions{outputs: map[string]any{}}
	a.protect(x)
	if len(inputs) == 0 {
		return x, nil
	}
	for _, e := range []struct {
		id   string
		read func(*ceremony, *makeExtensions, cbor.RawMessage) error
	}{
		{ExtCredProtect, a.makeCredProtect},
		{ExtHMACSecret, a.makeHMACSecret},
		{ExtHMACSecretMC, a.makeHMACSecretMC},
		{ExtCredBlob, a.makeCredBlob},
		{ExtLargeBlobKey, a.makeLargeBlobKey},
		{ExtLargeBlob, a.makeLargeBlob},
		{ExtMinPinLength, a.makeMinPinLength},
		{ExtPINComplexityPolicy, a.makePINComplexityPolicy},
		{ExtThirdPartyPayment, a.makeThirdPartyPayment},
		{ExtUVM, a.makeUVM},
	} {
		raw, asked := inputs[e.id]
		if !asked || !a.profile.hasExtension(e.id) {
			continue
		}
		if err := e.read(c, x, raw); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// signed returns the extension outputs in authenticator data, nil for none.
func (x *makeExtensions) signed(a *Authenticator, c *ceremony, credential *Credential) (cbor.RawMessage, error) {
	if x.hmacInput != nil {
		secret, err := a.hmacSecretOutput(c, credential, x.hmacInput)
		if err != nil {
			return nil, err
		}
		x.outputs[ExtHMACSecretMC] = secret
	}
	return encodeOutputs(x.outputs)
}

// getExtensions is what the extensions of one assertion come to.
type getExtensions struct {
	outputs      map[string]any // in authenticator data
	largeBlobKey []byte
	largeBlob    *largeBlobInput // nil without
}

// assertionExtensions is the extensions step of section 6.2.2, for one credential.
// Which input decides the status is as in makeCredentialExtensions.
func (a *Authenticator) assertionExtensions(c *ceremony, credential *Credential, inputs map[string]cbor.RawMessage) (*getExtensions, error) {
	x := &getExtensions{outputs: map[string]any{}}
	if len(inputs) == 0 {
		return x, nil
	}
	for _, e := range []struct {
		id   string
		read func(*ceremony, *Credential, *getExtensions, cbor.RawMessage) error
	}{
		{ExtHMACSecret, a.getHMACSecret},
		{ExtCredBlob, a.getCredBlob},
		{ExtLargeBlobKey, a.getLargeBlobKey},
		{ExtLargeBlob, a.getLargeBlob},
		{ExtThirdPartyPayment, a.getThirdPartyPayment},
		{ExtUVM, a.getUVM},
	} {
		raw, asked := inputs[e.id]
		if !asked || !a.profile.hasExtension(e.id) {
			continue
		}
		if err := e.read(c, credential, x, raw); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// encodeOutputs returns extension outputs in CBOR, nil for none.
func encodeOutputs(outputs map[string]any) (cbor.RawMessage, error) {
	if len(outputs) == 0 {
		return nil, nil
	}
	return ctap.Encode(outputs)
}

// flag reads the input of an extension that is asked for with true.
func flag(raw cbor.RawMessage) (asked bool, err error) {
	err = ctap.DecodeLoose(raw, &asked)
	return asked, err
}
