package proofing

import (
	"errors"
	"fmt"
	"net/http"
)

// Refusal is an error of the service's API, on both of its sides.
type Refusal struct {
	Status  int    `json:"-"`       // of HTTP
	Code    string `json:"code"`    // one of the constants
	Message string `json:"message"` // what to do
}

// Codes of refusals.
const (
	CodeUnauthorized = "unauthorized"         // 401: no or a wrong API key
	CodeNotFound     = "not_found"            // 404: no such provider, session, link or code
	CodeBadRequest   = "bad_request"          // 400
	CodeTooLarge     = "too_large"            // 413
	CodeNotServed    = "country_not_served"   // 422
	CodeConflict     = "idempotency_conflict" // 409: the key was used for another request
	CodeWrongStep    = "wrong_step"           // 409
	CodeNoDevice     = "device_required"      // 403: start first
	CodeTaken        = "already_started"      // 409: another device has it; hand over
	CodeMoved        = "moved"                // 409: it went on on another device
	CodeOver         = "over"                 // 410: decided, cancelled or expired
	CodeNotVerified  = "not_verified"         // 409: nothing to issue
	CodeThrottled    = "too_many_codes"       // 429
	CodeDown         = "provider_down"        // 503
	CodeNotSaved     = "not_saved"            // 500: the change could not be saved and did not happen
)

// Error says what was refused and what to do.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Code, r.Message) }

// CodeOf returns the code of a refusal, "" of any other error.
func CodeOf(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return ""
}

// refuse makes a refusal.
func refuse(status int, code, format string, args ...any) error {
	return &Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Refusals that several handlers make.
func errOver(s Status) error {
	return refuse(http.StatusGone, CodeOver, "the session is %s; begin a new one", s)
}

func errNotFound(what string) error {
	return refuse(http.StatusNotFound, CodeNotFound, "there is no such %s", what)
}
