package bio

import (
	"fido-emu/ctap"
	"fido-emu/ctap/conformance"
)

// verification is about what enrolled fingers are good for.
func verification() []conformance.Case {
	return conformance.Join(
		both("uv.options", "6.4", "the options say that fingers are enrolled, and uv is true, when the first enrolment is whole, and not before", func(e *enroller) {
			e.removeAll()
			a := e.begin()
			e.Require(!e.made() && !e.option("uv"), "after one sample the options say that a finger is enrolled")
			e.finish(a)
			e.Require(e.made(), "the option %s is not true", e.variant.option)
			e.Require(e.option("uv"), "the option uv is not true")
		}),
		only("uv.modality", "6.4", "uvModality says that fingers are verified", func(e *enroller) {
			e.Require(e.Info().UvModality&fingerprint != 0, "uvModality is 0x%X", e.Info().UvModality)
		}, conformance.Member(0x12)),
		only("uv.attempts", "6.4", "preferredPlatformUvAttempts is not more than the tries that there are", func(e *enroller) {
			e.enroll()
			most := e.tries()
			e.Require(e.Info().PreferredPlatformUvAttempts <= most, "preferredPlatformUvAttempts is %d, uvRetries %d", e.Info().PreferredPlatformUvAttempts, most)
		}, conformance.Member(0x11)),
		only("uv.make", "6.1.2", "after an enrolment makeCredential with the option uv verifies the user, and the credential says so", func(e *enroller) {
			e.enroll()
			c := e.ReadCredential(e.byFinger())
			e.Require(c.Data.Flags&ctap.FlagUV != 0, "authData lacks the flag UV: %s", c.Data.Flags)
		}),
		only("uv.make-without", "6.1.2", "without a finger the option uv is CTAP2_ERR_INVALID_OPTION", func(e *enroller) {
			e.removeAll()
			_, reply := e.byFinger()
			reply.Tolerate(conformance.OptionAs2B).Want(ctap.ErrInvalidOption)
		}),
		only("uv.removed-finger", "6.5.5.7.3", "without a finger no token is given by built-in user verification", func(e *enroller) {
			e.enroll()
			e.removeAll()
			e.byUV(ctap.PermGetAssertion, conformance.RPID).Refused().Untouched()
		}, conformance.CanToken()),
		with(conformance.Stranger, only("uv.stranger", "6.5.3.1", "a finger that is not known makes no credential with the option uv, costs a try at least, and is told to use the PIN", func(e *enroller) {
			e.enroll()
			before := e.tries()
			e.Plan(conformance.Stranger)
			_, reply := e.byFinger()
			reply.Tolerate(conformance.Deviates("some keys answer as where no PIN is set", ctap.ErrOperationDenied, ctap.ErrUVInvalid, ctap.ErrUVBlocked)).
				Touched().Want(ctap.ErrPUATRequired)
			e.Require(e.tries() < before, "uvRetries is %d as before", before)
		})),
		with(conformance.Stranger, only("uv.tries-back", "6.5.3.1", "a finger that is known gives all tries back", func(e *enroller) {
			e.enroll()
			before := e.tries()
			e.Plan(conformance.Stranger)
			e.byFinger()
			e.Plan(conformance.Touch)
			e.ReadCredential(e.byFinger())
			conformance.Equal(e.Run, "uvRetries", e.tries(), before)
		}, conformance.When(func(i *ctap.Info) bool { return i.PreferredPlatformUvAttempts > 0 }, "getInfo has no preferredPlatformUvAttempts"))),
		with(conformance.Stranger, only("uv.locked-out", "6.5.3.1", "when no tries are left, fingers are not asked for any more, known or not, until the PIN was entered", lockedOut)),
		only("uv.enrolls", "6.5.5.7.3", "with uvBioEnroll a finger that is known gives a token to enrol others", func(e *enroller) {
			e.enroll()
			s := e.Agree(e.Protocol())
			e.token = s.ReadToken(e.Send(ctap.ClientPIN, s.TokenUsingUVParams(ctap.PermBioEnrollment, "")))
			e.Require(len(e.fingers()) > 0, "no finger is listed")
		}, conformance.Option("uvBioEnroll")),
		only("uv.enrolls-not", "6.5.5.7.3", "without uvBioEnroll the permission be is not given for a finger: CTAP2_ERR_UNAUTHORIZED_PERMISSION", func(e *enroller) {
			e.enroll()
			e.byUV(ctap.PermBioEnrollment, "").Want(ctap.ErrUnauthorizedPerm).Untouched()
		}, conformance.AbsentOption("uvBioEnroll"), conformance.CanToken()),
	)
}

// fingerprint is USER_VERIFY_FINGERPRINT_INTERNAL of the FIDO Registry of Predefined
// Values.
const fingerprint = 0x02

// tries asks how many tries of built-in user verification are left.
func (e *enroller) tries() uint {
	return e.Send(ctap.ClientPIN, conformance.M{1: e.Protocol().Number(), 2: ctap.GetUVRetries}).OK().Uint(5)
}

// byFinger makes a credential with the option uv.
func (e *enroller) byFinger() (conformance.M, *conformance.Reply) {
	m := e.CreateParams().With(7, conformance.S{"uv": true})
	return m, e.Send(ctap.MakeCredential, m)
}

// byUV asks for a token by built-in user verification.
func (e *enroller) byUV(permissions ctap.Permissions, rpID string) *conformance.Reply {
	return e.Send(ctap.ClientPIN, e.Agree(e.Protocol()).TokenUsingUVParams(permissions, rpID))
}

// mostTries is more than any authenticator allows.
const mostTries = 26

func lockedOut(e *enroller) {
	e.enroll()
	all := e.tries()
	e.Plan(conformance.Stranger)
	for range mostTries {
		if e.tries() == 0 {
			break
		}
		_, reply := e.byFinger()
		reply.Refused()
	}
	conformance.Equal(e.Run, "uvRetries after strangers' fingers", e.tries(), 0)
	e.Plan(conformance.Touch)
	_, reply := e.byFinger()
	reply.Untouched().Tolerate(conformance.Deviates("some keys say that user verification is blocked also where a PIN is set", ctap.ErrUVBlocked, ctap.ErrOperationDenied)).
		Want(ctap.ErrPUATRequired)
	e.token = nil
	e.enrolls()
	conformance.Equal(e.Run, "uvRetries after the PIN", e.tries(), all)
	e.ReadCredential(e.byFinger())
}
