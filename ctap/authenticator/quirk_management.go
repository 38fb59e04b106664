package authenticator

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"fido-emu/ctap"
)

// managementQuirks are about authenticatorCredentialManagement (section 6.8).
func managementQuirks() []quirk {
	type request = ctap.CredentialManagementRequest
	type response = ctap.CredentialManagementResponse
	answer := func(change func(*exchange, *response)) behaviour {
		return changeAnswer(ctap.CredentialManagement, change)
	}
	return []quirk{
		breach("management-mac-unchecked", "6.8.2", "does not verify pinUvAuthParam",
			"any program reads and deletes passkeys", "credMgmt", changeRequest(ctap.CredentialManagement, func(x *exchange, r *request) {
				x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, managementMessage(r))
			})),
		breach("management-without-token-accepted", "6.8.2", "lists and deletes credentials without a pinUvAuthParam",
			"whoever finds the key learns its accounts", "credMgmt", changeRequest(ctap.CredentialManagement, func(x *exchange, r *request) {
				if r.PinUvAuthParam == nil && r.SubCommand != ctap.EnumerateRPsNext && r.SubCommand != ctap.EnumerateCredentialsNext {
					x.wholeToken()
					r.PinUvAuthProtocol, r.PinUvAuthParam = 2, x.mac(managementMessage(r))
				}
			})),
		breach("management-permission-unchecked", "6.8.2", "lists and deletes credentials with a token that has not the permission cm",
			"a token for one purpose serves every other", "credMgmt", withPermission(ctap.CredentialManagement)),
		breach("management-site-unchecked", "6.8.3", "lists all relying parties with a token that is bound to one",
			"a site that gets a token learns all others", "credMgmt", withoutSite(ctap.CredentialManagement)),
		breach("metadata-count-one-more", "6.8.2", "counts one credential too many in getCredsMetadata",
			"the user looks for a passkey that is not there", "credMgmt", answer(func(_ *exchange, r *response) {
				if r.ExistingCredentials != nil {
					*r.ExistingCredentials++
				}
			})),
		breach("metadata-remaining-stuck", "6.8.2", "does not count down how many credentials still fit",
			"the user learns that it is full when it is too late", "credMgmt", answer(func(x *exchange, r *response) {
				if r.RemainingCredentials != nil {
					*r.RemainingCredentials = uint(x.profile.CredentialLimit())
				}
			})),
		breach("enumerate-total-missing", "6.8.3", "leaves totalRPs out of its answer",
			"the user sees one site of many", "credMgmt", answer(func(_ *exchange, r *response) { r.TotalRPs = 0 })),
		breach("enumerate-total-one-more", "6.8.3", "counts one relying party too many",
			"platforms ask for one that never comes", "credMgmt", answer(func(_ *exchange, r *response) {
				if r.TotalRPs > 0 {
					r.TotalRPs++
				}
			})),
		breach("enumerate-credentials-total-missing", "6.8.4", "leaves totalCredentials out of its answer",
			"the user sees one passkey of many", "credMgmt", answer(func(_ *exchange, r *response) { r.TotalCredentials = 0 })),
		breach("enumerate-site-hash-wrong", "6.8.3", "sends a hash that is not that of the relying party's id",
			"the user sees passkeys under the wrong site, or none", "credMgmt", answer(func(_ *exchange, r *response) {
				if r.RPIDHash != nil {
					r.RPIDHash[0] ^= 1
				}
			})),
		breach("enumerate-public-key-missing", "6.8.4", "leaves the public key out of its answer",
			"platforms cannot tell passkeys apart", "credMgmt", answer(func(_ *exchange, r *response) { r.PublicKey = nil })),
		breach("enumerate-user-missing", "6.8.4", "leaves the user out of its answer",
			"the user deletes the wrong passkey", "credMgmt", answer(func(_ *exchange, r *response) { r.User = nil })),
		breach("enumerate-protection-missing", "6.8.4", "leaves credProtect out of its answer",
			"platforms show a passkey as less protected than it is", "credMgmt,credProtect", answer(func(_ *exchange, r *response) { r.CredProtect = 0 })),
		breach("enumerate-protection-wrong", "6.8.4", "says credProtect 1 of every credential",
			"platforms show a passkey as less protected than it is", "credMgmt,credProtect", answer(func(_ *exchange, r *response) {
				r.CredProtect = min(r.CredProtect, protectOptional)
			})),
		breach("enumeration-after-another-command", "6.8.3", "goes on with an enumeration after another command",
			"one program reads what another was allowed to", "credMgmt", behaviour{after: func(x *exchange) {
				if !x.is(ctap.CredentialManagement) && x.boot.enumeration.next != 0 {
					x.a.boot.enumeration = x.boot.enumeration
				}
			}}),
		breach("enumeration-on-another-channel", "6.8.3", "goes on with an enumeration for another channel than the one that began it",
			"one program reads what another was allowed to", "credMgmt", beforeCommand(ctap.CredentialManagement, func(x *exchange) {
				if sub := x.subCommand(); sub == ctap.EnumerateRPsNext || sub == ctap.EnumerateCredentialsNext {
					x.ctx = ctap.WithChannel(x.ctx, x.a.boot.enumeration.channel)
				}
			})),
		breach("enumeration-end-status", "6.8.3", "answers CTAP1_ERR_OTHER where nothing is left to enumerate",
			"platforms take it for a failure of the key", "credMgmt", changeStatus(ctap.CredentialManagement, ctap.ErrNotAllowed, ctap.ErrOther)),
		breach("management-empty-status", "6.8.3", "answers CTAP1_ERR_OTHER where no credential is stored",
			"platforms take it for a failure of the key", "credMgmt", changeStatus(ctap.CredentialManagement, ctap.ErrNoCredentials, ctap.ErrOther)),
		breach("delete-keeps", "6.8.5", "answers CTAP2_OK to deleteCredential and keeps the credential",
			"a passkey that was deleted still works", "credMgmt", alterStore(func(q *quirks, s *alteredStore) {
				s.remove = func(real Credentials, id []byte) error {
					if q.x != nil && q.x.is(ctap.CredentialManagement) {
						return nil
					}
					return real.Delete(id)
				}
			})),
		breach("delete-unknown-ok", "6.8.5", "answers CTAP2_OK when it deletes a credential that is not there",
			"the user believes that a passkey was deleted", "credMgmt", behaviour{after: func(x *exchange) {
				if x.is(ctap.CredentialManagement) && x.subCommand() == ctap.DeleteCredential && x.status() == ctap.ErrNoCredentials {
					x.refuse(ctap.OK)
				}
			}}),
		breach("delete-all-of-site", "6.8.5", "deletes all credentials of the relying party when one is to go",
			"other accounts' passkeys vanish", "credMgmt", alterStore(func(q *quirks, s *alteredStore) {
				s.remove = func(real Credentials, id []byte) error {
					if q.x != nil && q.x.is(ctap.CredentialManagement) {
						return deleteSite(real, id)
					}
					return real.Delete(id)
				}
			})),
		breach("update-ignored", "6.8.6", "answers CTAP2_OK to updateUserInformation and keeps the old names",
			"the user deletes the wrong passkey", "credMgmt", beforeCommand(ctap.CredentialManagement, func(x *exchange) {
				if x.subCommand() == ctap.UpdateUserInformation {
					x.refuse(ctap.OK)
				}
			})),
		breach("update-other-user-accepted", "6.8.6", "takes another user handle in updateUserInformation",
			"the user believes that a passkey belongs to another account", "credMgmt", changeManagementParams(func(x *exchange, p *ctap.CredentialManagementParams) {
				if c := x.credentialOf(p); c != nil && p.User != nil {
					p.User.ID = slices.Clone(c.User.ID)
				}
			})),
		breach("update-keeps-omitted-names", "6.8.6", "keeps names that updateUserInformation leaves out",
			"a name that was to go stays", "credMgmt", changeManagementParams(func(x *exchange, p *ctap.CredentialManagementParams) {
				if c := x.credentialOf(p); c != nil && p.User != nil && bytes.Equal(c.User.ID, p.User.ID) {
					if p.User.Name == "" {
						p.User.Name = c.User.Name
					}
					if p.User.DisplayName == "" {
						p.User.DisplayName = c.User.DisplayName
					}
				}
			})),
	}
}

