package reference

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fido-emu/rp"
	"fido-emu/rp/reference/graph"
)

// adminSession is how long an administrator stays signed in on the pages.
const adminSession = time.Hour

func (s *server) routeAdmin(mux *http.ServeMux) {
	mux.Handle("POST /api/admin/session", action(s.adminSignIn))
	mux.Handle("DELETE /api/admin/session", action(s.adminSignOut))
	for route, handle := range map[string]action{
		"GET /api/admin/people":                       s.listPeople,
		"POST /api/admin/people":                      s.addPerson,
		"GET /api/admin/people/{name}":                s.showPerson,
		"POST /api/admin/expected":                    s.expectPerson,
		"PUT /api/admin/people/{name}/groups":         s.setGroups,
		"POST /api/admin/people/{name}/passes":        s.issuePass,
		"DELETE /api/admin/people/{name}/sessions":    s.revokeSessions,
		"DELETE /api/admin/people/{name}/credentials": s.revokeCredentials,
		"GET /api/admin/policies":                     s.listPolicies,
		"PUT /api/admin/policies":                     s.setPolicy,
		"GET /api/admin/passkey-profiles":             s.showProfiles,
		"PUT /api/admin/passkey-profiles":             s.setProfiles,
		"GET /api/admin/metadata":                     s.showMetadata,
		"PUT /api/admin/metadata":                     s.setMetadata,
		"GET /api/admin/groups":                       s.listGroups,
		"POST /api/admin/groups":                      s.addGroup,
		"GET /api/admin/audit":                        s.showAudit,
	} {
		mux.Handle(route, s.adminOnly(handle))
	}
	mux.Handle("GET /admin.js", file("admin.js", "text/javascript; charset=utf-8"))
	mux.Handle("GET /admin.css", file("admin.css", "text/css; charset=utf-8"))
	service := graph.New(graph.Config{
		Token: s.core.config.AdminToken, Now: s.core.config.Now, Limit: s.core.config.GraphLimit,
	}, tenant{s.core})
	for _, version := range []string{graph.V1, graph.Beta} {
		mux.Handle(graphRoot+version+"/", http.StripPrefix(graphRoot+version, service.Handler(version)))
	}
}

// graphRoot is where Microsoft Graph is. The administrator's token opens it as a bearer
// and in no other way, so that pages of other origins can do nothing there.
const graphRoot = "/graph/"

// adminOnly lets pass who has the token, as a bearer or by way of the cookie that
// stands for it.
func (s *server) adminOnly(next action) action {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		bearer, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if isBearer && s.isAdminToken(bearer) || s.isAdminCookie(s.cookie(r, adminCookie)) {
			return next(w, r)
		}
		return nil, refuse(AdminRequired, "only an administrator may do this")
	}
}

func (s *server) isAdminToken(given string) bool {
	want := s.core.config.AdminToken
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return want != "" && hmac.Equal(a[:], b[:])
}

// adminSignature signs the end of an administrator's session.
func (s *server) adminSignature(expires string) string {
	mac := hmac.New(sha256.New, []byte(s.core.config.AdminToken))
	mac.Write([]byte("administrator until " + expires))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (s *server) isAdminCookie(value string) bool {
	expires, signature, ok := strings.Cut(value, ".")
	unix, err := strconv.ParseInt(expires, 10, 64)
	return ok && err == nil && s.core.config.AdminToken != "" &&
		s.core.now().Before(time.Unix(unix, 0)) &&
		hmac.Equal([]byte(signature), []byte(s.adminSignature(expires)))
}

func (s *server) adminSignIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var body adminSignInJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	if !s.isAdminToken(body.Token) {
		return nil, refuse(AdminRequired, "this is not the administrator's token")
	}
	until := s.core.now().Add(adminSession)
	expires := strconv.FormatInt(until.Unix(), 10)
	s.setCookie(w, adminCookie, expires+"."+s.adminSignature(expires), until)
	return nil, nil
}

func (s *server) adminSignOut(w http.ResponseWriter, _ *http.Request) (any, error) {
	s.setCookie(w, adminCookie, "", time.Time{})
	return nil, nil
}

func (s *server) listPeople(_ http.ResponseWriter, r *http.Request) (any, error) {
	offset, err := number(r, "offset", 0)
	if err != nil {
		return nil, err
	}
	limit, err := number(r, "limit", 50)
	if err != nil {
		return nil, err
	}
	accounts, total := s.core.People(offset, min(limit, 200))
	answer := peopleJSON{People: []accountJSON{}, Total: total}
	for _, a := range accounts {
		answer.People = append(answer.People, accountJSON{a, s.core.wire(a.Credentials)})
	}
	return answer, nil
}

