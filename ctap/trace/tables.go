package trace

// The members of every message, by the sections of CTAP 2.3 and with its names.

var (
	descriptor  = named(nil)
	descriptors = list(descriptor)
	algorithms  = list(parameters)
	permissions = bits("mc", "ga", "cm", "be", "lbw", "acfg", "pcmr")
)

// Section 6.1.
var (
	makeCredentialRequest = table{
		1: {"clientDataHash", nil}, 2: {"rp", nil}, 3: {"user", nil}, 4: {"pubKeyCredParams", algorithms},
		5: {"excludeList", descriptors}, 6: {"extensions", extensions}, 7: {"options", options},
		8: {"pinUvAuthParam", nil}, 9: {"pinUvAuthProtocol", nil},
		10: {"enterpriseAttestation", enum(map[int64]string{1: "vendor-facilitated", 2: "platform-managed"})},
		11: {"attestationFormatsPreference", nil},
	}
	makeCredentialResponse = table{
		1: {"fmt", nil}, 2: {"authData", authData}, 3: {"attStmt", attStmt}, 4: {"epAtt", nil},
		5: {"largeBlobKey", nil}, 6: {"unsignedExtensionOutputs", extensions},
	}
)

// Sections 6.2 and 6.3.
var (
	getAssertionRequest = table{
		1: {"rpId", nil}, 2: {"clientDataHash", nil}, 3: {"allowList", descriptors}, 4: {"extensions", extensions},
		5: {"options", options}, 6: {"pinUvAuthParam", nil}, 7: {"pinUvAuthProtocol", nil},
	}
	getAssertionResponse = table{
		1: {"credential", descriptor}, 2: {"authData", authData}, 3: {"signature", nil}, 4: {"user", nil},
		5: {"numberOfCredentials", nil}, 6: {"userSelected", nil}, 7: {"largeBlobKey", nil},
		8: {"unsignedExtensionOutputs", extensions},
	}
)

// Section 6.4.
var getInfoResponse = table{
	1: {"versions", nil}, 2: {"extensions", nil}, 3: {"aaguid", aaguid}, 4: {"options", options},
	5: {"maxMsgSize", nil}, 6: {"pinUvAuthProtocols", nil}, 7: {"maxCredentialCountInList", nil},
	8: {"maxCredentialIdLength", nil}, 9: {"transports", nil}, 10: {"algorithms", algorithms},
	11: {"maxSerializedLargeBlobArray", nil}, 12: {"forcePINChange", nil}, 13: {"minPINLength", nil},
	14: {"firmwareVersion", nil}, 15: {"maxCredBlobLength", nil}, 16: {"maxRPIDsForSetMinPINLength", nil},
	17: {"preferredPlatformUvAttempts", nil}, 18: {"uvModality", uvModality}, 19: {"certifications", options},
	20: {"remainingDiscoverableCredentials", nil}, 21: {"vendorPrototypeConfigCommands", nil},
	22: {"attestationFormats", nil}, 23: {"uvCountSinceLastPinEntry", nil}, 24: {"longTouchForReset", nil},
	25: {"encIdentifier", nil}, 26: {"transportsForReset", nil}, 27: {"pinComplexityPolicy", nil},
	28: {"pinComplexityPolicyURL", textInBytes}, 29: {"maxPINLength", nil}, 30: {"encCredStoreState", nil},
	31: {"authenticatorConfigCommands", list(enum(configSubCommands))},
}

// uvModality holds the USER_VERIFY flags of the FIDO Registry of Predefined
// Values, section 3.1.
var uvModality = bits("presence_internal", "fingerprint_internal", "passcode_internal", "voiceprint_internal",
	"faceprint_internal", "location_internal", "eyeprint_internal", "pattern_internal", "handprint_internal",
	"none", "all", "passcode_external", "pattern_external")

// Section 6.5.5.
var (
	clientPINSubCommands = map[int64]string{
		1: "getPINRetries", 2: "getKeyAgreement", 3: "setPIN", 4: "changePIN", 5: "getPinToken",
		6: "getPinUvAuthTokenUsingUvWithPermissions", 7: "getUVRetries",
		9: "getPinUvAuthTokenUsingPinWithPermissions",
	}
	clientPINRequest = table{
		1: {"pinUvAuthProtocol", nil}, 2: {"subCommand", enum(clientPINSubCommands)}, 3: {"keyAgreement", coseKey},
		4: {"pinUvAuthParam", nil}, 5: {"newPinEnc", nil}, 6: {"pinHashEnc", nil}, 9: {"permissions", permissions},
		10: {"rpId", nil},
	}
	clientPINResponse = table{
		1: {"keyAgreement", coseKey}, 2: {"pinUvAuthToken", nil}, 3: {"pinRetries", nil},
		4: {"powerCycleState", nil}, 5: {"uvRetries", nil},
	}
)

