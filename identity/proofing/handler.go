package proofing

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// The most that bodies may hold, in bytes.
const (
	maxJSON    = 64 << 10
	maxPicture = 8 << 20
)

// routes are those of the package comment. Paths below /admin/ and /.well-known/ are
// told apart first, because a provider's name could stand there.
func (s *Service) routes() http.Handler {
	mux := http.NewServeMux()
	s.routeRelying(mux)
	s.routePerson(mux)
	s.routePages(mux)
	mux.Handle("/{provider}/issuer/", s.at(s.serveIssuer))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, refuse(http.StatusNotFound, CodeNotFound, "there is nothing at %s %s", r.Method, firstSegment(r.URL.Path)))
	})
	admin := s.adminRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer") // links are secrets
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch first := firstSegment(r.URL.Path); first {
		case "/admin":
			admin.ServeHTTP(w, r)
		case "/.well-known":
			s.wellKnown(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// firstSegment is the part of a path that is never a secret.
func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + first
}

// wellKnown hands metadata at the root to the issuer whose path stands after it
// (OpenID4VCI 1.0, section 12.2.2), and says for all of them that the origin is theirs.
func (s *Service) wellKnown(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/.well-known/did-configuration.json" {
		s.serveLinkage(w)
		return
	}
	for _, p := range s.config.Providers {
		if h := s.houses[p.ID]; strings.HasSuffix(r.URL.Path, "/"+p.ID+"/issuer") && !s.fault(h).Down {
			h.issuer.ServeHTTP(w, r)
			return
		}
	}
	fail(w, errNotFound("document"))
}

// served answers a request to a provider; an error becomes the answer.
type served func(*house, http.ResponseWriter, *http.Request) error

// at finds the provider of a path, and lets it fail as it is told to. Errors are told
// in JSON.
func (s *Service) at(f served) http.Handler {
	return s.atOr(f, func(_ *house, w http.ResponseWriter, _ *http.Request, err error) { fail(w, err) })
}

// atOr is at, where errors are told otherwise once the provider is found.
func (s *Service) atOr(f served, tell func(*house, http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := s.houses[r.PathValue("provider")]
		if h == nil {
			fail(w, errNotFound("provider"))
			return
		}
		fault := s.fault(h)
		if fault.Down || fault.Delay > 0 && s.config.Sleep(r.Context(), fault.Delay) != nil {
			tell(h, w, r, errDown(h))
			return
		}
		if err := f(h, w, r); err != nil {
			tell(h, w, r, err)
		}
	})
}

func errDown(h *house) error {
	return refuse(http.StatusServiceUnavailable, CodeDown, "%s does not answer; try again later", h.Title)
}

func fail(w http.ResponseWriter, err error) {
	e := refusalOf(err)
	answer(w, e.Status, map[string]*Refusal{"error": e})
}

// refusalOf is what is told of an error.
func refusalOf(err error) *Refusal {
	if e, ok := errors.AsType[*Refusal](err); ok {
		return e
	}
	return &Refusal{Status: http.StatusInternalServerError, Code: CodeNotSaved, Message: err.Error()}
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // whoever asked may have left
}

// body reads a body up to a limit.
func body(r *http.Request, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, CodeBadRequest, "the body ended early: %v", err)
	}
	if int64(len(b)) > limit {
		return nil, refuse(http.StatusRequestEntityTooLarge, CodeTooLarge, "more than %d bytes", limit)
	}
	return b, nil
}

// read reads JSON with no members but known ones.
func read(r *http.Request, limit int64, v any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, CodeBadRequest, "the content type is %q, want application/json", r.Header.Get("Content-Type"))
	}
	b, err := body(r, limit)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return refuse(http.StatusBadRequest, CodeBadRequest, "the body is not JSON as documented: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, CodeBadRequest, "there is something after the JSON")
	}
	return nil
}

// bearer returns the key of a request.
func bearer(r *http.Request) string {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return key
}