// managementMessage is what pinUvAuthParam authenticates.
func managementMessage(r *ctap.CredentialManagementRequest) []byte {
	return append([]byte{byte(r.SubCommand)}, r.Params...)
}

// changeManagementParams rewrites the parameters of updateUserInformation, and what
// authenticates them where it was right.
func changeManagementParams(change func(*exchange, *ctap.CredentialManagementParams)) behaviour {
	return changeRequest(ctap.CredentialManagement, func(x *exchange, r *ctap.CredentialManagementRequest) {
		var p ctap.CredentialManagementParams
		if r.SubCommand != ctap.UpdateUserInformation || ctap.DecodeLoose(r.Params, &p) != nil {
			return
		}
		right := bytes.Equal(r.PinUvAuthParam, x.mac(managementMessage(r)))
		change(x, &p)
		if b, err := ctap.Encode(&p); err == nil {
			r.Params = b
		}
		if right {
			x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, managementMessage(r))
		}
	})
}

// credentialOf finds the credential that parameters name.
func (x *exchange) credentialOf(p *ctap.CredentialManagementParams) *Credential {
	if p.CredentialID == nil {
		return nil
	}
	c, err := x.a.env.Credentials.ByID(p.CredentialID.ID)
	if err != nil {
		return nil
	}
	return c
}

func deleteSite(real Credentials, id []byte) error {
	c, err := real.ByID(id)
	if err != nil || c == nil {
		return err
	}
	all, err := real.ByRP(sha256.Sum256([]byte(c.RP.ID)))
	for _, c := range all {
		if err == nil {
			err = real.Delete(c.ID)
		}
	}
	return err
}

