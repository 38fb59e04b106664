// Package graph is a double of the parts of Microsoft Graph by which passkeys are
// administered: users, groups, fido2Methods with creationOptions, Temporary Access
// Passes, the FIDO2 policy with passkey profiles, and revoking sessions. It answers in
// Graph's shapes, errors and throttling included, and verifies what it registers. It
// is for tests; what Graph does beyond its public documentation is not known to it.
package graph

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// Config says what a tenant is like.
type Config struct {
	Token string           // that requests must bear
	RPID  string           // of the options; login.microsoft.com when empty
	Now   func() time.Time //
	Rand  io.Reader        // challenges, IDs and passes
}

// Tenant is a tenant with its users, groups and policy.
type Tenant struct {
	config Config
	mux    *http.ServeMux

	mu        sync.Mutex
	throttled int // requests that are yet to be answered with 429
	users     []*user
	groups    []*group
	policy    policy
}

type user struct {
	ID          string `json:"id"`
	Name        string `json:"userPrincipalName"`
	DisplayName string `json:"displayName"`

	groups    []string
	methods   []method
	pass      *pass
	challenge string
	expires   time.Time
	revoked   int
}

type group struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

// method is a fido2AuthenticationMethod.
type method struct {
	ID               string    `json:"id"`
	DisplayName      string    `json:"displayName"`
	Created          time.Time `json:"createdDateTime"`
	AAGUID           string    `json:"aaGuid"`
	Model            string    `json:"model"`
	AttestationLevel string    `json:"attestationLevel"`
	PasskeyType      string    `json:"passkeyType"`
}

// New returns a tenant with groups of these names.
func New(c Config, groups ...string) *Tenant {
	if c.RPID == "" {
		c.RPID = "login.microsoft.com"
	}
	t := &Tenant{config: c, mux: http.NewServeMux(), policy: policy{Profiles: []profile{}, Targets: []target{}}}
	for _, name := range groups {
		t.groups = append(t.groups, &group{ID: t.guid(), DisplayName: name})
	}
	const fido2 = "/users/{user}/authentication/fido2Methods"
	const passes = "/users/{user}/authentication/temporaryAccessPassMethods"
	const configuration = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2"
	for route, a := range map[string]action{
		"POST /users":       t.addUser,
		"GET /users/{user}": t.ofUser(t.showUser),
		"POST /users/{user}/revokeSignInSessions": t.ofUser(t.revoke),
		"GET /groups":                       t.findGroups,
		"POST /groups/{group}/members/$ref": t.addMember,
		"GET " + fido2 + "/creationOptions": t.ofUser(t.creationOptions),
		"POST " + fido2:                     t.ofUser(t.register),
		"GET " + fido2:                      t.ofUser(t.listMethods),
		"DELETE " + fido2 + "/{method}":     t.ofUser(t.deleteMethod),
		"GET " + passes:                     t.ofUser(t.listPasses),
		"POST " + passes:                    t.ofUser(t.issuePass),
		"DELETE " + passes + "/{pass}":      t.ofUser(t.deletePass),
		"GET " + configuration:              t.showPolicy,
		"PATCH " + configuration:            t.setPolicy,
		"/":                                 nowhere,
	} {
		t.mux.Handle(route, t.guard(a))
	}
	return t
}

// Throttle has the next n requests answered with 429 and Retry-After.
func (t *Tenant) Throttle(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.throttled = n
}

// Revoked returns how often the sessions of a user were revoked.
func (t *Tenant) Revoked(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u := t.user(name); u != nil {
		return u.revoked
	}
	return 0
}

// ServeHTTP answers a request to https://graph.microsoft.com/v1.0, of which the path
// has been taken off.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) { t.mux.ServeHTTP(w, r) }

// action answers with a status and a value for JSON, nil for none. It holds the lock.
type action func(r *http.Request) (int, any, error)

// failure is an error as Graph tells it.
type failure struct {
	status        int
	code, message string
}

func (f failure) Error() string { return f.code + ": " + f.message }

func (t *Tenant) guard(a action) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		defer t.mu.Unlock()
		status, v, err := t.answer(w, r, a)
		if err != nil {
			f, ok := err.(failure)
			if !ok {
				f = failure{http.StatusBadRequest, "badRequest", err.Error()}
			}
			stamp := t.config.Now().UTC().Format("2006-01-02T15:04:05")
			inner := map[string]string{"date": stamp, "request-id": t.guid(), "client-request-id": t.guid()}
			status, v = f.status, map[string]any{"error": map[string]any{"code": f.code, "message": f.message, "innerError": inner}}
		}
		if v == nil {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json;odata.metadata=minimal")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // whoever asked may have left
	})
}

func (t *Tenant) answer(w http.ResponseWriter, r *http.Request, a action) (int, any, error) {
	if t.throttled > 0 {
		t.throttled--
		w.Header().Set("Retry-After", "2")
		return 0, nil, failure{http.StatusTooManyRequests, "TooManyRequests", "Please retry again later."}
	}
	if r.Header.Get("Authorization") != "Bearer "+t.config.Token {
		return 0, nil, failure{http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or wrong."}
	}
	return a(r)
}

func nowhere(r *http.Request) (int, any, error) {
	return 0, nil, failure{http.StatusBadRequest, "BadRequest", "Resource not found for the segment " + r.URL.Path + "."}
}

// collection is a list as OData has it.
func collection[T any](items []T) map[string]any {
	if items == nil {
		items = []T{}
	}
	return map[string]any{"@odata.context": "$metadata", "value": items}
}

func read(r *http.Request, v any) error {
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(v); err != nil {
		return failure{http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload."}
	}
	return nil
}
