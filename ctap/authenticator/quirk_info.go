package authenticator

import (
	"slices"

	"fido-emu/ctap"
)

// inInfo changes the answer to authenticatorGetInfo.
func inInfo(change func(*exchange, *ctap.Info)) behaviour { return changeAnswer(ctap.GetInfo, change) }

// ofInfo is inInfo where nothing but the answer is needed.
func ofInfo(change func(*ctap.Info)) behaviour {
	return inInfo(func(_ *exchange, i *ctap.Info) { change(i) })
}

// infoMembers changes members of it to what its type has no room for.
func infoMembers(change func(members)) behaviour {
	return changeMembers(ctap.GetInfo, func(_ *exchange, m members) { change(m) })
}

// without returns a list without a value.
func without(list []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == value })
}

// infoListQuirks are about the lists of authenticatorGetInfo (section 6.4) and the
// features that are mandatory (section 9).
func infoListQuirks() []quirk {
	const misled = "a platform chooses what the key cannot do, or does not choose what it can"
	return []quirk{
		breach("info-versions-missing", "6.4", "leaves versions out of getInfo",
			"a platform cannot tell what to speak", "", infoMembers(func(m members) { delete(m, 1) })),
		breach("info-versions-empty", "6.4", "lists no version",
			"a platform cannot tell what to speak", "", ofInfo(func(i *ctap.Info) { i.Versions = []string{} })),
		breach("info-aaguid-missing", "6.4", "leaves aaguid out of getInfo",
			"policies about models of key do not hold", "", infoMembers(func(m members) { delete(m, 3) })),
		breach("info-aaguid-short", "6.4", "states an AAGUID of 15 bytes",
			"policies about models of key do not hold", "", ofInfo(func(i *ctap.Info) { i.AAGUID = i.AAGUID[:15] })),
		breach("info-extensions-empty", "6.4", "lists extensions, and none",
			misled, "", ofInfo(func(i *ctap.Info) { i.Extensions = []string{} })),
		breach("info-extension-not-there", "12.1", "lists the extension credProtect and ignores it",
			"passkeys that a site wants protected are not", "credProtect", ignoreExtension(ctap.MakeCredential, ExtCredProtect)),
		breach("info-secret-not-there", "12.7", "lists the extension hmac-secret and ignores it",
			"data that is encrypted with a passkey never opens", "hmac-secret", ignoreExtension(ctap.MakeCredential, ExtHMACSecret)),
		breach("info-protocols-empty", "6.4", "lists PIN/UV auth protocols, and none",
			misled, "clientPin", ofInfo(func(i *ctap.Info) { i.PinUvAuthProtocols = []uint{} })),
		breach("info-protocols-repeat", "6.4", "lists a PIN/UV auth protocol twice",
			misled, "clientPin", ofInfo(func(i *ctap.Info) { i.PinUvAuthProtocols = append(i.PinUvAuthProtocols, i.PinUvAuthProtocols[0]) })),
		breach("info-transports-repeat", "6.4", "lists a transport twice",
			misled, "", ofInfo(func(i *ctap.Info) { i.Transports = []string{"usb", "usb"} })),
		breach("info-transports-empty", "6.4", "lists transports, and none",
			misled, "", ofInfo(func(i *ctap.Info) { i.Transports = []string{} })),
		breach("info-algorithms-empty", "6.4", "lists algorithms, and none",
			misled, "", ofInfo(func(i *ctap.Info) { i.Algorithms = []ctap.Parameters{} })),
		breach("info-algorithms-repeat", "6.4", "lists an algorithm twice",
			misled, "FIDO_2_1", ofInfo(func(i *ctap.Info) { i.Algorithms = append(i.Algorithms, i.Algorithms...) })),
		breach("info-algorithm-not-there", "6.4", "lists ES512 and does not make such credentials",
			misled, "", ofInfo(func(i *ctap.Info) {
				i.Algorithms = append(i.Algorithms, ctap.Parameters{Algorithm: -36, Type: ctap.PublicKeyCredential})
			})),
		breach("info-formats-none", "6.4", "lists none among its attestation formats",
			misled, "FIDO_2_1", ofInfo(func(i *ctap.Info) { i.AttestationFormats = []string{"packed", "none"} })),
		breach("info-formats-empty", "6.4", "lists attestation formats, and none",
			misled, "FIDO_2_1", ofInfo(func(i *ctap.Info) { i.AttestationFormats = []string{} })),
		breach("info-formats-repeat", "6.4", "lists an attestation format twice",
			misled, "FIDO_2_1", ofInfo(func(i *ctap.Info) { i.AttestationFormats = []string{"packed", "packed"} })),
		breach("info-reset-transports-empty", "6.4", "lists transports for reset, and none",
			"nobody knows how to reset it", "FIDO_2_1", ofInfo(func(i *ctap.Info) { i.TransportsForReset = []string{} })),
		breach("info-certification-out-of-range", "7.3.1", "states a FIDO certification level that there is not",
			"an unproven key passes for a certified one", "FIDO_2_1", ofInfo(func(i *ctap.Info) { i.Certifications = map[string]uint{"FIDO": 9} })),
		breach("info-no-hmac-secret", "9", "is of CTAP 2.1 and has not hmac-secret",
			"nothing can be encrypted with its passkeys", "FIDO_2_1,hmac-secret",
			ofInfo(func(i *ctap.Info) { i.Extensions = without(without(i.Extensions, ExtHMACSecret), ExtHMACSecretMC) })),
		breach("info-no-user-verification", "9", "makes discoverable credentials and cannot verify its user",
			"whoever finds the key signs in with it", "FIDO_2_1,rk,clientPin,no uv", ofInfo(func(i *ctap.Info) { delete(i.Options, "clientPin") })),
		breach("info-no-credential-management", "9", "makes discoverable credentials and has no credential management",
			"the user cannot see or delete passkeys", "FIDO_2_1,rk,credMgmt", ofInfo(func(i *ctap.Info) { delete(i.Options, "credMgmt") })),
		breach("info-no-cred-protect", "9", "verifies its user and has not credProtect",
			"whoever finds the key learns its accounts", "FIDO_2_1,credProtect",
			ofInfo(func(i *ctap.Info) { i.Extensions = without(i.Extensions, ExtCredProtect) })),
		breach("info-no-token", "9", "verifies its user and has no pinUvAuthToken with permissions",
			"programs get tokens that may do everything", "pinUvAuthToken", ofInfo(func(i *ctap.Info) { delete(i.Options, "pinUvAuthToken") })),
		breach("info-no-protocol-two", "9", "is of CTAP 2.1 and has not PIN/UV auth protocol two",
			"PINs travel under the weaker protocol", "pinUvAuthToken", ofInfo(func(i *ctap.Info) { i.PinUvAuthProtocols = []uint{1} })),
	}
}

