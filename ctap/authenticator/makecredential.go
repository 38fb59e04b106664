package authenticator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
	"fido-emu/ctap/cose"
)

// maxUserID is the longest user handle in bytes (WebAuthn section 5.4.3).
const maxUserID = 64

// makeCredential answers authenticatorMakeCredential (section 6.1.2; the steps
// are numbered as there).
func (a *Authenticator) makeCredential(ctx context.Context, params []byte) (*ctap.MakeCredentialResponse, error) {
	var r ctap.MakeCredentialRequest
	if err := ctap.Decode(params, &r); err != nil {
		return nil, err
	}
	if err := checkMakeCredential(&r); err != nil {
		return nil, err
	}
	c := &ceremony{
		command: ctap.MakeCredential, permission: ctap.PermMakeCredential,
		rpID: r.RP.ID, rpIDHash: sha256.Sum256([]byte(r.RP.ID)), hash: r.ClientDataHash,
		mac: r.PinUvAuthParam, protocol: r.PinUvAuthProtocol, user: r.User.Name,
	}
	c.useOptions(r.Options)

	// 1. A pinUvAuthParam of length zero only asks for the user's choice.
	if err := a.probe(ctx, c); err != nil {
		return nil, err
	}
	// 2. pinUvAuthProtocol must be there and supported.
	if err := a.checkProtocol(c); err != nil {
		return nil, err
	}
	// 3. The first algorithm that is supported; all of the list must be well formed.
	alg, err := a.chooseAlgorithm(r.PubKeyCredParams)
	if err != nil {
		return nil, err
	}
	// 4. The option uv. 5. The options rk and up.
	if err := a.checkMakeCredentialOptions(c); err != nil {
		return nil, err
	}
	// 6. alwaysUv.
	if err := a.checkAlwaysUV(c); err != nil {
		return nil, err
	}
	// 7. and 8. makeCredUvNotRqd.
	if err := a.checkUVRequired(c); err != nil {
		return nil, err
	}
	// 9. No profile has enterprise attestation.
	if r.EnterpriseAttestation != 0 {
		return nil, ctap.ErrInvalidParameter
	}
	// 10. and 11. Verify the user, where the request asks for it.
	if err := a.verifyUser(ctx, c); err != nil {
		return nil, err
	}
	// 12. excludeList.
	if err := a.checkExcludeList(ctx, c, r.ExcludeList); err != nil {
		return nil, err
	}
	// 13. and 14. User presence.
	if err := a.collectPresence(ctx, c); err != nil {
		return nil, err
	}
	return a.create(c, &r, alg)
}

// checkMakeCredential looks at what the request must have.
func checkMakeCredential(r *ctap.MakeCredentialRequest) error {
	if err := checkHash(r.ClientDataHash); err != nil {
		return err
	}
	if r.RP == nil || r.RP.ID == "" || r.User == nil || r.User.ID == nil || r.PubKeyCredParams == nil {
		return ctap.ErrMissingParameter
	}
	if len(r.User.ID) == 0 || len(r.User.ID) > maxUserID {
		return ctap.ErrInvalidParameter
	}
	return nil
}

func (a *Authenticator) chooseAlgorithm(offered []ctap.Parameters) (cose.Algorithm, error) {
	var chosen cose.Algorithm
	for _, o := range offered {
		if o.Algorithm == 0 || o.Type == "" {
			return 0, ctap.ErrMissingParameter
		}
		alg := cose.Algorithm(o.Algorithm)
		if chosen == 0 && o.Type == ctap.PublicKeyCredential && slices.Contains(a.profile.Algorithms, alg) {
			chosen = alg
		}
	}
	if chosen == 0 {
		return 0, ctap.ErrUnsupportedAlgorithm
	}
	return chosen, nil
}

func (a *Authenticator) checkMakeCredentialOptions(c *ceremony) error {
	if err := a.checkUVOption(c); err != nil {
		return err
	}
	if c.rk && !a.profile.Discoverable {
		return ctap.ErrUnsupportedOption
	}
	if !c.up {
		return ctap.ErrInvalidOption
	}
	return nil
}

// checkUVRequired refuses a request without user verification where one is
// configured and needed: for every credential, or with makeCredUvNotRqd for
// discoverable ones.
func (a *Authenticator) checkUVRequired(c *ceremony) error {
	if !a.protected() || c.uv || c.mac != nil || (a.makeCredUvNotRqd() && !c.rk) {
		return nil
	}
	if a.pinSet() {
		return ctap.ErrPUATRequired
	}
	return ctap.ErrOperationDenied
}

// checkExcludeList refuses to make a second credential beside one of the list. The
// user touches before the platform is told, so that a page cannot find out in
// silence which authenticator is there; the answer does not depend on the touch.
func (a *Authenticator) checkExcludeList(ctx context.Context, c *ceremony, list []ctap.Descriptor) error {
	if uint(len(list)) > a.profile.maxCredsInList() {
		return ctap.ErrLimitExceeded
	}
	found, err := a.locate(c, list)
	if err != nil || len(found) == 0 {
		return err
	}
	if err := a.collectPresence(ctx, c); err == ctap.ErrKeepaliveCancel {
		return err
	}
	return ctap.ErrCredentialExcluded
}

