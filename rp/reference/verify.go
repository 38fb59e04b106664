package reference

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"fido-emu/ctap/cose"
)

// The library verifies nearly everything (strict.go has the rest); but its errors do not
// tell the rules apart. What is decided by comparison alone is compared here first, in the
// order of the specification, so that every refusal has its code.

// checkCreation follows WebAuthn Level 3, section 7.1, steps 7 to 20 and 25. It
// reads the public key, too, which the library does when it is first used, and
// returns its algorithm.
func (c *Core) checkCreation(cer *ceremony, p *protocol.ParsedCredentialCreationData) (cose.Algorithm, error) {
	data := &p.Response.AttestationObject.AuthData
	if err := c.checkClientData(cer, &p.Response.CollectedClientData, protocol.CreateCeremony); err != nil {
		return 0, err
	}
	if err := strictClientData(p.Raw.AttestationResponse.ClientDataJSON, &p.Response.CollectedClientData); err != nil {
		return 0, err
	}
	if err := c.checkAuthData(cer, data); err != nil {
		return 0, err
	}
	alg, err := checkPublicKey(cer, data.AttData.CredentialPublicKey)
	if err != nil {
		return 0, err
	}
	if n := len(data.AttData.CredentialID); n > 1023 {
		return 0, refuse(CredentialIDTooLong, "the credential id has %d bytes, at most 1023 are allowed", n)
	}
	return alg, nil
}

// checkPublicKey follows step 20.
func checkPublicKey(cer *ceremony, publicKey []byte) (cose.Algorithm, error) {
	var key webauthncose.PublicKeyData
	if err := webauthncbor.Unmarshal(publicKey, &key); err != nil {
		return 0, refuse(BadRequest, "the public key cannot be read: %v", err)
	}
	offered := func(o protocol.CredentialParameter) bool { return int64(o.Algorithm) == key.Algorithm }
	if !slices.ContainsFunc(cer.data.CredParams, offered) {
		return 0, refuse(AlgorithmNotAllowed, "the passkey has algorithm %d, which was not offered", key.Algorithm)
	}
	alg, _, err := cose.Parse(publicKey)
	if err != nil {
		return 0, refuse(BadRequest, "the public key cannot be read: %v", err)
	}
	return alg, nil
}

// checkAssertion follows WebAuthn Level 3, section 7.2, steps 10 to 19.
func (c *Core) checkAssertion(cer *ceremony, p *protocol.ParsedCredentialAssertionData, record *lib.Credential) error {
	if err := c.checkClientData(cer, &p.Response.CollectedClientData, protocol.AssertCeremony); err != nil {
		return err
	}
	if err := strictClientData(p.Raw.AssertionResponse.ClientDataJSON, &p.Response.CollectedClientData); err != nil {
		return err
	}
	data := &p.Response.AuthenticatorData
	if err := c.checkAuthData(cer, data); err != nil {
		return err
	}
	if was := record.Flags.BackupEligible; was != data.Flags.HasBackupEligible() {
		return refuse(BackupEligibilityChanged, "the passkey was registered as %s and now says that it is %s", passkeyType(was), passkeyType(!was))
	}
	return nil
}

func (c *Core) checkClientData(cer *ceremony, d *protocol.CollectedClientData, want protocol.CeremonyType) error {
	switch {
	case d.Type != want:
		return refuse(CeremonyMismatch, "client data has type %q, want %q", d.Type, want)
	case d.Challenge != cer.data.Challenge:
		return refuse(ChallengeMismatch, "client data has another challenge than this ceremony")
	case !slices.Contains(c.config.Origins, d.Origin):
		return refuse(OriginMismatch, "client data has origin %q, which is not one of ours", d.Origin)
	case (d.CrossOrigin || d.TopOrigin != "") && !slices.Contains(c.config.TopOrigins, d.TopOrigin): // steps 10 and 11
		return refuse(CrossOrigin, "client data says that the ceremony ran in a frame of another origin")
	}
	return nil
}

func (c *Core) checkAuthData(cer *ceremony, d *protocol.AuthenticatorData) error {
	want := sha256.Sum256([]byte(c.config.RPID))
	f := d.Flags
	switch {
	case !bytes.Equal(d.RPIDHash, want[:]):
		return refuse(RPIDMismatch, "authenticator data is for another relying party than %s", c.config.RPID)
	case !f.HasUserPresent():
		return refuse(UserPresenceRequired, "the authenticator did not see the user")
	case cer.data.UserVerification == protocol.VerificationRequired && !f.HasUserVerified():
		return refuse(UserVerificationRequired, "the authenticator did not verify the user")
	case f.HasBackupState() && !f.HasBackupEligible():
		return refuse(BackupStateInvalid, "the passkey says that it is backed up and cannot be")
	}
	return nil
}

// unreadable turns an error of the library's parser into a refusal.
func unreadable(err error) error {
	return refuse(BadRequest, "the response cannot be read: %s", explain(err))
}

// translate turns an error of the library's verification into a refusal.
func translate(err error) error {
	if err == nil {
		return nil
	}
	code := VerificationFailed
	var e *protocol.Error
	if errors.As(err, &e) {
		switch e.Type {
		case protocol.ErrAssertionSignature.Type:
			code = SignatureInvalid
		case protocol.ErrInvalidAttestation.Type, protocol.ErrAttestation.Type, protocol.ErrAttestationCertificate.Type:
			code = AttestationInvalid
		}
	}
	return refuse(code, "%s", explain(err))
}

// explain joins what the library says for people and for developers.
func explain(err error) string {
	var e *protocol.Error
	if !errors.As(err, &e) || e.DevInfo == "" {
		return err.Error()
	}
	return e.Details + ": " + e.DevInfo
}

// refused enters a refusal into the audit log and returns it.
func (c *Core) refused(e Event, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusedHere(e, err)
}