// Section 6.7.
var (
	modality    = enum(map[int64]string{1: "fingerprint"})
	bioCommands = map[int64]string{
		1: "enrollBegin", 2: "enrollCaptureNextSample", 3: "cancelCurrentEnrollment", 4: "enumerateEnrollments",
		5: "setFriendlyName", 6: "removeEnrollment", 7: "getFingerprintSensorInfo",
	}
	bioRequest = table{
		1: {"modality", modality}, 2: {"subCommand", enum(bioCommands)},
		3: {"subCommandParams", members(table{
			1: {"templateId", nil}, 2: {"templateFriendlyName", nil}, 3: {"timeoutMilliseconds", nil},
		})},
		4: {"pinUvAuthProtocol", nil}, 5: {"pinUvAuthParam", nil}, 6: {"getModality", nil},
	}
	bioResponse = table{
		1: {"modality", modality}, 2: {"fingerprintKind", enum(map[int64]string{1: "touch", 2: "swipe"})},
		3: {"maxCaptureSamplesRequiredForEnroll", nil}, 4: {"templateId", nil},
		5: {"lastEnrollSampleStatus", enum(sampleStatus)}, 6: {"remainingSamples", nil},
		7: {"templateInfos", list(members(table{1: {"templateId", nil}, 2: {"templateFriendlyName", nil}}))},
		8: {"maxTemplateFriendlyName", nil},
	}
	sampleStatus = map[int64]string{
		0: "FP_GOOD", 1: "FP_TOO_HIGH", 2: "FP_TOO_LOW", 3: "FP_TOO_LEFT", 4: "FP_TOO_RIGHT", 5: "FP_TOO_FAST",
		6: "FP_TOO_SLOW", 7: "FP_POOR_QUALITY", 8: "FP_TOO_SKEWED", 9: "FP_TOO_SHORT", 10: "FP_MERGE_FAILURE",
		11: "FP_EXISTS", 12: "FP_DATABASE_FULL", 13: "NO_USER_ACTIVITY", 14: "NO_USER_PRESENCE_TRANSITION",
	}
)

// Section 6.8.
var (
	credentialManagementCommands = map[int64]string{
		1: "getCredsMetadata", 2: "enumerateRPsBegin", 3: "enumerateRPsGetNextRP", 4: "enumerateCredentialsBegin",
		5: "enumerateCredentialsGetNextCredential", 6: "deleteCredential", 7: "updateUserInformation",
	}
	credentialManagementRequest = table{
		1: {"subCommand", enum(credentialManagementCommands)},
		2: {"subCommandParams", members(table{1: {"rpIDHash", nil}, 2: {"credentialID", descriptor}, 3: {"user", nil}})},
		3: {"pinUvAuthProtocol", nil}, 4: {"pinUvAuthParam", nil},
	}
	credentialManagementResponse = table{
		1: {"existingResidentCredentialsCount", nil}, 2: {"maxPossibleRemainingResidentCredentialsCount", nil},
		3: {"rp", nil}, 4: {"rpIDHash", nil}, 5: {"totalRPs", nil}, 6: {"user", nil},
		7: {"credentialID", descriptor}, 8: {"publicKey", coseKey}, 9: {"totalCredentials", nil},
		10: {"credProtect", enum(credProtect)}, 11: {"largeBlobKey", nil}, 12: {"thirdPartyPayment", nil},
	}
)

// Section 6.10.
var (
	largeBlobsRequest = table{
		1: {"get", nil}, 2: {"set", largeBlobArray}, 3: {"offset", nil}, 4: {"length", nil},
		5: {"pinUvAuthParam", nil}, 6: {"pinUvAuthProtocol", nil},
	}
	largeBlobsResponse = table{1: {"config", largeBlobArray}}
	largeBlob          = members(table{1: {"ciphertext", nil}, 2: {"nonce", nil}, 3: {"origSize", nil}})
)

// Section 6.11.
var (
	configSubCommands = map[int64]string{
		1: "enableEnterpriseAttestation", 2: "toggleAlwaysUv", 3: "setMinPINLength", 4: "enableLongTouchForReset",
		0xFF: "vendorPrototype",
	}
	setMinPINLengthParams = table{
		1: {"newMinPINLength", nil}, 2: {"minPinLengthRPIDs", nil}, 3: {"forceChangePin", nil},
		4: {"pinComplexityPolicy", nil},
	}
	vendorPrototypeParams = table{1: {"vendorCommandId", nil}}
)

// configRequest depends on the subcommand: its parameters share their keys.
func configRequest(subCommand int64) table {
	params := setMinPINLengthParams
	if subCommand == 0xFF {
		params = vendorPrototypeParams
	}
	return table{
		1: {"subCommand", enum(configSubCommands)}, 2: {"subCommandParams", members(params)},
		3: {"pinUvAuthProtocol", nil}, 4: {"pinUvAuthParam", nil},
	}
}

// Section 12.
var (
	credProtect = map[int64]string{
		1: "userVerificationOptional", 2: "userVerificationOptionalWithCredentialIDList", 3: "userVerificationRequired",
	}
	hmacSecret = members(table{
		1: {"keyAgreement", coseKey}, 2: {"saltEnc", nil}, 3: {"saltAuth", nil}, 4: {"pinUvAuthProtocol", nil},
	})
	extensions = named(map[string]show{
		"credProtect": enum(credProtect), "hmac-secret": hmacSecret, "hmac-secret-mc": hmacSecret,
	})
)
