package authenticator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"fido-emu/ctap"
)

// enumeration is the list that enumerateRPsGetNextRP or
// enumerateCredentialsGetNextCredential goes on with. It belongs to the channel
// that began it and ends with any command but its next.
type enumeration struct {
	next     uint // the subcommand that goes on; 0: no enumeration
	rest     []*Credential
	channel  uint32
	deadline time.Time
}

// credentialManagement answers authenticatorCredentialManagement (section 6.8).
// preview is the prototype of FIDO_2_1_PRE, which takes tokens without
// permissions.
func (a *Authenticator) credentialManagement(ctx context.Context, params []byte, preview bool) (any, error) {
	var r ctap.CredentialManagementRequest
	if err := ctap.Decode(params, &r); err != nil {
		return nil, err
	}
	if r.SubCommand == 0 {
		return nil, ctap.ErrMissingParameter
	}
	if r.SubCommand == ctap.EnumerateRPsNext || r.SubCommand == ctap.EnumerateCredentialsNext {
		return answered(a.enumerateNext(ctx, r.SubCommand))
	}
	a.boot.enumeration = enumeration{}
	if r.SubCommand > ctap.UpdateUserInformation {
		return nil, ctap.ErrInvalidSubcommand
	}
	p, err := managementParams(&r)
	if err != nil {
		return nil, err
	}
	if err := a.authorizeManagement(&r, p, preview); err != nil {
		return nil, err
	}
	switch r.SubCommand {
	case ctap.GetCredsMetadata:
		return answered(a.credsMetadata())
	case ctap.EnumerateRPsBegin:
		return answered(a.enumerateRPs(ctx))
	case ctap.EnumerateCredentialsBegin:
		return answered(a.enumerateCredentials(ctx, p))
	case ctap.DeleteCredential:
		return nil, a.deleteCredential(p)
	default:
		return nil, a.updateUser(p)
	}
}

// managementParams reads the subcommand's parameters and refuses those without
// what it needs.
func managementParams(r *ctap.CredentialManagementRequest) (*ctap.CredentialManagementParams, error) {
	p := &ctap.CredentialManagementParams{}
	if r.Params != nil {
		if r.Params[0]>>5 != 5 {
			return nil, ctap.ErrCBORUnexpectedType
		}
		if err := ctap.DecodeLoose(r.Params, p); err != nil {
			return nil, err
		}
	}
	switch r.SubCommand {
	case ctap.EnumerateCredentialsBegin:
		if p.RPIDHash == nil {
			return nil, ctap.ErrMissingParameter
		}
		if len(p.RPIDHash) != sha256.Size {
			return nil, ctap.ErrInvalidParameter
		}
	case ctap.UpdateUserInformation, ctap.DeleteCredential:
		if p.CredentialID == nil || p.CredentialID.ID == nil {
			return nil, ctap.ErrMissingParameter
		}
		if r.SubCommand == ctap.UpdateUserInformation && (p.User == nil || p.User.ID == nil) {
			return nil, ctap.ErrMissingParameter
		}
	}
	return p, nil
}

// authorizeManagement checks the token of a subcommand. One that is bound to a
// relying party does not serve for the whole store.
func (a *Authenticator) authorizeManagement(r *ctap.CredentialManagementRequest, p *ctap.CredentialManagementParams, preview bool) error {
	if err := a.checkAuthParam(r.PinUvAuthProtocol, r.PinUvAuthParam); err != nil {
		return err
	}
	permission := ctap.PermCredentialMgmt
	if preview {
		permission |= ctap.PermMakeCredential | ctap.PermGetAssertion
	}
	message := append([]byte{byte(r.SubCommand)}, r.Params...)
	if !preview && readsOnly(r.SubCommand) && a.verifyPersistent(r.PinUvAuthProtocol, message, r.PinUvAuthParam) {
		return nil // bound to no relying party
	}
	if err := a.verifyToken(r.PinUvAuthProtocol, permission, message, r.PinUvAuthParam); err != nil {
		return err
	}
	bound := a.boot.token.rpID
	switch r.SubCommand {
	case ctap.GetCredsMetadata, ctap.EnumerateRPsBegin:
		if bound != "" {
			return ctap.ErrPINAuthInvalid
		}
	case ctap.EnumerateCredentialsBegin:
		if sum := sha256.Sum256([]byte(bound)); bound != "" && !bytes.Equal(sum[:], p.RPIDHash) {
			return ctap.ErrPINAuthInvalid
		}
	}
	return nil
}

// readsOnly tells whether a subcommand is one that the permission pcmr covers.
func readsOnly(subCommand uint) bool {
	return subCommand == ctap.GetCredsMetadata || subCommand == ctap.EnumerateRPsBegin ||
		subCommand == ctap.EnumerateCredentialsBegin
}

// tokenCovers tells whether the token may be used for a relying party.
func (a *Authenticator) tokenCovers(rpID string) bool {
	return a.boot.token.rpID == "" || a.boot.token.rpID == rpID
}

