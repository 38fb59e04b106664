package request

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// Thresholds of Face Check.
const (
	minThreshold     = 50
	maxThreshold     = 100
	defaultThreshold = 70
)

// invalid is an error about one field of a request.
type invalid struct{ target, message string }

func (i *invalid) Error() string { return i.message }

func missing(target string) error {
	return &invalid{target, fmt.Sprintf("The request does not contain `%s`.", target)}
}

func bad(target, format string, args ...any) error {
	return &invalid{target, fmt.Sprintf("The request contains `%s`, but %s.", target, fmt.Sprintf(format, args...))}
}

// parse reads and validates a presentation request. Its errors are *invalid.
func parse(body []byte) (*PresentationRequest, error) {
	var r PresentationRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, jsonError(err)
	}
	for _, check := range []func(*PresentationRequest) error{checkCallback, checkRegistration, checkRequested, checkReceipt} {
		if err := check(&r); err != nil {
			return nil, err
		}
	}
	return &r, nil
}

// jsonError says which field has the wrong type, in the service's words.
func jsonError(err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Field == "" {
		return &invalid{"", "The request is not a JSON object: " + err.Error() + "."}
	}
	return bad(wrong.Field, "it is not %s", typeName(wrong.Type))
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int:
		return "an integer"
	case reflect.Slice:
		return "a collection"
	case reflect.String:
		return "a string"
	}
	return "an object"
}

func checkCallback(r *PresentationRequest) error {
	c := r.Callback
	switch {
	case c == nil:
		return missing("callback")
	case c.URL == "":
		return missing("callback.url")
	case c.State == "":
		return missing("callback.state")
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.User != nil || !(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())) {
		return bad("callback.url", "it is not an absolute https URL")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !slices.Contains([]string{"Api-Key", "Authorization"}, http.CanonicalHeaderKey(name)) {
			return bad("callback.headers", "it has headers other than `api-key` and `Authorization`")
		}
		if strings.ContainsAny(c.Headers[name], "\r\n") {
			return bad("callback.headers", "a value is not that of a header")
		}
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func checkRegistration(r *PresentationRequest) error {
	switch {
	case r.Authority == "":
		return missing("authority")
	case r.Registration == nil:
		return missing("registration")
	case r.Registration.ClientName == "":
		return missing("registration.clientName")
	}
	return nil
}

func checkRequested(r *PresentationRequest) error {
	if len(r.RequestedCredentials) == 0 {
		return missing("requestedCredentials")
	}
	for i, c := range r.RequestedCredentials {
		at := fmt.Sprintf("requestedCredentials[%d]", i)
		if c.Type == "" {
			return missing(at + ".type")
		}
		if slices.ContainsFunc(c.AcceptedIssuers, func(did string) bool { return !strings.HasPrefix(did, "did:") }) {
			return bad(at+".acceptedIssuers", "not each of it is a decentralized identifier")
		}
		if err := checkFaceCheck(at+".configuration.validation.faceCheck", c.faceCheck()); err != nil {
			return err
		}
		for j, constraint := range c.Constraints {
			if err := checkConstraint(fmt.Sprintf("%s.constraints[%d]", at, j), constraint); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFaceCheck(at string, f *FaceCheck) error {
	if f == nil {
		return nil
	}
	if f.SourcePhotoClaimName == "" {
		return missing(at + ".sourcePhotoClaimName")
	}
	if t := f.threshold(); t < minThreshold || t > maxThreshold {
		return bad(at+".matchConfidenceThreshold", "it is not an integer between %d and %d", minThreshold, maxThreshold)
	}
	return nil
}

func checkConstraint(at string, c Constraint) error {
	if c.ClaimName == "" {
		return missing(at + ".claimName")
	}
	operands := 0
	for _, there := range []bool{len(c.Values) > 0, c.Contains != "", c.StartsWith != ""} {
		if there {
			operands++
		}
	}
	if operands != 1 {
		return bad(at, "it does not have exactly one of `values`, `contains` and `startsWith`")
	}
	return nil
}

func checkReceipt(r *PresentationRequest) error {
	if r.IncludeReceipt && r.wantsFaceCheck() {
		return bad("includeReceipt", "a receipt is not possible when the request includes `faceCheck`")
	}
	return nil
}

func (r *PresentationRequest) wantsFaceCheck() bool {
	return slices.ContainsFunc(r.RequestedCredentials, func(c RequestedCredential) bool { return c.faceCheck() != nil })
}

func (c RequestedCredential) validation() Validation {
	if c.Configuration == nil || c.Configuration.Validation == nil {
		return Validation{}
	}
	return *c.Configuration.Validation
}

func (c RequestedCredential) faceCheck() *FaceCheck { return c.validation().FaceCheck }

func (f *FaceCheck) threshold() int {
	if f.MatchConfidenceThreshold == nil {
		return defaultThreshold
	}
	return *f.MatchConfidenceThreshold
}

// holds tells whether a claim fulfils the constraint.
func (c Constraint) holds(value string) bool {
	value = strings.ToLower(value)
	switch {
	case c.Contains != "":
		return strings.Contains(value, strings.ToLower(c.Contains))
	case c.StartsWith != "":
		return strings.HasPrefix(value, strings.ToLower(c.StartsWith))
	}
	return slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, value) })
}
