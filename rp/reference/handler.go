package reference

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
)

// maxBody is the most that a request may hold, in bytes: a registration with a
// chain of certificates and post-quantum keys fits.
const maxBody = 128 << 10

// Handler returns the HTTP API and the pages of a relying party. The package
// comment lists the routes.
func Handler(core *Core) http.Handler {
	s := &server{core: core, secure: true}
	for _, o := range core.config.Origins {
		s.secure = s.secure && !strings.HasPrefix(o, "http:")
	}
	mux := http.NewServeMux()
	s.routeAPI(mux)
	s.routeAdmin(mux)
	s.routeMethods(mux)
	s.routeRecovery(mux)
	s.routePages(mux)
	return s.durable(s.guard(mux))
}

// server answers HTTP requests for a core.
type server struct {
	core   *Core
	secure bool // cookies travel over TLS only
}

func (s *server) routeAPI(mux *http.ServeMux) {
	for route, handle := range map[string]action{
		"GET /api/config":              s.showConfig,
		"POST /api/register/begin":     s.beginRegistration,
		"POST /api/register/finish":    s.finishRegistration,
		"POST /api/signin/begin":       s.beginSignIn,
		"POST /api/signin/finish":      s.finishSignIn,
		"POST /api/recovery/redeem":    s.redeemPass,
		"GET /api/session":             s.showSession,
		"DELETE /api/session":          s.signOut,
		"GET /api/credentials":         s.listCredentials,
		"PATCH /api/credentials/{id}":  s.renameCredential,
		"DELETE /api/credentials/{id}": s.deleteCredential,
		"/api/":                        noRoute,
	} {
		mux.Handle(route, handle)
	}
}

// action answers a request of the API with a value for JSON, nil for none.
type action func(w http.ResponseWriter, r *http.Request) (any, error)

// ServeHTTP writes the answer of an action.
func (a action) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	v, err := a(w, r)
	switch {
	case err != nil:
		writeError(w, err)
	case v == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, http.StatusOK, v)
	}
}

func writeError(w http.ResponseWriter, err error) {
	var no *rp.Refused
	if errors.As(err, &no) {
		writeJSON(w, statusOf(no.Code), errorJSON{no.Code, no.Reason})
		return
	}
	writeJSON(w, http.StatusInternalServerError, errorJSON{"broken", err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"code":"broken","reason":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // whoever asked may have left
}

// read reads the body of a request into v, strictly.
func read(w http.ResponseWriter, r *http.Request, v any) error { return readUpTo(maxBody, w, r, v) }

func readUpTo(limit int64, w http.ResponseWriter, r *http.Request, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(BadRequest, "the content type is %q, want application/json", r.Header.Get("Content-Type"))
	}
	body := bufio.NewReader(http.MaxBytesReader(w, r.Body, limit))
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := wantObject(body)
	if err == nil {
		err = d.Decode(v)
	}
	if err == nil {
		if _, extra := d.Token(); extra != io.EOF {
			err = errors.New("more after the end")
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return refuse(TooLarge, "the request holds more than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return refuse(BadRequest, "the body cannot be read: %v", err)
	}
	return nil
}

// wantObject looks whether a JSON object begins here: null, which encoding/json takes for
// the value of anything, would clear a policy.
func wantObject(body *bufio.Reader) error {
	for {
		b, err := body.ReadByte()
		switch {
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case b == '{':
			return body.UnreadByte()
		case !strings.ContainsRune(" \t\r\n", rune(b)):
			return errors.New("it is no JSON object")
		}
	}
}

// guard keeps foreign pages out: what changes something must come from a page of
// one of our origins, and no page may frame ours or load anything from elsewhere.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors "+s.embedders())
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Path == CallbackPath || strings.HasPrefix(r.URL.Path, graphRoot)
		origin, ours := r.Header.Get("Origin"), s.core.config.Origins
		if public := s.core.office.public; public != "" && r.URL.Path == continuePath { // a phone opened the page there
			ours = append(slices.Clone(ours), public)
		}
		if !safe && !slices.Contains(ours, origin) {
			writeError(w, refuse(OriginForbidden, "the request has Origin %q, want one of %s", origin, strings.Join(ours, " ")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// embedders returns which pages may frame ours.
func (s *server) embedders() string {
	if len(s.core.config.TopOrigins) == 0 {
		return "'none'"
	}
	return strings.Join(s.core.config.TopOrigins, " ")
}

const (
	sessionCookie = "session"
	adminCookie   = "admin"
)

func (s *server) setCookie(w http.ResponseWriter, name, value string, expires time.Time) {
	c := &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/",
		MaxAge:   int(expires.Sub(s.core.now()).Seconds()), // not Expires: a browser has another clock than a scenario
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	if len(s.core.config.TopOrigins) > 0 && s.secure { // in frames of foreign pages, each with a session of its own
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	http.SetCookie(w, c)
}

// cookieName adds the prefix that makes browsers insist on TLS and on this host.
func (s *server) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *server) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

func noRoute(_ http.ResponseWriter, r *http.Request) (any, error) {
	return nil, refuse(NotFound, "there is no %s %s", r.Method, r.URL.Path)
}