// credsMetadata is getCredsMetadata (section 6.8.2).
func (a *Authenticator) credsMetadata() (*ctap.CredentialManagementResponse, error) {
	n, err := a.env.Credentials.Count()
	if err != nil {
		return nil, err
	}
	existing, remaining := uint(n), uint(max(0, a.profile.CredentialLimit()-n))
	return &ctap.CredentialManagementResponse{ExistingCredentials: &existing, RemainingCredentials: &remaining}, nil
}

// enumerateRPs is enumerateRPsBegin (section 6.8.3): one credential stands for
// each relying party.
func (a *Authenticator) enumerateRPs(ctx context.Context) (*ctap.CredentialManagementResponse, error) {
	all, err := a.env.Credentials.All()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	first := slices.DeleteFunc(slices.Clone(all), func(c *Credential) bool {
		known := seen[c.RP.ID]
		seen[c.RP.ID] = known || c.Discoverable
		return known || !c.Discoverable
	})
	if len(first) == 0 {
		return nil, ctap.ErrNoCredentials
	}
	a.beginEnumeration(ctx, ctap.EnumerateRPsNext, first[1:])
	response := describeRP(first[0])
	response.TotalRPs = uint(len(first))
	return response, nil
}

// enumerateCredentials is enumerateCredentialsBegin (section 6.8.4).
func (a *Authenticator) enumerateCredentials(ctx context.Context, p *ctap.CredentialManagementParams) (*ctap.CredentialManagementResponse, error) {
	all, err := a.env.Credentials.ByRP([32]byte(p.RPIDHash))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ctap.ErrNoCredentials
	}
	a.beginEnumeration(ctx, ctap.EnumerateCredentialsNext, all[1:])
	response := a.describeCredential(all[0])
	response.TotalCredentials = uint(len(all))
	return response, nil
}

func (a *Authenticator) beginEnumeration(ctx context.Context, next uint, rest []*Credential) {
	a.boot.enumeration = enumeration{
		next: next, rest: rest, channel: ctap.Channel(ctx), deadline: a.env.Now().Add(nextAssertionLimit),
	}
}

// enumerateNext is enumerateRPsGetNextRP and enumerateCredentialsGetNextCredential.
func (a *Authenticator) enumerateNext(ctx context.Context, subCommand uint) (*ctap.CredentialManagementResponse, error) {
	e := &a.boot.enumeration
	if e.next != subCommand || len(e.rest) == 0 || e.channel != ctap.Channel(ctx) || a.env.Now().After(e.deadline) {
		*e = enumeration{}
		return nil, ctap.ErrNotAllowed
	}
	c := e.rest[0]
	e.rest, e.deadline = e.rest[1:], a.env.Now().Add(nextAssertionLimit)
	if subCommand == ctap.EnumerateRPsNext {
		return describeRP(c), nil
	}
	return a.describeCredential(c), nil
}

func describeRP(c *Credential) *ctap.CredentialManagementResponse {
	hash := sha256.Sum256([]byte(c.RP.ID))
	rp := c.RP
	return &ctap.CredentialManagementResponse{RP: &rp, RPIDHash: hash[:]}
}

func (a *Authenticator) describeCredential(c *Credential) *ctap.CredentialManagementResponse {
	user := c.User
	response := &ctap.CredentialManagementResponse{
		User: &user, CredentialID: &ctap.Descriptor{ID: c.ID, Type: ctap.PublicKeyCredential},
		PublicKey: cbor.RawMessage(c.PublicKey), LargeBlobKey: c.LargeBlobKey,
	}
	if a.profile.hasExtension(ExtThirdPartyPayment) {
		payment := c.ThirdPartyPayment
		response.ThirdPartyPayment = &payment
	}
	if a.profile.hasExtension(ExtCredProtect) {
		response.CredProtect = max(protectOptional, uint(c.Protection))
	}
	return response
}

// managed finds the discoverable credential that a subcommand speaks of.
func (a *Authenticator) managed(p *ctap.CredentialManagementParams) (*Credential, error) {
	c, err := a.env.Credentials.ByID(p.CredentialID.ID)
	if err != nil {
		return nil, err
	}
	if c == nil || !c.Discoverable {
		return nil, ctap.ErrNoCredentials
	}
	if !a.tokenCovers(c.RP.ID) {
		return nil, ctap.ErrPINAuthInvalid
	}
	return c, nil
}

// deleteCredential is section 6.8.5.
func (a *Authenticator) deleteCredential(p *ctap.CredentialManagementParams) error {
	c, err := a.managed(p)
	if err != nil {
		return err
	}
	return a.env.Credentials.Delete(c.ID)
}

// updateUser is updateUserInformation (section 6.8.6): the names change, the user
// handle does not.
func (a *Authenticator) updateUser(p *ctap.CredentialManagementParams) error {
	c, err := a.managed(p)
	if err != nil {
		return err
	}
	if !slices.Equal(c.User.ID, p.User.ID) {
		return ctap.ErrInvalidParameter
	}
	changed := *c
	changed.User = *p.User
	return a.env.Credentials.Put(&changed)
}
