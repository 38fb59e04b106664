package graph

import (
	"net/http"
	"slices"
	"strings"

	"fido-emu/rp"
)

// configurationJSON is a fido2AuthenticationMethodConfiguration, in which a PATCH may
// leave out what is to stay.
type configurationJSON struct {
	ID           string            `json:"id,omitempty"`
	State        *string           `json:"state"`
	SelfService  *bool             `json:"isSelfServiceRegistrationAllowed"`
	Attested     *bool             `json:"isAttestationEnforced"` // of the default profile, as it was before there were profiles
	Restrictions *restrictionsJSON `json:"keyRestrictions"`       // likewise
	Default      *string           `json:"defaultPasskeyProfile"`
	Profiles     *[]profileJSON    `json:"passkeyProfiles"`
	Include      *[]targetJSON     `json:"includeTargets"`
	Exclude      *[]excludeJSON    `json:"excludeTargets"`
}

type profileJSON struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Types        string           `json:"passkeyTypes"` // with commas between
	Attestation  string           `json:"attestationEnforcement"`
	Restrictions restrictionsJSON `json:"keyRestrictions"`
}

type restrictionsJSON struct {
	Enforced bool     `json:"isEnforced"`
	Kind     string   `json:"enforcementType"`
	AAGUIDs  []string `json:"aaGuids"`
}

type targetJSON struct {
	Type     string   `json:"targetType"`
	ID       string   `json:"id"`
	Required bool     `json:"isRegistrationRequired"`
	Profiles []string `json:"allowedPasskeyProfiles"`
}

type excludeJSON struct {
	Type string `json:"targetType"`
	ID   string `json:"id"`
}

const configurationType = "#microsoft.graph.fido2AuthenticationMethodConfiguration"

// defaultProfile is the id that Graph gives the profile which stands for the settings
// from before there were profiles.
const defaultProfile = "00000000-0000-0000-0000-000000000001"

func (s *Service) showConfiguration(r *http.Request) (int, any, error) {
	if !strings.EqualFold(r.PathValue("configuration"), "fido2") {
		return 0, nil, unknown(r.PathValue("configuration"))
	}
	all := s.tenant.PasskeyProfiles()
	standing := standing(all)
	profiles, include, exclude := []profileJSON{}, []targetJSON{}, []excludeJSON{}
	for _, p := range all.Profiles {
		profiles = append(profiles, profileJSON{p.ID, p.Name, strings.Join(p.Types, ","), p.Attestation, restrictions(p.KeyRestrictions)})
	}
	for _, t := range all.Targets {
		include = append(include, targetJSON{"group", s.idOf(t.Group), t.Required, t.Profiles})
	}
	for _, g := range all.Excluded {
		exclude = append(exclude, excludeJSON{"group", s.idOf(g)})
	}
	state := "enabled"
	if all.Disabled {
		state = "disabled"
	}
	answer := map[string]any{
		"@odata.context": "$metadata#authenticationMethodConfigurations/$entity", "@odata.type": configurationType, "id": "Fido2", "state": state,
		"isSelfServiceRegistrationAllowed": !all.NoSelfService, "isAttestationEnforced": standing.Attestation == rp.AttestationAtRegistration,
		"keyRestrictions": restrictions(standing.KeyRestrictions), "passkeyProfiles": profiles, "includeTargets": include, "excludeTargets": exclude,
		"defaultPasskeyProfile": nil,
	}
	if all.Default != "" {
		answer["defaultPasskeyProfile"] = all.Default
	}
	return http.StatusOK, answer, nil
}

func restrictions(k rp.KeyRestrictions) restrictionsJSON {
	return restrictionsJSON{k.Enforced, k.Kind, append([]string{}, k.AAGUIDs...)}
}

// standing returns the default profile, or one that allows everything.
func standing(all rp.PasskeyProfiles) rp.PasskeyProfile {
	for _, p := range all.Profiles {
		if p.ID == all.Default {
			return p
		}
	}
	return rp.PasskeyProfile{
		ID: defaultProfile, Name: "Default passkey profile", Types: []string{rp.DeviceBound, rp.Synced},
		Attestation: rp.AttestationDisabled, KeyRestrictions: rp.KeyRestrictions{Kind: rp.AllowModels, AAGUIDs: []string{}},
	}
}

