package platform

import (
	"context"
	"crypto/sha256"

	"fido-emu/ctap"
)

// StoredCredential is a discoverable credential as an authenticator lists it
// (section 6.8.4).
type StoredCredential struct {
	ID                []byte
	User              ctap.User
	PublicKey         []byte // COSE_Key
	Protection        uint   // credProtect policy; 0 where it does not say
	LargeBlobKey      []byte // 32 bytes; nil without
	ThirdPartyPayment bool
}

// Manages tells whether an authenticator has credential management, or its
// prototype of FIDO_2_1_PRE.
func Manages(info *ctap.Info) bool {
	return info.Options["credMgmt"] || info.Options["credentialMgmtPreview"]
}

// ManagementToken obtains a token for credential management with a PIN. The prototype
// knows no permission of its own for it.
func (h *Host) ManagementToken(ctx context.Context, pin string) (*Token, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	if !info.Options["credMgmt"] {
		return h.LegacyToken(ctx, pin)
	}
	return h.TokenUsingPIN(ctx, pin, Need{Permissions: ctap.PermCredentialMgmt})
}

// CredentialCounts returns how many discoverable credentials there are, and for how
// many more there is room at most (section 6.8.2). The token is one of
// [Host.ManagementToken].
func (h *Host) CredentialCounts(ctx context.Context, t *Token) (existing, remaining uint, err error) {
	const doing = "getCredsMetadata"
	var got ctap.CredentialManagementResponse
	err = h.manage(ctx, doing, t, ctap.GetCredsMetadata, nil, &got)
	switch {
	case err != nil:
		return 0, 0, err
	case got.ExistingCredentials == nil || got.RemainingCredentials == nil:
		return 0, 0, broken(doing, "no counts", nil)
	}
	return *got.ExistingCredentials, *got.RemainingCredentials, nil
}

// StoredCredentials lists the discoverable credentials of a relying party (section
// 6.8.4), none when there are none.
func (h *Host) StoredCredentials(ctx context.Context, t *Token, rpID string) ([]StoredCredential, error) {
	const doing = "enumerateCredentials"
	hash := sha256.Sum256([]byte(rpID))
	var got ctap.CredentialManagementResponse
	err := h.manage(ctx, doing, t, ctap.EnumerateCredentialsBegin, &ctap.CredentialManagementParams{RPIDHash: hash[:]}, &got)
	if r, ok := err.(*Refused); ok && r.Status == ctap.ErrNoCredentials {
		return nil, nil
	}
	var all []StoredCredential
	total := got.TotalCredentials
	for err == nil {
		if got.CredentialID == nil || got.User == nil {
			return nil, broken(doing, "a credential without id or user", nil)
		}
		all = append(all, StoredCredential{
			ID: got.CredentialID.ID, User: *got.User, PublicKey: got.PublicKey, Protection: got.CredProtect,
			LargeBlobKey: got.LargeBlobKey, ThirdPartyPayment: got.ThirdPartyPayment != nil && *got.ThirdPartyPayment,
		})
		if uint(len(all)) >= total {
			return all, nil
		}
		got = ctap.CredentialManagementResponse{}
		err = h.managementCall(ctx, doing, &ctap.CredentialManagementRequest{SubCommand: ctap.EnumerateCredentialsNext}, &got)
	}
	return nil, err
}

// StoredRelyingParties lists the relying parties that have discoverable credentials
// (section 6.8.3), none when there are none.
func (h *Host) StoredRelyingParties(ctx context.Context, t *Token) ([]ctap.RelyingParty, error) {
	const doing = "enumerateRPs"
	var got ctap.CredentialManagementResponse
	err := h.manage(ctx, doing, t, ctap.EnumerateRPsBegin, nil, &got)
	if r, ok := err.(*Refused); ok && r.Status == ctap.ErrNoCredentials {
		return nil, nil
	}
	var all []ctap.RelyingParty
	total := got.TotalRPs
	if err == nil && total == 0 {
		return nil, nil // as some keys of FIDO_2_1_PRE say that there are none
	}
	for err == nil {
		if got.RP == nil {
			return nil, broken(doing, "no relying party", nil)
		}
		all = append(all, *got.RP)
		if uint(len(all)) >= total {
			return all, nil
		}
		got = ctap.CredentialManagementResponse{}
		err = h.managementCall(ctx, doing, &ctap.CredentialManagementRequest{SubCommand: ctap.EnumerateRPsNext}, &got)
	}
	return nil, err
}

// DeleteCredential deletes a discoverable credential (section 6.8.5).
func (h *Host) DeleteCredential(ctx context.Context, t *Token, id []byte) error {
	return h.manage(ctx, "deleteCredential", t, ctap.DeleteCredential, &ctap.CredentialManagementParams{
		CredentialID: &ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: id},
	}, nil)
}

// UpdateUser changes the names of a discoverable credential's user (section 6.8.6);
// the user's id must be that of the credential.
func (h *Host) UpdateUser(ctx context.Context, t *Token, id []byte, user ctap.User) error {
	return h.manage(ctx, "updateUserInformation", t, ctap.UpdateUserInformation, &ctap.CredentialManagementParams{
		CredentialID: &ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: id}, User: &user,
	}, nil)
}

// manage sends a subcommand that a token stands for (section 6.8). params and result
// may be nil.
func (h *Host) manage(ctx context.Context, doing string, t *Token, subCommand uint, params *ctap.CredentialManagementParams, result any) error {
	r := ctap.CredentialManagementRequest{SubCommand: subCommand, PinUvAuthProtocol: t.Protocol().Number()}
	if params != nil {
		encoded, err := ctap.Encode(params)
		if err != nil {
			return err
		}
		r.Params = encoded
	}
	r.PinUvAuthParam = t.Authenticate(append([]byte{byte(subCommand)}, r.Params...))
	return h.managementCall(ctx, doing, &r, result)
}

func (h *Host) managementCall(ctx context.Context, doing string, r *ctap.CredentialManagementRequest, result any) error {
	info, err := h.Info(ctx)
	if err != nil {
		return err
	}
	command := ctap.CredentialManagement
	if !info.Options["credMgmt"] {
		command = ctap.CredentialManagementPreview
	}
	return h.call(ctx, command.String()+" "+doing, command, r, result)
}