func (s *server) addPerson(w http.ResponseWriter, r *http.Request) (any, error) {
	var p rp.Person
	if err := read(w, r, &p); err != nil {
		return nil, err
	}
	return nil, s.core.AddPerson(p)
}

func (s *server) showPerson(_ http.ResponseWriter, r *http.Request) (any, error) {
	a, err := s.core.Account(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return accountJSON{a, s.core.wire(a.Credentials)}, nil
}

func (s *server) expectPerson(w http.ResponseWriter, r *http.Request) (any, error) {
	var body expectJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	return nil, s.core.Expect(body.Name, body.Groups)
}

func (s *server) setGroups(w http.ResponseWriter, r *http.Request) (any, error) {
	var body groupsJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	return nil, s.core.SetGroups(r.PathValue("name"), body.Groups)
}

func (s *server) issuePass(w http.ResponseWriter, r *http.Request) (any, error) {
	var body passRequestJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	if body.LifetimeMinutes < 0 || body.LifetimeMinutes > int64(MaxPassLifetime/time.Minute) {
		return nil, refuse(BadLifetime, "a pass lasts 10 to 43200 whole minutes, not %d", body.LifetimeMinutes)
	}
	text, err := s.core.IssuePass(PassRequest{
		Person: r.PathValue("name"), Start: body.Start, Once: body.Once,
		Lifetime: time.Duration(body.LifetimeMinutes) * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	return passJSON{text}, nil
}

func (s *server) revokeSessions(_ http.ResponseWriter, r *http.Request) (any, error) {
	return nil, s.core.RevokeSessions(r.PathValue("name"))
}

func (s *server) revokeCredentials(_ http.ResponseWriter, r *http.Request) (any, error) {
	var ids [][]byte
	for _, text := range r.URL.Query()["id"] {
		id, err := credentialID(text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return nil, s.core.RevokeCredentials(r.PathValue("name"), ids...)
}

func (s *server) listPolicies(http.ResponseWriter, *http.Request) (any, error) {
	return policiesJSON{s.core.Policies()}, nil
}

func (s *server) setPolicy(w http.ResponseWriter, r *http.Request) (any, error) {
	var body GroupPolicy
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	return nil, s.core.SetPolicy(body.Group, body.Policy)
}

func (s *server) showProfiles(http.ResponseWriter, *http.Request) (any, error) {
	return s.core.PasskeyProfiles(), nil
}

func (s *server) setProfiles(w http.ResponseWriter, r *http.Request) (any, error) {
	var all rp.PasskeyProfiles
	if err := read(w, r, &all); err != nil {
		return nil, err
	}
	return nil, s.core.SetPasskeyProfiles(all)
}

func (s *server) showMetadata(http.ResponseWriter, *http.Request) (any, error) {
	return s.core.metadataJSON(), nil
}

// maxMetadata is the most that a metadata BLOB may be, in bytes; the FIDO Alliance's own
// had some 6 MB in 2026.
const maxMetadata = 32 << 20

func (s *server) setMetadata(w http.ResponseWriter, r *http.Request) (any, error) {
	var body metadataUploadJSON
	if err := readUpTo(maxMetadata, w, r, &body); err != nil {
		return nil, err
	}
	return nil, s.core.SetMetadata([]byte(body.BLOB))
}

func (s *server) listGroups(http.ResponseWriter, *http.Request) (any, error) {
	return groupsJSON{s.core.GroupNames()}, nil
}

func (s *server) addGroup(w http.ResponseWriter, r *http.Request) (any, error) {
	var body nameJSON
	if err := read(w, r, &body); err != nil {
		return nil, err
	}
	return nil, s.core.AddGroup(body.Name)
}

func (s *server) showAudit(_ http.ResponseWriter, r *http.Request) (any, error) {
	after, err := number(r, "after", 0)
	if err != nil {
		return nil, err
	}
	limit, err := number(r, "limit", 100)
	if err != nil {
		return nil, err
	}
	answer := auditJSON{Events: []eventJSON{}}
	for _, e := range s.core.Audit(uint64(after), min(limit, 1000)) {
		answer.Events = append(answer.Events, eventJSON{e, e.Credential})
	}
	return answer, nil
}

// number reads a member of the query, a count.
func number(r *http.Request, name string, otherwise int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refuse(BadRequest, "%s=%s: want a number that is not negative", name, text)
	}
	return n, nil
}