func (s *Service) setConfiguration(r *http.Request) (int, any, error) {
	if !strings.EqualFold(r.PathValue("configuration"), "fido2") {
		return 0, nil, unknown(r.PathValue("configuration"))
	}
	var in configurationJSON
	kind, err := read(r, &in)
	switch {
	case err != nil:
		return 0, nil, err
	case kind != configurationType:
		return 0, nil, bad("@odata.type is required, and must be " + configurationType + ".")
	case r.ContentLength > rp.MaxProfilesSize:
		return 0, nil, bad("The policy is larger than 20 KB.")
	}
	all, err := s.patched(s.tenant.PasskeyProfiles(), in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, s.tenant.SetPasskeyProfiles(all)
}

// patched returns a configuration with what a PATCH says.
func (s *Service) patched(all rp.PasskeyProfiles, in configurationJSON) (rp.PasskeyProfiles, error) {
	if in.State != nil {
		if *in.State != "enabled" && *in.State != "disabled" {
			return all, bad("state must be enabled or disabled.")
		}
		all.Disabled = *in.State == "disabled"
	}
	if in.SelfService != nil {
		all.NoSelfService = !*in.SelfService
	}
	if in.Default != nil {
		all.Default = *in.Default
	}
	if in.Profiles != nil {
		all.Profiles = nil
		for _, p := range *in.Profiles {
			all.Profiles = append(all.Profiles, p.plain())
		}
	}
	if in.Attested != nil || in.Restrictions != nil {
		all = withoutProfiles(all, in)
	}
	return all, s.patchTargets(&all, in)
}

func (p profileJSON) plain() rp.PasskeyProfile {
	types := []string{}
	for _, t := range strings.Split(p.Types, ",") {
		types = append(types, strings.TrimSpace(t))
	}
	return rp.PasskeyProfile{ID: strings.ToLower(p.ID), Name: p.Name, Types: types, Attestation: p.Attestation, KeyRestrictions: p.Restrictions.plain()}
}

func (k restrictionsJSON) plain() rp.KeyRestrictions {
	return rp.KeyRestrictions{Enforced: k.Enforced, Kind: k.Kind, AAGUIDs: k.AAGUIDs}
}

// withoutProfiles sets the default profile by what was set before there were profiles.
func withoutProfiles(all rp.PasskeyProfiles, in configurationJSON) rp.PasskeyProfiles {
	p := standing(all)
	if in.Attested != nil {
		p.Attestation = map[bool]string{true: rp.AttestationAtRegistration, false: rp.AttestationDisabled}[*in.Attested]
	}
	if in.Restrictions != nil {
		p.KeyRestrictions = in.Restrictions.plain()
	}
	all.Default = p.ID
	all.Profiles = slices.Clone(all.Profiles)
	if i := slices.IndexFunc(all.Profiles, func(o rp.PasskeyProfile) bool { return o.ID == p.ID }); i >= 0 {
		all.Profiles[i] = p
	} else {
		all.Profiles = append([]rp.PasskeyProfile{p}, all.Profiles...)
	}
	return all
}

func (s *Service) patchTargets(all *rp.PasskeyProfiles, in configurationJSON) error {
	if in.Include != nil {
		all.Targets = nil
		for _, t := range *in.Include {
			name, err := s.nameOf(t.Type, t.ID)
			if err != nil {
				return err
			}
			all.Targets = append(all.Targets, rp.ProfileTarget{Group: name, Profiles: lower(t.Profiles), Required: t.Required})
		}
	}
	if in.Exclude != nil {
		all.Excluded = nil
		for _, t := range *in.Exclude {
			name, err := s.nameOf(t.Type, t.ID)
			if err != nil {
				return err
			}
			all.Excluded = append(all.Excluded, name)
		}
	}
	return nil
}

func lower(ids []string) (all []string) {
	for _, id := range ids {
		all = append(all, strings.ToLower(id))
	}
	return all
}

// nameOf finds the group that a target is.
func (s *Service) nameOf(kind, id string) (string, error) {
	if kind != "group" {
		return "", bad("targetType must be group.")
	}
	if id == rp.Everybody {
		return id, nil
	}
	for _, g := range s.tenant.Groups() {
		if g.ID == id {
			return g.Name, nil
		}
	}
	return "", bad("There is no group with the id '" + id + "'.")
}

func (s *Service) idOf(name string) string {
	for _, g := range s.tenant.Groups() {
		if g.Name == name {
			return g.ID
		}
	}
	return name // rp.Everybody
}
