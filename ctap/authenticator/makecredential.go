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
	// 9. enterpriseAttestation.
	enterprise, err := a.checkEnterprise(&r)
	if err != nil {
		return nil, err
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
	return a.create(c, &r, alg, enterprise)
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

// The values of enterpriseAttestation (section 7.1).
const (
	vendorFacilitated = 1
	platformManaged   = 2
)

// checkEnterprise tells whether to give an enterprise attestation: to those relying
// parties that the vendor chose, or to any that the platform answers for. Others get
// an ordinary one.
func (a *Authenticator) checkEnterprise(r *ctap.MakeCredentialRequest) (bool, error) {
	if r.EnterpriseAttestation == nil {
		return false, nil
	}
	if !a.profile.Enterprise.Capable || !a.device.EnterpriseEnabled {
		return false, ctap.ErrInvalidParameter
	}
	switch *r.EnterpriseAttestation {
	case vendorFacilitated:
		return slices.Contains(a.profile.Enterprise.RPIDs, r.RP.ID), nil
	case platformManaged:
		return true, nil
	}
	return false, ctap.ErrInvalidOption
}

// discoverable tells whether a new credential becomes discoverable.
func (a *Authenticator) discoverable(c *ceremony) bool { return c.rk || a.profile.AlwaysDiscover }

// create makes the credential: steps 15 to 19.
func (a *Authenticator) create(c *ceremony, r *ctap.MakeCredentialRequest, alg cose.Algorithm, enterprise bool) (*ctap.MakeCredentialResponse, error) {
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
		CreatedAt: a.env.Now(), Protection: x.protection, ThirdPartyPayment: x.payment,
		Discoverable: a.discoverable(c),
	}
	if err := a.giveBlobs(credential, x); err != nil {
		return nil, err
	}
	// 17. and 18. A discoverable credential is stored; another one is sealed into
	// its id, or stored when it does not fit.
	sealed, err := a.nameCredential(c, credential, x)
	if err != nil {
		return nil, err
	}
	response, err := a.finish(c, r, credential, x, !sealed, enterprise)
	if err != nil {
		return nil, err
	}
	response.LargeBlobKey = credential.LargeBlobKey
	response.UnsignedExtensions, err = x.unsignedOutputs()
	return response, err
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
func (a *Authenticator) finish(c *ceremony, r *ctap.MakeCredentialRequest, credential *Credential, x *makeExtensions, stored, enterprise bool) (*ctap.MakeCredentialResponse, error) {
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
	response, err := a.attestedResponse(c, r, credential, x, enterprise)
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
func (a *Authenticator) attestedResponse(c *ceremony, r *ctap.MakeCredentialRequest, credential *Credential, x *makeExtensions, enterprise bool) (*ctap.MakeCredentialResponse, error) {
	extensions, err := x.signed(a, c, credential)
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
	authData := a.quirks.authData(c, data.Append(buffer))
	response := &ctap.MakeCredentialResponse{AuthData: authData}
	return response, a.attest(r, credential, enterprise, response)
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

// attest makes the attestation statement. A platform that wants none gets none, also
// of an enterprise attestation.
func (a *Authenticator) attest(r *ctap.MakeCredentialRequest, c *Credential, enterprise bool, response *ctap.MakeCredentialResponse) (err error) {
	kind := a.profile.Attestation
	if slices.Equal(r.AttestationFormats, []string{"none"}) {
		kind = NoAttestation
	}
	switch {
	case kind == SelfAttestation:
		signature, err := a.env.Keys.Sign(c.Algorithm, c.KeyHandle, append(response.AuthData, r.ClientDataHash...))
		if err != nil {
			return err
		}
		response.Format = "packed"
		response.AttStmt, err = ctap.Encode(packedSelf{int(c.Algorithm), signature})
		return err
	case kind == ExternalAttestation && a.env.Attestation != nil:
		response.EnterpriseAtt = enterprise
		response.Format, response.AttStmt, err = a.env.Attestation.Attest(AttestationRequest{
			RPID: r.RP.ID, Algorithm: c.Algorithm, KeyHandle: c.KeyHandle, PublicKey: c.PublicKey,
			CredentialID: c.ID, AAGUID: a.profile.AAGUID,
			AuthData: response.AuthData, ClientDataHash: bytes.Clone(r.ClientDataHash),
			Enterprise: enterprise, Formats: r.AttestationFormats,
		})
		return err
	}
	response.Format, response.AttStmt = "none", emptyMap
	return nil
}
