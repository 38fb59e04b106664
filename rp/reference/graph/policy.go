package graph

import (
	"net/http"
	"strings"

	"fido-emu/rp"
)

type preferencesJSON struct {
	State   string        `json:"state"`
	Include []excludeJSON `json:"includeTargets"`
	Exclude []excludeJSON `json:"excludeTargets"`
}

func (s *Service) showPolicy(*http.Request) (int, any, error) {
	p := s.tenant.CredentialPreferences()
	return http.StatusOK, map[string]any{
		"@odata.context": "$metadata#authenticationMethodsPolicy", "id": "authenticationMethodsPolicy", "displayName": "Authentication Methods Policy",
		"systemCredentialPreferences": preferencesJSON{p.State, groupTargets(p.Include), groupTargets(p.Exclude)},
	}, nil
}

func groupTargets(ids []string) []excludeJSON {
	all := []excludeJSON{}
	for _, id := range ids {
		all = append(all, excludeJSON{"group", id})
	}
	return all
}

func (s *Service) setPolicy(r *http.Request) (int, any, error) {
	var in struct {
		Preferences *preferencesJSON `json:"systemCredentialPreferences"`
	}
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Preferences == nil {
		return 0, nil, bad("systemCredentialPreferences is what can be set here.")
	}
	p := CredentialPreferences{State: in.Preferences.State}
	if p.State != "default" && p.State != "enabled" && p.State != "disabled" {
		return 0, nil, bad("state must be default, enabled or disabled.")
	}
	var err error
	if p.Include, err = s.ids(in.Preferences.Include); err == nil {
		p.Exclude, err = s.ids(in.Preferences.Exclude)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.tenant.SetCredentialPreferences(p)
}

// ids returns the ids of targets, which must be groups.
func (s *Service) ids(targets []excludeJSON) (ids []string, err error) {
	for _, t := range targets {
		if _, err := s.nameOf(t.Type, t.ID); err != nil {
			return nil, err
		}
		ids = append(ids, t.ID)
	}
	return ids, nil
}

// signIns lists the log of sign-ins, newest first.
func (s *Service) signIns(r *http.Request) (int, any, error) {
	by, value, err := filter(r, "userPrincipalName")
	if err != nil {
		return 0, nil, err
	}
	all := s.tenant.SignIns()
	var found []rp.SignInEntry
	for i := len(all) - 1; i >= 0; i-- {
		if by == "" || strings.EqualFold(all[i].UserPrincipalName, value) {
			found = append(found, all[i])
		}
	}
	return collection(r, "auditLogs/signIns", found)
}

// confirmCompromised tells of users whose accounts somebody else has.
func (s *Service) confirmCompromised(r *http.Request) (int, any, error) {
	var in struct {
		Users []string `json:"userIds"`
	}
	if _, err := read(r, &in); err != nil {
		return 0, nil, err
	}
	if len(in.Users) == 0 || len(in.Users) > 60 {
		return 0, nil, bad("userIds must name 1 to 60 users.")
	}
	for _, id := range in.Users {
		if _, err := s.tenant.User(id); err != nil {
			return 0, nil, err
		}
	}
	for _, id := range in.Users {
		if err := s.tenant.ConfirmCompromised(id); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusNoContent, nil, nil
}
