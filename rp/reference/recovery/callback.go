package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
)

// The statuses of a callback ("Request Service REST API").
const (
	RequestRetrieved     = "request_retrieved"
	PresentationVerified = "presentation_verified"
	PresentationError    = "presentation_error"
)

// Callback is what the request service reports, as far as it counts here.
type Callback struct {
	Key     string // the header api-key
	Request string // requestId
	State   string
	Status  string // requestStatus

	Face    *FaceCheck // with presentation_verified
	Code    string     // error.code, with presentation_error
	Message string     // error.message
}

// FaceCheck is what Face Check measured.
type FaceCheck struct {
	Score   float64 // matchConfidenceScore, 0 to 100
	Quality string  // sourcePhotoQuality: HIGH, MEDIUM or LOW
}

// Callback takes a report of the request service: step 7. A callback that is
// refused changes nothing; one that counts may end the case, which is no error of
// whoever sent it.
func (d *Desk) Callback(ctx context.Context, c Callback) error {
	r, err := d.accept(c)
	if err != nil {
		e := Event{Step: StepCallback, Reason: codeOf(err), Detail: detailOf(err)}
		if r != nil {
			e.Case, e.Account = r.id, r.account
		}
		d.note(e)
		return err
	}
	switch c.Status {
	case RequestRetrieved:
		d.note(Event{Case: r.id, Account: r.account, Step: StepCallback, Done: true, Detail: c.Status})
	case PresentationError:
		d.close(r, StepCallback, refuse(errorCode(c.Code), "the wallet presented nothing that holds: %s", c.Message))
	case PresentationVerified:
		d.note(Event{Case: r.id, Account: r.account, Step: StepCallback, Done: true, Detail: c.Status})
		d.decide(ctx, r, c)
	}
	return nil
}

// errorCode is the code of the service's, or what stands for none.
func errorCode(code string) string {
	if code == "" {
		return RequestFailed
	}
	return code
}

// accept authenticates a callback and notes on its case that it came. The case is
// returned with an error, too, where the callback names one.
func (d *Desk) accept(c Callback) (*record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// 7a. The state names a request.
	r := d.find(func(r *record) bool {
		return r.request.state != "" && hmac.Equal([]byte(r.request.state), []byte(c.State))
	})
	if r == nil {
		return nil, refuse(CallbackUnknown, "the callback is of no request that stands")
	}
	// 7b. Whoever sends it has the key that went with this request.
	key := sha256.Sum256([]byte(c.Key))
	if !hmac.Equal(key[:], r.request.key[:]) {
		return r, refuse(CallbackForbidden, "the callback has not the api-key of its request")
	}
	if c.Request != r.request.id {
		return r, refuse(CallbackUnknown, "the callback names request %q, want that of its state", c.Request)
	}
	// 7c. It comes in time, in order, and once.
	d.expire(r)
	switch {
	case r.request.done:
		return r, refuse(CallbackReplayed, "the last callback of this request came before")
	case !Open(r.state):
		return r, refuse(r.reason, "this recovery is over: %s", r.detail)
	}
	switch c.Status {
	case RequestRetrieved:
		if r.state == Retrieved {
			return r, refuse(CallbackReplayed, "this request was retrieved before")
		}
		r.state = Retrieved
	case PresentationVerified, PresentationError:
		r.request.done = true
	default:
		return r, refuse(CallbackMalformed, "requestStatus %q: want %s, %s or %s", c.Status, RequestRetrieved, PresentationVerified, PresentationError)
	}
	return r, nil
}
