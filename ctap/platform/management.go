package platform

import (
	"context"
	"crypto/sha256"

	"fido-emu/ctap"
)

// StoredCredential is a discoverable credential as an authenticator lists it
// (section 6.8.4).
type StoredCredential struct {
	ID   []byte
	User ctap.User
}

// Manages tells whether an authenticator has credential management, or its
// prototype of FIDO_2_1_PRE.
func Manages(info *ctap.Info) bool {
	return info.Options["credMgmt"] || info.Options["credentialMgmtPreview"]
}

// CredentialCounts returns how many discoverable credentials there are, and for how
// many more there is room at most (section 6.8.2). The token needs the permission
// cm and no relying party.
func (h *Host) CredentialCounts(ctx context.Context, t *Token) (existing, remaining uint, err error) {
	const doing = "getCredsMetadata"
	got, err := h.manage(ctx, doing, t, ctap.GetCredsMetadata, nil)
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
	got, err := h.manage(ctx, doing, t, ctap.EnumerateCredentialsBegin, &ctap.CredentialManagementParams{RPIDHash: hash[:]})
	if r, ok := err.(*Refused); ok && r.Status == ctap.ErrNoCredentials {
		return nil, nil
	}
	var all []StoredCredential
	for total := uint(0); ; got, err = h.manageNext(ctx, doing, ctap.EnumerateCredentialsNext) {
		if err != nil {
			return nil, err
		}
		if got.CredentialID == nil || got.User == nil {
			return nil, broken(doing, "a credential without id or user", nil)
		}
		all = append(all, StoredCredential{ID: got.CredentialID.ID, User: *got.User})
		if len(all) == 1 {
			total = got.TotalCredentials
		}
		if uint(len(all)) >= total {
			return all, nil
		}
	}
}

// DeleteCredential deletes a discoverable credential (section 6.8.5).
func (h *Host) DeleteCredential(ctx context.Context, t *Token, id []byte) error {
	_, err := h.manage(ctx, "deleteCredential", t, ctap.DeleteCredential, &ctap.CredentialManagementParams{
		CredentialID: &ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: id},
	})
	return err
}

// UpdateUser changes the names of a discoverable credential's user (section 6.8.6);
// the user's id must be that of the credential.
func (h *Host) UpdateUser(ctx context.Context, t *Token, id []byte, user ctap.User) error {
	_, err := h.manage(ctx, "updateUserInformation", t, ctap.UpdateUserInformation, &ctap.CredentialManagementParams{
		CredentialID: &ctap.Descriptor{Type: ctap.PublicKeyCredential, ID: id}, User: &user,
	})
	return err
}

// manage sends a subcommand that a token stands for (section 6.8).
func (h *Host) manage(ctx context.Context, doing string, t *Token, subCommand uint, params *ctap.CredentialManagementParams) (*ctap.CredentialManagementResponse, error) {
	r := ctap.CredentialManagementRequest{SubCommand: subCommand, PinUvAuthProtocol: t.Protocol().Number()}
	if params != nil {
		encoded, err := ctap.Encode(params)
		if err != nil {
			return nil, err
		}
		r.Params = encoded
	}
	r.PinUvAuthParam = t.Authenticate(append([]byte{byte(subCommand)}, r.Params...))
	return h.managementCall(ctx, doing, &r)
}

// manageNext goes on with an enumeration, which takes no token.
func (h *Host) manageNext(ctx context.Context, doing string, subCommand uint) (*ctap.CredentialManagementResponse, error) {
	return h.managementCall(ctx, doing, &ctap.CredentialManagementRequest{SubCommand: subCommand})
}

func (h *Host) managementCall(ctx context.Context, doing string, r *ctap.CredentialManagementRequest) (*ctap.CredentialManagementResponse, error) {
	info, err := h.Info(ctx)
	if err != nil {
		return nil, err
	}
	command := ctap.CredentialManagement
	if !info.Options["credMgmt"] {
		command = ctap.CredentialManagementPreview
	}
	var got ctap.CredentialManagementResponse
	if err := h.call(ctx, command.String()+" "+doing, command, r, &got); err != nil {
		return nil, err
	}
	return &got, nil
}
