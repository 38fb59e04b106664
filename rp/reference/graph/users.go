package graph

import (
	"net/http"
	"slices"
	"strings"
)

type userJSON struct {
	ID          string `json:"id"`
	Name        string `json:"userPrincipalName"`
	DisplayName string `json:"displayName"`
}

func (u User) json() userJSON { return userJSON{u.ID, u.Name, u.DisplayName} }

func (s *Service) listUsers(r *http.Request) (int, any, error) {
	by, value, err := filter(r, "userPrincipalName", "displayName")
	if err != nil {
		return 0, nil, err
	}
	var found []userJSON
	for _, u := range s.tenant.Users() {
		if by == "" || by == "displayName" && u.DisplayName == value || by == "userPrincipalName" && strings.EqualFold(u.Name, value) {
			found = append(found, u.json())
		}
	}
	return collection(r, "users", found)
}

func (s *Service) addUser(r *http.Request) (int, any, error) {
	var in struct {
		Enabled  *bool  `json:"accountEnabled"`
		Display  string `json:"displayName"`
		Nickname string `json:"mailNickname"`
		Name     string `json:"userPrincipalName"`
		Password *struct {
			Force    bool   `json:"forceChangePasswordNextSignIn"`
			Password string `json:"password"`
		} `json:"passwordProfile"`
	}
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Enabled == nil || in.Display == "" || in.Nickname == "" || len(in.Nickname) > 64 || in.Name == "" || in.Password == nil {
		return 0, nil, failure{http.StatusBadRequest, "Request_BadRequest", "One or more properties contains invalid values: accountEnabled, displayName, mailNickname, userPrincipalName and passwordProfile are required."}
	}
	if _, err := s.tenant.User(in.Name); err == nil {
		return 0, nil, failure{http.StatusBadRequest, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists."}
	}
	u, err := s.tenant.AddUser(in.Name, in.Display)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, u.json(), nil
}

func (s *Service) showUser(r *http.Request) (int, any, error) {
	u, err := s.tenant.User(r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, u.json(), nil
}

func (s *Service) revoke(r *http.Request) (int, any, error) {
	if err := s.tenant.RevokeSessions(r.PathValue("user")); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"@odata.context": "$metadata#Edm.Boolean", "value": true}, nil
}

type groupJSON struct {
	Type        string `json:"@odata.type,omitempty"`
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
}

func (s *Service) memberOf(r *http.Request) (int, any, error) {
	u, err := s.tenant.User(r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	var found []groupJSON
	for _, g := range s.tenant.Groups() {
		if slices.Contains(u.Groups, g.ID) {
			found = append(found, groupJSON{"#microsoft.graph.group", g.ID, g.Name})
		}
	}
	return collection(r, "directoryObjects", found)
}

func (s *Service) listGroups(r *http.Request) (int, any, error) {
	by, value, err := filter(r, "displayName")
	if err != nil {
		return 0, nil, err
	}
	var found []groupJSON
	for _, g := range s.tenant.Groups() {
		if by == "" || g.Name == value {
			found = append(found, groupJSON{ID: g.ID, DisplayName: g.Name})
		}
	}
	return collection(r, "groups", found)
}

func (s *Service) addGroup(r *http.Request) (int, any, error) {
	var in struct {
		DisplayName     string   `json:"displayName"`
		Description     string   `json:"description"`
		MailNickname    string   `json:"mailNickname"`
		MailEnabled     *bool    `json:"mailEnabled"`
		SecurityEnabled *bool    `json:"securityEnabled"`
		GroupTypes      []string `json:"groupTypes"`
	}
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	if in.DisplayName == "" || in.MailNickname == "" || in.MailEnabled == nil || in.SecurityEnabled == nil {
		return 0, nil, failure{http.StatusBadRequest, "Request_BadRequest", "One or more properties contains invalid values: displayName, mailNickname, mailEnabled and securityEnabled are required."}
	}
	g, err := s.tenant.AddGroup(in.DisplayName)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, groupJSON{ID: g.ID, DisplayName: g.Name}, nil
}

// group finds the group of a path.
func (s *Service) group(r *http.Request) (Group, error) {
	id := r.PathValue("group")
	for _, g := range s.tenant.Groups() {
		if g.ID == id {
			return g, nil
		}
	}
	return Group{}, unknown(id)
}

func (s *Service) showGroup(r *http.Request) (int, any, error) {
	g, err := s.group(r)
	return http.StatusOK, groupJSON{ID: g.ID, DisplayName: g.Name}, err
}

func (s *Service) members(r *http.Request) (int, any, error) {
	g, err := s.group(r)
	if err != nil {
		return 0, nil, err
	}
	type member struct {
		Type string `json:"@odata.type"`
		userJSON
	}
	var found []member
	for _, u := range s.tenant.Users() {
		if slices.Contains(u.Groups, g.ID) {
			found = append(found, member{"#microsoft.graph.user", u.json()})
		}
	}
	return collection(r, "directoryObjects", found)
}

func (s *Service) addMember(r *http.Request) (int, any, error) {
	var in struct {
		ID string `json:"@odata.id"`
	}
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	g, err := s.group(r)
	if err != nil {
		return 0, nil, err
	}
	_, key, ok := strings.Cut(in.ID, "/directoryObjects/")
	if !ok {
		return 0, nil, bad("@odata.id must be the address of a directory object, …/directoryObjects/{id}.")
	}
	u, err := s.tenant.User(key)
	if err != nil {
		return 0, nil, err
	}
	if slices.Contains(u.Groups, g.ID) {
		return 0, nil, failure{http.StatusBadRequest, "Request_BadRequest", "One or more added object references already exist for the following modified properties: 'members'."}
	}
	return http.StatusNoContent, nil, s.tenant.SetMember(u.ID, g.ID, true)
}

func (s *Service) removeMember(r *http.Request) (int, any, error) {
	g, err := s.group(r)
	if err != nil {
		return 0, nil, err
	}
	u, err := s.tenant.User(r.PathValue("user"))
	if err != nil {
		return 0, nil, err
	}
	if !slices.Contains(u.Groups, g.ID) {
		return 0, nil, unknown(u.ID)
	}
	return http.StatusNoContent, nil, s.tenant.SetMember(u.ID, g.ID, false)
}
