package graph

import (
	"cmp"
	"net/http"
	"slices"

	"fido-emu/rp"
)

type preferencesJSON struct {
	State   string        `json:"state"`
	Include []excludeJSON `json:"includeTargets"`
	Exclude []excludeJSON `json:"excludeTargets"`
}

func (s *Service) showPolicy(*http.Request) (int, any, error) {
	p := s.tenant.CredentialPreferences()
	shown := preferencesJSON{cmp.Or(p.State, "default"), s.asTargets(p.Include), s.asTargets(p.Exclude)}
	if len(p.Include) == 0 {
		shown.Include = []excludeJSON{{"group", rp.Everybody}}
	}
	return http.StatusOK, map[string]any{
		"@odata.context": "$metadata#authenticationMethodsPolicy", "id": "authenticationMethodsPolicy",
		"displayName": "Authentication Methods Policy", "systemCredentialPreferences": shown,
	}, nil
}

func (s *Service) asTargets(groups []string) []excludeJSON {
	all := []excludeJSON{}
	for _, name := range groups {
		all = append(all, excludeJSON{"group", s.idOf(name)})
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
	p := rp.SystemPreference{State: in.Preferences.State}
	if p.State != "default" && p.State != "enabled" && p.State != "disabled" {
		return 0, nil, bad("state must be default, enabled or disabled.")
	}
	var err error
	if p.Include, err = s.names(in.Preferences.Include); err == nil {
		p.Exclude, err = s.names(in.Preferences.Exclude)
	}
	if err != nil {
		return 0, nil, err
	}
	if slices.Contains(p.Include, rp.Everybody) {
		p.Include = nil
	}
	return http.StatusNoContent, nil, s.tenant.SetCredentialPreferences(p)
}

// names returns the names of the groups that targets are.
func (s *Service) names(targets []excludeJSON) (names []string, err error) {
	for _, t := range targets {
		name, err := s.nameOf(t.Type, t.ID)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// signIns lists the log of sign-ins, newest first.
func (s *Service) signIns(r *http.Request) (int, any, error) {
	_, name, err := filter(r, "userPrincipalName")
	if err != nil {
		return 0, nil, err
	}
	all, err := s.tenant.SignIns(name)
	if err != nil {
		return 0, nil, err
	}
	slices.Reverse(all)
	return collection(r, "auditLogs/signIns", all)
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
