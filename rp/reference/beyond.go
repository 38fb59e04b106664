package reference

import (
	"crypto/sha256"
	"slices"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/ctap/cose"
)

// This file is for keys that the library cannot verify with: ML-DSA, which it knows
// only where it is built with Go 1.27, whose standard library has it. What needs no
// such key it verifies all the same; what does is verified here, with ctap/cose, in
// the same order of steps. It is never a second try of what the library refused: the
// algorithm alone decides, before either begins.

// libraryVerifies tells whether the library, as it was built, has the algorithm.
func libraryVerifies(alg cose.Algorithm) bool {
	_, ok := webauthncose.COSESignatureAlgorithmDetails[webauthncose.COSEAlgorithmIdentifier(alg)]
	return ok
}

// selfAttested tells whether the passkey's own key signed the attestation statement,
// so that verifying the one takes the other (WebAuthn Level 3, section 8.2).
func selfAttested(a *protocol.AttestationObject) bool {
	_, certified := a.AttStatement["x5c"]
	return a.Format == string(protocol.AttestationFormatPacked) && !certified
}

// createSelfAttested is what the library's CreateCredential is, for a passkey that
// attests to itself with a key that the library cannot verify with. The library sees
// the response with its statement set aside; strictAttestation verifies that, step 22 of
// section 7.1, as it does after the library for every statement.
func (c *Core) createSelfAttested(who lib.User, data lib.SessionData, parsed *protocol.ParsedCredentialCreationData) (*lib.Credential, error) {
	bare := *parsed
	bare.Response.AttestationObject.Format = string(protocol.AttestationFormatNone)
	bare.Response.AttestationObject.AttStatement = nil
	record, err := c.lib.CreateCredential(who, data, &bare)
	if err != nil {
		return nil, err
	}
	record.AttestationFormat, record.AttestationType = parsed.Response.AttestationObject.Format, string(metadata.BasicSurrogate)
	return record, nil
}

// verifyAssertionHere is what the library's ValidateLogin is, from step 10 of section
// 7.2 on, for a key that it cannot verify with. Steps 5 and 6 were taken by identify,
// and step 19 by checkAssertion.
func (c *Core) verifyAssertionHere(cer *ceremony, p *protocol.ParsedCredentialAssertionData, record *lib.Credential) error {
	with := c.lib.Config
	client, auth := &p.Response.CollectedClientData, &p.Response.AuthenticatorData
	// 10. to 14. Client data.
	err := client.Verify(cer.data.Challenge, protocol.AssertCeremony, with.RPOrigins, with.RPOpaqueOrigins,
		with.RPTopOrigins, with.RPTopOriginVerificationMode, with.RPAllowCrossOrigin)
	if err != nil {
		return err
	}
	// 15. to 17. RP ID, user presence, user verification.
	id := sha256.Sum256([]byte(c.config.RPID))
	verified := cer.data.UserVerification == protocol.VerificationRequired
	if err := auth.Verify(id[:], nil, verified, true); err != nil {
		return err
	}
	// 18. A passkey that cannot be backed up is not.
	if auth.Flags.HasBackupState() && !auth.Flags.HasBackupEligible() {
		return protocol.ErrBadRequest.WithDetails("the passkey says that it is backed up and cannot be")
	}
	// 20. and 21. The signature.
	raw := &p.Raw.AssertionResponse
	hash := sha256.Sum256(raw.ClientDataJSON)
	if err := cose.Verify(record.PublicKey, slices.Concat(raw.AuthenticatorData, hash[:]), raw.Signature); err != nil {
		return protocol.ErrAssertionSignature.WithDetails(err.Error()).WithError(err)
	}
	// 23. Extension outputs.
	return p.ClientExtensionResults.Verify(cer.data.Extensions, protocol.AssertCeremony, with.ExtensionsUnsolicitedOutputPolicy)
}
