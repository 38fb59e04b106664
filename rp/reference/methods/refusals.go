package methods

import (
	"fmt"

	"fido-emu/rp"
)

// The codes of refusals ([rp.Refused]).
const (
	BadMethod         = "bad-method"            // there is no such kind, or it lacks what it needs
	MethodMissing     = "method-missing"        // the person has none of that kind
	MethodNotAllowed  = "method-not-allowed"    // the policy does not take it
	MethodUnfit       = "method-unfit"          // it is not good for this
	MethodLocked      = "method-locked"         // too many wrong answers: wait
	MethodExists      = "method-exists"         // the account has it, with another secret
	WeakPassword      = "weak-password"         // shorter than eight characters, or the user name
	PasswordWrong     = "password-wrong"        //
	CodeWrong         = "code-wrong"            //
	CodeExpired       = "code-expired"          //
	CodeUsed          = "code-used"             // or given up after too many wrong ones
	AnswersWrong      = "answers-wrong"         // of security questions
	QuestionsRetired  = "questions-retired"     // past the date after which they are refused
	PushWaiting       = "push-waiting"          // not answered yet: ask again
	PushDenied        = "push-denied"           // whoever holds the phone said no
	PushExpired       = "push-expired"          // nobody answered in time
	PushNumberWrong   = "push-number-wrong"     // not the number on the page
	PushAnswered      = "push-answered"         // it was answered before
	SecondMissing     = "second-factor-missing" // one factor is not enough, and there is no other
	ResetNeedsMethods = "reset-needs-method"    // too few methods that are good for a reset
)

func refuse(code, format string, args ...any) *rp.Refused {
	return &rp.Refused{Code: code, Reason: fmt.Sprintf(format, args...)}
}
