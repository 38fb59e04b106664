package recovery

import (
	"slices"
	"strings"
	"time"
)

// Mode says what a verified person gets.
type Mode string

// The modes of a profile.
const (
	Evaluation Mode = "evaluation" // everything is verified, the account is not touched
	Production Mode = "production" // a Temporary Access Pass
)

// Revocation says when the old passkeys and methods go once a new passkey is
// registered with the pass. Sessions end with them.
type Revocation string

// The revocations of a profile.
const (
	RevokeOnRequest Revocation = "on-request" // where the person asks for it at the start
	RevokeAlways    Revocation = "always"
	RevokeNever     Revocation = "never"
)

// Policy is the recovery policy of a relying party. Of a person's profiles the
// first counts; the order is that of priority.
type Policy struct {
	Profiles         []Profile `json:"profiles"`
	BlockedProviders []string  `json:"blockedProviders,omitempty"`
	PassGroups       []string  `json:"passGroups,omitempty"` // for whom passes are enabled; empty for everybody
}

// Profile is an identity verification profile: for some groups, who verifies, what
// has to match, and what comes of it.
type Profile struct {
	Name      string     `json:"name"`
	Groups    []string   `json:"groups,omitempty"`   // in scope; empty for everybody
	Excluded  []string   `json:"excluded,omitempty"` // out of scope all the same
	Mode      Mode       `json:"mode"`               // empty is Evaluation
	Providers []Provider `json:"providers"`          // the first that covers the country and is not blocked
	Match     Confidence `json:"match"`              // empty is Exact
	BirthDate bool       `json:"birthDate"`          // has to match, too
	Revoke    Revocation `json:"revoke"`             // empty is RevokeOnRequest
	Reuse     bool       `json:"reuse"`              // a Verified ID from before will do

	FaceThreshold  int           `json:"faceThreshold"`  // 50 to 100; 70 when 0 ("Using Face Check")
	SignedInWithin time.Duration `json:"signedInWithin"` // how old the last sign-in may be; any age when 0
	PassLifetime   time.Duration `json:"passLifetime"`   // whole minutes from 10 on; an hour when 0

	// Since is when the scope last changed: owners must have signed in at or after
	// it. [Policy.ChangedFrom] fills it in.
	Since time.Time `json:"since,omitzero"`
}

// Provider is a verification provider as a profile has it.
type Provider struct {
	Name      string   `json:"name"`                // such as idemia
	Countries []string `json:"countries,omitempty"` // ISO 3166-1 alpha-3; empty for all
}

// The limits of Face Check's threshold and its default.
const (
	MinFaceThreshold     = 50
	MaxFaceThreshold     = 100
	DefaultFaceThreshold = 70
)

// Normal returns the policy with its defaults filled in, or why it cannot be.
func (p Policy) Normal() (Policy, error) {
	p.Profiles = slices.Clone(p.Profiles)
	for i := range p.Profiles {
		r := &p.Profiles[i]
		r.fill()
		if err := r.check(); err != nil {
			return p, err
		}
		same := func(o Profile) bool { return o.Name == r.Name }
		if slices.IndexFunc(p.Profiles, same) != i {
			return p, refuse(BadPolicy, "two recovery profiles are called %q", r.Name)
		}
	}
	return p, nil
}

func (r *Profile) fill() {
	fallback(&r.Mode, Evaluation)
	fallback(&r.Match, Exact)
	fallback(&r.Revoke, RevokeOnRequest)
	fallback(&r.FaceThreshold, DefaultFaceThreshold)
	fallback(&r.PassLifetime, time.Hour)
}

func fallback[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

func (r *Profile) check() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return refuse(BadPolicy, "a recovery profile has no name")
	case r.Mode != Evaluation && r.Mode != Production:
		return refuse(BadPolicy, "recovery profile %s: mode %q: want evaluation or production", r.Name, r.Mode)
	case r.Match != Exact && r.Match != Relaxed:
		return refuse(BadPolicy, "recovery profile %s: match %q: want exact or relaxed", r.Name, r.Match)
	case !slices.Contains([]Revocation{RevokeOnRequest, RevokeAlways, RevokeNever}, r.Revoke):
		return refuse(BadPolicy, "recovery profile %s: revoke %q: want on-request, always or never", r.Name, r.Revoke)
	case r.FaceThreshold < MinFaceThreshold || r.FaceThreshold > MaxFaceThreshold:
		return refuse(BadPolicy, "recovery profile %s: face threshold %d: want 50 to 100", r.Name, r.FaceThreshold)
	case r.SignedInWithin < 0:
		return refuse(BadPolicy, "recovery profile %s: signed in within %s: want a time from 0 on", r.Name, r.SignedInWithin)
	case r.PassLifetime < 10*time.Minute || r.PassLifetime%time.Minute != 0:
		return refuse(BadPolicy, "recovery profile %s: pass lifetime %s: want whole minutes from 10 on", r.Name, r.PassLifetime)
	case len(r.Providers) == 0:
		return refuse(BadPolicy, "recovery profile %s names no provider", r.Name)
	}
	for _, p := range r.Providers {
		if p.Name == "" {
			return refuse(BadPolicy, "recovery profile %s has a provider without a name", r.Name)
		}
	}
	return nil
}

// ChangedFrom fills in since when each profile has had its scope: now, but for
// those whose groups are the same as before. What the caller says of it counts for
// nothing.
func (p Policy) ChangedFrom(old Policy, now time.Time) Policy {
	p.Profiles = slices.Clone(p.Profiles)
	for i := range p.Profiles {
		r := &p.Profiles[i]
		r.Since = now
		for _, o := range old.Profiles {
			if o.Name == r.Name && slices.Equal(o.Groups, r.Groups) && slices.Equal(o.Excluded, r.Excluded) {
				r.Since = o.Since
			}
		}
	}
	return p
}

// profileOf returns the first profile that somebody in these groups is in the
// scope of.
func (p Policy) profileOf(groups []string) (Profile, bool) {
	for _, r := range p.Profiles {
		if (len(r.Groups) == 0 || overlap(r.Groups, groups)) && !overlap(r.Excluded, groups) {
			return r, true
		}
	}
	return Profile{}, false
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// choose returns the provider for a country: of the profile's, in order, the first
// that covers it and is not blocked. Without a country, only a provider for all
// will do.
func (p Policy) choose(r Profile, country string) (string, error) {
	blocked := ""
	for _, provider := range r.Providers {
		if len(provider.Countries) > 0 && !slices.ContainsFunc(provider.Countries, func(c string) bool { return strings.EqualFold(c, country) }) {
			continue
		}
		if slices.Contains(p.BlockedProviders, provider.Name) {
			blocked = provider.Name
			continue
		}
		return provider.Name, nil
	}
	if blocked != "" {
		return "", refuse(ProviderBlocked, "the provider %s is blocked here, and there is no other for %s", blocked, named(country))
	}
	return "", refuse(CountryNotCovered, "no provider of the profile %s verifies documents of %s", r.Name, named(country))
}

func named(country string) string {
	if country == "" {
		return "people who name no country"
	}
	return strings.ToUpper(country)
}
