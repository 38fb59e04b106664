package authenticator

import (
	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// The policies of credProtect (section 12.1); 0 in a Credential is protectOptional.
const (
	protectOptional = 1 // userVerificationOptional
	protectWithList = 2 // userVerificationOptionalWithCredentialIDList
	protectUV       = 3 // userVerificationRequired
)

// protect gives a credential the policy that is the least on this authenticator. It
// is told when it is higher than what a relying party that asks for none expects.
func (a *Authenticator) protect(x *makeExtensions) {
	x.protection = a.profile.DefaultCredProtect
	if x.protection > protectOptional {
		x.outputs[ExtCredProtect] = x.protection
	}
}

// makeCredProtect is credProtect (section 12.1). The policy may come out higher than
// it was asked for.
func (a *Authenticator) makeCredProtect(_ *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	var asked uint64
	if err := ctap.DecodeLoose(raw, &asked); err != nil {
		return err
	}
	if asked < protectOptional || asked > protectUV {
		return ctap.ErrInvalidParameter
	}
	x.protection = max(x.protection, uint8(asked))
	x.outputs[ExtCredProtect] = x.protection
	return nil
}

// makeMinPinLength is minPinLength (section 12.5): only relying parties of
// setMinPINLength's list are told.
func (a *Authenticator) makeMinPinLength(c *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && asked && a.toldMinPINLength(c.rpID) {
		x.outputs[ExtMinPinLength] = a.device.MinPINLength
	}
	return err
}

// makePINComplexityPolicy is pinComplexityPolicy (section 12.6), told to the same
// relying parties.
func (a *Authenticator) makePINComplexityPolicy(c *ceremony, x *makeExtensions, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && asked && a.toldMinPINLength(c.rpID) {
		x.outputs[ExtPINComplexityPolicy] = a.device.PINComplexityPolicy
	}
	return err
}

// makeThirdPartyPayment is thirdPartyPayment in makeCredential (section 12.9): pages
// of others than the relying party may use the credential for payments.
func (a *Authenticator) makeThirdPartyPayment(_ *ceremony, x *makeExtensions, raw cbor.RawMessage) (err error) {
	if x.payment, err = flag(raw); err == nil && x.payment {
		x.outputs[ExtThirdPartyPayment] = true
	}
	return err
}

// getThirdPartyPayment is thirdPartyPayment in getAssertion: whether the credential
// was made with it.
func (a *Authenticator) getThirdPartyPayment(_ *ceremony, credential *Credential, x *getExtensions, raw cbor.RawMessage) error {
	asked, err := flag(raw)
	if err == nil && asked {
		x.outputs[ExtThirdPartyPayment] = credential.ThirdPartyPayment
	}
	return err
}
