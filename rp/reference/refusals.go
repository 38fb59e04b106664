package reference

import (
	"fmt"
	"net/http"

	"fido-emu/rp"
	"fido-emu/rp/reference/methods"
	"fido-emu/rp/reference/recovery"
)

// The codes of refusals ([rp.Refused]). They are stable: scenarios compare them.
const (
	// Accounts and sessions.
	SignUpClosed    = "sign-up-closed"    // only an administrator makes accounts here
	SignInRequired  = "sign-in-required"  // no session, or one that has ended
	SessionLimited  = "session-limited"   // a session from a pass may only register
	PersonExists    = "person-exists"     // there is an account of that name
	GroupExists     = "group-exists"      // there is a group of that name
	UnknownPerson   = "unknown-person"    // there is no account of that name
	BadName         = "bad-name"          // empty, too long or with control characters
	AdminRequired   = "admin-required"    // the administrator's token is missing or wrong
	OriginForbidden = "origin-forbidden"  // a request from a page of another origin
	BadRequest      = "bad-request"       // cannot be read
	TooLarge        = "request-too-large" // more than a request may hold
	NotFound        = "not-found"         // no such route

	// Ceremonies (WebAuthn Level 3, sections 7.1 and 7.2).
	ChallengeUnknown         = "challenge-unknown"          // never given out, or used before
	ChallengeExpired         = "challenge-expired"          // older than Config.ChallengeLifetime
	ChallengeMismatch        = "challenge-mismatch"         // client data names another challenge
	CeremonyMismatch         = "ceremony-mismatch"          // client data of the other ceremony
	OriginMismatch           = "origin-mismatch"            // client data names a foreign origin
	CrossOrigin              = "cross-origin"               // made in a frame of another origin
	RPIDMismatch             = "rp-id-mismatch"             // made for another relying party
	UserPresenceRequired     = "user-presence-required"     // UP is 0
	UserVerificationRequired = "user-verification-required" // UV is 0 and the policy asks for it
	BackupStateInvalid       = "backup-state-invalid"       // BS is 1 and BE is 0
	BackupEligibilityChanged = "backup-eligibility-changed" // BE is not what it was at registration
	AlgorithmNotAllowed      = "algorithm-not-allowed"      // not among pubKeyCredParams, or against the policy
	CredentialIDTooLong      = "credential-id-too-long"     // more than 1023 bytes
	CredentialExists         = "credential-exists"          // registered before, for whomever
	UnknownCredential        = "unknown-credential"         // not registered, or revoked
	CredentialNotAllowed     = "credential-not-allowed"     // not among allowCredentials
	UserHandleMissing        = "user-handle-missing"        // nobody said who signs in
	UserHandleMismatch       = "user-handle-mismatch"       // names somebody else than the owner
	SignatureInvalid         = "signature-invalid"          // of the assertion
	AttestationInvalid       = "attestation-invalid"        // its verification procedure failed
	VerificationFailed       = "verification-failed"        // any other rule of the specification
	CounterRewind            = "counter-rewind"             // the signature counter did not go up
	TypeNotAllowed           = "type-not-allowed"           // device-bound or synced, against the policy
	AttestationRequired      = "attestation-required"       // not attested by a trusted authority
	AAGUIDNotAllowed         = "aaguid-not-allowed"         // not on the policy's list
	AAGUIDBlocked            = "aaguid-blocked"             // on the policy's list of the blocked
	BadPolicy                = "bad-policy"                 // names a type, level or AAGUID that is none
	TooManyProfiles          = "too-many-profiles"          // more passkey profiles than there can be
	PolicyTooLarge           = "policy-too-large"           // more bytes of passkey profiles than there can be
	ModelFlawed              = "model-flawed"               // metadata reports it revoked or compromised
	MethodDisabled           = "method-disabled"            // passkeys are switched off
	SelfServiceOff           = "self-service-off"           // only an administrator registers passkeys
	SignInTooOld             = "sign-in-too-old"            // to register a passkey: sign in again
	BadMetadata              = "bad-metadata"               // a BLOB that is not newer, or that nobody trusted signed
	BadLifetime              = "bad-lifetime"               // of a pass: 10 to 43,200 whole minutes
	PassNotYetValid          = "pass-not-yet-valid"         // before its start
	PassExpired              = "pass-expired"               // after its lifetime
	PassUsed                 = "pass-used"                  // good for one use, and used
	PassWrong                = "pass-wrong"                 // not this person's, or none was issued
	TooManyTries             = "too-many-tries"             // of passes: wait
)

var statuses = map[string]int{
	SignInRequired: http.StatusUnauthorized, AdminRequired: http.StatusUnauthorized,
	PassWrong: http.StatusUnauthorized, PassExpired: http.StatusUnauthorized,
	PassUsed: http.StatusUnauthorized, PassNotYetValid: http.StatusUnauthorized,
	UnknownPerson: http.StatusNotFound, UnknownCredential: http.StatusNotFound, NotFound: http.StatusNotFound,
	PersonExists: http.StatusConflict, GroupExists: http.StatusConflict, CredentialExists: http.StatusConflict,
	BadRequest: http.StatusBadRequest, BadName: http.StatusBadRequest, BadPolicy: http.StatusBadRequest,
	TooManyProfiles: http.StatusBadRequest, PolicyTooLarge: http.StatusBadRequest, BadMetadata: http.StatusBadRequest,
	BadLifetime: http.StatusBadRequest, TooLarge: http.StatusRequestEntityTooLarge,
	ChallengeUnknown: http.StatusBadRequest, ChallengeExpired: http.StatusBadRequest,
	recovery.CaseUnknown: http.StatusNotFound, recovery.CallbackUnknown: http.StatusNotFound, recovery.CallbackReplayed: http.StatusConflict,
	recovery.CallbackForbidden: http.StatusUnauthorized, recovery.CallbackMalformed: http.StatusBadRequest,
	recovery.TooManyStarts: http.StatusTooManyRequests, recovery.BadPolicy: http.StatusBadRequest,
	TooManyTries: http.StatusTooManyRequests, methods.MethodLocked: http.StatusTooManyRequests,
	AttemptUnknown: http.StatusBadRequest, methods.BadMethod: http.StatusBadRequest, methods.WeakPassword: http.StatusBadRequest,
	methods.PasswordWrong: http.StatusUnauthorized, methods.CodeWrong: http.StatusUnauthorized, methods.AnswersWrong: http.StatusUnauthorized,
	methods.MethodMissing: http.StatusNotFound,
}

// statusOf returns the HTTP status of a refusal; 403 where none fits better.
func statusOf(code string) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusForbidden
}

func refuse(code, format string, args ...any) *rp.Refused {
	return &rp.Refused{Code: code, Reason: fmt.Sprintf(format, args...)}
}