// create makes the credential: steps 15 to 19.
func (a *Authenticator) create(c *ceremony, r *ctap.MakeCredentialRequest, alg cose.Algorithm) (*ctap.MakeCredentialResponse, error) {
	// 15. Extensions.
	x, err := a.makeCredentialExtensions(c, r.Extensions)
	if err != nil {
		return nil, err
	}
	// 16. A new key pair.
	handle, public, err := a.env.Keys.Generate(alg)
	if err != nil {
		return nil, err
	}
	credential := &Credential{
		RP: *r.RP, User: *r.User, Algorithm: alg, KeyHandle: handle, PublicKey: public,
		CreatedAt: a.env.Now(), Protection: x.protection,
		Discoverable: c.rk || a.profile.AlwaysDiscover,
	}
	// 17. and 18. A discoverable credential is stored; another one is sealed into
	// its id, or stored when it does not fit.
	sealed, err := a.nameCredential(c, credential, x)
	if err != nil {
		return nil, err
	}
	return a.finish(c, r, credential, x, !sealed)
}

// nameCredential gives a credential its id and secrets. One that is not
// discoverable is sealed into its id if that is long enough.
func (a *Authenticator) nameCredential(c *ceremony, credential *Credential, x *makeExtensions) (sealed bool, err error) {
	if !credential.Discoverable {
		if credential.ID, err = a.seal(c.rpIDHash, credential, x.hmacSecret); err != nil {
			return false, err
		}
	}
	if credential.ID != nil {
		if x.hmacSecret {
			credential.HMACSecret = a.deriveHMACSecret(credential.ID)
		}
		return true, nil
	}
	credential.ID = make([]byte, storedIDLength)
	if x.hmacSecret {
		credential.HMACSecret = make([]byte, 2*hmacSecretSize)
	}
	if _, err := io.ReadFull(a.env.Rand, credential.ID); err != nil {
		return false, err
	}
	_, err = io.ReadFull(a.env.Rand, credential.HMACSecret)
	return false, err
}

// finish stores the credential and attests to it. What syncs is stored first,
// because only its store knows whether it is backed up; what does not is stored
// last, so that a failing attestation changes nothing.
func (a *Authenticator) finish(c *ceremony, r *ctap.MakeCredentialRequest, credential *Credential, x *makeExtensions, stored bool) (*ctap.MakeCredentialResponse, error) {
	if stored && a.profile.BackupEligible {
		if err := a.env.Credentials.Put(credential); err != nil {
			return nil, err
		}
		now, err := a.env.Credentials.ByID(credential.ID)
		if err != nil {
			return nil, err
		}
		if now != nil {
			credential = now
		}
		stored = false
	}
	response, err := a.attestedResponse(c, r, credential, x)
	if err != nil {
		return nil, err
	}
	if stored {
		if err := a.env.Credentials.Put(credential); err != nil {
			return nil, err
		}
	}
	return response, nil
}

// attestedResponse is step 19: authenticator data and the attestation over it.
func (a *Authenticator) attestedResponse(c *ceremony, r *ctap.MakeCredentialRequest, credential *Credential, x *makeExtensions) (*ctap.MakeCredentialResponse, error) {
	extensions, err := x.outputs(a, c, credential)
	if err != nil {
		return nil, err
	}
	count, err := a.nextCount()
	if err != nil {
		return nil, err
	}
	data := ctap.AuthenticatorData{
		RPIDHash: c.rpIDHash, Flags: c.flags() | a.backupFlags(credential), SignCount: count,
		Attested:   &ctap.AttestedCredential{AAGUID: a.profile.AAGUID, ID: credential.ID, PublicKey: credential.PublicKey},
		Extensions: extensions,
	}
	// One buffer for the authenticator data and the hash behind it, which are
	// signed together.
	buffer := make([]byte, 0, 256+len(credential.ID)+len(credential.PublicKey)+len(extensions))
	authData := data.Append(buffer)
	format, statement, err := a.attest(r, credential, authData)
	if err != nil {
		return nil, err
	}
	return &ctap.MakeCredentialResponse{Format: format, AuthData: authData, AttStmt: statement}, nil
}

// nextCount counts a signature.
func (a *Authenticator) nextCount() (uint32, error) {
	if a.profile.Counter == NoCounter {
		return 0, nil
	}
	n, err := a.env.Device.NextCounter()
	if err == nil {
		a.device.Counter = n
	}
	return n, err
}

// backupFlags returns BE, which the profile decides, and BS, which the store knows.
func (a *Authenticator) backupFlags(c *Credential) ctap.Flags {
	switch {
	case !a.profile.BackupEligible:
		return 0
	case c.BackedUp:
		return ctap.FlagBE | ctap.FlagBS
	}
	return ctap.FlagBE
}

var emptyMap = cbor.RawMessage{0xA0}

// packedSelf is the statement of packed self attestation (WebAuthn section 8.2).
type packedSelf struct {
	Alg int    `cbor:"alg"`
	Sig []byte `cbor:"sig"`
}

// attest makes the attestation statement.
func (a *Authenticator) attest(r *ctap.MakeCredentialRequest, c *Credential, authData []byte) (string, cbor.RawMessage, error) {
	kind := a.profile.Attestation
	if slices.Equal(r.AttestationFormats, []string{"none"}) {
		kind = NoAttestation
	}
	switch {
	case kind == SelfAttestation:
		signature, err := a.env.Keys.Sign(c.Algorithm, c.KeyHandle, append(authData, r.ClientDataHash...))
		if err != nil {
			return "", nil, err
		}
		statement, err := ctap.Encode(packedSelf{int(c.Algorithm), signature})
		return "packed", statement, err
	case kind == ExternalAttestation && a.env.Attestation != nil:
		return a.env.Attestation.Attest(AttestationRequest{
			RPID: r.RP.ID, Algorithm: c.Algorithm, KeyHandle: c.KeyHandle, PublicKey: c.PublicKey,
			CredentialID: c.ID, AAGUID: a.profile.AAGUID,
			AuthData: authData, ClientDataHash: bytes.Clone(r.ClientDataHash),
		})
	}
	return "none", emptyMap, nil
}
