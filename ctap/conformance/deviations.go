package conformance

import "fido-emu/ctap"

// Deviations that are seen on many keys, or between editions.
var (
	// TimeoutAs2F: CTAP 2.1 section 6.1.2 step 14 and section 6.2.2 step 9 map a touch
	// that never came to CTAP2_ERR_OPERATION_DENIED.
	TimeoutAs2F = Deviates("CTAP 2.0, and shipping keys of later editions, such as those built on OpenSK, answer CTAP2_ERR_USER_ACTION_TIMEOUT", ctap.ErrUserActionTimeout)
	// NotSetAs36: a command that needs the PIN where none is set.
	NotSetAs36 = Deviates("OpenSK answers CTAP2_ERR_PUAT_REQUIRED where no PIN is set", ctap.ErrPUATRequired)
	// RetriesAs35: getPINRetries where no PIN is set. Section 6.5.5.2 has the counter.
	RetriesAs35 = Deviates("YubiKeys answer CTAP2_ERR_PIN_NOT_SET to getPINRetries while no PIN is set (python-fido2, tests/device/test_clientpin.py)", ctap.ErrPINNotSet)
	// AuthAs36 and AuthAs33 are each other's: a pinUvAuthParam that is absent, or wrong.
	AuthAs36 = Deviates("CTAP 2.0 has CTAP2_ERR_PIN_REQUIRED, of the same number as CTAP2_ERR_PUAT_REQUIRED, here", ctap.ErrPUATRequired)
	AuthAs33 = Deviates("CTAP 2.0 and its keys answer CTAP2_ERR_PIN_AUTH_INVALID to a pinUvAuthParam that is absent", ctap.ErrPINAuthInvalid)
	// ParameterAs14 and MissingAs02 are each other's.
	ParameterAs14 = Deviates("implementations differ whether a parameter that is absent here is missing or invalid", ctap.ErrMissingParameter)
	MissingAs02   = Deviates("implementations differ whether a parameter that is absent here is missing or invalid", ctap.ErrInvalidParameter)
	// TypeAs12 and so on: a member of a wrong type.
	TypeAs12 = Deviates("shipping keys answer CTAP2_ERR_INVALID_CBOR to a member of a wrong type", ctap.ErrInvalidCBOR)
	TypeAs02 = Deviates("shipping keys answer CTAP1_ERR_INVALID_PARAMETER to a member of a wrong type", ctap.ErrInvalidParameter)
	TypeAs14 = Deviates("shipping keys take a member of a wrong type for one that is absent", ctap.ErrMissingParameter)
	// TypeAsOthers is all of these.
	TypeAsOthers = Deviates("shipping keys answer differently to a member of a wrong type", ctap.ErrInvalidCBOR, ctap.ErrInvalidParameter, ctap.ErrMissingParameter)
	// CBORAsOthers: CBOR that is not in the canonical form.
	CBORAsOthers = Deviates("shipping keys answer CTAP2_ERR_CBOR_UNEXPECTED_TYPE or CTAP1_ERR_INVALID_PARAMETER to some malformed CBOR", ctap.ErrCBORUnexpectedType, ctap.ErrInvalidParameter)
	// SubcommandAs02: a subcommand that is not known, or not there.
	SubcommandAs02 = Deviates("CTAP 2.0 has no CTAP2_ERR_INVALID_SUBCOMMAND; its keys answer CTAP1_ERR_INVALID_PARAMETER or CTAP2_ERR_MISSING_PARAMETER",
		ctap.ErrInvalidParameter, ctap.ErrMissingParameter, ctap.ErrInvalidCommand)
	// OptionAs2C and OptionAs2B are each other's.
	OptionAs2C = Deviates("editions differ between CTAP2_ERR_UNSUPPORTED_OPTION and CTAP2_ERR_INVALID_OPTION", ctap.ErrInvalidOption)
	OptionAs2B = Deviates("editions differ between CTAP2_ERR_UNSUPPORTED_OPTION and CTAP2_ERR_INVALID_OPTION", ctap.ErrUnsupportedOption)
)
