package request

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"fido-emu/identity/credential"
)

// ServeHTTP serves the paths that the package comment lists, under the path of the base
// URL.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Service) routes() *http.ServeMux {
	mux := http.NewServeMux()
	prefix := ""
	if u, err := url.Parse(s.base); err == nil {
		prefix = u.Path
	}
	handle := func(method, path string, serve func(http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(prefix+path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, method, serve) })
	}
	handle("POST", "/v1.0/verifiableCredentials/createPresentationRequest", s.serveCreate)
	handle("GET", "/v1.0/verifiableCredentials/presentations/{id}", s.servePresented)
	handle("GET", "/v1.0/{tenant}/verifiableCredentials/presentationRequests/{id}", s.serveObject)
	handle("POST", "/v1.0/{tenant}/verifiableCredentials/present", s.servePresent)
	handle("GET", "/{tenant}/did.json", s.serveDocument)
	handle("", "/", func(http.ResponseWriter, *http.Request) error {
		return fault(http.StatusNotFound, NotFound, "", "There is nothing at this path.")
	})
	return mux
}

// failure is an error that has an HTTP status and an inner error.
type failure struct {
	status int
	inner  InnerError
}

func (f *failure) Error() string { return f.inner.Message }

func fault(status int, code Code, target, message string) error {
	return &failure{status, InnerError{code, message, target}}
}

// serve lets one method in and answers errors in the service's envelope.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, method string, serve func(http.ResponseWriter, *http.Request) error) {
	r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
	err := error(nil)
	if method != "" && r.Method != method {
		w.Header().Set("Allow", method)
		err = fault(http.StatusMethodNotAllowed, BadOrMissingField, "", "This path takes "+method+".")
	} else {
		err = serve(w, r)
	}
	if err != nil {
		s.refuse(w, err)
	}
}

// refuse writes an error ("Request Service API error codes").
func (s *Service) refuse(w http.ResponseWriter, err error) {
	var field *invalid
	var f *failure
	switch {
	case errors.As(err, &field):
		f = &failure{http.StatusBadRequest, InnerError{BadOrMissingField, field.message, field.target}}
	case !errors.As(err, &f):
		f = &failure{http.StatusInternalServerError, InnerError{TransientError, err.Error(), ""}}
	}
	outer := outerErrors[f.status]
	writeJSON(w, f.status, ErrorResponse{
		RequestID: s.hexID(16), Date: s.config.Now().UTC().Format(http.TimeFormat), MSCV: s.hexID(8) + ".1",
		Error: APIError{Code: outer[0], Message: outer[1], InnerError: f.inner},
	})
}

// outerErrors are the documented codes and messages of the statuses in use.
var outerErrors = map[int][2]string{
	http.StatusBadRequest:            {"badRequest", "The request is invalid."},
	http.StatusUnauthorized:          {"unauthorized", "The requested resource requires authentication"},
	http.StatusForbidden:             {"forbidden", "Missing permissions to fulfill this request."},
	http.StatusNotFound:              {"notFound", "The requested resource doesn't exist."},
	http.StatusMethodNotAllowed:      {"methodNotAllowed", "The requested method isn't allowed on the requested resource."},
	http.StatusConflict:              {"conflict", "The server can't fulfill the request due to a server conflict."},
	http.StatusGone:                  {"gone", "The requested resource is no longer available."},
	http.StatusRequestEntityTooLarge: {"payloadTooLarge", "The payload is too large."},
	http.StatusUnsupportedMediaType:  {"unsupportedMediaType", "The specified media type is unsupported."},
	http.StatusInternalServerError:   {"internalServerError", "A generic error has occurred on the server."},
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone, then
}

// authenticate returns the tenant whose token the request has.
func (s *Service) authenticate(r *http.Request) (*tenant, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	t := s.tenant(func(t *tenant) bool { return sameSecret(t.Token, token) })
	if t == nil {
		return nil, fault(http.StatusUnauthorized, TokenError, "Authorization", "The access token is missing or not one of a tenant.")
	}
	return t, nil
}

