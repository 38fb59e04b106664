package graph

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"fido-emu/rp"
)

// Config says how a tenant is served.
type Config struct {
	Token string           // that requests must bear; without one every request is refused
	Now   func() time.Time // time.Now when nil
	Rand  io.Reader        // request ids; crypto/rand when nil

	// Limit is how many requests are answered in each Window; the next ones are told
	// with 429 and Retry-After to wait. There is no limit when it is 0.
	Limit  int
	Window time.Duration // 10 seconds when 0
}

// The versions of Graph.
const (
	V1   = "v1.0"
	Beta = "beta"
)

// Service serves a tenant.
type Service struct {
	config Config
	tenant Tenant

	mu    sync.Mutex
	since time.Time // when the window began
	count int       // requests answered in it
}

// New returns the service of a tenant.
func New(c Config, t Tenant) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Window == 0 {
		c.Window = 10 * time.Second
	}
	return &Service{config: c, tenant: t}
}

// Handler answers requests to a version of Graph, V1 or Beta, of which what stands
// before the first segment of the resource has been taken off the path.
func (s *Service) Handler(version string) http.Handler {
	mux := http.NewServeMux()
	const user, group = "/users/{user}", "/groups/{group}"
	const fido2, passes = user + "/authentication/fido2Methods", user + "/authentication/temporaryAccessPassMethods"
	const policy = "/policies/authenticationMethodsPolicy"
	const configuration = policy + "/authenticationMethodConfigurations/{configuration}"
	creation := creationOptions{s, version}
	for route, a := range map[string]action{
		"GET /users":                             s.listUsers,
		"POST /users":                            s.addUser,
		"GET " + user:                            s.showUser,
		"GET " + user + "/memberOf":              s.memberOf,
		"POST " + user + "/revokeSignInSessions": s.revoke,

		"GET /groups":                              s.listGroups,
		"POST /groups":                             s.addGroup,
		"GET " + group:                             s.showGroup,
		"GET " + group + "/members":                s.members,
		"POST " + group + "/members/$ref":          s.addMember,
		"DELETE " + group + "/members/{user}/$ref": s.removeMember,

		"GET " + fido2:                   s.listPasskeys,
		"GET " + fido2 + "/{method}":     creation.or(s.showPasskey),
		"POST " + fido2:                  s.register,
		"DELETE " + fido2 + "/{method}":  s.deletePasskey,
		"GET " + passes:                  s.listPasses,
		"GET " + passes + "/{method}":    s.showPass,
		"POST " + passes:                 s.issuePass,
		"DELETE " + passes + "/{method}": s.deletePass,

		"GET " + policy:          s.showPolicy,
		"PATCH " + policy:        s.setPolicy,
		"GET " + configuration:   s.showConfiguration,
		"PATCH " + configuration: s.setConfiguration,

		"GET /auditLogs/signIns":                                 s.signIns,
		"POST /identityProtection/riskyUsers/confirmCompromised": s.confirmCompromised,
		"/": nowhere,
	} {
		mux.Handle(route, s.guard(a))
	}
	return mux
}

// action answers with a status and a value for JSON, nil for none.
type action func(r *http.Request) (status int, v any, err error)

// guard has an action answer who may ask, as often as they may.
func (s *Service) guard(a action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, v, err := 0, any(nil), s.admit(r, w.Header())
		if err == nil {
			status, v, err = a(r)
		}
		if err != nil {
			status, v = s.envelope(r, w.Header(), err)
		}
		write(w, status, v)
	})
}

// admit refuses who may not ask, or asks too often.
func (s *Service) admit(r *http.Request, answer http.Header) error {
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	given, want := sha256.Sum256([]byte(bearer)), sha256.Sum256([]byte(s.config.Token))
	if bearer == "" || s.config.Token == "" || !hmac.Equal(given[:], want[:]) {
		return failure{http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or not valid."}
	}
	if wait := s.wait(); wait > 0 {
		answer.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		return failure{http.StatusTooManyRequests, "TooManyRequests", "Too many requests: retry after the time in Retry-After."}
	}
	return nil
}

// wait counts a request and returns for how long it is too much.
func (s *Service) wait() time.Duration {
	if s.config.Limit == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	if passed := now.Sub(s.since); passed < 0 || passed >= s.config.Window {
		s.since, s.count = now, 0
	}
	if s.count >= s.config.Limit {
		return s.since.Add(s.config.Window).Sub(now)
	}
	s.count++
	return 0
}

// failure is an error as Graph tells it.
type failure struct {
	status        int
	code, message string
}

// Error returns the code and the message.
func (f failure) Error() string { return f.code + ": " + f.message }

func bad(message string) failure { return failure{http.StatusBadRequest, "badRequest", message} }

func unknown(what string) failure {
	return failure{http.StatusNotFound, "Request_ResourceNotFound", "Resource '" + what + "' does not exist or one of its queried reference-property objects are not present."}
}

func nowhere(r *http.Request) (int, any, error) {
	return 0, nil, failure{http.StatusBadRequest, "BadRequest", "Resource not found for the segment '" + strings.TrimPrefix(r.URL.Path, "/") + "', or it does not take " + r.Method + "."}
}

// envelope writes an error as Graph does. Why the tenant refused stands in innerError,
// by its own code.
func (s *Service) envelope(r *http.Request, answer http.Header, err error) (int, any) {
	inner := map[string]string{
		"date": s.config.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": s.requestID(),
		"client-request-id": r.Header.Get("client-request-id"),
	}
	if inner["client-request-id"] == "" {
		inner["client-request-id"] = inner["request-id"]
	}
	answer.Set("request-id", inner["request-id"])
	f, no := failure{http.StatusInternalServerError, "generalException", err.Error()}, (*rp.Refused)(nil)
	switch {
	case errors.As(err, &f):
	case errors.As(err, &no):
		inner["code"] = no.Code
		f = bad(no.Reason)
		if no.Status == http.StatusNotFound {
			f = failure{http.StatusNotFound, "Request_ResourceNotFound", no.Reason}
		}
	}
	return f.status, map[string]any{"error": map[string]any{"code": f.code, "message": f.message, "innerError": inner}}
}

func (s *Service) requestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b [16]byte
	_, _ = io.ReadFull(s.config.Rand, b[:]) // zeros name a request as well as nothing
	return GUID(b[:])
}

// GUID writes the first 16 bytes of b as Graph writes identifiers.
func GUID(b []byte) string {
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