// blobQuirks are about authenticatorLargeBlobs (section 6.10).
func blobQuirks() []quirk {
	type request = ctap.LargeBlobsRequest
	change := func(f func(*exchange, *request)) behaviour { return changeRequest(ctap.LargeBlobs, f) }
	const lost = "what sites stored is lost"
	return []quirk{
		breach("blobs-mac-unchecked", "6.10.2", "does not verify pinUvAuthParam",
			"any program overwrites what sites stored", "largeBlobs", change(func(x *exchange, r *request) {
				x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, blobMessage(r))
			})),
		breach("blobs-permission-unchecked", "6.10.2", "writes with a token that has not the permission lbw",
			"a token for one purpose serves every other", "largeBlobs", withPermission(ctap.LargeBlobs)),
		breach("blobs-without-token-accepted", "6.10.2", "writes without a pinUvAuthParam although a PIN is set",
			"whoever finds the key overwrites what sites stored", "largeBlobs", change(func(x *exchange, r *request) {
				if r.Set != nil && r.Offset != nil && r.PinUvAuthParam == nil {
					x.wholeToken()
					r.PinUvAuthProtocol, r.PinUvAuthParam = 2, x.mac(blobMessage(r))
				}
			})),
		breach("blobs-integrity-unchecked", "6.10.2", "takes an array whose hash is wrong",
			lost, "largeBlobs", change(func(x *exchange, r *request) {
				if r.Length == nil || uint(len(r.Set)) != *r.Length || len(r.Set) < 16 {
					return
				}
				right := r.PinUvAuthParam != nil && bytes.Equal(r.PinUvAuthParam, x.mac(blobMessage(r)))
				end := len(r.Set) - 16
				copy(r.Set[end:], hashOf(r.Set[:end]))
				if right {
					x.remac(&r.PinUvAuthParam, &r.PinUvAuthProtocol, blobMessage(r))
				}
			})),
		breach("blobs-sequence-unchecked", "6.10.2", "answers CTAP2_OK to a fragment that is not the next",
			lost, "largeBlobs", changeStatus(ctap.LargeBlobs, ctap.ErrInvalidSeq, ctap.OK)),
		breach("blobs-capacity-ignored", "6.10.2", "takes arrays larger than the maxSerializedLargeBlobArray that it states",
			lost, "largeBlobs", beforeCommand(ctap.LargeBlobs, func(x *exchange) { x.a.profile.MaxLargeBlobs = 1 << 16 })),
		breach("blobs-fragment-size-ignored", "6.10.2", "takes fragments longer than maxMsgSize - 64",
			"the limit that it states is not the one of its buffers", "largeBlobs", beforeCommand(ctap.LargeBlobs, func(x *exchange) { x.a.profile.MaxMsgSize = 1 << 16 })),
		breach("blobs-both-accepted", "6.10.2", "takes get and set in one request, and reads",
			"a platform believes that it wrote", "largeBlobs", change(func(_ *exchange, r *request) {
				if r.Get != nil && r.Set != nil {
					*r = request{Get: r.Get, Offset: r.Offset}
				}
			})),
		breach("blobs-offset-ignored", "6.10.2", "reads from the beginning whatever the offset",
			lost, "largeBlobs", change(func(_ *exchange, r *request) {
				if r.Get != nil && r.Offset != nil {
					*r.Offset = 0
				}
			})),
		breach("blobs-write-lost", "6.10.2", "answers CTAP2_OK to a write and keeps the old array",
			lost, "largeBlobs", afterCommand(ctap.LargeBlobs, func(x *exchange) {
				x.save(func(d *Device) { d.LargeBlobs = x.device.LargeBlobs })
			})),
		breach("blobs-read-broken", "6.10.2", "changes the last byte of what it reads",
			lost, "largeBlobs", changeAnswer(ctap.LargeBlobs, func(_ *exchange, r *ctap.LargeBlobsResponse) {
				if n := len(r.Config); n > 0 {
					r.Config[n-1] ^= 1
				}
			})),
		breach("blobs-initial-empty", "6.10.1", "reads nothing while nothing was written, not the initial array",
			"platforms take the array for broken", "largeBlobs", changeAnswer(ctap.LargeBlobs, func(x *exchange, r *ctap.LargeBlobsResponse) {
				if x.a.device.LargeBlobs == nil && len(r.Config) > 0 {
					r.Config = ctap.Bytes{}
				}
			})),
	}
}

// blobMessage is what pinUvAuthParam authenticates.
func blobMessage(r *ctap.LargeBlobsRequest) []byte {
	message := append(bytes.Repeat([]byte{0xFF}, 32), byte(ctap.LargeBlobs), 0)
	if r.Offset != nil {
		message = binary.LittleEndian.AppendUint32(message, uint32(*r.Offset))
	}
	return append(message, hashOf(r.Set)...)
}