// readBody reads a body of a content type.
func readBody(r *http.Request, want string) ([]byte, error) {
	if got, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); got != want {
		return nil, fault(http.StatusUnsupportedMediaType, BadOrMissingField, "Content-Type", fmt.Sprintf("The body is %q, not %s.", got, want))
	}
	body, err := io.ReadAll(r.Body)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, fault(http.StatusRequestEntityTooLarge, BadOrMissingField, "", fmt.Sprintf("The body is longer than %d bytes.", long.Limit))
	case err != nil:
		return nil, fault(http.StatusBadRequest, BadOrMissingField, "", "The body ended early: "+err.Error())
	}
	return body, nil
}

// serveCreate is createPresentationRequest.
func (s *Service) serveCreate(w http.ResponseWriter, r *http.Request) error {
	t, err := s.authenticate(r)
	if err != nil {
		return err
	}
	body, err := readBody(r, "application/json")
	if err != nil {
		return err
	}
	request, err := parse(body)
	if err != nil {
		return err
	}
	if request.Authority != t.did {
		return bad("authority", "it is not the decentralized identifier of your tenant")
	}
	if request.wantsFaceCheck() && s.config.Faces == nil {
		return fault(http.StatusForbidden, BadOrMissingField, "faceCheck", "Face Check is not enabled for this tenant.")
	}
	created, err := s.create(t, request)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, created)
	return nil
}

// serveObject is what a wallet reads first. The relying party hears of it once.
func (s *Service) serveObject(w http.ResponseWriter, r *http.Request) error {
	object, err := s.retrieve(r.PathValue("tenant"), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.deliverNow(r.Context())
	w.Header().Set("Content-Type", "application/jwt")
	w.Header().Set("Cache-Control", "no-store")
	io.WriteString(w, object) //nolint:errcheck // the client is gone, then
	return nil
}

// retrieve returns a request object and notes that it was fetched.
func (s *Service) retrieve(name, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.find(func(x *session) bool { return x.ID == id && x.Tenant == name })
	t := s.tenant(func(t *tenant) bool { return t.Name == name })
	if err := s.standing(x); err != nil {
		return "", err
	}
	if x.Status == "" {
		x.Status = Retrieved
		s.enqueue(x, Event{RequestStatus: Retrieved})
		if err := s.save(); err != nil {
			x.Status, s.outbox = "", s.outbox[:len(s.outbox)-1]
			return "", err
		}
	}
	return s.object(t, x)
}

// standing refuses what cannot be presented to; s.mu is held.
func (s *Service) standing(x *session) error {
	switch {
	case x == nil:
		return fault(http.StatusNotFound, NotFound, "presentationRequests", "There is no such presentation request.")
	case x.over():
		return fault(http.StatusGone, NotFound, x.ID, "This presentation request was answered already: ask for another.")
	case !s.config.Now().Before(x.Expires):
		return fault(http.StatusGone, NotFound, x.ID, "This presentation request has expired: ask for another.")
	}
	return nil
}

// servePresented gives the tenant what was presented to it.
func (s *Service) servePresented(w http.ResponseWriter, r *http.Request) error {
	t, err := s.authenticate(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	x := s.find(func(x *session) bool { return x.ID == r.PathValue("id") && x.Tenant == t.Name })
	var p Presented
	if x != nil && x.Status == Verified {
		p = Presented{RequestID: x.ID, Audience: t.did, Nonce: x.Nonce, VPToken: x.VPToken}
	}
	s.mu.Unlock()
	if p.RequestID == "" {
		return fault(http.StatusNotFound, NotFound, r.PathValue("id"), "Nothing was presented to this request of yours.")
	}
	writeJSON(w, http.StatusOK, p)
	return nil
}

func (s *Service) serveDocument(w http.ResponseWriter, r *http.Request) error {
	t := s.tenant(func(t *tenant) bool { return t.Name == r.PathValue("tenant") })
	if t == nil {
		return fault(http.StatusNotFound, NotFound, r.PathValue("tenant"), "There is no such tenant.")
	}
	writeJSON(w, http.StatusOK, t.doc)
	return nil
}

// asRefusal returns the refusal in err, nil if it is none.
func asRefusal(err error) *credential.Refusal {
	var r *credential.Refusal
	errors.As(err, &r)
	return r
}
