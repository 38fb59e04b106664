package graph

import (
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pass is a temporaryAccessPassAuthenticationMethod.
type pass struct {
	ID       string    `json:"id"`
	Pass     string    `json:"temporaryAccessPass,omitempty"`
	Created  time.Time `json:"createdDateTime"`
	Start    time.Time `json:"startDateTime"`
	Lifetime int       `json:"lifetimeInMinutes"`
	Once     bool      `json:"isUsableOnce"`
	Usable   bool      `json:"isUsable"`
	Reason   string    `json:"methodUsabilityReason"`
}

func (t *Tenant) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(t.config.Rand, b); err != nil {
		panic(err) // of a source of randomness that a test gave
	}
	return b
}

func (t *Tenant) guid() string {
	h := hex.EncodeToString(t.random(16))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func (t *Tenant) user(name string) *user {
	for _, u := range t.users {
		if u.ID == name || strings.EqualFold(u.Name, name) {
			return u
		}
	}
	return nil
}

// ofUser finds the user of a path.
func (t *Tenant) ofUser(f func(r *http.Request, u *user) (int, any, error)) action {
	return func(r *http.Request) (int, any, error) {
		u := t.user(r.PathValue("user"))
		if u == nil {
			return 0, nil, failure{http.StatusNotFound, "Request_ResourceNotFound", "Resource '" + r.PathValue("user") + "' does not exist or one of its queried reference-property objects are not present."}
		}
		return f(r, u)
	}
}

func (t *Tenant) addUser(r *http.Request) (int, any, error) {
	var in struct {
		Enabled  *bool  `json:"accountEnabled"`
		Display  string `json:"displayName"`
		Nickname string `json:"mailNickname"`
		Name     string `json:"userPrincipalName"`
		Password *struct {
			Password string `json:"password"`
		} `json:"passwordProfile"`
	}
	if err := read(r, &in); err != nil {
		return 0, nil, err
	}
	switch {
	case in.Enabled == nil || in.Display == "" || in.Nickname == "" || len(in.Nickname) > 64 || in.Name == "" || in.Password == nil:
		return 0, nil, failure{http.StatusBadRequest, "Request_BadRequest", "One or more properties contains invalid values."}
	case t.user(in.Name) != nil:
		return 0, nil, failure{http.StatusBadRequest, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists."}
	}
	u := &user{ID: t.guid(), Name: in.Name, DisplayName: in.Display}
	t.users = append(t.users, u)
	return http.StatusCreated, u, nil
}

func (t *Tenant) showUser(_ *http.Request, u *user) (int, any, error) { return http.StatusOK, u, nil }

func (t *Tenant) revoke(_ *http.Request, u *user) (int, any, error) {
	u.revoked++
	return http.StatusOK, map[string]any{"@odata.context": "$metadata#Edm.Boolean", "value": true}, nil
}

var byDisplayName = regexp.MustCompile(`^displayName eq '(.*)'$`)

func (t *Tenant) findGroups(r *http.Request) (int, any, error) {
	m := byDisplayName.FindStringSubmatch(r.URL.Query().Get("$filter"))
	if m == nil {
		return 0, nil, failure{http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified."}
	}
	var found []*group
	for _, g := range t.groups {
		if g.DisplayName == m[1] {
			found = append(found, g)
		}
	}
	return http.StatusOK, collection(found), nil
}

func (t *Tenant) addMember(r *http.Request) (int, any, error) {
	var in struct {
		ID string `json:"@odata.id"`
	}
	if err := read(r, &in); err != nil {
		return 0, nil, err
	}
	u := t.user(in.ID[strings.LastIndex(in.ID, "/")+1:])
	known := slices.ContainsFunc(t.groups, func(g *group) bool { return g.ID == r.PathValue("group") })
	if u == nil || !known || !strings.Contains(in.ID, "/directoryObjects/") {
		return 0, nil, failure{http.StatusNotFound, "Request_ResourceNotFound", "Resource does not exist."}
	}
	u.groups = append(u.groups, r.PathValue("group"))
	return http.StatusNoContent, nil, nil
}

func (t *Tenant) listPasses(_ *http.Request, u *user) (int, any, error) {
	var all []pass
	if u.pass != nil {
		shown := *u.pass
		shown.Pass = "" // it is told once
		if shown.Usable = t.config.Now().Before(shown.Start.Add(time.Duration(shown.Lifetime) * time.Minute)); !shown.Usable {
			shown.Reason = "Expired"
		}
		all = append(all, shown)
	}
	return http.StatusOK, collection(all), nil
}

func (t *Tenant) issuePass(r *http.Request, u *user) (int, any, error) {
	var in struct {
		Start    time.Time `json:"startDateTime"`
		Lifetime int       `json:"lifetimeInMinutes"`
		Once     bool      `json:"isUsableOnce"`
	}
	if err := read(r, &in); err != nil {
		return 0, nil, err
	}
	switch {
	case u.pass != nil:
		return 0, nil, failure{http.StatusBadRequest, "badRequest", "The user already has a Temporary Access Pass."}
	case in.Lifetime < 10 || in.Lifetime > 43200:
		return 0, nil, failure{http.StatusBadRequest, "badRequest", fmt.Sprintf("Temporary Access Pass lifetime %d is out of range.", in.Lifetime)}
	}
	now := t.config.Now()
	if in.Start.IsZero() {
		in.Start = now
	}
	text := base32.StdEncoding.EncodeToString(t.random(10))
	u.pass = &pass{ID: t.guid(), Pass: text, Created: now, Start: in.Start, Lifetime: in.Lifetime, Once: in.Once, Usable: true, Reason: "EnabledByPolicy"}
	return http.StatusCreated, u.pass, nil
}

func (t *Tenant) deletePass(r *http.Request, u *user) (int, any, error) {
	if u.pass == nil || u.pass.ID != r.PathValue("pass") {
		return 0, nil, failure{http.StatusNotFound, "notFound", "The method does not exist."}
	}
	u.pass = nil
	return http.StatusNoContent, nil, nil
}