// ignoreExtension drops an extension from requests.
func ignoreExtension(c ctap.Command, id string) behaviour {
	return changeRequest(c, func(_ *exchange, r *ctap.MakeCredentialRequest) { delete(r.Extensions, id) })
}

// infoOptionQuirks are about the options of authenticatorGetInfo.
func infoOptionQuirks() []quirk {
	const misled = "a platform chooses what the key cannot do, or does not choose what it can"
	option := func(name string, on bool) behaviour {
		return ofInfo(func(i *ctap.Info) { i.Options[name] = on })
	}
	return []quirk{
		breach("info-option-no-boolean", "6.4", "states the option rk as a number",
			"a strict platform cannot read getInfo", "", changeMembers(ctap.GetInfo, func(_ *exchange, m members) {
				var options map[string]any
				if ctap.DecodeLoose(m[4], &options) == nil {
					options["rk"] = 1
					m.set(4, options)
				}
			})),
		breach("info-client-pin-stuck", "6.4", "says clientPin: false also when a PIN is set",
			"platforms try to set a PIN again", "clientPin", option("clientPin", false)),
		breach("info-uv-without-sensor", "6.4", "says uv: true without built-in user verification",
			"platforms ask for a finger that nobody reads", "no uv", option("uv", true)),
		breach("info-always-uv-stuck", "6.4", "says alwaysUv: false also when it is on",
			"platforms ask in vain without a PIN", "alwaysUv", option("alwaysUv", false)),
		breach("info-always-uv-not-required", "6.4", "says makeCredUvNotRqd: true together with alwaysUv: true",
			"platforms ask in vain without a PIN", "alwaysUv", ofInfo(func(i *ctap.Info) {
				i.Options["makeCredUvNotRqd"] = i.Options["makeCredUvNotRqd"] || i.Options["alwaysUv"]
			})),
		breach("info-u2f-under-always-uv", "7.2", "lists U2F_V2 while alwaysUv is on",
			"platforms fall back to what needs no PIN", "alwaysUv,U2F_V2", ofInfo(func(i *ctap.Info) {
				if i.Options["alwaysUv"] {
					i.Versions = append([]string{"U2F_V2"}, i.Versions...)
				}
			})),
		breach("info-uv-bio-enroll-alone", "6.4", "says uvBioEnroll without bioEnroll", misled, "no bioEnroll", option("uvBioEnroll", true)),
		breach("info-uv-config-alone", "6.4", "says uvAcfg without authnrCfg", misled, "no authnrCfg", option("uvAcfg", true)),
		breach("info-min-pin-without-config", "6.4", "lists the extension minPinLength without the option setMinPINLength",
			misled, "minPinLength", ofInfo(func(i *ctap.Info) { delete(i.Options, "setMinPINLength") })),
		breach("info-set-min-pin-without-extension", "9", "says setMinPINLength without the extension minPinLength",
			misled, "minPinLength", ofInfo(func(i *ctap.Info) { i.Extensions = without(i.Extensions, ExtMinPinLength) })),
		breach("info-set-min-pin-without-pin", "6.4", "says setMinPINLength without clientPin",
			misled, "no clientPin", option("setMinPINLength", true)),
		breach("info-no-permissions-without-pin", "6.4", "says noMcGaPermissionsWithClientPin without clientPin",
			misled, "no clientPin", option("noMcGaPermissionsWithClientPin", true)),
		breach("info-enterprise-without-config", "9", "says ep without enableEnterpriseAttestation to turn it on",
			misled, "no ep", option("ep", false)),
		breach("info-large-blobs-without-command", "6.4", "says largeBlobs and has not the command",
			"data that was to be kept is lost", "no largeBlobs", ofInfo(func(i *ctap.Info) {
				i.Options["largeBlobs"], i.MaxSerializedLargeBlobArray = true, 1024
			})),
		breach("info-large-blob-key-alone", "12.3", "lists the extension largeBlobKey without the option largeBlobs",
			"data that was to be kept is lost", "no largeBlobs", ofInfo(func(i *ctap.Info) { i.Extensions = append(i.Extensions, "largeBlobKey") })),
		breach("info-two-kinds-of-large-blob", "6.4", "lists the extension largeBlob beside the option largeBlobs",
			"data that was to be kept is not found again", "", ofInfo(func(i *ctap.Info) {
				i.Options["largeBlobs"], i.MaxSerializedLargeBlobArray = true, 1024
				i.Extensions = append(without(i.Extensions, "largeBlob"), "largeBlob")
			})),
		breach("info-management-without-command", "6.4", "says credMgmt and has not the command",
			misled, "no credMgmt", option("credMgmt", true)),
		breach("info-config-without-command", "6.4", "says authnrCfg and has not the command",
			misled, "no authnrCfg", option("authnrCfg", true)),
		breach("info-config-commands-unknown", "6.4", "lists a subcommand of authenticatorConfig that it has not",
			misled, "authnrCfg", ofInfo(func(i *ctap.Info) { i.AuthenticatorConfigCommands = append(i.AuthenticatorConfigCommands, 0x2A) })),
		breach("info-vendor-commands-alone", "6.4", "lists vendor commands of authenticatorConfig without vendorPrototype",
			misled, "authnrCfg,no vendorConfigCommands", ofInfo(func(i *ctap.Info) { i.VendorPrototypeConfigCommands = []uint64{1} })),
	}
}
