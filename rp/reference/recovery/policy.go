package recovery

import (
	"slices"
	"strings"
	"time"

	"fido-emu/rp"
)

// Policy, Profile and Provider are those of package rp.
type (
	Policy   = rp.RecoveryPolicy
	Profile  = rp.RecoveryProfile
	Provider = rp.RecoveryProvider
)

// The modes of a profile: what a verified person gets.
const (
	Evaluation = "evaluation" // everything is verified, the account is not touched
	Production = "production" // a Temporary Access Pass
)

// When the old passkeys and methods go, once a new passkey is registered with the
// pass. Sessions end with them.
const (
	RevokeOnRequest = "on-request" // where the person asks for it at the start
	RevokeAlways    = "always"
	RevokeNever     = "never"
)

// The limits of Face Check's threshold and its default.
const (
	MinFaceThreshold     = 50
	MaxFaceThreshold     = 100
	DefaultFaceThreshold = 70
)

// Normal returns the policy with its defaults filled in, or why it cannot be.
func Normal(p Policy) (Policy, error) {
	p.Profiles = slices.Clone(p.Profiles)
	for i := range p.Profiles {
		r := &p.Profiles[i]
		fill(r)
		if err := check(r); err != nil {
			return p, err
		}
		same := func(o Profile) bool { return o.Name == r.Name }
		if slices.IndexFunc(p.Profiles, same) != i {
			return p, refuse(BadPolicy, "two recovery profiles are called %q", r.Name)
		}
	}
	return p, nil
}

func fill(r *Profile) {
	fallback(&r.Mode, Evaluation)
	fallback(&r.Match, Exact)
	fallback(&r.Revoke, RevokeOnRequest)
	fallback(&r.FaceThreshold, DefaultFaceThreshold)
	fallback(&r.PassLifetimeMinutes, 60)
}

func fallback[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

func check(r *Profile) error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return refuse(BadPolicy, "a recovery profile has no name")
	case r.Mode != Evaluation && r.Mode != Production:
		return refuse(BadPolicy, "recovery profile %s: mode %q: want evaluation or production", r.Name, r.Mode)
	case r.Match != Exact && r.Match != Relaxed:
		return refuse(BadPolicy, "recovery profile %s: match %q: want exact or relaxed", r.Name, r.Match)
	case !slices.Contains([]string{RevokeOnRequest, RevokeAlways, RevokeNever}, r.Revoke):
		return refuse(BadPolicy, "recovery profile %s: revoke %q: want on-request, always or never", r.Name, r.Revoke)
	case r.FaceThreshold < MinFaceThreshold || r.FaceThreshold > MaxFaceThreshold:
		return refuse(BadPolicy, "recovery profile %s: face threshold %d: want 50 to 100", r.Name, r.FaceThreshold)
	case r.SignedInWithinMinutes < 0:
		return refuse(BadPolicy, "recovery profile %s: signed in within %d minutes: want a number from 0 on", r.Name, r.SignedInWithinMinutes)
	case r.PassLifetimeMinutes < 10 || r.PassLifetimeMinutes > 43200:
		return refuse(BadPolicy, "recovery profile %s: a pass for %d minutes: want 10 to 43200", r.Name, r.PassLifetimeMinutes)
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

// changed fills in since when each profile has had its scope: now, but for
// those whose groups are the same as before. What the caller says of it counts for
// nothing.
func changed(p, old Policy, now time.Time) Policy {
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
func profileOf(p Policy, groups []string) (Profile, bool) {
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
func choose(p Policy, r Profile, country string) (string, error) {
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

func passLifetime(r Profile) time.Duration { return time.Duration(r.PassLifetimeMinutes) * time.Minute }

// accepted lists the providers whose Verified IDs do for a case: those of its profile
// that are not blocked now. Another profile's are not this one's: who may get in with
// less elsewhere does not get in here.
func accepted(p Policy, r Profile) []string {
	var names []string
	for _, provider := range r.Providers {
		if !slices.Contains(p.BlockedProviders, provider.Name) && !slices.Contains(names, provider.Name) {
			names = append(names, provider.Name)
		}
	}
	return names
}
